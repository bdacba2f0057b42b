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

    def shown_before(self, date: str, timezone: str, period: str, created_at: datetime) -> dict[int, str]:
        """The stories that an earlier edition of this zone and period has shown, of those made by `created_at`: story
        -> date of the last of these."""
        rows = self._run(
            "SELECT i.story_id, max(d.date) FROM digest_items i JOIN digests d ON d.id = i.digest_id"
            " WHERE d.date < ? AND d.timezone = ? AND d.period = ? AND d.created_at <= ? GROUP BY i.story_id",
            (date, timezone, period, utc_text(created_at)),
        )
        return {row[0]: row[1] for row in rows}

    def articles_before(
        self, date: str, timezone: str, period: str, created_at: datetime, *, editions: int = 60
    ) -> dict[int, tuple[str, str]]:
        """The articles that the last so many earlier editions have shown: article -> (date, created_at) of the last."""
        rows = self._run(
            "SELECT d.date, d.created_at, json_extract(a.value, '$.id') AS article FROM"
            " (SELECT * FROM digests WHERE date < ? AND timezone = ? AND period = ? AND created_at <= ?"
            "  ORDER BY date DESC LIMIT ?) d, json_tree(d.content) t, json_each(t.value) a"
            " WHERE t.key = 'articles' AND t.type = 'array' ORDER BY d.date",
            (date, timezone, period, utc_text(created_at), editions),
        )
        return {row["article"]: (row["date"], row["created_at"]) for row in rows}

    def index(self) -> list[Row]:
        """Every edition without its content but its figures, the newest first."""
        return self._run(
            "SELECT date, timezone, period, sha256, created_at, json_extract(content, '$.provisional') AS provisional,"
            " json_extract(content, '$.summary') AS summary, json_extract(content, '$.lead[0].headline') AS headline,"
            " json_extract(content, '$.lead[0].headline_language') AS language"
            " FROM digests ORDER BY date DESC, period, timezone"
        ).fetchall()

    def last(self) -> Row | None:
        return self._run(  # type: ignore[no-any-return]
            "SELECT date, timezone, period, sha256, created_at FROM digests ORDER BY created_at DESC, id DESC LIMIT 1"
        ).fetchone()
