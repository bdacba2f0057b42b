"""Retention by class: what is kept for ever, and what goes when."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from store.records import utc_text

if TYPE_CHECKING:
    from store.connection import Store


def sweep(
    store: "Store", *, now: datetime, requests_s: float, rejected_text_s: float, rejected_entries_s: float
) -> Mapping[str, int]:
    """Deletes what its class no longer keeps, and tidies; kept articles, their pages and stories stay for ever.

    A rejected entry goes only when its source has not listed it for so long: else it would come back as new.
    """
    run = store.connection.execute

    def before(seconds: float) -> str:
        return utc_text(now - timedelta(seconds=seconds))

    with store.transaction():
        counts = {
            "requests": run("DELETE FROM requests WHERE at < ?", (before(requests_s),)).rowcount,
            "rejected_texts": run(
                "DELETE FROM documents WHERE fetched_at < ? AND entry_id IN"
                " (SELECT id FROM entries WHERE state = 'rejected' AND article_id IS NULL)",
                (before(rejected_text_s),),
            ).rowcount,
        }
        gone = "state = 'rejected' AND article_id IS NULL AND last_seen_at < ?"
        run(
            f"DELETE FROM documents WHERE entry_id IN (SELECT id FROM entries WHERE {gone})",  # noqa: S608
            (before(rejected_entries_s),),
        )
        counts["rejected_entries"] = run(
            f"DELETE FROM entries WHERE {gone} AND id NOT IN (SELECT entry_id FROM marks WHERE entry_id IS NOT NULL)",  # noqa: S608
            (before(rejected_entries_s),),
        ).rowcount
    run("INSERT INTO article_search (article_search, rank) VALUES ('merge', 200)")
    run("PRAGMA optimize")
    run("PRAGMA wal_checkpoint(TRUNCATE)")
    return counts
