"""The digest in its reader's language: every fixed word of every format, numbers, days, and the way it runs."""

import json
import re
import string
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import lxml.html
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import LANGUAGES
from crawler.digest import deliver as delivery
from crawler.digest.formats import FORMATS, index, render
from crawler.digest.formats.html import Words as Markup
from crawler.digest.formats.words import Words
from crawler.ingest.lines import settle_line
from crawler.notify.outbox import _brief, _subject
from tests.builders import NOON, world
from tests.test_digest import KARACHI, _deliver, _stories, _three_languages
from tests.test_digest_hostile import edition as made_of
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, _line

FOLDER = Path(delivery.__file__).parent / "languages"
TOLD: dict[str, dict[str, Any]] = {p.stem: yaml.safe_load(p.read_text("utf-8")) for p in sorted(FOLDER.glob("*.yaml"))}
NAMES = ("weekdays", "weekdays_short", "months", "months_alone", "months_short")
OTHERS = [code for code in LANGUAGES if code != "en"]
HEADLINES = {"en": "Barter desk agreed", "ru": "Бартерный центр согласован", "ur": "بارٹر ڈیسک پر اتفاق"}


def _blanks(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


def _plural(key: str) -> bool:
    return isinstance(TOLD["en"][key], list) and key not in NAMES


# --- the files


def test_every_language_of_the_config_has_its_file_and_no_other() -> None:
    assert sorted(LANGUAGES) == sorted(TOLD)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_says_all_that_english_says(code: str) -> None:
    told, english = TOLD[code], TOLD["en"]
    assert told.keys() == english.keys()
    for key, phrase in english.items():
        assert type(told[key]) is type(phrase), key
        if isinstance(phrase, dict):
            assert told[key].keys() == phrase.keys(), key
            assert all(told[key].values()), key
        elif key in NAMES:
            assert len(told[key]) == len(phrase) == len(list(filter(None, told[key]))), key
        elif _plural(key):
            assert {frozenset(_blanks(form)) for form in told[key]} == {frozenset(_blanks(phrase[0]))}, key
        elif not key.startswith(
            ("date", "heading", "title", "moment_weekday")
        ):  # these choose among what they are given
            assert _blanks(told[key]) == _blanks(phrase), key


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_number_has_its_form_and_every_form_a_number(code: str) -> None:
    words, told = Words.of(code), TOLD[code]
    for key in filter(_plural, told):
        assert {words._form(n) for n in range(200)} == set(range(len(told[key]))), key


@given(st.integers(0, 10**7))
def test_a_russian_noun_agrees_with_its_number(n: int) -> None:
    ten, hundred = n % 10, n % 100
    many = ten == 0 or ten >= 5 or 11 <= hundred <= 14
    noun = "публикаций" if many else "публикация" if ten == 1 else "публикации"
    assert Words.of("ru").say("articles", n) == f"{n:,} {noun}".replace(",", "\u00a0")


def test_numbers_days_and_hours_are_written_as_the_language_does() -> None:
    en, ru, ur = (Words.of(code) for code in ("en", "ru", "ur"))
    assert [w.number(19_410.5) for w in (en, ru, ur)] == ["19,410.5", "19\u00a0410,5", "19,410.5"]
    day = date(2026, 5, 3)
    assert [w.day(day) for w in (en, ru, ur)] == [
        "Sunday, 3 May 2026",
        "воскресенье, 3 мая 2026 г.",
        "اتوار، 3 مئی 2026ء",
    ]
    assert [w.month("2026-05") for w in (en, ru, ur)] == ["May 2026", "Май 2026 г.", "مئی 2026ء"]
    late = "2026-05-02T20:30:00Z"  # already the third in both, or in Islamabad alone
    assert ru.capitals(late) == "3 мая, 01:30 в Исламабаде / 2 мая, 23:30 в Москве"
    assert ur.capitals(late, dated=False) == "تاریخ کے بغیر، دیکھا گیا اسلام آباد 3 مئی، 01:30 / ماسکو 2 مئی، 23:30"
    assert en.capitals("2026-05-02T09:00:00Z") == "2 May, 14:00 Islamabad / 12:00 Moscow"


# --- an edition in it


def _full(reader: str, *, other: str) -> list[dict[str, Any]]:
    """Editions in which everything is said once, with nothing from outside in another script than the reader's."""
    text = HEADLINES[reader]
    made: dict[str, Any] = made_of(text, language=other, reader=reader)
    health = {"id": "s", "name": text, "state": "blocked", "last_good_at": "2026-11-25T20:00:00Z", "error": ""}
    made["summary"] |= {
        "gaps": 2, "entries": 19_410, "languages": list(LANGUAGES), "copies": 1, "sources": 40, "provisional": True,
        "sources_late": [{**health, "state": state} for state in TOLD["en"]["states"]], "sources_unvisited": 1,
        "sources_silent": [health],
    }  # fmt: skip
    for place in ("lead", "passing", "late"):
        item = json.loads(json.dumps(made["lead"][0]))
        item["articles"][1] |= {"copy": True, "new": True, "withdrawn": True}
        item["articles"][0] |= {"new": True, "withdrawn": True}
        news = {"edition": "2026-11-25", "articles": 2, "copies": 1, "sources": [text]}
        item |= {"update": place != "late", "news": news if place == "lead" else None, "copies": 1, "other": 3}
        item["first"]["dated"] = place == "lead"
        made[place] = [item]
    made["summary"] |= {"stories": 3, "new_stories": 1}
    made["sectors"] = [{"sector": "trade", "name": "", "items": [{**made["lead"][0], "sectors": []}]}]
    gone = {**made["changed"][0], "kind": "withdrawn", "edition": None, "old_title": text}
    made |= {"provisional": True, "changed": [{**made["changed"][0], "old_title": text + text, "before": text}, gone]}
    made["trend"]["sectors"] *= 2
    silent = {**made, "lead": [], "passing": [], "late": [], "sectors": [], "changed": [], "period": "week"}
    silent["summary"] = {**made["summary"], "stories": 0, "sources": 0, "sources_heard": 0}
    return _in_script(reader, [made, silent, {**silent, "period": "month", "timezone": "Europe/Moscow"}])


def _in_script(reader: str, editions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the builder of editions puts in of its own English becomes a word of the reader's."""
    text = json.dumps(editions, ensure_ascii=False)
    for english in ("Pakistan and Russia agreed.", "Sergey Lavrov", "Before", "Now", "Trade"):
        text = text.replace(english, HEADLINES[reader])
    return list(json.loads(text))


def _fixed_words(text: str, form: str) -> set[str]:
    """Latin words of a rendered edition that a reader sees or a screen reader says."""
    if form == "html":
        page = lxml.html.fromstring(text)
        for node in page.xpath("//style"):
            node.drop_tree()
        text = " ".join([page.text_content(), *page.xpath("//@aria-label | //@title")])
    elif form == "atom":
        feed = lxml.html.fromstring(text.encode())
        for node in feed.xpath("//id | //updated | //published | //generator | //name"):
            node.drop_tree()
        text = feed.text_content() + " ".join(feed.xpath("//@term"))
    else:
        text = re.sub(r"\]\([^)]*\)|</?div[^>]*>", "", text)
    return set(re.findall(r"[A-Za-z]{2,}", text)) - {"pakrus"}


@pytest.mark.parametrize("other", LANGUAGES)
@pytest.mark.parametrize("reader", OTHERS)
def test_no_english_is_left_among_the_words_of_an_edition(reader: str, other: str) -> None:
    for made in _full(reader, other=other):
        for form in ("md", "html", "atom"):
            assert _fixed_words(render(made, form), form) == set(), form
        assert not re.search("[A-Za-z]{2,}", re.sub("http://paper.test/1", "", _subject(made) + _brief(made)))


@pytest.mark.parametrize("reader", OTHERS)
def test_the_index_speaks_the_readers_language(reader: str) -> None:
    rows = [
        {"date": "2026-11-26", "timezone": zone, "period": period, "sha256": "", "language": reader,
         "created_at": "2026-11-26T02:00:00Z", "provisional": True, "summary": made["summary"],
         "headline": HEADLINES[reader], "stem": "2026-11-26"}
        for made, zone, period in zip(_full(reader, other=reader), ("Asia/Karachi", "Europe/Moscow", "UTC"),
                                      ("day", "week", "month"), strict=True)
    ]  # fmt: skip
    assert _fixed_words(index.page(rows, reader), "html") <= {"Atom"}
    assert _fixed_words(index.feed(rows, reader), "atom") == set()


@pytest.mark.parametrize("reader", LANGUAGES)
def test_an_edition_runs_as_its_language_does(reader: str) -> None:
    (made, *_) = _full(reader, other="en" if reader == "ur" else "ur")
    way = "rtl" if reader == "ur" else "ltr"
    page = lxml.html.fromstring(render(made, "html"))
    assert (page.get("lang"), page.get("dir")) == (reader, way)
    assert page.cssselect("h3")[0].get("dir") != way, "a headline of another language keeps its own"
    note = render(made, "md")
    assert ('<div lang="ur" dir="rtl">' in note) == (way == "rtl")
    assert ("\u2066" if way == "rtl" else "\u2067") + HEADLINES[reader] in note
    assert lxml.html.fromstring(index.page([_listed(made)], reader)).get("dir") == way
    assert f'xml:lang="{reader}"' in render(made, "atom")


def _listed(made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "sha256": "", "headline": "", "stem": made["date"]}


def test_names_from_outside_are_isolated_among_words_that_run_the_other_way() -> None:
    assert Markup.of("ur").say("from", origin=Markup.of("ur").name("<TASS>")) == "بحوالہ <bdi>&lt;TASS&gt;</bdi>"


# --- made from the rows


@pytest.mark.parametrize("reader", LANGUAGES)
def test_the_headline_is_in_the_readers_language_where_a_source_has_it(reader: str, tmp_path: Path) -> None:
    with world(tmp_path, text=_config(reader)) as app:
        _three_languages(app)
        edition = _deliver(app, tmp_path / "out")
        (story,) = _stories(edition)
        assert edition["language"] == story["headline_language"] == reader
        assert story["gloss"] == []
        assert {s["language"] for s in story["sentences"]} == {reader}  # type: ignore[attr-defined]
        assert story["sectors"][0]["name"] == app.lexicon.sector_names(reader)["trade"]  # type: ignore[index]


def _config(reader: str) -> str:
    return f"database: news.db\ndigest: {{language: {reader}}}\nsources: []\n"


GLOSSES = {"en": ("Trade and investment", "Alexei Overchuk"), "ru": ("Торговля и инвестиции", "Алексей Оверчук"),
           "ur": ("تجارت و سرمایہ کاری", "الیکسی اوورچک")}  # fmt: skip


@pytest.mark.parametrize("reader", LANGUAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_where_none_has_it_names_are_glossed_in_the_readers_language(
    language: str, reader: str, tmp_path: Path
) -> None:
    text = {"en": BARTER, "ru": BARTER_RU, "ur": BARTER_UR}[language]
    with world(tmp_path, text=_config(reader)) as app:
        settle_line(app, _line("http://s.test/1", HEADLINES[language], text), now=NOON)
        (story,) = _stories(_deliver(app, tmp_path / "out"))
    assert story["headline_language"] == language
    assert (set(GLOSSES[reader]) <= set(story["gloss"])) == (language != reader)  # type: ignore[call-overload]


def test_an_edition_keeps_its_language_when_the_config_changes(tmp_path: Path) -> None:
    day, now = date(2026, 11, 26), NOON + timedelta(days=1)
    with world(tmp_path, text=_config("ur")) as app:
        _three_languages(app)
        first = _deliver(app, tmp_path / "out")
    with world(tmp_path, text=_config("ru"), clock=lambda: datetime(2026, 11, 27, tzinfo=UTC)) as app:
        again = delivery.deliver(app, day, zone=KARACHI, period="day", formats=FORMATS, directory=tmp_path, now=now)
        assert (again.edition, again.made) == (first, False)
        assert delivery.verify(app, day, zone=ZoneInfo("Asia/Karachi"), period="day") == []
        later = delivery.deliver(
            app, day + timedelta(days=1), zone=KARACHI, period="day", formats=FORMATS, directory=tmp_path, now=now
        )
    assert later.edition["language"] == "ru"
    assert lxml.html.fromstring((tmp_path / "index.html").read_text("utf-8")).get("lang") == "ru"
