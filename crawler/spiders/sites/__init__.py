"""Sites without a feed: one declaration a site, in a module of its own here, read by one function.

A declaration says where the list of articles is and which elements hold link, title and time. It runs inside the one
engine, as a source of ``kind: spider`` with ``spider: <module>``.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lxml import html
from lxml.cssselect import CSSSelector
from lxml.etree import LxmlError

from crawler import dates, urls
from crawler.errors import UsageError
from crawler.types import Entry, Moment, Reading

MAX_ENTRIES = 2_000
MAX_TEXT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a site lists its articles, in CSS selectors.

    `item`: an element a listed article. Within it `link` (the first `href`), `title` (else the link's text), `time`
    (its ``datetime`` attribute, else its text) and `summary`; "" = the item itself (link), or none. `next_page`: the
    link to older items, followed up to `pages` in all. `path`: what an article's path contains, to tell it from the
    site's other links. `archive`: the address of a day's list, with strftime fields; `days`: how many days back it is
    read, today included.
    """

    item: str
    link: str = "a"
    title: str = ""
    time: str = ""
    summary: str = ""
    next_page: str = ""
    pages: int = 1
    path: str = ""
    archive: str = ""
    days: int = 1
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


def earlier(site: Site, today: datetime) -> list[str]:
    """The lists of the days before `today` that a site's archive is read for, the nearest first."""
    days = range(1, site.days if site.archive else 0)
    return [(today - timedelta(days=back)).strftime(site.archive) for back in days]


def read_page(
    name: str, body: bytes, *, url: str, zone: ZoneInfo | None = None, now: datetime | None = None
) -> tuple[Reading, str | None]:
    """(entries of one page of a site's list, the URL of the next page). Pure, never raises for spoiled bytes."""
    site = load(name)
    try:
        root = html.fromstring(body, base_url=url, parser=html.HTMLParser(huge_tree=False))
    except (LxmlError, ValueError, AssertionError) as error:
        return Reading(readable=False, problems=(f"html: {type(error).__name__}",)), None
    entries: dict[str, Entry] = {}
    for item in CSSSelector(site.item)(root)[:MAX_ENTRIES]:
        link = _first(item, site.link)
        found = urls.absolute(link.get("href") or "", url) if link is not None else None
        if found is None or site.path not in found or found in entries:
            continue
        assert link is not None
        title = _text(_first(item, site.title) if site.title else link)
        entries[found] = Entry(
            id=found,
            url=found,
            title=title,
            summary=_text(_first(item, site.summary)) if site.summary else "",
            published=_time(_first(item, site.time), zone=zone, now=now) if site.time else None,
        )
    following = None
    if site.next_page:
        link = _first(root, site.next_page)
        following = urls.absolute(link.get("href") or "", url) if link is not None else None
    problems = () if entries else (f"selector: {site.item} finds nothing",)
    return Reading(language=site.language, entries=tuple(entries.values()), problems=problems), following


def _first(element: html.HtmlElement, selector: str) -> html.HtmlElement | None:
    if not selector:
        return element
    found = CSSSelector(selector)(element)
    return found[0] if found else None


def _text(element: html.HtmlElement | None) -> str:
    return "" if element is None else " ".join(element.text_content().split())[:MAX_TEXT]


def _time(element: html.HtmlElement | None, *, zone: ZoneInfo | None, now: datetime | None) -> Moment | None:
    if element is None:
        return None
    return dates.read(element.get("datetime") or _text(element), zone=zone, now=now, origin="time")
