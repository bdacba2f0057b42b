"""A crawl that is killed: nothing lost, nothing doubled, and in the end what an undisturbed crawl comes to."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.config import read_config
from crawler.demo.newsroom import Newsroom
from crawler.demo.newsroom.server import Hit
from crawler.reports import audit, courtesy
from store.connection import Store, open_store
from tests.crawled import NOW, RETRY_AFTER, Crawled, rows

ROOT = Path(__file__).parent.parent
IN_FLIGHT = 16  # pages that may be read again after a kill: as many as were under way (`crawl.concurrency`)

# `pakrus`, killed by itself with the writes of its n-th transaction done and their commit still to come.
BEFORE_COMMIT = """
import os, signal, sys
from contextlib import contextmanager
from store.connection import Store
from crawler.cli import main
left, calm = int(sys.argv.pop(1)), Store.transaction
@contextmanager
def transaction(self):
    global left
    with calm(self):
        yield
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
Store.transaction = transaction
main()
"""


@dataclass
class Desk:
    """The demo's newsroom, and crawls of it in processes of their own."""

    newsroom: Newsroom
    folder: Path
    hits: list[Hit] = field(default_factory=list)  # of all crawls

    @property
    def database(self) -> Path:
        return self.folder / "news.db"

    def crawl(self, *, code: str = "", before: tuple[str, ...] = (), minute: int = 0) -> subprocess.Popen[bytes]:
        now = self.newsroom.clock() + timedelta(minutes=minute)
        program = ["-c", code, *before] if code else ["-m", "crawler"]
        return subprocess.Popen(
            [sys.executable, *program, "crawl", "--all", "--json", "--now", now.isoformat(),
             "--config", str(self.folder / "feeds.yaml")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def killed_at_request(self, number: int, *, minute: int = 0) -> None:
        """A crawl that is killed when the papers have had so many requests of it."""
        self._gather()
        with self.crawl(minute=minute) as process:
            until = time.monotonic() + 60
            while len(self.newsroom.hits()) < number:
                assert process.poll() is None, process.communicate()[1].decode()
                assert time.monotonic() < until
                time.sleep(0.002)
            workers = children(process.pid)
            process.kill()
            process.communicate()
        assert process.returncode == -signal.SIGKILL
        gone(workers)

    def killed_before_commit(self, number: int, *, minute: int = 0) -> None:
        self._gather()
        with self.crawl(code=BEFORE_COMMIT, before=(str(number),), minute=minute) as process:
            error = process.communicate(timeout=60)[1]
        assert process.returncode == -signal.SIGKILL, error.decode()

    def completed(self, *, minute: int = 0) -> dict[str, Any]:
        """A crawl to its end; its summary."""
        self._gather()
        with self.crawl(minute=minute) as process:
            out, error = process.communicate(timeout=60)
        assert process.returncode == 0, error.decode()
        self._gather()
        return json.loads(out)  # type: ignore[no-any-return]

    def _gather(self) -> None:
        self.hits += self.newsroom.hits()
        self.newsroom.forget()

    def sound(self) -> None:
        """Whatever happened: the database is whole, the ledger adds up, full text and evidence belong to articles."""
        with open_store(self.database, mode="read") as store:
            run = store.connection.execute
            assert [tuple(r) for r in run("PRAGMA integrity_check")] == [("ok",)]
            assert run("PRAGMA foreign_key_check").fetchall() == []
            ledger = audit.report(store, day=None, zone=read_config(self.folder / "feeds.yaml", self.folder).timezone)
            assert ledger["unexplained"] == 0, ledger["problems"]
            articles = {r[0] for r in run("SELECT id FROM articles")}
            assert {r[0] for r in run("SELECT rowid FROM article_search")} == articles
            assert {r[0] for r in run("SELECT article_id FROM shingles")} == articles
            read = {r[0] for r in run("SELECT article_id FROM entries e JOIN documents d ON d.entry_id = e.id")}
            assert articles <= read
            # Validators say that what they stand for is in the ledger: written together, or not at all.
            bare = run(
                "SELECT id FROM sources s WHERE (etag IS NOT NULL OR last_modified IS NOT NULL)"
                " AND NOT EXISTS (SELECT 1 FROM entries WHERE source_id = s.id)"
            ).fetchall()
            assert bare == []


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def gone(pids: list[int]) -> None:
    """Workers end when their parent is no more."""
    until = time.monotonic() + 10
    while alive := [pid for pid in pids if Path(f"/proc/{pid}/exe").exists() and _runs(pid)]:
        assert time.monotonic() < until, f"workers are left: {alive}"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    folder: Path
    hits: tuple[Hit, ...]
    summaries: tuple[dict[str, Any], ...]
    second_pass: int  # the number of the first request of the second pass

    @property
    def rows(self) -> dict[str, Any]:
        connection = sqlite3.connect(f"{(self.folder / 'news.db').as_uri()}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            return rows(connection)
        finally:
            connection.close()


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """Two passes, killed again and again, each completed in the end."""
    folder = tmp_path_factory.mktemp("crash")
    with Newsroom(now=NOW) as newsroom:
        (folder / "feeds.yaml").write_text(newsroom.config_text(), "utf-8")
        desk = Desk(newsroom, folder)
        desk.killed_before_commit(20)  # lists are read, hardly a page
        desk.sound()
        desk.killed_at_request(60)  # in the middle of the pages
        desk.sound()
        first = desk.completed()
        desk.sound()
        second_pass = len(desk.hits)
        newsroom.advance()
        later = int(RETRY_AFTER.total_seconds() // 60) + 1
        desk.killed_before_commit(12, minute=later)  # edits are under way
        desk.sound()
        second = desk.completed(minute=later)
        desk.sound()
        yield Aftermath(folder=folder, hits=tuple(desk.hits), summaries=(first, second), second_pass=second_pass)


def test_in_the_end_it_is_what_an_undisturbed_crawl_comes_to(aftermath: Aftermath, crawled: Crawled) -> None:
    calm, ours = crawled.passes[2], aftermath.rows

    def states(entries: Any) -> dict[str, str]:
        # Which of a wire and its copies came first depends on the order of reading; that they are kept does not.
        return {url: "kept" if e["state"] == "duplicate" else e["state"] for url, e in entries.items()}

    assert states(ours["entries"]) == states(calm.entries)
    for column in ("grade", "language", "published_at", "title", "text"):
        assert {u: a[column] for u, a in ours["articles"].items()} == {u: a[column] for u, a in calm.articles.items()}
    assert ours["revisions"] == calm.revisions


def test_what_was_written_before_a_kill_is_not_fetched_again(aftermath: Aftermath) -> None:
    first = [h for h in aftermath.hits[: aftermath.second_pass] if h.status == 200]
    pages = Counter(
        (h.host, h.path) for h in first if not h.path.startswith(("/robots.txt", "/rss", "/feed", "/sitemap"))
    )
    again = sum(n - 1 for n in pages.values())
    assert again <= 2 * IN_FLIGHT
    robots = Counter(h.host for h in aftermath.hits if h.path == "/robots.txt")
    assert sum(n - 1 for n in robots.values()) <= 3 * IN_FLIGHT


def test_the_pass_after_a_kill_goes_on_with_the_pages_that_were_left(aftermath: Aftermath) -> None:
    first, second = aftermath.summaries
    assert 0 < sum(first["pages"].values()) < 100, "most pages were read before the kills"
    assert not first["stopped"]
    assert first["outcomes"].get("unchanged", 0) > 0, "lists that were read before the kills are not read again"
    assert second["outcomes"].get("failed") == 1


def test_a_killed_run_is_on_record_and_its_lock_is_free(aftermath: Aftermath) -> None:
    with open_store(aftermath.folder / "news.db", mode="write", holder="test") as store:
        ended = [r[0] is not None for r in store.connection.execute("SELECT ended_at FROM runs ORDER BY id")]
        assert ended == [False, False, True, False, True]


def test_the_hosts_were_asked_politely_over_all_restarts(aftermath: Aftermath) -> None:
    """The papers' own log: no host was asked by two crawls at once, nor within its Retry-After."""
    with open_store(aftermath.folder / "news.db", mode="read") as store:
        assert_polite(store, aftermath.folder)


def assert_polite(store: Store, folder: Path) -> None:
    value = courtesy.report(store, read_config(folder / "feeds.yaml", folder), since=None)
    # The clock of these crawls stands still between two of them: only what one crawl did can be told.
    assert value["disallowed"] == 0
    assert sum(h["in_retry_after"] for h in value["hosts"]) == 0
