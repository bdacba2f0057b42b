"""Copies: taken while others write, checked, put back over whatever is there; nothing is lost by a kill."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from crawler.reports import migrate as migrate_report
from store import backup as copies
from store import connection, schema
from store.backup import backup, check, restore
from store.connection import SCHEMA, open_store
from store.errors import StoreBusy, StoreCorrupt, StoreError, StoreTooNew, StoreUnwritable
from tests.test_cli import pakrus
from tests.test_upgrade import hashes

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
AHEAD = "2026-11-25T030000Z"


def make(path: Path, *values: str) -> Path:
    with open_store(path, mode="write") as store, store.transaction():
        for value in values:
            store.note(value, "kept")
    return path


def notes(path: Path) -> set[str]:
    with open_store(path, mode="read") as store:
        return {row[0] for row in store.connection.execute("SELECT key FROM meta")}


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


@contextmanager
def other(code: str, *arguments: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, ready when it has printed a line."""
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


WRITER = """
import pathlib, sys
from store.connection import open_store
with open_store(pathlib.Path(sys.argv[1]), mode="write", holder="run") as store:
    n = 0
    while True:
        with store.transaction():
            store.note(f"a{n}", "x" * 500)
            store.note(f"b{n}", "x" * 500)
        n += 1
        if n == 5:
            print("writing")
"""
HOLDER = """
import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1]); c.execute("SELECT count(*) FROM meta").fetchall(); print("open"); time.sleep(60)
"""


def test_copy_taken_while_another_process_writes_is_one_state(tmp_path: Path) -> None:
    path, target = tmp_path / "news.db", tmp_path / "copies" / "news.db"
    with other(WRITER, path) as writer:
        for _ in range(3):
            made = backup(path, target)
            assert made.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
            assert (made.bytes, made.schema) == (target.stat().st_size, SCHEMA)
            found = notes(target)
            pairs = [{n[1:] for n in found if n[0] == letter} for letter in "ab"]
            assert pairs[0] == pairs[1] != set()
            for beside in ("-wal", "-shm"):
                target.with_name(target.name + beside).unlink(missing_ok=True)
        assert writer.poll() is None
    assert names(target.parent) == {"news.db"}


def test_copy_needs_no_file_beside_it(tmp_path: Path) -> None:
    made = backup(make(tmp_path / "news.db", "a"), tmp_path / "copy.db")
    with closing(sqlite3.connect(f"{made.path.as_uri()}?immutable=1", uri=True)) as found:
        assert found.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
        assert found.execute("SELECT key FROM meta").fetchall() == [("a",)]


def test_copy_of_a_damaged_database_is_refused_and_leaves_the_last_one(tmp_path: Path) -> None:
    path, target = make(tmp_path / "news.db", "a"), tmp_path / "copy.db"
    before = backup(path, target)
    spoil(path)
    with pytest.raises(StoreCorrupt, match=r"news\.db"):
        backup(path, target)
    assert hashlib.sha256(target.read_bytes()).hexdigest() == before.sha256
    assert not [n for n in names(tmp_path) if n.endswith(".part")]


def spoil(path: Path) -> None:
    """Overwrites all pages but the first: the header is ours, the rest is rubbish."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


def test_copy_of_nothing_and_onto_what_is_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    with pytest.raises(StoreUnwritable, match="no database yet"):
        backup(path, tmp_path / "copy.db")
    make(path)
    letter = tmp_path / "letter.txt"
    letter.write_text("dear reader", "utf-8")
    for target, word in ((letter, "no copy of ours"), (path, "the database itself")):
        result = pakrus("backup", target, "--db", path)
        assert (result.returncode, word in result.stderr) == (2, True), result.stderr
    assert letter.read_text("utf-8") == "dear reader"
    assert pakrus("backup", "/proc/copy.db", "--db", path).returncode == 4


def test_restore_brings_back_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = make(tmp_path / "news.db", "first")
    path.chmod(0o640)
    value = json.loads(pakrus("backup", tmp_path / "copy.db", "--db", path, "--json").stdout)
    assert (value["path"], value["schema"]) == (str(tmp_path / "copy.db"), SCHEMA)
    make(path, "second")
    result = pakrus("--now", "2026-11-25T03:00:00Z", "restore", tmp_path / "copy.db", "--db", path, "--json")
    assert result.returncode == 0, result.stderr
    kept = tmp_path / f"news.db.before-restore-{AHEAD}"
    assert json.loads(result.stdout)["kept"] == str(kept)
    assert (notes(path), notes(kept)) == ({"first"}, {"first", "second"})
    assert path.stat().st_mode & 0o777 == 0o640
    again = restore(path, tmp_path / "copy.db", now=NOW)
    assert again.kept == kept.with_name(kept.name + "-2")
    make(path, "third")
    assert notes(path) == {"first", "third"}


@pytest.mark.parametrize("state", ["missing", "empty", "letter", "spoiled", "foreign", "newer", "torn wal"])
def test_restore_works_over_every_ruin(tmp_path: Path, state: str) -> None:
    folder = tmp_path / "var"
    path, copy = folder / "news.db", tmp_path / "copy.db"
    backup(make(tmp_path / "other.db", "good"), copy)
    if state != "missing":
        make(path, "bad")
    if state == "empty":
        path.write_bytes(b"")
    elif state == "letter":
        path.write_bytes(b"this is a letter" * 400)
        (folder / "news.db-wal").write_bytes(b"and its envelope")
    elif state == "spoiled":
        spoil(path)
    elif state in ("foreign", "newer"):
        pragma = "application_id = 7" if state == "foreign" else "user_version = 999"
        with closing(sqlite3.connect(path)) as file:
            file.execute(f"PRAGMA {pragma}")
    elif state == "torn wal":
        (folder / "news.db-wal").write_bytes(b"\xff" * 9000)
    before = path.read_bytes() if path.exists() else None
    done = restore(path, copy, now=NOW)
    assert notes(path) == {"good"}
    assert check(path, "integrity_check") == SCHEMA
    assert (done.kept is None) == (before is None)
    if done.kept and state in ("letter", "spoiled"):
        assert done.kept.read_bytes() == before
    if state == "letter":
        assert done.kept is not None
        assert done.kept.with_name(done.kept.name + "-wal").read_bytes() == b"and its envelope"
    assert not [n for n in names(folder) if "restoring" in n]


def test_restore_takes_only_what_is_sound_and_ours(tmp_path: Path) -> None:
    path = make(tmp_path / "news.db", "mine")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    copy = backup(path, tmp_path / "copy.db").path
    letter, spoiled, newer, foreign = (tmp_path / n for n in ("letter", "spoiled", "newer", "foreign"))
    letter.write_bytes(b"no database" * 50)
    for target, sql in (
        (spoiled, "SELECT 1"),
        (newer, "PRAGMA user_version = 999"),
        (foreign, "PRAGMA application_id = 5"),
    ):
        target.write_bytes(copy.read_bytes())
        with closing(sqlite3.connect(target)) as file:
            file.execute(sql)
    spoil(spoiled)
    for bad, error in (
        (letter, StoreCorrupt),
        (spoiled, StoreCorrupt),
        (newer, StoreTooNew),
        (foreign, StoreCorrupt),
        (tmp_path / "none", StoreError),
    ):
        with pytest.raises(error):
            restore(path, bad, now=NOW)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    assert pakrus("restore", tmp_path / "none", "--db", path).returncode == 2
    assert pakrus("restore", path, "--db", path).returncode == 2
    assert pakrus("restore", spoiled, "--db", path).returncode == 4
    assert not [n for n in names(tmp_path) if "before-restore" in n or "restoring" in n]


def test_restore_beside_a_running_daemon_says_who_holds_it(tmp_path: Path) -> None:
    path = make(tmp_path / "news.db", "a")
    copy = backup(path, tmp_path / "copy.db").path
    with other(WRITER, path) as daemon:
        result = pakrus("restore", copy, "--db", path)
        assert result.returncode == 4
        assert f"`pakrus run` (process {daemon.pid}" in result.stderr
    assert "a" in notes(path)


def test_restore_waits_for_no_one_to_have_it_open_and_then_names_who_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "WAIT_S", 0.3)
    path = make(tmp_path / "news.db", "a")
    copy = backup(path, tmp_path / "copy.db").path
    with other(HOLDER, path) as reader, pytest.raises(StoreBusy, match=f"process {reader.pid} .*has the database open"):
        restore(path, copy, now=NOW)
    assert restore(path, copy, now=NOW).kept is not None


def test_restore_follows_a_link_to_another_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    real = make(disk / "big.db", "old")
    copy = backup(make(tmp_path / "other.db", "new"), tmp_path / "copy.db").path
    link = tmp_path / "news.db"
    link.symlink_to(real)
    restore(link, copy, now=NOW)
    assert link.is_symlink()
    assert notes(real) == {"new"}


KILLED = """
import os, pathlib, sys
from datetime import UTC, datetime
from store import backup
step, path, copy = sys.argv[1:]
left = [int(step)]
def deadly(name):
    real = getattr(os, name)
    def call(*a, **k):
        if left[0] == 0:
            os.kill(os.getpid(), 9)
        left[0] -= 1
        return real(*a, **k)
    setattr(os, name, call)
for name in ("link", "replace", "fsync", "chown", "open"):
    deadly(name)
backup.restore(pathlib.Path(path), pathlib.Path(copy), now=datetime(2026, 11, 25, 3, tzinfo=UTC))
print("done")
"""


def test_restore_that_is_killed_at_any_step_leaves_the_old_or_the_new_database_whole(tmp_path: Path) -> None:
    copy = backup(make(tmp_path / "other.db", "new"), tmp_path / "copy.db").path
    seen = set()
    for step in range(30):
        path = make(tmp_path / str(step) / "news.db", "old")
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(step), str(path), str(copy)], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        (found,) = notes(path)
        assert check(path, "integrity_check") == SCHEMA
        seen.add(found)
        if found == "new":
            assert notes(path.with_name(f"news.db.before-restore-{AHEAD}")) == {"old"}
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        restore(path, copy, now=NOW)
        assert notes(path) == {"new"}
        assert not path.with_name("news.db.restoring").exists()
        if done.returncode == 0:
            break
    else:
        pytest.fail("never came to its end")
    assert seen == {"old", "new"}


def upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more migration than there is."""

    def m9999_more(database: Database) -> None:
        database.conn.execute("CREATE TABLE more (a)")
        database.conn.execute(f"PRAGMA user_version = {SCHEMA + 1}")

    monkeypatch.setattr(schema.migrations, "_migrations", list(schema.migrations._migrations))
    schema.migrations()(m9999_more)
    for module in (connection, copies, migrate_report):
        monkeypatch.setattr(module, "SCHEMA", SCHEMA + 1)


def test_upgrade_makes_a_copy_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "news.db", "a")
    assert names(tmp_path) <= {"news.db", "news.db.lock", "news.db-wal", "news.db-shm"}, "nothing to copy at the start"
    upgrade(monkeypatch)
    told: dict[str, Any] = migrate_report.migrate(path, dry_run=True)
    copy = path.with_name(f"news.db.before-schema-{SCHEMA + 1}")
    assert (told["copy"], copy.exists()) == (str(copy), False)
    told = migrate_report.migrate(path, dry_run=False)
    assert str(copy) in migrate_report.lines(told)
    assert check(copy, "integrity_check") == SCHEMA
    assert check(path) == SCHEMA + 1
    assert migrate_report.migrate(path, dry_run=False)["copy"] is None
    restore(path, copy, now=NOW)
    assert check(path) == SCHEMA


def test_upgrade_without_room_for_its_copy_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "news.db", "a")
    upgrade(monkeypatch)

    def full(*_: object, **__: object) -> None:
        raise StoreUnwritable("the disk is full")

    monkeypatch.setattr(copies, "backup", full)
    with pytest.raises(StoreUnwritable, match="full"):
        open_store(path, mode="write")
    assert check(path) == SCHEMA


def test_check_knows_its_pragmas(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pragma"):
        check(tmp_path / "news.db", "table_info")


def test_time_of_a_copy_is_short(tmp_path: Path) -> None:
    path = make(tmp_path / "news.db", *map(str, range(2000)))
    began = time.monotonic()
    backup(path, tmp_path / "copy.db")
    assert time.monotonic() - began < 5
    assert os.path.getsize(tmp_path / "copy.db") > 4096


def test_copy_taken_under_load_restores_to_the_same_rows_of_all_tables(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "news.db", tmp_path / "elsewhere" / "news.db"
    shutil.copy(Path(__file__).parent / "data" / "pakrus-0.1.0.db", path)
    with other(WRITER, path):
        copy = backup(path, tmp_path / "copy.db").path
    columns, before = hashes(copy)
    assert len(before) > 15
    restore(elsewhere, copy, now=NOW)
    assert hashes(elsewhere, columns)[1] == before
    unchanged = {t for t, digest in hashes(path, columns)[1].items() if digest == before[t]}
    assert before.keys() - unchanged <= {"meta"}
