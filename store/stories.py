"""The stories: articles of one event. Joining two is recorded, so that it can be explained and undone."""

import json
from collections.abc import Sequence
from datetime import datetime
from sqlite3 import Row
from typing import TYPE_CHECKING

from store.errors import NotStored
from store.records import utc_text

if TYPE_CHECKING:
    from store.connection import Store


class Stories:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def open(self, headline: str, *, at: datetime, now: datetime) -> int:
        """A new story; `at` is when its first article came out."""
        cursor = self._run(
            "INSERT INTO stories (headline, first_published_at, last_published_at, created_at) VALUES (?, ?, ?, ?)",
            (headline, utc_text(at), utc_text(at), utc_text(now)),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def join(self, story_ids: Sequence[int], *, article_id: int, reasons: Sequence[str], now: datetime) -> int:
        """Makes one story of several, the oldest stays; returns it. Each merge is recorded."""
        stays, *others = sorted(story_ids)
        for gone in others:
            ids = [row[0] for row in self._run("SELECT id FROM articles WHERE story_id = ? ORDER BY id", (gone,))]
            self._run(
                "INSERT INTO story_merges (at, story_id, merged_id, article_id, reasons, articles)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (utc_text(now), stays, gone, article_id, "; ".join(reasons), json.dumps(ids)),
            )
            self._run("UPDATE articles SET story_id = ? WHERE story_id = ?", (stays, gone))
            self._run("DELETE FROM stories WHERE id = ?", (gone,))
        return stays

    def refresh(self, story_id: int) -> None:
        """Headline and times again from the articles; a story without articles goes.

        The headline is that of the first original of the highest grade.
        """
        first = self._run(
            "SELECT title FROM articles WHERE story_id = ?"
            " ORDER BY grade DESC, duplicate_of IS NOT NULL, coalesce(published_at, first_seen_at), id LIMIT 1",
            (story_id,),
        ).fetchone()
        if first is None:
            self._run("DELETE FROM stories WHERE id = ?", (story_id,))
            return
        times = self._run(
            "SELECT min(coalesce(published_at, first_seen_at)), max(coalesce(published_at, first_seen_at))"
            " FROM articles WHERE story_id = ?",
            (story_id,),
        ).fetchone()
        self._run(
            "UPDATE stories SET headline = ?, first_published_at = ?, last_published_at = ? WHERE id = ?",
            (first["title"], times[0], times[1], story_id),
        )

    def overview(self, story_id: int) -> Row:
        """The row of the view `story_overview`."""
        row = self._run("SELECT * FROM story_overview WHERE story_id = ?", (story_id,)).fetchone()
        if row is None:
            raise NotStored(f"no story {story_id} in the database")
        return row  # type: ignore[no-any-return]

    def merges(self, story_id: int) -> list[Row]:
        return self._run("SELECT * FROM story_merges WHERE story_id = ? ORDER BY at", (story_id,)).fetchall()

    def count(self) -> int:
        return int(self._run("SELECT count(*) FROM stories").fetchone()[0])
