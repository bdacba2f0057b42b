"""`pakrus audit`: the ledger adds up, or says where not."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from store.connection import Store
from store.records import State, utc_text


def report(store: Store, *, day: str | None, zone: ZoneInfo) -> dict[str, Any]:
    """Counts of entries by state; `unexplained` counts what contradicts the rest of the database."""
    run = store.connection.execute
    where, values = "", ()
    if day is not None:
        start = datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=zone)
        where = " AND first_seen_at >= ? AND first_seen_at < ?"
        values = (utc_text(start), utc_text(start + timedelta(days=1)))  # type: ignore[assignment]

    def count(condition: str) -> int:
        return int(run(f"SELECT count(*) FROM entries WHERE {condition}{where}", values).fetchone()[0])  # noqa: S608

    states = {state.value: count(f"state = '{state.value}'") for state in State}
    problems = {
        "kept or duplicate without an article": count("state IN ('kept', 'duplicate') AND article_id IS NULL"),
        "an article, but another state": count(
            "article_id IS NOT NULL AND state NOT IN ('kept', 'duplicate', 'removed')"
        ),
        "kept, but its article is a copy": count(
            "state = 'kept' AND article_id IN (SELECT id FROM articles WHERE duplicate_of IS NOT NULL)"
        ),
        "duplicate, but its article is no copy": count(
            "state = 'duplicate' AND article_id IN (SELECT id FROM articles WHERE duplicate_of IS NULL)"
        ),
        "settled without a reason": count("state IN ('rejected', 'blocked', 'failed') AND reason = ''"),
    }
    if day is None:
        problems["articles without an entry"] = int(
            run(
                "SELECT count(*) FROM articles"
                " WHERE id NOT IN (SELECT article_id FROM entries WHERE article_id IS NOT NULL)"
            ).fetchone()[0]
        )
        problems["stories without an article"] = int(
            run("SELECT count(*) FROM stories WHERE id NOT IN (SELECT story_id FROM articles)").fetchone()[0]
        )
    seen = count("1 = 1")
    problems["in no state"] = seen - sum(states.values())
    problems = {name: number for name, number in problems.items() if number}
    return {"day": day, "seen": seen, **states, "unexplained": sum(problems.values()), "problems": problems}


def lines(value: dict[str, Any]) -> str:
    states = [s.value for s in State]
    out = [f"seen {value['seen']} = " + " + ".join(f"{value[s]} {s}" for s in states)]
    out.append(f"unexplained: {value['unexplained']}")
    out += [f"  {number} {name}" for name, number in value["problems"].items()]
    return "\n".join(out)
