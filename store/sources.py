"""The sources: their lines of feeds.yaml as last seen, and what their visits taught us."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Row
from typing import TYPE_CHECKING

from store.errors import NotStored
from store.records import Listed, SourceState, Validators, utc_text, utc_time

if TYPE_CHECKING:
    from store.connection import Store

MOVES_THAT_AGREE = 3  # a permanent redirect is believed after so many visits in a row to the same place


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """What feeds.yaml says of a source, as far as the store keeps it."""

    id: str
    name: str
    url: str
    kind: str
    role: str
    country: str
    language: str
    enabled: bool


class Sources:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def sync(self, lines: Iterable[SourceLine], *, now: datetime) -> None:
        """Makes the table say what feeds.yaml says. A source that left is retired, its history kept.

        A URL that changed in the file wins over a stored redirect, and its validators are forgotten.
        """
        at = utc_text(now)
        with self._store.transaction():
            known = {row["id"]: row for row in self._run("SELECT * FROM sources")}
            named = set()
            for line in lines:
                named.add(line.id)
                row = known.get(line.id)
                if row is None:
                    self._run(
                        "INSERT INTO sources (id, name, url, configured_url, kind, role, country, language, state,"
                        " state_since, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (line.id, line.name, line.url, line.url, line.kind, line.role, line.country, line.language,
                         "new" if line.enabled else "disabled", at, at),
                    )  # fmt: skip
                    continue
                if row["configured_url"] != line.url:
                    self._move(line.id, row["url"], line.url, by="feeds.yaml", at=at)
                    self._run("UPDATE sources SET configured_url = ? WHERE id = ?", (line.url, line.id))
                self._run(
                    "UPDATE sources SET name = ?, kind = ?, role = ?, country = ?, language = ?, retired_at = NULL"
                    " WHERE id = ?",
                    (line.name, line.kind, line.role, line.country, line.language, line.id),
                )
                if row["state"] == "retired" or (row["state"] == "disabled") == line.enabled:
                    self._run(
                        "UPDATE sources SET state = ?, state_since = ?, next_due_at = NULL WHERE id = ?",
                        ("new" if line.enabled else "disabled", at, line.id),
                    )
            for id_ in known.keys() - named:
                if known[id_]["kind"] != "none" and known[id_]["retired_at"] is None:
                    self._run(
                        "UPDATE sources SET state = 'retired', state_since = ?, retired_at = ? WHERE id = ?",
                        (at, at, id_),
                    )

    def ensure(self, id_: str, *, name: str, country: str, language: str, now: datetime) -> None:
        """A source without polling, for what `ingest` brings; one that is known stays as it is."""
        at = utc_text(now)
        self._run(
            "INSERT INTO sources (id, name, url, kind, country, language, state, state_since, created_at)"
            " VALUES (?, ?, '', 'none', ?, ?, 'good', ?, ?) ON CONFLICT (id) DO NOTHING",
            (id_, name, country, language, at, at),
        )

    def get(self, id_: str) -> SourceState:
        row = self._run("SELECT * FROM sources WHERE id = ?", (id_,)).fetchone()
        if row is None:
            raise NotStored(f"no source {id_!r} in the database")
        return _state(row)

    def all(self) -> Sequence[SourceState]:
        return [_state(row) for row in self._run("SELECT * FROM sources ORDER BY id")]

    def due(self, now: datetime) -> list[SourceState]:
        """The sources whose time has come, the longest waiting first.

        A last visit in the future means that the clock was set back since: then next_due_at is worth nothing.
        """
        rows = self._run(
            "SELECT * FROM sources WHERE state NOT IN ('disabled', 'retired') AND kind <> 'none'"
            " AND (next_due_at IS NULL OR next_due_at <= ? OR last_visit_at > ?) ORDER BY next_due_at, id",
            (utc_text(now), utc_text(now + timedelta(minutes=1))),
        )
        return [_state(row) for row in rows]

    def overdue(self, before: datetime) -> tuple[int, datetime | None]:
        """(how many have been due since before then, since when the longest of them); a new one since it was named."""
        row = self._run(
            "SELECT count(*) AS number, min(coalesce(next_due_at, state_since)) AS at FROM sources"
            " WHERE state NOT IN ('disabled', 'retired') AND kind <> 'none'"
            " AND coalesce(next_due_at, state_since) < ?",
            (utc_text(before),),
        ).fetchone()
        return row["number"], None if row["at"] is None else utc_time(row["at"])

    def next_due(self) -> datetime | None:
        """The earliest next_due_at; None where nothing is scheduled."""
        row = self._run(
            "SELECT min(next_due_at) AS at FROM sources WHERE state NOT IN ('disabled', 'retired') AND kind <> 'none'"
        ).fetchone()
        return None if row["at"] is None else utc_time(row["at"])

    def visited(
        self,
        id_: str,
        *,
        at: datetime,
        outcome: str,
        state: str,
        good: bool,
        error: str | None,
        validators: Validators,
        next_due_at: datetime,
        interval_s: int,
        consecutive_failures: float,
        visits_since_full: int,
        moved_to: str | None,
    ) -> None:
        """Writes what a visit changes. A permanent redirect is stored after three visits in a row that agree."""
        row = self._run(
            "SELECT url, state, state_since, moved_to, moved_count FROM sources WHERE id = ?", (id_,)
        ).fetchone()
        count = 0
        if moved_to and moved_to != row["url"]:
            count = row["moved_count"] + 1 if row["moved_to"] == moved_to else 1
        when = utc_text(at)
        self._run(
            "UPDATE sources SET etag = ?, last_modified = ?, body_sha256 = ?, next_due_at = ?, interval_s = ?,"
            " consecutive_failures = ?, state = ?, state_since = ?, last_visit_at = ?,"
            " last_good_at = CASE WHEN ? THEN ? ELSE last_good_at END, last_outcome = ?, last_error = ?,"
            " visits_since_full = ?, moved_to = ?, moved_count = ? WHERE id = ?",
            (
                validators.etag, validators.last_modified, validators.body_sha256, utc_text(next_due_at), interval_s,
                consecutive_failures, state, row["state_since"] if row["state"] == state else when, when,
                good, when, outcome, error, visits_since_full, moved_to if count else None, count, id_,
            ),
        )  # fmt: skip
        if moved_to and count >= MOVES_THAT_AGREE:
            self._move(id_, row["url"], moved_to, by="redirect", at=when)

    def last_list(self, id_: str, judged_by: str) -> dict[str, Listed]:
        """What stood in a source's list at the last visit, by the hash of its text; nothing where that was judged by
        something else, or where the ledger no longer has it all."""
        row = self._run("SELECT items FROM lists WHERE source_id = ? AND judged_by = ?", (id_, judged_by)).fetchone()
        items: dict[str, tuple[int, int | None]] = json.loads(row["items"]) if row else {}
        ids = json.dumps([item[0] for item in items.values()])
        # By the ids, hence the plus: the index of the source would count through all that it ever listed.
        there = "SELECT count(*) FROM entries WHERE +source_id = ? AND id IN (SELECT value FROM json_each(?))"
        if items and self._run(there, (id_, ids)).fetchone()[0] != len(items):
            return {}
        return {block: Listed(entry_id=entry, published=published) for block, (entry, published) in items.items()}

    def keep_list(self, id_: str, judged_by: str, items: Mapping[str, Listed]) -> None:
        """Writes what stands in a source's list now."""
        value = {block: (item.entry_id, item.published) for block, item in items.items()}
        self._run(
            "INSERT INTO lists (source_id, judged_by, items) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET judged_by = excluded.judged_by, items = excluded.items",
            (id_, judged_by, json.dumps(value, separators=(",", ":"))),
        )

    def _move(self, id_: str, from_url: str, to_url: str, *, by: str, at: str) -> None:
        self._run(
            "INSERT INTO source_moves (source_id, at, from_url, to_url, by) VALUES (?, ?, ?, ?, ?)",
            (id_, at, from_url, to_url, by),
        )
        self._run(
            "UPDATE sources SET url = ?, etag = NULL, last_modified = NULL, body_sha256 = NULL, moved_to = NULL,"
            " moved_count = 0, next_due_at = CASE WHEN ? = 'feeds.yaml' THEN NULL ELSE next_due_at END WHERE id = ?",
            (to_url, by, id_),
        )


def _state(row: Row) -> SourceState:
    return SourceState(
        id=row["id"],
        url=row["url"],
        kind=row["kind"],
        validators=Validators(etag=row["etag"], last_modified=row["last_modified"], body_sha256=row["body_sha256"]),
        next_due_at=_time(row["next_due_at"]),
        interval_s=row["interval_s"],
        consecutive_failures=row["consecutive_failures"],
        last_visit_at=_time(row["last_visit_at"]),
        last_good_at=_time(row["last_good_at"]),
        visits_since_full=row["visits_since_full"],
        moved_to=row["moved_to"],
        moved_count=row["moved_count"],
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else utc_time(text)
