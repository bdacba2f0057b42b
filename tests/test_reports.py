"""The reports, each in a small world in which its answer is known."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.app import App
from crawler.ingest.listed import look_up, settle_visit
from crawler.reports import audit, courtesy, gaps, history, missed, sides, status
from crawler.schedule import Decision
from crawler.types import Entry, Reading
from store.articles import Articles
from store.errors import NotStored
from store.records import HostState, Outcome, RequestRow, Validators, Visit, utc_text
from tests.builders import FEEDS, NOON, Clock, config, world
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, CRICKET
from tests.test_reassess import fill, put


def visited(
    app: App, source: str, entries: list[Entry], *, outcome: Outcome = Outcome.NEW, moved_to: str | None = None
) -> None:
    now = app.clock()
    settle_visit(
        app,
        app.config.source(source),
        Visit(source_id=source, started_at=now, outcome=outcome, status=200, moved_to=moved_to),
        listed=look_up(app, app.config.source(source), Reading(entries=tuple(entries))) if entries else None,
        validators=Validators(),
        schedule=Decision(next_due_at=now + timedelta(minutes=15), interval_s=900, consecutive_failures=0.0),
        now=now,
    )


# --- audit ------------------------------------------------------------------------------------------------------------


def ledger(app: App, day: str | None = None) -> dict[str, Any]:
    return audit.report(app.store, day=day, zone=app.config.timezone)


def test_audit_adds_up(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        fill(app)
        visited(app, "courier", [Entry(id="1", url="http://courier.test/1", title="Waits")])
        value = ledger(app)
        assert (value["seen"], value["kept"], value["duplicate"], value["rejected"], value["pending"]) == (
            7,
            4,
            1,
            1,
            1,
        )
        assert value["unexplained"] == 0
        assert audit.lines(value).startswith("seen 7 = 1 pending + 4 kept + 1 duplicate + 1 rejected + 0 blocked")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        ("UPDATE entries SET article_id = NULL WHERE state = 'kept' AND url LIKE '%a.test/1'", "without an article"),
        ("UPDATE entries SET state = 'rejected', reason = 'x' WHERE url LIKE '%a.test/1'", "but another state"),
        ("UPDATE entries SET state = 'kept' WHERE state = 'duplicate'", "its article is a copy"),
        ("UPDATE entries SET state = 'duplicate' WHERE url LIKE '%a.test/2'", "its article is no copy"),
        ("UPDATE entries SET reason = '' WHERE state = 'rejected'", "without a reason"),
        ("DELETE FROM documents; DELETE FROM entries WHERE url LIKE '%a.test/2'", "articles without an entry"),
        (
            "INSERT INTO stories (headline, first_published_at, last_published_at, created_at) VALUES ('', '', '', '')",
            "stories without",
        ),
    ],
)
def test_audit_finds_what_contradicts_itself(tmp_path: Path, spoil: str, problem: str) -> None:
    with world(tmp_path) as app:
        fill(app)
        for statement in spoil.split(";"):
            app.store.connection.execute(statement)
        value = ledger(app)
        assert value["unexplained"] >= 1
        assert any(problem in name for name in value["problems"]), value["problems"]
        assert problem in audit.lines(value)


def test_audit_of_a_day_goes_by_the_local_date(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        put(app, "http://a.test/1", "Early", CRICKET, at=NOON.replace(hour=18, minute=59))  # 23:59 in Karachi
        put(app, "http://a.test/2", "Late", CRICKET + " More.", at=NOON.replace(hour=19, minute=1))
        assert ledger(app, "2026-11-25")["seen"] == 1
        assert ledger(app, "2026-11-26")["seen"] == 1
        assert ledger(app, "2026-11-27")["seen"] == 0


# --- gaps -------------------------------------------------------------------------------------------------------------


def test_gaps_lists_visits_without_overlap_until_they_are_filled(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        assert gaps.lines(gaps.report(app.store, since=None)).startswith("no gaps")
        visited(app, "courier", [Entry(id="1", url="http://courier.test/1", title="One")])
        clock.wind(hours=30)
        visited(app, "courier", [Entry(id="2", url="http://courier.test/2", title="Two")])
        value = gaps.report(app.store, since=None)
        assert value["open"] == 1
        assert (value["gaps"][0]["from"], value["gaps"][0]["to"]) == (utc_text(NOON), utc_text(clock()))
        assert "not yet" in gaps.lines(value)
        app.store.visits.close_gap(app.store.visits.open_gaps("courier")[0].id, at=clock(), found=3)
        value = gaps.report(app.store, since=None)
        assert (value["open"], value["gaps"][0]["found"]) == (0, 3)
        assert gaps.report(app.store, since="2026-11-27")["gaps"] == []


# --- courtesy ---------------------------------------------------------------------------------------------------------


def asked(app: App, *rows: tuple[float, str], host: str = "courier.test", retry_after: dict[float, str] | None = None,
          conditional: bool = False) -> None:  # fmt: skip
    """Requests at so many seconds after noon."""
    app.store.visits.requests(
        [
            RequestRow(
                at=NOON + timedelta(seconds=at), source_id="courier", host=host, url=f"http://{host}{path}", status=200,
                bytes=10, duration_ms=5, conditional=conditional, retry_after=(retry_after or {}).get(at),
            )
            for at, path in rows
        ]
    )  # fmt: skip


def manners(app: App, since: str | None = None) -> dict[str, Any]:
    return courtesy.report(app.store, app.config, since=since)


def test_courtesy_counts_requests_and_finds_no_fault_with_a_polite_crawl(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        assert courtesy.lines(manners(app)) == "no requests in this span"
        asked(app, (0, "/a"), (1, "/b"), (2, "/c"), (61, "/d"))
        asked(app, (0.5, "/a"), host="vestnik.test", conditional=True)
        value = manners(app)
        assert value["violations"] == 0
        assert value["requests"] == 5
        assert value["conditional_share"] == 0.2
        assert {h["host"]: h["busiest_minute"] for h in value["hosts"]} == {"courier.test": 3, "vestnik.test": 1}
        assert "5 requests, 20% conditional" in courtesy.lines(value)
        assert manners(app, since="2026-11-26")["requests"] == 0


def test_courtesy_finds_gaps_under_the_delay_of_config_source_or_robots_txt(tmp_path: Path) -> None:
    slow = FEEDS.replace("country: RU, language: ru, every: 15m", "country: RU, language: ru, every: 15m, delay: 5s")
    with world(tmp_path, text=slow) as app:
        asked(app, (0, "/a"), (0.9, "/b"), (1.95, "/c"))
        assert manners(app)["violations"] == 1
        app.store.hosts.put(HostState(host="courier.test", delay_s=10.0))
        assert manners(app)["violations"] == 2


def test_courtesy_finds_requests_within_a_retry_after(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        until = "Wed, 25 Nov 2026 12:10:00 GMT"
        asked(
            app,
            (0, "/a"),
            (30, "/b"),
            (130, "/c"),
            (400, "/d"),
            (599, "/e"),
            (601, "/f"),
            retry_after={0: "60", 130: until},
        )
        (host,) = manners(app)["hosts"]
        assert host["in_retry_after"] == 0  # 200 with Retry-After binds nobody
        app.store.connection.execute("UPDATE requests SET status = 429 WHERE retry_after IS NOT NULL")
        (host,) = manners(app)["hosts"]
        assert host["in_retry_after"] == 3
        assert manners(app)["violations"] == 3


def test_courtesy_finds_what_robots_txt_forbids(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        app.store.hosts.put(HostState(host="courier.test", robots="User-agent: *\nDisallow: /private/\n"))
        asked(app, (0, "/robots.txt"), (2, "/private/1"), (4, "/open"))
        assert manners(app)["disallowed"] == 1
        assert "1 against robots.txt" in courtesy.lines(manners(app))
        app.store.hosts.put(
            HostState(
                host="courier.test", robots="User-agent: *\nDisallow: /\n", robots_good_at=NOON + timedelta(hours=1)
            )
        )
        assert manners(app)["disallowed"] == 0  # the new rules came afterwards


# --- sides ------------------------------------------------------------------------------------------------------------


def test_sides_says_who_was_first_and_by_how_much_and_what_one_side_alone_carries(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        put(app, "http://ru.test/1", "Россия и Пакистан создадут бартерный центр", BARTER_RU, source="ru-paper")
        put(app, "http://a.test/1", "Pakistan, Russia set up barter desk", BARTER, at=NOON + timedelta(minutes=45))
        put(app, "http://c.test/1", "پاکستان اور روس کا بارٹر ڈیسک", BARTER_UR, at=NOON + timedelta(minutes=90))
        wheat = "MOSCOW: Pakistan bought 60,000 tonnes of Russian wheat, the Russian Grain Union said on Tuesday."
        put(app, "http://a.test/2", "Pakistan buys Russian wheat", wheat, at=NOON - timedelta(hours=3))
        value = sides.report(app.store, since=None, one_sided=False)
        assert [s["headline"] for s in value] == [
            "Россия и Пакистан создадут бартерный центр",
            "Pakistan buys Russian wheat",
        ]
        first = value[0]
        assert (first["first_side"], first["lag_minutes"]) == ("RU", {"PK": 45, "RU": 0})
        assert (first["pakistani"], first["russian"], first["other"]) == (2, 1, 0)
        assert "PK +45 min" in sides.lines(value)
        alone = sides.report(app.store, since=None, one_sided=True)
        assert [s["headline"] for s in alone] == ["Pakistan buys Russian wheat"]
        assert sides.report(app.store, since="2026-12-01", one_sided=False) == []


# --- missed -----------------------------------------------------------------------------------------------------------


def test_missed_lists_what_no_entry_of_ours_matches_in_three_scripts(tmp_path: Path) -> None:
    ours = ["Pakistan, Russia sign protocol on rail cargo", "Россия и Пакистан подписали протокол о перевозках",
            "پاکستان اور روس میں ریل معاہدے پر دستخط"]  # fmt: skip
    lost = ["Russian geologists finish survey near Saindak", "Пакистан закупит российские тракторы для Синда",
            "روسی ڈاکٹروں کا وفد پشاور پہنچ گیا"]  # fmt: skip
    with world(tmp_path) as app:
        visited(app, "courier", [Entry(id="", url=f"http://courier.test/{n}", title=t) for n, t in enumerate(ours)])
        visited(
            app,
            "finder",
            [
                Entry(id="", url=f"http://finder.test/{n}", title=f"{t} - Some Paper", publisher="Some Paper")
                for n, t in enumerate([*ours, *lost])
            ],
        )
        value = missed.report(app.store, since=None)
        assert (value["seen"], value["missed"]) == (6, 3)
        (paper,) = value["publishers"]
        assert paper["publisher"] == "Some Paper"
        assert sorted(i["title"] for i in paper["items"]) == sorted(lost)
        assert missed.lines(value).startswith("3 of 6")
        assert missed.report(app.store, since="2026-12-01") == {"seen": 0, "missed": 0, "publishers": []}


# --- history ----------------------------------------------------------------------------------------------------------


def test_history_shows_the_versions_what_changed_and_that_it_was_withdrawn(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        put(app, "http://a.test/1", "Pakistan, Russia set up barter desk", BARTER)
        assert "never edited" in history.lines(history.report(app.store, 1, diff=True))
        app.clock.wind(hours=2)  # type: ignore[attr-defined]
        put(
            app,
            "http://a.test/1",
            "Pakistan, Russia agree on barter desk",
            BARTER.replace("120 million", "150 million"),
        )
        value = history.report(app.store, 1, diff=True)
        assert [v["title"] for v in value["versions"]] == [
            "Pakistan, Russia set up barter desk",
            "Pakistan, Russia agree on barter desk",
        ]
        assert value["versions"][0]["until"] == utc_text(app.clock())
        assert any("150" in d and "120" in d for d in value["diffs"])
        Articles(app.store).withdraw(1, at=app.clock(), recheck_at=None)
        assert "withdrawn 2026-11-25T14:00:00Z" in history.lines(history.report(app.store, 1, diff=False))
        with pytest.raises(NotStored):
            history.report(app.store, 99, diff=False)


# --- status -----------------------------------------------------------------------------------------------------------


def needs(app: App) -> str:
    return "\n".join(status.report(app)["needs_attention"])


def crawled(app: App) -> None:
    run = app.store.visits.began("crawl", now=app.clock())
    app.store.visits.ended(run, now=app.clock(), result={})


def edition(app: App, date: str) -> None:
    app.store.digests.put(
        date=date, timezone="Asia/Karachi", period="day", content="{}", sha256="", created_at=app.clock(), items=[]
    )


def test_status_asks_for_a_person_only_where_one_is_needed(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        assert "no crawl has been completed yet" in needs(app)
        crawled(app)
        assert needs(app) == "the edition of 2026-11-25 is not made yet: `pakrus digest`"
        edition(app, "2026-11-25")
        assert needs(app) == ""
        assert status.lines(status.report(app)).endswith("nothing needs a person")
        clock.wind(minutes=1)
        edition(app, "2026-11-01")  # an older one, made afterwards, does not hide the newest
        assert needs(app) == ""
        clock.wind(hours=7)
        assert "the last crawl ended 2026-11-25T12:00:00Z" in needs(app)
        crawled(app)
        clock.wind(hours=18)
        crawled(app)
        assert "edition of 2026-11-26" in needs(app)


def test_status_names_troubled_and_moved_sources(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        crawled(app)
        edition(app, "2026-11-25")
        for source in ("courier", "vestnik"):
            visited(app, source, [], outcome=Outcome.GONE)
        assert "2 of 5 sources are in trouble" in needs(app)
        assert "courier: gone since" in status.lines(status.report(app))
        for _ in range(3):
            clock.wind(minutes=20)
            visited(app, "awaz", [Entry(id="1", url="http://awaz.test/1", title="A")], outcome=Outcome.MOVED,
                    moved_to="http://awaz.test/new")  # fmt: skip
        assert "awaz moved for good: write http://awaz.test/new in feeds.yaml" in needs(app)


def listed(app: App, source: str, *numbers: int) -> None:
    visited(app, source, [Entry(id=str(n), url=f"http://{source}.test/{n}", title=f"T {n}") for n in numbers])


@pytest.mark.parametrize("source", ["courier", "vestnik", "awaz"])
def test_status_names_a_source_that_answers_and_says_nothing_new(tmp_path: Path, source: str) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        crawled(app)
        for n in range(14):  # something every 12 hours, and a weekend of 48
            listed(app, source, n)
            clock.wind(hours=48 if n in (4, 9) else 12)
        clock.wind(hours=4)
        listed(app, source, 13)
        assert "silent" not in needs(app)
        clock.wind(days=5, hours=-16)
        assert "silent" not in needs(app)  # two and a half weekends
        clock.wind(days=2)
        listed(app, source, 13)
        found = status.report(app)["habits"]["silent"]
        assert [(s["source_id"], s["last_new_at"], s["habit_h"]) for s in found] == [
            (source, "2026-12-05T00:00:00Z", 48.0)
        ]
        assert f"{source}: silent, last good 2026-12-05: nothing new for 7 days, usually after 48 h" in needs(app)
        listed(app, source, 14)
        assert "silent" not in needs(app)


def test_a_source_without_a_habit_is_not_called_silent(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        for n in range(3):
            listed(app, "courier", n)
            clock.wind(hours=12)
        clock.wind(days=30)
        assert status.report(app)["habits"]["silent"] == []


def test_status_names_a_list_whose_yield_collapsed(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        crawled(app)
        for n in range(6):
            listed(app, "vestnik", *range(n, n + 20))
            clock.wind(hours=5)
        for n in range(3):
            assert "lists" not in needs(app)
            listed(app, "vestnik", 25, 26 + n)
            clock.wind(hours=5)
        assert "vestnik: lists 2 items, usually 20; last good 2026-11-26" in needs(app)
        listed(app, "vestnik", *range(10, 30))
        assert "lists" not in needs(app)


def test_status_counts_backlog_and_last_day(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        fill(app)
        visited(app, "courier", [Entry(id=str(n), url=f"http://courier.test/{n}", title="T") for n in range(3)])
        (pending, *_) = app.store.frontier.take(1, now=clock())
        app.store.frontier.retry(pending.entry_id, reason="status 500", next_try_at=clock() + timedelta(minutes=10))
        value = status.report(app)
        assert value["backlog"] == {"waiting": 3, "due": 2}
        assert value["last_24h"] == {"entries": 8, "articles": 4, "stories": 2}
        assert value["entries"]["pending"] == 3
        clock.wind(days=2)
        assert status.report(app)["last_24h"] == {"entries": 0, "articles": 0, "stories": 0}


def test_a_source_that_left_the_file_troubles_nobody(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        crawled(app)
        edition(app, "2026-11-25")
        visited(app, "courier", [], outcome=Outcome.GONE)
        app.config = config("".join(line for line in FEEDS.splitlines(True) if "id: courier" not in line), tmp_path)
        app.sync_sources()
        value = status.report(app)
        assert value["troubled"] == []
        assert sum(value["sources"].values()) == 4
