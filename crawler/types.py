"""The values that travel down the pipeline, in the order in which they appear. Read this file first.

    Fetched -> Reading (of Entry) -> Document -> Classification -> a row

Everything here is frozen; nothing here acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time as somebody wrote it, and what we make of it.

    `instant` is UTC; None where nothing could be read. `precision`: exact (seconds), minute, day, month, unknown.
    `zone`: given (the text names it), source (the source's own), assumed (UTC). `origin`: json-ld, meta, time, feed,
    text, url: the kind of evidence. `raw` is the text itself. A capped (future, absurd) time has precision unknown.
    """

    instant: datetime | None
    precision: str = "unknown"
    zone: str = "assumed"
    origin: str = "feed"
    raw: str = ""
    capped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer that came over the wire, decompressed and bounded. Header names are lower case."""

    requested_url: str
    url: str  # after redirects
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    duration_ms: int
    moved_to: str | None = None  # the end of an unbroken chain of permanent redirects
    conditional: bool = False  # validators were sent to `url`: a 304 is an answer

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    def validator(self, name: str) -> str | None:
        """``etag`` or ``last-modified`` as received; None also where it has bytes that cannot go back as they came."""
        value = self.headers.get(name)
        return value if value and value.isascii() and value.isprintable() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item that a source lists (Atom's word). `url` is absolute http(s), or None where there is no usable link."""

    id: str
    url: str | None
    title: str = ""  # plain text
    summary: str = ""  # plain text
    content: str = ""  # plain text of the feed's own full article, or ""
    published: Moment | None = None
    author: str = ""
    publisher: str = ""  # the outlet that a search feed names
    block: str = ""  # hash of all that its reading follows from; "" where it is to be read at each visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All entries of one visit, and every problem met while reading them (``code: detail``)."""

    title: str = ""
    language: str = ""
    ttl_s: int | None = None
    entries: tuple[Entry, ...] = ()
    children: tuple[str, ...] = ()  # sitemaps that an index names, newest first
    feeds: tuple[str, ...] = ()  # feeds that an HTML page links to
    same: tuple[str, ...] = ()  # `block` of entries that were left out, since the caller knows them
    problems: tuple[str, ...] = ()
    readable: bool = True  # False: the bytes are not of this kind at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a page says. `outcome`: article, teaser, consent, login, bot_wall, soft_404, script_only, listing or
    unreadable."""

    url: str
    canonical_url: str
    outcome: str
    title: str = ""
    text: str = ""
    author: str = ""
    published: Moment | None = None
    language: str = ""
    site: str = ""
    origin: str = ""
    dateline: str = ""
    images: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A thing of the lexicon found in a field. `start` counts code points of that input field."""

    kind: str  # side | bridge | person | body | place | project | sector
    name: str  # the thing's identity
    field: str  # title | text
    quote: str  # the characters of the input at start
    start: int
    side: str = ""  # ISO 3166 of the side that the thing belongs to, or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The words that prove a sector."""

    field: str
    quote: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorScore:
    sector: str
    score: float  # 0..1
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One piece of evidence and what it added to the score; what `explain` shows."""

    code: str
    weight: float
    detail: str = ""
    field: str = ""
    quote: str = ""
    start: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The verdict on a document. grade: 0 no, 1 partial, 2 core."""

    grade: int
    score: float  # 0..1
    language: str
    sectors: tuple[SectorScore, ...] = ()
    mentions: tuple[Mention, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def reason(self) -> str:
        """The shortest true sentence on why: the strongest pieces of evidence, by name."""
        strongest = sorted(self.reasons, key=lambda r: -abs(r.weight))[:3]
        return ", ".join(f"{r.code} {r.weight:+.2f}" for r in strongest) or "no evidence of the pair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What is judged: the input of `classify`, read from a page, a feed or a line of JSON."""

    title: str
    text: str
    language: str = ""  # "" = to be detected
    url: str = ""
    published: datetime | None = None
    country: str = ""  # of the source: one side by context
    source: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
