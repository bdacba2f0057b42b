"""Databases of every released version: they open, migrate without touching a row, and can be asked and written to.

`pakrus-0.1.0.db` is small, made by `tests/data/make_database.py`; `pakrus-0.1.0-demo.db.xz` is what that version's demo
left, with a gap, marks and samples (the copies of three pages in four were taken out, for size).
"""

import hashlib
import json
import lzma
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawler.config import parse_config
from crawler.digest.deliver import verify
from crawler.reports import audit, search
from store.backup import check
from store.connection import SCHEMA, open_store
from store.records import utc_time
from store.upkeep import sweep
from tests.builders import Clock, config, world
from tests.test_cli import pakrus
from tests.test_ingest import BARTER_UR
from tests.test_reassess import put

ROOT = Path(__file__).parent.parent
DATABASES = sorted((ROOT / "tests" / "data").glob("pakrus-*.db*"))
DAY_S = 86400.0


def laid(database: Path, folder: Path) -> Path:
    path = folder / "news.db"
    if database.suffix == ".xz":
        path.write_bytes(lzma.decompress(database.read_bytes()))
    else:
        shutil.copy(database, path)
    return path


@pytest.fixture(params=DATABASES, ids=lambda path: path.name)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return laid(request.param, tmp_path)


@pytest.fixture
def demo_of_the_first_version(tmp_path: Path) -> Path:
    return laid(ROOT / "tests" / "data" / "pakrus-0.1.0-demo.db.xz", tmp_path)


def hashes(path: Path, columns: dict[str, list[str]] | None = None) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The columns of every table, and a digest of its rows: of all columns, or of those named."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        if columns is None:
            tables = [
                row[0]
                for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                # What SQLite keeps for itself, and the record of the migrations.
                if not row[0].startswith(("sqlite_", "_sqlite_", "article_search_"))
            ]
            columns = {t: [row[1] for row in connection.execute(f"PRAGMA table_info({t})")] for t in tables}
        out = {}
        for table, names in columns.items():
            chosen = ", ".join(f'"{name}"' for name in names)
            rows = sorted(connection.execute(f"SELECT {chosen} FROM {table}").fetchall(), key=repr)
            out[table] = hashlib.sha256(repr(rows).encode()).hexdigest()
        return columns, out
    finally:
        connection.close()


def test_there_is_a_database_of_the_first_version() -> None:
    assert {"pakrus-0.1.0.db", "pakrus-0.1.0-demo.db.xz"} <= {path.name for path in DATABASES}
    assert all(path.stat().st_size < 400_000 for path in DATABASES)


def test_migrate_leaves_every_row(released: Path) -> None:
    columns, before = hashes(released)
    with sqlite3.connect(released) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    told = json.loads(pakrus("migrate", "--dry-run", "--json", "--db", released).stdout)
    assert (told["from"], told["to"]) == (version, SCHEMA)
    assert hashes(released, columns)[1] == before
    assert pakrus("migrate", "--db", released).returncode == 0
    assert hashes(released, columns)[1] == before
    assert "nothing to do" in pakrus("migrate", "--db", released).stdout
    with open_store(released, mode="read") as store:
        run = store.connection.execute
        assert run("PRAGMA user_version").fetchone()[0] == SCHEMA
        assert [tuple(r) for r in run("PRAGMA integrity_check")] == [("ok",)]
        assert run("PRAGMA foreign_key_check").fetchall() == []


KILLED = """
import os, sys
from pathlib import Path
from store import connection
left, real = [int(sys.argv[2])], connection.connect
def told(statement):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), 9)
def connect(path, mode):
    it = real(path, mode)
    it.set_trace_callback(told)
    return it
connection.connect = connect
connection.open_store(Path(sys.argv[1]), mode="write", holder="migrate").close()
print(int(sys.argv[2]) - left[0])
"""


def killed_before(statement: int, path: Path) -> int | None:
    """An upgrade that is killed when SQLite begins the n-th statement; how many there were if it was not."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(statement)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return int(done.stdout) if done.returncode == 0 else None


def test_an_upgrade_that_is_killed_at_any_statement_loses_no_row_and_is_done_by_the_next_start(
    released: Path, tmp_path: Path
) -> None:
    columns, before = hashes(released)
    schema = check(released)
    whole = tmp_path / "whole" / "news.db"
    whole.parent.mkdir()
    shutil.copy(released, whole)
    statements = killed_before(10_000, whole)
    assert statements is not None
    assert statements > 30
    found = set()
    # Some between the first and the last; the last ones are the commit and what follows it.
    for statement in sorted({*range(9, statements, statements // 4), *range(statements - 2, statements + 1)}):
        path = tmp_path / str(statement) / "news.db"
        path.parent.mkdir()
        shutil.copy(released, path)
        assert killed_before(statement, path) is None
        # As the next program finds it: SQLite rolls back what was under way.
        assert hashes(path, columns)[1] == before, statement
        with closing(sqlite3.connect(path)) as connection:
            found.add(connection.execute("PRAGMA user_version").fetchone()[0])
        with open_store(path, mode="write", holder="test") as store:
            assert store.connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA
            assert [tuple(r) for r in store.connection.execute("PRAGMA integrity_check")] == [("ok",)]
        assert hashes(path, columns)[1] == before, statement
        copy = path.with_name(f"news.db.before-schema-{SCHEMA}")
        assert check(copy, "integrity_check") == schema
        assert hashes(copy, columns)[1] == before
    assert {schema, SCHEMA} >= found >= {schema}


def shape(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every table with its columns, every index, trigger and view with its text."""
    with open_store(path, mode="read") as store:
        run = store.connection.execute
        out = {}
        for kind, name, text in run("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall():
            out[name] = [tuple(r) for r in run(f"PRAGMA table_xinfo('{name}')")] if kind == "table" else [(text,)]
        return {name: rows for name, rows in out.items() if not name.startswith("sqlite_stat")}


def test_an_upgraded_database_has_the_shape_of_a_new_one(released: Path, tmp_path: Path) -> None:
    pakrus("migrate", "--db", released)
    with open_store(tmp_path / "new.db", mode="write"):
        pass
    assert shape(released) == shape(tmp_path / "new.db")


def test_old_rows_know_nothing_of_what_came_later_and_old_merges_are_moves(demo_of_the_first_version: Path) -> None:
    pakrus("migrate", "--db", demo_of_the_first_version)
    with open_store(demo_of_the_first_version, mode="read") as store:

        def one(query: str) -> Any:
            return store.connection.execute(query).fetchone()[0]

        assert one("SELECT count(added_at) FROM articles") == one("SELECT count(added_at) FROM entries") == 0
        assert one("SELECT sum(renamed) FROM visits") == 0
        assert one("SELECT count(*) FROM compacted_entries") == one("SELECT count(*) FROM deliveries") == 0
        assert one("SELECT sum(json_array_length(articles)) FROM story_merges") == one(
            "SELECT count(*) FROM story_moves"
        )
        assert one("SELECT count(*) FROM story_moves") > 0
        assert one("SELECT count(*) FROM gaps") == 1
        assert one("SELECT count(*) FROM samples") == 18
        assert one("SELECT count(*) FROM marks") == 3


def test_an_old_edition_verifies_and_old_rejects_become_numbers_after_an_upgrade(
    demo_of_the_first_version: Path,
) -> None:
    clock = Clock()
    columns = hashes(demo_of_the_first_version)[0]
    with world(demo_of_the_first_version.parent, clock=clock) as app:
        run = app.store.connection.execute
        edition = app.store.digests.last()
        assert edition is not None
        zone = ZoneInfo(edition["timezone"])
        made = verify(app, date.fromisoformat(edition["date"]), zone=zone, period="day")
        kept = hashes(app.store.path, {"articles": columns["articles"], "stories": columns["stories"]})[1]
        before = audit.report(app.store, day=None, zone=zone)
        newest = run("SELECT max(last_seen_at) FROM entries").fetchone()[0]
        gone = sweep(
            app.store, now=utc_time(newest) + timedelta(days=366), requests_s=DAY_S, rejected_text_s=DAY_S,
            rejected_entries_s=365 * DAY_S,
        )  # fmt: skip
        assert min(gone.values()) > 0
        after = audit.report(app.store, day=None, zone=zone)
        assert (after["seen"], after["unexplained"]) == (before["seen"], 0)
        assert hashes(app.store.path, {"articles": columns["articles"], "stories": columns["stories"]})[1] == kept
        assert run("SELECT count(*) FROM samples JOIN entries ON id = entry_id").fetchone()[0] == 18
        assert verify(app, date.fromisoformat(edition["date"]), zone=zone, period="day") == made


def test_an_upgraded_database_is_judged_again_without_a_loss(demo_of_the_first_version: Path) -> None:
    pakrus("migrate", "--db", demo_of_the_first_version)
    told = pakrus("reassess", "--json", "--db", demo_of_the_first_version)
    assert told.returncode == 0, told.stderr
    with open_store(demo_of_the_first_version, mode="read") as store:
        assert audit.report(store, day=None, zone=config().timezone)["unexplained"] == 0
        assert store.connection.execute("SELECT count(*) FROM entries").fetchone()[0] == 144


def test_an_upgraded_database_answers_in_three_scripts(released: Path) -> None:
    pakrus("migrate", "--db", released)
    with open_store(released, mode="read") as store:
        for query, language in (("Russia", "en"), ("Россия", "ru"), ("روس", "ur")):
            found = search.report(store, query, since=None, until=None, sector=None, language=language, limit=5)
            assert found, query
        ledger = audit.report(store, day=None, zone=config().timezone)
        assert ledger["unexplained"] == 0, ledger["problems"]
        views = [r[0] for r in store.connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
        for view in views:
            store.connection.execute(f"SELECT * FROM {view}").fetchall()
        article, url = store.connection.execute("SELECT id, url FROM articles").fetchone()
    for verb in (
        ["status"],
        ["sides"],
        ["gaps"],
        ["courtesy"],
        ["missed"],
        ["explain", url],
        ["history", str(article)],
    ):
        result = pakrus(*verb, "--json", "--db", released)
        assert result.returncode in (0, 1), (verb, result.stderr)
        json.loads(result.stdout)


def test_an_upgraded_database_takes_new_articles_beside_the_old_ones(released: Path) -> None:
    columns, before = hashes(released)
    with world(released.parent) as app:
        run = app.store.connection.execute
        articles: Any = run("SELECT count(*) FROM articles").fetchone()[0]
        assert put(app, "http://new.test/1", "پاکستان اور روس کا بارٹر ڈیسک", BARTER_UR) == "kept"
        assert put(app, "http://new.test/1", "پاکستان اور روس کا بارٹر ڈیسک", BARTER_UR) == "unchanged"
        assert run("SELECT count(*) FROM articles").fetchone()[0] == articles + 1
    after = hashes(released, columns)[1]
    same = {table for table in before if before[table] == after[table]}
    assert same >= {"revisions", "digests", "digest_items", "marks", "visits", "requests", "runs"}


# --- feeds.yaml


FIRST_KEYS = {
    *(f"Config.{key}" for key in "timezone database digest crawl keep sources".split()),
    *(f"DigestConfig.{key}" for key in "at formats directory".split()),
    *(
        f"CrawlConfig.{key}"
        for key in "user_agent contact concurrency per_host_delay_s per_host_concurrency timeout_s max_body obey_robots"
        " allow_private_addresses resolve proxy ca_file".split()
    ),
    *(f"KeepConfig.{key}" for key in "rejected_text_s requests_s rejected_entries_s".split()),
    *(
        f"SourceConfig.{key}"
        for key in "id name url kind country language every_s zone fetch_pages enabled selector body_selector"
        " title_selector archive proxy ca_file delay_s user_agent".split()
    ),
}


def test_a_feeds_yaml_of_the_first_version_means_what_it_meant() -> None:
    """With every key that there was: one that is renamed or dropped is an error here, or a default."""
    text = (ROOT / "tests" / "data" / "feeds-0.1.0.yaml").read_text("utf-8")
    loaded, plain = parse_config(text), parse_config('sources: [{id: x, url: "http://x.example/", kind: feed}]')
    pairs = [(loaded, plain), (loaded.digest, plain.digest), (loaded.crawl, plain.crawl), (loaded.keep, plain.keep),
             (loaded.sources[0], plain.sources[0])]  # fmt: skip
    meant = {
        f"{type(ours).__name__}.{field.name}"
        for ours, default in pairs
        for field in fields(ours)
        if getattr(ours, field.name) != getattr(default, field.name)
    }
    assert meant >= FIRST_KEYS, FIRST_KEYS - meant
    assert loaded.sources[1].spider == "mid-russia"
