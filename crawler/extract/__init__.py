"""A page, a saved text or a PDF to a `Document`.

Importing this costs nothing: lxml and trafilatura are loaded by the first `extract`, which is meant to run in a worker
(`crawler.workers`).
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from crawler.types import Document, Entry

__all__ = ["document_json", "extract"]


def extract(
    body: bytes | str,
    *,
    url: str,
    content_type: str = "",
    kind: str = "html",
    zone: ZoneInfo | None = None,
    now: datetime | None = None,
    entry: Entry | None = None,
    body_selector: str | None = None,
    title_selector: str | None = None,
) -> Document:
    """What `body` says. `kind`: html, text (a page saved as text) or pdf; `zone` is for times that name none.

    `entry` is what the feed said of this page; it is evidence for what the article is. Spoiled bytes give a document
    whose outcome is unreadable, never an exception.
    """
    from crawler.extract import page

    return page.extract(
        body,
        url=url,
        content_type=content_type,
        kind=kind,
        zone=zone,
        now=now,
        entry=entry,
        body_selector=body_selector,
        title_selector=title_selector,
    )


def document_json(document: Document) -> dict[str, Any]:
    """The object that `pakrus extract` prints (INTERFACE: published is RFC 3339 in UTC, or null)."""
    moment = document.published
    instant = moment.instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment and moment.instant else None
    return {
        "url": document.url,
        "canonical_url": document.canonical_url,
        "outcome": document.outcome,
        "title": document.title,
        "text": document.text,
        "author": document.author,
        "published": instant,
        "published_precision": moment.precision if moment and moment.instant else "unknown",
        "language": document.language,
        "site": document.site,
        "origin": document.origin,
        "dateline": document.dateline,
        "images": list(document.images),
        "problems": list(document.problems),
    }
