"""Editions: their span, their sections, their rendering, and that a past one can be made again."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import feedparser
import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.app import App
from crawler.digest.build import canonical, closed_edition, open_edition, window
from crawler.digest.deliver import current, deliver, verify
from crawler.digest.formats import FORMATS, render
from crawler.ingest import settle_line
from tests.builders import NOON, world
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, _line

KARACHI, MOSCOW = ZoneInfo("Asia/Karachi"), ZoneInfo("Europe/Moscow")
SEVEN = time(7, 0)
HOSTILE = (Path(__file__).parent / "cases" / "digest" / "hostile.txt").read_text("utf-8").splitlines()


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
    for node in (page.cssselect("h3")[0], page.cssselect("blockquote")[0], page.cssselect("ul.versions a bdi")[0]):
        assert (node.get("lang"), node.get("dir")) == ("ur", "rtl")
    assert "\u2067پاکستان اور روس کا بارٹر ڈیسک\u2069" in render(edition, "md")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_escaped_in_every_format(tmp_path: Path, text: str) -> None:
    text = text.encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    with world(tmp_path) as app:
        settle_line(app, _line("http://s.test/1", f"Barter {text}", f"{BARTER} Russia told Pakistan {text}."), now=NOON)
        edition = _deliver(app, tmp_path)
    page = render(edition, "html")
    tree = lxml.html.fromstring(page)
    assert not tree.cssselect("script, iframe, object, embed, form, base, link, img, video, body article *[onload]")
    assert all(a.get("href").startswith(("http://", "https://", "#")) for a in tree.iter("a"))
    assert not [
        name for node in tree.iter() if isinstance(node.tag, str) for name in node.attrib if name.startswith("on")
    ]
    markdown = render(edition, "md")
    assert not re.search(r"(?<!\\)<(?!/?(?:http))", markdown.replace("\n> ", "\n"))
    assert not re.search("[\u202a-\u202e\x00-\x08\x0b-\x1f]", markdown)
    assert len([line for line in markdown.splitlines() if line.startswith("# ")]) == 1
    assert feedparser.parse(render(edition, "atom")).bozo == 0
