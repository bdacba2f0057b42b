#!/usr/bin/env python3
"""What a question, and one more article, cost as the database grows: CPU-ms as JSON.

    python benchmarks/speed/growth.py [GOLD] [--sizes 1000,10000,100000] [--per-day 60] [--folder DIR]

Articles are labelled records, each with a tail of sentences from others, written as ingest writes them: entry, text,
article, evidence, shingles, story keys, full text; three of four join a story of the same days. Each question is asked
seven times on a warm file, the median counts; of the look-ups of near-copies and the placing of new articles, a
hundred each.
"""

import argparse
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from crawler.app import App
from crawler.classify import classify
from crawler.config import parse_config
from crawler.digest.build import build, window
from crawler.digest.gather import gather
from crawler.ingest.articles import local_day, new_article
from crawler.placing import place
from crawler.reports import audit, search, status
from crawler.text import sentences
from crawler.types import Document, Moment, Text
from store.articles import NewArticle
from store.connection import open_store
from store.frontier import NewEntry
from store.records import State

START = datetime(2010, 1, 1, tzinfo=UTC)
CONFIG = """
topic: pakistan-russia
timezone: Asia/Karachi
sources:
  - {id: one, name: One, url: "http://one.test/rss", kind: feed, country: PK, language: en}
  - {id: two, name: Two, url: "http://two.test/rss", kind: feed, country: RU, language: ru}
  - {id: three, name: Three, url: "http://three.test/rss", kind: feed, language: ur}
"""


def articles(app: App, folder: Path, per_day: int) -> Iterator[NewArticle]:
    """Articles without end, `per_day` a day, ten minutes to a day apart within it."""
    rng = random.Random(3)
    bases: list[NewArticle] = []
    tails: list[str] = []
    for language in ("en", "ru", "ur"):
        for line in (folder / f"{language}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            if not row["grade"] or row["fold"] > 2:  # folds 3 and 4 are for the judgement's last test alone
                continue
            document = Document(
                url=row["url"],
                canonical_url=row["url"],
                outcome="article",
                title=row["title"],
                text=row["text"],
                language=language,
                published=Moment(instant=START, precision="exact"),
            )
            verdict = classify(Text(title=row["title"], text=row["text"], language=language), app.lexicon)
            if not verdict.grade:
                continue
            new = new_article(app, document, verdict, source_id="one", country="PK", first_seen=START)
            bases.append(new)
            tails += [row["text"][a:b] for a, b in sentences(row["text"])]
    for number in itertools.count():
        base = rng.choice(bases)
        at = START + timedelta(days=number / per_day)
        yield replace(
            base,
            url=f"https://made.test/{number}",
            canonical_url=f"https://made.test/{number}",
            source_id=rng.choice(("one", "two", "three")),
            country=rng.choice(("PK", "RU", "")),
            text=f"{base.text}\n{' '.join(rng.sample(tails, 3))}",
            published_at=at,
            first_seen_at=at + timedelta(minutes=10),
            day=local_day(at, app.config.timezone),
            text_hash=str(number),
            fingerprint=[rng.getrandbits(62) for _ in base.fingerprint],
            profile={**base.profile, "at": at.isoformat()},
        )


def write(app: App, stream: Iterator[NewArticle], count: int, recent: list[int]) -> None:
    store, rng = app.store, random.Random(count)
    stories = {row[0] for row in store.connection.execute("SELECT id FROM stories")}
    recent[:] = [story for story in recent if story in stories]  # placing has joined some
    for done in range(0, count, 500):
        with store.transaction():
            for new in itertools.islice(stream, min(500, count - done)):
                entry = store.frontier.add(
                    new.source_id,
                    NewEntry(key=new.url, url=new.url, canonical_url=new.canonical_url, title=new.title),
                    now=new.first_seen_at,
                    first_seen=new.first_seen_at,
                )
                store.documents.put(entry, title=new.title, text=new.text, fetched_at=new.first_seen_at)
                joins = len(recent) >= 60 and rng.random() < 0.75
                story = rng.choice(recent) if joins else store.stories.open(new.title, at=new.at, now=new.first_seen_at)
                recent.append(story)
                del recent[:-60]
                article = store.articles.add(new, story_id=story, duplicate_of=None)
                store.frontier.settle(entry, State.KEPT, reason="made", score=1.0, article_id=article)
    for (story,) in store.connection.execute("SELECT id FROM stories ORDER BY id DESC LIMIT 400").fetchall():
        with store.transaction():
            store.stories.refresh(story)


def questions(app: App, last: datetime) -> dict[str, Callable[[], Any]]:
    run = app.store.connection.execute
    day = date.fromisoformat(local_day(last - timedelta(days=1), app.config.timezone))
    since = (day - timedelta(days=30)).isoformat()

    def edition() -> Any:
        span = window(day, app.config.timezone, app.config.digest.at)
        return build(gather(app, span, created_at=last))

    def found(query: str) -> Callable[[], Any]:
        return lambda: search.report(app.store, query, since=None, until=None, sector=None, language=None, limit=20)

    return {
        "daily, one day": lambda: run("SELECT * FROM daily WHERE day = ?", (day.isoformat(),)).fetchall(),
        "article_list, one day": lambda: run("SELECT * FROM article_list WHERE day = ?", (day.isoformat(),)).fetchall(),
        "sector_by_day, 30 days": lambda: run("SELECT * FROM sector_by_day WHERE day >= ?", (since,)).fetchall(),
        "search, a common word": found("Russia"),
        "search, a phrase": found('"working group"'),
        "search, two rarer words": found("пшеница порт"),
        "an edition": edition,
        "status": lambda: status.report(app),
        "audit": lambda: audit.report(app.store, day=None, zone=app.config.timezone),
    }


def measure(ask: Callable[[], Any]) -> float:
    """Milliseconds, the median of seven after one to warm up."""
    ask()
    spent = []
    for _ in range(7):
        began = time.process_time()
        ask()
        spent.append(1000 * (time.process_time() - began))
    return round(statistics.median(spent), 2)


def place_more(app: App, stream: Iterator[NewArticle]) -> dict[str, float]:
    """CPU-ms of a look-up of near-copies and of placing an article; a hundred new articles come in."""
    new = list(itertools.islice(stream, 100))
    began = time.process_time()
    for one in new:
        app.store.articles.near(one.fingerprint)
    looked = time.process_time()
    with app.store.transaction():
        for one in new:
            place(app, one, now=one.first_seen_at)
    return {
        "near-copies of an article": round(10 * (looked - began), 3),
        "placing an article": round(10 * (time.process_time() - looked), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path, nargs="?", default=Path(__file__).parents[1] / "gold")
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--per-day", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="where the database stays; else it is thrown away")
    args = parser.parse_args()
    sizes = [int(size) for size in args.sizes.split(",")]
    table: dict[str, dict[int, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        home = args.folder or Path(name)
        path = home / "news.db"
        (home / "feeds.yaml").write_text(CONFIG, "utf-8")
        with open_store(path, mode="write", holder="benchmark") as store:
            app = App(parse_config(CONFIG, base=home), store, clock=lambda: START)
            app.sync_sources()
            stream = articles(app, args.gold, args.per_day)
            written, recent = 0, list[int]()
            for size in sizes:
                write(app, stream, size - written, recent)
                written = size
                last = START + timedelta(days=written / args.per_day)
                store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                store.connection.execute("PRAGMA optimize")
                for question, ask in questions(app, last).items():
                    table.setdefault(question, {})[size] = measure(ask)
                for question, ms in place_more(app, stream).items():
                    table.setdefault(question, {})[size] = ms
                written += 100
                table.setdefault("database, MB", {})[size] = round(path.stat().st_size / 1e6, 1)
                print(f"{size} articles asked", file=sys.stderr)
    json.dump(table, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
