"""The stories: articles of one event. Every move of an article from one to another is recorded, so that a merge can be
explained and undone, and a past edition made again."""

import json
from collections.abc import Iterable, Sequence
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

    def move(self, article_id: int, story_id: int, *, by: int | None, reasons: Sequence[str], now: datetime) -> None:
        """Puts an article into another story, and records it; `refresh` both stories afterwards."""
        self._run(
            "INSERT INTO story_moves (at, article_id, from_story, to_story, by_article, reasons)"
            " SELECT ?, id, story_id, ?, ?, ? FROM articles WHERE id = ?",
            (utc_text(now), story_id, by, "; ".join(reasons), article_id),
        )
        self._run("UPDATE articles SET story_id = ? WHERE id = ?", (story_id, article_id))

    def merged(
        self, gone: int, stays: int, *, articles: Iterable[int], by: int, reasons: Sequence[str], now: datetime
    ) -> None:
        """Records that a story has become part of another; its articles have been moved."""
        self._run(
            "INSERT INTO story_merges (at, story_id, merged_id, article_id, reasons, articles)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (utc_text(now), stays, gone, by, "; ".join(reasons), json.dumps(sorted(articles))),
        )

    def dispute(self, story_id: int, said: Iterable[tuple[str, float, int, str, int, int]]) -> None:
        """What the articles of a story disagree on, in place of what stood there: (unit, value, article, field, start,
        length) each."""
        self._run("DELETE FROM story_figures WHERE story_id = ?", (story_id,))
        for unit, value, article_id, field, start, length in said:
            self._run(
                "INSERT INTO story_figures (story_id, unit, value, article_id, field, start, length, quote)"
                " SELECT ?, ?, ?, id, ?, ?, ?, substr(CASE ? WHEN 'title' THEN title ELSE text END, ?, ?)"
                " FROM articles WHERE id = ?",
                (story_id, unit, value, field, start, length, field, start + 1, length, article_id),
            )

    def figures(self, story_id: int) -> list[Row]:
        """What the articles of a story disagree on: unit, value, article_id, quote, field, start; by unit and value."""
        return self._run(
            "SELECT unit, value, article_id, quote, field, start FROM story_figures WHERE story_id = ?"
            " ORDER BY unit, value, article_id",
            (story_id,),
        ).fetchall()

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
            self._run("DELETE FROM story_figures WHERE story_id = ?", (story_id,))
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

    def moves(self, article_id: int) -> list[Row]:
        """Where an article stood before: at, from_story, to_story, by_article, reasons; oldest first."""
        return self._run(
            "SELECT at, from_story, to_story, by_article, reasons FROM story_moves WHERE article_id = ?"
            " ORDER BY at, rowid",
            (article_id,),
        ).fetchall()

    def count(self) -> int:
        return int(self._run("SELECT count(*) FROM stories").fetchone()[0])
