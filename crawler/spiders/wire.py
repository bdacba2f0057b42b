"""One HTTP exchange over a guarded connection: the download handler under Scrapy's engine.

Scrapy's own handlers take a size limit, but no limit on what a body decompresses to, none on the addresses they
connect to, and no deadline for the whole response. This one is aiohttp with those three. It answers with Scrapy's
Response, or raises NoAnswer.
"""

import asyncio
import resource
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler import urls
from crawler.config import CrawlConfig
from crawler.spiders.body import BadBody, Body
from crawler.spiders.guard import DEFAULT_PORTS, refuse_address, refuse_url

MAX_LINE = 16_000  # bytes of a status line (and of one header field)
MAX_HEADERS = 128
MAX_HEADER_BYTES = 64_000
CONNECT_S = 15.0  # three SYNs are repeated after 1, 3 and 7 s
KEEP_ALIVE_S = 15.0
MAX_REDIRECTS = 5  # of a file that is saved; the fetcher counts those of pages
RENEW_S = 3600  # how long a set of certificate authorities is good
BEAT_S = 0.25  # how often the loop is seen to be alive
LARGE = 1_000_000  # bytes of a body, from which it is one of few
MOST_KEPT = 128  # hosts whose connections are kept; fewer where the system grants few files


class Failure(StrEnum):
    """Why no answer came."""

    UNREACHED = "unreached"  # no name, no route, refused, no connection in time: perhaps our own line
    FORBIDDEN = "forbidden"  # we do not go there
    TLS = "tls"
    TIMEOUT = "timeout"
    BROKEN = "broken"  # no HTTP, or cut off
    TOO_LARGE = "too_large"  # or a body that must not or cannot be decompressed
    REDIRECTS = "redirects"  # too many, or to nowhere
    ROBOTS = "robots"  # robots.txt forbids it
    NO_ROBOTS = "no_robots"  # robots.txt cannot be had, which forbids everything
    RESTING = "resting"  # the host asked for a rest, Retry-After
    SILENT = "silent"  # it has not answered several times in a row; we leave it alone for a while
    STOPPED = "stopped"  # we are shutting down


class NoAnswer(Exception):
    """An exchange without a usable answer."""

    def __init__(self, failure: Failure, reason: str, *, until: datetime | None = None) -> None:
        self.failure = failure
        self.reason = reason
        self.until = until  # RESTING, SILENT: not before
        self.redirected = False  # robots.txt: it was not the host itself that failed
        super().__init__(f"{failure}: {reason}")


class ForbiddenAddress(OSError):
    """A socket that we refuse to make."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """What the fetcher asks of one exchange (in ``request.meta["exchange"]``), and what it learns of it."""

    proxy: str | None = None
    ca_file: Path | None = None
    limit: int
    cut: bool = False  # a body that is too long is cut, not refused
    before_send: Callable[[], Awaitable[None]]  # awaited when the connection stands, right before the request goes out
    on_large: Callable[
        [], Awaitable[None]
    ]  # awaited once when the body turns out to be large; nothing is read meanwhile
    connected: bool = field(default=False, init=False)
    reused: bool = field(default=False, init=False)  # over a connection that was kept from an earlier exchange
    wire_bytes: int = field(default=0, init=False)


class Wire:
    """The connections of one crawl. Make it and close it in the running loop."""

    def __init__(self, config: CrawlConfig, *, base: Path = Path()) -> None:
        self._config = config
        self._base = base  # what the paths of CA files start from
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._deadlines: set[asyncio.Timeout] = set()
        self._kept: dict[str, float] = {}  # host -> when its connection was last used
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most_kept = min(MOST_KEPT, max(4, (files - 2 * config.concurrency) // 4))
        self._beat: asyncio.TimerHandle | None = None
        self.stopped = False

    async def exchange(self, request: Request) -> Response:
        """Sends one request and reads its answer. Raises NoAnswer."""
        if self.stopped:
            raise NoAnswer(Failure.STOPPED, "the crawl is being stopped")
        asked: Exchange = request.meta["exchange"]
        began = time.monotonic()
        if self._beat is None:
            self._beats(asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(self._config.timeout_s) as deadline:
                self._deadlines.add(deadline)
                try:
                    return await self._exchange(request, asked, deadline)
                finally:
                    self._deadlines.discard(deadline)
        except TimeoutError:
            waited = f"after {time.monotonic() - began:.0f} s"
            if self.stopped:
                raise NoAnswer(Failure.STOPPED, "the crawl is being stopped") from None
            if not asked.connected:
                raise NoAnswer(Failure.UNREACHED, f"no connection {waited}") from None
            raise NoAnswer(Failure.TIMEOUT, f"no whole answer {waited}") from None
        except BadBody as error:
            raise NoAnswer(Failure.TOO_LARGE, str(error)) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise NoAnswer(Failure.TLS, f"certificate refused: {_short(error.certificate_error)}") from None
        except aiohttp.ClientConnectorSSLError as error:
            raise NoAnswer(Failure.TLS, _short(error.os_error)) from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ForbiddenAddress):
                raise NoAnswer(Failure.FORBIDDEN, str(error.os_error)) from None
            raise NoAnswer(Failure.UNREACHED, _short(error.os_error)) from None
        except (aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError, OSError, ValueError) as error:
            failure = Failure.BROKEN if asked.connected else Failure.UNREACHED
            raise NoAnswer(failure, f"{type(error).__name__}: {_short(error)}") from None

    def _beats(self, expected: float) -> None:
        """Moves the deadlines by the time for which our own loop stood still: a judgement took that, not the servers.

        A timer that is due goes off before those that were due later, so that none of these ends an exchange unheard.
        """
        loop = asyncio.get_running_loop()
        late = loop.time() - expected
        if late > BEAT_S and not self.stopped:
            for deadline in self._deadlines:
                due = deadline.when()
                if due is not None and not deadline.expired():
                    deadline.reschedule(due + late)
        self._beat = loop.call_later(BEAT_S, self._beats, loop.time() + BEAT_S)

    async def _exchange(self, request: Request, asked: Exchange, deadline: asyncio.Timeout) -> Response:
        session = self._session(proxied=asked.proxy is not None)
        headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, vs in request.headers.items() for v in vs]
        if not self._keeps(request.meta["download_slot"]):
            headers.append(("Connection", "close"))
        async with session.get(
            yarl.URL(request.url, encoded=True),
            headers=headers,
            allow_redirects=False,
            proxy=asked.proxy,
            proxy_headers={"User-Agent": dict(headers).get("User-Agent", "")} if asked.proxy else None,  # of CONNECT
            ssl=self._context(asked.ca_file) if asked.proxy or request.url.startswith("https:") else True,
            trace_request_ctx=(asked, deadline, self._config.timeout_s),
        ) as answer:
            raw = answer.raw_headers
            size = sum(len(k) + len(v) + 4 for k, v in raw)
            if size > MAX_HEADER_BYTES:
                raise BadBody(f"{size} bytes of headers")
            body = Body(answer.headers.get("Content-Encoding", ""), limit=asked.limit, cut=asked.cut)
            if not asked.cut and (answer.content_length or 0) > asked.limit:
                raise BadBody(f"{answer.content_length} bytes announced, more than {asked.limit}")
            large = False
            try:
                async for piece in answer.content.iter_any():
                    body.feed(piece)
                    if body.size > LARGE and not large:
                        large = True
                        due, waits = deadline.when(), time.monotonic()
                        deadline.reschedule(None)  # the wait for those before it is ours, however long
                        await asked.on_large()
                        if due is not None and not self.stopped:
                            deadline.reschedule(due + time.monotonic() - waits)
                    if body.full:
                        answer.close()
                        break
            finally:
                asked.wire_bytes = body.wire_bytes + size
            return Response(
                request.url,
                status=answer.status,
                headers=raw,
                body=body.finish(),
                request=request,
            )

    async def save(self, url: str, file: IO[bytes], *, limit: int) -> int:
        """Streams what `url` answers into `file`, as it comes over the wire; its size in bytes. Raises NoAnswer.

        For files that are larger than any page: no deadline for the whole, but none of its pieces may take longer than
        the timeout. Redirects are followed under the same guard.
        """
        own_port = yarl.URL(url).explicit_port
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=self._config.timeout_s)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                ports = () if own_port is None else (own_port,)
                reason = refuse_url(url, ports=ports, allowed=self._config.allow_private_addresses)
                if reason is not None:
                    raise NoAnswer(Failure.FORBIDDEN, reason)
                async with self._session(proxied=self._config.proxy is not None).get(
                    url,
                    headers={"User-Agent": self._config.agent, "Accept-Encoding": "identity"},
                    allow_redirects=False,
                    proxy=self._config.proxy,
                    ssl=self._context(None),
                    timeout=timeout,
                    trace_request_ctx=None,
                ) as answer:
                    if answer.status in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                        url = urljoin(url, answer.headers["Location"])
                        continue
                    if answer.status != 200:
                        raise NoAnswer(Failure.BROKEN, f"status {answer.status}")
                    size = 0
                    async for piece in answer.content.iter_any():
                        size += len(piece)
                        if size > limit:
                            raise NoAnswer(Failure.TOO_LARGE, f"more than {limit} bytes")
                        file.write(piece)
                    return size
            raise NoAnswer(Failure.REDIRECTS, f"more than {MAX_REDIRECTS}")
        except aiohttp.ClientConnectorError as error:
            forbidden = isinstance(error.os_error, ForbiddenAddress)
            raise NoAnswer(Failure.FORBIDDEN if forbidden else Failure.UNREACHED, _short(error.os_error)) from None
        except (aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError, TimeoutError, ValueError) as error:
            raise NoAnswer(Failure.BROKEN, f"{type(error).__name__}: {_short(error)}") from None

    async def connects(self, url: str) -> bool:
        """Whether the host of a URL takes a connection now; nothing is asked of it."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
        try:
            async with asyncio.timeout(min(self._config.timeout_s, CONNECT_S)):
                for found in await _Resolver(self._config).resolve(host, port, socket.AF_UNSPEC):
                    if refuse_address(found["host"], allowed=self._config.allow_private_addresses) is None:
                        _, writer = await asyncio.open_connection(found["host"], found["port"])
                        writer.close()
                        return True
        except (OSError, TimeoutError):
            return False
        return False

    def _keeps(self, host: str) -> bool:
        """Whether the connection to a host may stay open after this exchange."""
        now = time.monotonic()
        if host not in self._kept and len(self._kept) >= self._most_kept:
            self._kept = {name: at for name, at in self._kept.items() if now - at < KEEP_ALIVE_S}
            if len(self._kept) >= self._most_kept:
                return False
        self._kept[host] = now
        return True

    def stop(self) -> None:
        """Ends all exchanges now, and refuses new ones."""
        self.stopped = True
        now = asyncio.get_running_loop().time()
        for deadline in self._deadlines:
            if not deadline.expired():
                deadline.reschedule(now)

    async def close(self) -> None:
        self.stop()
        if self._beat is not None:
            self._beat.cancel()
        for session in self._sessions.values():
            await session.close()

    def _session(self, *, proxied: bool) -> aiohttp.ClientSession:
        """One session for direct connections, guarded, and one for those to proxies, which the config has named."""
        if proxied in self._sessions:
            return self._sessions[proxied]
        config = self._config
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_start.append(_connection_wanted)
        trace.on_connection_create_end.append(_connection_stands)
        trace.on_connection_reuseconn.append(_connection_kept)
        trace.on_request_headers_sent.append(_about_to_send)  # called before they are written
        connector = aiohttp.TCPConnector(
            limit=0,  # the fetcher counts
            resolver=_Resolver(config),
            socket_factory=None if proxied else self._guarded_socket,
            keepalive_timeout=KEEP_ALIVE_S,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            max_headers=MAX_HEADERS,
            trace_configs=[trace],
        )
        self._sessions[proxied] = session
        return session

    def _guarded_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Makes the socket for a connection; the address in `info` is the one that will be connected to."""
        family, kind, protocol, _name, address = info
        reason = refuse_address(str(address[0]), allowed=self._config.allow_private_addresses)
        if reason is not None:
            raise ForbiddenAddress(reason)
        return socket.socket(family=family, type=kind, proto=protocol)

    def _context(self, ca_file: Path | None) -> ssl.SSLContext:
        ca_file = ca_file or self._config.ca_file
        try:
            return _trusting(None if ca_file is None else self._base / ca_file, round(time.time()) // RENEW_S)
        except (OSError, ssl.SSLError) as error:
            raise NoAnswer(Failure.TLS, f"{ca_file}: no usable CA file: {_short(error)}") from None


@lru_cache(maxsize=32)
def _trusting(ca_file: Path | None, _span: int) -> ssl.SSLContext:
    """The system's authorities, and those of a file. To read them takes as long as a hundred requests, so a pass takes
    over what the last one has read; a later `_span` reads them anew, for a daemon that outlives its authorities."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


class Handler:
    """Scrapy's download handler for http and https; the wire belongs to the spider that runs."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        self._wire: Wire = crawler.spider.wire  # type: ignore[union-attr]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Handler":
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        return await self._wire.exchange(request)

    async def close(self) -> None:
        """The crawl that made the wire closes it."""


class _Resolver(AbstractResolver):
    """Names from ``crawl.resolve`` first, then the system's. Forbidden addresses of a name are left out."""

    def __init__(self, config: CrawlConfig) -> None:
        self._config = config
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        named = self._config.resolve.get(host.lower().rstrip("."))
        if named is not None:
            address, port = named
            version = socket.AF_INET6 if ":" in address else socket.AF_INET
            return [
                ResolveResult(
                    hostname=host, host=address, port=port, family=version, proto=0, flags=socket.AI_NUMERICHOST
                )
            ]
        found = await self._system.resolve(host, port, family)
        allowed = self._config.allow_private_addresses
        reasons = [refuse_address(one["host"], allowed=allowed) for one in found]
        kept = [one for one, reason in zip(found, reasons, strict=True) if reason is None]
        if found and not kept:
            raise ForbiddenAddress(f"{host}: {reasons[0]}")
        return kept

    async def close(self) -> None:
        await self._system.close()


async def _connection_wanted(_session: aiohttp.ClientSession, context: Any, _params: Any) -> None:
    """aiohttp asks once more where a connection is closed without an answer. That is right for one that was kept and
    has been closed meanwhile; whoever closes a fresh one has answered."""
    asked = context.trace_request_ctx and context.trace_request_ctx[0]  # None: a file is saved
    if asked and asked.connected and not asked.reused:
        raise NoAnswer(Failure.BROKEN, "the connection was closed without an answer")


async def _connection_kept(session: aiohttp.ClientSession, context: Any, params: Any) -> None:
    if context.trace_request_ctx is not None:
        context.trace_request_ctx[0].reused = True
    await _connection_stands(session, context, params)


async def _connection_stands(_session: aiohttp.ClientSession, context: Any, _params: Any) -> None:
    if context.trace_request_ctx is not None:  # None: a file is saved
        context.trace_request_ctx[0].connected = True


async def _about_to_send(_session: aiohttp.ClientSession, context: Any, _params: Any) -> None:
    """Waits for the pace here, where aiohttp closes the connection if that is broken off: until the connection has
    been handed over, whoever breaks off leaves it open for good."""
    if context.trace_request_ctx is None:
        return
    asked, deadline, timeout_s = context.trace_request_ctx
    await asked.before_send()
    # The pace is ours to wait for; the server's time starts now.
    deadline.reschedule(asyncio.get_running_loop().time() + timeout_s)


def _short(error: BaseException) -> str:
    return urls.without_user(" ".join(str(error).split()))[:300]
