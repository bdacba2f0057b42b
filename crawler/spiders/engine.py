"""The crawl: one pass over every due source and the pages they lead to, in one Scrapy engine. Decides little itself:
`schedule` says when, `readers` and `extract` (in workers) what it says, `ingest` what becomes of it.
"""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import scrapy
from scrapy.crawler import Crawler

from crawler import schedule
from crawler.app import App
from crawler.config import SourceConfig
from crawler.errors import StoreError
from crawler.memory import apart, give_back
from crawler.spiders.fetch import Download, Fetcher, Line
from crawler.spiders.pages import Pages
from crawler.spiders.settings import SETTINGS
from crawler.spiders.shared import Shared
from crawler.spiders.summary import Summary
from crawler.spiders.visits import SourceVisit
from crawler.spiders.wire import Wire
from crawler.workers import Pool
from store.records import SourceState

STOP_GRACE_S = 5.0  # what runs when the stop comes may take so long
STOP_ABORT_S = 2.0  # and so long to notice that its connection is gone


async def crawl(
    app: App,
    pool: Pool,
    *,
    only: Sequence[str] = (),
    everything: bool = False,
    since: datetime | None = None,
    stop: asyncio.Event | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Summary:
    """One pass: every due source (with `only` the named ones, with `everything` all), then pages until none is due.

    A visit that did not overlap with the one before is followed by a backfill from the site's archive or sitemaps;
    with `since` every visit is, back to that time. What is not done lies in the store as an open gap.
    Ends when idle, or within 8 s after `stop` is set; what is not done then lies in the store. Calls `progress` with
    each request, visit and page that is done with, and each minute of a wait for a host's turn. Raises StoreError.
    """
    _ = app.lexicon  # loaded before the first request: that takes a while, and meanwhile the loop stands still
    _set_aside()
    wire = Wire(app.config.crawl, base=app.config.base)
    the_pass = _Pass(
        app, pool, wire, only=only, everything=everything, since=since, stop=stop or asyncio.Event(), progress=progress
    )
    await lend(wire, the_pass.run)
    give_back()
    if the_pass.error is not None:
        raise the_pass.error
    return the_pass.summary()


@lru_cache(maxsize=1)
def _set_aside() -> None:
    """Takes what is loaded by now, once for the process, out of the collector's rounds: they were a tenth of the CPU
    of a crawl, and most of it went into looking again at the lexicon and the code."""
    gc.collect()
    gc.freeze()
    apart()


async def lend(wire: Wire, work: Callable[[Download], Coroutine[Any, Any, None]]) -> None:
    """Runs `work` with Scrapy's engine to download by, and closes the wire. Scrapy would only log what `work` raises:
    it keeps that itself."""
    # Scrapy tells of every step; what goes wrong there comes back to us as an exception anyway.
    logging.getLogger("scrapy").setLevel(logging.ERROR)
    try:
        await Crawler(LentSpider, dict(SETTINGS)).crawl_async(wire=wire, work=work)
    finally:
        await wire.close()


class LentSpider(scrapy.Spider):
    """Lends Scrapy's engine: runs as long as `work` does."""

    name = "pakrus"

    def __init__(self, *, wire: Wire, work: Callable[[Download], Coroutine[Any, Any, None]]) -> None:
        super().__init__()
        self.wire = wire
        self._work = work

    async def start(self) -> AsyncIterator[Any]:
        await self._work(self.crawler.engine.download_async)
        no_requests: tuple[Any, ...] = ()
        for request in no_requests:
            yield request


class _Pass:
    """One pass. Sources and pages run side by side: a page is fetched as soon as its entry is in the store."""

    def __init__(
        self,
        app: App,
        pool: Pool,
        wire: Wire,
        *,
        only: Sequence[str],
        everything: bool,
        since: datetime | None,
        stop: asyncio.Event,
        progress: Callable[[], None],
    ) -> None:
        self.app = app
        self.pool = pool
        self.wire = wire
        self.only = tuple(only)
        self.everything = everything
        self.since = since
        self.stop = stop
        self.progress = progress
        self.line = Line()
        self.error: BaseException | None = None
        self._sources = {s.id: s for s in app.config.enabled} | {id_: app.config.source(id_) for id_ in only}
        self._shared: Shared | None = None
        self._forgiven = 0
        self._began = time.monotonic()

    @property
    def shared(self) -> Shared:
        assert self._shared is not None
        return self._shared

    async def run(self, download: Download) -> None:
        """The whole work; what it raises is kept in `error`, since Scrapy would only log it."""
        fetcher = Fetcher(self.app, self.wire, download, self.line, progress=self.progress)
        self._shared = Shared(
            app=self.app,
            pool=self.pool,
            fetcher=fetcher,
            line=self.line,
            stop=self.stop,
            progress=self.progress,
            began=self._began,
        )
        work = asyncio.create_task(self._all())
        stopped = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                fetcher.close()
                self.shared.changed.set()
                await asyncio.wait({work}, timeout=STOP_GRACE_S)
            if not work.done():
                self.wire.stop()
                await asyncio.wait({work}, timeout=STOP_ABORT_S)
        finally:
            stopped.cancel()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        if not work.cancelled():
            self.error = _first(work.exception())
        try:
            self._forgiven = self.line.end(up=await self._line_is_up())
            fetcher.flush()
        except StoreError as error:
            self.error = self.error or error

    async def _line_is_up(self) -> bool:
        """Whether somebody who has answered can still be connected to: asked where that decides who is to blame."""
        if not self.line.in_doubt or self.line.witness is None or self.stop.is_set():
            return False
        return await self.wire.connects(self.line.witness)

    def summary(self) -> Summary:
        lines = self.shared.lines
        answered = [s for s in lines if s.status is not None]
        return Summary(
            sources=tuple(sorted(lines, key=lambda s: s.id)),
            pages=dict(self.shared.states),
            requests=self.shared.fetcher.requests,
            reached=self.line.reached,
            forgiven=self._forgiven,
            unreachable=bool(lines) and not answered and not self.line.heard and self._forgiven > 0,
            stopped=self.stop.is_set(),
            seconds=time.monotonic() - self._began,
        )

    async def _all(self) -> None:
        chosen = self._chosen()
        self.shared.visiting = len(chosen)
        patient = bool(self.only) or self.everything
        pages = Pages(self.shared, self._sources, only=self.only, patient=patient)
        async with asyncio.TaskGroup() as group:
            for source, state in chosen:
                group.create_task(SourceVisit(self.shared, source, state, since=self.since).run())
            group.create_task(pages.run(group))

    def _chosen(self) -> list[tuple[SourceConfig, SourceState]]:
        """The sources to visit, in no order of their own: the dead ones, due longest, must not always come first."""
        now = self.shared.fetcher.now()
        states = [s for s in self.app.store.sources.all() if s.id in self._sources]
        if self.only:
            states = [s for s in states if s.id in self.only]
        elif not self.everything:
            states = [s for s in states if schedule.is_due(s, now)]
        self.app.random.shuffle(states)
        return [(self._sources[s.id], s) for s in states]


def _first(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
