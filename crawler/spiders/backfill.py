"""What a source put out while we were not looking: from its archive of days, else from its site's sitemaps.

Bounded in requests and items. What is found goes into the ledger like the items of a visit, so that doing it twice,
or half, costs nothing but the requests.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from crawler import urls
from crawler.types import Entry, Reading

MAX_REQUESTS = 62  # two months of daily lists
MAX_ENTRIES = 5_000
SLACK = timedelta(hours=1)  # sites date items a little before or after they list them
# Tried in this order where robots.txt names no sitemap.
USUAL = ("/news-sitemap.xml", "/sitemap-news.xml", "/sitemap_news.xml", "/sitemap.xml")
MAX_SITEMAPS = 4  # of those that robots.txt names; those for news first

# Fetches and reads (kind, URL); None where there is nothing at that address.
Read = Callable[[str, str], Awaitable[Reading | None]]


@dataclass(slots=True, kw_only=True)
class Found:
    """What a backfill brought. `sources`: lists and sitemaps that answered; none: the site has no way back."""

    entries: dict[str, Entry] = field(default_factory=dict)
    sources: int = 0
    requests: int = 0

    def add(self, entries: tuple[Entry, ...], *, since: datetime, until: datetime, undated: bool) -> None:
        for entry in entries:
            at = entry.published.instant if entry.published else None
            fits = undated if at is None else since - SLACK <= at <= until + SLACK
            if fits and entry.url is not None and len(self.entries) < MAX_ENTRIES:
                self.entries.setdefault(entry.url, entry)


async def find(
    *,
    url: str,
    archive: str | None,
    sitemaps: list[str],
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    read: Read,
) -> Found:
    """The items that the site of `url` dates between `since` and `until`.

    `archive` is the address of one day's list with ``{date}`` in it (or strftime fields); `sitemaps` are those that
    robots.txt names. `read` may raise; what was found until then is lost, and found again at the next attempt.
    """
    if archive is not None:
        return await _from_archive(archive, since=since, until=until, zone=zone, read=read)
    found = Found()
    named = sorted(sitemaps, key=lambda s: "news" not in s.lower())[:MAX_SITEMAPS]
    for sitemap in named or [urljoin(url, path) for path in USUAL]:
        reading = await _read(sitemap, found, read)
        if reading is None:
            continue
        found.sources += 1
        found.add(reading.entries, since=since, until=until, undated=False)
        await _from_children(reading.children, found, since=since, until=until, read=read)
        if not named and (reading.entries or reading.children):
            break
    return found


async def _from_children(
    children: tuple[str, ...], found: Found, *, since: datetime, until: datetime, read: Read
) -> None:
    """The sitemaps of an index, newest first, until one holds nothing of the time that is asked for."""
    for url in children:
        if found.requests >= MAX_REQUESTS:
            return
        reading = await _read(url, found, read)
        if reading is None:
            continue
        found.add(reading.entries, since=since, until=until, undated=False)
        dated = [e.published.instant for e in reading.entries if e.published and e.published.instant]
        if dated and max(dated) < since - SLACK:
            return


async def _from_archive(archive: str, *, since: datetime, until: datetime, zone: ZoneInfo, read: Read) -> Found:
    found = Found()
    day, first = until.astimezone(zone).date(), since.astimezone(zone).date()
    while day >= first and found.requests < MAX_REQUESTS:
        url = day.strftime(archive.replace("{date}", "%Y-%m-%d"))
        found.requests += 1
        reading = await read("listing", url)
        if reading is not None and reading.readable:
            found.sources += 1
            home = urls.site(url)
            entries = tuple(e for e in reading.entries if e.url is not None and urls.site(e.url) == home)
            found.add(entries, since=since, until=until, undated=True)
        day -= timedelta(days=1)
    return found


async def _read(url: str, found: Found, read: Read) -> Reading | None:
    found.requests += 1
    reading = await read("sitemap", url)
    return reading if reading is not None and reading.readable else None
