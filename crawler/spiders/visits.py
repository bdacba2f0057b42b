"""One visit of a source: its request, what the answer says, its gaps looked up, and all of it settled."""

import hashlib
import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from crawler import schedule, urls
from crawler.config import SourceConfig
from crawler.errors import StoreError
from crawler.ingest.listed import gaps_tried, last_list, look_up, published_s, relisted, settle_gaps, settle_visit
from crawler.logs import bound
from crawler.spiders import backfill, sites
from crawler.spiders.shared import Shared, plain, refused
from crawler.spiders.summary import SourceLine
from crawler.spiders.wire import Failure, NoAnswer
from crawler.types import Fetched, Reading
from crawler.workers import WorkerLost
from store.records import Listed, Outcome, SourceState, Validators, Visit

log = logging.getLogger("pakrus")

FULL_EVERY = 20  # visits; the last of them is unconditional, so that a server that always says 304 is found out
STALE_AFTER = timedelta(days=14)
MAX_CHILDREN = 5  # sitemaps of an index that are read, the newest
NEVER = (Failure.FORBIDDEN, Failure.ROBOTS, Failure.REDIRECTS, Failure.TOO_LARGE, Failure.TLS)  # nor tomorrow
# Pages that ask for a browser, by what their makers put into them: a wall is told and rested, never fought.
_BOT_WALL = re.compile(
    rb"/cdn-cgi/challenge-platform|<title>Just a moment|/TSPD/|_Incapsula_Resource|/\.well-known/ddos-guard"
    rb"|captcha-delivery\.com|__qrator/|sucuri_cloudproxy|/_sec/cp_challenge|awswaf\.com|px-captcha|smartcaptcha",
    re.IGNORECASE,
)


class SourceVisit:
    """A visit of `source` as `state` has it; with `since` what it looks up reaches back to that time."""

    def __init__(self, shared: Shared, source: SourceConfig, state: SourceState, *, since: datetime | None) -> None:
        self.shared, self.source, self.state, self.since = shared, source, state, since
        self.app, self.pool, self.fetcher = shared.app, shared.pool, shared.fetcher

    async def run(self) -> None:
        """Whatever happens in it ends in its outcome; only the store's own errors end the pass."""
        try:
            if not self.shared.stop.is_set():
                with bound(source=self.source.id):
                    await self._ask()
                    await self._fill_gaps()
        except StoreError:
            raise
        except Exception as error:
            log.exception("the visit broke off", extra={"source": self.source.id})
            self._settle(self._failed(self.fetcher.now(), f"internal: {type(error).__name__}: {error}"))
        finally:
            self.shared.visiting -= 1
            self.shared.changed.set()

    async def _ask(self) -> None:
        began = self.fetcher.now()
        address = self.state.url
        if self.source.spider is not None:
            address = sites.address(sites.load(self.source.spider), self.state.url, self._today())
        resting = self.fetcher.resting_until(address)
        if resting is not None:
            error = f"the host asked for a rest until {resting:%Y-%m-%dT%H:%M:%SZ}"
            visit = Visit(source_id="", started_at=began, outcome=Outcome.THROTTLED, error=error)
            self._settle(visit, retry_after=resting)
            return
        held = self.state.validators
        conditional = bool(held.etag or held.last_modified) and self.state.visits_since_full + 1 < FULL_EVERY
        full = not (conditional or (held.body_sha256 and self.state.visits_since_full + 1 < FULL_EVERY))
        try:
            async with self.fetcher.get(
                address,
                source=self.source,
                kind=self.source.kind,
                validators=held if conditional else None,
                given_by=self.app.store.visits.answered_by(self.source.id) if conditional else None,
            ) as fetched:
                await self._read_source(fetched, full=full)
        except NoAnswer as error:
            self._no_answer(error, began)

    async def _read_source(self, fetched: Fetched, *, full: bool) -> None:
        visit = Visit(
            source_id=self.source.id,
            started_at=fetched.at,
            outcome=Outcome.FAILED,
            status=fetched.status,
            url=fetched.url,
            bytes=len(fetched.body),
            duration_ms=fetched.duration_ms,
        )
        held, headers = self.state.validators, fetched.headers
        if fetched.status == 304 and fetched.conditional:
            # What it names is not taken over: a 304 by mistake would name what we do not have, and hide it for good.
            visit = replace(visit, outcome=_moved(Outcome.UNCHANGED, fetched), moved_to=fetched.moved_to)
            self._settle(visit, validators=held, full=False, fetched=fetched)
            return
        refusal = refused(fetched)
        if refusal is not None:
            outcome, why = refusal
            until = schedule.retry_after(headers.get("retry-after"), now=self.fetcher.now())
            until = until or self.fetcher.resting_until(fetched.url)
            self._settle(replace(visit, outcome=outcome, error=why), retry_after=until, full=full)
            return
        sha = hashlib.sha256(fetched.body).hexdigest()
        validators = Validators(
            etag=fetched.validator("etag"), last_modified=fetched.validator("last-modified"), body_sha256=sha
        )
        if fetched.status == 206:
            validators = Validators()  # a part that we did not ask for: it must not hide the rest
        if sha == held.body_sha256 and not full:
            visit = replace(visit, outcome=_moved(Outcome.UNCHANGED, fetched), moved_to=fetched.moved_to)
            self._settle(visit, validators=validators, full=full, fetched=fetched)
            return
        if not fetched.body.strip():
            visit = replace(visit, outcome=Outcome.EMPTY, error="an answer without a body")
            self._settle(visit, validators=Validators(), full=full, fetched=fetched)
            return
        before = last_list(self.app, self.source) if self.source.kind == "feed" and not full else {}
        try:
            reading = await self._read(fetched, known=before)
            if relisted(self.app, self.source, reading, before=before):
                reading = await self._read(fetched, known={})
        except WorkerLost as error:
            self._settle(replace(visit, error=f"the reader was lost: {error.reason}"), full=full)
            return
        if reading.children:
            # What an index says changes less often than what it leads to: the next visit looks at it all again.
            reading = await self._with_children(reading)
            validators = Validators()
        outcome, trouble = _judge(reading, fetched, before=before, now=self.fetcher.now())
        if outcome is Outcome.NEW:
            visit = replace(visit, outcome=_moved(outcome, fetched), moved_to=fetched.moved_to)
        else:
            # A body that gave nothing is read anew at the next visit, else "unchanged" would hide its trouble.
            visit, validators = replace(visit, outcome=outcome, error=trouble), Validators()
        async with self.shared.writing():
            self._settle(visit, reading=reading, before=before, validators=validators, full=full, fetched=fetched)

    async def _read(self, fetched: Fetched, *, kind: str = "", known: Collection[str] | None = None) -> Reading:
        """Entries of an answer, read in a worker; those that are in `known` are left out."""
        if self.source.kind == "spider" and not kind:
            return await self._read_site(fetched)
        reading: Reading = await self.pool.run(
            "read",
            kind or self.source.kind,
            fetched.body,
            url=fetched.url,
            content_type=fetched.content_type,
            zone=self.source.zone,
            now=self.fetcher.now(),
            selector=self.source.selector,
            known=None if known is None else frozenset(known),
        )
        return reading

    async def _read_site(self, first: Fetched) -> Reading:
        """Entries of a site without a feed: of the page already fetched and of those that its declaration names."""
        assert self.source.spider is not None
        site = sites.load(self.source.spider)
        reading, following = await self._read_site_page(first)
        wanted = sites.earlier(site, self._today())
        for _ in range(site.pages - 1 + len(wanted)):
            url = following or (wanted.pop(0) if wanted else None)
            if url is None:
                break
            try:
                async with self.fetcher.get(url, source=self.source, kind="listing") as fetched:
                    if fetched.status != 200:
                        raise NoAnswer(Failure.BROKEN, f"status {fetched.status}")
                    more, following = await self._read_site_page(fetched)
            except NoAnswer as error:
                if error.failure is Failure.STOPPED:
                    raise
                return replace(reading, problems=(*reading.problems, f"page: {error.reason} for {url[:200]}"))
            reading = replace(
                reading, entries=reading.entries + more.entries, problems=reading.problems + more.problems
            )
        return reading

    async def _read_site_page(self, fetched: Fetched) -> tuple[Reading, str | None]:
        page: tuple[Reading, str | None] = await self.pool.run(
            "site",
            self.source.spider,
            fetched.body,
            url=fetched.url,
            content_type=fetched.content_type,
            zone=self.source.zone,
            now=self.fetcher.now(),
        )
        return page

    async def _with_children(self, index: Reading) -> Reading:
        """A sitemap index with the entries of its newest sitemaps."""
        entries, problems = list(index.entries), list(index.problems)
        read = 0
        for url in index.children[:MAX_CHILDREN]:
            try:
                async with self.fetcher.get(url, source=self.source, kind="sitemap") as fetched:
                    if fetched.status != 200:
                        problems.append(f"child: status {fetched.status} for {url[:200]}")
                        continue
                    child = await self._read(fetched, kind="sitemap")
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

    def _today(self) -> datetime:
        return self.fetcher.now().astimezone(self.source.zone or self.app.config.timezone)

    def _no_answer(self, error: NoAnswer, began: datetime) -> None:
        """What a visit without an answer comes to."""
        visit = self._failed(began, error.reason)
        match error.failure:
            case Failure.STOPPED:
                pass
            case Failure.UNREACHED | Failure.SILENT | Failure.TIMEOUT | Failure.BROKEN | Failure.NO_ROBOTS:
                self.shared.lines.append(_line(self.source, visit))
                self.shared.line.failed(urls.host(self.state.url), lambda: self._settle(visit, told=True))
            case Failure.RESTING:
                visit = replace(visit, outcome=Outcome.THROTTLED)
                self._settle(visit, retry_after=error.until)
            case Failure.FORBIDDEN | Failure.ROBOTS:
                self._settle(replace(visit, outcome=Outcome.BLOCKED))
            case _:
                self._settle(visit)

    def _failed(self, began: datetime, error: str) -> Visit:
        ms = round((self.fetcher.now() - began).total_seconds() * 1000)
        return Visit(source_id="", started_at=began, outcome=Outcome.FAILED, duration_ms=ms, error=error)

    def _settle(
        self,
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
        visit = replace(visit, source_id=self.source.id, error=plain(visit.error))
        headers = fetched.headers if fetched is not None else {}
        listed = None if reading is None else look_up(self.app, self.source, reading, before=before)
        decision = schedule.next_due(
            now=now,
            every_s=self.source.every_s,
            state=self.state,
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
            self.source,
            visit,
            listed=listed,
            validators=self.state.validators if validators is None else validators,
            schedule=decision,
            now=now,
            full=full,
        )
        if listed is not None:
            self.shared.has_more()
        line = _line(self.source, visit)
        if not told:
            self.shared.lines.append(line)
        about = {"source": self.source.id, **{k: v for k, v in line.to_json().items() if k != "id"}}
        log.info("visit: %s", " ".join(filter(None, (line.outcome, line.said))), extra=about)
        self.shared.progress()

    async def _fill_gaps(self) -> None:
        """Looks up what appeared between visits that did not overlap, and with `since` before the first one."""
        visits = self.app.store.visits
        if self.since is not None and self.source.role == "source" and self.source.kind != "spider":
            visits.open_gap(self.source.id, since=self.since, until=self.fetcher.now())
        gaps = visits.open_gaps(self.source.id) if not self.shared.stop.is_set() else []
        if not gaps:
            return
        oldest, newest = min(g.since for g in gaps), max(g.until for g in gaps)

        async def read(kind: str, url: str) -> Reading | None:
            try:
                async with self.fetcher.get(url, source=self.source, kind=kind) as fetched:
                    if fetched.status in (429, 503):
                        raise NoAnswer(Failure.RESTING, f"status {fetched.status}")
                    return await self._read(fetched, kind=kind) if fetched.status == 200 else None
            except NoAnswer as error:
                if error.failure in NEVER:
                    return None  # one list that cannot be had must not keep us from the others
                raise

        try:
            found = await backfill.find(
                url=self.source.url,
                archive=self.source.archive,
                sitemaps=self.fetcher.sitemaps(self.source.url),
                since=oldest,
                until=newest,
                zone=self.source.zone or self.app.config.timezone,
                read=read,
            )
        except (NoAnswer, WorkerLost) as error:
            log.info("the gap stays open: %s", plain(str(error)))
            gaps_tried(self.app, gaps, now=self.fetcher.now())
            return
        reading = Reading(entries=tuple(found.entries.values()))
        new = settle_gaps(self.app, self.source, gaps, reading, now=self.fetcher.now())
        way = f"{found.sources} lists" if found.sources else "no archive and no sitemap"
        log.info("gap since %s: %d new of %d, %s", oldest, new, len(reading.entries), way)
        if new:
            self.shared.has_more()


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
        error=plain(visit.error),
    )
