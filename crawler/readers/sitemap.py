"""Sitemaps (sitemaps.org 0.9): news sitemaps, indexes with the newest children first, plain lists of addresses; gz.

Read as a stream, so that memory does not grow with the document; the namespaces of images, videos and translations
are passed over.
"""

import heapq
import io
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lxml import etree

from crawler import dates, urls
from crawler.charset import decode
from crawler.readers.markup import fit, line, unzip, without_prolog
from crawler.types import Entry, Moment, Reading

MAX_CHILDREN = 50_000  # the protocol's own bound, for an index as for a sitemap
MAX_PAGES = 100_000  # some sites do not mind the bound
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_END = re.compile(r"</(?:[\w.-]+:)?(url|sitemap|urlset|sitemapindex)\s*>|^<[^<>]*(/)>\Z")
_TAIL = 20_000  # characters in which the end of the last page is looked for
_DATED_NAME = re.compile(r"(?<!\d)(20\d\d)[/_-]?(0[1-9]|1[0-2])(?:[/_-]?(0[1-9]|[12]\d|3[01]))?(?!\d)")


def read_sitemap(
    body: bytes, *, url: str, content_type: str, zone: ZoneInfo | None, now: datetime | None, limit: int
) -> Reading:
    """The pages of a sitemap as entries (the newest `limit` of them, in the order of the document), or the sitemaps
    that an index names as `children`."""
    body, problems = unzip(body)
    text, _ = decode(body, content_type)
    stripped = text.lstrip("\ufeff \t\r\n\x00")
    if not stripped.startswith("<"):
        return _plain_list(stripped, url, limit, problems)
    xml, found = without_prolog(stripped)
    problems += found
    root = _local(xml[1:80].split(">")[0].split("/")[0].split()[0]) if xml else ""
    if root in ("rss", "feed", "rdf"):  # the protocol allows a feed as a sitemap
        from crawler.readers.feed import read_feed

        return read_feed(body, url=url, content_type=content_type, zone=zone, now=now, limit=limit)
    if root not in ("urlset", "sitemapindex"):
        kind = (
            "html_page: a page" if root in ("html", "head", "body") else f"not_a_sitemap: the document is <{root[:40]}>"
        )
        return Reading(readable=False, problems=(*problems, f"{kind}, neither urlset nor sitemapindex"))
    xml, found = fit(xml)
    problems += found
    ending = list(_END.finditer(xml[-_TAIL:]))
    if not ending or ending[-1][1] in ("url", "sitemap"):
        problems.append("cut: the document ends early")
        last = max(0, len(xml) - _TAIL) + ending[-1].end() if ending else len(xml)
        xml = f"{xml[:last]}</{root}>"  # without the page that is cut in two
    pages, children, titles = _parse(xml, url, zone, now, problems)
    if len(pages) > limit:
        newest = heapq.nlargest(limit, range(len(pages)), key=lambda i: (_age(pages[i]), -i))
        pages = [pages[i] for i in sorted(newest)]
        problems.append(f"entries: more than {limit}, the newest {limit} are taken")
    if not pages and not children:
        problems.append("empty: the sitemap has no pages")
    if any(e.url is None for e in pages):
        problems.append(f"links: {sum(e.url is None for e in pages)} pages without a usable address")
    children.sort(key=lambda child: child[0], reverse=True)
    return Reading(
        title=titles.get("name", ""),
        language=titles.get("language", "")[:16].lower(),
        entries=tuple(pages),
        children=tuple(dict.fromkeys(location for _, location in children)),
        problems=tuple(problems),
    )


def _parse(
    xml: str, url: str, zone: ZoneInfo | None, now: datetime | None, problems: list[str]
) -> tuple[list[Entry], list[tuple[datetime, str]], dict[str, str]]:
    """Pages, children with their times, name and language of the publication."""
    pages: list[Entry] = []
    children: list[tuple[datetime, str]] = []
    titles: dict[str, str] = {}
    seen: set[str] = set()
    count = 0
    events = etree.iterparse(
        io.BytesIO(xml.encode("utf-8", "replace")),
        events=("end",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=True,
        remove_comments=True,
    )
    try:
        for _, element in events:
            name = _name(element)
            if name not in ("url", "sitemap"):
                continue
            count += 1
            if count > MAX_PAGES:
                problems.append(f"too_large: more than {MAX_PAGES} pages, the rest was left")
                break
            own = {_name(child): (child.text or "").strip() for child in element if _of_the_protocol(child)}
            location = urls.absolute(own.get("loc", ""), url)
            changed = dates.read(own.get("lastmod"), zone=zone, now=now, origin="url")
            if name == "sitemap":
                if location and len(children) < MAX_CHILDREN:
                    children.append((changed.instant or _dated(location), location))
            elif location is None or location not in seen:
                seen.add(location or "")
                news = _news(element)
                for key in ("name", "language"):
                    titles.setdefault(key, line(news.get(key, ""), limit=200))
                pages.append(_entry(news, location, changed, zone, now))
            element.clear()
            parent = element.getparent()
            while parent is not None and element.getprevious() is not None:
                del parent[0]
    except etree.LxmlError as error:
        problems.append(f"malformed: {' '.join(str(error).split())[:200]}")
    return pages, children, titles


def _entry(
    news: dict[str, str], location: str | None, changed: Moment, zone: ZoneInfo | None, now: datetime | None
) -> Entry:
    published = dates.read(news.get("publication_date"), zone=zone, now=now, origin="feed")
    if published.instant is None:
        published = changed  # weak evidence: it moves with every edit
    return Entry(
        id=location or "",
        url=location,
        title=line(news.get("title", "")),
        summary=line(news.get("keywords", "")),
        published=published if published.instant else None,
    )


def _news(page: etree._Element) -> dict[str, str]:
    """What the news extension says of a page, by local name; {} where there is none."""
    for child in page:
        if _name(child) == "news":
            return {_name(part): (part.text or "").strip() for part in child.iter() if part is not child}
    return {}


def _of_the_protocol(element: etree._Element) -> bool:
    """Not of an extension: image:loc is not the page's address."""
    tag = element.tag if isinstance(element.tag, str) else ""
    namespace = tag[1:].partition("}")[0] if tag.startswith("{") else ""
    return ":" not in tag.rpartition("}")[2] and (
        "sitemap" not in namespace or "sitemaps.org/schemas/sitemap/" in namespace
    )


def _name(element: etree._Element) -> str:
    return _local(element.tag) if isinstance(element.tag, str) else ""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2].rpartition(":")[2].lower()


def _age(entry: Entry) -> datetime:
    return (entry.published.instant if entry.published else None) or _LONG_AGO


def _dated(location: str) -> datetime:
    """The time in the name of a sitemap, for an index that gives none: ``sitemap-2025-11.xml``."""
    match = _DATED_NAME.search(location)
    if match is None:
        return _LONG_AGO
    try:
        return datetime(int(match[1]), int(match[2]), int(match[3] or 1), tzinfo=UTC)
    except ValueError:
        return _LONG_AGO


def _plain_list(text: str, url: str, limit: int, problems: list[str]) -> Reading:
    """A text file of addresses, one a line."""
    rows = text[: 4_096 * limit].split()
    found = [urls.absolute(row, url) for row in rows[:MAX_PAGES] if row.startswith(("http://", "https://"))]
    entries = tuple(Entry(id=location, url=location) for location in dict.fromkeys(found) if location)
    if not entries or len(entries) * 2 < len(rows):
        return Reading(readable=False, problems=(*problems, "not_a_sitemap: neither XML nor a list of addresses"))
    return Reading(entries=entries[:limit], problems=tuple(problems))
