"""`pakrus doctor`: what is wrong with an installation and what to type. It changes nothing, and asks the network only
whether names resolve."""

import fcntl
import importlib.metadata
import os
import re
import shutil
import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crawler.config import Config, find_config, packaged_config, read_config
from crawler.errors import UsageError
from crawler.terminal import plain
from store.connection import APPLICATION_ID, SCHEMA, look_at
from store.errors import StoreError, StoreTooNew
from store.locks import writer_of
from store.records import utc_text, utc_time

OLDEST_SQLITE = (3, 35, 0)
ZONES = ("UTC", "Asia/Karachi", "Europe/Moscow")
NETWORKED = re.compile(
    r"^(nfs\d?|cifs|smb\w*|9p|afs|ceph|glusterfs|lustre|fuse\.(sshfs|rclone|s3fs|gcsfuse|davfs\w*))$"
)
LARGE_WAL = 256_000_000  # the daemon cuts it to 64 MB each hour
NO_ROOM, LITTLE_ROOM = 200_000_000, 2_000_000_000
AHEAD = timedelta(minutes=10)  # a database that was last written so far in the future
OLD_BACKUP = timedelta(days=7)
WAIT_DNS_S = 5.0
EXTRAS = {"pdf": "pages that are PDF are not read"}  # what a default installation feels the want of


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    level: str  # ok | warn | fail
    name: str  # what was looked at; stable, for scripts
    what: str
    remedy: str = ""  # what to type


class Machine:
    """What is asked of the computer; tests put another one in its place."""

    def room(self, folder: Path) -> int:
        """Free bytes for us on the disk of a folder."""
        return shutil.disk_usage(folder).free

    def writable(self, path: Path) -> bool:
        return os.access(path, os.W_OK)

    def mounts(self) -> str:
        file = Path("/proc/self/mounts")
        return file.read_text("utf-8", errors="replace") if file.exists() else ""

    def zone(self, name: str) -> None:
        """Raises OSError, ValueError or KeyError where the zone's data is missing or spoiled."""
        ZoneInfo.no_cache(name)

    def resolve(self, host: str) -> None:
        """Raises OSError where the name is not known or nobody answers."""
        socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)

    def certificates(self) -> bool:
        """Whether there is any authority to trust."""
        if ssl.create_default_context().cert_store_stats()["x509_ca"]:
            return True
        folder = ssl.get_default_verify_paths().capath  # its files are read when they are needed
        return folder is not None and any(Path(folder).glob("*.0"))

    def sqlite(self) -> tuple[int, ...]:
        return sqlite3.sqlite_version_info

    def fts5(self) -> bool:
        try:
            with closing(sqlite3.connect(":memory:")) as connection:
                connection.execute("CREATE VIRTUAL TABLE t USING fts5 (a)")
        except sqlite3.OperationalError:
            return False
        return True

    def extras(self) -> Mapping[str, Sequence[str]]:
        """Per extra of this program the packages of it that are not installed."""
        out: dict[str, list[str]] = {}
        try:
            wanted = importlib.metadata.requires("pakrus") or []
        except importlib.metadata.PackageNotFoundError:
            return {}  # a checkout that was never installed
        for line in wanted:
            match = re.match(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]", line)
            if match:
                missing = out.setdefault(match[2], [])
                try:
                    importlib.metadata.version(match[1])
                except importlib.metadata.PackageNotFoundError:
                    missing.append(match[1])
        return out


def report(
    *, config_file: Path | None, database: Path | None, now: datetime, machine: Machine | None = None
) -> dict[str, Any]:
    """Every finding, and whether anything fails. Never raises for what is broken."""
    on = machine or Machine()
    findings: list[Finding] = []
    config, base = _config(config_file, findings)
    path = database or (config or Config(base=base)).database_path
    findings += _sqlite(on)
    findings += _database(path, now, on)
    findings += _folder(path, on)
    findings += _zones(config, on)
    findings += _network(config, on)
    findings += _certificates(config, on)
    findings += _lexicon(config)
    findings += _extras(config, on)
    failed = sum(f.level == "fail" for f in findings)
    rows = [{"level": f.level, "name": f.name, "what": f.what, "remedy": f.remedy} for f in findings]
    return {"at": utc_text(now), "database": str(path), "findings": rows, "failed": failed}


def lines(value: dict[str, Any]) -> str:
    out = []
    for row in value["findings"]:
        remedy = f"  -> {plain(row['remedy'])}" if row["remedy"] else ""
        out.append(f"{row['level']:<4}  {row['name']}: {plain(row['what'])}{remedy}")
    warned = sum(row["level"] == "warn" for row in value["findings"])
    out.append(f"{value['failed']} to mend, {warned} to know")
    return "\n".join(out)


# --- feeds.yaml


def _config(given: Path | None, findings: list[Finding]) -> tuple[Config | None, Path]:
    path, base = find_config(given)
    try:
        config = read_config(path, base)
    except UsageError as error:
        for mistake in str(error).splitlines():
            findings.append(Finding(level="fail", name="config", what=mistake, remedy=f"edit {path}"))  # noqa: PERF401
        return None, base
    if path == packaged_config():
        findings.append(
            Finding(level="warn", name="config", what="there is no feeds.yaml here, the packaged one counts",
                    remedy="pakrus init")
        )  # fmt: skip
    elif "example.org" in config.crawl.contact:
        findings.append(
            Finding(level="warn", name="config", what="crawl.contact is not yours: sites cannot reach you",
                    remedy=f"edit {path}")
        )  # fmt: skip
    else:
        findings.append(Finding(level="ok", name="config", what=f"{path}: {len(config.sources)} sources"))
    return config, base


# --- SQLite and the database


def _sqlite(on: Machine) -> Iterator[Finding]:
    version = ".".join(map(str, on.sqlite()))
    newer = "install a Python from python.org or your distribution, made with a newer SQLite"
    if on.sqlite() < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        yield Finding(level="fail", name="sqlite", what=f"SQLite {version} is older than {oldest}", remedy=newer)
    elif not on.fts5():
        yield Finding(level="fail", name="sqlite", what=f"SQLite {version} lacks FTS5, full text search", remedy=newer)
    else:
        yield Finding(level="ok", name="sqlite", what=f"SQLite {version} with FTS5")


def _database(path: Path, now: datetime, on: Machine) -> Iterator[Finding]:
    copies = _copies(path)
    last = copies[-1] if copies else None
    way_back = f"pakrus restore {last}" if last else f"mv {path} {path}.damaged; pakrus crawl"
    if not path.exists():
        if last or path.with_name(path.name + ".lock").exists():
            yield Finding(level="fail", name="database", what=f"{path}: is gone",
                          remedy=way_back if last else "put your backup in its place: pakrus restore FILE")  # fmt: skip
        else:
            yield Finding(level="warn", name="database", what=f"{path}: there is none yet", remedy="pakrus crawl")
        return
    yield from _writers(path)  # first: asking afterwards would free our own locks
    healthy = False
    try:
        if not path.stat().st_size:
            yield Finding(level="fail", name="database", what=f"{path}: is empty", remedy=way_back)
        else:
            look_at(path, "read")
            with closing(_reader(path)) as connection:
                schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
                found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
                healthy = found == ["ok"]
                if not healthy:
                    first = "; ".join(found).splitlines()[0][:200]
                    yield Finding(level="fail", name="database", what=f"{path}: is damaged: {first}", remedy=way_back)
                elif schema < SCHEMA:
                    yield Finding(level="warn", name="database", what=f"{path}: has schema {schema} of {SCHEMA}",
                                  remedy="pakrus migrate")  # fmt: skip
                else:
                    size = path.stat().st_size / 1e6
                    yield Finding(level="ok", name="database", what=f"{path}: {size:.1f} MB, schema {schema}, sound")
                if healthy:
                    yield from _clock(connection, now)
    except StoreTooNew as error:
        yield Finding(level="fail", name="database", what=str(error), remedy="pip install --upgrade pakrus")
    except (StoreError, sqlite3.Error, OSError) as error:
        yield Finding(level="fail", name="database", what=f"{path}: {str(error).removeprefix(f'{path}: ')}",
                      remedy=_remedy(path, error, way_back))  # fmt: skip
    if not on.writable(path):
        yield Finding(level="fail", name="permissions", what=f"{path}: may not be written",
                      remedy=f"sudo chown $USER {path}*; chmod u+w {path}*")  # fmt: skip
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size > LARGE_WAL:
        yield Finding(level="warn", name="wal", what=f"{wal}: {wal.stat().st_size / 1e6:.0f} MB, a reader that never"
                      " ends keeps it from being tidied", remedy="end old readers (Datasette, sqlite3), then wait an"
                      " hour")  # fmt: skip
    yield from _backups(path, copies, now)


def _remedy(path: Path, error: Exception, way_back: str) -> str:
    text = str(error)
    if "another program's" in text:
        return "name yours: --db FILE, or `database` in feeds.yaml"
    if "cannot be read" in text or "Permission" in text:
        return f"sudo chown $USER {path}*"
    if isinstance(error, StoreError) and "locked" in text:
        return "end the program that holds it"
    return way_back


def _reader(path: Path) -> sqlite3.Connection:
    """Without a WAL no one has it open, and SQLite is told not to make one."""
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=5)


def _writers(path: Path) -> Iterator[Finding]:
    """Who holds the lock of the long writers, and whether someone sits on a transaction."""
    lock = path.with_name(path.name + ".lock")
    who, held = "", False
    try:
        with lock.open("r", encoding="utf-8", errors="replace") as file:
            who = file.read(200).strip()
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                held = True
    except OSError:
        who = ""  # never written to, or not ours to read: the check of permissions speaks of that
    if held:
        yield Finding(level="ok", name="writer", what=f"{who or 'another process'} holds the database")
    elif who:
        yield Finding(level="warn", name="writer", what=f"{who} was killed; nothing is lost", remedy="pakrus run")
    sitting = writer_of(path)
    for _ in range(4):
        if sitting is None or held:
            return
        time.sleep(0.25)
        sitting = writer_of(path) and sitting
    if sitting is not None:
        yield Finding(level="fail", name="locked", what=f"{path}: {sitting} keeps all writers waiting",
                      remedy=f"kill {sitting.split()[1]}")  # fmt: skip


def _clock(connection: sqlite3.Connection, now: datetime) -> Iterator[Finding]:
    seen = connection.execute(
        "SELECT max(at) FROM (SELECT max(started_at) AS at FROM visits"
        " UNION ALL SELECT max(first_seen_at) FROM entries)"
    ).fetchone()[0]
    if seen is not None and utc_time(seen) > now + AHEAD:
        yield Finding(level="fail", name="clock", what=f"the clock says {utc_text(now)}, the database was written at"
                      f" {seen}", remedy="sudo timedatectl set-ntp true")  # fmt: skip
    else:
        yield Finding(level="ok", name="clock", what=f"{utc_text(now)}, not before the last visit")


def _copies(path: Path) -> list[Path]:
    """Copies of the database beside it and in `backups` there, oldest first: told by the head of the file."""
    found = []
    for folder in (path.parent, path.parent / "backups"):
        for file in folder.glob("*") if folder.is_dir() else ():
            if file.name == path.name or file.name.startswith(f"{path.name}-") or not file.is_file():
                continue
            try:
                with file.open("rb") as opened:
                    head = opened.read(72)
            except OSError:
                continue  # not ours to read, so no copy that we could restore
            if head[:16] == b"SQLite format 3\0" and int.from_bytes(head[68:72], "big") == APPLICATION_ID:
                found.append(file)
    # What `restore` set aside was replaced for a reason.
    return sorted((f for f in found if ".before-restore-" not in f.name), key=lambda f: f.stat().st_mtime)


def _backups(path: Path, copies: list[Path], now: datetime) -> Iterator[Finding]:
    if not copies:
        yield Finding(level="warn", name="backup", what="no copy of the database lies beside it",
                      remedy=f"pakrus backup {path.parent / 'backups' / path.name}")  # fmt: skip
        return
    made = datetime.fromtimestamp(copies[-1].stat().st_mtime, tz=now.tzinfo)
    level = "warn" if now - made > OLD_BACKUP else "ok"
    yield Finding(level=level, name="backup", what=f"the last one is {copies[-1]}, of {utc_text(made)}",
                  remedy=f"pakrus backup {copies[-1]}" if level == "warn" else "")  # fmt: skip


# --- the computer


def _folder(path: Path, on: Machine) -> Iterator[Finding]:
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not on.writable(folder):
        yield Finding(level="fail", name="folder", what=f"{folder}: no file can be made there",
                      remedy=f"sudo chown $USER {folder}; chmod u+w {folder}")  # fmt: skip
        if not folder.is_dir():
            return
    free = on.room(folder)
    level = "fail" if free < NO_ROOM else "warn" if free < LITTLE_ROOM else "ok"
    what = f"{free / 1e9:.1f} GB free under {folder}"
    yield Finding(
        level=level, name="disk", what=what, remedy="" if level == "ok" else f"make room: du -xh {folder} | sort -h"
    )
    kind = _file_system(folder.resolve(), on.mounts())
    if NETWORKED.match(kind):
        yield Finding(level="fail", name="file system", what=f"{folder}: is on {kind}; SQLite's WAL needs a local disk",
                      remedy="move the database: `database:` in feeds.yaml, or --db FILE")  # fmt: skip
    else:
        yield Finding(level="ok", name="file system", what=kind or "not told by this system")


def _file_system(folder: Path, mounts: str) -> str:
    """The type of the mount that a folder lies on, from the text of /proc/mounts; "" where it tells nothing."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), parts[1]))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), parts[2]
    return kind


def _zones(config: Config | None, on: Machine) -> Iterator[Finding]:
    bad = []
    for name in dict.fromkeys((*ZONES, str(config.timezone) if config else "UTC")):
        try:
            on.zone(name)
        except (OSError, ValueError, KeyError):
            bad.append(name)
    if bad:
        yield Finding(level="fail", name="time zones", what=f"no data for {', '.join(bad)}",
                      remedy="pip install --force-reinstall tzdata")  # fmt: skip
    else:
        yield Finding(level="ok", name="time zones", what="zone data is there")


def _network(config: Config | None, on: Machine) -> Iterator[Finding]:
    if config is None:
        return
    if config.crawl.proxy:
        yield Finding(level="ok", name="dns", what="names are left to the proxy of feeds.yaml")
        return
    hosts = dict.fromkeys(urlsplit(s.url).hostname or "" for s in config.enabled if not s.proxy)
    tried = [h for h in hosts if h and h not in config.crawl.resolve][:3]
    if not tried:
        return
    answers: list[str] = []
    errors: list[str] = []

    def ask(host: str) -> None:
        try:
            on.resolve(host)
            answers.append(host)
        except (OSError, UnicodeError) as error:
            errors.append(str(error))

    # A resolver that is not there may take half a minute to say so; nobody waits for these threads at the end.
    threads = [threading.Thread(target=ask, args=(host,), daemon=True) for host in tried]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + WAIT_DNS_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if answers:
        yield Finding(level="ok", name="dns", what=f"{answers[0]} resolves")
    else:
        reason = errors[0] if errors else f"no answer within {WAIT_DNS_S:.0f} s"
        yield Finding(level="warn", name="dns", what=f"{', '.join(tried)}: {reason}; offline?",
                      remedy=f"getent hosts {tried[0]}; cat /etc/resolv.conf")  # fmt: skip


def _certificates(config: Config | None, on: Machine) -> Iterator[Finding]:
    if not on.certificates():
        yield Finding(level="fail", name="certificates", what="no authority is trusted: every https source will fail",
                      remedy="sudo apt-get install ca-certificates")  # fmt: skip
    else:
        yield Finding(level="ok", name="certificates", what="the store is there")
    if config is None:
        return
    for file in dict.fromkeys((config.crawl.ca_file, *(s.ca_file for s in config.sources))):
        if file is None:
            continue
        try:
            ssl.create_default_context(cafile=str(config.base / file))
        except (OSError, ssl.SSLError) as error:
            yield Finding(level="fail", name="certificates", what=f"ca_file {config.base / file}: {error}",
                          remedy=f"put PEM certificates there, or edit {config.path}")  # fmt: skip


# --- the program


def _lexicon(config: Config | None) -> Iterator[Finding]:
    from crawler.lexicon import compiled
    from crawler.lexicon.slices import HOME, digest, paths

    remedy = "python -m crawler.lexicon"
    try:
        table = compiled.stored()
    except (OSError, EOFError, ValueError) as error:
        yield Finding(level="fail", name="lexicon", what=f"{compiled.FILE}: is spoiled: {error}",
                      remedy=f"rm {compiled.FILE}; {remedy}")  # fmt: skip
        return
    if table is None or table["hash"] != digest(paths([HOME])):
        yield Finding(level="warn", name="lexicon", what="the compiled lexicon is stale: each start compiles it again",
                      remedy=remedy)  # fmt: skip
        return
    yield Finding(level="ok", name="lexicon", what=f"compiled, {len(table['things'])} things")
    if config is not None and config.topic not in table["topics"]:
        yield Finding(level="fail", name="lexicon", what=f"topic {config.topic!r} of feeds.yaml is not in it",
                      remedy=f"edit {config.path}: one of {', '.join(sorted(table['topics']))}")  # fmt: skip


def _extras(config: Config | None, on: Machine) -> Iterator[Finding]:
    wanted = dict(EXTRAS)
    if config is not None and config.digest.send:
        wanted["notify"] = "digests are not sent"
    for extra, missing in sorted(on.extras().items()):
        if missing:
            why = wanted.get(extra)
            yield Finding(level="warn" if why else "ok", name=f"extra {extra}",
                          what=f"{', '.join(missing)} not installed{': ' + why if why else ''}",
                          remedy=f"pip install 'pakrus[{extra}]'")  # fmt: skip
        else:
            yield Finding(level="ok", name=f"extra {extra}", what="installed")
