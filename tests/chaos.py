"""A crawl that everything happens to: the papers of the demo answer at random with faults, the crawl is killed at
random moments, and then it is left in peace. What it comes to in the end must be what an undisturbed crawl comes to.

`tests/test_chaos.py` does this for a few seeds, `benchmarks/chaos.py` for a hundred.
"""

import asyncio
import gzip
import json
import multiprocessing
import os
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

import yaml

from crawler.app import open_app
from crawler.config import Config, read_config
from crawler.demo.newsroom import Newsroom
from crawler.demo.newsroom.server import Answer, Request, Server
from crawler.reports import audit
from crawler.spiders.engine import crawl
from crawler.workers import Pool
from store.connection import SCHEMA

NOW = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
# Sites that take nothing back: an article that is withdrawn before it is read is missed rightly, and differs.
SITES = (
    "awaz-e-lahore", "khyber-monitor", "margalla-post", "karachi-ledger", "national-wire", "chenab-mirror",
    "don-gazette", "volga-telegraph", "baltika-info", "ural-delo", "caspian-review",
)  # fmt: skip
TIMEOUT_S = 0.5
KILLS = 3
# Of a host's requests, while there are faults, so many in a hundred end so.
FAULTS: Mapping[str, int] = {
    "500": 4, "502": 2, "503": 2, "429": 1, "404": 2, "reset": 4, "truncated": 4, "gzip cut": 2, "slow": 4,
    "timeout": 1, "304": 3, "empty": 2, "apology": 2, "garbage": 1,
}  # fmt: skip
ALLOWS_ALL = ("404", "empty", "apology", "garbage")  # where robots.txt is so, everything is allowed: no fault, a rule
# From the last kill on: every second chance (10 min, 1 h, 6 h, 1 d, 3 d) and what a host or a source rests for.
STEPS = (timedelta(minutes=20), timedelta(hours=2), timedelta(hours=8), timedelta(hours=30), timedelta(days=4))


class Troubled:
    """The demo's newsroom behind a server that fails by a seed. `seed` None: no faults."""

    def __init__(self, sites: tuple[str, ...] = SITES) -> None:
        self.sites = sites
        self.newsroom = Newsroom(now=NOW)
        self.server = Server(self._answer)
        self.seed: int | None = None
        self.faults: Counter[str] = Counter()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def begin(self, seed: int | None) -> None:
        """The papers as on the first day, failing by this seed from now on."""
        with self._lock:
            self.seed = seed
            self._asked.clear()
            self.newsroom.number = 1
            self.server.forget()

    def calm(self) -> None:
        self.seed = None

    def config_text(self) -> str:
        config = yaml.safe_load(self.newsroom.config_text())
        hosts = config["crawl"]["resolve"]
        config["crawl"] |= {
            "per_host_delay": "0s", "timeout": f"{TIMEOUT_S}s", "resolve": dict.fromkeys(hosts, self.server.address),
        }  # fmt: skip
        config["sources"] = [s for s in config["sources"] if s["id"] in self.sites]
        return yaml.safe_dump(config, allow_unicode=True)

    def _answer(self, request: Request) -> Answer:
        calm = self.newsroom.answer(request)
        if self.seed is None:
            return calm
        with self._lock:
            self._asked[request.host, request.path] += 1
            number = self._asked[request.host, request.path]
            random = Random(f"{self.seed} {request.host} {request.path} {number}")
            fault = random.choices((*FAULTS, ""), (*FAULTS.values(), 100 - sum(FAULTS.values())))[0]
            self.faults[fault or "none"] += 1
        if request.path == "/robots.txt" and fault in ALLOWS_ALL:
            return calm
        return _spoiled(calm, fault, random)

    def __enter__(self) -> "Troubled":
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        self.newsroom.stop()  # its own server, which never began


def _spoiled(calm: Answer, fault: str, random: Random) -> Answer:
    match fault:
        case "500" | "502":
            return Answer(int(fault), {"Content-Type": "text/html"}, b"<h1>Oops</h1>")
        case "503" | "429":
            return Answer(int(fault), {"Retry-After": str(random.choice((1, 2, 600)))}, b"later")
        case "404":
            return Answer(404, {"Content-Type": "text/html"}, b"<h1>404</h1>")
        case "reset":
            return replace(calm, cut_after=0, compress=False)
        case "truncated" if calm.body:
            return replace(calm, cut_after=random.randrange(len(calm.body)), compress=False)
        case "gzip cut" if calm.body:
            whole = gzip.compress(calm.body, mtime=0)
            headers = {**calm.headers, "Content-Encoding": "gzip"}
            return replace(calm, body=whole[: random.randrange(1, len(whole))], headers=headers, compress=False)
        case "slow":
            return replace(calm, delay_s=random.uniform(0.05, 0.25))
        case "timeout":
            return replace(calm, delay_s=1.5 * TIMEOUT_S)
        case "304":
            return Answer(304, {k: v for k, v in calm.headers.items() if k in ("ETag", "Last-Modified")})
        case "empty":
            return Answer(200, {"Content-Type": "text/html"}, b"")
        case "apology":
            return Answer(200, {"Content-Type": "text/html"}, b"<html><body><h1>Service unavailable</h1></body></html>")
        case "garbage":
            return Answer(raw=bytes(random.randrange(256) for _ in range(200)))
    return calm


# --- crawls, in processes of their own ------------------------------------------------------------------------------


def _crawl(config: Path, moments: tuple[datetime, ...], log: Path) -> None:
    """In a child: a pass at each of these times, the workers staying. Writes a line a pass."""
    with log.open("a") as out:
        os.dup2(out.fileno(), 2)
        asyncio.run(_passes(read_config(config, config.parent), _database(config), moments))


async def _passes(config: Config, database: Path, moments: tuple[datetime, ...]) -> None:
    now = moments[0]
    with open_app(config, database=database, mode="write", holder="chaos", clock=lambda: now) as app:
        app.sync_sources()
        async with Pool(2) as pool:
            for moment in moments:
                now = moment
                summary = await crawl(app, pool, everything=True)
                print(json.dumps(summary.totals()), file=sys.stderr, flush=True)
                if moment - moments[0] > sum(STEPS, timedelta()) and not app.store.frontier.backlog(now)[0]:
                    break


def _database(config: Path) -> Path:
    return config.with_name("news.db")


def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos", "crawler.spiders.engine", "crawler.lexicon"])
    return context


@dataclass(kw_only=True)
class Desk:
    """One database, crawled again and again."""

    folder: Path
    troubled: Troubled
    random: Random
    problems: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "feeds.yaml"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(self.troubled.config_text(), "utf-8")

    def start(self, *moments: datetime) -> BaseProcess:
        process = _context().Process(target=_crawl, args=(self.config, moments, self.folder / "log"))
        process.start()
        return process

    def killed(self, now: datetime, *, requests: int) -> None:
        """A crawl that is killed at random: when the papers have had some of `requests`, and a moment later."""
        self.troubled.server.forget()
        at, later = self.random.randrange(requests), self.random.uniform(0, 0.1)
        process = self.start(now)
        until = time.monotonic() + 20
        while len(self.troubled.server.hits()) < at and process.is_alive() and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(later)
        assert process.pid is not None
        orphans = _children(process.pid)
        process.kill()
        process.join()
        if left := _left(orphans):
            self.problems.append(f"workers outlived their parent: {left}")
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        self.sound()

    def in_peace(self, *moments: datetime) -> None:
        process = self.start(*moments)
        process.join(180)
        if process.exitcode != 0:
            log = (self.folder / "log").read_text()
            self.problems.append(f"a crawl in peace ended with {process.exitcode}: {log[-2000:]}")
            process.kill()
            process.join()

    def sound(self) -> None:
        """The database is whole and the ledger adds up, whatever happened."""
        database = _database(self.config)
        if not database.exists():
            return
        # As the next crawl would open it: what the killed one left in the log belongs to it.
        with sqlite3.connect(database) as connection:
            # Killed while it was made, it may be of an older schema yet: the next crawl brings it up.
            made = connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                self.problems.append("integrity_check")
            if connection.execute("PRAGMA foreign_key_check").fetchall():
                self.problems.append("foreign_key_check")
        connection.close()
        if made:
            self.audit()

    def audit(self) -> None:
        settings: Config = read_config(self.config, self.folder)
        with open_app(settings, database=_database(self.config), mode="read", holder="chaos") as app:
            ledger = audit.report(app.store, day=None, zone=settings.timezone)
        if ledger["unexplained"]:
            self.problems.append(f"audit: {ledger['problems']}")


def _children(pid: int) -> list[int]:
    out: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            out += [int(child) for child in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return out


def _left(pids: list[int], *, within_s: float = 20.0) -> list[int]:
    """Those of the processes that still run after so long."""
    until = time.monotonic() + within_s
    while left := [pid for pid in pids if _runs(pid)]:
        if time.monotonic() > until:
            break
        time.sleep(0.01)
    return left


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- what it came to ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """What is compared: what is known of each article, the stories, which are copies of which, and what became of
    every listed page."""

    articles: Mapping[str, tuple[Any, ...]]  # canonical URL -> text_hash, grade, sectors
    stories: frozenset[frozenset[str]]
    copies: Mapping[str, str]
    entries: Mapping[str, str]  # page -> state

    def differences(self, other: "Knowledge") -> list[str]:
        out = [f"article {u}: {self.articles.get(u)} not {other.articles.get(u)}"
               for u in sorted(self.articles.keys() | other.articles.keys())
               if self.articles.get(u) != other.articles.get(u)]  # fmt: skip
        out += [f"story only here: {sorted(s)}" for s in self.stories - other.stories]
        out += [f"story only there: {sorted(s)}" for s in other.stories - self.stories]
        out += [f"copy {u}: of {self.copies.get(u)} not {other.copies.get(u)}"
                for u in sorted(self.copies.keys() | other.copies.keys())
                if self.copies.get(u) != other.copies.get(u)]  # fmt: skip
        out += [f"entry {u}: {self.entries.get(u)} not {other.entries.get(u)}"
                for u in sorted(self.entries.keys() | other.entries.keys())
                if self.entries.get(u) != other.entries.get(u)]  # fmt: skip
        return out


def knowledge(database: Path) -> Knowledge:
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        run = connection.execute
        sectors: dict[int, list[str]] = {}
        for article, sector in run("SELECT article_id, sector FROM article_sectors ORDER BY article_id, sector"):
            sectors.setdefault(article, []).append(sector)
        urls = dict(run("SELECT id, canonical_url FROM articles"))
        stories: dict[int, set[str]] = {}
        for story, url in run("SELECT story_id, canonical_url FROM articles"):
            stories.setdefault(story, set()).add(url)
        return Knowledge(
            articles={
                url: (text_hash, grade, tuple(sectors.get(id_, ())))
                for id_, url, text_hash, grade in run("SELECT id, canonical_url, text_hash, grade FROM articles")
            },
            stories=frozenset(map(frozenset, stories.values())),
            copies={
                urls[id_]: urls[original]
                for id_, original in run("SELECT id, duplicate_of FROM articles WHERE duplicate_of IS NOT NULL")
            },
            entries=dict(run("SELECT canonical_url, state FROM entries WHERE url IS NOT NULL")),
        )
    finally:
        connection.close()


# --- the trial ------------------------------------------------------------------------------------------------------


def _later(begin: datetime) -> tuple[datetime, ...]:
    """This moment, all second chances of what fails at it, and more for what begins later; the crawl stops when idle."""
    moments, at = [], begin
    for step in STEPS:
        at += step
        moments.append(at)
    return (begin, *moments, *(at + n * timedelta(days=5) for n in range(1, 6)))


def undisturbed(troubled: Troubled, folder: Path) -> tuple[Knowledge, int]:
    """What a crawl comes to that nothing happens to, and the requests of its first pass."""
    desk = Desk(folder=folder, troubled=troubled, random=Random(0))
    desk.prepare()
    troubled.begin(None)
    desk.in_peace(NOW)
    requests = len(troubled.server.hits())
    troubled.newsroom.advance()
    desk.in_peace(*_later(NOW + timedelta(minutes=20)))
    assert not desk.problems, desk.problems
    return knowledge(_database(desk.config)), requests


def trial(troubled: Troubled, folder: Path, *, seed: int, requests: int) -> tuple[Knowledge, list[str]]:
    """Faults and kills by a seed, then passes in peace: what that comes to, and what was wrong on the way."""
    desk = Desk(folder=folder, troubled=troubled, random=Random(seed))
    desk.prepare()
    troubled.begin(seed)
    now = NOW
    edits_after = desk.random.randrange(KILLS + 1)
    for number in range(KILLS):
        if number == edits_after:
            troubled.newsroom.advance()
        desk.killed(now, requests=requests)
        now += desk.random.choice((timedelta(seconds=1), timedelta(minutes=12), timedelta(hours=2)))
    if troubled.newsroom.number == 1:
        desk.in_peace(now)  # with faults, but not killed
        troubled.newsroom.advance()
    troubled.calm()
    desk.in_peace(*_later(now))
    desk.sound()
    desk.audit()
    found = knowledge(_database(desk.config))
    open_ = [url for url, state in found.entries.items() if state == "pending"]
    if open_:
        desk.problems.append(f"still pending: {open_}")
    return found, desk.problems
