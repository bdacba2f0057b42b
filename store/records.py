"""The nouns that the store and the crawler share. Values only: no disk, no clock.

Times are aware `datetime`s in UTC here and ``YYYY-MM-DDTHH:MM:SSZ`` in the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


def is_id(reference: str) -> bool:
    """Whether a reference is the number of a row, not a URL; SQLite counts rows in 63 bits."""
    return len(reference) <= 18 and reference.isascii() and reference.isdigit()


def utc_text(moment: datetime) -> str:
    """An aware datetime as the database writes it: ``2026-11-25T07:00:00Z`` (seconds, truncated)."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment!r}")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_time(text: str) -> datetime:
    """The inverse of `utc_text`; also reads fractions of a second."""
    return datetime.fromisoformat(text).astimezone(UTC)


class Outcome(StrEnum):
    """What one visit to a source came to."""

    NEW = "new"  # read, with entries not seen before
    UNCHANGED = "unchanged"  # 304, the same bytes, or nothing new in it
    EMPTY = "empty"  # 200 without a body, or a feed without items
    STALE = "stale"  # read, and every item is old news
    MOVED = "moved"  # permanently redirected, and read at the new place
    GONE = "gone"  # 404, 410
    THROTTLED = "throttled"  # 429, or 503 with Retry-After
    BLOCKED = "blocked"  # robots.txt, 401, 403, 451, a bot wall, a forbidden address
    NOT_A_FEED = "not_a_feed"  # the body is something else
    FAILED = "failed"  # time-out, connection, TLS, 5xx, too large

    @property
    def good(self) -> bool:
        """The source answered as it should."""
        return self in (Outcome.NEW, Outcome.UNCHANGED, Outcome.MOVED)

    @property
    def state(self) -> str:
        """The state in which a visit of this outcome leaves its source."""
        if self.good:
            return "good"
        return "failing" if self in (Outcome.NOT_A_FEED, Outcome.FAILED) else self.value


class State(StrEnum):
    """Where an entry stands; each entry is in exactly one state."""

    PENDING = "pending"
    KEPT = "kept"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    FAILED = "failed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What makes the next visit conditional (RFC 9110, 13.1), as received, and the hash of the body."""

    etag: str | None = None
    last_modified: str | None = None
    body_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What is known of a source beside its line in feeds.yaml."""

    id: str
    url: str  # where it is fetched now; differs from feeds.yaml after a stored permanent redirect
    kind: str  # feed | sitemap | listing | spider | none (created by ingest, never polled)
    validators: Validators = field(default_factory=Validators)
    next_due_at: datetime | None = None  # None: at once
    interval_s: int | None = None  # the interval that next_due_at came from
    consecutive_failures: float = 0.0  # weighed: hard 1, soft 0.5, temporary 0.25
    last_visit_at: datetime | None = None
    last_good_at: datetime | None = None
    visits_since_full: int = 0  # conditional visits since the last unconditional one
    moved_to: str | None = None  # where the last visits were permanently redirected to
    moved_count: int = 0  # how many visits in a row agreed on moved_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An item that stood in a source's list at the last visit."""

    entry_id: int
    published: int | None  # seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """What politeness needs to know of a host, across restarts. `host` is ``name`` or ``name:port``, lower case."""

    host: str
    robots: str | None = None  # the text of robots.txt; "" = everything allowed; None = never had
    robots_status: int | None = None  # HTTP status of the last attempt; 0 = no answer
    robots_at: datetime | None = None  # when it was last asked for
    robots_good_at: datetime | None = None  # when `robots` was received
    retry_after: datetime | None = None  # no request to this host before this instant
    delay_s: float | None = None  # Crawl-delay of robots.txt, if any
    last_request_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit to a source, as the table `visits` keeps it."""

    source_id: str
    started_at: datetime
    outcome: Outcome
    status: int | None = None  # HTTP; None where no answer came
    url: str | None = None  # where it ended after redirects
    moved_to: str | None = None  # the end of an unbroken chain of permanent redirects (301, 308)
    bytes: int = 0
    duration_ms: int = 0
    error: str | None = None
    entries_seen: int = 0
    entries_new: int = 0
    overlap: int | None = None  # entries of this visit already known; None where nothing was read
    renamed: int = 0  # new entries that were known under other addresses, where the site has changed them all


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One HTTP request of any kind (source, page, robots.txt), as the table `requests` keeps it."""

    at: datetime
    source_id: str | None
    host: str
    url: str
    status: int | None
    bytes: int
    duration_ms: int
    conditional: bool
    retry_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An entry whose page is still to be read."""

    entry_id: int
    source_id: str
    url: str
    title: str
    summary: str
    content: str  # the feed's own full text, where it has one
    published_at: datetime | None
    published_precision: str
    author: str
    first_seen_at: datetime
    tries: int
    article_id: int | None = None  # set: the page of a kept article, to be read again for edits
    validators: Validators = field(default_factory=Validators)


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionRow:
    """A name found in an article; ``substr(<field>, start + 1, length) = quote`` in code points."""

    kind: str  # side | bridge | person | body | place | project | sector
    name: str  # the lexicon's identity of the thing
    field: str  # title | text
    start: int
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A stored document with its verdict: grade 1 or 2."""

    id: int
    url: str
    canonical_url: str
    source_id: str
    title: str
    text: str
    author: str
    language: str
    country: str
    published_at: datetime | None
    published_precision: str
    published_from: str
    first_seen_at: datetime
    day: str
    grade: int
    score: float
    story_id: int
    duplicate_of: int | None
    origin: str
    added_at: datetime  # when it was written here
    sectors: Sequence[tuple[str, float]] = ()
