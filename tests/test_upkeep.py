"""What the upkeep deletes, counts, copies and checks, and that its failures are seen."""

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import daemon
from crawler.app import App
from crawler.daemon import Daemon
from crawler.digest.deliver import deliver, verify
from crawler.reports import audit, status
from crawler.types import Entry
from store import upkeep
from store.backup import check
from store.connection import Store
from store.records import RequestRow
from tests.builders import NOON, Clock, world
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR
from tests.test_reassess import CRICKET, put
from tests.test_reports import visited

DAY = 86400.0
KARACHI = ZoneInfo("Asia/Karachi")
CRICKET_RU = "Сборная страны выиграла матч по хоккею со счётом три два. Игра прошла в субботу при полных трибунах."
CRICKET_UR = "قومی ٹیم نے ہفتے کے روز کرکٹ میچ جیت لیا۔ تماشائیوں کی بڑی تعداد موجود تھی۔"


def swept(app: App, **terms: float) -> dict[str, int]:
    keep = {"requests_s": 14 * DAY, "rejected_text_s": 30 * DAY, "rejected_entries_s": 365 * DAY, **terms}
    return dict(upkeep.sweep(app.store, now=app.clock(), **keep))


def count(app: App, table: str, where: str = "1") -> int:
    return int(app.store.connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])


def fill(app: App) -> None:
    """Three articles and three rejects, in three scripts, and a request."""
    for n, (kept, rejected) in enumerate(((BARTER, CRICKET), (BARTER_RU, CRICKET_RU), (BARTER_UR, CRICKET_UR))):
        assert put(app, f"http://a{n}.test/1", f"Barter {n}", kept) == "kept"
        assert put(app, f"http://a{n}.test/2", f"Match {n}", rejected) == "rejected"
    app.store.visits.requests(
        [
            RequestRow(
                at=NOON, source_id="courier", host="a.test", url="http://a.test/", status=200, bytes=1, duration_ms=1,
                conditional=False, retry_after=None,
            )
        ]
    )  # fmt: skip


def test_each_class_goes_when_its_term_is_over_and_what_was_kept_stays(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        fill(app)
        app.store.visits.began("run", now=NOON)
        before = app.store.connection.execute("SELECT * FROM articles").fetchall()
        nothing = {"requests": 0, "rejected_texts": 0, "rejected_entries": 0, "runs": 0}
        clock.wind(days=13)
        assert swept(app) == nothing
        clock.wind(days=2)
        assert swept(app) == {**nothing, "requests": 1}
        clock.wind(days=16)
        assert swept(app) == {**nothing, "rejected_texts": 3}
        assert (count(app, "documents"), count(app, "entries")) == (3, 6)
        clock.wind(days=335)
        assert swept(app) == {**nothing, "rejected_entries": 3, "runs": 1}
        assert (count(app, "documents"), count(app, "entries")) == (3, 3)
        assert [tuple(r) for r in app.store.connection.execute("SELECT * FROM articles")] == [tuple(r) for r in before]
        assert status.report(app)["compacted"] == 3
        assert "3 rejected known by number alone" in status.lines(status.report(app))


def test_the_ledger_adds_up_after_rows_became_numbers(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        fill(app)
        before = audit.report(app.store, day=None, zone=KARACHI)
        clock.wind(days=400)
        swept(app)
        after = audit.report(app.store, day=None, zone=KARACHI)
        assert (after["seen"], after["rejected"], after["compacted"]) == (before["seen"], before["rejected"], 3)
        assert after["unexplained"] == 0
        rows = app.store.connection.execute("SELECT month, state, sum(entries) FROM compacted_entries GROUP BY 1, 2")
        assert [tuple(r) for r in rows] == [("2026-11", "rejected", 3)]
        put(app, "http://a0.test/2", "Match again", CRICKET, at=clock())  # it comes back: a new item
        assert audit.report(app.store, day=None, zone=KARACHI)["seen"] == before["seen"] + 1


def test_what_is_listed_marked_or_drawn_stays(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        fill(app)
        one, two, three = (
            r[0] for r in app.store.connection.execute("SELECT id FROM entries WHERE state = 'rejected'")
        )
        app.store.marks.add("http://a0.test/2", "note", "x", entry_id=one, article_id=None, now=NOON)
        app.store.marks.draw("rejects", 3, random=app.random, now=NOON)
        app.store.connection.execute("DELETE FROM samples WHERE entry_id <> ?", (two,))
        clock.wind(days=300)
        app.store.frontier.seen([three], now=clock())
        clock.wind(days=100)
        assert swept(app)["rejected_entries"] == 0
        clock.wind(days=300)
        assert swept(app)["rejected_entries"] == 1
        assert audit.report(app.store, day=None, zone=KARACHI)["unexplained"] == 0


def test_more_than_a_batch_goes_in_one_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 2)
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        fill(app)
        clock.wind(days=400)
        assert swept(app, rejected_entries_s=500 * DAY)["rejected_texts"] == 3
        assert swept(app)["rejected_entries"] == 3


def test_an_edition_can_be_made_again_after_its_rejects_are_numbers(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        fill(app)
        day = date(2026, 11, 26)
        done = deliver(
            app, day, zone=KARACHI, period="day", formats=["md"], directory=tmp_path, now=NOON + timedelta(days=1)
        )
        assert done.edition["summary"]["entries"] == 6
        clock.wind(days=400)
        assert swept(app)["rejected_entries"] == 3
        assert verify(app, day, zone=KARACHI, period="day") == []


# --- copies -----------------------------------------------------------------------------------------------------------


def test_seven_days_four_weeks_and_six_months_keep_their_newest_copy() -> None:
    have: set[date] = set()
    for n in range(400):
        have.add(date(2026, 1, 1) + timedelta(days=n))
        have = upkeep.keepers(have)
    last = date(2026, 1, 1) + timedelta(days=399)
    assert {last - timedelta(days=n) for n in range(7)} <= have
    assert len(have) <= 7 + 4 + 6
    sundays = sorted(d for d in have if d.isoweekday() == 7)
    assert sundays[-3:] == [last - timedelta(days=(last.isoweekday() % 7) + 7 * n) for n in (2, 1, 0)]
    months = {(d.year, d.month) for d in have}
    assert len(months) == 6
    assert date(2026, 10, 31) in have


@given(st.sets(st.dates(date(2020, 1, 1), date(2030, 1, 1)), min_size=1, max_size=60))
def test_keepers_always_hold_the_newest_and_drop_nothing_twice(days: set[date]) -> None:
    kept = upkeep.keepers(days)
    assert max(days) in kept <= days
    assert upkeep.keepers(kept) == kept


@pytest.fixture
def night(tmp_path: Path) -> Iterator[tuple[App, Clock, Daemon]]:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        fill(app)
        yield app, clock, Daemon(app)


def kept_up(it: Daemon) -> None:
    it.stop = asyncio.Event()  # of this loop
    asyncio.run(it.upkeep())


def test_the_daemon_copies_each_night_and_checks_each_week(night: tuple[App, Clock, Daemon]) -> None:
    app, clock, it = night
    folder = app.store.path.parent / "backups"
    for _ in range(9):
        kept_up(it)
        kept_up(it)  # the same day: nothing more
        clock.wind(days=1)
    # 25 November is a Wednesday, 3 December the ninth day; the Sunday is among the last seven.
    assert sorted(p.name for p in folder.iterdir()) == [
        f"news-2026-{d}.db" for d in ("11-27", "11-28", "11-29", "11-30", "12-01", "12-02", "12-03")
    ]
    assert check(folder / "news-2026-12-03.db", "integrity_check")
    value = status.report(app)["upkeep"]
    assert (value["copied_at"], value["checked_at"]) == ("2026-12-03T12:00:00Z", "2026-12-02T12:00:00Z")
    assert value["failed"] == []


def test_each_night_what_witnesses_had_and_we_did_not_is_counted(night: tuple[App, Clock, Daemon]) -> None:
    app, clock, it = night
    kept_up(it)
    assert status.report(app)["witnesses"] is None, "nobody was asked"
    titles = ["Barter desk of Pakistan and Russia", "Россия и Пакистан: о чём мы не знали", "پاکستان اور روس: نئی خبر"]
    visited(app, "courier", [Entry(id="1", url="http://courier.test/1", title=titles[0])])
    visited(app, "finder", [Entry(id=t, url=f"http://finder.test/{n}", title=t) for n, t in enumerate(titles)])
    clock.wind(days=1)
    kept_up(it)
    value = status.report(app)
    assert value["witnesses"] == {"since": "2026-11-19T12:00:00Z", "seen": 3, "missed": 2}
    assert "witnesses    2 of their 3 items since 2026-11-19 match none of ours" in status.lines(value)


def test_no_copy_is_made_before_three_at_night(night: tuple[App, Clock, Daemon]) -> None:
    app, clock, it = night
    clock.wind(hours=9)  # two in Karachi
    kept_up(it)
    assert not (app.store.path.parent / "backups").exists()
    clock.wind(hours=1)
    kept_up(it)
    assert [p.name for p in (app.store.path.parent / "backups").iterdir()] == ["news-2026-11-26.db"]


def test_a_copy_that_fails_is_shown_tried_again_and_forgotten_when_it_works(night: tuple[App, Clock, Daemon]) -> None:
    app, clock, it = night
    folder = app.store.path.parent / "backups"
    folder.write_text("in the way")
    kept_up(it)
    (line,) = [n for n in status.report(app)["needs_attention"] if n.startswith("upkeep")]
    assert "backup, failed at 2026-11-25T12:00:00Z" in line
    assert str(folder) in line
    folder.unlink()
    kept_up(it)  # not at once
    assert not folder.exists()
    clock.wind(hours=1)
    kept_up(it)
    assert folder.exists()
    assert status.report(app)["upkeep"]["failed"] == []


def test_a_disk_without_room_gets_no_copy(night: tuple[App, Clock, Daemon], monkeypatch: pytest.MonkeyPatch) -> None:
    app, _, it = night
    monkeypatch.setattr(upkeep, "SPARE", 1e12)
    kept_up(it)
    assert list((app.store.path.parent / "backups").iterdir()) == []
    assert "MB are free" in status.report(app)["upkeep"]["failed"][0]["error"]


def test_a_damaged_database_pushes_out_no_sound_copy(
    night: tuple[App, Clock, Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, clock, it = night
    folder = app.store.path.parent / "backups"
    kept_up(it)
    run = app.store.connection.execute
    run("PRAGMA writable_schema = ON")  # an index without its rows: only the full check sees it
    run("UPDATE sqlite_master SET sql = replace(sql, '''pending''', '''rejected''') WHERE name = 'entries_pending'")
    run("PRAGMA writable_schema = RESET")
    clock.wind(days=8)
    kept_up(it)
    assert {part for part, _, _ in upkeep.failures(app.store)} == {"backup", "integrity"}
    assert [p.name for p in folder.iterdir()] == ["news-2026-11-25.db"]


def test_a_stop_does_not_wait_for_a_copy(night: tuple[App, Clock, Daemon], monkeypatch: pytest.MonkeyPatch) -> None:
    app, _, it = night
    monkeypatch.setattr(daemon, "copy_and_check", lambda *_, **__: __import__("time").sleep(3))

    async def go() -> None:
        work = asyncio.ensure_future(it.upkeep())
        await asyncio.sleep(0.05)
        it.stop.set()
        await asyncio.wait_for(work, 2)

    asyncio.run(go())
    assert app.store.noted("copied_at") is None
    assert app.store.noted("night") is None


def test_one_part_that_fails_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        fill(app)
        clock.wind(days=15)

        def broken(*_: Any) -> int:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(upkeep, "_compact", broken)
        assert swept(app)["requests"] == 1
        assert [f["part"] for f in status.report(app)["upkeep"]["failed"]] == ["retention"]
        assert any("disk is full" in line for line in status.report(app)["needs_attention"])
        monkeypatch.undo()
        swept(app)
        assert status.report(app)["upkeep"]["failed"] == []


def test_the_full_text_is_brought_together_in_steps(tmp_path: Path) -> None:
    def segments(store: Store) -> int:
        return int(store.connection.execute("SELECT count(DISTINCT segid) FROM article_search_idx").fetchone()[0])

    with world(tmp_path) as app:
        for n in range(12):
            put(app, f"http://b.test/{n}", f"Barter {n}", BARTER.replace("120", str(200 + n)))
        before = segments(app.store)
        upkeep.merge_full_text(app.store, now=NOON)
        assert segments(app.store) < before
        assert len(app.store.articles.search("barter", limit=50)) == 12
