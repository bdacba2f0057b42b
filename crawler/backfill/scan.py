"""One archive to what of it concerns the pair. Pure but for the stream it is given."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from crawler import dates, urls
from crawler.backfill.archives import Record, records
from crawler.classify import classify
from crawler.classify.prefilter import may_concern
from crawler.config import http_url_or_none
from crawler.extract import extract
from crawler.lexicon import Lexicon
from crawler.sites import Sites
from crawler.types import Document, Moment, Text
from crawler.workers import WorkerLost

Read = Callable[..., Document]
NOWHERE = Sites(countries={}, zones={}, zone=ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """A document of grade 1 or 2, as it will be stored."""

    url: str
    canonical_url: str
    title: str
    text: str
    author: str
    language: str
    published: Moment | None
    seen_at: datetime | None  # when the archive fetched it
    origin: str
    dateline: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What one archive held: counts, and of the pages only those that concern the pair.

    pages = rejected by their bytes + candidates; candidates = unread + other languages + irrelevant + finds.
    """

    name: str
    lexicon: str  # its hash
    pages: int = 0
    candidates: int = 0  # may concern both sides by their bytes
    unread: int = 0  # candidates that gave no article: menus, walls, pages that cost too much
    other_languages: int = 0
    finds: tuple[Find, ...] = field(default=())


def scan(
    stream: BinaryIO,
    name: str,
    size: int | None,
    lexicon: Lexicon,
    languages: Collection[str],
    *,
    sites: Sites = NOWHERE,
    read: Read = extract,
) -> Scan:
    """Reads the archive `stream` of `size` bytes (None: not known) for documents of grade >= 1 in `languages`.

    `read` reads a page as `crawler.extract.extract` does; a WorkerLost of it costs that page alone. Raises BadArchive
    where the archive is not whole: half of an archive is no result.
    """
    pages = candidates = unread = other = 0
    finds: list[Find] = []
    for record in records(stream, name=name, size=size):
        if not urls.is_sound(record.url) and http_url_or_none(record.url) is None:
            continue
        pages += 1
        country = sites.country_of(record.url)
        if not may_concern(record.body, country=country, lexicon=lexicon):
            continue
        candidates += 1
        document = _read(record, sites, read)
        if document is None:
            unread += 1
            continue
        verdict = classify(
            Text(
                title=document.title,
                text=document.text,
                language=document.language,
                url=document.url,
                published=document.published.instant if document.published else None,
                country=country,
            ),
            lexicon,
        )
        if verdict.language not in languages:
            other += 1
        elif verdict.grade:
            finds.append(_find(record, document, verdict.language, country))
    return Scan(
        name=name,
        lexicon=lexicon.hash,
        pages=pages,
        candidates=candidates,
        unread=unread,
        other_languages=other,
        finds=tuple(finds),
    )


def _read(record: Record, sites: Sites, read: Read) -> Document | None:
    zone, now = sites.zone_of(record.url), record.seen_at or datetime.now(UTC)
    if record.text is not None:
        return Document(
            url=record.url,
            canonical_url=record.url,
            outcome="article",
            title=record.title,
            text=record.text,
            author=record.author,
            language=record.language,
            published=dates.read(record.published, zone=zone, now=now) if record.published else None,
        )
    try:
        document = read(record.body, url=record.url, content_type=record.content_type, zone=zone, now=now)
    except WorkerLost:
        return None
    return document if document.outcome in ("article", "teaser") and document.text else None


def _find(record: Record, document: Document, language: str, country: str) -> Find:
    return Find(
        url=record.url,
        canonical_url=urls.canonical(document.canonical_url or record.url),
        title=document.title,
        text=document.text,
        author=document.author,
        language=language,
        published=document.published,
        seen_at=record.seen_at,
        origin=document.origin,
        dateline=document.dateline,
        country=country,
    )
