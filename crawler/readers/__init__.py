"""Bytes of a source -> Reading: all entries of one visit and every problem met. Pure; never raises for spoiled bytes.

One module a kind: feed (RSS, Atom, RDF, JSON Feed), sitemap (news sitemaps, indexes, gz), listing (CSS selector, or
the structure of the page). To add a kind: docs/extending.md.
"""

from collections.abc import Container
from datetime import datetime
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

from crawler.config import KINDS
from crawler.types import Entry, Reading

MAX_BODY = 20_000_000  # bytes, decompressed


def read(
    kind: str,
    body: bytes,
    *,
    url: str,
    content_type: str = "",
    zone: ZoneInfo | None = None,
    now: datetime | None = None,
    selector: str | None = None,
    limit: int = 20_000,
    known: Container[str] | None = None,
) -> Reading:
    """Reads the bytes that came from `url`. `zone` is for dates that name none, `now` the time of the visit; at most
    `limit` entries are taken. What is not of this kind at all comes back with `readable` False and its problems.

    `known`: the `block` of entries that the caller has; a feed's reading leaves these out and names them in `same`.
    """
    if len(body) > MAX_BODY:
        return Reading(readable=False, problems=(f"too_large: {len(body)} bytes, at most {MAX_BODY} are read",))
    if not body.strip():
        return Reading(readable=False, problems=("empty: there is no body",))
    if kind not in KINDS:
        raise ValueError(f"no reader for kind {kind!r}")
    reader = getattr(import_module(f"crawler.readers.{kind}"), f"read_{kind}")
    own: dict[str, dict[str, Any]] = {"listing": {"selector": selector}, "feed": {"known": known}}
    reading: Reading = reader(
        body, url=url, content_type=content_type, zone=zone, now=now, limit=limit, **own.get(kind, {})
    )
    return reading


def reading_json(reading: Reading) -> dict[str, Any]:
    """The object that `pakrus read` prints."""
    value: dict[str, Any] = {
        "title": reading.title,
        "language": reading.language,
        "ttl": reading.ttl_s,
        "entries": [_entry_json(entry) for entry in reading.entries],
        "problems": list(reading.problems),
    }
    if reading.children:
        value["children"] = list(reading.children)
    if reading.feeds:
        value["feeds"] = list(reading.feeds)
    return value


def _entry_json(entry: Entry) -> dict[str, Any]:
    published = entry.published.instant if entry.published else None
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "content": entry.content,
        "published": published.strftime("%Y-%m-%dT%H:%M:%SZ") if published else None,
        "author": entry.author,
    }
