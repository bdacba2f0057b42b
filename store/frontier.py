"""The ledger: every item that a source ever listed, each in exactly one state, and the pages still to read."""

import hashlib
import json
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Row
from typing import TYPE_CHECKING, Any

from store.errors import NotStored
from store.records import Pending, State, Validators, is_id, utc_text, utc_time

if TYPE_CHECKING:
    from store.connection import Store

# Farther off than any second chance or Retry-After: the clock was ahead when it was set.
_FARTHEST_TRY = timedelta(days=4)
_FARTHEST_LOOK = timedelta(days=8)
_CHUNK = 400  # SQLite's default limit of host parameters is far above


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An item as it enters the ledger. `key` makes it the same item at the source's next visit."""

    key: str
    guid: str = ""
    url: str | None = None
    canonical_url: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    author: str = ""
    publisher: str = ""
    published_at: datetime | None = None
    published_precision: str = "unknown"
    state: State = State.PENDING
    reason: str = ""
    score: float | None = None
    article_id: int | None = None
    judged: str = ""  # `item_sha256` of an item whose words have been judged, and of which the title alone is kept

    @property
    def item_sha256(self) -> str:
        """Changes when the source changes its words about the item."""
        return self.judged or words_sha256(self.title, self.summary, self.content)


def words_sha256(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger knows of an item."""

    id: int
    source_id: str
    state: State
    reason: str
    item_sha256: str
    article_id: int | None
    score: float | None


class Frontier:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    # --- entries

    def known(self, source_id: str, keys: Sequence[str]) -> dict[str, Known]:
        """The items of a source that are in the ledger already, by key."""
        out: dict[str, Known] = {}
        for i in range(0, len(keys), _CHUNK):
            part = keys[i : i + _CHUNK]
            marks = ",".join("?" * len(part))
            rows = self._run(
                f"SELECT {_KNOWN}, key FROM entries WHERE source_id = ? AND key IN ({marks})",  # noqa: S608 - question marks only
                (source_id, *part),
            )
            out.update((row["key"], _known(row)) for row in rows)
        return out

    def same_page(self, canonical_url: str) -> Known | None:
        """The entry of any source that leads to the same page, the most settled first."""
        row = self._run(
            f"SELECT {_KNOWN} FROM entries WHERE canonical_url = ?"  # noqa: S608 - names of columns only
            " ORDER BY article_id IS NULL, state = 'pending', id LIMIT 1",
            (canonical_url,),
        ).fetchone()
        return None if row is None else _known(row)

    def listed_by(self, canonical_url: str) -> set[str]:
        """The sources that list a page."""
        return {r[0] for r in self._run("SELECT source_id FROM entries WHERE canonical_url = ?", (canonical_url,))}

    def lately(self, source_id: str, limit: int) -> list[tuple[Known, Row]]:
        """The last items of a source that are settled and lead to a page, the newest first, each with its title,
        published_at and canonical_url."""
        rows = self._run(
            f"SELECT {_KNOWN}, title, published_at, canonical_url FROM entries"  # noqa: S608 - names of columns only
            " WHERE source_id = ? AND url IS NOT NULL AND state IN ('kept', 'duplicate', 'rejected')"
            " ORDER BY first_seen_at DESC, id LIMIT ?",
            (source_id, limit),
        )
        return [(_known(row), row) for row in rows]

    def add(self, source_id: str, entry: NewEntry, *, now: datetime, first_seen: datetime | None = None) -> int:
        at = utc_text(now)
        cursor = self._run(
            "INSERT INTO entries (source_id, key, guid, url, canonical_url, title, summary, content, author, publisher,"
            " published_at, published_precision, first_seen_at, last_seen_at, state, reason, score, article_id,"
            " item_sha256, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                source_id, entry.key, entry.guid, entry.url, entry.canonical_url, entry.title, entry.summary,
                entry.content, entry.author, entry.publisher,
                utc_text(entry.published_at) if entry.published_at else None, entry.published_precision,
                utc_text(first_seen) if first_seen else at, at, entry.state, entry.reason, entry.score,
                entry.article_id, entry.item_sha256, at if first_seen and first_seen != now else None,
            ),
        )  # fmt: skip
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def seen(self, entry_ids: Iterable[int], *, now: datetime) -> None:
        self._run(
            "UPDATE entries SET last_seen_at = ? WHERE id IN (SELECT value FROM json_each(?))",
            (utc_text(now), json.dumps(list(entry_ids))),
        )

    def reword(self, entry_id: int, entry: NewEntry, *, again: bool) -> None:
        """The source changed its words about an item; `again`: its page is to be read once more."""
        self._run(
            "UPDATE entries SET title = ?, summary = ?, content = ?, item_sha256 = ? WHERE id = ?",
            (entry.title, entry.summary, entry.content, entry.item_sha256, entry_id),
        )
        if again:
            self.read_again(entry_id)

    def judged(self, entry_id: int, item_sha256: str) -> None:
        """The source changed its words about an item, and by these too it is not worth its page."""
        self._run("UPDATE entries SET item_sha256 = ? WHERE id = ?", (item_sha256, entry_id))

    def settle(
        self,
        entry_id: int,
        state: State,
        *,
        reason: str = "",
        score: float | None = None,
        article_id: int | None = None,
        spare: Collection[str] = (),
    ) -> None:
        """Moves an entry to its state, and with it all pending entries of other sources that lead to the same page;
        those of the sources in `spare` go on waiting."""
        # What was only kept for reading the page goes, once the page is read; the title stays.
        done = "summary = '', content = ''," if state in (State.KEPT, State.DUPLICATE, State.REJECTED) else ""
        values = (state, reason, score, article_id)
        setting = f"UPDATE entries SET {done} state = ?, reason = ?, score = ?, article_id = ?, next_try_at = NULL"  # noqa: S608
        page = self._run(f"{setting} WHERE id = ? RETURNING canonical_url", (*values, entry_id)).fetchall()[0][0]
        if page:
            others = " AND source_id NOT IN (SELECT value FROM json_each(?))" if spare else ""
            # +state: by its index SQLite would go through all pages that wait, for each one that is done.
            self._run(
                f"{setting} WHERE canonical_url = ? AND +state = 'pending'{others}",
                (*values, page, *([json.dumps(sorted(spare))] if spare else [])),
            )

    def retry(self, entry_id: int, *, reason: str, next_try_at: datetime, charge: bool = True) -> None:
        """The page could not be read: it stays pending. `charge` False: it was not the page's fault."""
        self._run(
            "UPDATE entries SET reason = ?, tries = tries + ?, next_try_at = ? WHERE id = ?",
            (reason, int(charge), utc_text(next_try_at), entry_id),
        )

    def restate(self, article_id: int, state: State) -> None:
        """All entries of an article take its state (kept, duplicate)."""
        self._run(
            "UPDATE entries SET state = ? WHERE article_id = ? AND state IN ('kept', 'duplicate')", (state, article_id)
        )

    def find(self, reference: str) -> Row:
        """An entry by its id or canonical URL. Raises NotStored."""
        if is_id(reference):
            row = self._run("SELECT * FROM entries WHERE id = ?", (int(reference),)).fetchone()
        else:
            row = self._run(
                "SELECT * FROM entries WHERE canonical_url = ? ORDER BY article_id IS NULL, id LIMIT 1",
                (reference,),
            ).fetchone()
        if row is None:
            raise NotStored(f"{reference}: no entry or article of this id or URL is in the database")
        return row  # type: ignore[no-any-return]

    def rejects(self, entry_id: int | None = None) -> list[dict[str, Any]]:
        """Rejected entries that were read, with `read_title`, `read_text` and the `country` of their source: all, or
        the one of that id."""
        rows = self._run(
            "SELECT e.*, d.title AS read_title, d.text AS read_text, n.country FROM documents d"
            " JOIN entries e ON e.id = d.entry_id JOIN sources n ON n.id = e.source_id"
            " WHERE e.state = 'rejected' AND d.text <> '' AND (:id IS NULL OR e.id = :id) ORDER BY e.id",
            {"id": entry_id},
        )
        return [dict(row) for row in rows]

    def read_again(self, entry_id: int) -> None:
        """The page of an entry is to be fetched (once more), whatever came of it before."""
        self._run(
            "UPDATE entries SET state = 'pending', reason = '', tries = 0, next_try_at = NULL WHERE id = ?", (entry_id,)
        )

    def counts(self) -> Mapping[str, int]:
        """How many entries stand in each state."""
        return {row[0]: row[1] for row in self._run("SELECT state, count(*) FROM entries GROUP BY state")}

    def compacted(self) -> int:
        """How many rejected entries are known by their number alone."""
        return int(self._run("SELECT coalesce(sum(entries), 0) FROM compacted_entries").fetchone()[0])

    # --- pages to read

    def take(
        self, limit: int, *, now: datetime, exclude: Container[int] = (), feed_only: Collection[str] = ()
    ) -> list[Pending]:
        """Pages whose time has come: new ones and second chances, oldest first, one entry a page; then kept articles
        that are due for another look. `exclude` holds the entries that are being read now.

        Pages of the sources in `feed_only` are never fetched: an entry of theirs stands back while another source's
        leads to the same page and has not been tried in vain.
        """
        at = utc_text(now)
        rows = self._run(  # not the whole rows: of most that wait the caller knows already
            "SELECT id, source_id, canonical_url FROM entries INDEXED BY entries_pending"
            " WHERE state = 'pending' AND url IS NOT NULL"
            " AND (next_try_at IS NULL OR next_try_at <= ? OR next_try_at > ?) ORDER BY next_try_at, id",
            (at, utc_text(now + _FARTHEST_TRY)),
        )
        out: list[Pending] = []
        pages: set[str] = set()
        for row in rows:
            if row["id"] in exclude or row["canonical_url"] in pages:
                continue
            if row["source_id"] in feed_only and self._to_be_fetched(row["canonical_url"], feed_only, at):
                continue
            pages.add(row["canonical_url"])
            out.append(_pending(self._run("SELECT * FROM entries WHERE id = ?", (row["id"],)).fetchone()))
            if len(out) >= limit:
                rows.close()
                return out
        again = self._run(
            "SELECT id, source_id, etag, last_modified FROM articles WHERE recheck_at <= ? OR recheck_at > ?"
            " ORDER BY recheck_at LIMIT ?",
            (at, utc_text(now + _FARTHEST_LOOK), limit + 1000),
        )
        for article in again:
            if len(out) >= limit:
                again.close()
                break
            # Where pages are fetched, and where its own source listed it last: a site may have changed its addresses.
            row = self._run(
                "SELECT * FROM entries WHERE article_id = ? AND url IS NOT NULL ORDER BY"
                " source_id IN (SELECT value FROM json_each(?)), source_id <> ?, last_seen_at DESC, id LIMIT 1",
                (article["id"], json.dumps(sorted(feed_only)), article["source_id"]),
            ).fetchone()
            if row is not None and row["id"] not in exclude:
                validators = Validators(etag=article["etag"], last_modified=article["last_modified"])
                out.append(_pending(row, article["id"], validators))
        return out

    def _to_be_fetched(self, canonical_url: str, feed_only: Collection[str], at: str) -> bool:
        rows = self._run(
            "SELECT source_id FROM entries WHERE canonical_url = ? AND +state = 'pending' AND url IS NOT NULL"
            " AND (tries = 0 OR next_try_at <= ?)",
            (canonical_url, at),
        )
        return any(row[0] not in feed_only for row in rows)

    def backlog(self, now: datetime) -> tuple[int, int]:
        """(pages waiting, of these due now)."""
        row = self._run(
            "SELECT count(*), coalesce(sum(next_try_at IS NULL OR next_try_at <= ?), 0)"
            " FROM entries INDEXED BY entries_pending WHERE state = 'pending'",
            (utc_text(now),),
        ).fetchone()
        return row[0], row[1]


_KNOWN = "id, source_id, state, reason, item_sha256, article_id, score"


def _known(row: Row) -> Known:
    return Known(
        id=row["id"],
        source_id=row["source_id"],
        state=State(row["state"]),
        reason=row["reason"],
        item_sha256=row["item_sha256"],
        article_id=row["article_id"],
        score=row["score"],
    )


def _pending(row: Row, article_id: int | None = None, validators: Validators | None = None) -> Pending:
    return Pending(
        entry_id=row["id"],
        source_id=row["source_id"],
        url=row["url"],
        title=row["title"],
        summary=row["summary"],
        content=row["content"],
        published_at=utc_time(row["published_at"]) if row["published_at"] else None,
        published_precision=row["published_precision"],
        author=row["author"],
        first_seen_at=utc_time(row["first_seen_at"]),
        tries=row["tries"],
        article_id=article_id,
        validators=validators or Validators(),
    )
