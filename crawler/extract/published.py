"""When an article came out, by all that the page, its feed and its URL say.

JSON-LD, meta elements, ``<time>`` and the feed in this order; where none of them has a time of day, fields that are
called a date and the short lines around the title, too. Where all these say nothing, the day that htmldate finds in the
page, and last the one in the URL. `dates.best` chooses among what was found.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from htmldate import find_date
from lxml.html import HtmlElement

from crawler import dates
from crawler.extract.declared import Declared
from crawler.extract.leaves import Leaf
from crawler.extract.plain import clean_line, letters
from crawler.types import Entry, Moment

__all__ = ["read_published"]

MAX_ELEMENTS = 25_000  # of a page that htmldate searches; more is no news page, and its cost is quadratic

_DATE_META = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "article:published",
    "datepublished",
    "date_published",
    "publishdate",
    "publish-date",
    "publish_date",
    "published_date",
    "publication_date",
    "published_at",
    "parsely-pub-date",
    "cxenseparse:recs:publishtime",
    "sailthru.date",
    "article.published",
    "dc.date.issued",
    "dcterms.created",
    "dcterms.issued",
    "dc.date",
    "dc.date.created",
    "dcterms.date",
    "pubdate",
    "originalpublicationdate",
    "article_date_original",
    "rnews:datepublished",
    "mediator_published_time",
    "last-modified-original",
    "date",
)
_VISIBLE_DATE = (
    ".//*[self::span or self::div or self::p or self::li or self::small or self::a]"
    '[contains(@class, "date") or contains(@class, "time") or contains(@class, "publish") or contains(@class, "posted")'
    ' or contains(@id, "date")][not(ancestor::aside) and not(ancestor::footer) and not(ancestor::nav)]'
)
_URL_DATE = re.compile(r"/(20\d\d|19\d\d)[/-]?(0[1-9]|1[0-2])[/-]?([0-3]\d)(?!\d)")


def read_published(
    tree: HtmlElement,
    leaves: Sequence[Leaf],
    declared: Declared,
    *,
    title: str,
    url: str,
    zone: ZoneInfo | None,
    now: datetime | None,
    entry: Entry | None,
) -> Moment | None:
    """When the article came out: the best of all that the page, its feed and its URL say; None where nothing does."""
    metas, article = declared.metas, declared.dated
    candidates: list[Moment] = []

    def add(raw: Any, origin: str) -> None:
        if isinstance(raw, str | int | float) and raw != "":
            moment = dates.read(raw if not isinstance(raw, str) else raw[:200], zone=zone, now=now, origin=origin)
            if moment.instant is not None and not (moment.capped and origin == "text"):
                candidates.append(moment)

    for key in ("datePublished", "dateCreated", "uploadDate"):
        if not candidates:
            add(article.get(key), "json-ld")
    for key in _DATE_META:
        if key in metas:
            add(metas[key], "meta")
            break
    for element in _times(tree):
        add(element, "time")
        break
    if entry and entry.published:
        candidates.append(entry.published)
    if not any(c.precision in ("exact", "minute") for c in candidates):
        for element in tree.xpath(_VISIBLE_DATE)[:20]:
            text = clean_line(element.text_content())
            if 6 <= len(text) <= 100 and any(c.isdigit() for c in text):
                before = len(candidates)
                add(text, "text")
                if len(candidates) > before:
                    break
        for line in _stamps(leaves, title):
            add(line, "text")
            if candidates and candidates[-1].precision in ("exact", "minute"):
                break
    if not candidates and sum(1 for _ in tree.iter()) <= MAX_ELEMENTS:
        add(_visible(tree, url, now), "text")
    if not candidates:
        match = _URL_DATE.search(urlsplit(url).path)
        if match:
            add("-".join(match.groups()), "url")
    if not candidates:
        return None
    return dates.best(candidates, now=now or dates.NO_LIMIT)


def _times(tree: HtmlElement) -> Iterator[str]:
    """The times of the article: marked as published first, the others in the order of the page."""
    marked: list[str] = []
    plain: list[str] = []
    for element in tree.iter("time", "abbr", "span", "div", "p", "a", "meta"):
        prop = (element.get("itemprop") or "").lower()
        if element.tag != "time" and prop not in ("datepublished", "datecreated"):
            continue
        value = (
            element.get("datetime")
            or element.get("content")
            or element.get("title")
            or clean_line(element.text_content())
        )
        if not value:
            continue
        hints = f"{prop} {element.get('class') or ''} {element.get('pubdate') or ''}".lower()
        if "modified" in prop or "updated" in hints.split():
            continue
        if "datepublished" in hints or "published" in hints or "pubdate" in element.attrib:
            marked.append(value)
        else:
            plain.append(value)
    yield from marked
    yield from plain


_STAMP_LABEL = re.compile(
    r"^.{0,60}?\b(?:published|updated|posted|опубликовано|обновлено|дата)\b\s*(?:on|at|:|—|-)?\s*", re.I
)
_YEAR = re.compile(r"(?:19|20)\d\d|\b\d{1,2}[./]\d{1,2}[./]\d\d\b|[\u0660-\u0669\u06f0-\u06f9]{4}")
_CLOCK = re.compile(r"\d{1,2}[:.]\d\d")


def _stamps(leaves: Sequence[Leaf], title: str) -> Iterator[str]:
    """Short lines with a year around the heading, the nearest below it first."""
    key = letters(title)
    heads = [n for n, leaf in enumerate(leaves) if leaf.tag == "h1" or (key and leaf.key == key)]
    head = heads[-1] if heads else 0
    for n in (*range(head + 1, head + 8), *range(head - 1, head - 5, -1)):
        if not 0 <= n < len(leaves):
            continue
        text = leaves[n].text
        if 6 <= len(text) <= 120 and _YEAR.search(text) and leaves[n].linked < 0.9:
            if n + 1 < len(leaves) and _CLOCK.fullmatch(leaves[n + 1].text):  # the hour in a field of its own
                yield f"{text} {leaves[n + 1].text}"
            yield text
            shorter = _STAMP_LABEL.sub("", text)
            if shorter and shorter != text:
                yield shorter


def _visible(tree: HtmlElement, url: str, now: datetime | None) -> str:
    """What htmldate finds in the visible text and the rest of the markup: a day."""
    try:
        found = find_date(
            tree,
            extensive_search=True,
            original_date=True,
            url=url,
            max_date=now.strftime("%Y-%m-%d") if now else None,
        )
    except (ValueError, TypeError, AttributeError, OverflowError):  # its own parsing of hostile markup
        return ""
    return found or ""
