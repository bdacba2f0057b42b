"""Databases of every released version: they open, migrate without touching a row, and can be asked and written to."""

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from crawler.reports import audit, search
from store.connection import SCHEMA, open_store
from tests.builders import config, world
from tests.test_cli import pakrus
from tests.test_ingest import BARTER_UR
from tests.test_reassess import put

DATABASES = sorted((Path(__file__).parent / "data").glob("pakrus-*.db"))


@pytest.fixture(params=DATABASES, ids=lambda path: path.stem)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(request.param, tmp_path / "news.db"))


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
    assert "pakrus-0.1.0" in {path.stem for path in DATABASES}
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
    for verb in (["status"], ["sides"], ["gaps"], ["courtesy"], ["missed"], ["explain", "1"], ["history", "1"]):
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
