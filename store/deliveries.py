"""What is sent to whom: a row a channel and message, claimed by one sender, sent once."""

from datetime import datetime
from sqlite3 import Row
from typing import TYPE_CHECKING

from store.records import utc_text

if TYPE_CHECKING:
    from store.connection import Store


class Deliveries:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def queue(
        self, *, channel: str, label: str, kind: str, key: str, now: datetime, subject: str = "", body: str = ""
    ) -> None:
        """Puts a message in line for a channel, unless it ever was."""
        self._run(
            "INSERT INTO deliveries (channel, label, kind, key, subject, body, queued_at, state, next_try_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?) ON CONFLICT DO NOTHING",
            (channel, label, kind, key, subject, body, utc_text(now), utc_text(now)),
        )

    def due(self, now: datetime) -> list[Row]:
        return self._run(
            "SELECT * FROM deliveries WHERE state = 'pending' AND next_try_at <= ? ORDER BY next_try_at, id",
            (utc_text(now),),
        ).fetchall()

    def of(self, kind: str, key: str) -> list[Row]:
        return self._run("SELECT * FROM deliveries WHERE kind = ? AND key = ? ORDER BY id", (kind, key)).fetchall()

    def claim(self, id_: int, *, now: datetime) -> bool:
        """Whether this sender is the one that may send it; stored before the first byte goes out."""
        with self._store.transaction():
            claimed = self._run(
                "UPDATE deliveries SET state = 'sending', begun_at = ? WHERE id = ? AND state = 'pending'",
                (utc_text(now), id_),
            )
        return claimed.rowcount == 1

    def sent(self, id_: int, *, now: datetime) -> None:
        with self._store.transaction():
            self._run(
                "UPDATE deliveries SET state = 'sent', sent_at = ?, next_try_at = NULL, error = '' WHERE id = ?",
                (utc_text(now), id_),
            )

    def failed(self, id_: int, error: str, *, next_try_at: datetime | None) -> None:
        """One more try was in vain; without a next one it rests as failed."""
        with self._store.transaction():
            self._run(
                "UPDATE deliveries SET state = ?, tries = tries + 1, next_try_at = ?, error = ? WHERE id = ?",
                (
                    "pending" if next_try_at else "failed",
                    utc_text(next_try_at) if next_try_at else None,
                    error,
                    id_,
                ),
            )

    def counts(self) -> dict[str, int]:
        return {row[0]: row[1] for row in self._run("SELECT state, count(*) FROM deliveries GROUP BY state")}

    def troubled(self, *, since: datetime, stuck: datetime) -> list[Row]:
        """What has failed, waits for another try, or was begun before `stuck` and never ended; queued after `since`."""
        return self._run(
            "SELECT label, kind, key, state, tries, next_try_at, begun_at, error FROM deliveries WHERE queued_at >= ?"
            " AND (state = 'failed' OR state = 'pending' AND tries > 0 OR state = 'sending' AND begun_at < ?)"
            " ORDER BY id",
            (utc_text(since), utc_text(stuck)),
        ).fetchall()
