"""The editions: canonical JSON with its sha256, one a date, zone and period."""

from collections.abc import Iterable
from datetime import datetime
from sqlite3 import Row
from typing import TYPE_CHECKING

from store.records import utc_text

if TYPE_CHECKING:
    from store.connection import Store


class Digests:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def get(self, date: str, timezone: str, period: str) -> Row | None:
        return self._run(  # type: ignore[no-any-return]
            "SELECT * FROM digests WHERE date = ? AND timezone = ? AND period = ?", (date, timezone, period)
        ).fetchone()

    def put(
        self,
        *,
        date: str,
        timezone: str,
        period: str,
        content: str,
        sha256: str,
        created_at: datetime,
        items: Iterable[tuple[int, str]],
    ) -> int:
        """Stores an edition with its items (story, kind) in order, in the place of an earlier one of its kind."""
        with self._store.transaction():
            old = self.get(date, timezone, period)
            if old is not None:
                self._run("DELETE FROM digest_items WHERE digest_id = ?", (old["id"],))
                self._run("DELETE FROM digests WHERE id = ?", (old["id"],))
            cursor = self._run(
                "INSERT INTO digests (date, timezone, period, content, sha256, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                (date, timezone, period, content, sha256, utc_text(created_at)),
            )
            assert cursor.lastrowid is not None
            self._store.connection.executemany(
                "INSERT INTO digest_items (digest_id, story_id, kind, position) VALUES (?, ?, ?, ?)",
                [(cursor.lastrowid, story, kind, i) for i, (story, kind) in enumerate(items)],
            )
        return cursor.lastrowid

    def shown_before(self, date: str, timezone: str, period: str, created_at: datetime) -> set[int]:
        """The stories that an earlier edition of this zone and period has shown, of those made by `created_at`."""
        rows = self._run(
            "SELECT DISTINCT i.story_id FROM digest_items i JOIN digests d ON d.id = i.digest_id"
            " WHERE d.date < ? AND d.timezone = ? AND d.period = ? AND d.created_at <= ?",
            (date, timezone, period, utc_text(created_at)),
        )
        return {row[0] for row in rows}

    def last(self) -> Row | None:
        return self._run(  # type: ignore[no-any-return]
            "SELECT date, timezone, period, sha256, created_at FROM digests ORDER BY created_at DESC, id DESC LIMIT 1"
        ).fetchone()
