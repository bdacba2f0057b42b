"""What was done: visits to sources, every HTTP request, and runs of the program."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.records import RequestRow, Visit, utc_text, utc_time

if TYPE_CHECKING:
    from store.connection import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time for which items of a source may be missing."""

    id: int
    since: datetime
    until: datetime


class Visits:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def add(self, visit: Visit) -> int:
        cursor = self._run(
            "INSERT INTO visits (source_id, started_at, status, outcome, entries_seen, entries_new, overlap, bytes,"
            " duration_ms, error, url, renamed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                visit.source_id, utc_text(visit.started_at), visit.status, visit.outcome, visit.entries_seen,
                visit.entries_new, visit.overlap, visit.bytes, visit.duration_ms, visit.error, visit.url,
                visit.renamed,
            ),
        )  # fmt: skip
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def gap(self, visit_id: int, source_id: str, *, since: datetime | None, until: datetime) -> None:
        """A visit without overlap with the one before: what appeared between `since` and `until` may be lost."""
        self._run(
            'INSERT INTO gaps (visit_id, source_id, "from", "to") VALUES (?, ?, ?, ?)',
            (visit_id, source_id, utc_text(since) if since else None, utc_text(until)),
        )

    def open_gap(self, source_id: str, *, since: datetime, until: datetime) -> None:
        """A gap that somebody asks to be filled, hung on the source's last visit; once for the same `since`."""
        visit = self._run("SELECT max(id) FROM visits WHERE source_id = ?", (source_id,)).fetchone()[0]
        asked = (source_id, utc_text(since))
        known = self._run('SELECT 1 FROM gaps WHERE source_id = ? AND "from" = ?', asked).fetchone()
        if visit is not None and known is None:
            with self._store.transaction():
                self.gap(visit, source_id, since=since, until=until)

    def open_gaps(self, source_id: str) -> list[Gap]:
        """The gaps of a source that are still to be filled."""
        rows = self._run(
            'SELECT rowid, "from", "to" FROM gaps WHERE source_id = ? AND backfilled IS NULL AND "from" IS NOT NULL',
            (source_id,),
        )
        return [Gap(id=row[0], since=utc_time(row[1]), until=utc_time(row[2])) for row in rows]

    def close_gap(self, gap_id: int, *, at: datetime, found: int) -> None:
        self._run("UPDATE gaps SET backfilled = ?, found = ? WHERE rowid = ?", (utc_text(at), found, gap_id))

    def answered_by(self, source_id: str) -> str | None:
        """Where the last good answer to a visit came from, after redirects: whose validators we hold."""
        row = self._run(
            "SELECT url FROM visits WHERE source_id = ? AND url IS NOT NULL"
            " AND outcome IN ('new', 'unchanged', 'moved', 'empty', 'stale') ORDER BY started_at DESC, id DESC LIMIT 1",
            (source_id,),
        ).fetchone()
        return None if row is None else str(row[0])

    def requests(self, rows: Sequence[RequestRow]) -> None:
        with self._store.transaction():
            self._store.connection.executemany(
                "INSERT INTO requests (at, source_id, host, url, status, bytes, duration_ms, conditional, retry_after)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        r.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{r.at.microsecond // 1000:03d}Z", r.source_id, r.host,
                        r.url, r.status, r.bytes, r.duration_ms, int(r.conditional), r.retry_after,
                    )
                    for r in rows
                ],
            )  # fmt: skip

    def began(self, verb: str, *, now: datetime) -> int:
        """A run of the program starts; returns its id."""
        with self._store.transaction():
            cursor = self._run("INSERT INTO runs (verb, started_at) VALUES (?, ?)", (verb, utc_text(now)))
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def ended(self, run_id: int, *, now: datetime, result: Mapping[str, Any]) -> None:
        with self._store.transaction():
            self._run(
                "UPDATE runs SET ended_at = ?, result = ? WHERE id = ?",
                (utc_text(now), json.dumps(result, ensure_ascii=False), run_id),
            )
