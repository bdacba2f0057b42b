"""From the address of a site to a source: its feed, its news sitemap, or the page itself as a listing.

Asks as a crawl does, through the same fetcher: guard, robots.txt, the host's pace and rest. At most MAX_REQUESTS
addresses, one after another, until one lists something recent.
"""

import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qs, urljoin, urlsplit

from crawler import urls
from crawler.app import App
from crawler.config import SourceConfig
from crawler.spiders.backfill import USUAL
from crawler.spiders.engine import lend
from crawler.spiders.fetch import Download, Fetcher, Line
from crawler.spiders.visits import STALE_AFTER
from crawler.spiders.wire import Failure, NoAnswer, Wire
from crawler.types import Entry, Fetched, Reading
from crawler.workers import Pool, WorkerLost

MAX_REQUESTS = 24  # addresses of a site that are tried; robots.txt and redirects come on top
DEADLINE_S = 120.0  # after which no other address is tried
MAX_CHILDREN = 2  # sitemaps of an index that are read
LEAST_LISTED = 3  # links that make a page a listing
# Where content management systems put their feeds: WordPress, Drupal, Joomla, Hugo, Bitrix, and by custom.
PATHS = ("/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feeds", "/export/rss2/index.xml")
# The whole host is silent, at rest, or closed to us: no other path of it is worth a request.
HOPELESS = (
    Failure.UNREACHED, Failure.FORBIDDEN, Failure.TLS, Failure.NO_ROBOTS, Failure.RESTING, Failure.SILENT,
    Failure.TIMEOUT, Failure.STOPPED,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A source that a site has. `way`: how it was come by, in words; `remark`: what is wrong with it, or ""."""

    url: str
    kind: str
    way: str
    title: str
    language: str
    entries: tuple[Entry, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the search came to: the best source or None, how many requests it took, and every address tried."""

    found: Found | None
    requests: int
    tried: tuple[tuple[str, str], ...]  # address, what it was
    unreachable: bool = False


def rewritten(url: str) -> tuple[str, str] | None:
    """(address, kind) of a channel on a site whose lists are elsewhere than its pages: Telegram, YouTube; else None."""
    site, parts = urls.site(url), urlsplit(url)
    words = [word for word in parts.path.split("/") if word]
    if site in ("t.me", "telegram.me") and words:
        name = words[1] if words[0] == "s" and len(words) > 1 else words[0]
        return f"{parts.scheme}://t.me/s/{name}", "listing"
    if site == "youtube.com" and words:
        feed = f"{parts.scheme}://www.youtube.com/feeds/videos.xml?"
        if words[0] == "channel" and len(words) > 1:
            return f"{feed}channel_id={words[1]}", "feed"
        if words[0] == "user" and len(words) > 1:
            return f"{feed}user={words[1]}", "feed"
        if words[0] == "playlist" and (lists := parse_qs(parts.query).get("list")):
            return f"{feed}playlist_id={lists[0]}", "feed"
    return None


async def discover(app: App, pool: Pool, url: str) -> Search:
    """Looks for the source of a site. `app.store` is written to (hosts, requests): lend one that may be thrown away."""
    wire = Wire(app.config.crawl, base=app.config.base)
    search = _Search(app, pool, wire, url)
    await lend(wire, search.run)
    if search.error is not None:
        raise search.error
    return search.result()


class _Search:
    def __init__(self, app: App, pool: Pool, wire: Wire, url: str) -> None:
        self.app, self.pool, self.wire, self.url = app, pool, wire, url
        self.error: BaseException | None = None
        self._best: Found | None = None
        self._tried: dict[str, str] = {}
        self._failure: Failure | None = None
        self._began = time.monotonic()
        self._fetcher: Fetcher | None = None

    @property
    def fetcher(self) -> Fetcher:
        assert self._fetcher is not None
        return self._fetcher

    async def run(self, download: Download) -> None:
        self._fetcher = Fetcher(self.app, self.wire, download, Line())
        try:
            await self._all()
            self._fetcher.flush()
        except Exception as error:  # noqa: BLE001 - Scrapy would only log it
            self.error = error

    def result(self) -> Search:
        return Search(
            found=self._best,
            requests=self.fetcher.requests,
            tried=tuple(self._tried.items()),
            unreachable=self._best is None and self._failure is Failure.UNREACHED,
        )

    async def _all(self) -> None:
        async for found in self._candidates():
            if self._best is None or (self._best.remark and not found.remark):
                self._best = found
            if not found.remark:
                return

    async def _candidates(self) -> AsyncIterator[Found]:
        """The sources of a site, the likeliest first."""
        known = rewritten(self.url)
        if known is not None:
            found = await self._try(known[0], known[1], "the channel's public list")
            if found is not None:
                yield found
            return
        page, feeds, listing = await self._first()
        if page is not None:
            yield page
            return
        for feed in feeds:
            if found := await self._try(feed, "feed", "named by the page"):
                yield found
        named = self.fetcher.sitemaps(self.url) if self._failure is None else []
        for sitemap in (s for s in named if "news" in s.lower()):
            if found := await self._try(sitemap, "sitemap", "a news sitemap named by robots.txt"):
                yield found
        for guess in self._usual():
            if found := await self._try(guess, "feed", "where feeds usually are"):
                yield found
        others = [*(s for s in named if "news" not in s.lower()), *(urljoin(self.url, path) for path in USUAL)]
        for sitemap in others[:6]:
            if found := await self._try(sitemap, "sitemap", "a sitemap"):
                yield found
        if listing is not None:
            yield listing

    def _usual(self) -> Iterator[str]:
        """Below the page first: a section may have a feed of its own."""
        below = self.url.split("?")[0].split("#")[0].rstrip("/")
        if urlsplit(below).path:
            yield from (below + path for path in PATHS[:2])
        yield from (urljoin(self.url, path) for path in PATHS)

    async def _first(self) -> tuple[Found | None, tuple[str, ...], Found | None]:
        """What the address itself is: a source, or a page with the feeds that it names and what it lists."""
        answer = await self._get(self.url, "feed")
        if answer is None:
            return None, (), None
        feed = await self._read("feed", answer)
        if feed is not None and feed.readable:
            return self._found(answer, "feed", "the address itself", feed), (), None
        raw = answer.body
        if re.search(rb"<(?:[\w.-]+:)?(?:urlset|sitemapindex)\b", raw[:20_000]) or raw[:2] == b"\x1f\x8b":
            sitemap = await self._sitemap(answer)
            return (self._found(answer, "sitemap", "the address itself", sitemap) if sitemap else None), (), None
        listing = await self._read("listing", answer)
        page = None
        if listing is not None and len(listing.entries) >= LEAST_LISTED:
            page = self._found(answer, "listing", "the links of the page itself", listing)
        self._tried[self.url] = "a page"
        self.url = answer.url  # its neighbours are asked where it is, not through its redirect
        feeds = feed.feeds if feed is not None else ()
        return None, tuple(sorted(feeds, key=lambda f: "comment" in f.lower()))[:6], page

    async def _try(self, url: str, kind: str, way: str) -> Found | None:
        """A source at an address, or None."""
        answer = await self._get(url, kind)
        if answer is None:
            return None
        reading = await (self._sitemap(answer) if kind == "sitemap" else self._read(kind, answer))
        if reading is None or not reading.readable:
            self._tried[url] = f"no {kind}"
            return None
        return self._found(answer, kind, way, reading)

    async def _get(self, url: str, kind: str) -> Fetched | None:
        """An answer with status 200, else None. Each address is asked once."""
        spent = len(self._tried) >= MAX_REQUESTS or time.monotonic() - self._began > DEADLINE_S
        if url in self._tried or self._failure is not None or spent:
            return None
        self._tried[url] = "nothing"
        try:
            async with self.fetcher.get(url, source=self._source(), kind=kind) as fetched:
                if fetched.status == 200:
                    return fetched
                self._tried[url] = f"status {fetched.status}"
                if fetched.status in (429, 503):
                    self._failure = Failure.RESTING
        except NoAnswer as error:
            self._tried[url] = error.reason
            if error.failure in HOPELESS and urls.site(url) == urls.site(self.url):
                self._failure = error.failure
        return None

    async def _read(self, kind: str, fetched: Fetched) -> Reading | None:
        try:
            reading: Reading = await self.pool.run(
                "read",
                kind,
                fetched.body,
                url=fetched.url,
                content_type=fetched.content_type,
                zone=None,
                now=self.fetcher.now(),
            )
        except WorkerLost as error:
            self._tried[fetched.requested_url] = f"the reader was lost: {error.reason}"
            return None
        return reading

    async def _sitemap(self, fetched: Fetched) -> Reading | None:
        """A sitemap; of an index with what its newest sitemaps list."""
        reading = await self._read("sitemap", fetched)
        if reading is None or not reading.readable:
            return None
        entries = list(reading.entries)
        for child in reading.children[:MAX_CHILDREN]:
            answer = await self._get(child, "sitemap")
            more = await self._read("sitemap", answer) if answer is not None else None
            entries += more.entries if more is not None else ()
        return replace(reading, entries=tuple(entries))

    def _source(self) -> SourceConfig:
        return SourceConfig(id="add", name="add", url=self.url, kind="feed")

    def _found(self, fetched: Fetched, kind: str, way: str, reading: Reading) -> Found:
        listed = tuple(e for e in reading.entries if e.url is not None)
        newest = newest_of(listed)
        remark = ""
        if not listed:
            remark = "lists nothing"
        elif newest is not None and newest < self.fetcher.now() - STALE_AFTER:
            remark = f"lists old items only, the newest of {newest:%Y-%m-%d}"
        elif kind == "sitemap" and newest is None:
            remark = "a sitemap without dates"
        self._tried[fetched.requested_url] = remark or f"{kind}, {len(listed)} items"
        url = fetched.moved_to or fetched.requested_url  # a redirect for the moment is not written down
        return Found(url=url, kind=kind, way=way, title=reading.title, language=reading.language, entries=listed,
                     remark=remark)  # fmt: skip


def newest_of(entries: tuple[Entry, ...]) -> datetime | None:
    """When the newest dated entry was published."""
    return max((e.published.instant for e in entries if e.published and e.published.instant), default=None)
