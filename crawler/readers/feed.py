"""RSS, Atom, RDF and JSON Feed. The only home of feedparser.

feedparser knows the dialects; the charset, the dates and the links are read by us: it takes PKT and MSK for UTC, and
believes a header that lies. Its sanitising and relative-URI work costs more than half of its time and is not needed:
text becomes plain here, and everything is escaped on output.
"""

import json
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import feedparser
import lxml.html
from lxml import etree

from crawler import dates, urls
from crawler.extract.decode import decode
from crawler.readers.markup import line, plain, safe_xml, unzip
from crawler.types import Entry, Moment, Reading

_PERIODS = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_ROOT = re.compile(r"<(?:[\w.-]+:)?(rss|feed|rdf|channel)\b", re.IGNORECASE)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_LEADING_IMAGE = re.compile(r"^\s*(?:<p>\s*)?<img\b[^>]*>", re.IGNORECASE)


def read_feed(
    body: bytes, *, url: str, content_type: str, zone: ZoneInfo | None, now: datetime | None, limit: int
) -> Reading:
    """The entries of a feed; dates without a zone are `zone`'s."""
    body = unzip(body)
    text, encoding = decode(body, content_type)
    stripped = text.lstrip("\ufeff \t\r\n\x00")
    if stripped.startswith("{"):
        return _read_json(stripped, url=url, zone=zone, now=now, limit=limit)
    problems = [f"charset: not what was declared, read as {encoding}"] if _contradicts(text, content_type, encoding) else []
    root = _ROOT.search(stripped[:20_000])
    page = _HTML.search(stripped[:2_000])
    if root is None or (page and page.start() < root.start()):
        if page:
            return _html_page(text, url)
        return Reading(readable=False, problems=("not_a_feed: neither RSS nor Atom nor RDF nor JSON Feed",))
    if _DECLARATION.match(stripped) is None and root.start() > 0 and "<?xml" in stripped[: root.start()]:
        problems.append("leading_text: something stands before the XML declaration")
        stripped = stripped[stripped.index("<?xml") :]
    xml, found = safe_xml(_DECLARATION.sub("", stripped, count=1))
    problems += found
    parsed = feedparser.parse(
        f'<?xml version="1.0" encoding="utf-8"?>{xml}'.encode(),
        response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries:
        return Reading(readable=False, problems=(*problems, "not_a_feed: no dialect of a feed was recognised"))
    if parsed.get("bozo") and not isinstance(parsed.bozo_exception, feedparser.CharacterEncodingOverride):
        problems.append(f"malformed: {' '.join(str(parsed.bozo_exception).split())[:200]}")
    base = _link(parsed.feed.get("link"), url) or url
    if urls.site(base) != urls.site(url):
        base = url  # a feed proxy: links are written for the address that the feed came from
    items = parsed.entries
    if len(items) > limit:
        problems.append(f"entries: {len(items)}, the first {limit} are taken")
    entries = [_entry(item, base, zone, now) for item in items[:limit]]
    if any(e.url is None for e in entries):
        problems.append(f"links: {sum(e.url is None for e in entries)} items without a usable link")
    if any(e.published is None or e.published.instant is None for e in entries):
        undated = sum(e.published is None or e.published.instant is None for e in entries)
        problems.append(f"dates: {undated} items without a readable date")
    return Reading(
        title=line(parsed.feed.get("title", "")),
        language=str(parsed.feed.get("language", "") or "")[:16].lower(),
        ttl_s=_ttl(parsed.feed),
        entries=_distinct(entries, problems),
        problems=tuple(problems),
    )


def _contradicts(text: str, content_type: str, encoding: str) -> bool:
    declared = re.search(r"charset=[\"']?([\w-]+)", content_type) or re.match(r"\s*<\?xml[^>]*encoding=[\"']([\w-]+)", text)
    if declared is None:
        return False
    same = {"utf8": "utf-8", "cp1251": "windows-1251"}
    name = declared[1].lower()
    return same.get(name, name) != encoding and not (name == "us-ascii" or name.startswith("utf-16"))


def _entry(item: Any, base: str, zone: ZoneInfo | None, now: datetime | None) -> Entry:
    contents = [c.get("value", "") for c in item.get("content", []) if isinstance(c, dict)]
    content = max(contents, key=len, default="")
    summary = item.get("summary", "") or ""
    return Entry(
        id=line(str(item.get("id", "") or "")),
        url=_url(item, base),
        title=line(item.get("title", "") or ""),
        summary=plain(_LEADING_IMAGE.sub("", summary), limit=20_000),
        content=plain(content) if content and content != summary else "",
        published=_published(item, zone, now),
        author=line(item.get("author", "") or ""),
        publisher=line((item.get("source") or {}).get("title", "") or ""),
    )


def _url(item: Any, base: str) -> str | None:
    """The item's page: its link, an alternate link, or a guid that is an address."""
    links = [link for link in item.get("links", []) if isinstance(link, dict)]
    candidates = [item.get("link")]
    candidates += [link.get("href") for link in links if link.get("rel") == "alternate"]
    candidates += [item.get("feedburner_origlink")]
    guid = item.get("id") or ""
    if re.match(r"https?://", guid):
        candidates.append(guid)
    candidates += [link.get("href") for link in links if link.get("rel") not in ("enclosure", "self", "edit", "replies", "related")]
    local = (item.get("title_detail") or {}).get("base") or base
    for candidate in candidates:
        found = _link(candidate, local if re.match(r"https?://", local) else base)
        if found is not None:
            return found
    return None


def _link(href: Any, base: str) -> str | None:
    return urls.absolute(str(href), base) if href else None


def _published(item: Any, zone: ZoneInfo | None, now: datetime | None) -> Moment | None:
    """From the raw strings, not from feedparser's reading of them."""
    for key in ("published", "issued", "created", "dc_date", "date", "updated", "modified"):
        raw = item.get(key) if key != "updated" else dict.get(item, "updated")
        if raw:
            moment = dates.read(str(raw), zone=zone, now=now, origin="feed")
            if moment.instant is not None:
                return moment
    return None


def _ttl(feed: Any) -> int | None:
    """Seconds for which the feed says it need not be asked: <ttl> in minutes, or sy:updatePeriod by its frequency."""
    ttl = str(feed.get("ttl", "") or "").strip()
    if ttl.isdigit() and int(ttl) > 0:
        return min(int(ttl) * 60, 31_536_000)
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "") or "").strip().lower())
    if period is None:
        return None
    frequency = str(feed.get("sy_updatefrequency", "1") or "1").strip()
    return period // max(1, int(frequency)) if frequency.isdigit() else period


def _distinct(entries: list[Entry], problems: list[str]) -> tuple[Entry, ...]:
    """Without items that say the same twice: same link and id. One id on different pages stays two items."""
    seen: set[tuple[str, str]] = set()
    out = []
    for entry in entries:
        key = (entry.id, entry.url or entry.title)
        if key not in seen:
            seen.add(key)
            out.append(entry)
    if len(out) < len(entries):
        problems.append(f"doubled: {len(entries) - len(out)} items are listed twice")
    return tuple(out)


def _html_page(text: str, url: str) -> Reading:
    """A page where a feed was expected; the feeds that it links to are what the reader should take instead."""
    feeds = []
    try:
        tree = lxml.html.fromstring(text.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError):
        tree = None
    if tree is not None:
        for link in tree.iter("link"):
            kind = (link.get("type") or "").lower()
            if "alternate" in (link.get("rel") or "").lower() and re.search(r"rss|atom|feed\+json", kind):
                found = _link(link.get("href"), url)
                if found:
                    feeds.append(found)
    named = f", it links to {feeds[0]}" if feeds else ""
    return Reading(readable=False, feeds=tuple(dict.fromkeys(feeds))[:10], problems=(f"html_page: a page, not a feed{named}",))


# --- JSON Feed (https://www.jsonfeed.org/version/1.1/) -----------------------------------------------------------------


def _read_json(text: str, *, url: str, zone: ZoneInfo | None, now: datetime | None, limit: int) -> Reading:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Reading(readable=False, problems=(f"malformed: {str(error)[:200]}",))
    items = value.get("items") if isinstance(value, dict) else None
    if not isinstance(items, list) or not ("jsonfeed.org" in str(value.get("version")) or "items" in value):
        return Reading(readable=False, problems=("not_a_feed: JSON, but no JSON Feed",))
    problems: list[str] = []
    entries = []
    for item in items[:limit]:
        if not isinstance(item, dict):
            problems.append("items: one is no object")
            continue
        entries.append(_json_entry(item, url, zone, now))
    if len(items) > limit:
        problems.append(f"entries: {len(items)}, the first {limit} are taken")
    return Reading(
        title=line(str(value.get("title") or "")),
        language=str(value.get("language") or "")[:16].lower(),
        entries=_distinct(entries, problems),
        problems=tuple(problems),
    )


def _json_entry(item: dict[str, Any], url: str, zone: ZoneInfo | None, now: datetime | None) -> Entry:
    def text(key: str) -> str:
        value = item.get(key)
        return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""

    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [a.get("name") for a in authors or [] if isinstance(a, dict) and isinstance(a.get("name"), str)]
    dated = [dates.read(text(k), zone=zone, now=now, origin="feed") for k in ("date_published", "date_modified")]
    return Entry(
        id=line(text("id")),
        url=_link(text("url") or text("external_url"), url) or (_link(text("id"), url) if text("id").startswith("http") else None),
        title=line(text("title")),
        summary=plain(text("summary"), limit=20_000),
        content=plain(text("content_html") or text("content_text")),
        published=next((m for m in dated if m.instant is not None), None),
        author=", ".join(line(name) for name in names if name),
    )
