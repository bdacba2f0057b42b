"""Opening the database: WAL, one long writer, readers that never wait, errors that a person understands."""

import fcntl
import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

from store.errors import StoreBusy, StoreCorrupt, StoreError, StoreTooNew, StoreUnwritable
from store.records import utc_text

if TYPE_CHECKING:
    from store.alerts import Alerts
    from store.archives import Archives
    from store.articles import Articles
    from store.deliveries import Deliveries
    from store.digests import Digests
    from store.documents import Documents
    from store.frontier import Frontier
    from store.hosts import Hosts
    from store.marks import Marks
    from store.sources import Sources
    from store.stories import Stories
    from store.visits import Visits

APPLICATION_ID = 0x70616B72  # "pakr", offset 68 of the file: tells our database from another program's
SCHEMA = 2  # PRAGMA user_version; one more than the last migration of schema.py must equal it (a test compares)
WAIT_S = 30.0  # how long a short writer waits for its turn
MODES = ("write", "wait", "read")


def open_store(path: Path, *, mode: str, holder: str = "") -> "Store":
    """Opens the database, made and migrated as needed.

    mode: ``write`` for a long writer (holds the writer lock until closed; StoreBusy at once if another does),
    ``wait`` for a short writer (each transaction waits its turn, up to 30 s), ``read`` (never waits, never writes).
    `holder` names the verb for the one who is turned away. Raises StoreError; the file is then left as it was.
    """
    if mode not in MODES:
        raise ValueError(f"mode is one of {MODES}, not {mode!r}")
    look_at(path, mode)
    lock = None
    if mode != "read":
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnwritable(f"{path.parent}: cannot be made: {error.strerror}") from None
    if mode == "write":
        lock = take_lock(path, holder)
    try:
        connection = connect(path, mode)
        store = Store(path, connection, mode=mode, lock=lock)
    except sqlite3.Error as error:
        drop_lock(lock)
        raise translate(error, path) from None
    try:
        store._ready()
    except sqlite3.Error as error:
        store.close()
        raise translate(error, path) from None
    except StoreError:
        store.close()
        raise
    return store


def schema_of(path: Path) -> int:
    """The schema of a database, 0 for one that is not there yet. Raises StoreError for what is no database of ours."""
    if not path.exists():
        return 0
    look_at(path, "wait")
    try:
        connection = connect(path, "read")
        try:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise translate(error, path) from None
    _refuse_newer(path, version)
    return version


def copy_before(path: Path) -> Path:
    """Where the copy lies that is made before an upgrade to our schema."""
    return path.with_name(f"{path.name}.before-schema-{SCHEMA}")


def translate(error: sqlite3.Error, path: Path | None = None) -> StoreError:
    """SQLite's error as a sentence with the way out."""
    where = f"{path}: " if path else ""
    text = str(error)
    low = text.lower()
    if "locked" in low or "busy" in low:
        return StoreBusy(f"{where}another program has been writing for {WAIT_S:.0f} s; try again when it is done")
    if "full" in low:
        return StoreUnwritable(f"{where}the disk is full; nothing was written, make room and start again")
    if "readonly" in low or "read-only" in low:
        return StoreUnwritable(f"{where}is read-only; mend the permissions of the file and its folder")
    if "unable to open" in low or "disk i/o" in low:
        return StoreUnwritable(f"{where}cannot be opened or written ({text}); look at its folder, permissions and disk")
    if "not a database" in low or "malformed" in low or "no such table" in low or "no such column" in low:
        return StoreCorrupt(f"{where}is damaged or no pakrus database ({text}); put the last backup in its place")
    return StoreError(f"{where}{text}")


def look_at(path: Path, mode: str) -> None:
    """Refuses what is not ours before SQLite opens it, so that a foreign or newer file is left byte for byte."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        if mode == "read":
            raise StoreUnwritable(
                f"{path}: there is no database yet; `pakrus crawl` or `pakrus run` makes it"
            ) from None
        return
    except OSError as error:
        raise StoreUnwritable(f"{path}: cannot be read: {error.strerror}") from None
    if not head:
        if mode == "read":
            raise StoreCorrupt(f"{path}: is empty; `pakrus crawl` or `pakrus run` fills it")
        return
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        raise StoreCorrupt(
            f"{path}: is no SQLite database; name another file with --db, or put the last backup in its place"
        )
    version, application = struct.unpack(">I", head[60:64])[0], struct.unpack(">I", head[68:72])[0]
    # Both are 0 in a file whose first transaction still lies in its WAL: _ready looks again with SQLite's own eyes.
    if (application or version) and application != APPLICATION_ID:
        raise StoreCorrupt(f"{path}: is another program's database; name another file with --db")
    _refuse_newer(path, version)


def _refuse_newer(path: Path, version: int) -> None:
    if version > SCHEMA:
        raise StoreTooNew(f"{path}: has schema {version}, this version knows up to {SCHEMA}; upgrade pakrus")


def connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={'ro' if mode == 'read' else 'rwc'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=WAIT_S, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def take_lock(path: Path, holder: str) -> IO[str]:
    """The lock of the long writers: a file beside the database that the kernel frees when its holder dies."""
    lock_path = path.with_name(path.name + ".lock")
    try:
        file = lock_path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreUnwritable(f"{lock_path}: cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        who = file.read(200).strip() or "another process"
        file.close()
        raise StoreBusy(f"{path}: {who} holds the database; stop it, or wait until it is done") from None
    file.seek(0)
    file.truncate()
    file.write(f"`pakrus {holder}` (process {os.getpid()}, since {utc_text(datetime.now(UTC))})\n")
    file.flush()
    return file


def drop_lock(lock: IO[str] | None) -> None:
    if lock is not None:
        lock.seek(0)
        lock.truncate()
        lock.close()  # closing frees the flock; the empty file stays, so that nobody locks a deleted name


class Store:
    """One open database. The attributes are the drawers: one class a drawer, each in its own module."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, mode: str, lock: IO[str] | None) -> None:
        self.path = path
        self.connection = connection
        self.mode = mode
        self._lock = lock
        self._depth = 0

    def _ready(self) -> None:
        """Sets the connection up and brings the schema to our version, or refuses."""
        run = self.connection.execute
        run("PRAGMA foreign_keys = ON")
        run("PRAGMA cache_size = -16000")
        version = run("PRAGMA user_version").fetchone()[0]
        application = run("PRAGMA application_id").fetchone()[0]
        tables = run("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and application != APPLICATION_ID:
            raise StoreCorrupt(f"{self.path}: is another program's database; name another file with --db")
        _refuse_newer(self.path, version)
        if self.mode == "read":
            if version < SCHEMA:
                raise StoreError(f"{self.path}: has schema {version} of {SCHEMA}; `pakrus migrate` brings it up")
            return
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # WAL: a killed process loses nothing; a power cut at most the last second
        run("PRAGMA journal_size_limit = 67108864")
        if version < SCHEMA:
            from store.schema import migrate

            if version:
                from store.backup import backup

                backup(self.path, copy_before(self.path), schema=version)
            migrate(self.connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nested ones join the outer. Raises StoreError where SQLite refuses."""
        if self._depth:
            yield
            return
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise translate(error, self.path) from None
        self._depth = 1
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException as error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise translate(error, self.path) from error
            raise
        finally:
            self._depth = 0

    def close(self) -> None:
        self.connection.close()
        drop_lock(self._lock)
        self._lock = None

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Each drawer is imported when it is first opened: `status` reads two of them.

    @cached_property
    def sources(self) -> "Sources":
        from store.sources import Sources

        return Sources(self)

    @cached_property
    def hosts(self) -> "Hosts":
        from store.hosts import Hosts

        return Hosts(self)

    @cached_property
    def frontier(self) -> "Frontier":
        from store.frontier import Frontier

        return Frontier(self)

    @cached_property
    def documents(self) -> "Documents":
        from store.documents import Documents

        return Documents(self)

    @cached_property
    def articles(self) -> "Articles":
        from store.articles import Articles

        return Articles(self)

    @cached_property
    def stories(self) -> "Stories":
        from store.stories import Stories

        return Stories(self)

    @cached_property
    def visits(self) -> "Visits":
        from store.visits import Visits

        return Visits(self)

    @cached_property
    def marks(self) -> "Marks":
        from store.marks import Marks

        return Marks(self)

    @cached_property
    def digests(self) -> "Digests":
        from store.digests import Digests

        return Digests(self)

    @cached_property
    def archives(self) -> "Archives":
        from store.archives import Archives

        return Archives(self)

    @cached_property
    def deliveries(self) -> "Deliveries":
        from store.deliveries import Deliveries

        return Deliveries(self)

    @cached_property
    def alerts(self) -> "Alerts":
        from store.alerts import Alerts

        return Alerts(self)

    # Small things that have no drawer of their own.

    def note(self, key: str, value: str) -> None:
        """Keeps one fact about the database itself (table `meta`)."""
        self.connection.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def noted(self, key: str) -> str | None:
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row["value"])
