"""RSS, Atom, RDF and JSON Feed. The only home of feedparser.

feedparser knows the dialects. The charset, the dates and the links are read by us: it takes PKT and MSK for UTC,
believes a header that lies, and passes on links that lead nowhere. Before it sees a document, that is made fit (no
document type, no monstrous tag, no half item at a cut end), so that its strict parser can read most of what is broken.
Its sanitising and relative-URI work costs more than half of its time and is not needed: text becomes plain here, and
everything is escaped on output.
"""

import codecs
import io
import json
import re
from collections import Counter
from collections.abc import Container, Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import feedparser
import lxml.html
from lxml import etree

from crawler import VERSION, dates, urls
from crawler.charset import decode
from crawler.readers import blocks
from crawler.readers.markup import MAX_DEPTH, MAX_ELEMENTS, fit, line, plain, short_tags, unzip, without_prolog
from crawler.types import Entry, Moment, Reading

# feedparser takes 0.2 ms of an entry; far more than any honest feed has could pass the worker's deadline, and then
# the whole feed would be lost. Feeds begin with what is new; archives and sitemaps have the rest.
MAX_ENTRIES = 25_000

_PERIODS = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_YEAR_S = 31_536_000
_ROOT = re.compile(r"<(?:[\w.-]+:)?(rss|feed|rdf|channel)(?=[\s>/])", re.I)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.I)
_DECLARED = re.compile(r"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{1,30})""", re.I)
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{1,30})""", re.I)
_ITEM = re.compile(r"<(/?)((?:[\w.-]+:)?(?:item|entry))(?=[\s>/])", re.I)
_MARK = re.compile(r"<(!\[CDATA\[|/(?=[A-Za-z])|(?=[A-Za-z]))")
_MANY_TAGS = 4_000  # below, no bound can be passed
_WHOLE_ITEM = re.compile(r"<(item|entry)[\s>](?:(?!<\1[\s>]).){0,200000}?</\1\s*>", re.I | re.S)
_MOST_PIECES = 300
_FIELD_TEXTS = {
    key: re.compile(rf"<{name}>([^<]{{1,4000}})", re.I)
    for key, name in (("title", "title"), ("link", "link"), ("published", "pubDate"))
}
_HTTP = re.compile(r"https?://", re.I)
# What WordPress and news sites put behind every summary; it names the site and repeats the title.
_TAIL = re.compile(
    r"\s*(?:The post .{1,300}? (?:first )?appeared (?:first )?on .{1,100}"
    r"|Сообщение .{1,300}? появились сначала на .{1,100}"
    r"|Read Full Article at \S+|Continue reading.{0,200}|\[…\]|\[\.\.\.\])\s*$",
    re.S,
)
_TAIL_WORDS = ("appeared", "сначала на", "Read Full Article", "Continue reading", "[…]", "[...]")
_LONGEST_TAIL = 600  # characters
_DATE_KEYS = (
    "published",
    "issued",
    "created",
    "prism_publicationdate",
    "publicationdate",
    "date",
    "updated",
    "modified",
)
_FULL_TEXTS = ("yandex_full-text", "turbo_content")  # what Russian newsrooms give to Yandex
_UNWANTED_RELATIONS = ("enclosure", "self", "edit", "replies", "related", "hub", "via", "license", "payment")


def read_feed(
    body: bytes,
    *,
    url: str,
    content_type: str,
    zone: ZoneInfo | None,
    now: datetime | None,
    limit: int,
    known: Container[str] | None = None,
) -> Reading:
    """The entries of a feed; dates without a zone are `zone`'s. At most `limit` entries and no more than MAX_ENTRIES,
    in the order of the feed. With `known` entries come with their `block`, and those in it are left out."""
    limit = min(limit, MAX_ENTRIES)
    body, problems = unzip(body)
    text, encoding = decode(body, content_type)
    stripped = text.lstrip("\ufeff \t\r\n\x00")
    if stripped[:1] in ("{", "["):
        return _read_json(stripped, url=url, zone=zone, now=now, limit=limit)
    problems += _charset_problems(stripped, content_type, encoding)
    root = _ROOT.search(stripped[:100_000])
    page = _HTML.search(stripped[:5_000])
    if root is None or (page and page.start() < root.start()):
        return _html_page(stripped, url) if page else _other(stripped, problems)
    xml, found = without_prolog(stripped)
    problems += found
    if not _ROOT.match(xml):  # a warning of the site's program stands before the feed
        problems.append("leading_text: markup stands before the document")
        xml = stripped[root.start() :]
    xml, found = fit(xml)
    problems += found
    xml, found = _bounded(xml, limit)
    problems += found
    listed = None if known is None else blocks.split(xml, VERSION, feedparser.__version__, url, str(zone))
    given = listed.without(known) if listed is not None and known else listed
    parsed = _parsed(xml if given is None else given.text)
    if given is not None and (isinstance(parsed, str) or parsed.bozo or len(parsed.entries) != len(given.items)):
        parsed, given = parsed if given is listed else _parsed(xml), None
    if isinstance(parsed, str):
        return Reading(readable=False, problems=(*problems, parsed))
    same: list[str] = []
    if known and listed is not None and given is not None:
        same = [mark for mark in listed.marks if mark in known]
    if not parsed.get("version") and not parsed.entries and not same:
        return Reading(readable=False, problems=(*problems, "not_a_feed: no dialect of a feed was recognised"))
    if parsed.get("bozo") and isinstance(parsed.get("bozo_exception"), Exception):
        problems.append(f"malformed: {' '.join(str(parsed.bozo_exception).split())[:200]}")
        parsed.entries = _piecewise(xml, parsed.entries)
    base = url
    if not str(parsed.get("version", "")).startswith("atom"):  # RSS: relative links are the site's
        base = _link(parsed.feed.get("link"), url) or url
    # As plain dicts: feedparser's own look up every key under its older names too.
    items = parsed.entries[:limit]
    marks = [""] * len(items) if given is None else given.marks
    entries = [_entry(dict(i), url, base, zone, now, block=mark) for i, mark in zip(items, marks, strict=True)]
    kept = _settled(entries, problems)
    if not kept and not parsed.entries and not same:
        problems.append("empty: the feed has no items")
    detail = parsed.feed.get("title_detail") or {}
    return Reading(
        title=line(str(parsed.feed.get("title", "") or "")),
        language=str(parsed.feed.get("language", "") or detail.get("language", "") or "").strip()[:16].lower(),
        ttl_s=_ttl(parsed.feed),
        entries=kept,
        same=tuple(dict.fromkeys(same)),
        problems=tuple(problems),
    )


def _parsed(xml: str) -> Any:
    """feedparser's result, or a problem."""
    try:
        return feedparser.parse(
            # Of bytes as such it would first try whether they are the name of a file.
            io.BytesIO(f'<?xml version="1.0" encoding="utf-8"?>{xml}'.encode("utf-8", "replace")),
            # No address of the document: feedparser would resolve ids against it, and they would change with it.
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:  # noqa: BLE001 - its loose parser fails with whatever comes on hostile markup
        return f"malformed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _piecewise(xml: str, items: list[Any]) -> list[Any]:
    """The items of a malformed document read one by one, so that an unclosed tag costs its own item only; as they
    were where this finds no more."""
    pieces = [match[0] for match in islice(_WHOLE_ITEM.finditer(xml), _MOST_PIECES)]
    complete = [item for item in items if item.get("title") and item.get("link")]
    if len(pieces) < 2 or len(complete) >= len(pieces):
        return items
    first = _ITEM.search(xml)
    head = xml[: first.start()] if first else ""
    root = _ROOT.match(xml)
    end = _closings(xml[1 : root.end()] if root else "rss")
    found = []
    for piece in pieces:
        parsed = _parsed(f"{head}{piece}{end}")
        for item in [] if isinstance(parsed, str) else parsed.entries[:1]:
            for key, pattern in _FIELD_TEXTS.items():
                match = None if dict.get(item, key) else pattern.search(piece)
                if match:
                    item[key] = match[1].strip()
            found.append(item)
    return found if len([i for i in found if i.get("title") and i.get("link")]) > len(complete) else items


def _charset_problems(text: str, content_type: str, encoding: str) -> list[str]:
    """Which declarations the bytes contradict."""
    found = []
    header, declaration = _HEADER.search(content_type), _DECLARED.match(text)
    for where, match in (("header", header), ("document", declaration)):
        if match is not None and not _same_charset(match[1], encoding):
            found.append(f"charset: the {where} says {match[1].lower()[:30]}, read as {encoding}")
    return found


def _same_charset(declared: str, used: str) -> bool:
    aliases = {
        "iso-8859-1": "cp1252",
        "ascii": "utf-8",
        "utf-16-le": "utf-16",
        "utf-16-be": "utf-16",
        "gb2312": "gb18030",
    }
    try:
        names = [codecs.lookup(name).name for name in (declared, used)]
    except LookupError:
        return False
    one, other = (aliases.get(name, name) for name in names)
    return one == other


def _bounded(xml: str, limit: int) -> tuple[str, list[str]]:
    """The document without what is cut off at its end and without items over the bounds; and what was left out."""
    problems: list[str] = []
    opening = _ROOT.match(xml)
    root = xml[1 : opening.end()] if opening else "rss"
    closing = f"</{root}>"
    end = xml.lower().rfind(closing.lower())
    if end >= 0:
        tail = xml[end + len(closing) :].strip()
        if tail and not tail.startswith("<!--"):
            problems.append("trailing_text: something stands behind the document")
        xml = xml[: end + len(closing)]
    last = None
    items = 0
    cut_at = None
    depth = 0
    for match in _ITEM.finditer(xml):
        if match[1]:
            depth = max(0, depth - 1)
            last = None if depth == 0 else last
            continue
        items += 1
        if depth == 0:
            last = match.start()
        depth += 1
        if items > limit:
            cut_at = match.start()
            problems.append(f"entries: more than {limit}, the first {limit} are taken")
            break
    if xml.count("<") > _MANY_TAGS:
        over, what = _over_bounds(xml)
        if over is not None and (cut_at is None or over < cut_at):
            cut_at = over
            problems.append(f"{what}, the rest of the document was left")
    if cut_at is not None:
        return xml[:cut_at] + _closings(root), problems
    if end < 0:
        if last is None:
            problems.append("cut: the document ends early")
            return xml + _closings(root), problems
        if items > 1 or xml.rstrip()[-1:] != ">":
            problems.append("cut: the document ends inside an item, which is left out")
            return xml[:last] + _closings(root), problems
        problems.append("cut: the document ends early")
    return xml, problems


def _over_bounds(xml: str) -> tuple[int | None, str]:
    """Where the item begins in which the document gets too long or too deep, and which; CDATA holds no markup."""
    elements = depth = at = 0
    last_item = None
    while match := _MARK.search(xml, at):
        at = match.end()
        if match[1] == "![CDATA[":
            end = xml.find("]]>", at)
            at = end + 3 if end >= 0 else len(xml)
        elif match[1] == "/":
            depth -= 1
        else:
            elements += 1
            close = xml.find(">", at)
            depth += xml[close - 1 : close] != "/"
            if _ITEM.match(xml, match.start()):
                last_item = match.start()
            if elements > MAX_ELEMENTS or depth > MAX_DEPTH:
                what = (
                    f"elements: more than {MAX_ELEMENTS}" if elements > MAX_ELEMENTS else "depth: elements without end"
                )
                return (match.start() if last_item is None else last_item), what
    return None, ""


def _closings(root: str) -> str:
    return f"</channel></{root}>" if root.lower() == "rss" else f"</{root}>"


def _entry(
    item: dict[str, Any], url: str, base: str, zone: ZoneInfo | None, now: datetime | None, *, block: str
) -> Entry:
    contents = [c.get("value", "") or "" for c in item.get("content", []) if isinstance(c, dict)]
    contents += [str(item.get(key) or "") for key in _FULL_TEXTS]
    content = plain(max(contents, key=len, default=""))
    summary = _without_tail(plain(str(item.get("summary", "") or ""), limit=20_000))
    publisher = line(str((item.get("source") or {}).get("title", "") or item.get("news_source") or ""), limit=200)
    title = line(str(item.get("title", "") or ""))
    if publisher:
        title = title.removesuffix(f" - {publisher}")  # Google News names it there too
    link = _url(item, url, base)
    published = _published(item, zone, now)
    return Entry(
        id=line(str(item.get("id", "") or ""), limit=1_000) or link or "",
        url=link,
        title=title,
        summary=summary,
        content=_without_tail(content) if content != summary else "",
        published=published,
        author=_author(item),
        publisher=publisher,
        # A time to come will be read in another way once it has; a front page is a link or none by its neighbours.
        block="" if link is None or _is_front(link) or (published is not None and published.capped) else block,
    )


def _without_tail(text: str) -> str:
    start = max(0, len(text) - _LONGEST_TAIL)
    tail = text[start:]
    return text[:start] + _TAIL.sub("", tail) if any(word in tail for word in _TAIL_WORDS) else text


def _url(item: dict[str, Any], url: str, base: str) -> str | None:
    """The item's page: the address behind a feed proxy, its link, an alternate link, or a guid that is an address."""
    guid = str(item.get("id") or "").strip()
    candidates = [item.get("feedburner_origlink"), item.get("pheedo_origlink"), item.get("link")]
    if _HTTP.match(guid) and candidates[-1]:
        candidates.append(guid)  # without any link feedparser has taken the guid, if it is a permalink
    links = [link for link in item.get("links", []) if isinstance(link, dict)]
    candidates += [link.get("href") for link in links if link.get("rel") == "alternate"]
    candidates += [link.get("href") for link in links if link.get("rel") not in _UNWANTED_RELATIONS]
    local = _link((item.get("title_detail") or {}).get("base"), url) or base  # xml:base
    proxy = None  # taken only where the item names no page of its own
    for candidate in candidates:
        link = _link(candidate, local)
        if link is not None and not urls.is_search_link(link):
            return link
        proxy = proxy or link
    return proxy


def _link(href: Any, base: str) -> str | None:
    return urls.absolute(href, base) if isinstance(href, str) and href else None


def _published(item: dict[str, Any], zone: ZoneInfo | None, now: datetime | None) -> Moment | None:
    """From the raw strings, not from feedparser's reading of them. None where nothing is given or readable."""
    for key in _DATE_KEYS:
        raw = item.get(key)
        if raw:
            moment = dates.read(str(raw), zone=zone, now=now, origin="feed")
            if moment.instant is not None:
                return moment
    return None


def _author(item: dict[str, Any]) -> str:
    names = [str(a.get("name") or "") for a in item.get("authors", []) if isinstance(a, dict)]
    found = [line(name, limit=200) for name in names if name] or [line(str(item.get("author", "") or ""), limit=200)]
    return ", ".join(dict.fromkeys(name for name in found if name))[:500]


def _ttl(feed: Any) -> int | None:
    """Seconds for which the feed says it need not be asked: <ttl> in minutes, or sy:updatePeriod by its frequency."""
    minutes = str(feed.get("ttl", "") or "").strip()
    if minutes.isascii() and minutes.isdigit() and int(minutes[:9]) > 0:
        return min(int(minutes[:9]) * 60, _YEAR_S)
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "") or "").strip().lower())
    if period is None:
        return None
    frequency = str(feed.get("sy_updatefrequency", "1") or "1").strip()[:9]
    return max(1, period // max(1, int(frequency))) if frequency.isascii() and frequency.isdigit() else period


def _settled(entries: list[Entry], problems: list[str]) -> tuple[Entry, ...]:
    """Without items that hold nothing or say the same twice; what is wrong with the others is a problem.

    One guid on different pages stays different items, because the page is what counts; one page with two guids is one
    item if its title is the same too.
    """
    filled = [e for e in entries if e.url or e.title or e.id or e.summary or e.content]
    if len(filled) < len(entries):
        problems.append(f"items: {len(entries) - len(filled)} without any content")
    front = {link for link, count in Counter(e.url for e in filled).items() if link and count > 1 and _is_front(link)}
    seen: set[tuple[str, str]] = set()
    kept = []
    for entry in filled:
        if entry.url in front:  # they all lead to the front page, so none of them has a page
            entry = _without_url(entry)
        key = (entry.url or entry.id, entry.title)
        if key in seen:
            continue
        seen.add(key)
        kept.append(entry)
    if len(kept) < len(filled):
        problems.append(f"doubled: {len(filled) - len(kept)} items are listed twice")
    guids = Counter(e.id for e in kept if e.id)
    if any(count > 1 for count in guids.values()):
        problems.append(f"guids: {sum(c for c in guids.values() if c > 1)} items share their guid with another")
    if any(e.url is None for e in kept):
        problems.append(f"links: {sum(e.url is None for e in kept)} items without a usable link")
    undated = sum(e.published is None for e in kept)
    if undated:
        problems.append(f"dates: {undated} items without a readable date")
    capped = sum(e.published is not None and e.published.capped for e in kept)
    if capped:
        problems.append(f"dates: {capped} items with a time that cannot be")
    return tuple(kept)


def _is_front(link: str) -> bool:
    split = urlsplit(link)
    return split.path in ("", "/") and not split.query


def _without_url(entry: Entry) -> Entry:
    return Entry(
        id="" if entry.id == entry.url else entry.id,
        url=None,
        title=entry.title,
        summary=entry.summary,
        content=entry.content,
        published=entry.published,
        author=entry.author,
        publisher=entry.publisher,
    )


def _html_page(text: str, url: str) -> Reading:
    """A page where a feed was expected; the feeds that it links to are what the source should name instead."""
    feeds: list[str] = []
    text, _ = short_tags(text)
    try:
        tree = lxml.html.fromstring(text.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError, AssertionError):
        tree = None
    if tree is not None:
        declared, mentioned = [], []
        for element in islice(tree.iter("link", "a"), 20_000):
            found = _link(element.get("href"), url)
            kind = (element.get("type") or "").lower()
            if found is None:
                continue
            if "alternate" in (element.get("rel") or "").lower() and re.search(r"rss|atom|rdf|feed\+json", kind):
                declared.append(found)
            elif element.tag == "a" and re.search(r"(?:/(?:rss|feeds?|atom)\b|\.(?:rss|rdf)$|rss[\w-]*\.xml$)", found):
                mentioned.append(found)
        feeds = [feed for feed in dict.fromkeys(declared or mentioned) if feed != url][:10]
    named = f", it links to {feeds[0]}" if feeds else ""
    return Reading(readable=False, feeds=tuple(feeds), problems=(f"html_page: a page, not a feed{named}",))


def _other(text: str, problems: list[str]) -> Reading:
    """Neither a feed nor a page."""
    if re.search(r"<(?:[\w.-]+:)?(?:urlset|sitemapindex)\b", text[:20_000], re.I):
        problem = "not_a_feed: this is a sitemap, write kind: sitemap"
    elif not text.startswith("<"):
        problem = f"not_a_feed: plain text, beginning {' '.join(text[:80].split())!r}"
    else:
        problem = "not_a_feed: neither RSS nor Atom nor RDF nor JSON Feed"
    return Reading(readable=False, problems=(*problems, problem))


# --- JSON Feed (https://www.jsonfeed.org/version/1.1/), 1.0 and 1.1 --------------------------------------------------


def _read_json(text: str, *, url: str, zone: ZoneInfo | None, now: datetime | None, limit: int) -> Reading:
    problems: list[str] = []
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        problems.append(f"malformed: {str(error)[:200]}")
        value = _salvaged(text, limit)
    items = value.get("items") if isinstance(value, dict) else None
    if not isinstance(items, list) or not ("jsonfeed.org" in str(value.get("version")) or items):
        return Reading(readable=False, problems=(*problems, "not_a_feed: JSON, but no JSON Feed"))
    if len(items) > limit:
        problems.append(f"entries: more than {limit}, the first {limit} are taken")
    base = _link(value.get("home_page_url"), url) or url
    entries = [_json_entry(item, base, zone, now) for item in items[:limit] if isinstance(item, dict)]
    strange = sum(not isinstance(item, dict) for item in items[:limit])
    if strange:
        problems.append(f"items: {strange} are no objects")
    kept = _settled(entries, problems)
    if not items:
        problems.append("empty: the feed has no items")
    return Reading(
        title=line(_text(value.get("title"))),
        language=_text(value.get("language")).strip()[:16].lower(),
        entries=kept,
        problems=tuple(problems),
    )


def _salvaged(text: str, limit: int) -> dict[str, Any]:
    """The whole items of a JSON Feed that is cut off or spoiled further down."""
    start = re.search(r'"items"\s*:\s*\[', text)
    if start is None:
        return {}
    head = re.search(r'"title"\s*:\s*("(?:[^"\\]|\\.){0,500}")', text[: start.start()])
    return {
        "version": "https://jsonfeed.org/version/1",
        "title": _decoded_string(head[1]) if head else "",
        "items": list(islice(_objects(text, start.end()), limit)),
    }


def _objects(text: str, at: int) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    while True:
        while at < len(text) and text[at] in ", \t\r\n":
            at += 1
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield value


def _decoded_string(literal: str) -> str:
    try:
        return _text(json.loads(literal))
    except ValueError:
        return ""


def _json_entry(item: dict[str, Any], base: str, zone: ZoneInfo | None, now: datetime | None) -> Entry:
    given = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [line(_text(a.get("name")), limit=200) for a in given or [] if isinstance(a, dict)]
    stamps = (item.get(key) for key in ("date_published", "date_modified"))
    dated = [dates.read(s, zone=zone, now=now, origin="feed") for s in stamps if isinstance(s, str | int | float)]
    guid = _text(item.get("id"))
    link = _link(_text(item.get("url")), base) or _link(_text(item.get("external_url")), base)
    if link is None and _HTTP.match(guid):
        link = _link(guid, base)
    summary = plain(_text(item.get("summary")), limit=20_000)
    content = plain(_text(item.get("content_html")) or _text(item.get("content_text")))
    return Entry(
        id=line(guid, limit=1_000) or link or "",
        url=link,
        title=line(_text(item.get("title"))),
        summary=summary,
        content=content if content != summary else "",
        published=next((m for m in dated if m.instant is not None), None),
        author=", ".join(dict.fromkeys(name for name in names if name))[:500],
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
