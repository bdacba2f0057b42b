"""Opening the database: locks, refusals, exit codes, and files that are left as they were."""

import hashlib
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from store.connection import APPLICATION_ID, SCHEMA, open_store, schema_of
from store.errors import StoreBusy, StoreCorrupt, StoreError, StoreTooNew, StoreUnwritable
from store.schema import migrations

VIEWS = ("daily", "article_list", "story_overview", "source_health", "rejects", "sector_by_day")


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_new_database_has_our_number_and_all_views(tmp_path: Path) -> None:
    with open_store(tmp_path / "deep" / "news.db", mode="write") as store:
        run = store.connection.execute
        assert run("PRAGMA user_version").fetchone()[0] == SCHEMA == len(migrations._migrations)
        assert run("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        assert run("PRAGMA journal_mode").fetchone()[0] == "wal"
        for view in VIEWS:
            assert run(f"SELECT * FROM {view}").fetchall() == []


def test_a_second_long_writer_is_told_who_holds_the_database(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    with open_store(path, mode="write", holder="run"), pytest.raises(StoreBusy, match="`pakrus run`"):
        open_store(path, mode="write", holder="crawl")
    open_store(path, mode="write").close()


def test_readers_and_short_writers_work_beside_a_long_writer(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    with open_store(path, mode="write") as long, open_store(path, mode="wait") as short:
        with short.transaction():
            short.note("greeting", "salaam")
        with open_store(path, mode="read") as reader:
            assert reader.noted("greeting") == "salaam"
            with long.transaction():
                long.note("greeting", "privet")
                assert reader.noted("greeting") == "salaam"  # not before it is committed
            assert reader.noted("greeting") == "privet"


def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    code = (
        "import os, sys, pathlib; from store.connection import open_store;"
        "s = open_store(pathlib.Path(sys.argv[1]), mode='write', holder='run');"
        "s.connection.execute('BEGIN IMMEDIATE'); s.note('half', 'done'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    with open_store(path, mode="write") as store:
        assert store.noted("half") is None


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "news.db", mode="write") as store:
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.note("half", "done")
            raise ZeroDivisionError
        assert store.noted("half") is None
        with store.transaction(), store.transaction():
            store.note("whole", "done")
        assert store.noted("whole") == "done"


@pytest.mark.parametrize("mode", ["read", "wait", "write"])
@pytest.mark.parametrize("body", [b"this is a letter, not a database" * 10, b"SQLite format 3\0" + b"\xff" * 200, b"x"])
def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path, mode: str, body: bytes) -> None:
    path = tmp_path / "news.db"
    path.write_bytes(body)
    with pytest.raises(StoreCorrupt):
        open_store(path, mode=mode)
    assert path.read_bytes() == body


@pytest.mark.parametrize("mode", ["read", "wait", "write"])
def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "news.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    before = _sha(path)
    with pytest.raises(StoreCorrupt, match="another program"):
        open_store(path, mode=mode)
    assert _sha(path) == before


@pytest.mark.parametrize("mode", ["read", "wait", "write"])
def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "news.db"
    with open_store(path, mode="write") as store:
        store.connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    before = _sha(path)
    with pytest.raises(StoreTooNew, match="upgrade pakrus"):
        open_store(path, mode=mode)
    assert _sha(path) == before
    with pytest.raises(StoreTooNew):
        schema_of(path)


def test_a_damaged_page_is_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    open_store(path, mode="write").close()
    body = bytearray(path.read_bytes())
    body[100:4096] = b"\xee" * 3996  # the first page, where the schema lies
    path.write_bytes(bytes(body))
    with pytest.raises(StoreError) as caught:
        open_store(path, mode="read")
    assert caught.value.exit_code == 4


def test_a_reader_says_that_there_is_nothing_yet(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritable, match="no database yet"):
        open_store(tmp_path / "news.db", mode="read")
    assert list(tmp_path.iterdir()) == []


def test_the_number_of_a_database_stands_at_byte_60(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    open_store(path, mode="write").close()
    assert struct.unpack(">I", path.read_bytes()[60:64])[0] == SCHEMA
    assert schema_of(path) == SCHEMA
    assert schema_of(tmp_path / "none.db") == 0
