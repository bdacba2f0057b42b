"""The pages that a pass reads: taken from the store as they become due, and read host by host."""

import asyncio
import contextlib
import logging
import re
import time
from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from crawler import urls
from crawler.classify import may_concern
from crawler.config import SourceConfig
from crawler.errors import StoreError
from crawler.ingest.pages import settle_from_feed, settle_page
from crawler.spiders.shared import Shared, plain, refused
from crawler.spiders.wire import Failure, NoAnswer
from crawler.types import Document, Entry, Fetched, Moment
from crawler.workers import WorkerLost
from store.records import Outcome, Pending, State

log = logging.getLogger("pakrus")

BATCH = 500  # pending pages taken from the store at once
PAGES_S = 120.0  # a pass that only reads pages makes way after this, if sources have become due meanwhile
LOOK_S = 5.0  # how often it asks whether they have
SIDES = ("PK", "RU")  # their pages are all fetched: a cheap look at the bytes comes before extraction
NOT_PAGES = ("image/", "audio/", "video/", "font/", "application/zip", "application/octet-stream")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


class Pages:
    """The pages of `sources`, with `only` of those alone. `patient`: reads them all, whatever becomes due meanwhile."""

    def __init__(
        self, shared: Shared, sources: Mapping[str, SourceConfig], *, only: Collection[str], patient: bool
    ) -> None:
        self.shared, self.only, self.patient = shared, only, patient
        self.app, self.pool, self.fetcher = shared.app, shared.pool, shared.fetcher
        self._sources = sources
        # What this pass has taken from the store, by host, and the runners that serve each host.
        self._taken: set[int] = set()
        self._keys: set[str] = set()
        self._queues: dict[str, deque[Pending]] = {}
        self._runners: Counter[str] = Counter()
        self._look_at = 0.0

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Takes due pages from the store and gives them to the hosts' runners, until nothing is left anywhere."""
        while not self.shared.stop.is_set():
            self.shared.changed.clear()
            if self._makes_way():
                for queue in self._queues.values():
                    queue.clear()  # they are in the store, and the next pass goes on with them
                return
            waiting = sum(map(len, self._queues.values()))
            if self.shared.more and waiting < BATCH:
                self._take(group)
                continue
            if not (waiting or self.shared.visiting or self.shared.more or self._runners.total()):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self.shared.changed.wait()

    def _makes_way(self) -> bool:
        """Whether pages have been read for so long that sources wait: two hundred pages of a slow host take hours."""
        now = time.monotonic()
        if self.patient or self.shared.visiting or now - self.shared.began < PAGES_S or now < self._look_at:
            return False
        self._look_at = now + LOOK_S
        return any(state.id in self._sources for state in self.app.store.sources.due(self.fetcher.now()))

    def _take(self, group: asyncio.TaskGroup) -> None:
        batch = self.app.store.frontier.take(
            BATCH, now=self.fetcher.now(), exclude=self._taken, feed_only=self.app.config.feed_only
        )
        self.shared.more = len(batch) == BATCH
        for pending in batch:
            self._taken.add(pending.entry_id)
            source = self._sources.get(pending.source_id)
            if source is None or (self.only and source.id not in self.only):
                continue
            if source.fetch_pages == "never" and pending.article_id is None:
                self.shared.states[settle_from_feed(self.app, pending, now=self.fetcher.now())] += 1
                continue
            if source.fetch_pages == "never":
                self._settle(pending, problem="its source's pages are never fetched")
                continue
            key = urls.canonical(pending.url)
            if key in self._keys:
                continue  # the same page from another source: settled together
            self._keys.add(key)
            host = urls.host(pending.url)
            self._queues.setdefault(host, deque()).append(pending)
            if self._runners[host] < self.app.config.crawl.per_host_concurrency:
                self._runners[host] += 1
                group.create_task(self._serve(host))

    async def _serve(self, host: str) -> None:
        """Reads the pages of one host, one after another; the host has as many such runners as it takes connections."""
        try:
            queue = self._queues[host]
            while queue and not self.shared.stop.is_set():
                await self._page(queue.popleft())
                if len(queue) == 0 or self.shared.more:
                    self.shared.changed.set()
        finally:
            self._runners[host] -= 1
            self.shared.changed.set()

    async def _page(self, pending: Pending) -> None:
        source = self._sources[pending.source_id]
        held = pending.validators
        conditional = held if held.etag or held.last_modified else None
        try:
            async with self.fetcher.get(pending.url, source=source, kind="page", validators=conditional) as fetched:
                await self._read_page(pending, source, fetched)
        except NoAnswer as error:
            self._no_page(pending, error)
        except StoreError:
            raise
        except Exception as error:
            log.exception("reading the page broke off", extra={"source": source.id, "url": pending.url})
            self._settle(pending, problem=f"internal: {type(error).__name__}: {error}")

    async def _read_page(self, pending: Pending, source: SourceConfig, fetched: Fetched) -> None:
        status = fetched.status
        if status == 304:
            # It stays as it was read, and so do its validators; where we did not ask on condition, it is a failure.
            same = replace(fetched, headers={}) if fetched.conditional else None
            self._settle(pending, fetched=same, problem="304 without being asked")
            return
        refusal = refused(fetched)
        if refusal is not None:
            outcome, error = refusal
            until = self.fetcher.resting_until(fetched.url)
            if outcome is Outcome.THROTTLED and until is not None:
                self._postpone(pending, error, until)
                return
            gone, blocked = outcome is Outcome.GONE, outcome is Outcome.BLOCKED
            self._settle(pending, fetched=fetched, problem=error, gone=gone, blocked=blocked)
            return
        if not fetched.body.strip():
            self._settle(pending, fetched=fetched, problem="an answer without a body")
            return
        kind = fetched.content_type.split(";", 1)[0].strip().lower()
        if kind.startswith(NOT_PAGES) and not _MARKUP.match(fetched.body):
            self._settle(pending, fetched=fetched, skipped=f"no page but {kind[:60]}")
            return
        pdf = kind == "application/pdf" or fetched.body.startswith(b"%PDF-")
        if (
            source.country in SIDES
            and not pdf
            and pending.article_id is None
            and not may_concern(fetched.body, country=source.country, lexicon=self.app.lexicon, title=pending.title)
        ):
            self._settle(pending, fetched=fetched, skipped="no word of the other side in the page")
            return
        try:
            document: Document = await self.pool.run(
                "extract",
                fetched.body,
                url=fetched.url,
                content_type=fetched.content_type,
                kind="pdf" if pdf else "html",
                entry=_entry(pending),
                zone=source.zone,
                now=self.fetcher.now(),
                body_selector=source.body_selector,
                title_selector=source.title_selector,
            )
        except WorkerLost as error:
            self._settle(pending, fetched=fetched, problem=f"the extractor was lost: {error.reason}")
            return
        async with self.shared.writing():
            self._settle(pending, fetched=fetched, document=document)

    def _no_page(self, pending: Pending, error: NoAnswer) -> None:
        match error.failure:
            case Failure.STOPPED:
                pass
            case Failure.UNREACHED | Failure.TIMEOUT | Failure.BROKEN | Failure.NO_ROBOTS:
                reason = f"no connection: {error.reason}" if error.failure is Failure.UNREACHED else str(error)
                self.shared.line.failed(urls.host(pending.url), lambda: self._settle(pending, problem=reason))
            case Failure.RESTING | Failure.SILENT:
                assert error.until is not None
                self._postpone(pending, error.reason, error.until)
            case Failure.FORBIDDEN | Failure.ROBOTS:
                self._settle(pending, problem=error.reason, blocked=True)
            case _:
                self._settle(pending, problem=str(error))

    def _postpone(self, pending: Pending, reason: str, until: datetime) -> None:
        """The page waits for its host without being charged; a kept article that is read again just stays due."""
        if pending.article_id is None:
            with self.app.store.transaction():
                self.app.store.frontier.retry(pending.entry_id, reason=reason, next_try_at=until, charge=False)
        self.shared.states["postponed"] += 1

    def _settle(
        self,
        pending: Pending,
        *,
        fetched: Fetched | None = None,
        document: Document | None = None,
        problem: str | None = None,
        skipped: str | None = None,
        blocked: bool = False,
        gone: bool = False,
    ) -> None:
        state: State = settle_page(
            self.app,
            pending,
            fetched=fetched,
            document=document,
            problem=plain(problem),
            skipped=skipped,
            blocked=blocked,
            gone=gone,
            now=self.fetcher.now(),
        )
        self.shared.states[str(state)] += 1
        self.shared.progress()


def _entry(pending: Pending) -> Entry:
    published = None
    if pending.published_at is not None:
        published = Moment(instant=pending.published_at, precision=pending.published_precision)
    return Entry(
        id=str(pending.entry_id),
        url=pending.url,
        title=pending.title,
        summary=pending.summary,
        content=pending.content,
        published=published,
        author=pending.author,
    )
