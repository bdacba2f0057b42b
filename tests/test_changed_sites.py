"""A site whose addresses are suddenly all new lists old items anew: they are known again, and no digest is flooded."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.app import App
from crawler.digest.build import build, window
from crawler.digest.gather import gather
from crawler.ingest.listed import look_up, settle_visit
from crawler.ingest.pages import settle_page
from crawler.reports import audit, status
from crawler.schedule import Decision
from crawler.types import Document, Entry, Moment, Reading
from store.records import Outcome, State, Validators, Visit
from tests.builders import NOON, Clock, world

# A source of each script with its headlines and what its articles say.
TOWNS = {
    "courier": ("Karachi", "Lahore", "Multan", "Quetta", "Sialkot", "Faisalabad", "Peshawar", "Gwadar"),
    "vestnik": ("Карачи", "Лахоре", "Мултане", "Кветте", "Сиялкоте", "Фейсалабаде", "Пешаваре", "Гвадаре"),
    "awaz": ("کراچی", "لاہور", "ملتان", "کوئٹہ", "سیالکوٹ", "فیصل آباد", "پشاور", "گوادر"),
}
GOODS = ("wheat", "rice", "steel", "fertiliser", "timber", "leather", "cotton", "mangoes")
HEADLINES = {
    "courier": "Russia and Pakistan open a trade office in {town}",
    "vestnik": "Россия и Пакистан открыли торговое представительство в {town}",
    "awaz": "پاکستان اور روس نے {town} میں تجارتی دفتر کھول دیا",
}
TEXTS = {
    "courier": "Russia and Pakistan opened a trade office in {town} on day {n}, officials said. It will deal in {goods}"
    " worth {n}70 million dollars. The Russian ambassador and the mayor of {town} cut the ribbon number {n}.",
    "vestnik": "Россия и Пакистан открыли {n}-е торговое представительство в {town}. Оно займётся товаром {goods} на"
    " {n}70 миллионов долларов. Ленточку номер {n} перерезали посол России и мэр в {town}.",
    "awaz": "پاکستان اور روس نے {town} میں {n} واں تجارتی دفتر کھول دیا۔ یہ دفتر {goods} کی {n}70 ملین ڈالر کی تجارت کرے گا۔"
    " روسی سفیر اور {town} کے میئر نے فیتہ نمبر {n} کاٹا۔",
}


def items(source: str, *, prefix: str = "story", title: str = "{}", dated: bool = True) -> list[Entry]:
    """What the site lists: an article a day of the last days; `prefix` and `title` are what its software makes."""
    return [
        Entry(
            id=f"{prefix}-{n}",
            url=f"http://{source}.test/{prefix}/{n}",
            title=title.format(HEADLINES[source].format(town=town)),
            published=Moment(instant=NOON - timedelta(days=n), precision="minute") if dated else None,
        )
        for n, town in enumerate(TOWNS[source])
    ]


def visited(app: App, source: str, entries: Sequence[Entry]) -> Visit:
    now = app.clock()
    return settle_visit(
        app,
        app.config.source(source),
        Visit(source_id=source, started_at=now, outcome=Outcome.NEW, status=200),
        listed=look_up(app, app.config.source(source), Reading(title="feed", entries=tuple(entries))),
        validators=Validators(),
        schedule=Decision(next_due_at=now + timedelta(minutes=15), interval_s=900, consecutive_failures=0.0),
        now=now,
    )


def read(app: App, source: str, *, dated: bool = True) -> list[State]:
    """Every new page that waits is read; what it says goes by its number."""
    out = []
    for pending in [p for p in app.store.frontier.take(100, now=app.clock()) if p.article_id is None]:
        n = int(pending.url.rpartition("/")[2])
        text = TEXTS[source].format(town=TOWNS[source][n], goods=GOODS[n], n=n + 1)
        document = Document(
            url=pending.url,
            canonical_url=pending.url,
            outcome="article",
            title=pending.title,
            text=text,
            published=Moment(instant=NOON - timedelta(days=n), precision="minute") if dated else None,
        )
        out.append(settle_page(app, pending, fetched=None, document=document, now=app.clock()))
    return out


def edition(app: App, clock: Clock) -> dict[str, Any]:
    day = clock.now.astimezone(app.config.timezone).date()
    span = window(day, app.config.timezone, app.config.digest.at)
    made: dict[str, Any] = build(gather(app, span, created_at=span.until))
    return made


def known_site(app: App, clock: Clock, source: str) -> int:
    """Reads the site as it is today, long enough ago to be in no edition of tomorrow; returns its articles."""
    assert visited(app, source, items(source)).renamed == 0
    assert State.PENDING not in read(app, source)
    clock.wind(days=2)
    return int(app.store.connection.execute("SELECT count(*) FROM articles").fetchone()[0])


@pytest.mark.parametrize("source", ["courier", "vestnik", "awaz"])
def test_items_of_known_titles_are_those_that_we_have(tmp_path: Path, source: str) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        articles = known_site(app, clock, source)
        assert articles >= 4
        visit = visited(app, source, items(source, prefix="2026/cms"))
        assert (visit.entries_new, visit.renamed) == (8, 8)
        assert visit.error == "all 8 items are new, and 8 of them known under other addresses"
        pages = [p for p in app.store.frontier.take(100, now=clock()) if p.article_id is None]
        assert pages == []
        assert app.store.connection.execute("SELECT count(*) FROM articles").fetchone()[0] == articles
        assert app.store.connection.execute("SELECT count(*) FROM gaps").fetchone()[0] == 0  # nothing was missed
        assert audit.report(app.store, day=None, zone=app.config.timezone)["unexplained"] == 0
        needs = "\n".join(status.report(app)["needs_attention"])
        assert f"{source}: changed its addresses 2026-11-27: of 8 items, all new, 8 were known under others" in needs
        clock.wind(days=8)
        assert "changed its addresses" not in "\n".join(status.report(app)["needs_attention"])


@pytest.mark.parametrize("source", ["courier", "vestnik", "awaz"])
@pytest.mark.parametrize("dated", [True, False])
def test_where_titles_changed_too_the_texts_tell_the_copies(tmp_path: Path, source: str, dated: bool) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        known_site(app, clock, source)
        stories = app.store.stories.count()
        entries = items(source, prefix="2026/cms", title="{} | 2026", dated=dated)
        assert visited(app, source, entries).entries_new == 8
        clock.wind(minutes=5)
        states = read(app, source, dated=dated)
        assert State.KEPT not in states
        assert app.store.stories.count() == stories
        clock.wind(hours=1)
        made = edition(app, clock)
        assert [made[name] for name in ("lead", "passing", "late")] == [[], [], []]


def test_an_article_is_looked_at_again_where_it_is_now(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        known_site(app, clock, "courier")
        visited(app, "courier", items("courier", prefix="cms"))
        again = app.store.frontier.take(100, now=clock())
        assert again
        assert {p.url.rpartition("/")[0] for p in again} == {"http://courier.test/cms"}


def test_really_new_items_are_read_whatever_else_changed(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        known_site(app, clock, "courier")
        fresh = Entry(id="x", url="http://courier.test/cms/99", title="Pakistan buys Russian locomotives")
        short = Entry(id="y", url="http://courier.test/cms/98", title="Weather")
        visit = visited(app, "courier", [*items("courier", prefix="cms"), fresh, short])
        assert (visit.entries_new, visit.renamed) == (10, 8)
        waiting = {p.url for p in app.store.frontier.take(100, now=clock()) if p.article_id is None}
        assert waiting == {fresh.url, short.url}


def test_a_headline_that_comes_again_is_no_changed_site(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        known_site(app, clock, "courier")
        old, *_ = items("courier", prefix="cms")
        others = [
            replace(old, id=f"n{n}", url=f"http://courier.test/new/{n}", title=f"Pakistan, Russia: a new headline {n}")
            for n in range(6)
        ]
        visit = visited(app, "courier", [old, *others])
        assert (visit.renamed, visit.error) == (0, None)
        assert len([p for p in app.store.frontier.take(100, now=clock()) if p.article_id is None]) == 7
        assert app.store.connection.execute("SELECT count(*) FROM gaps").fetchone()[0] == 1
