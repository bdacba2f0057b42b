"""Broken installations, each made here, are recognised, with what to type; nothing is changed by looking."""

import hashlib
import importlib.metadata
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.lexicon import compiled
from crawler.reports import doctor
from store.backup import backup
from store.connection import SCHEMA, open_store
from tests.builders import NOON, world
from tests.test_backup import HOLDER, WRITER, other, spoil
from tests.test_cli import pakrus

YAML = """
crawl: {contact: "https://monitor.test/about"}
sources:
  - {id: courier, url: "http://courier.test/rss", kind: feed, country: PK}
"""


class Sound(doctor.Machine):
    """A computer on which nothing is wrong; what a test names differs."""

    def __init__(self, **different: Any) -> None:
        self.different = different

    def _answer(self, name: str, sound: Any) -> Any:
        value = self.different.get(name, sound)
        if isinstance(value, Exception):
            raise value
        return value

    def room(self, folder: Path) -> int:
        return int(self._answer("room", 50_000_000_000))

    def writable(self, path: Path) -> bool:
        return path.name not in self.different.get("read_only", ())

    def mounts(self) -> str:
        return str(self._answer("mounts", "/dev/vda1 / ext4 rw 0 0\n"))

    def zone(self, name: str) -> None:
        if name in self.different.get("no_zone", ()):
            raise FileNotFoundError(name)

    def resolve(self, host: str) -> None:
        self._answer("resolve", None)

    def certificates(self) -> bool:
        return bool(self._answer("certificates", True))

    def sqlite(self) -> tuple[int, ...]:
        return tuple(self._answer("sqlite", (3, 45, 0)))

    def fts5(self) -> bool:
        return bool(self._answer("fts5", True))

    def extras(self) -> Mapping[str, Sequence[str]]:
        return dict(self._answer("extras", {"pdf": []}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound installation: a config, a database that was written, a fresh copy of it."""
    (tmp_path / "var").mkdir()
    (tmp_path / "feeds.yaml").write_text(YAML, "utf-8")
    with world(tmp_path / "var") as app:
        app.store.connection.execute(
            "INSERT INTO visits (source_id, started_at, outcome) VALUES ('courier', '2026-11-25T11:00:00Z', 'new')"
        )
    copy = backup(tmp_path / "var" / "news.db", tmp_path / "var" / "copy.db")
    os.utime(copy.path, (NOON.timestamp(), NOON.timestamp()))
    return tmp_path


def examine(folder: Path, **different: Any) -> dict[str, Any]:
    now = different.pop("now", NOON)
    return doctor.report(config_file=folder / "feeds.yaml", database=None, now=now, machine=Sound(**different))


def told(value: dict[str, Any], *levels: str) -> list[tuple[str, str, str, str]]:
    return [
        (f["level"], f["name"], f["what"], f["remedy"])
        for f in value["findings"]
        if f["level"] in (levels or ("fail",))
    ]


def test_sound_installation_has_nothing_to_mend(folder: Path) -> None:
    value = examine(folder)
    assert told(value, "fail", "warn") == []
    assert value["failed"] == 0
    assert doctor.lines(value).endswith("0 to mend, 0 to know")


def db(folder: Path) -> Path:
    return folder / "var" / "news.db"


def pragma(text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with closing(sqlite3.connect(db(folder))) as connection:
            connection.execute(f"PRAGMA {text}")

    return change


def config(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "feeds.yaml").write_text(text, "utf-8") and None  # type: ignore[func-returns-value]


def nothing(_: Path) -> None:
    pass


def large_wal(folder: Path) -> None:
    with (folder / "var" / "news.db-wal").open("wb") as file:
        file.truncate(300_000_000)  # sparse; without a valid header SQLite takes it for empty


def old_copy(folder: Path) -> None:
    at = (NOON - timedelta(days=30)).timestamp()
    os.utime(folder / "var" / "copy.db", (at, at))


def file_for_folder(folder: Path) -> None:
    shutil.rmtree(folder / "var")
    (folder / "var").write_text("no folder", "utf-8")


BROKEN: list[tuple[str, Callable[[Path], object], dict[str, Any], str, str, str, str]] = [
    # name, how it is broken, what the computer answers, level, finding, what it says, what to type
    ("config with mistakes", config("sources: [{id: a}]\nfoo: 1"), {}, "fail", "config", "foo", "edit "),
    ("config that is no YAML", config("a: [\n"), {}, "fail", "config", "yaml", "edit "),
    ("no config", lambda f: (f / "feeds.yaml").unlink(), {}, "fail", "config", "no such file", "edit "),
    ("example's contact", config("sources: []"), {}, "warn", "config", "contact", "edit "),
    ("database gone", lambda f: db(f).unlink(), {}, "fail", "database", "is gone", "pakrus restore "),
    ("no database yet", lambda f: shutil.rmtree(f / "var"), {}, "warn", "database", "none yet", "pakrus crawl"),
    ("database empty", lambda f: db(f).write_bytes(b""), {}, "fail", "database", "is empty", "pakrus restore "),
    ("database damaged", lambda f: spoil(db(f)), {}, "fail", "database", "news.db: ", "pakrus restore "),
    (
        "no SQLite",
        lambda f: db(f).write_bytes(b"x" * 500),
        {},
        "fail",
        "database",
        "no SQLite database",
        "pakrus restore",
    ),
    ("another's database", pragma("application_id = 7"), {}, "fail", "database", "another program's", "--db FILE"),
    ("newer database", pragma("user_version = 999"), {}, "fail", "database", "schema 999", "pip install --upgrade"),
    (
        "older database",
        pragma("user_version = 0"),
        {},
        "fail" if SCHEMA == 0 else "warn",
        "database",
        "has schema 0",
        "pakrus migrate",
    ),
    (
        "database not ours to write",
        nothing,
        {"read_only": ["news.db"]},
        "fail",
        "permissions",
        "may not be written",
        "chown",
    ),
    ("folder not ours to write", nothing, {"read_only": ["var"]}, "fail", "folder", "no file can be made", "chown"),
    ("file where the folder should be", file_for_folder, {}, "fail", "folder", "no file can be made", "chown"),
    ("disk full", nothing, {"room": 1_000_000}, "fail", "disk", "0.0 GB free", "make room"),
    ("disk nearly full", nothing, {"room": 900_000_000}, "warn", "disk", "0.9 GB free", "make room"),
    (
        "clock behind",
        nothing,
        {"now": NOON - timedelta(days=400)},
        "fail",
        "clock",
        "2025-10-21T12:00:00Z",
        "timedatectl",
    ),
    ("no zone data", nothing, {"no_zone": ["Asia/Karachi"]}, "fail", "time zones", "Asia/Karachi", "tzdata"),
    ("offline", nothing, {"resolve": OSError("no name service")}, "warn", "dns", "courier.test: no name", "getent"),
    ("no authorities", nothing, {"certificates": False}, "fail", "certificates", "no authority", "ca-certificates"),
    (
        "ca_file missing",
        config(YAML.replace('about"', 'about", ca_file: x.pem')),
        {},
        "fail",
        "certificates",
        "x.pem",
        "PEM",
    ),
    (
        "network disk",
        nothing,
        {"mounts": "/dev/a / ext4 rw 0 0\nsrv:/x {folder} nfs4 rw 0 0"},
        "fail",
        "file system",
        "nfs4",
        "--db",
    ),
    ("SQLite too old", nothing, {"sqlite": (3, 7, 17)}, "fail", "sqlite", "3.7.17 is older", "newer SQLite"),
    ("SQLite without FTS5", nothing, {"fts5": False}, "fail", "sqlite", "lacks FTS5", "newer SQLite"),
    (
        "extra missing",
        nothing,
        {"extras": {"pdf": ["pypdf"]}},
        "warn",
        "extra pdf",
        "pypdf not installed",
        "pip install 'pakrus[pdf]'",
    ),
    ("large WAL", large_wal, {}, "warn", "wal", "300 MB", "end old readers"),
    ("old copy", old_copy, {}, "warn", "backup", "2026-10-26", "pakrus backup"),
    ("no copy", lambda f: (f / "var" / "copy.db").unlink(), {}, "warn", "backup", "no copy", "pakrus backup"),
    ("unknown topic", config("topic: moon-mars\n" + YAML), {}, "fail", "lexicon", "moon-mars", "edit "),
]


@pytest.mark.parametrize(
    ("spoil_", "different", "level", "name", "what", "remedy"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_broken_installation_is_recognised(
    folder: Path,
    spoil_: Callable[[Path], object],
    different: dict[str, Any],
    level: str,
    name: str,
    what: str,
    remedy: str,
) -> None:
    spoil_(folder)
    if "mounts" in different:
        different = {"mounts": different["mounts"].format(folder=folder)}
    before = state(folder)
    value = examine(folder, **different)
    found = [f for f in told(value, level) if f[1] == name and what in f[2]]
    assert found, told(value, "fail", "warn")
    assert remedy in found[0][3]
    others = {f[1] for f in told(value, "fail")} - {name}
    assert not others & {"sqlite", "dns", "clock", "time zones"}, "finds what is not there"
    assert state(folder) == before, "something was changed"


def state(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() if p.stat().st_size < 1e8 else "large"
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_stale_and_spoiled_lexicon(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = compiled.stored()
    assert table is not None
    file = tmp_path / "compiled.json.gz"
    monkeypatch.setattr(compiled, "FILE", file)
    stored = compiled.stored
    monkeypatch.setattr(compiled, "stored", lambda: stored(file))
    compiled.write({**table, "hash": "other"}, file)
    assert told(examine(folder), "warn", "fail")[0][:2] == ("warn", "lexicon")
    file.write_bytes(b"\x1f\x8b broken")
    (found,) = told(examine(folder))
    assert found[:2] == ("fail", "lexicon")
    assert "python -m crawler.lexicon" in found[3]


SITTER = """
import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE"); print("sitting"); time.sleep(60)
"""


def test_program_that_sits_on_a_transaction_is_named(folder: Path) -> None:
    with other(SITTER, db(folder)) as sitter:
        (found,) = told(examine(folder))
        assert found[:2] == ("fail", "locked")
        assert f"process {sitter.pid} (python" in found[2]
        assert found[3] == f"kill {sitter.pid}"
    assert told(examine(folder)) == []


def test_running_daemon_and_reader_are_no_fault(folder: Path) -> None:
    with other(HOLDER, db(folder)), other(WRITER, db(folder)) as daemon:
        value = examine(folder)
        assert told(value) == []
        assert next(f[2] for f in told(value, "ok") if f[1] == "writer").startswith(
            f"`pakrus run` (process {daemon.pid}"
        )
        daemon.kill()
        daemon.wait()
        (found,) = told(examine(folder), "warn")
        assert found[1:2] + found[3:] == ("writer", "pakrus run")
    with open_store(db(folder), mode="write"):
        pass
    assert told(examine(folder), "warn", "fail") == []


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        ("/dev/a / ext4 rw\nx /srv fuse.sshfs rw\n", "fuse.sshfs"),
        ("/dev/a / ext4 rw\nx /srv cifs rw\n/dev/b /srv/data xfs rw\n", "xfs"),
        ("/dev/a / ext4 rw\nx /srv/da cifs rw\n", "ext4"),
        ("/dev/a / ext4 rw\n//s/a\\040b /srv/data/two\\040words smb3 rw\n", "smb3"),
        ("/dev/a / ext4 rw\nauto /srv autofs rw\ns:/x /srv nfs rw\n", "nfs"),
        ("rubbish\n", ""),
    ],
)
def test_mount_of_a_folder(mounts: str, kind: str) -> None:
    assert doctor._file_system(Path("/srv/data/two words/var"), mounts) == kind


def test_slow_resolver_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    end = threading.Event()
    monkeypatch.setattr(doctor, "WAIT_DNS_S", 0.05)
    monkeypatch.setattr(Sound, "resolve", lambda *_: end.wait(20) and None)
    (found,) = told(examine(folder), "warn")
    end.set()
    assert "no answer within" in found[2]


def test_real_machine_answers() -> None:
    on = doctor.Machine()
    assert on.fts5()
    assert on.sqlite() >= doctor.OLDEST_SQLITE
    assert on.room(Path("/")) > 0
    on.zone("Asia/Karachi")
    with pytest.raises((OSError, KeyError)):
        on.zone("Mars/Olympus")
    assert isinstance(on.certificates(), bool)


def test_extras_are_those_of_the_installed_program(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["click>=8.2", 'click>=8; extra == "a"', "no-such-package>=1; extra == 'b-c'", 'x[y]>=2 ; extra == "b-c"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: wanted)
    assert doctor.Machine().extras() == {"a": [], "b-c": ["no-such-package", "x"]}


@pytest.fixture
def shown(folder: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    yield pakrus("doctor", "--config", folder / "feeds.yaml", "--json", "--now", "2026-11-25T12:00:00Z")


def test_command_line(shown: subprocess.CompletedProcess[str], folder: Path) -> None:
    value = json.loads(shown.stdout)
    assert shown.returncode == (1 if value["failed"] else 0)
    (folder / "feeds.yaml").write_text("nonsense: 1\n", "utf-8")
    result = pakrus("doctor", "--config", folder / "feeds.yaml")
    assert result.returncode == 1
    assert "fail  config: " in result.stdout
    assert "-> edit" in result.stdout
    assert "Traceback" not in result.stderr
