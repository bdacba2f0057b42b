"""Names in the spellings that nobody wrote down: words with several spellings, transliteration, names known by ear."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from crawler.errors import LexiconError
from crawler.lexicon import build, load
from crawler.lexicon.inflect import spelt
from crawler.lexicon.slices import HOME, Term, paths, read
from crawler.lexicon.transliterate import english, heard, skeleton
from crawler.text import fold

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "cases/lexicon/names.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[case["about"] for case in CASES])
def test_names_are_found_in_every_spelling(case: dict[str, Any]) -> None:
    assert [m.name for m in load().find(case["text"], "text")] == case["names"]


@pytest.mark.parametrize(
    ("raw", "kind", "expected"),
    [
        ("Sergey Ivanov", "person", ["Sergey Ivanov", "Sergei Ivanov"]),
        ("Sergey", "person", ["Sergey"]),  # one word by itself is left alone
        ("=Sergey Ivanov", "person", ["Sergey Ivanov"]),
        ("Sergey Ivanov", "lure", ["Sergey Ivanov"]),
        ("Bank Foo & Sons", "body", ["Bank Foo & Sons", "Bank Foo and Sons"]),
        ("Inter-State Gas", "body", ["Inter-State Gas", "Inter State Gas"]),
        ("Dow University", "body", ["Dow University", "University of Dow"]),
        ("University of Sindh", "body", ["University of Sindh", "Sindh University"]),
    ],
)
def test_a_name_of_several_words_is_spelt_in_every_way(raw: str, kind: str, expected: list[str]) -> None:
    row = ("sergey", "sergei")
    assert [t.text for t in spelt(Term.parse(raw, "here"), kind, dict.fromkeys(row, row))] == expected


def test_the_spellings_of_one_name_are_bounded() -> None:
    row = tuple("abcdefgh")
    words = " ".join("abab")
    assert len(spelt(Term.parse(words, "here"), "person", dict.fromkeys(row, row))) == 12


def test_a_word_in_two_rows_of_spellings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "x.yaml").write_text("en:\n  spellings: [[Sergey, Sergei], [Sergei, Serge]]\n", "utf-8")
    with pytest.raises(LexiconError, match="'sergei' stands in two rows, join them"):
        read(paths([tmp_path]))


def test_english_spellings_of_a_russian_name() -> None:
    assert {"Roman Chekushov"} <= set(english("Роман Чекушов"))
    assert {"Dmitry Lyubinsky", "Dmitry Liubinsky", "Dmitry Lyubinski"} <= set(english("Дмитрий Любинский"))
    assert len(english("Евгений Евгеньев")) <= 8


@pytest.mark.parametrize(
    ("russian", "urdu"),
    [
        ("Сергей Лавров", "سرگئی لاوروف"),
        ("Сергей Лавров", "سرگے لاروف"),
        ("Роман Старовойт", "رومان اسٹاروویت"),
        ("Алексей Оверчук", "الیکسی اوورچک"),
    ],
)
def test_urdu_and_russian_letters_sound_alike(russian: str, urdu: str) -> None:
    assert skeleton(fold(russian).text) == skeleton(fold(urdu).text)


@pytest.mark.parametrize("name", ["Омск", "Тула", "کرسی", "Анна Ли"])
def test_a_name_of_few_consonants_is_not_known_by_ear(name: str) -> None:
    assert heard(fold(name).text) == ""


def test_only_names_of_the_sides_that_are_written_by_ear_are_known_by_it(tmp_path: Path) -> None:
    for folder, name, content in (
        ("topics", "t", "t: {kind: topic, sides: [PK, RU]}\n"),
        ("languages", "ur", "ur: {heard: [RU]}\n"),
        ("sides", "s", "one: {kind: person, side: RU, ru: [Роман Чекушов]}\n"
                       "two: {kind: person, side: PK, ru: [Тарик Дестагир]}\n"),
    ):  # fmt: skip
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.yaml").write_text(content, "utf-8")
    lexicon = build((tmp_path,), "t")
    assert [m.name for m in lexicon.find("رومن چیکوشوف، طارق دستگیر", "text")] == ["one"]


def test_a_name_of_nobody_hides_no_side() -> None:
    """A war or a corridor that is called after a side must not stand in front of it."""
    things = yaml.safe_load((HOME / "sides" / "general.yaml").read_text("utf-8"))
    terms = [
        term
        for values in things.values()
        if values.get("side") not in load().sides
        for language in ("en", "ru", "ur")
        for term in values.get(language, ())
    ]
    assert [t for t in terms if {"russia", "pakistan", "россия", "пакистан"} & set(fold(str(t)).text.split())] == []
