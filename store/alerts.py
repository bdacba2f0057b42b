"""What the rules of feeds.yaml have reported, and what they look at."""

import json
from collections.abc import Sequence
from datetime import datetime
from sqlite3 import Row
from typing import TYPE_CHECKING

from store.records import utc_text

if TYPE_CHECKING:
    from store.connection import Store


class Alerts:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def fresh(
        self,
        rule: str,
        *,
        seen_since: datetime,
        published_since: datetime,
        sectors: Sequence[str],
        names: Sequence[str],
        match: str | None,
    ) -> list[Row]:
        """Per story that `rule` has not reported the first article of grade 2 that meets all that is given.

        A story is known by its number and, after a merge, by the article that was reported.
        """
        return self._run(
            "SELECT min(a.id) AS id, a.story_id, a.title, a.url, a.language, n.name AS source,"
            " coalesce(a.published_at, a.first_seen_at) AS at FROM articles a JOIN sources n ON n.id = a.source_id"
            " WHERE a.first_seen_at >= :seen AND coalesce(a.published_at, a.first_seen_at) >= :published"
            " AND a.grade = 2 AND a.withdrawn_at IS NULL"
            " AND (:sectors = '[]' OR EXISTS (SELECT 1 FROM article_sectors x WHERE x.article_id = a.id"
            "   AND x.sector IN (SELECT value FROM json_each(:sectors))))"
            " AND (:names = '[]' OR EXISTS (SELECT 1 FROM mentions m WHERE m.article_id = a.id"
            "   AND m.name IN (SELECT value FROM json_each(:names))))"
            " AND (:match IS NULL OR a.id IN (SELECT rowid FROM article_search WHERE article_search MATCH :match))"
            " AND NOT EXISTS (SELECT 1 FROM alerts l LEFT JOIN articles r ON r.id = l.article_id"
            "   WHERE l.rule = :rule AND (l.story_id = a.story_id OR r.story_id = a.story_id))"
            " GROUP BY a.story_id ORDER BY id",
            {
                "rule": rule, "seen": utc_text(seen_since), "published": utc_text(published_since),
                "sectors": json.dumps(list(sectors)), "names": json.dumps(list(names)), "match": match,
            },
        ).fetchall()  # fmt: skip

    def days(self, since: str) -> list[Row]:
        """(day, sector, stories) from a day on."""
        return self._run(
            "SELECT a.day, x.sector, count(DISTINCT a.story_id) AS stories FROM articles a JOIN article_sectors x"
            " ON x.article_id = a.id WHERE a.day >= ? GROUP BY a.day, x.sector ORDER BY a.day, x.sector",
            (since,),
        ).fetchall()

    def first_day(self) -> str | None:
        """The local day of the oldest article."""
        return self._run("SELECT min(day) FROM articles").fetchone()[0]  # type: ignore[no-any-return]

    def reported(self, rule: str, about: str) -> bool:
        return self._run("SELECT 1 FROM alerts WHERE rule = ? AND about = ?", (rule, about)).fetchone() is not None

    def add(self, rule: str, about: str, *, now: datetime, story_id: int | None, article_id: int | None) -> None:
        self._run(
            "INSERT INTO alerts (rule, about, at, story_id, article_id) VALUES (?, ?, ?, ?, ?)",
            (rule, about, utc_text(now), story_id, article_id),
        )
