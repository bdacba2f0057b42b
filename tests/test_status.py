"""What `status` says beyond the sources' own states: lateness, room on the disk, versions, all on one screen."""

import tomllib
from pathlib import Path

import pytest

from crawler.reports import status
from store.records import Outcome
from tests.builders import Clock, world
from tests.pages import ROOT
from tests.test_reassess import fill
from tests.test_reports import crawled, edition, needs, visited


def test_a_quiet_list_of_sources_is_no_dead_daemon(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        for source in app.config.sources:
            visited(app, source.id, [])
        app.store.connection.execute("UPDATE sources SET next_due_at = '2026-11-26T12:00:00Z'")
        crawled(app)
        clock.wind(hours=18)
        edition(app, "2026-11-26")
        assert needs(app) == "", "nothing was due for a day"
        clock.wind(hours=13)
        edition(app, "2026-11-26")
        value = status.report(app)
        assert value["lateness"]["overdue"] == 5
        assert value["lateness"]["overdue_since"] == "2026-11-26T12:00:00Z"
        assert needs(app) == "the last crawl ended 2026-11-25T12:00:00Z: is `pakrus run` still running?"
        assert "5 sources wait for a visit since 2026-11-26T12:00:00Z" in status.lines(value)


def test_a_crawl_that_reached_nobody_needs_a_person(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        run = app.store.visits.began("run", now=app.clock())
        app.store.visits.ended(run, now=app.clock(), result={"unreachable": True})
        edition(app, "2026-11-25")
        assert needs(app) == "the last crawl, ended 2026-11-25T12:00:00Z, reached nobody: is the line up?"


def test_status_says_how_long_after_their_publication_articles_are_seen(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        fill(app)
        run = app.store.connection.execute
        run("UPDATE articles SET published_precision = 'minute', published_at = '2026-11-25T11:30:00Z'")
        run("UPDATE articles SET first_seen_at = '2026-11-25T12:00:00Z'")
        run("UPDATE articles SET published_at = '2026-11-24T12:00:00Z' WHERE language = 'ur'")
        run("UPDATE articles SET published_at = '2026-11-01T12:00:00Z' WHERE id = 1")  # a gap that was filled
        late = status.report(app)["lateness"]
        assert (late["articles"], late["median_min"], late["p90_min"]) == (4, 30, 1440)
        shown = status.lines(status.report(app))
        assert "articles are seen 30 min after they are published, one in ten 24 h or more" in shown


def copies(folder: Path, sizes: dict[str, int]) -> None:
    (folder / "backups").mkdir()
    for day, size in sizes.items():
        with (folder / "backups" / f"news-{day}.db").open("wb") as file:
            file.truncate(size)


def test_status_says_when_the_disk_will_be_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("usage", (), {"free": 4_000_000_000})
    monkeypatch.setattr(status.shutil, "disk_usage", lambda _: usage)
    with world(tmp_path) as app:
        crawled(app)
        edition(app, "2026-11-25")
        assert status.report(app)["room"]["growth_bytes_a_day"] is None
        assert "  disk         4.0 GB free\n" in status.lines(status.report(app))
        copies(tmp_path, {"2025-01-01": 5, "2026-11-05": 100_000_000, "2026-11-25": 300_000_000})
        room = status.report(app)["room"]
        assert (room["growth_bytes_a_day"], room["over_days"], room["full_in_days"]) == (10_000_000, 20, 100)
        assert "4.0 GB free, grows by 10.0 MB a day, full in 0.3 years" in status.lines(status.report(app))
        assert needs(app) == ""
        usage.free = 900_000_000  # type: ignore[attr-defined]
        assert needs(app) == "the disk is full in 22 days: 900.0 MB are free"


def test_a_database_that_shrinks_fills_no_disk(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        copies(tmp_path, {"2026-11-05": 300_000_000, "2026-11-25": 100_000_000})
        assert status.report(app)["room"]["full_in_days"] is None
        assert "grows by -10.0 MB a day" in status.lines(status.report(app))


def test_the_screen_holds_a_bad_day(tmp_path: Path) -> None:
    lines = "".join(
        f'  - {{id: s{n}, name: "گندم {n}", url: "http://s{n}.test/rss", kind: feed, country: PK}}\n' for n in range(60)
    )
    clock = Clock()
    with world(tmp_path, text=f"timezone: Asia/Karachi\nsources:\n{lines}", clock=clock) as app:
        for _ in range(3):
            clock.wind(hours=1)
            for n in range(60):
                visited(app, f"s{n}", [], outcome=Outcome.GONE)
        app.store.connection.execute("UPDATE sources SET url = url || '/new'")
        value = status.report(app)
        assert len(value["troubled"]) == 60
        assert len(value["needs_attention"]) > 60
        shown = status.lines(value).splitlines()
        assert len(shown) <= 50
        assert max(map(len, shown)) <= 200
        assert "  ... and 48 more: --json has all" in shown


def test_status_names_the_versions_of_what_runs(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        versions = status.report(app)["versions"]
        assert versions.keys() == {"pakrus", "schema", "python", "sqlite"}
        assert versions["pakrus"] == tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
        assert status.lines(status.report(app)).startswith(f"pakrus {versions['pakrus']} at 2026-11-25T12:00:00Z")
