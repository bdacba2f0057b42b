"""Makes `pakrus-VERSION.db` beside this file: what a small database of that version looked like.

    .venv/bin/python -m tests.data.make_database

Run it once for a release, with that release's code, before its schema is changed; it is for the upgrade tests of every
later version (tests/test_upgrade.py). It holds documents in three languages from `ingest`, two passes over two papers
with an edit, a withdrawn page, copies, a throttled feed and a dead host, a mark and an edition.
"""

import asyncio
import json
import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from crawler import VERSION
from crawler.app import App
from crawler.config import parse_config
from crawler.demo.newsroom.content import Piece, pieces
from crawler.demo.newsroom.sites import BY_ID
from crawler.digest.deliver import deliver
from crawler.spiders.engine import crawl
from crawler.stream import ingest_lines, summary
from crawler.workers import Pool
from store.connection import open_store
from tests.newsroom import Answer, Newsroom, article, item

TARGET = Path(__file__).parent / f"pakrus-{VERSION}.db"
NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
PER_LANGUAGE = 5
FEEDS = """
crawl: {{per_host_delay: 0s, timeout: 5s, allow_private_addresses: [127.0.0.0/8], resolve: {resolve}}}
sources:
  - {{id: courier, name: Courier, url: "http://courier.test/rss", kind: feed, country: PK, language: en}}
  - {{id: vestnik, name: Вестник, url: "http://vestnik.test/rss", kind: feed, country: RU, language: ru}}
  - {{id: busy, name: Busy, url: "http://busy.test/rss", kind: feed, country: PK, language: ur}}
  - {{id: dead, name: Dead, url: "http://dead.test/rss", kind: feed, country: none, language: en}}
"""


def chosen() -> list[Piece]:
    """Some pieces of each language, those that are told in several before the others, and rejects among them."""
    told: dict[str, set[str]] = {}
    for piece in pieces():
        told.setdefault(piece.story or piece.copy_of or piece.id, set()).add(piece.language)
    out: list[Piece] = []
    for language in ("en", "ru", "ur"):
        own = [p for p in pieces() if p.language == language and p.seen == 1 and p.hours is not None]
        own.sort(key=lambda p: (-len(told[p.story or p.copy_of or p.id]), p.story or p.id, p.id))
        out += [*own[: PER_LANGUAGE - 1], next(p for p in own if not p.grade)]
    return out


def line(piece: Piece) -> bytes:
    site = BY_ID[piece.site]
    at = piece.published(NOW)
    assert at is not None
    shown = piece.dated(at.astimezone(site.zone).date())
    return json.dumps(
        {"url": f"http://{site.host}/{piece.id}", "title": shown.title, "text": "\n".join(shown.body),
         "published": at.isoformat(), "language": piece.language, "source": site.id, "country": site.country},
        ensure_ascii=False,
    ).encode()  # fmt: skip


async def crawl_twice(app: App, newsroom: Newsroom, clock: list[datetime]) -> None:
    english = next(p for p in pieces() if p.language == "en" and p.grade == 2 and p.edit)
    russian = next(p for p in pieces() if p.language == "ru" and p.grade == 2 and p.id not in {c.id for c in chosen()})
    courier, vestnik = newsroom.site("courier.test"), newsroom.site("vestnik.test")
    stamp = f"{NOW - timedelta(hours=2):%a, %d %b %Y %H:%M:%S} GMT"
    async with Pool(1) as pool:
        for number in (1, 2):
            first, second = english.in_pass(3 * number - 2).dated(NOW.date()), russian.dated(NOW.date())
            courier.page("/1", article(first.title, first.body))
            courier.page("/2", article("Potholes filled in Saddar", ["Workers filled potholes in Saddar on Tuesday."]))
            items = [item(first.title, "/1", stamp, first.summary), item("Potholes filled in Saddar", "/2", stamp)]
            courier.feed("/rss", items)
            if number == 1:
                vestnik.page("/1", article(second.title, second.body, language="ru"))
            else:
                vestnik.answers("/1", [Answer(410)])
            vestnik.feed("/rss", [item(second.title, "/1", stamp)], language="ru")
            await crawl(app, pool, everything=True)
            clock[0] += timedelta(hours=2)


def main() -> None:
    with TemporaryDirectory() as folder, Newsroom() as newsroom:
        path = Path(folder) / "news.db"
        make(path, newsroom)
        connection = sqlite3.connect(path)
        # The tables are many and short: small pages make a small file.
        for word in ("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 1024", "VACUUM", "PRAGMA journal_mode = WAL"):
            connection.execute(word)
        connection.close()
        shutil.copyfile(path, TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


def make(path: Path, newsroom: Newsroom) -> None:
    """The database, with times of its own: the same rows at each run, but for the milliseconds of requests."""
    clock = [NOW]
    newsroom.site("busy.test").answers("/rss", [Answer(429, {"Retry-After": "3600"})])
    newsroom.site("dead.test").down()
    newsroom.site("courier.test"), newsroom.site("vestnik.test")
    resolve = json.dumps(newsroom.resolve())
    config = parse_config(FEEDS.format(resolve=resolve), base=path.parent)
    with open_store(path, mode="write", holder="make_database") as store:
        app = App(config, store, clock=lambda: clock[0], random=Random(1))
        app.sync_sources()
        print(summary(ingest_lines(BytesIO(b"\n".join(map(line, chosen()))), app), store.stories.count()))
        asyncio.run(crawl_twice(app, newsroom, clock))
        starred = store.articles.get(next(store.articles.all_ids()))
        store.marks.add(
            starred.canonical_url, "note", "for the weekly", entry_id=None, article_id=starred.id, now=clock[0]
        )
        clock[0] = datetime(2026, 11, 25, 2, 5, tzinfo=UTC)
        deliver(
            app, date(2026, 11, 25), zone=config.timezone, period="day", formats=(), directory=path.parent,
            now=clock[0],
        )  # fmt: skip


if __name__ == "__main__":
    main()
