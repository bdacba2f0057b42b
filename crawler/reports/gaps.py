"""`pakrus gaps`: visits that found nothing known, and so may have missed items."""

from typing import Any

from crawler.terminal import table
from store.connection import Store


def report(store: Store, *, since: str | None) -> dict[str, Any]:
    rows = store.connection.execute(
        'SELECT visit_id, source_id, "from", "to", backfilled, found FROM gaps WHERE "to" >= ? ORDER BY "to"',
        (since or "",),
    )
    gaps = [dict(row) for row in rows]
    return {"gaps": gaps, "open": sum(g["backfilled"] is None for g in gaps)}


def lines(value: dict[str, Any]) -> str:
    if not value["gaps"]:
        return "no gaps: every visit overlapped with the one before"
    rows = [
        (
            g["source_id"],
            g["from"] or "-",
            g["to"],
            g["backfilled"] or "not yet",
            "-" if g["found"] is None else str(g["found"]),
        )
        for g in value["gaps"]
    ]
    return table(rows, head=("source", "from", "to", "backfilled", "found")) + f"\n{value['open']} open"
