"""Sites without a feed: one declaration a site, in a module of its own here, read by one function.

A declaration says where the list of articles is and which elements hold link, title and time. It runs inside the one
engine, as a source of ``kind: spider`` with ``spider: <module>``. To add one: a module with a `SITE`, and a case page
under ``tests/cases/spiders/sites``.
"""

import importlib
import pkgutil
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import lxml.html
from lxml import etree
from lxml.cssselect import CSSSelector

from crawler import dates, urls
from crawler.charset import decode
from crawler.errors import UsageError
from crawler.readers.markup import line
from crawler.types import Entry, Moment, Reading

MAX_ENTRIES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a site lists its articles, in CSS selectors and regular expressions.

    `item`: an element for each listed article. Within it `link` (its first `href` counts; "" = the item itself),
    `title` ("" = the link's text), `summary` and `time` (its ``datetime`` or ``title`` attribute, else its text; ""
    = none). `address`: what an article's URL looks like, to tell it from the other links of the page; its groups
    ``year``, ``month`` and ``day``, if it has them, give the date where the element gives none.

    `next_page`: the link to older items, followed up to `pages` in all. `archive`: the address of one day's list, with
    strftime fields; it is read in place of the source's own address, and for the `days` before today as well.
    """

    item: str
    link: str = ""
    title: str = ""
    summary: str = ""
    time: str = ""
    address: str = ""
    next_page: str = ""
    pages: int = 1
    archive: str = ""
    days: int = 0
    language: str = ""


def names() -> list[str]:
    """The declarations that there are."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Site:
    """The declaration `name`. Raises UsageError, which names the ones that there are."""
    if name not in names():
        raise UsageError(f"spider: {name!r} is no declaration of crawler/spiders/sites; there are {', '.join(names())}")
    site: Site = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").SITE
    return site


def address(site: Site, url: str, today: datetime) -> str:
    """Where the list of today is: at the source's own address, or in the archive."""
    return today.strftime(site.archive) if site.archive else url


def earlier(site: Site, today: datetime) -> list[str]:
    """The lists of the days before `today` that a site's archive is read for, the nearest first."""
    days = range(1, site.days + 1 if site.archive else 0)
    return [(today - timedelta(days=back)).strftime(site.archive) for back in days]


def read_page(
    name: str,
    body: bytes,
    *,
    url: str,
    content_type: str = "",
    zone: ZoneInfo | None = None,
    now: datetime | None = None,
) -> tuple[Reading, str | None]:
    """(the entries of one page of a site's list, the URL of the next page). Never raises for spoiled bytes."""
    site = load(name)
    text, _ = decode(body, content_type)
    try:
        tree = lxml.html.fromstring(
            text.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
        )
    except (etree.LxmlError, ValueError) as error:
        return Reading(readable=False, problems=(f"malformed: {str(error)[:200]}",)), None
    entries: dict[str, Entry] = {}
    for item in _css(site.item)(tree):
        link = _first(item, site.link) if site.link else item
        target = urls.absolute(link.get("href") or "", url) if link is not None else None
        match = re.search(site.address, target) if target is not None else None
        if target is None or match is None:
            continue
        titled = _first(item, site.title) if site.title else link
        title = _text(titled)
        if target in entries and len(entries[target].title) >= len(title):
            continue  # a second link to the article, around its picture
        entries[target] = Entry(
            id=target,
            url=target,
            title=title,
            summary=_text(_first(item, site.summary)) if site.summary else "",
            published=_published(item, site, match, zone=zone, now=now),
        )
        if len(entries) >= MAX_ENTRIES:
            break
    following = _first(tree, site.next_page) if site.next_page else None
    # Nothing on a page that had a list: the site has changed its face, and `status` shows the source as empty.
    problems = () if entries else (f"selector: {site.item!r} finds no article",)
    reading = Reading(
        title=line(tree.findtext(".//title") or ""),
        language=site.language,
        entries=tuple(entries.values()),
        problems=problems,
    )
    return reading, None if following is None else urls.absolute(following.get("href") or "", url)


@lru_cache(maxsize=256)
def _css(selector: str) -> CSSSelector:
    return CSSSelector(selector)


def _first(element: Any, selector: str) -> Any | None:
    found = _css(selector)(element)
    return found[0] if found else None


def _text(element: Any | None) -> str:
    return "" if element is None else line(element.text_content())


def _published(
    item: Any, site: Site, match: re.Match[str], *, zone: ZoneInfo | None, now: datetime | None
) -> Moment | None:
    element = _first(item, site.time) if site.time else None
    if element is not None:
        for raw in (element.get("datetime"), element.get("title"), _text(element)):
            moment = dates.read(raw, zone=zone, now=now, origin="time")
            if moment.instant is not None:
                return moment
    parts = match.groupdict()
    if {"year", "month", "day"} <= parts.keys():
        moment = dates.read(f"{parts['year']}-{parts['month']}-{parts['day']}", zone=zone, now=now, origin="url")
        return moment if moment.instant is not None else None
    return None
