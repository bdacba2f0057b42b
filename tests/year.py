"""A year of watching, written through the store's own functions by a clock that is moved on: what it leaves behind, and
whether retention kept its promises. `tests/test_year.py` does a small one, `benchmarks/simulated_year.py` a large one.

Each source is visited every two hours and lists new items each day; one in twenty is kept, in three scripts, with its
page, evidence, fingerprint and full text, the others are read and rejected; an edition is made each day.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from crawler.app import App
from crawler.config import Config, parse_config
from crawler.digest.build import closed_edition
from crawler.digest.deliver import deliver, verify
from crawler.reports import audit
from store.articles import NewArticle
from store.backup import backup, restore
from store.connection import Store, open_store
from store.frontier import NewEntry
from store.records import MentionRow, Outcome, RequestRow, State, Visit, utc_text
from store.upkeep import sweep

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
VISITS = 12  # a day and source
KEPT = 20  # one item in so many
STILL_LISTED = 25  # items of a source that its feed still holds
LETTERS = {"en": "abcdefghilmnoprstuvwy", "ru": "абвгдежзиклмнопрстуфхыя", "ur": "ابپتجدرسشعفقکگلمنوہی"}
TOTALS = json.dumps(
    {"visited": 4, "outcomes": {"new": 3, "unchanged": 1}, "new": 3, "pages": {"kept": 1, "rejected": 2},
     "requests": 7, "reached": True, "forgiven": 0, "unreachable": False, "stopped": False, "seconds": 9.5}
)  # fmt: skip


def config(folder: Path, sources: int) -> Config:
    lines = "\n".join(
        f'  - {{id: s{n}, url: "http://s{n}.test/rss", kind: feed, country: {("PK", "RU", "IN")[n % 3]}}}'
        for n in range(sources)
    )
    return parse_config(f"topic: pakistan-russia\ntimezone: Asia/Karachi\nsources:\n{lines}\n", base=folder)


@dataclass
class Written:
    """What must be found again of an item that was kept."""

    sha256: str
    url: str


class Year:
    """`items` a day and source, of so many `words` each; `passes` of the crawl a day."""

    def __init__(self, folder: Path, *, sources: int, items: int, words: int = 350, passes: int = 300) -> None:
        self.config = config(folder, sources)
        self.path = folder / "news.db"
        self.items, self.words, self.passes, self.random, self.now = items, words, passes, Random(1), START
        self.vocabulary = {
            language: ["".join(self.random.choices(letters, k=self.random.randint(3, 9))) for _ in range(8000)]
            for language, letters in LETTERS.items()
        }
        self.number = 0
        self.kept: dict[int, Written] = {}
        self.editions: dict[str, str] = {}  # day -> sha256
        self._listed: dict[str, list[int]] = {}

    def open(self) -> Store:
        return open_store(self.path, mode="write", holder="a simulated year")

    def app(self, store: Store) -> App:
        app = App(self.config, store, clock=lambda: self.now)
        app.sync_sources()
        return app

    # --- what comes in

    def day(self, app: App) -> None:
        """A day of all sources and, at its end, the edition that has closed in it."""
        for source in self.config.sources:
            with app.store.transaction():
                self._visits(app.store, source.id)
                for _ in range(self.items):
                    at = self.now + DAY * self.random.random()
                    self.item(app.store, source.id, source.country, at.replace(microsecond=0))
        times = [utc_text(self.now + DAY * n / self.passes) for n in range(self.passes)]
        with app.store.transaction():
            app.store.connection.executemany(
                "INSERT INTO runs (verb, started_at, ended_at, result) VALUES ('run', ?, ?, ?)",
                [(at, at, TOTALS) for at in times],
            )
        self.now += DAY

    def edition(self, app: App, folder: Path) -> None:
        day = closed_edition(self.now, self.config.timezone, self.config.digest.at)
        done = deliver(
            app, day, zone=self.config.timezone, period="day", formats=(), directory=folder, now=self.now
        )  # fmt: skip
        self.editions[day.isoformat()] = done.sha256

    def _visits(self, store: Store, source: str) -> None:
        for n in range(VISITS):
            store.visits.add(
                Visit(
                    source_id=source, started_at=self.now + DAY * n / VISITS, status=200, outcome=Outcome.NEW,
                    entries_seen=STILL_LISTED, entries_new=1, overlap=STILL_LISTED - 1, bytes=20_000, duration_ms=200,
                )
            )  # fmt: skip
        asked = VISITS + self.items
        store.visits.requests(
            [
                RequestRow(
                    at=self.now + DAY * n / asked, source_id=source, host=f"{source}.test",
                    url=f"http://{source}.test/{n}", status=200, bytes=20_000, duration_ms=200,
                    conditional=n < VISITS, retry_after=None,
                )
                for n in range(asked)
            ]
        )  # fmt: skip
        store.frontier.seen(self._listed.get(source, ()), now=self.now)

    def _text(self, language: str, words: int) -> str:
        return " ".join(self.random.choices(self.vocabulary[language], k=words))

    def item(self, store: Store, source: str, country: str, at: datetime) -> None:
        """One item, read and judged, within a transaction of the caller's."""
        self.number += 1
        language = tuple(LETTERS)[self.number % 3]
        url = f"https://{source}.test/{language}/{self.number}"
        title, text = self._text(language, 9), self._text(language, self.words)
        new = NewEntry(key=url, url=url, canonical_url=url, title=title, summary=text[:200])
        entry = store.frontier.add(source, new, now=at)
        self._listed[source] = [*self._listed.get(source, ())[-STILL_LISTED:], entry]
        if self.number % KEPT:
            store.documents.put(entry, title=title, text=text, fetched_at=at)
            store.frontier.settle(entry, State.REJECTED, reason="names one side alone", score=0.1)
            return
        store.documents.put(entry, title=title, text=text, fetched_at=at, page=f"<p>{text}</p>".encode() * 4)
        article = NewArticle(
            url=url, canonical_url=url, source_id=source, title=title, text=text, author="", language=language,
            country=country, published_at=at, published_precision="minute", published_from="feed", first_seen_at=at,
            day=at.astimezone(self.config.timezone).date().isoformat(), grade=1, score=0.8, origin="", dateline="",
            text_hash=str(self.number), reasons=[], profile={"at": at.isoformat()}, sectors=[("trade", 0.7)],
            mentions=[MentionRow(kind="side", name="PK", field="text", start=0, quote=text[:6])] * 6,
            fingerprint=[self.random.getrandbits(62) for _ in range(60)], story_keys=[f"k{n}" for n in range(8)],
            shadow=(title, text),
        )  # fmt: skip
        id_ = store.articles.add(article, story_id=store.stories.open(title, at=at, now=at), duplicate_of=None)
        store.frontier.settle(entry, State.KEPT, reason="both sides", score=0.8, article_id=id_)
        self.kept[id_] = Written(sha256=_sha256(title, text), url=url)

    # --- what goes

    def sweep(self, store: Store) -> Mapping[str, int]:
        keep = self.config.keep
        return sweep(
            store, now=self.now, requests_s=keep.requests_s, rejected_text_s=keep.rejected_text_s,
            rejected_entries_s=keep.rejected_entries_s,
        )  # fmt: skip

    def overdue(self, store: Store) -> dict[str, int]:
        """Rows that are there longer than `keep` says."""
        keep = self.config.keep

        def older(seconds: float, rows: str) -> int:
            bound = utc_text(self.now - timedelta(seconds=seconds))
            return int(store.connection.execute(f"SELECT count(*) FROM {rows} < ?", (bound,)).fetchone()[0])

        rejected = "documents d JOIN entries e ON e.id = d.entry_id WHERE e.state = 'rejected' AND d.fetched_at"
        return {
            "requests": older(keep.requests_s, "requests WHERE at"),
            "rejected texts": older(keep.rejected_text_s, rejected),
            "rejected entries": older(keep.rejected_entries_s, "entries WHERE state = 'rejected' AND last_seen_at"),
            "runs": older(keep.rejected_entries_s, "runs WHERE started_at"),
        }

    def lost(self, path: Path, *, up_to: int | None = None) -> list[str]:
        """Kept articles, and editions, that a database does not hold as they were written; up to an article's id."""
        with closing(sqlite3.connect(path)) as connection:
            run = connection.execute
            rows = run(
                "SELECT a.id, a.title, a.text, d.title, d.text, d.page_gz IS NOT NULL FROM articles a"
                " JOIN entries e ON e.article_id = a.id AND e.state = 'kept' JOIN documents d ON d.entry_id = e.id"
            )
            there = {row[0]: {_sha256(*row[1:3]), _sha256(*row[3:5])} if row[5] else set() for row in rows}
            found = dict(run("SELECT rowid, 1 FROM article_search").fetchall())
            made = dict(run("SELECT date, sha256 FROM digests").fetchall())
        return [
            w.url
            for id_, w in self.kept.items()
            if (up_to is None or id_ <= up_to) and (there.get(id_) != {w.sha256} or id_ not in found)
        ] + [f"edition {day}" for day, sha256 in self.editions.items() if made.get(day) != sha256]

    def edited(self, app: App, days: int) -> list[str]:
        """Editions, so many of them from the first to the last, that come out otherwise when they are made again."""
        made = sorted(self.editions)
        chosen = [made[n * (len(made) - 1) // max(1, days - 1)] for n in range(days)]
        zone = self.config.timezone
        return [day for day in chosen if verify(app, date.fromisoformat(day), zone=zone, period="day")]

    # --- the copy

    def copied_under_load(self, app: App, folder: Path) -> dict[str, Any]:
        """A copy made while articles are being written, put in the place of another database."""
        copies = []
        thread = threading.Thread(target=lambda: copies.append(backup(self.path, folder / "under-load.db").path))
        thread.start()
        transactions = 0
        while thread.is_alive() or not transactions:
            with app.store.transaction():
                self.item(app.store, "s0", "PK", self.now)
            transactions += 1
        thread.join()
        (copy,) = copies
        there = folder / "restored" / "news.db"
        restore(there, copy, now=self.now)
        with open_store(there, mode="read") as store:
            last = store.connection.execute("SELECT max(id) FROM articles").fetchone()[0]
            unexplained = audit.report(store, day=None, zone=self.config.timezone)["unexplained"]
        ours, theirs = hashes(copy), hashes(there)
        return {
            "transactions meanwhile": transactions,
            "tables": len(ours),
            "tables that differ": sorted(t for t in ours.keys() | theirs.keys() if ours.get(t) != theirs.get(t)),
            "unexplained": unexplained,
            "kept and lost": len(self.lost(there, up_to=last)),
        }


def _sha256(title: str, text: str) -> str:
    return hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()


def hashes(path: Path) -> dict[str, str]:
    """Of the rows of every table, the full text's own among them."""
    with closing(sqlite3.connect(path)) as connection:
        names = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        out = {}
        for name in names:
            digest = hashlib.sha256()
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                digest.update(repr(row).encode())
            out[name] = digest.hexdigest()
        return out
