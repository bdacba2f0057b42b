"""Editions: their span, their sections, their rendering, and that a past one can be made again."""

import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import feedparser
import lxml.html
from hypothesis import given
from hypothesis import strategies as st

from crawler.app import App
from crawler.digest.build import _difference, canonical, closed_edition, items_of, open_edition, window
from crawler.digest.deliver import current, deliver, older_form, verify
from crawler.digest.formats import FORMATS, glance, render
from crawler.digest.formats.words import Words
from crawler.digest.gather import gather
from crawler.ingest.lines import settle_line
from crawler.terminal import painted, wide
from tests.builders import NOON, world
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, _line

KARACHI, MOSCOW = ZoneInfo("Asia/Karachi"), ZoneInfo("Europe/Moscow")
SEVEN = time(7, 0)


def _deliver(app: App, folder: Path, day: str = "2026-11-26", **how: object) -> dict[str, object]:
    options: dict[str, object] = {"zone": KARACHI, "period": "day", "formats": FORMATS, "now": NOON + timedelta(days=1)}
    return deliver(app, date.fromisoformat(day), directory=folder, **{**options, **how}).edition  # type: ignore[arg-type]


def _stories(edition: dict[str, object]) -> list[dict[str, object]]:
    sectors = [i for s in edition["sectors"] for i in s["items"]]  # type: ignore[attr-defined, index]
    return [*edition["lead"], *sectors, *edition["passing"], *edition["late"]]  # type: ignore[misc]


def _three_languages(app: App) -> None:
    for n, (text, title) in enumerate(
        [
            (BARTER, "Pakistan, Russia agree to set up barter desk"),
            (BARTER_RU, "Россия и Пакистан создадут бартерный центр"),
            (BARTER_UR, "پاکستان اور روس کا بارٹر ڈیسک قائم کرنے پر اتفاق"),
        ]
    ):
        settle_line(
            app, _line(f"http://s{n}.test/1", title, text, source=f"s{n}", country=("PK", "RU", "PK")[n]), now=NOON
        )


def test_an_edition_runs_from_seven_to_seven() -> None:
    span = window(date(2026, 11, 25), KARACHI, SEVEN)
    assert (span.since, span.until) == (
        datetime(2026, 11, 24, 2, tzinfo=UTC),
        datetime(2026, 11, 25, 2, tzinfo=UTC),
    )
    assert window(date(2026, 11, 25), MOSCOW, SEVEN).until == datetime(2026, 11, 25, 4, tzinfo=UTC)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),
    st.sampled_from(["Asia/Karachi", "Europe/Moscow", "Europe/London"]),
)
def test_every_instant_is_in_exactly_one_edition(moment: datetime, name: str) -> None:
    zone, instant = ZoneInfo(name), moment.replace(tzinfo=UTC)
    day = open_edition(instant, zone, SEVEN)
    assert closed_edition(instant, zone, SEVEN) == day - timedelta(days=1)
    spans = [window(day + timedelta(days=d), zone, SEVEN) for d in (-1, 0, 1)]
    assert [s.since <= instant < s.until for s in spans] == [False, True, False]
    assert spans[0].until == spans[1].since


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_a_week_and_a_month_end_where_their_day_ends(day: date) -> None:
    spans = {period: window(day, KARACHI, SEVEN, period) for period in ("day", "week", "month")}
    assert len({s.until for s in spans.values()}) == 1
    assert spans["week"].until - spans["week"].since == timedelta(days=7)
    assert timedelta(days=28) <= spans["month"].until - spans["month"].since <= timedelta(days=31)


def test_one_event_in_three_languages_is_one_entry_with_an_english_headline(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _three_languages(app)
        edition = _deliver(app, tmp_path)
        (story,) = _stories(edition)
    assert story["headline"] == "Pakistan, Russia agree to set up barter desk"
    assert story["languages"] == ["en", "ru", "ur"]
    assert (story["pakistani"], story["russian"], story["update"]) == (2, 1, False)
    assert len(story["articles"]) == 3  # type: ignore[arg-type]


def test_a_story_without_english_has_a_gloss_of_names(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        settle_line(app, _line("http://s.test/1", "Россия и Пакистан создадут бартерный центр", BARTER_RU), now=NOON)
        (story,) = _stories(_deliver(app, tmp_path))
    assert story["headline_language"] == "ru"
    assert "Trade and investment" in story["gloss"]  # type: ignore[operator]
    assert any("Overchuk" in name for name in story["gloss"])  # type: ignore[attr-defined]


def test_both_capitals_get_the_same_articles_but_those_between_the_two_closes(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        for hour in range(48):
            at = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(hours=hour, minutes=30)
            settle_line(app, _line(f"http://s.test/{hour}", f"Barter desk {hour}", BARTER, at=at), now=at)
        ids = {}
        for zone in (KARACHI, MOSCOW):
            edition = _deliver(app, tmp_path, "2026-11-25", zone=zone)
            ids[zone] = {a["url"] for s in _stories(edition) for a in s["articles"] if a["new"]}  # type: ignore[attr-defined]
    assert len(ids[KARACHI]) == len(ids[MOSCOW]) == 24
    assert {int(u.rsplit("/", 1)[1]) for u in ids[KARACHI] ^ ids[MOSCOW]} == {2, 3, 26, 27}


def test_old_news_is_late_and_older_news_nowhere(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        for n, days in enumerate((1, 3, 20)):
            line = _line(f"http://s{n}.test/1", f"Barter desk {n}", BARTER.replace("120", str(120 + n)), source=f"s{n}")
            published = NOON - timedelta(days=days)
            assert line.published is not None
            moment = type(line.published)(instant=published, precision="minute")
            line = type(line)(**{**{f: getattr(line, f) for f in line.__slots__}, "published": moment})
            settle_line(app, line, now=NOON)
        edition = _deliver(app, tmp_path)
        fresh = {a["published_at"] for s in _stories(edition) for a in s["articles"] if a["new"]}  # type: ignore[attr-defined]
    assert "2026-11-05T12:00:00Z" not in fresh


def test_a_story_is_new_once_and_then_an_update(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        settle_line(app, _line("http://a.test/1", "Barter desk agreed", BARTER, source="a"), now=NOON)
        assert [s["update"] for s in _stories(_deliver(app, tmp_path))] == [False]
        later = NOON + timedelta(days=1)
        settle_line(app, _line("http://b.test/1", "Barter desk agreed", BARTER, source="b", at=later), now=later)
        edition = _deliver(app, tmp_path, "2026-11-27", now=later + timedelta(days=1))
        assert [s["update"] for s in _stories(edition)] == [True]


def test_an_empty_day_says_so(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        edition = _deliver(app, tmp_path)
    for format_ in ("md", "html"):
        assert "Nothing on Pakistan and Russia was found" in render(edition, format_)


def test_without_a_date_it_is_the_last_closed_edition_and_on_the_first_day_the_open_one(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        assert current(app, KARACHI, NOON) == date(2026, 11, 25)
        _three_languages(app)
        assert current(app, KARACHI, NOON) == date(2026, 11, 26)
        assert current(app, KARACHI, NOON + timedelta(days=1)) == date(2026, 11, 26)
        assert current(app, KARACHI, NOON + timedelta(days=3)) == date(2026, 11, 28)


def test_an_edition_is_stored_once_and_rendered_from_what_is_stored(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _three_languages(app)
        _deliver(app, tmp_path)
        settle_line(app, _line("http://late.test/1", "Barter desk", BARTER, source="late"), now=NOON)
        again = deliver(
            app,
            date(2026, 11, 26),
            zone=KARACHI,
            period="day",
            formats=FORMATS,
            directory=tmp_path,
            now=NOON + timedelta(days=2),
        )
        assert not again.made
        assert len(_stories(again.edition)[0]["articles"]) == 3  # type: ignore[arg-type]


def test_an_edition_whose_span_is_open_is_provisional_and_made_again(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        early = _deliver(app, tmp_path, now=NOON)
        assert early["provisional"]
        _three_languages(app)
        assert len(_stories(_deliver(app, tmp_path, now=NOON + timedelta(minutes=1)))) == 1


def test_a_past_edition_can_be_made_again_after_edits_and_merges(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _three_languages(app)
        day = date(2026, 11, 26)
        _deliver(app, tmp_path)
        assert verify(app, day, zone=KARACHI, period="day") == []
        later = NOON + timedelta(days=2)
        edited = _line(
            "http://s0.test/1", "Barter desk: more goods", BARTER.replace("120 million", "200 million and more")
        )
        assert settle_line(app, edited, now=later) == "revised"
        settle_line(app, _line("http://s9.test/1", "Barter", BARTER, source="s9", at=later), now=later)
        assert verify(app, day, zone=KARACHI, period="day") == []
        with app.store.transaction():
            app.store.connection.execute("UPDATE articles SET url = 'http://changed.test/' WHERE id = 1")
        assert any("changed.test" in line for line in verify(app, day, zone=KARACHI, period="day"))


def test_old_articles_that_came_into_the_database_after_an_edition_do_not_change_it(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        settle_line(app, _line("http://s.test/1", "Pakistan, Russia agree to set up barter desk", BARTER), now=NOON)
        day = date(2026, 11, 26)
        _deliver(app, tmp_path)
        later = NOON + timedelta(days=2)
        old = NOON - timedelta(hours=1)  # seen before the edition, says the file; also an original of what is in it
        for n, (title, text) in enumerate(
            (("Россия и Пакистан", BARTER_RU), ("پاکستان", BARTER_UR), ("Barter", BARTER))
        ):
            line = _line(f"http://old{n}.test/1", title, text, source=f"old{n}", at=old)
            assert settle_line(app, line, now=later) in ("kept", "duplicates")
        assert verify(app, day, zone=KARACHI, period="day") == []
        assert len(gather(app, window(day, KARACHI, SEVEN), created_at=later).articles) == 4


def test_an_edit_after_an_edition_stands_under_changed_since(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _three_languages(app)
        _deliver(app, tmp_path)
        later = NOON + timedelta(days=1, hours=1)
        edited = _line(
            "http://s0.test/1", "Barter desk put off", BARTER.replace("agreed on Wednesday to set up", "put off")
        )
        settle_line(app, edited, now=later)
        edition = _deliver(app, tmp_path, "2026-11-27", now=later + timedelta(days=1))
    (change,) = edition["changed"]  # type: ignore[misc]
    assert (change["kind"], change["old_title"], change["title"]) == (
        "edited",
        "Pakistan, Russia agree to set up barter desk",
        "Barter desk put off",
    )
    assert "Changed since" in render(edition, "md")
    assert "Changed since" in render(edition, "html")


def test_all_formats_name_the_same_stories(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _three_languages(app)
        edition = _deliver(app, tmp_path)
    headline = "Pakistan, Russia agree to set up barter desk"
    texts = {f: (tmp_path / f"2026-11-26.{f}").read_text("utf-8") for f in FORMATS}
    assert all(headline in text for text in texts.values())
    assert (tmp_path / "latest.html").read_text("utf-8") == texts["html"]
    feed = feedparser.parse(texts["atom"])
    assert not feed.bozo
    assert [e.title for e in feed.entries] == [headline]
    assert json.loads(texts["json"]) == edition
    assert canonical(json.loads(texts["json"])) == canonical(edition)


def test_urdu_is_set_right_to_left_and_isolated(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        settle_line(app, _line("http://s.test/1", "پاکستان اور روس کا بارٹر ڈیسک", BARTER_UR), now=NOON)
        edition = _deliver(app, tmp_path)
    page = lxml.html.fromstring(render(edition, "html"))
    for node in (page.cssselect("h3")[0], page.cssselect("blockquote")[0]):
        assert (node.get("lang"), node.get("dir")) == ("ur", "rtl")
    assert "\u2067پاکستان اور روس کا بارٹر ڈیسک\u2069" in render(edition, "md")


def test_urdu_versions_are_set_right_to_left(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _three_languages(app)
        page = lxml.html.fromstring(render(_deliver(app, tmp_path), "html"))
    (urdu,) = page.cssselect("ul.versions a bdi[lang=ur]")
    assert urdu.get("dir") == "rtl"


# --- a fortnight


def test_no_story_is_new_twice_in_a_fortnight_and_changes_are_named(tmp_path: Path) -> None:
    """Fourteen editions; each day a new event, a follow-up of yesterday's, an edit and a withdrawal of old articles."""
    new: Counter[int] = Counter()
    changed: list[dict[str, Any]] = []
    with world(tmp_path) as app:
        for day in range(14):
            at = NOON + timedelta(days=day)
            event = f"Barter desk {day}: {100 + 37 * day} lorries", BARTER.replace("120", str(100 + 37 * day))
            settle_line(app, _line(f"http://a.test/{day}", *event, source="a", at=at), now=at)
            if day:
                again = event[0], event[1].replace(str(100 + 37 * day), str(100 + 37 * (day - 1)))
                settle_line(app, _line(f"http://b.test/{day}", *again, source="b", at=at), now=at)
                edited = _line(f"http://a.test/{day - 1}", f"Put off {day}", BARTER.replace("agreed", "put off"))
                settle_line(app, edited, now=at)
            if day > 2:
                with app.store.transaction():
                    app.store.articles.withdraw(day, at=at, recheck_at=None)
            which = date(2026, 11, 26) + timedelta(days=day)
            made = _deliver(app, tmp_path, which.isoformat(), now=at + timedelta(days=1))
            new.update(s["story_id"] for s in _stories(made) if not s["update"])  # type: ignore[misc]
            for story in _stories(made):
                if story["update"]:
                    assert story["news"]["edition"] < which.isoformat()  # type: ignore[index]
            changed += made["changed"]  # type: ignore[arg-type, operator]
        for day in range(14):
            found = verify(app, date(2026, 11, 26) + timedelta(days=day), zone=KARACHI, period="day")
            assert not found, "\n".join(found)
    assert new
    assert max(new.values()) == 1
    assert {c["kind"] for c in changed} == {"edited", "withdrawn"}
    assert all(c["edition"] < c["at"][:10] or c["edition"] <= c["at"][:10] for c in changed)
    assert any("put off" in c["after"] or "put off" in c["before"] for c in changed)


def test_a_story_that_takes_in_one_already_shown_is_an_update(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        settle_line(app, _line("http://a.test/1", "Barter desk agreed", BARTER, source="a"), now=NOON)
        _deliver(app, tmp_path)
        later = NOON + timedelta(days=1)
        settle_line(app, _line("http://b.test/1", "Barter desk agreed", BARTER, source="b", at=later), now=later)
        with app.store.transaction():  # the number of the story is another one now
            run = app.store.connection.execute
            run(
                "INSERT INTO stories SELECT 99, headline, first_published_at, last_published_at, created_at FROM stories"
            )
            run("UPDATE articles SET story_id = 99")
        (story,) = _stories(_deliver(app, tmp_path, "2026-11-27", now=later + timedelta(days=1)))
    assert (story["story_id"], story["update"]) == (99, True)
    assert story["news"] == {"edition": "2026-11-26", "articles": 1, "copies": 1, "sources": ["b"]}


def test_a_copy_of_the_database_gives_the_same_edition_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with world(tmp_path / "a") as app:
        _three_languages(app)
        made = canonical(_deliver(app, tmp_path))
    shutil.copytree(tmp_path / "a", tmp_path / "far" / "b")
    with world(tmp_path / "far" / "b", mode="read") as app:
        assert verify(app, date(2026, 11, 26), zone=KARACHI, period="day") == []
        app.store.digests.get("2026-11-26", "Asia/Karachi", "day")
    with world(tmp_path / "far" / "b") as app:
        with app.store.transaction():
            app.store.connection.execute("DELETE FROM digest_items")
            app.store.connection.execute("DELETE FROM digests")
        assert canonical(_deliver(app, tmp_path)) == made


def test_an_edition_of_an_older_form_is_whole_or_said_to_be_spoiled(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parent / "data" / "pakrus-0.1.0.db", tmp_path / "news.db")
    day = date(2026, 11, 25)
    with world(tmp_path) as app:
        stored = app.store.digests.get(day.isoformat(), "Asia/Karachi", "day")
        assert stored is not None
        assert older_form(app, day, zone=KARACHI, period="day") == 1
        assert verify(app, day, zone=KARACHI, period="day") == []
        again = deliver(app, day, zone=KARACHI, period="day", formats=FORMATS, directory=tmp_path, now=NOON)
        assert not again.made
        assert again.sha256 == stored["sha256"]
        assert "Pakistan and Russia" in (tmp_path / "2026-11-25.html").read_text("utf-8")
        with app.store.transaction():
            app.store.connection.execute("UPDATE digests SET content = replace(content, 'Pakistan', 'Nobody')")
        assert verify(app, day, zone=KARACHI, period="day")


def test_a_day_when_half_of_the_sources_were_down_says_so_first(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _three_languages(app)
        edition = _deliver(app, tmp_path)
    assert Words.of("en").day_in_words(edition).startswith("4 of 4 sources could not be heard: much may be missing.")


def test_figures_on_which_the_sides_disagree_stand_with_who_says_them(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _three_languages(app)
        other = BARTER.replace("120 million", "140 million").replace("Islamabad", "Moscow")
        settle_line(app, _line("http://ru.test/1", "Pakistan, Russia set up barter desk", other, source="ru", country="RU"),
                    now=NOON)  # fmt: skip
        edition = _deliver(app, tmp_path)
    values = [v for s in _stories(edition) for f in s["figures"] for v in f["values"]]  # type: ignore[attr-defined]
    assert all(v["said"][0]["quote"] for v in values)
    for value in values:
        assert value["said"][0]["quote"] in " ".join(render(edition, "html").split())


def test_what_changed_is_said_in_a_line() -> None:
    old, new = "The desk opens in May. It costs 3 million.", "The desk opens in June. It costs 3 million."
    assert _difference(old, new) == ("The desk opens in May.", "The desk opens in June.")
    assert _difference(old, old + " Nobody came.") == ("", "Nobody came.")
    assert _difference(old + " Nobody came.", old) == ("Nobody came.", "")


# --- the feeds, as RFC 4287 wants them

ATOM = "{http://www.w3.org/2005/Atom}"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")


def _obeys_rfc_4287(text: str) -> list[str]:
    """Checks the musts of sections 4.1 and 4.2 on ids, titles, dates, authors and links; returns the entries' ids."""
    root = ET.fromstring(text)
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    for node in (root, *entries):
        for name in ("id", "title", "updated"):
            (child,) = node.findall(f"{ATOM}{name}")
            assert child.text
            assert child.text.strip()
        assert re.match(r"tag:[\w.-]+,\d{4}", node.findtext(f"{ATOM}id") or "")
        for name in ("updated", "published"):
            assert all(MOMENT.fullmatch(c.text or "") for c in node.findall(f"{ATOM}{name}"))
        alternates = [
            (c.get("type"), c.get("hreflang")) for c in node.findall(f"{ATOM}link") if c.get("rel") == "alternate"
        ]
        assert len(alternates) == len(set(alternates))
        assert all(c.get("href") for c in node.findall(f"{ATOM}link"))
        assert len(node.findall(f"{ATOM}summary")) <= 1
        assert all(c.get("term") for c in node.findall(f"{ATOM}category"))
    for entry in entries:  # 4.1.2: without content there must be an alternate link
        assert entry.find(f"{ATOM}content") is not None or any(
            link.get("rel") == "alternate" for link in entry.findall(f"{ATOM}link")
        )
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    ids = [entry.findtext(f"{ATOM}id") or "" for entry in entries]
    assert len(ids) == len(set(ids))
    assert not feedparser.parse(text).bozo
    return ids


def test_feeds_obey_rfc_4287(demo: Path) -> None:
    folder = demo / "digests"
    stories = [len(_obeys_rfc_4287(p.read_text("utf-8"))) for p in sorted(folder.glob("20*.atom"))]
    assert all(stories)
    ids = _obeys_rfc_4287((folder / "feed.atom").read_text("utf-8"))
    assert len(ids) == len(stories) == 2


def test_the_index_names_every_edition_that_has_its_page(demo: Path) -> None:
    page = lxml.html.fromstring((demo / "digests" / "index.html").read_text("utf-8"))
    links = [a.get("href") for a in page.cssselect("li a")]
    assert links == sorted((p.name for p in (demo / "digests").glob("20*.html")), reverse=True)


def test_every_format_names_the_same_stories_in_the_same_order(demo: Path) -> None:
    for path in sorted((demo / "digests").glob("20*.json")):
        edition = json.loads(path.read_text("utf-8"))
        ids = [story for story, _ in items_of(edition)]
        page = lxml.html.fromstring(path.with_suffix(".html").read_text("utf-8"))
        assert [int(a.get("id").removeprefix("story-")) for a in page.cssselect("article")] == ids
        feed = feedparser.parse(path.with_suffix(".atom").read_text("utf-8"))
        assert [int(e.id.rsplit("/", 1)[1]) for e in feed.entries] == ids
        note = path.with_suffix(".md").read_text("utf-8")
        assert len(re.findall(r"^### ", note, re.MULTILINE)) == len(ids)


def test_the_demo_shows_updates_changes_silence_and_both_sides(demo: Path) -> None:
    edition = json.loads((demo / "digests" / "latest.json").read_text("utf-8"))
    stories = _stories(edition)
    assert any(s["update"] for s in stories)
    assert any(not s["update"] for s in stories)
    assert {c["kind"] for c in edition["changed"]} == {"edited", "withdrawn"}
    assert {c["language"] for c in edition["changed"]} >= {"en", "ru", "ur"}
    assert edition["summary"]["sources_down"]
    assert any(s["pakistani"] and s["russian"] for s in stories)
    editions = [json.loads(p.read_text("utf-8")) for p in (demo / "digests").glob("20*.json")]
    assert any(e["late"] for e in editions)
    assert any(s["figures"] for e in editions for s in _stories(e))


# --- on a terminal


def test_an_edition_fits_eighty_columns_and_names_its_stories(demo: Path) -> None:
    for path in sorted((demo / "digests").glob("20*.json")):
        edition = json.loads(path.read_text("utf-8"))
        shown = painted(glance.lines(edition), 80)
        assert all(wide(re.sub(r"\x1b\[\d+m", "", line)) <= 80 for line in shown.splitlines())
        told = " ".join(shown.split())
        assert all(item["headline"] in told for item in edition["lead"])
