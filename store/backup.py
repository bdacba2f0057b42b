"""Copies of the database: made while others write, checked before they count, put back whole or not at all."""

import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from store.connection import APPLICATION_ID, SCHEMA, WAIT_S, connect, drop_lock, look_at, take_lock, translate
from store.errors import StoreBusy, StoreCorrupt, StoreTooNew, StoreUnwritable
from store.locks import user_of
from store.records import utc_text

BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database
CHECKS = ("quick_check", "integrity_check")  # the second also compares indexes with their tables, and takes longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A finished copy: one file, without a WAL."""

    path: Path
    bytes: int
    schema: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    path: Path
    bytes: int
    schema: int
    kept: Path | None  # where the replaced database is now; None: there was none


def backup(path: Path, target: Path, *, schema: int | None = None) -> Copy:
    """A copy of the database as of now, with SQLite's backup; others may read and write meanwhile.

    Written to a neighbour of `target`, checked, flushed and renamed: a failure leaves `target` as it was. `schema` is
    the one that the copy must have, for the copy before an upgrade. Raises StoreError.
    """
    # SQLite alone opens the database here: another open and close of its file, in a process that has it open (the
    # daemon), would free the locks of that process.
    if not path.exists():
        raise StoreUnwritable(f"{path}: there is no database yet; `pakrus crawl` or `pakrus run` makes it")
    with _as_store_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        os.close(handle)
        part = Path(name)
        try:
            _copy(path, part)
            found = check(part, "quick_check", of=path)
            if schema not in (None, found):
                raise StoreBusy(f"{path}: another process has just brought it to schema {found}; start again")
            part.chmod(path.stat().st_mode & 0o777)
            sha256 = _flush(part)
            os.replace(part, target)  # noqa: PTH105 - Path.replace is the same call, less plainly
        finally:
            _remove(part)
        _flush_folder(target.parent)
        return Copy(path=target, bytes=target.stat().st_size, schema=found, sha256=sha256)


def restore(path: Path, copy: Path, *, now: datetime) -> Restored:
    """Puts a copy in the place of the database, whatever state that is in; needs no healthy database, nor any.

    The copy is first brought beside the database and checked in full, then renamed over it. The replaced database
    stays as ``<name>.before-restore-<time>`` with its WAL. A process that is killed at any instant leaves the old or
    the new database, each whole. Raises StoreBusy where a long writer is at work, StoreError where the copy is none.
    """
    look_at(copy, "read")
    with _as_store_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    lock = take_lock(path, "restore")
    try:
        # SQLite follows a link, and keeps its WAL beside the file that the link leads to.
        return _restore(path.resolve(), copy, lock, now)
    finally:
        drop_lock(lock)


def _restore(path: Path, copy: Path, lock: IO[str], now: datetime) -> Restored:
    part = path.with_name(path.name + ".restoring")  # one name: we hold the lock, and a killed restore leaves one file
    with _as_store_errors(path):
        _remove(part)
        try:
            _copy(copy, part)
            schema = check(part, "integrity_check", of=copy)
            model = path.stat() if path.exists() else None
            if model is not None:
                part.chmod(model.st_mode & 0o777)
            owner = model or path.parent.stat()
            with suppress(PermissionError):  # only root may give a file away, and only root needs to
                os.chown(part, owner.st_uid, owner.st_gid)
                os.fchown(lock.fileno(), owner.st_uid, owner.st_gid)
            _flush(part)
            _alone(path)
            kept = _set_aside(path, utc_text(now))
            os.replace(part, path)  # noqa: PTH105
            _flush_folder(path.parent)
        finally:
            _remove(part)
        return Restored(path=path, bytes=path.stat().st_size, schema=schema, kept=kept)


def check(path: Path, pragma: str = "quick_check", *, of: Path | None = None) -> int:
    """The schema of a healthy database of ours that no one else has open. Raises StoreCorrupt, StoreTooNew.

    `of` is the file that the message names where `path` is a passing copy of it.
    """
    if pragma not in CHECKS:
        raise ValueError(f"pragma is one of {CHECKS}, not {pragma!r}")
    named = of or path
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            run = connection.execute
            application = run("PRAGMA application_id").fetchone()[0]
            schema = int(run("PRAGMA user_version").fetchone()[0])
            if application != APPLICATION_ID:
                raise StoreCorrupt(f"{named}: is no pakrus database; name another file")
            if schema > SCHEMA:
                raise StoreTooNew(f"{named}: has schema {schema}, this version knows up to {SCHEMA}; upgrade pakrus")
            found = [str(row[0]) for row in run(f"PRAGMA {pragma}(3)")]
    except sqlite3.Error as error:
        raise translate(error, named) from None
    if found != ["ok"]:
        raise StoreCorrupt(f"{named}: is damaged ({'; '.join(found).splitlines()[0][:200]}); take an earlier copy")
    return schema


def _copy(source: Path, target: Path) -> None:
    """All pages in one step, so one state of the source; the result is one file, in no need of a WAL."""
    with closing(_readable(source)) as reader, closing(sqlite3.connect(target, isolation_level=None)) as writer:
        try:
            reader.backup(writer)
            writer.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.DatabaseError as error:
            full = "full" in str(error).lower()
            raise translate(error, target if full else source) from None


def _readable(path: Path) -> sqlite3.Connection:
    """A reader; also of a copy on a medium where SQLite cannot make the files that WAL mode wants beside it."""
    connection = connect(path, "read")
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _alone(path: Path) -> None:
    """Sees to it that no one has the old database open (SQLite deletes a WAL by its name, which will be another
    database's), and brings its WAL home. What is damaged cannot be tidied and is only moved."""
    started = time.monotonic()
    while (user := user_of(path)) is not None:
        if time.monotonic() - started > WAIT_S:
            raise StoreBusy(f"{path}: {user} has the database open; stop it, then restore")
        time.sleep(0.2)
    if not path.exists() or not path.stat().st_size:
        return
    try:
        with closing(connect(path, "read")) as reader:  # a writer would throw away the WAL of what is no database
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(connect(path, "write")) as writer:
            writer.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        busy = translate(error, path)
        if isinstance(busy, StoreBusy):
            raise busy from None


def _set_aside(path: Path, at: str) -> Path | None:
    """Gives the old database a second name and moves what lies beside it there. The old WAL must be gone from the name
    before another database has it: SQLite would play it into that one."""
    stem = f"{path.name}.before-restore-{at.replace(':', '')}"
    kept = path.with_name(stem)
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{stem}-{number}")
    if path.exists():
        try:
            os.link(path, kept)
        except OSError:  # a file system without hard links: for an instant no file has the name
            os.replace(path, kept)  # noqa: PTH105
    for suffix in BESIDE:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            os.replace(beside, kept.with_name(kept.name + suffix))  # noqa: PTH105
    return kept if kept.exists() else None


def _flush(path: Path) -> str:
    """Flushes a file to its disk; returns its sha256."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    for suffix in ("", *BESIDE):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def _as_store_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from None
    except OSError as error:
        raise StoreUnwritable(f"{error.filename or path}: cannot be written: {error.strerror or error}") from None
