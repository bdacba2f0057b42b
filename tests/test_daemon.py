"""`pakrus run` in a process of its own, on the demo's newsroom: it crawls, writes the edition, reloads, stops."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import yaml

from crawler.demo.newsroom import Newsroom
from crawler.reports import audit, courtesy
from store.connection import open_store
from tests.builders import config
from tests.mailbox import mailbox
from tests.newsroom import Newsroom as Sites
from tests.newsroom import article, item
from tests.test_cli import pakrus

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)  # half an hour before seven in Islamabad
STOPS_WITHIN_S = 10.0
SLOW_PAGES = 4
PATIENCE_S = 90.0  # for a loaded machine

# `pakrus` with its ticks closer together, and with a clock that runs from a given time and that the file `ahead`
# (seconds) puts forward.
DAEMON = """
import sys, time
from datetime import datetime, timedelta
from pathlib import Path
import crawler.app, crawler.daemon
begin, ahead = datetime.fromisoformat(sys.argv.pop(1)) - timedelta(seconds=time.monotonic()), Path(sys.argv.pop(1))
crawler.app.wall_clock = lambda: begin + timedelta(seconds=time.monotonic() + float(ahead.read_text()))
crawler.daemon.TICK_S = 0.25
from crawler.cli import main
main()
"""
# Twelve lists of lists, 282 thousand million items in all.
BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 11)}]\n" for n in range(1, 12)
) + "sources: *a11\n"  # fmt: skip


@dataclass
class Daemon:
    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def database(self) -> Path:
        return self.folder / "news.db"

    @property
    def options(self) -> list[str]:
        return ["--config", str(self.folder / "feeds.yaml"), "--db", str(self.database)]

    def start(self, *, at: datetime) -> None:
        self.ahead(0)
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", DAEMON, at.isoformat(), str(self.folder / "ahead"), "run", *self.options],
                stdout=subprocess.DEVNULL, stderr=log, cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def ahead(self, seconds: float) -> None:
        new = self.folder / "ahead.new"
        new.write_text(str(seconds))
        new.replace(self.folder / "ahead")

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log().splitlines()]

    def wait(self, what: Callable[[], Any]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not what():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.05)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        if not self.database.exists():
            return []
        connection = sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def passes(self) -> int:
        """Passes that have ended; 0 while the tables are being made."""
        if not self.query("SELECT 1 FROM sqlite_master WHERE name = 'runs'"):
            return 0
        return int(self.query("SELECT count(*) FROM runs WHERE ended_at IS NOT NULL")[0][0])

    def stop(self, number: signal.Signals) -> tuple[int, float]:
        """Its exit code and how long it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        return code, time.monotonic() - began

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Reader(threading.Thread):
    """Asks `daily` again and again: over one connection that stays open, and over a new one each time."""

    def __init__(self, database: Path) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.over = threading.Event()
        self.errors: list[str] = []
        self.counts: list[int] = []

    def run(self) -> None:
        uri = f"{self.database.as_uri()}?mode=ro"
        steady = sqlite3.connect(uri, uri=True, timeout=0)
        while not self.over.wait(0.03):
            fresh = sqlite3.connect(uri, uri=True, timeout=0)
            try:
                self.counts += [len(c.execute("SELECT * FROM daily").fetchall()) for c in (steady, fresh)]
            except sqlite3.Error as error:
                self.errors.append(repr(error))
            finally:
                fresh.close()
        steady.close()


def slow_paper(sites: Sites) -> dict[str, str]:
    """A paper whose pages take a minute, as a source."""
    site = sites.site("slow.test")
    for n in range(SLOW_PAGES):
        site.page(f"/{n}", article(f"Page {n}", ["Nothing."]), delay_s=60)
    url = site.feed("/rss", [item(f"Page {n}", f"/{n}") for n in range(SLOW_PAGES)])
    return {"id": "slow", "url": url, "kind": "feed", "country": "PK", "language": "en"}


@dataclass(frozen=True, kw_only=True)
class Day:
    """What a morning with the daemon came to."""

    daemon: Daemon
    reader: Reader
    hits: Counter[int]
    second_exit: int
    second_said: str
    verified: int
    mail: list[EmailMessage]
    code: int
    seconds: float


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    daemon = Daemon(tmp_path_factory.mktemp("daemon"))
    feeds = daemon.folder / "feeds.yaml"
    with Newsroom(now=NOW) as newsroom, Sites() as sites, mailbox() as box:
        slow = slow_paper(sites)
        text = newsroom.config_text().replace("every: 15m", "every: 1s")
        channel = f"mailto://127.0.0.1:{box.port}?mode=insecure&from=pakrus@example.org&to=desk@example.org"
        text = text.replace("  send: []", f"  send: ['{channel}']") + "alerts: [{name: talks, names: [lavrov, dar]}]\n"
        feeds.write_text(text, "utf-8")
        daemon.start(at=NOW)
        try:
            daemon.wait(lambda: daemon.passes() >= 1)
            reader = Reader(daemon.database)
            reader.start()
            second = pakrus("run", *daemon.options)
            newsroom.advance()
            daemon.wait(lambda: daemon.query("SELECT 1 FROM revisions"))
            daemon.wait(lambda: daemon.passes() >= 3)

            invalid = text.replace("kind: feed", "kind: fed", 1) + "colour: blue\n"
            for number, bad in enumerate((BOMB, invalid), start=1):
                feeds.write_text(bad, "utf-8")
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait(lambda: daemon.log().count("the old one is kept") == number)  # noqa: B023
            loaded = yaml.safe_load(text)
            gone, kept = loaded["sources"].pop(), loaded["sources"][0]
            kept["name"] = "The New Indus Courier"
            feeds.write_text(yaml.safe_dump(loaded, allow_unicode=True), "utf-8")
            before = daemon.passes()
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait(lambda: daemon.query(f"SELECT 1 FROM sources WHERE id = '{gone['id']}' AND state = 'retired'"))
            daemon.wait(lambda: daemon.passes() > before)

            daemon.ahead(timedelta(minutes=31).total_seconds())  # past seven o'clock
            daemon.wait(lambda: (daemon.folder / "digests" / "latest.html").exists())
            daemon.wait(lambda: "edition 2026-11-25" in daemon.log())
            daemon.wait(lambda: any("25 November 2026:" in str(m["subject"]) for m in box.messages))
            verified = pakrus("digest", "--date", "2026-11-25", "--verify", *daemon.options).returncode

            loaded["sources"].append(slow)
            loaded["crawl"]["resolve"]["slow.test"] = sites.address
            feeds.write_text(yaml.safe_dump(loaded, allow_unicode=True), "utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait(lambda: sites.hits("slow.test", "/0"))
            code, seconds = daemon.stop(signal.SIGTERM)
            reader.over.set()
            reader.join()
        finally:
            daemon.end()
        yield Day(
            daemon=daemon, mail=box.messages, reader=reader, hits=Counter(h.status for h in newsroom.hits()), code=code, seconds=seconds,
            second_exit=second.returncode, second_said=second.stderr, verified=verified,
        )  # fmt: skip


def test_it_crawls_again_and_again_and_is_answered_304(day: Day) -> None:
    assert day.daemon.passes() >= 3
    assert day.hits[304] >= 10
    assert day.daemon.query("SELECT count(*) - count(DISTINCT canonical_url) FROM articles") == [(0,)]
    assert day.daemon.query("SELECT count(*) FROM revisions")[0][0] >= 3
    assert "Traceback" not in day.daemon.log()


def test_its_log_is_a_json_object_an_event_bound_to_its_run_and_source(day: Day) -> None:
    events = day.daemon.events()
    visits = [e for e in events if e["event"].startswith("visit: ")]
    assert {e["level"] for e in events} >= {"info", "error"}
    assert {"indus-courier", "news-search"} <= {e["source"] for e in visits}
    ended = day.daemon.query("SELECT id FROM runs WHERE ended_at IS NOT NULL")
    assert [e["run"] for e in events if e["event"].startswith("pass: ")] == [run for (run,) in ended]
    assert {e["run"] for e in visits} <= {run for (run,) in ended}
    assert {e["outcome"] for e in visits} >= {"new", "unchanged"}
    assert all(e["at"].endswith("Z") for e in events)
    assert not any("exception" in e for e in events)
    assert "run" not in events[0]


def test_its_ledger_adds_up_and_its_hosts_were_asked_politely(day: Day) -> None:
    with open_store(day.daemon.database, mode="read") as store:
        loaded = config((day.daemon.folder / "feeds.yaml").read_text("utf-8"), day.daemon.folder)
        assert audit.report(store, day=None, zone=loaded.timezone)["unexplained"] == 0
        assert courtesy.report(store, loaded, since=None)["violations"] == 0


def test_a_reader_is_never_turned_away(day: Day) -> None:
    assert day.reader.errors == []
    assert len(day.reader.counts) > 20
    assert day.reader.counts[-1] >= day.reader.counts[0] > 0


def test_a_second_daemon_is_told_who_writes(day: Day) -> None:
    assert day.second_exit == 4
    assert f"`pakrus run` (process {day.daemon.process.pid}," in day.second_said
    assert "Traceback" not in day.second_said


def test_the_edition_is_written_after_the_crawl_of_its_hour_and_can_be_verified(day: Day) -> None:
    digests = day.daemon.folder / "digests"
    assert {p.name for p in digests.iterdir()} >= {"2026-11-25.md", "2026-11-25.html", "latest.md", "latest.html"}
    stories = day.daemon.query(
        "SELECT json_extract(content, '$.summary.stories') FROM digests WHERE date = '2026-11-25'"
    )
    assert stories[0][0] > 20
    at_seven = """
        SELECT story_id FROM articles WHERE grade = 2 AND first_seen_at < '2026-11-25T02:00:00Z'
        AND coalesce(published_at, first_seen_at) > '2026-11-23T02:00:00Z'
    """
    shown = "SELECT story_id FROM digest_items"
    assert day.daemon.query(f"{at_seven} AND story_id NOT IN ({shown})") == []
    assert len((digests / "2026-11-25.md").read_text("utf-8")) > 5_000
    made = day.daemon.query("SELECT created_at FROM digests WHERE date = '2026-11-25'")[0][0]
    crawled = day.daemon.query(
        f"SELECT count(*) FROM runs WHERE started_at >= '2026-11-25T02:00:00Z' AND ended_at <= '{made}'"
    )
    assert crawled[0][0] >= 1
    assert day.verified == 0


def test_it_sends_the_edition_and_each_alert_once(day: Day) -> None:
    subjects = Counter(str(m["subject"]) for m in day.mail)
    alerts = {s for s in subjects if s.startswith("talks: ")}
    assert alerts
    editions = {s.partition(":")[0] for s in subjects.keys() - alerts}
    assert editions == {"Pakistan and Russia, 24 November 2026", "Pakistan and Russia, 25 November 2026"}
    assert set(subjects.values()) == {1}
    assert day.daemon.query("SELECT count(*) FROM deliveries WHERE state = 'sent'") == [(len(day.mail),)]
    assert "example.org" not in day.daemon.log()


def test_an_invalid_config_is_reported_and_the_old_one_kept_until_a_valid_one_comes(day: Day) -> None:
    log = day.daemon.log()
    assert "colour" in log
    assert "fed" in log
    assert log.index("the old one is kept") < log.index("feeds.yaml read again: 18 sources")
    assert day.daemon.query("SELECT name FROM sources WHERE id = 'indus-courier'") == [("The New Indus Courier",)]
    assert day.daemon.query("SELECT count(*) FROM entries WHERE source_id = 'news-search'")[0][0] > 0, "history is kept"


def test_sigterm_in_the_middle_of_a_pass_ends_it_in_time_and_loses_nothing(day: Day) -> None:
    assert day.code == 0, day.daemon.log()
    assert day.seconds < STOPS_WITHIN_S
    assert day.daemon.events()[-1]["event"] == "stopped"
    assert day.daemon.database.with_name("news.db.lock").read_text() == ""
    waiting = day.daemon.query("SELECT state, tries, count(*) FROM entries WHERE source_id = 'slow' GROUP BY 1, 2")
    assert waiting == [("pending", 0, SLOW_PAGES)]
    last = "SELECT ended_at IS NOT NULL, json_extract(result, '$.stopped') FROM runs ORDER BY id DESC LIMIT 1"
    assert day.daemon.query(last) == [(1, 1)]
