"""One GET with its redirects: guard, robots.txt, the host's pace and rest, and a row for each request.

A host's turn is taken before a connection to it is made and given back when the request has gone out, so two requests
are never closer than the delay, whatever the connection takes. The moment of the last request lies in the store: a
restart waits for it too.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urldefrag, urljoin, urlsplit

from scrapy import Request
from scrapy.http import Response
from w3lib.url import safe_url_string

from crawler import robots, schedule, urls
from crawler.app import App
from crawler.config import Network, SourceConfig
from crawler.memory import give_back
from crawler.spiders.body import ACCEPT_ENCODING
from crawler.spiders.guard import MAX_URL, refuse_url
from crawler.spiders.wire import Exchange, Failure, NoAnswer, Wire
from crawler.types import Fetched
from store.records import HostState, RequestRow, Validators

MAX_REDIRECTS = 5
PACE_MARGIN_S = 0.02  # what a loaded machine may shift between two sends
MOST_SILENT = 3  # requests in a row without an answer, after which a host is left alone for the rest of a crawl
REST_AFTER_SILENCE = timedelta(minutes=10)
REST_AFTER_429 = timedelta(minutes=10)  # where 429 comes without Retry-After
MOST_LARGE = 1  # bodies over wire.LARGE in memory at a time: what is read of one may take ten times its size
FLUSH_ROWS, FLUSH_S = 50, 1.0
WAIT_TOLD_S = 60.0  # a wait for a host's turn is told of as often
ACCEPT = {
    "feed": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5",
    "sitemap": "application/xml, text/xml, */*;q=0.5",
    "page": "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5",
    "robots": "text/plain, */*;q=0.5",
}

Download = Callable[[Request], Awaitable[Response]]


class Line:
    """Is it them, or is it us? Failures without an answer are held back until somebody answers; then they are charged.

    Where nobody answers after them, our own line may be the cause. Of one or two hosts that is not believed; of more,
    it is for somebody who has answered before to say (`witness`): if that host cannot be connected to either, they are
    forgotten.
    """

    MANY = 3  # hosts in a row that cannot be reached, at the end: us
    DOWN = 16  # hosts in a row and never an answer: no use to go on

    def __init__(self) -> None:
        self.reached = 0  # answers of any kind
        self.heard = False  # somebody took a connection at least
        self.witness: str | None = None  # the URL of the last who did, without a proxy between
        self._held: list[Callable[[], None]] = []
        self._hosts: set[str] = set()

    @property
    def is_down(self) -> bool:
        return not self.heard and len(self._hosts) >= self.DOWN

    @property
    def in_doubt(self) -> bool:
        return self.heard and len(self._hosts) >= self.MANY

    def stands(self, url: str | None) -> None:
        """A new connection was made, on the way to `url`; None: through a proxy."""
        self.heard = True
        self.witness = url or self.witness
        self._charge()

    def answered(self) -> None:
        self.reached += 1
        self.heard = True
        self._charge()

    def failed(self, host: str, charge: Callable[[], None]) -> None:
        self._hosts.add(host)
        self._held.append(charge)

    def end(self, *, up: bool = False) -> int:
        """Settles what is still held; returns how many failures are forgiven. `up`: the witness was connected to."""
        if self.heard and (up or not self.in_doubt):
            self._charge()
        forgiven = len(self._held)
        self._held.clear()
        return forgiven

    def _charge(self) -> None:
        self._hosts.clear()
        held, self._held = self._held, []
        for charge in held:
            charge()


@dataclass(slots=True, kw_only=True, eq=False)
class _Host:
    """A host of this crawl. `sent`: when the last request went out, in seconds of the monotonic clock."""

    state: HostState
    delay_s: float
    sent: float
    places: asyncio.Semaphore
    turn: asyncio.Lock
    asking: asyncio.Lock
    silent: int = 0  # requests in a row that it did not answer
    barred: NoAnswer | None = None  # no connection to it in this crawl: it is not tried again for robots.txt
    why: str = "no answer"  # the last failure to get robots.txt


class Fetcher:
    """Fetches for one crawl. `download` is Scrapy's ``engine.download_async``."""

    def __init__(
        self, app: App, wire: Wire, download: Download, line: Line, *, progress: Callable[[], None] = lambda: None
    ) -> None:
        self._app = app
        self._progress = progress
        self._config = app.config.crawl
        self._wire = wire
        self._download = download
        self._line = line
        self._room = asyncio.Semaphore(self._config.concurrency)
        self._large = asyncio.Semaphore(MOST_LARGE)
        self._hosts: dict[str, _Host] = {}
        self._slow = _slow_hosts(app.config.sources)
        self._rows: list[RequestRow] = []
        self._flushed = time.monotonic()
        self._began = (app.clock(), time.monotonic())
        self._closing = asyncio.Event()
        self.requests = 0

    def now(self) -> datetime:
        """The time, by the app's clock at the beginning and evenly since: no clock jump puts requests out of order."""
        at, monotonic = self._began
        return at + timedelta(seconds=time.monotonic() - monotonic)

    @asynccontextmanager
    async def get(
        self,
        url: str,
        *,
        source: SourceConfig,
        kind: str,
        validators: Validators | None = None,
        given_by: str | None = None,
    ) -> AsyncIterator[Fetched]:
        """The answer at the end of at most five redirects; raises NoAnswer. kind: feed, sitemap, listing, page.

        `validators` go to the host alone that gave them, that of `given_by` or else of `url`: to another one they say
        nothing, or what we read elsewhere. Inside the context one of the crawl's places is held, so that answers that
        wait to be read are few.
        """
        requested, moved_to, unbroken = url, None, True
        url = _sendable(url)
        home = urls.host(given_by or url)
        for hop in range(MAX_REDIRECTS + 1):
            self._look_at(url, source, came_from=requested if hop else None)
            host = self._host(url)
            await self._obey_robots(host, url, source)
            own = validators if host.state.host == home else None
            headers = self._headers(source, kind, own)
            async with AsyncExitStack() as held:
                async with host.places:
                    response, elapsed, at = await self._send(
                        host, url, headers, source=source, held=held, conditional=own is not None
                    )
                target = _redirect(response, url)
                if target is None:
                    yield Fetched(
                        requested_url=requested,
                        url=url,
                        status=response.status,
                        headers=_flat(response),
                        body=response.body,
                        at=at,
                        duration_ms=elapsed,
                        moved_to=moved_to,
                        conditional=own is not None,
                    )
                    return
            unbroken = unbroken and response.status in (301, 308)
            url = target
            moved_to = target if unbroken else moved_to
        raise NoAnswer(Failure.REDIRECTS, f"more than {MAX_REDIRECTS} redirects, the last to {_shown(url)}")

    def resting_until(self, url: str) -> datetime | None:
        """The end of the rest that the host of a URL has asked for, if it lasts."""
        return _resting(self._host(url).state, self.now())

    def sitemaps(self, url: str) -> list[str]:
        """The sitemaps that the robots.txt of a URL's host names, absolute."""
        host = self._host(url)
        if host.state.robots is None:
            return []
        found = (urls.absolute(named, url) for named in robots.sitemaps(host.state.robots))
        return [one for one in found if one is not None]

    def close(self) -> None:
        """No new request from now on; those under way go on."""
        self._closing.set()

    def flush(self) -> None:
        """Writes the rows of the requests made so far."""
        rows, self._rows = self._rows, []
        self._flushed = time.monotonic()
        if rows:
            self._app.store.visits.requests(rows)

    # --- a host

    def _host(self, url: str) -> _Host:
        name = urls.host(url)
        host = self._hosts.get(name)
        if host is None:
            state = self._app.store.hosts.get(name)
            host = self._hosts[name] = _Host(
                state=state,
                delay_s=0.0,
                sent=-1e9,
                places=asyncio.Semaphore(self._config.per_host_concurrency),
                turn=asyncio.Lock(),
                asking=asyncio.Lock(),
            )
            self._set_delay(host)
            if state.last_request_at is not None:
                since = (self.now() - state.last_request_at).total_seconds()
                host.sent = time.monotonic() - max(0.0, since)  # from the future: the clock was set back
        return host

    def _set_delay(self, host: _Host) -> None:
        own = self._slow.get(host.state.host, 0.0)
        host.delay_s = max(self._config.per_host_delay_s, own, min(host.state.delay_s or 0.0, robots.MOST_DELAY_S))

    def _save(self, host: _Host, state: HostState) -> None:
        host.state = state
        self._app.store.hosts.put(state)

    # --- one request

    async def _send(
        self,
        host: _Host,
        url: str,
        headers: Mapping[str, str],
        *,
        source: SourceConfig,
        held: AsyncExitStack,
        conditional: bool = False,
        robots_txt: bool = False,
    ) -> tuple[Response, int, datetime]:
        """Waits for the host's turn and sends one request. Returns the answer, how long it took in ms, and when."""
        release = await self._turn(host)
        try:
            await held.enter_async_context(self._room)
            sent_at = self.now()
            began = time.monotonic()
            sent = False

            async def before_send() -> None:
                nonlocal sent_at, began, sent, release
                if sent:  # a kept connection was closed under it: it goes out once more, a request like any other
                    self._record(row(None))
                    self.requests += 1
                    release = await self._turn(host)
                sent = True
                self._may_send(host)
                if not asked.reused:
                    self._line.stands(None if asked.proxy else url)
                began = host.sent = time.monotonic()
                asyncio.get_running_loop().call_soon(went_out)
                sent_at = self.now()
                if host.delay_s:
                    host.state = replace(host.state, last_request_at=sent_at)
                    self._app.store.hosts.touch(host.state.host, at=sent_at)
                release()

            def went_out() -> None:
                # The bytes leave in this turn of the loop: whatever held it up meanwhile, the next one waits from here.
                host.sent = time.monotonic()

            async def on_large() -> None:
                held.callback(give_back)
                await held.enter_async_context(self._large)

            asked = Exchange(
                proxy=source.proxy or self._config.proxy,
                ca_file=source.ca_file,
                limit=robots.MAX_BYTES if robots_txt else self._config.max_body,
                cut=robots_txt,
                before_send=before_send,
                on_large=on_large,
            )
            request = Request(
                url,
                headers=dict(headers),
                meta={"exchange": asked, "download_slot": host.state.host, "verbatim_url": True},
                dont_filter=True,
            )

            def row(response: Response | None) -> RequestRow:
                return RequestRow(
                    at=sent_at,
                    source_id=None if robots_txt else source.id,
                    host=host.state.host,
                    url=url,
                    status=response.status if response else None,
                    bytes=asked.wire_bytes,
                    duration_ms=round((time.monotonic() - began) * 1000),
                    conditional=conditional,
                    retry_after=_header(response, "Retry-After") if response else None,
                )

            self._may_send(host)
            self.requests += 1
            response: Response | None = None
            withheld = False
            try:
                response = await self._download(request)
            except NoAnswer as error:
                if error.failure is Failure.TLS:
                    self._line.answered()  # somebody said something, if the wrong thing
                host.silent += error.failure in (Failure.UNREACHED, Failure.TIMEOUT)
                withheld = not sent and error.failure in (Failure.RESTING, Failure.SILENT, Failure.STOPPED)
                raise
            finally:
                elapsed = round((time.monotonic() - began) * 1000)
                if withheld:  # the host asked for a rest while the connection was made
                    self.requests -= 1
                else:
                    self._record(row(response))
        finally:
            release()
        self._line.answered()
        host.silent = 0
        self._note_rest(host, response)
        return response, elapsed, sent_at

    async def _turn(self, host: _Host) -> Callable[[], None]:
        """Waits until the host may be asked again; the next one waits until what is returned is called."""
        await host.turn.acquire()
        taken = True

        def release() -> None:
            nonlocal taken
            if taken:
                taken = False
                host.turn.release()

        try:
            if host.delay_s:
                await self._wait(host.sent + host.delay_s + PACE_MARGIN_S - time.monotonic())
            else:
                release()  # no pace to keep: connections may be made side by side
            self._may_send(host)
        except BaseException:
            release()
            raise
        return release

    async def _wait(self, seconds: float) -> None:
        """Sleeps, but not on when the crawl is being stopped. A long wait is no standstill, and says so."""
        until = time.monotonic() + seconds
        while not self._closing.is_set() and (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, WAIT_TOLD_S)):
                    await self._closing.wait()
            self._progress()

    def _may_send(self, host: _Host) -> None:
        if self._closing.is_set():
            raise NoAnswer(Failure.STOPPED, "the crawl is being stopped")
        if self._line.is_down:
            raise NoAnswer(Failure.UNREACHED, "no host could be reached: our own line is down")
        now = self.now()
        if host.silent >= MOST_SILENT:
            why = f"the host did not answer {host.silent} times in a row"
            raise NoAnswer(Failure.SILENT, why, until=now + REST_AFTER_SILENCE)
        until = _resting(host.state, now)
        if until is not None:
            raise NoAnswer(Failure.RESTING, f"the host asked for a rest until {until:%Y-%m-%dT%H:%M:%SZ}", until=until)

    def _note_rest(self, host: _Host, response: Response) -> None:
        if response.status not in (429, 503):
            return
        now = self.now()
        until = schedule.retry_after(_header(response, "Retry-After"), now=now)
        if until is None and response.status == 429:
            until = now + REST_AFTER_429 * self._app.random.uniform(1, 1.5)
        if until is not None and until > (host.state.retry_after or now):
            self._save(host, replace(host.state, retry_after=until))

    def _record(self, row: RequestRow) -> None:
        self._rows.append(row)
        self._progress()
        if len(self._rows) >= FLUSH_ROWS or time.monotonic() - self._flushed >= FLUSH_S:
            self.flush()

    def _look_at(self, url: str, source: SourceConfig, *, came_from: str | None) -> None:
        port = urlsplit(source.url).port
        ports = () if port is None else (port,)
        # What is refused is the site or the length; of a site hundreds of pages are asked for.
        site = _SITE.match(url) if len(url) <= MAX_URL else None
        allowed = self._config.allow_private_addresses
        reason = _refuse_site(site[0], ports, allowed) if site else refuse_url(url, ports=ports, allowed=allowed)
        if reason is not None:
            where = f" (redirect from {_shown(came_from)})" if came_from else ""
            raise NoAnswer(Failure.FORBIDDEN, f"{reason}{where}")

    def _headers(self, source: SourceConfig, kind: str, validators: Validators | None = None) -> dict[str, str]:
        headers = {
            "User-Agent": source.user_agent or self._config.agent,
            "Accept": ACCEPT.get(kind, ACCEPT["page"]),
            "Accept-Encoding": ACCEPT_ENCODING,
        }
        if validators is not None and validators.etag:
            headers["If-None-Match"] = validators.etag
        if validators is not None and validators.last_modified:
            headers["If-Modified-Since"] = validators.last_modified
        return headers

    # --- robots.txt

    async def _obey_robots(self, host: _Host, url: str, source: SourceConfig) -> None:
        if not self._config.obey_robots:
            return
        async with host.asking:
            if host.barred is None and robots.is_stale(host.state, self.now()):
                await self._ask_robots(host, url, source)
        text = host.state.robots
        if text is None and host.barred is not None:
            raise host.barred
        if text is None:
            why = f"status {host.state.robots_status}" if host.state.robots_status else host.why
            raise NoAnswer(Failure.NO_ROBOTS, f"robots.txt cannot be had ({why}), which forbids everything")
        if not robots.allows(text, url, source.user_agent or self._config.user_agent):
            raise NoAnswer(Failure.ROBOTS, f"robots.txt of {host.state.host} forbids {urlsplit(url).path[:200]}")

    async def _ask_robots(self, host: _Host, url: str, source: SourceConfig) -> None:
        """Asks for robots.txt and stores what came of it; an old one is kept where no new one can be had."""
        now = self.now()
        try:
            status, text = await self._get_robots(urljoin(url, "/robots.txt"), source)
        except NoAnswer as error:
            if error.failure in (Failure.STOPPED, Failure.RESTING, Failure.SILENT):
                raise
            if error.failure in (Failure.UNREACHED, Failure.FORBIDDEN) and not error.redirected:
                # Perhaps our own line, perhaps our own rule: nothing is learned about the host.
                host.barred = error
                return
            host.why = error.reason
            status, text = 0, None
        state = replace(host.state, robots_at=now, robots_status=status)
        if text is not None:
            delay = robots.delay_s(text, source.user_agent or self._config.user_agent)
            state = replace(state, robots=text, robots_good_at=now, delay_s=delay)
        self._save(host, state)
        self._set_delay(host)

    async def _get_robots(self, url: str, source: SourceConfig) -> tuple[int, str | None]:
        """(status, text): "" allows everything, None says nothing. Raises NoAnswer."""
        headers = self._headers(source, "robots")
        first = url
        for hop in range(MAX_REDIRECTS + 1):
            try:
                self._look_at(url, source, came_from=first if hop else None)
                host = self._host(url)
                async with AsyncExitStack() as held:
                    async with host.places:
                        response, _, _ = await self._send(host, url, headers, source=source, held=held, robots_txt=True)
                    target = _redirect(response, url)
            except NoAnswer as error:
                error.redirected = hop > 0
                raise
            if target is None:
                break
            url = target
        else:
            return response.status, None
        if not robots.answered(response.status):
            return response.status, None
        if response.status >= 400:
            return response.status, ""
        return response.status, response.body.decode("utf-8-sig", "replace").replace("\x00", "")


@lru_cache(maxsize=512)
def _refuse_site(site: str, ports: tuple[int, ...], allowed: tuple[Network, ...]) -> str | None:
    return refuse_url(site, ports=ports, allowed=allowed)


def _redirect(response: Response, url: str) -> str | None:
    """Where an answer sends us, absolute and without a fragment; None where it is no redirect."""
    if response.status not in (301, 302, 303, 307, 308):
        return None
    location = response.headers.get("Location")
    if not location:
        raise NoAnswer(Failure.REDIRECTS, f"status {response.status} without a Location")
    try:
        text = location.decode("utf-8")
    except UnicodeDecodeError:
        text = location.decode("latin-1")
    try:
        return _sendable(urljoin(url, text.strip()))
    except ValueError as error:
        raise NoAnswer(Failure.REDIRECTS, f"to no URL: {_shown(text)!r} ({error})") from None


def _sendable(url: str) -> str:
    """A URL as it goes over the wire: escaped, its host in ASCII, without a fragment. Raises NoAnswer."""
    if _SENDABLE.fullmatch(url):
        return url
    try:
        return safe_url_string(urldefrag(url).url)
    except ValueError as error:
        raise NoAnswer(Failure.FORBIDDEN, f"no URL: {error}") from None


_SITE = re.compile(r"https?://[a-z0-9.-]+/")
# What `safe_url_string` would leave as it is: a path, nothing to escape, no port, no bare question mark.
_SENDABLE = re.compile(r"https?://[a-z0-9][a-z0-9.-]*/(?:[A-Za-z0-9._~!$&()*+,;=:@/?-]|%[0-9A-F]{2})*(?<!\?)")


def _shown(url: str) -> str:
    return urls.without_user(url)[:200]


def _resting(state: HostState, now: datetime) -> datetime | None:
    until = state.retry_after
    # Farther off than any Retry-After we accept: the clock was set back since.
    if until is None or not now < until <= now + schedule.LONGEST_RETRY_AFTER + timedelta(hours=1):
        return None
    return until


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return None if value is None else value.decode("latin-1")


def _flat(response: Response) -> dict[str, str]:
    return {k.decode("latin-1").lower(): b", ".join(vs).decode("latin-1") for k, vs in response.headers.items()}


def _slow_hosts(sources: tuple[SourceConfig, ...]) -> dict[str, float]:
    """The longest delay that a source of each host asks for."""
    slow: dict[str, float] = {}
    for source in sources:
        if source.delay_s:
            host = urls.host(source.url)
            slow[host] = max(slow.get(host, 0.0), source.delay_s)
    return slow
