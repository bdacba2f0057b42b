"""The archives of a backfill: a row a file, and what was found in them until it has its place among the stories."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import TYPE_CHECKING

from store.records import utc_text, utc_time

if TYPE_CHECKING:
    from store.connection import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """A document out of an archive that concerns the pair."""

    url: str
    canonical_url: str
    title: str
    text: str
    author: str
    language: str
    published_at: datetime | None
    published_precision: str
    published_from: str
    seen_at: datetime | None
    origin: str
    dateline: str
    country: str


class Archives:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def is_done(self, name: str, *, size: int | None, lexicon: str) -> bool:
        """Has this file, of this size, been read to its end with this lexicon?"""
        row = self._run("SELECT size, lexicon, state FROM archives WHERE name = ?", (name,)).fetchone()
        return row is not None and row["state"] == "done" and row["size"] == size and row["lexicon"] == lexicon

    def expect(self, files: Sequence[tuple[str, int | None]], *, lexicon: str, now: datetime) -> None:
        """Enters files (name, size in bytes) that are to be read; those that are done with this lexicon stay so."""
        with self._store.transaction():
            for name, size in files:
                if not self.is_done(name, size=size, lexicon=lexicon):
                    self._run(
                        "INSERT INTO archives (name, size, lexicon, state, at) VALUES (?, ?, ?, 'pending', ?)"
                        " ON CONFLICT (name) DO UPDATE SET size = excluded.size, lexicon = excluded.lexicon,"
                        " state = 'pending', reason = '', at = excluded.at",
                        (name, size, lexicon, utc_text(now)),
                    )

    def done(
        self, name: str, *, pages: int, candidates: int, unread: int, found: Sequence[FoundRow], now: datetime
    ) -> None:
        """A file was read: its counts and what it held, in one transaction."""
        with self._store.transaction():
            self._run("DELETE FROM archive_finds WHERE archive = ?", (name,))
            for number, find in enumerate(found):
                self._run(
                    "INSERT INTO archive_finds (archive, number, url, canonical_url, title, text, author, language,"
                    " published_at, published_precision, published_from, seen_at, origin, dateline, country)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        name, number, find.url, find.canonical_url, find.title, find.text, find.author, find.language,
                        utc_text(find.published_at) if find.published_at else None, find.published_precision,
                        find.published_from, utc_text(find.seen_at) if find.seen_at else None, find.origin,
                        find.dateline, find.country,
                    ),
                )  # fmt: skip
            self._run(
                "UPDATE archives SET state = 'done', reason = '', pages = ?, candidates = ?, unread = ?, finds = ?,"
                " at = ? WHERE name = ?",
                (pages, candidates, unread, len(found), utc_text(now), name),
            )

    def failed(self, name: str, reason: str, *, now: datetime) -> None:
        with self._store.transaction():
            self._run(
                "UPDATE archives SET state = 'failed', reason = ?, at = ? WHERE name = ?", (reason, utc_text(now), name)
            )

    def states(self, names: Sequence[str]) -> dict[str, Row]:
        found = {}
        for name in names:
            row = self._run("SELECT * FROM archives WHERE name = ?", (name,)).fetchone()
            if row is not None:
                found[name] = row
        return found

    def waiting(self) -> Iterator[tuple[str, int, FoundRow]]:
        """(archive, number, find) of all that has no place yet, in the order in which it came out."""
        keys = self._run(
            "SELECT archive, number FROM archive_finds"
            " ORDER BY coalesce(published_at, seen_at), canonical_url, seen_at, archive, number"
        ).fetchall()
        for archive, number in keys:
            row = self._run(
                "SELECT * FROM archive_finds WHERE archive = ? AND number = ?", (archive, number)
            ).fetchone()
            yield archive, number, _found(row)

    def placed(self, archive: str, number: int) -> None:
        self._run("DELETE FROM archive_finds WHERE archive = ? AND number = ?", (archive, number))


def _found(row: Row) -> FoundRow:
    values = {key: row[key] for key in row.keys() if key not in ("archive", "number", "published_at", "seen_at")}  # noqa: SIM118 - a Row iterates over its values
    return FoundRow(
        **values,
        published_at=utc_time(row["published_at"]) if row["published_at"] else None,
        seen_at=utc_time(row["seen_at"]) if row["seen_at"] else None,
    )
