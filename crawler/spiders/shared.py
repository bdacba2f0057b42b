"""What the visits and the pages of a pass share: what they work with, what they tell each other, what came of them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from crawler.app import App
from crawler.spiders.fetch import Fetcher, Line
from crawler.spiders.summary import SourceLine
from crawler.types import Fetched
from crawler.workers import Pool
from store.records import Outcome


@dataclass(slots=True, kw_only=True, eq=False)
class Shared:
    """One for a pass. `progress` is called with each request, visit and page that is done with."""

    app: App
    pool: Pool
    fetcher: Fetcher
    line: Line
    stop: asyncio.Event
    progress: Callable[[], None]
    began: float  # seconds of the monotonic clock
    visiting: int = 0  # visits that are not done with
    more: bool = True  # the store may have pages that have not been taken
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # whoever takes pages should look again
    lines: list[SourceLine] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)  # state of the entry -> how many pages ended in it
    _desk: asyncio.Lock = field(default_factory=asyncio.Lock)

    def has_more(self) -> None:
        """The store has new entries, or known ones whose words changed."""
        self.more = True
        self.changed.set()

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """One judgement at a time, and the connections are heard between two: each takes tens of milliseconds."""
        async with self._desk:
            yield
            await asyncio.sleep(0)


def refused(fetched: Fetched) -> tuple[Outcome, str] | None:
    """What an answer that carries nothing to read comes to; None: it is to be read."""
    status = fetched.status
    if 200 <= status < 300:
        return None
    error = f"status {status}"
    if status in (404, 410):
        return Outcome.GONE, error
    if status in (401, 402, 403, 407, 451):
        return Outcome.BLOCKED, error
    if status == 429 or (status == 503 and fetched.headers.get("retry-after")):
        return Outcome.THROTTLED, error
    if status == 304:
        return Outcome.FAILED, "304, but we did not ask on condition"
    return Outcome.FAILED, error


def plain(text: str | None) -> str | None:
    """What comes from the web goes into logs and tables without control characters, and not at any length."""
    return None if text is None else "".join(c if c.isprintable() else " " for c in text)[:500]
