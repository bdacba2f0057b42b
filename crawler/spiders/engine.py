"""The crawl: one pass over every due source and the pages they lead to, in one Scrapy engine. Decides little itself:
`schedule` says when, `readers` and `extract` (in workers) what it says, `ingest` what becomes of it.
"""

import asyncio
import contextlib
import gc
import hashlib
import logging
import re
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import scrapy
from scrapy.crawler import Crawler

from crawler import schedule, urls
from crawler.app import App
from crawler.classify import may_concern
from crawler.config import SourceConfig
from crawler.errors import StoreError
from crawler.ingest.listed import gaps_tried, last_list, look_up, published_s, relisted, settle_gaps, settle_visit
from crawler.ingest.pages import settle_from_feed, settle_page
from crawler.logs import bound
from crawler.memory import apart, give_back
from crawler.spiders import backfill, sites
from crawler.spiders.fetch import Download, Fetcher, Line
from crawler.spiders.settings import SETTINGS
from crawler.spiders.wire import Failure, NoAnswer, Wire
from crawler.types import Document, Entry, Fetched, Moment, Reading
from crawler.workers import Pool, WorkerLost
from store.records import Listed, Outcome, Pending, SourceState, State, Validators, Visit

log = logging.getLogger("pakrus")

FULL_EVERY = 20  # visits; the last of them is unconditional, so that a server that always says 304 is found out
STALE_AFTER = timedelta(days=14)
MAX_CHILDREN = 5  # sitemaps of an index that are read, the newest
BATCH = 500  # pending pages taken from the store at once
PAGES_S = 120.0  # a pass that only reads pages makes way after this, if sources have become due meanwhile
LOOK_S = 5.0  # how often it asks whether they have
STOP_GRACE_S = 5.0  # what runs when the stop comes may take so long
STOP_ABORT_S = 2.0  # and so long to notice that its connection is gone
SIDES = ("PK", "RU")  # their pages are all fetched: a cheap look at the bytes comes before extraction
NEVER = (Failure.FORBIDDEN, Failure.ROBOTS, Failure.REDIRECTS, Failure.TOO_LARGE, Failure.TLS)  # nor tomorrow
NOT_PAGES = ("image/", "audio/", "video/", "font/", "application/zip", "application/octet-stream")


# --- what came of it --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """What one visit came to."""

    id: str
    outcome: Outcome
    status: int | None
    seen: int
    new: int
    ms: int
    error: str | None = None

    def __str__(self) -> str:
        status = str(self.status) if self.status is not None else "-"
        return f"{self.id:<32} {self.outcome:<10} {status:>3}  {self.ms:>6} ms  {self.said}".rstrip()

    @property
    def said(self) -> str:
        """Why it failed, or how many were new."""
        return self.error or (f"{self.new} new of {self.seen}" if self.seen else "")

    def to_json(self) -> dict[str, Any]:
        return {n: getattr(self, n) for n in ("id", "outcome", "status", "seen", "new", "ms", "error")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one pass came to. `reached`: requests that somebody answered. `unreachable`: sources were visited and none
    could be connected to; then none was charged with a failure."""

    sources: tuple[SourceLine, ...] = ()
    pages: Mapping[str, int]  # state of the entry -> how many pages ended in it
    requests: int = 0
    reached: int = 0
    forgiven: int = 0  # failures to connect that were put down to our own line
    unreachable: bool = False
    stopped: bool = False
    seconds: float = 0.0

    def totals(self) -> dict[str, Any]:
        outcomes = Counter(str(line.outcome) for line in self.sources)
        return {
            "visited": len(self.sources),
            "outcomes": dict(sorted(outcomes.items())),
            "new": sum(line.new for line in self.sources),
            "pages": dict(sorted(self.pages.items())),
            "requests": self.requests,
            "reached": self.reached,
            "forgiven": self.forgiven,
            "unreachable": self.unreachable,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 1),
        }

    def line(self) -> str:
        """The totals as one line."""
        pages = ", ".join(f"{n} {state}" for state, n in sorted(self.pages.items())) or "none"
        new = sum(line.new for line in self.sources)
        end = "; stopped" if self.stopped else ""
        return (
            f"{len(self.sources)} sources, {new} new items; pages: {pages}; "
            f"{self.requests} requests in {self.seconds:.1f} s{end}"
        )

    def lines(self) -> list[str]:
        """A line a source, and the totals."""
        return [*(str(line) for line in self.sources), self.line()]

    def to_json(self) -> dict[str, Any]:
        return {**self.totals(), "sources": [s.to_json() for s in self.sources]}


# --- the pass ---------------------------------------------------------------------------------------------------------


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
        self._fetcher: Fetcher | None = None
        self._lines: list[SourceLine] = []
        self._states: Counter[str] = Counter()
        self._forgiven = 0
        self._began = time.monotonic()
        # Pages: what this pass has taken from the store, by host, and the runners that serve each host.
        self._taken: set[int] = set()
        self._keys: set[str] = set()
        self._queues: dict[str, deque[Pending]] = {}
        self._runners: Counter[str] = Counter()
        self._visiting = 0
        self._look_at = 0.0
        self._more = True  # the store may have pages that we have not taken
        self._changed = asyncio.Event()
        self._desk = asyncio.Lock()

    @property
    def fetcher(self) -> Fetcher:
        assert self._fetcher is not None
        return self._fetcher

    async def run(self, download: Download) -> None:
        """The whole work; what it raises is kept in `error`, since Scrapy would only log it."""
        self._fetcher = Fetcher(self.app, self.wire, download, self.line, progress=self.progress)
        work = asyncio.create_task(self._all())
        stopped = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._fetcher.close()
                self._changed.set()
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
            self.fetcher.flush()
        except StoreError as error:
            self.error = self.error or error

    async def _line_is_up(self) -> bool:
        """Whether somebody who has answered can still be connected to: asked where that decides who is to blame."""
        if not self.line.in_doubt or self.line.witness is None or self.stop.is_set():
            return False
        return await self.wire.connects(self.line.witness)

    def summary(self) -> Summary:
        answered = [s for s in self._lines if s.status is not None]
        return Summary(
            sources=tuple(sorted(self._lines, key=lambda s: s.id)),
            pages=dict(self._states),
            requests=self.fetcher.requests,
            reached=self.line.reached,
            forgiven=self._forgiven,
            unreachable=bool(self._lines) and not answered and not self.line.heard and self._forgiven > 0,
            stopped=self.stop.is_set(),
            seconds=time.monotonic() - self._began,
        )

    async def _all(self) -> None:
        chosen = self._chosen()
        self._visiting = len(chosen)
        async with asyncio.TaskGroup() as group:
            for source, state in chosen:
                group.create_task(self._visit(source, state))
            group.create_task(self._pages(group))

    def _chosen(self) -> list[tuple[SourceConfig, SourceState]]:
        """The sources to visit, in no order of their own: the dead ones, due longest, must not always come first."""
        now = self.fetcher.now()
        states = [s for s in self.app.store.sources.all() if s.id in self._sources]
        if self.only:
            states = [s for s in states if s.id in self.only]
        elif not self.everything:
            states = [s for s in states if schedule.is_due(s, now)]
        self.app.random.shuffle(states)
        return [(self._sources[s.id], s) for s in states]

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        """One judgement at a time, and the connections are heard between two: each takes tens of milliseconds."""
        async with self._desk:
            yield
            await asyncio.sleep(0)

    # --- a source

    async def _visit(self, source: SourceConfig, state: SourceState) -> None:
        """One visit. Whatever happens in it ends in its outcome; only the store's own errors end the pass."""
        try:
            if not self.stop.is_set():
                with bound(source=source.id):
                    await self._visit_source(source, state)
                    await self._fill_gaps(source)
        except StoreError:
            raise
        except Exception as error:
            log.exception("the visit broke off", extra={"source": source.id})
            self._settle(source, state, self._failed(self.fetcher.now(), f"internal: {type(error).__name__}: {error}"))
        finally:
            self._visiting -= 1
            self._changed.set()

    async def _visit_source(self, source: SourceConfig, state: SourceState) -> None:
        began = self.fetcher.now()
        address = state.url
        if source.spider is not None:
            address = sites.address(sites.load(source.spider), state.url, self._today(source))
        resting = self.fetcher.resting_until(address)
        if resting is not None:
            error = f"the host asked for a rest until {resting:%Y-%m-%dT%H:%M:%SZ}"
            visit = Visit(source_id="", started_at=began, outcome=Outcome.THROTTLED, error=error)
            self._settle(source, state, visit, retry_after=resting)
            return
        held = state.validators
        conditional = bool(held.etag or held.last_modified) and state.visits_since_full + 1 < FULL_EVERY
        full = not (conditional or (held.body_sha256 and state.visits_since_full + 1 < FULL_EVERY))
        try:
            async with self.fetcher.get(
                address,
                source=source,
                kind=source.kind,
                validators=held if conditional else None,
                given_by=self.app.store.visits.answered_by(source.id) if conditional else None,
            ) as fetched:
                await self._read_source(source, state, fetched, full=full)
        except NoAnswer as error:
            self._no_answer(source, state, error, began)

    async def _read_source(self, source: SourceConfig, state: SourceState, fetched: Fetched, *, full: bool) -> None:
        visit = Visit(
            source_id=source.id,
            started_at=fetched.at,
            outcome=Outcome.FAILED,
            status=fetched.status,
            url=fetched.url,
            bytes=len(fetched.body),
            duration_ms=fetched.duration_ms,
        )
        held, headers = state.validators, fetched.headers
        if fetched.status == 304 and fetched.conditional:
            # What it names is not taken over: a 304 by mistake would name what we do not have, and hide it for good.
            visit = replace(visit, outcome=_moved(Outcome.UNCHANGED, fetched), moved_to=fetched.moved_to)
            self._settle(source, state, visit, validators=held, full=False, fetched=fetched)
            return
        refused = _refused(fetched)
        if refused is not None:
            outcome, why = refused
            until = schedule.retry_after(headers.get("retry-after"), now=self.fetcher.now())
            until = until or self.fetcher.resting_until(fetched.url)
            self._settle(source, state, replace(visit, outcome=outcome, error=why), retry_after=until, full=full)
            return
        sha = hashlib.sha256(fetched.body).hexdigest()
        validators = Validators(
            etag=fetched.validator("etag"), last_modified=fetched.validator("last-modified"), body_sha256=sha
        )
        if fetched.status == 206:
            validators = Validators()  # a part that we did not ask for: it must not hide the rest
        if sha == held.body_sha256 and not full:
            visit = replace(visit, outcome=_moved(Outcome.UNCHANGED, fetched), moved_to=fetched.moved_to)
            self._settle(source, state, visit, validators=validators, full=full, fetched=fetched)
            return
        if not fetched.body.strip():
            visit = replace(visit, outcome=Outcome.EMPTY, error="an answer without a body")
            self._settle(source, state, visit, validators=Validators(), full=full, fetched=fetched)
            return
        before = last_list(self.app, source) if source.kind == "feed" and not full else {}
        try:
            reading = await self._read(source, fetched, known=before)
            if relisted(self.app, source, reading, before=before):
                reading = await self._read(source, fetched, known={})
        except WorkerLost as error:
            self._settle(source, state, replace(visit, error=f"the reader was lost: {error.reason}"), full=full)
            return
        if reading.children:
            # What an index says changes less often than what it leads to: the next visit looks at it all again.
            reading = await self._with_children(source, reading)
            validators = Validators()
        outcome, trouble = _judge(reading, fetched, before=before, now=self.fetcher.now())
        if outcome is Outcome.NEW:
            visit = replace(visit, outcome=_moved(outcome, fetched), moved_to=fetched.moved_to)
        else:
            # A body that gave nothing is read anew at the next visit, else "unchanged" would hide its trouble.
            visit, validators = replace(visit, outcome=outcome, error=trouble), Validators()
        async with self._writing():
            self._settle(
                source, state, visit, reading=reading, before=before, validators=validators, full=full, fetched=fetched
            )

    async def _read(
        self, source: SourceConfig, fetched: Fetched, *, kind: str = "", known: Collection[str] | None = None
    ) -> Reading:
        """Entries of an answer, read in a worker; those that are in `known` are left out."""
        if source.kind == "spider" and not kind:
            return await self._read_site(source, fetched)
        reading: Reading = await self.pool.run(
            "read",
            kind or source.kind,
            fetched.body,
            url=fetched.url,
            content_type=fetched.content_type,
            zone=source.zone,
            now=self.fetcher.now(),
            selector=source.selector,
            known=None if known is None else frozenset(known),
        )
        return reading

    async def _read_site(self, source: SourceConfig, first: Fetched) -> Reading:
        """Entries of a site without a feed: of the page already fetched and of those that its declaration names."""
        assert source.spider is not None
        site = sites.load(source.spider)
        reading, following = await self._read_site_page(source, first)
        wanted = sites.earlier(site, self._today(source))
        for _ in range(site.pages - 1 + len(wanted)):
            url = following or (wanted.pop(0) if wanted else None)
            if url is None:
                break
            try:
                async with self.fetcher.get(url, source=source, kind="listing") as fetched:
                    if fetched.status != 200:
                        raise NoAnswer(Failure.BROKEN, f"status {fetched.status}")
                    more, following = await self._read_site_page(source, fetched)
            except NoAnswer as error:
                if error.failure is Failure.STOPPED:
                    raise
                return replace(reading, problems=(*reading.problems, f"page: {error.reason} for {url[:200]}"))
            reading = replace(
                reading, entries=reading.entries + more.entries, problems=reading.problems + more.problems
            )
        return reading

    async def _read_site_page(self, source: SourceConfig, fetched: Fetched) -> tuple[Reading, str | None]:
        page: tuple[Reading, str | None] = await self.pool.run(
            "site",
            source.spider,
            fetched.body,
            url=fetched.url,
            content_type=fetched.content_type,
            zone=source.zone,
            now=self.fetcher.now(),
        )
        return page

    async def _with_children(self, source: SourceConfig, index: Reading) -> Reading:
        """A sitemap index with the entries of its newest sitemaps."""
        entries, problems = list(index.entries), list(index.problems)
        read = 0
        for url in index.children[:MAX_CHILDREN]:
            try:
                async with self.fetcher.get(url, source=source, kind="sitemap") as fetched:
                    if fetched.status != 200:
                        problems.append(f"child: status {fetched.status} for {url[:200]}")
                        continue
                    child = await self._read(source, fetched, kind="sitemap")
            except NoAnswer as error:
                if error.failure is Failure.STOPPED:
                    raise
                problems.append(f"child: {error} for {url[:200]}")
            except WorkerLost as error:
                problems.append(f"child: the reader was lost: {error.reason} for {url[:200]}")
            else:
                read += child.readable
                entries += child.entries
                problems += child.problems
        return replace(index, entries=tuple(entries), problems=tuple(problems), readable=read > 0 or bool(entries))

    def _today(self, source: SourceConfig) -> datetime:
        return self.fetcher.now().astimezone(source.zone or self.app.config.timezone)

    def _no_answer(self, source: SourceConfig, state: SourceState, error: NoAnswer, began: datetime) -> None:
        """What a visit without an answer comes to."""
        visit = self._failed(began, error.reason)
        match error.failure:
            case Failure.STOPPED:
                pass
            case Failure.UNREACHED | Failure.SILENT | Failure.TIMEOUT | Failure.BROKEN | Failure.NO_ROBOTS:
                self._lines.append(_line(source, visit))
                self.line.failed(urls.host(state.url), lambda: self._settle(source, state, visit, told=True))
            case Failure.RESTING:
                visit = replace(visit, outcome=Outcome.THROTTLED)
                self._settle(source, state, visit, retry_after=error.until)
            case Failure.FORBIDDEN | Failure.ROBOTS:
                self._settle(source, state, replace(visit, outcome=Outcome.BLOCKED))
            case _:
                self._settle(source, state, visit)

    def _failed(self, began: datetime, error: str) -> Visit:
        ms = round((self.fetcher.now() - began).total_seconds() * 1000)
        return Visit(source_id="", started_at=began, outcome=Outcome.FAILED, duration_ms=ms, error=error)

    def _settle(
        self,
        source: SourceConfig,
        state: SourceState,
        visit: Visit,
        *,
        reading: Reading | None = None,
        before: Mapping[str, Listed] = MappingProxyType({}),
        validators: Validators | None = None,
        retry_after: datetime | None = None,
        full: bool = False,
        fetched: Fetched | None = None,
        told: bool = False,
    ) -> None:
        """Writes a visit with the time of the next one. `told`: its line is in the summary already."""
        now = self.fetcher.now()
        visit = replace(visit, source_id=source.id, error=_plain(visit.error))
        headers = fetched.headers if fetched is not None else {}
        listed = None if reading is None else look_up(self.app, source, reading, before=before)
        decision = schedule.next_due(
            now=now,
            every_s=source.every_s,
            state=state,
            outcome=visit.outcome,
            status=visit.status,
            overlap=None if listed is None else listed.overlap,
            seen=0 if listed is None else listed.seen,
            ttl_s=reading.ttl_s if reading is not None else None,
            cache_max_age_s=schedule.cache_max_age(headers.get("cache-control"), headers.get("expires"), now=now),
            retry_after=retry_after,
            random=self.app.random,
        )
        visit = settle_visit(
            self.app,
            source,
            visit,
            listed=listed,
            validators=state.validators if validators is None else validators,
            schedule=decision,
            now=now,
            full=full,
        )
        if listed is not None:
            self._more = True  # new entries, or known ones whose words changed
            self._changed.set()
        if not told:
            self._lines.append(_line(source, visit))
        line = _line(source, visit)
        about = {"source": source.id, **{k: v for k, v in line.to_json().items() if k != "id"}}
        log.info("visit: %s", " ".join(filter(None, (line.outcome, line.said))), extra=about)
        self.progress()

    # --- gaps

    async def _fill_gaps(self, source: SourceConfig) -> None:
        """Looks up what appeared between visits that did not overlap, and with `since` before the first one."""
        visits = self.app.store.visits
        if self.since is not None and source.role == "source" and source.kind != "spider":
            visits.open_gap(source.id, since=self.since, until=self.fetcher.now())
        gaps = visits.open_gaps(source.id) if not self.stop.is_set() else []
        if not gaps:
            return
        oldest, newest = min(g.since for g in gaps), max(g.until for g in gaps)

        async def read(kind: str, url: str) -> Reading | None:
            try:
                async with self.fetcher.get(url, source=source, kind=kind) as fetched:
                    if fetched.status in (429, 503):
                        raise NoAnswer(Failure.RESTING, f"status {fetched.status}")
                    return await self._read(source, fetched, kind=kind) if fetched.status == 200 else None
            except NoAnswer as error:
                if error.failure in NEVER:
                    return None  # one list that cannot be had must not keep us from the others
                raise

        try:
            found = await backfill.find(
                url=source.url,
                archive=source.archive,
                sitemaps=self.fetcher.sitemaps(source.url),
                since=oldest,
                until=newest,
                zone=source.zone or self.app.config.timezone,
                read=read,
            )
        except (NoAnswer, WorkerLost) as error:
            log.info("the gap stays open: %s", _plain(str(error)))
            gaps_tried(self.app, gaps, now=self.fetcher.now())
            return
        reading = Reading(entries=tuple(found.entries.values()))
        new = settle_gaps(self.app, source, gaps, reading, now=self.fetcher.now())
        way = f"{found.sources} lists" if found.sources else "no archive and no sitemap"
        log.info("gap since %s: %d new of %d, %s", oldest, new, len(reading.entries), way)
        if new:
            self._more = True
            self._changed.set()

    # --- the pages

    async def _pages(self, group: asyncio.TaskGroup) -> None:
        """Takes due pages from the store and gives them to the hosts' runners, until nothing is left anywhere."""
        while not self.stop.is_set():
            self._changed.clear()
            if self._makes_way():
                for queue in self._queues.values():
                    queue.clear()  # they are in the store, and the next pass goes on with them
                return
            waiting = sum(map(len, self._queues.values()))
            if self._more and waiting < BATCH:
                self._take(group)
                continue
            if not (waiting or self._visiting or self._more or self._runners.total()):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()

    def _makes_way(self) -> bool:
        """Whether pages have been read for so long that sources wait: two hundred pages of a slow host take hours."""
        now = time.monotonic()
        if self.only or self.everything or self._visiting or now - self._began < PAGES_S or now < self._look_at:
            return False
        self._look_at = now + LOOK_S
        return any(state.id in self._sources for state in self.app.store.sources.due(self.fetcher.now()))

    def _take(self, group: asyncio.TaskGroup) -> None:
        batch = self.app.store.frontier.take(
            BATCH, now=self.fetcher.now(), exclude=self._taken, feed_only=self.app.config.feed_only
        )
        self._more = len(batch) == BATCH
        for pending in batch:
            self._taken.add(pending.entry_id)
            source = self._sources.get(pending.source_id)
            if source is None or (self.only and source.id not in self.only):
                continue
            if source.fetch_pages == "never" and pending.article_id is None:
                self._states[settle_from_feed(self.app, pending, now=self.fetcher.now())] += 1
                continue
            if source.fetch_pages == "never":
                self._settle_page(pending, problem="its source's pages are never fetched")
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
            while queue and not self.stop.is_set():
                await self._page(queue.popleft())
                if len(queue) == 0 or self._more:
                    self._changed.set()
        finally:
            self._runners[host] -= 1
            self._changed.set()

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
            self._settle_page(pending, problem=f"internal: {type(error).__name__}: {error}")

    async def _read_page(self, pending: Pending, source: SourceConfig, fetched: Fetched) -> None:
        status = fetched.status
        if status == 304:
            # It stays as it was read, and so do its validators; where we did not ask on condition, it is a failure.
            same = replace(fetched, headers={}) if fetched.conditional else None
            self._settle_page(pending, fetched=same, problem="304 without being asked")
            return
        refused = _refused(fetched)
        if refused is not None:
            outcome, error = refused
            until = self.fetcher.resting_until(fetched.url)
            if outcome is Outcome.THROTTLED and until is not None:
                self._postpone(pending, error, until)
                return
            gone, blocked = outcome is Outcome.GONE, outcome is Outcome.BLOCKED
            self._settle_page(pending, fetched=fetched, problem=error, gone=gone, blocked=blocked)
            return
        if not fetched.body.strip():
            self._settle_page(pending, fetched=fetched, problem="an answer without a body")
            return
        kind = fetched.content_type.split(";", 1)[0].strip().lower()
        if kind.startswith(NOT_PAGES) and not _MARKUP.match(fetched.body):
            self._settle_page(pending, fetched=fetched, skipped=f"no page but {kind[:60]}")
            return
        pdf = kind == "application/pdf" or fetched.body.startswith(b"%PDF-")
        if (
            source.country in SIDES
            and not pdf
            and pending.article_id is None
            and not may_concern(fetched.body, country=source.country, lexicon=self.app.lexicon, title=pending.title)
        ):
            self._settle_page(pending, fetched=fetched, skipped="no word of the other side in the page")
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
            self._settle_page(pending, fetched=fetched, problem=f"the extractor was lost: {error.reason}")
            return
        async with self._writing():
            self._settle_page(pending, fetched=fetched, document=document)

    def _no_page(self, pending: Pending, error: NoAnswer) -> None:
        match error.failure:
            case Failure.STOPPED:
                pass
            case Failure.UNREACHED | Failure.TIMEOUT | Failure.BROKEN | Failure.NO_ROBOTS:
                reason = f"no connection: {error.reason}" if error.failure is Failure.UNREACHED else str(error)
                self.line.failed(urls.host(pending.url), lambda: self._settle_page(pending, problem=reason))
            case Failure.RESTING | Failure.SILENT:
                assert error.until is not None
                self._postpone(pending, error.reason, error.until)
            case Failure.FORBIDDEN | Failure.ROBOTS:
                self._settle_page(pending, problem=error.reason, blocked=True)
            case _:
                self._settle_page(pending, problem=str(error))

    def _postpone(self, pending: Pending, reason: str, until: datetime) -> None:
        """The page waits for its host without being charged; a kept article that is read again just stays due."""
        if pending.article_id is None:
            with self.app.store.transaction():
                self.app.store.frontier.retry(pending.entry_id, reason=reason, next_try_at=until, charge=False)
        self._states["postponed"] += 1

    def _settle_page(
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
            problem=_plain(problem),
            skipped=skipped,
            blocked=blocked,
            gone=gone,
            now=self.fetcher.now(),
        )
        self._states[str(state)] += 1
        self.progress()


# Pages that ask for a browser, by what their makers put into them: a wall is told and rested, never fought.
_BOT_WALL = re.compile(
    rb"/cdn-cgi/challenge-platform|<title>Just a moment|/TSPD/|_Incapsula_Resource|/\.well-known/ddos-guard"
    rb"|captcha-delivery\.com|__qrator/|sucuri_cloudproxy|/_sec/cp_challenge|awswaf\.com|px-captcha|smartcaptcha",
    re.IGNORECASE,
)


_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


# --- small decisions --------------------------------------------------------------------------------------------------


def _refused(fetched: Fetched) -> tuple[Outcome, str] | None:
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


def _judge(
    reading: Reading, fetched: Fetched, *, before: Mapping[str, Listed], now: datetime
) -> tuple[Outcome, str | None]:
    """What a reading comes to, before the ledger says which of its entries are new."""
    problem = "; ".join(reading.problems[:3])[:500] or None
    listed = len(reading.entries) + len(reading.same)
    if not listed and _BOT_WALL.search(fetched.body[:50_000]):
        return Outcome.BLOCKED, "a bot wall"
    if not reading.readable:
        return Outcome.NOT_A_FEED, problem or "the body is something else"
    if not listed:
        return Outcome.EMPTY, problem or "no items"
    dates = [*map(published_s, reading.entries), *(before[block].published for block in reading.same)]
    newest = max((date for date in dates if date is not None), default=None)
    if newest is not None and None not in dates and newest < (now - STALE_AFTER).timestamp():
        return Outcome.STALE, f"the newest of {listed} items is of {datetime.fromtimestamp(newest, UTC):%Y-%m-%d}"
    return Outcome.NEW, None


def _moved(outcome: Outcome, fetched: Fetched) -> Outcome:
    return Outcome.MOVED if fetched.moved_to is not None else outcome


def _line(source: SourceConfig, visit: Visit) -> SourceLine:
    return SourceLine(
        id=source.id,
        outcome=visit.outcome,
        status=visit.status,
        seen=visit.entries_seen,
        new=visit.entries_new,
        ms=visit.duration_ms,
        error=_plain(visit.error),
    )


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


def _plain(text: str | None) -> str | None:
    """What comes from the web goes into logs and tables without control characters, and not at any length."""
    return None if text is None else "".join(c if c.isprintable() else " " for c in text)[:500]


def _first(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
