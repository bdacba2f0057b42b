"""Small worlds for tests: a config, a store in a temporary folder, an app with a clock that the test winds."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from crawler.app import App
from crawler.config import Config, parse_config
from store.connection import open_store

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

FEEDS = """
topic: pakistan-russia
timezone: Asia/Karachi
sources:
  - {id: courier, name: Indus Courier, url: "http://courier.test/rss", kind: feed, country: PK, language: en, every: 15m}
  - {id: vestnik, name: Volga Vestnik, url: "http://vestnik.test/rss", kind: feed, country: RU, language: ru, every: 15m}
  - {id: awaz, name: Awaz, url: "http://awaz.test/rss", kind: feed, country: PK, language: ur, every: 15m}
  - {id: herald, name: Gulf Herald, url: "http://herald.test/rss", kind: feed, country: QA, language: en, every: 15m}
  - {id: finder, name: Finder, url: "http://finder.test/rss", kind: feed, language: en, role: witness, every: 6h}
"""


class Clock:
    """A clock that stands still until it is wound."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def wind(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


def config(text: str = FEEDS, base: Path = Path()) -> Config:
    return parse_config(text, base=base)


@contextmanager
def world(folder: Path, *, text: str = FEEDS, clock: Clock | None = None, mode: str = "write") -> Iterator[App]:
    """An app over a fresh or reopened database in a folder."""
    with open_store(folder / "news.db", mode=mode, holder="test") as store:
        app = App(config(text, folder), store, clock=clock or Clock(), random=Random(1))
        if mode != "read":
            app.sync_sources()
        yield app
