"""Slices, the compiled file and the matcher."""

import subprocess
import sys
from pathlib import Path

import pytest

from crawler.errors import LexiconError, UsageError
from crawler.lexicon import build, compiled, load
from crawler.lexicon.inflect import forms
from crawler.lexicon.slices import HOME, Term, digest, paths, read
from crawler.text import fold


def slices(root: Path, **files: str) -> Path:
    """A lexicon of its own: ``topics_x="..."`` becomes topics/x.yaml."""
    for name, content in files.items():
        folder, stem = name.split("_", 1)
        (root / folder).mkdir(exist_ok=True)
        (root / folder / f"{stem}.yaml").write_text(content, "utf-8")
    return root


TOPIC = "p-r: {kind: topic, sides: [PK, RU]}\n"


def found(root: Path, text: str) -> list[tuple[str, str]]:
    lexicon = build((root,), "p-r")
    return [(m.name, m.quote) for m in lexicon.find(text, "text")]


def test_the_compiled_file_is_made_from_the_slices_as_they_are() -> None:
    table = compiled.stored()
    assert table is not None, "type `python -m crawler.lexicon`"
    assert table["hash"] == digest(paths([HOME])), "the slices changed: type `python -m crawler.lexicon`"
    assert compiled.FILE.stat().st_size < 1_000_000


def test_the_packaged_slices_hold_no_contradiction() -> None:
    assert read(paths([HOME])).things


def test_a_compiled_lexicon_needs_neither_pymorphy3_nor_yaml() -> None:
    code = (
        "import sys; from crawler.lexicon import load; load().find('Россия', 'text');"
        "sys.exit('pymorphy3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_two_things_with_one_term_are_refused_with_both_places(tmp_path: Path) -> None:
    slices(
        tmp_path,
        sides_a="one: {kind: body, side: PK, en: [PNC]}\n",
        sides_b="\ntwo: {kind: body, side: RU, en: [PNC]}\n",
    )
    with pytest.raises(LexiconError) as caught:
        read(paths([tmp_path]))
    assert caught.value.mistakes[0].startswith(
        "sides/b.yaml:2: 'PNC' of two is already given at sides/a.yaml:1 for one"
    )


def test_a_sector_term_with_two_weights_is_refused_with_both_places(tmp_path: Path) -> None:
    slices(tmp_path, sectors_a="energy: {en: {3: [oil]}}\n", sectors_b="energy:\n  en:\n    1: [oil]\n")
    with pytest.raises(LexiconError, match=r"sectors/b.yaml:3: 'oil' is already given at sectors/a.yaml:1 as 3"):
        read(paths([tmp_path]))


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    slices(
        tmp_path,
        sides_a="one: {kind: boddy, en: [X, 'a* b']}\ntwo: {side: PK, color: red}\nthree: 7\n",
        sides_b="broken: [\n",
        topics_t="t: {kind: topic, sides: [PK]}\n",
    )
    with pytest.raises(LexiconError) as caught:
        read(paths([tmp_path]))
    told = "\n".join(caught.value.mistakes)
    for part in (
        "sides/a.yaml:1: one: kind 'boddy' is unknown", "a star may stand at the end", "sides/a.yaml:2: two: unknown key 'color'",
        "sides/a.yaml:3: three: expected a mapping", "sides/a.yaml:2: two: kind is missing", "sides/b.yaml:", "a topic has two sides",
    ):  # fmt: skip
        assert part in told


def test_slices_of_one_thing_are_merged(tmp_path: Path) -> None:
    slices(
        tmp_path,
        topics_t=TOPIC,
        sides_a="mill: {kind: project, side: PK, en: [Steel Mills]}\n",
        sides_b="mill: {ru: [металлургический завод]}\n",
    )
    assert found(tmp_path, "Steel Mills, металлургического завода") == [
        ("mill", "Steel Mills"),
        ("mill", "металлургического завода"),
    ]


def test_an_unknown_topic_is_named(tmp_path: Path) -> None:
    slices(tmp_path, topics_t=TOPIC)
    with pytest.raises(UsageError, match="known: p-r"):
        build((tmp_path,), "moon")


@pytest.mark.parametrize(
    ("raw", "language", "kind", "expected"),
    [
        ("Сергей Лавров", "ru", "person", "сергеем лавровым"),
        ("Мария Захарова", "ru", "person", "марией захаровой"),
        ("Шехбаз Шариф", "ru", "person", "шехбазу шарифу"),
        ("министерство обороны", "ru", "body", "министерству обороны"),
        ("Нижний Новгород", "ru", "place", "нижнем новгороде"),
        ("пакистанский", "ru", "side", "пакистанскими"),
        ("рабочая группа", "ru", "word", "рабочими группами"),
        ("pipeline", "en", "word", "pipelines"),
        ("refinery", "en", "word", "refineries"),
        ("حماد اظہر", "ur", "person", "حماداظہر"),
    ],
)
def test_forms_of_a_term(raw: str, language: str, kind: str, expected: str) -> None:
    assert expected in forms(Term.parse(raw, "here"), language, kind)


@pytest.mark.parametrize("raw", ["=МИД", "!русский язык", "нефт*"])
def test_exact_frozen_and_prefix_terms_have_one_form(raw: str) -> None:
    assert len(forms(Term.parse(raw, "here"), "ru", "word")) == 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Russians and Pakistan's envoy", ["russia", "pakistan"]),
        ("России, россиянами, РФ", ["russia", "russia", "russia"]),
        ("рф", []),  # an abbreviation has its case
        ("پاکستان اورروس", ["pakistan", "russia"]),
        ("27روسی", ["russia"]),
        ("سروس", []),
        ("بیلاروس", []),
        ("بیلا روس", []),
        ("سروسز، عروس، فردوس", []),
        ("Belarus", []),
        ("Беларусь и Белоруссия, белорусский", []),
        ("Prussia", []),
        ("#Россия_Пакистан", ["russia", "pakistan"]),
        ("Pakistan-Russia", ["pakistan-russia-bridge"]),
        ("российско-пакистанских", ["pakistan-russia-bridge"]),
        ("پاک روس", ["pakistan-russia-bridge"]),
        ("Russian roulette", []),
        ("10:00 Moscow time", []),
        ("Рocсия", ["russia"]),  # Latin letters inside
        ("Рос\u00adсия", ["russia"]),
        ("روسي", ["russia"]),
    ],
)
def test_what_names_a_side(text: str, names: list[str]) -> None:
    assert [m.name for m in load().find(text, "text")] == names


def test_the_longest_name_counts_and_keeps_the_other_side_inside(tmp_path: Path) -> None:
    slices(
        tmp_path,
        topics_t=TOPIC + "belarus: {kind: side, side: BY, en: [White Russia]}\n",
        sides_a="pk: {kind: side, side: PK, en: [Pakistan]}\nru: {kind: side, side: RU, en: [Russia]}\n"
        "embassy: {kind: body, side: PK, en: [Pakistan Embassy in Russia]}\n",
    )
    assert found(tmp_path, "Pakistan Embassy in Russia") == [
        ("embassy", "Pakistan Embassy in Russia"),
        ("ru", "Russia"),
    ]
    assert found(tmp_path, "White Russia") == []


def test_masks_compile_and_hit_what_they_are_for() -> None:
    for text in (
        "Талибан (запрещено в РФ)",
        "движение (признано террористическим и запрещено в России)",
        "внесен Минюстом",
    ):
        assert list(load().masked(fold(text).text)) or "внесен" in text
