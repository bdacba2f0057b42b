"""The demo's newsroom crawled three times without a disturbance, and what it had become after each pass."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawler import urls
from crawler.app import open_app
from crawler.config import read_config
from crawler.daemon import crawl_once
from crawler.demo.newsroom import Expectation, Newsroom
from crawler.demo.newsroom.server import Hit
from crawler.reports import audit, courtesy
from crawler.spiders.summary import Summary

NOW = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)  # half an hour before seven in Islamabad
RETRY_AFTER = timedelta(seconds=90)  # between the first two passes, so that the throttled paper has rested

Rows = Mapping[str, Mapping[str, Any]]  # canonical URL -> row


@dataclass(frozen=True, kw_only=True)
class Pass:
    """A pass, and the rows as they stood after it."""

    summary: Summary
    hits: tuple[Hit, ...]
    entries: Rows
    articles: Rows
    revisions: Mapping[str, int]
    audit: Mapping[str, Any]
    courtesy: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Crawled:
    """`passes` by their number from 1; `database` as the last one left it."""

    folder: Path
    newsroom: Newsroom
    passes: Mapping[int, Pass]

    @property
    def database(self) -> Path:
        return self.folder / "news.db"

    def expected(self, number: int) -> Mapping[str, Expectation]:
        """What the papers that can be reached show until that pass, by canonical URL."""
        return {urls.canonical(e.url): e for e in self.newsroom.expected(number=number) if e.reachable}

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()


def crawl_three_times(folder: Path) -> Crawled:
    passes: dict[int, Pass] = {}
    with Newsroom(now=NOW) as newsroom:
        (folder / "feeds.yaml").write_text(newsroom.config_text(), "utf-8")
        config = read_config(folder / "feeds.yaml", folder)
        for number in (1, 2, 3):
            if number > 1:
                newsroom.advance()
            newsroom.forget()
            begin = newsroom.clock() + (number - 1) * RETRY_AFTER - timedelta(seconds=time.monotonic())

            def clock(begin: datetime = begin) -> datetime:
                return begin + timedelta(seconds=time.monotonic())

            with open_app(config, database=folder / "news.db", mode="write", holder="test", clock=clock) as app:
                summary = crawl_once(app, everything=True)
                passes[number] = Pass(
                    summary=summary,
                    hits=tuple(newsroom.hits()),
                    audit=audit.report(app.store, day=None, zone=config.timezone),
                    courtesy=courtesy.report(app.store, config, since=None),
                    **rows(app.store.connection),
                )
    return Crawled(folder=folder, newsroom=newsroom, passes=passes)


def rows(connection: sqlite3.Connection) -> dict[str, Any]:
    """The rows that tests compare: entries of sources by their page, articles, how often each was revised."""

    def by_url(query: str) -> dict[str, dict[str, Any]]:
        found = [dict(row) for row in connection.execute(query)]
        out = {row["canonical_url"]: row for row in found}
        assert len(out) == len(found), "a page has two rows"
        return out

    revised = connection.execute(
        "SELECT a.canonical_url, count(*) FROM revisions r JOIN articles a ON a.id = r.article_id GROUP BY a.id"
    )
    return {
        "entries": by_url(
            "SELECT e.* FROM entries e JOIN sources s ON s.id = e.source_id WHERE s.role = 'source' AND e.url <> ''"
        ),
        "articles": by_url("SELECT * FROM articles"),
        "revisions": {row[0]: row[1] for row in revised},
    }
