"""classify, worth_fetching and may_concern: what they promise whatever the text says."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.classify import classification_json, classify, may_concern, passages, prefilter, worth_fetching
from crawler.classify.relevance import features, weights
from crawler.lexicon import Lexicon, build, load
from crawler.types import Classification, Text

CASES = Path(__file__).parent / "cases" / "classify"

PIECES = [
    "Pakistan", "Russia", "Russian", "Moscow", "Islamabad", "Putin met Shehbaz Sharif", "signed an agreement", "oil and gas",
    "Россия", "Пакистаном", "российско-пакистанский", "подписали меморандум", "нефть", "Рoссия", "Паки\u00adстан",
    "روس", "پاکستان", "پاک روس", "معاہدے پر دستخط", "بیلا روس", "سروس", "اورروس", "گندم",
    "India", "Ukraine", "China", ".", ". ", "\n", "۔ ", "MOSCOW (TASS): ", "(запрещена в РФ)", "https://a.example/russia",
    "\u00ad", "\u200c", "\u0301", "\x00", "İ", "ﷺ", "😀", "  ", "\u00a0",
]  # fmt: skip
SOUP = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=25).map(" ".join)


def verdict(title: str = "", text: str = "", **more: str) -> Classification:
    return classify(Text(title=title, text=text, **{"language": "en", **more}), load())


@settings(max_examples=150, deadline=None)
@given(title=SOUP, text=SOUP, country=st.sampled_from(["", "PK", "RU", "IN"]))
def test_every_quote_stands_at_its_place_and_both_sides_are_named(title: str, text: str, country: str) -> None:
    one = verdict(title, text, country=country)
    fields = {"title": title, "text": text}
    spots = [(m.field, m.quote, m.start) for m in one.mentions]
    spots += [(e.field, e.quote, e.start) for s in one.sectors for e in s.evidence]
    spots += [(r.field, r.quote, r.start) for r in one.reasons if r.field]
    for field, quote, start in spots:
        assert quote
        assert fields[field][start : start + len(quote)] == quote
    assert one.grade in (0, 1, 2)
    assert 0 <= one.score <= 1
    if one.grade:
        assert any(m.kind == "bridge" for m in one.mentions) or {"PK", "RU"} <= {m.side for m in one.mentions}
        assert one.sectors
        assert [s.score for s in one.sectors] == sorted((s.score for s in one.sectors), reverse=True)
    else:
        assert not one.sectors
    assert {m.kind for m in one.mentions} <= {"side", "bridge", "person", "body", "place", "project"}
    json.dumps(classification_json("x", one))


@settings(max_examples=60, deadline=None)
@given(title=SOUP, text=SOUP)
def test_the_same_text_gets_the_same_verdict(title: str, text: str) -> None:
    assert verdict(title, text) == verdict(title, text)


@settings(max_examples=100, deadline=None)
@given(title=SOUP, text=SOUP, encoding=st.sampled_from(["utf-8", "utf-16", "cp1251", "koi8-r", "entities", "escapes"]))
def test_the_prefilter_loses_nothing_that_classify_keeps(title: str, text: str, encoding: str) -> None:
    page = f"<title>{title}</title><p>{text}</p>"
    body = {
        "entities": lambda: page.encode("ascii", "xmlcharrefreplace"),
        "escapes": lambda: json.dumps(page).encode(),
    }.get(encoding, lambda: page.encode(encoding, "xmlcharrefreplace"))()
    if verdict(title, text).grade:
        assert may_concern(body, country="", lexicon=load())


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "koi8-r", "utf-16"])
def test_the_prefilter_reads_upper_case_and_every_encoding(encoding: str) -> None:
    assert may_concern("<p>РОССИЯ и ПАКИСТАН</p>".encode(encoding), country="", lexicon=load())
    assert not may_concern("<p>Россия и Белоруссия</p>".encode(encoding), country="", lexicon=load())


@settings(max_examples=200, deadline=None)
@given(
    names=st.permutations(["PAKISTAN", "Lahore", "Moscow", "Gazprom", "Vladimir Putin", "Rosatom"]),
    between=st.sampled_from([" ", ", ", "</p><p>", "\u201d \u2014 ", "&nbsp;", "&#8217; ", "\\n ", " é "]),
    inside=st.sampled_from(["", "\u00ad", "\u200b", "&shy;"]),
    blank=st.sampled_from([" ", "&nbsp;", "\u00a0", "&#160;"]),
    count=st.integers(0, 4),
)
def test_the_look_at_latin_bytes_loses_nothing_either(
    names: list[str], between: str, inside: str, blank: str, count: int
) -> None:
    """What its bytes rule out names no side in its letters: here each name is written as pages write it."""
    chosen = names[:count]
    written = between.join((n[:2] + inside + n[2:]).replace(" ", blank) for n in chosen)
    sides = {"RU" if n in ("Moscow", "Gazprom", "Vladimir Putin", "Rosatom") else "PK" for n in chosen}
    body = f"<html><p>Seen here{between}{written}{between}today</p>".encode()
    assert may_concern(body, country="", lexicon=load()) == (sides == {"PK", "RU"})


def test_the_country_of_the_source_is_one_side_for_the_prefilter() -> None:
    body = "پیوٹن نے کہا".encode()
    assert may_concern(body, country="PK", lexicon=load())
    assert not may_concern(body, country="RU", lexicon=load())


@pytest.mark.parametrize(
    ("page", "country", "may"),
    [
        ("Посольство открыло выставку, сообщил телеканал", "RU", False),  # words of names of the other side
        ("<b>Посольство</b> в городе <b>Исламабаде</b>", "RU", True),
        ("Фрегат вышел в море. О Тарике не сказали ничего", "RU", True),  # all words of «фрегат Тарик», anywhere
        ("Фрегат вышел в море", "RU", False),
        ("انٹرنیٹ سروس بحال، عروس نے کہا", "PK", False),  # روس inside other words
        ("پاکستان اورروس کے درمیان", "PK", True),  # a missing blank
        ("<p>Get our app, the most read in the city</p>", "RU", False),  # APP and MoST are names in capitals alone
        ("<p>The wire APP said so</p>", "RU", True),
        ("В Сибири, сообщили сибирские СМИ", "RU", False),  # the beginning of a word is not the word Сиби
        ("В городе Сиби прошёл дождь", "RU", True),
        ("<html lang='en'><p>Rain in Lahore</p>", "PK", False),
        ("<html lang='en'><p>En+ sells its stake in Lahore</p>", "PK", True),
    ],
)
def test_the_prefilter_asks_for_all_words_of_a_name(page: str, country: str, may: bool) -> None:
    assert may_concern(page.encode(), country=country, lexicon=load()) is may


@pytest.mark.parametrize(
    ("title", "listed"),
    [
        ("Wheat harvest in Punjab breaks records", "Wheat harvest in Punjab breaks all records"),
        ("На Волге открыли завод удобрений", "На Волге открыли новый завод удобрений"),
        ("لاہور میں گندم کی قیمت بڑھ گئی", "لاہور میں گندم کی قیمت بڑھ گئی"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "utf-16"])
def test_only_the_page_that_was_listed_is_ruled_out(title: str, listed: str, encoding: str) -> None:
    def rules_out(page: str) -> bool:
        body = page.encode(encoding, "xmlcharrefreplace")
        return not may_concern(body, country="", lexicon=load(), title=listed)

    assert rules_out(f"<title>{title.upper()}</title><p>{title}</p>")
    for apology in ("", "<h1>Service unavailable</h1>", f"<title>Home</title>{'<p>Water and power.</p>' * 200}"):
        assert not rules_out(apology)


@pytest.mark.parametrize(
    ("title", "summary", "country", "worth"),
    [
        ("Pakistan, Russia talk trade", "", "IN", True),
        ("Putin due in June", "", "PK", True),
        ("Karachi port grows", "", "RU", True),
        ("Karachi port grows", "", "PK", False),
        ("Karachi port grows", "", "", False),
        ("Пакистану нужен газ", "Переговоры с «Газпромом» идут", "KZ", True),
        ("روسی تیل کراچی پہنچ گیا", "", "", True),
        ("بس سروس بحال", "", "PK", False),
        ("", "", "PK", False),
    ],
)
def test_worth_fetching(title: str, summary: str, country: str, worth: bool) -> None:
    assert worth_fetching(title, summary, language="", country=country, lexicon=load()) is worth


def test_empty_and_endless_texts_have_a_verdict() -> None:
    assert verdict().grade == 0
    long = "Pakistan and Russia signed an agreement. " * 20_000
    assert verdict("Pakistan, Russia sign", long).grade == 2


def test_reasons_add_up_to_the_score() -> None:
    import math

    text = Text(
        title="Pakistan, Russia sign accord", text="Russia and Pakistan signed an accord on trade.", language="en"
    )
    values = features(passages.read(text, load()))
    table = weights()["relevant"]
    z = table["bias"] + sum(table.get(name, 0.0) * value for name, value in values.items())
    assert classify(text, load()).score == pytest.approx(1 / (1 + math.exp(-z)), abs=1e-3)
    assert set(values) >= set(table) - {"bias"}


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    from crawler.lexicon.slices import HOME

    root = tmp_path_factory.mktemp("lexicon")
    (root / "topics").mkdir()
    (root / "topics" / "pakistan-turkiye.yaml").write_text((CASES / "second_topic.yaml").read_text("utf-8"), "utf-8")
    for folder, names in (
        ("sides", ["pakistan.yaml"]),
        ("languages", ["en.yaml"]),
        ("sectors", ["energy.yaml", "defence.yaml"]),
    ):
        (root / folder).mkdir()
        for name in names:
            (root / folder / name).write_text((HOME / folder / name).read_text("utf-8"), "utf-8")
    for path in (root / "sides").glob("*.yaml"):  # sectors that are not among the two
        lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("  sectors:")]
        path.write_text("\n".join(lines), "utf-8")
    return build((root,), "pakistan-turkiye")


@pytest.mark.parametrize(
    ("title", "text", "grades", "first"),
    [
        ("Pakistan, Türkiye sign gas accord", "Pakistan and Turkey signed an agreement on LNG. Both countries will build a terminal.", {2}, "energy"),
        ("Erdogan lands in Islamabad", "Turkish President Erdogan arrived in Islamabad for talks with Pakistan on joint naval exercises.", {2}, "defence"),
        ("Pakistan, Russia sign gas accord", "Pakistan and Russia signed an agreement on LNG.", {0}, None),
        ("Roast turkey in Lahore", "A hotel in Pakistan serves roast turkey at Christmas.", {0}, None),
    ],
)  # fmt: skip
def test_another_pair_is_one_topic_file(
    second: Lexicon, title: str, text: str, grades: set[int], first: str | None
) -> None:
    one = classify(Text(title=title, text=text, language="en"), second)
    assert one.grade in grades, one.reason
    assert (one.sectors[0].sector if one.sectors else None) == first


def test_the_worked_examples_of_the_page_come_out_as_it_says() -> None:
    page = (Path(__file__).parents[1] / "docs" / "judgement.md").read_text("utf-8")
    examples = page.split("## Three examples")[1].split("## To add a name")[0].split("\n**")[1:]
    grades = []
    for example in examples:
        quoted = [line.removeprefix(">").strip() for line in example.splitlines() if line.startswith(">")]
        blank = quoted.index("")
        one = verdict(" ".join(quoted[:blank]), " ".join(quoted[blank + 1 :]), country="PK")
        said = example.split("Grade ")[1]
        assert one.grade == int(said[0])
        codes = set(said.split("`")[1::2])
        assert codes <= {reason.code for reason in one.reasons}, codes
        if one.grade:
            assert one.sectors[0].sector in said.split(".")[0]
        grades.append(one.grade)
    assert grades == [2, 1, 0]


def test_every_feature_is_explained_in_words() -> None:
    from crawler.classify.relevance import MEANING

    values = features(passages.read(Text(title="Pakistan, Russia sign", text="Pakistan and Russia signed."), load()))
    assert set(values) == set(MEANING)


@given(st.lists(st.sampled_from(["moscow", "karachi", "pia", "fsb", "pakistan stream", "x"]), max_size=12))
def test_both_ways_to_look_for_names_find_the_same(words: list[str]) -> None:
    pytest.importorskip("hyperscan")
    needles = [b" moscow ", b" karachi", b" pia ", b" pakistan stream ", b" pakistan"]
    plain = f" {' '.join(words)} ".encode()
    found = prefilter.with_automaton(needles)(plain)
    assert prefilter.with_hyperscan(needles)(plain) == found
    assert found == {n for n, needle in enumerate(needles) if needle in plain}


@pytest.mark.parametrize("letter", ["a", "я", "ا", "1"])
def test_a_page_that_is_one_word_is_looked_at(letter: str) -> None:
    """In one look: begun again from each of its letters it would hold up the crawl for minutes."""
    page = f"<p>Россия, Пакистан + {letter * 200_000}".encode()
    assert may_concern(page, country="", lexicon=load())
    assert not may_concern(page.replace("Россия".encode(), b""), country="", lexicon=load())


@pytest.mark.parametrize("unit", ["@", "a@", "a", ".", "1,", "а-", "(", "ا"])
def test_a_text_of_one_sign_is_judged(unit: str) -> None:
    """In one look, as above: what judges runs between two requests."""
    filling = unit * (200_000 // len(unit))
    text = f"Россия и Пакистан подписали соглашение о поставках пшеницы. {filling} Write to desk@paper.example.pk."
    assert classify(Text(title="", text=text, language="ru"), load()).grade == 2
