"""The machine that pakrus runs on, against it: disks, files, clocks, locales, lines, and what stands in feeds.yaml.

The expectations are in tests/cases/environment/. A world is a function here that crawls in its own way.
"""

import contextlib
import os
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from store.connection import open_store
from tests.hostile_newsroom import NOW, Memory, family, pakrus, story
from tests.newsroom import Answer, Newsroom, article, item

CASES = Path(__file__).parent / "cases" / "environment"
CRAWLS = yaml.safe_load((CASES / "crawls.yaml").read_text("utf-8"))
CONFIGS = yaml.safe_load((CASES / "configs.yaml").read_text("utf-8"))


@dataclass
class World:
    """Papers to crawl, and a folder to crawl them into."""

    newsroom: Newsroom
    folder: Path
    sources: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    resolve: dict[str, str] | None = None

    def paper(self, name: str, articles: int) -> None:
        site = self.newsroom.site(f"{name}.test")
        items = []
        for n in range(articles):
            title, lines = story(f"{name} {n}")
            site.page(f"/{n}", article(title, lines))
            items.append(item(title, f"/{n}"))
        site.feed("/rss", items)
        self.sources.append({"id": name, "url": site.url("/rss"), "kind": "feed", "country": "PK"})

    def write(self) -> None:
        resolve = self.newsroom.resolve() if self.resolve is None else self.resolve
        crawl = {
            "per_host_delay": "0s",
            "timeout": "3s",
            "allow_private_addresses": ["127.0.0.0/8"],
            "resolve": resolve,
        }
        value = {"database": "news.db", "crawl": {**crawl, **self.settings}, "sources": self.sources}
        (self.folder / "feeds.yaml").write_text(yaml.safe_dump(value), "utf-8")

    def start(self, *more: str, **how: Any) -> subprocess.Popen[str]:
        self.write()
        now = () if "--now" in more else ("--now", NOW.isoformat())
        return pakrus(self.folder, "crawl", "--all", *now, *more, **how)

    def crawl(self, *more: str, **how: Any) -> tuple[int, str, str]:
        with self.start(*more, **how) as process:
            out, error = process.communicate(timeout=120)
        return process.returncode, out, error

    @contextlib.contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.folder / "news.db")
        try:
            yield connection
        finally:
            connection.close()

    def failures(self) -> float:
        with self.reader() as database:
            return float(database.execute("SELECT sum(consecutive_failures) FROM sources").fetchone()[0])


Ended = tuple[int, str, str]  # code, standard output, standard error


def calm(world: World) -> Ended:
    return world.crawl()


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    made = subprocess.run(["mount", "-t", "tmpfs", *options, "none", str(folder)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def full_disk(world: World) -> Ended:
    small = world.folder / "small"
    small.mkdir()
    with mounted(small, "-o", "size=360k"):
        ended = world.crawl("--db", str(small / "news.db"))
        whole = sqlite3.connect(small / "news.db")
        assert whole.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        whole.close()
    return ended


def file_size_limit(world: World) -> Ended:
    return world.crawl(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000)))


def read_only(world: World) -> Ended:
    other = world.folder / "other"
    other.mkdir()
    with mounted(other):
        assert world.crawl("--db", str(other / "news.db"))[0] == 0
        before = (other / "news.db").read_bytes()
        subprocess.run(["mount", "-o", "remount,ro", str(other)], check=True)
        ended = world.crawl("--db", str(other / "news.db"))
        assert (other / "news.db").read_bytes() == before
    return ended


def spoiled_pages(world: World) -> Ended:
    assert world.crawl()[0] == 0
    path = world.folder / "news.db"
    data = bytearray(path.read_bytes())
    data[4096:-1] = b"\xa5" * (len(data) - 4097)
    path.write_bytes(data)
    return world.crawl()


def cut_database(world: World) -> Ended:
    assert world.crawl()[0] == 0
    os.truncate(world.folder / "news.db", (world.folder / "news.db").stat().st_size // 2 // 4096 * 4096)
    return world.crawl()


def folder_database(world: World) -> Ended:
    (world.folder / "news.db").mkdir()
    return world.crawl()


def foreign_writer(world: World) -> Ended:
    assert world.crawl("--source", "courier")[0] == 0
    writer = sqlite3.connect(world.folder / "news.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with world.start() as process:
        time.sleep(2.0)
        writer.execute("COMMIT")
        writer.close()
        out, error = process.communicate(timeout=60)
    return process.returncode, out, error


def long_reader(world: World) -> Ended:
    assert world.crawl("--source", "courier")[0] == 0
    with world.reader() as database:
        database.execute("BEGIN")
        before = database.execute("SELECT count(*) FROM entries").fetchone()
        world.paper("late", 2)
        ended = world.crawl()
        assert database.execute("SELECT count(*) FROM entries").fetchone() == before
        database.execute("COMMIT")
        assert database.execute("SELECT count(*) FROM entries").fetchone()[0] == before[0] + 4
    return ended


def second_crawl(world: World) -> Ended:
    world.newsroom.site("courier.test").answers("/slow", [Answer(200, {}, b"", delay_s=8.0)])
    world.sources.append({"id": "slow", "url": "http://courier.test/slow", "kind": "feed"})
    with world.start() as first:
        until = time.monotonic() + 30
        while not (world.folder / "news.db.lock").exists() or not (world.folder / "news.db.lock").read_text():
            assert time.monotonic() < until
            time.sleep(0.02)
        ended = world.crawl()
        assert first.wait(60) == 0
    world.sources.pop()
    return ended


def few_files(world: World) -> Ended:
    for n in range(40):
        world.paper(f"paper-{n}", 1)
    return world.crawl(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))


def workers_killed(world: World) -> Ended:
    with world.start() as process:
        killed = 0
        while process.poll() is None and killed < 4:
            for pid in family(process.pid)[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                killed += 1
            time.sleep(0.3)
        out, error = process.communicate(timeout=60)
    assert killed
    world.crawl("--now", (NOW + timedelta(minutes=15)).isoformat())  # a page that was lost is tried again
    return process.returncode, out, error


def c_locale(world: World) -> Ended:
    world.sources[0]["name"] = "Российская газета — روزنامہ"
    return world.crawl(env={"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})


def ascii_streams(world: World) -> Ended:
    return world.crawl(env={"PYTHONIOENCODING": "ascii", "LC_ALL": "POSIX"})


def _shell(world: World, line: str) -> Ended:
    world.write()
    command = f"{sys.executable} -m crawler crawl --all --now {NOW.isoformat()} {line}"
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command], cwd=world.folder, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def no_streams(world: World) -> Ended:
    return _shell(world, "<&- >&- 2>&-")


def reader_leaves(world: World) -> Ended:
    return _shell(world, "| head -c 1 >/dev/null")


def full_output(world: World) -> Ended:
    return _shell(world, ">/dev/full")


def no_home(world: World) -> Ended:
    nowhere = str(world.folder / "nowhere")
    return world.crawl(env={"HOME": nowhere, "TMPDIR": nowhere, "XDG_CACHE_HOME": nowhere})


def clock_back(world: World) -> Ended:
    world.newsroom.site("courier.test").answers("/1", [Answer(500), Answer(500)])
    assert world.crawl("--now", (NOW + timedelta(days=365)).isoformat())[0] == 0
    title, lines = story("courier 1")
    world.newsroom.site("courier.test").page("/1", article(title, lines))
    return world.crawl()


clock_ahead = clock_back


def no_names(world: World) -> Ended:
    world.resolve = {}
    for n, source in enumerate(world.sources):
        source["url"] = f"http://paper-{n}.invalid/rss"
    ended = world.crawl()
    assert world.failures() == 0
    return ended


def nobody_there(world: World) -> Ended:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        world.resolve = {host: f"127.0.0.1:{closed.getsockname()[1]}" for host in world.newsroom.resolve()}
        ended = world.crawl()
    assert world.failures() == 0
    world.resolve = None
    return ended


def outage(world: World) -> Ended:
    """The gate that all papers are behind closes after so many connections."""
    for n in range(40):
        world.paper(f"paper-{n}", 1)
    with Gate(world.newsroom.port, closes_after=20) as gate:
        world.resolve = dict.fromkeys(world.newsroom.resolve(), f"127.0.0.1:{gate.port}")
        ended = world.crawl()
    assert world.failures() <= 0.25 * 16  # what was under way when it closed, at most
    with world.reader() as database:
        assert database.execute("SELECT count(*) FROM sources WHERE last_visit_at IS NULL").fetchone()[0] > 5
    world.resolve = None
    return ended


class Gate:
    """Passes connections on to a port until it has passed on so many; from then on they are refused."""

    def __init__(self, to: int, *, closes_after: int) -> None:
        code = (
            "import asyncio, sys\n"
            "async def main(to, most):\n"
            "    passed = 0\n"
            "    async def pipe(r, w):\n"
            "        while data := await r.read(65536):\n"
            "            w.write(data); await w.drain()\n"
            "        w.close()\n"
            "    async def one(r, w):\n"
            "        nonlocal passed\n"
            "        passed += 1\n"
            "        if passed > most: sys.exit(0)\n"
            "        r2, w2 = await asyncio.open_connection('127.0.0.1', to)\n"
            "        await asyncio.gather(pipe(r, w2), pipe(r2, w), return_exceptions=True)\n"
            "    server = await asyncio.start_server(one, '127.0.0.1', 0)\n"
            "    print(server.sockets[0].getsockname()[1], flush=True)\n"
            "    await server.serve_forever()\n"
            f"asyncio.run(main({to}, {closes_after}))\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def three_dead(world: World) -> Ended:
    for n in range(3):
        world.newsroom.site(f"dead-{n}.test").down()
        world.sources.append({"id": f"dead-{n}", "url": f"http://dead-{n}.test/rss", "kind": "feed"})
    ended = world.crawl()
    ended = world.crawl("--now", (NOW + timedelta(hours=1)).isoformat())
    with world.reader() as database:
        charged = database.execute(
            "SELECT count(*) FROM visits WHERE source_id LIKE 'dead-%' AND outcome = 'failed'"
        ).fetchone()[0]
    assert charged == 6
    return ended


WORLDS: dict[str, Callable[[World], Ended]] = {
    one.__name__: one
    for one in (
        calm, full_disk, file_size_limit, read_only, spoiled_pages, cut_database, folder_database, foreign_writer,
        long_reader, second_crawl, few_files, workers_killed, c_locale, ascii_streams, no_streams, reader_leaves,
        full_output, no_home, clock_back, no_names, nobody_there, outage, three_dead,
    )
} | {"clock_ahead": clock_ahead}  # fmt: skip


@pytest.mark.parametrize("case", CRAWLS, ids=lambda case: str(case["name"]))
def test_a_crawl(case: dict[str, Any], tmp_path: Path) -> None:
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    with Newsroom() as newsroom:
        world = World(newsroom, tmp_path)
        world.paper("courier", 4)
        world.paper("vestnik", 2)
        code, out, error = WORLDS[case["world"]](world)
        assert code in case["exit"], out + error
        assert "Traceback" not in error, error
        assert re.search(case.get("says", ""), error), error
        if "then" in case:
            assert world.crawl("--now", (NOW + timedelta(minutes=20)).isoformat())[0] == 0
            with world.reader() as database:
                counts = dict(database.execute("SELECT state, count(*) FROM entries GROUP BY state"))
                late = 2 if case["world"] == "long_reader" else 0
                assert counts == {"kept": case["then"] + late}
            with open_store(tmp_path / "news.db", mode="read") as store:
                from crawler.reports import audit

                assert audit.report(store, day=None, zone=NOW.tzinfo)["unexplained"] == 0  # type: ignore[arg-type]


# --- feeds.yaml -------------------------------------------------------------------------------------------------------


def _laughs() -> str:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


MAKE: dict[str, Callable[[], bytes]] = {
    "laughs": lambda: (_laughs() + "database: *a11\nsources: []\n").encode(),
    "laughs_resolve": lambda: (_laughs() + "crawl: {resolve: {a.test: *a11, b.test: *a11}}\nsources: []\n").encode(),
    "laughs_key": lambda: (_laughs() + "? *a11\n: 1\ncrawl: {resolve: {? *a11 : x}}\nsources: []\n").encode(),
    "laughs_sources": lambda: (_laughs() + "sources: *a11\n").encode(),
    "deep_lists": lambda: b"sources: " + b"[" * 100_000 + b"]" * 100_000,
    "deep_mappings": lambda: b"sources: " + b"{a: " * 10_000 + b"1" + b"}" * 10_000,
    "large": lambda: b"sources: []\n" + b"# x\n" * 1_250_000,
    "latin": lambda: b"sources: []\n# caf\xe9\n",
}


@pytest.mark.parametrize("case", CONFIGS, ids=lambda case: str(case["name"]))
def test_a_config_that_is_none(case: dict[str, Any], tmp_path: Path) -> None:
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "feeds.yaml").write_bytes(MAKE[case["make"]]() if "make" in case else case["text"].encode())
    with pakrus(tmp_path, "crawl") as process:
        memory = Memory(process.pid)
        out, error = process.communicate(timeout=60)
        peak = memory.end()
    assert process.returncode == 2, (process.returncode, error[-2000:])
    assert re.match(r"feeds\.yaml:\d+: \S+: ", error), error[:500]
    assert out == ""
    assert len(error) < 20_000
    assert "hunter2" not in error
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", error)
    assert peak < 200 * 2**20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feeds.yaml", "home", "tmp"]


def test_no_socket_listens_while_it_crawls(tmp_path: Path) -> None:
    with Newsroom() as newsroom:
        for name in ("home", "tmp"):
            (tmp_path / name).mkdir()
        world = World(newsroom, tmp_path)
        world.paper("courier", 4)
        newsroom.site("courier.test").answers("/slow", [Answer(200, {}, b"", delay_s=1.0)])
        world.sources.append({"id": "slow", "url": "http://courier.test/slow", "kind": "feed"})
        found = set[str]()
        with world.start() as process:
            while process.poll() is None:
                found |= {one for pid in family(process.pid) for one in _listening(pid)}
                time.sleep(0.02)
            process.communicate()
        assert process.returncode == 0
        assert found == set()


def _listening(pid: int) -> set[str]:
    try:
        mine = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
        lines = [
            line.split()
            for name in ("tcp", "tcp6")
            for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()
        ]
    except OSError:  # it has ended meanwhile
        return set()
    return {parts[1] for parts in lines if parts[3] == "0A" and f"socket:[{parts[9]}]" in mine}
