"""Sitemaps (sitemaps.org 0.9): news sitemaps, indexes (newest children first), plain lists; gz; streamed and bounded."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lxml import etree

from crawler import dates, urls
from crawler.extract.decode import decode
from crawler.readers.markup import line, safe_xml, unzip
from crawler.types import Entry, Moment, Reading

MAX_CHILDREN = 1_000


def read_sitemap(
    body: bytes, *, url: str, content_type: str, zone: ZoneInfo | None, now: datetime | None, limit: int
) -> Reading:
    """The pages of a sitemap as entries, or the sitemaps of an index as `children`."""
    packed = body[:2] == b"\x1f\x8b"
    text, _ = decode(unzip(body), content_type)
    stripped = text.lstrip("\ufeff \t\r\n\x00")
    if not stripped.startswith("<"):
        return _plain_list(stripped, url, limit)
    xml, problems = safe_xml(stripped)
    if xml.startswith("<?xml"):
        xml = xml[xml.find("?>") + 2 :]
    entries: list[Entry] = []
    children: list[tuple[datetime, str]] = []
    root = ""
    title = language = ""
    try:
        for _, element in etree.iterparse(
            io.BytesIO(xml.strip().encode("utf-8", "replace")), events=("end",), resolve_entities=False, no_network=True,
            load_dtd=False, huge_tree=False, recover=True, remove_comments=True,
        ):  # fmt: skip
            name = _name(element)
            if name in ("urlset", "sitemapindex", "html"):
                root = name
            if name not in ("url", "sitemap"):
                continue
            values = {_name(child): (child.text or "") for child in element.iter() if child is not element}
            location = urls.absolute(values.get("loc", ""), url)
            changed = dates.read(values.get("lastmod"), zone=zone, now=now, origin="feed")
            if name == "sitemap":
                if location and len(children) < MAX_CHILDREN:
                    children.append((changed.instant or datetime.min.replace(tzinfo=UTC), location))
            elif len(entries) < limit:
                title = title or line(values.get("name", ""))
                language = language or values.get("language", "")[:16].lower()
                entries.append(_entry(values, location, changed, zone, now))
            element.clear()
            while element.getprevious() is not None and element.getparent() is not None:
                del element.getparent()[0]
    except etree.LxmlError as error:
        problems.append(f"malformed: {' '.join(str(error).split())[:200]}")
    if packed and not xml.rstrip().endswith(("</urlset>", "</sitemapindex>", "/>")):
        problems.append("cut: the document ends early")
    if not entries and not children and root not in ("urlset", "sitemapindex"):
        return Reading(readable=False, problems=(*problems, "not_a_sitemap: neither urlset nor sitemapindex"))
    children.sort(key=lambda child: child[0], reverse=True)
    if any(e.url is None for e in entries):
        problems.append(f"links: {sum(e.url is None for e in entries)} pages without a usable address")
    return Reading(
        title=title,
        language=language,
        entries=tuple(entries),
        children=tuple(dict.fromkeys(location for _, location in children)),
        problems=tuple(problems),
    )


def _entry(
    values: dict[str, str], location: str | None, changed: Moment, zone: ZoneInfo | None, now: datetime | None
) -> Entry:
    published = dates.read(values.get("publication_date"), zone=zone, now=now, origin="feed")
    if published.instant is None and changed.instant is not None:
        published = changed
    return Entry(
        id="",
        url=location,
        title=line(values.get("title", "")),
        summary=line(values.get("keywords", "")),
        published=published if published.instant else None,
    )


def _name(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _plain_list(text: str, url: str, limit: int) -> Reading:
    """A text file of addresses, one a line."""
    found = [urls.absolute(row, url) for row in text.split()[:limit] if row.startswith(("http://", "https://"))]
    entries = tuple(Entry(id="", url=location) for location in found if location)
    if not entries:
        return Reading(readable=False, problems=("not_a_sitemap: neither XML nor a list of addresses",))
    return Reading(entries=entries)
