"""A week of a thousand sources in minutes: the real crawl and store, papers on loopback, a clock that is moved on.

    python benchmarks/simulated_week.py [--papers 1000] [--days 7] [--out week.tsv]

The clock goes on a quarter of an hour a pass; every hour the upkeep runs, as in the daemon. Each paper publishes every
8 to 72 hours and is asked every hour at the most, less often where nothing is new. A line a simulated hour: memory,
open files, the write-ahead log, the database. At the end the slope of the memory after the first day and after the
third, and what the database consists of.
"""

import argparse
import asyncio
import json
import logging
import os
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from papers import Papers
from soak import children, rss_mb, size_mb

from crawler.app import App
from crawler.config import parse_config
from crawler.reports import audit
from crawler.spiders.engine import crawl
from crawler.workers import Pool
from store.connection import open_store
from store.upkeep import sweep

START = datetime(2026, 11, 23, tzinfo=UTC)
STEP = timedelta(minutes=15)
COLUMNS = ("hour", "seconds", "rss_mb", "workers_mb", "files", "wal_mb", "db_mb", "requests", "entries", "articles")


async def week(papers: Papers, folder: Path, days: float, out: Path) -> dict[str, Any]:
    now = START
    config = parse_config(papers.config_text(every="1h"), base=folder)
    database = folder / "news.db"
    rows: list[tuple[float, ...]] = []
    requests, most_wal, began = 0, 0.0, time.monotonic()
    with open_store(database, mode="write") as store, out.open("w") as lines:
        app = App(config, store, clock=lambda: now, random=Random(1))
        app.sync_sources()
        print(*COLUMNS, sep="\t", file=lines)
        async with Pool(2) as pool:
            while now < START + timedelta(days=days):
                papers.set_clock(now)
                if store.sources.due(now) or store.frontier.take(1, now=now):
                    requests += (await crawl(app, pool)).requests
                most_wal = max(most_wal, size_mb(database.with_name("news.db-wal")))
                now += STEP
                if now.minute:
                    continue
                sweep(store, now=now, requests_s=14 * 86400, rejected_text_s=30 * 86400, rejected_entries_s=365 * 86400)
                run = store.connection.execute
                row = (
                    (now - START) / timedelta(hours=1),
                    round(time.monotonic() - began),
                    round(rss_mb(os.getpid()), 1),
                    round(sum(map(rss_mb, children(os.getpid()))), 1),
                    len(list(Path("/proc/self/fd").iterdir())),
                    round(size_mb(database.with_name("news.db-wal")), 2),
                    round(size_mb(database), 2),
                    requests,
                    run("SELECT count(*) FROM entries").fetchone()[0],
                    run("SELECT count(*) FROM articles").fetchone()[0],
                )
                rows.append(row)
                print(*row, sep="\t", file=lines, flush=True)
        ledger = audit.report(store, day=None, zone=config.timezone)
        states = dict(store.frontier.counts())
    warm = [r for r in rows if r[0] > 24] or rows
    return {
        "papers": papers.count,
        "days": days,
        "seconds": round(time.monotonic() - began),
        "requests": requests,
        "server": papers.counts(),
        "entries": states,
        "unexplained": ledger["unexplained"],
        "rss_mb": {"after a day": warm[0][2], "at the end": warm[-1][2], "most": max(r[2] for r in rows)},
        "slope_mb_a_day": {f"after day {n}": slope(rows, after_h=24 * n) for n in (1, 3) if days > n + 1},
        "files": [min(r[4] for r in warm), max(r[4] for r in warm)],
        "wal_mb_most": most_wal,
        "db_mb": rows[-1][6],
        "db_kb_an_entry": round(rows[-1][6] * 1024 / max(1, rows[-1][8]), 2),
    }


def slope(rows: list[tuple[float, ...]], *, after_h: float) -> float:
    """Of the memory, MB a day."""
    seen = [(row[0] / 24, row[2]) for row in rows if row[0] > after_h]
    return round(statistics.linear_regression(*zip(*seen, strict=True)).slope, 2)


def tables(database: Path) -> list[tuple[str, int, int]]:
    """(table or index, bytes, rows) of the largest."""
    with closing(sqlite3.connect(database)) as connection:
        sizes = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC").fetchall()
        names = {n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return [
            (n, size, connection.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0] if n in names else 0)
            for n, size in sizes[:25]
        ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--papers", type=int, default=1000)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--out", type=Path, default=Path("week.tsv"))
    given = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    with (
        tempfile.TemporaryDirectory() as name,
        Papers(given.papers, every_s=(8 * 3600, 72 * 3600), start=START) as papers,
    ):
        found = asyncio.run(week(papers, Path(name), given.days, given.out))
        print(json.dumps(found, indent=1))
        for table, size, count in tables(Path(name) / "news.db"):
            print(f"{size / 1024:9.0f} kB  {table:28} {count or ''}")


if __name__ == "__main__":
    main()
