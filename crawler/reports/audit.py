"""`pakrus audit`: the ledger adds up, or says where not."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from sqlite3 import Cursor
from typing import Any
from zoneinfo import ZoneInfo

from store.connection import Store
from store.records import State, utc_text


def report(store: Store, *, day: str | None, zone: ZoneInfo) -> dict[str, Any]:
    """Counts of entries by state; `unexplained` counts what contradicts the rest of the database. `compacted`: the
    part of `rejected` whose rows are gone (keep.rejected_entries); of a day it is not known."""
    run = store.connection.execute
    ledger, where, values = "entries", "", list[str]()
    if day is not None:
        start = datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=zone)
        ledger, where = "entries INDEXED BY entries_seen", " AND first_seen_at >= ? AND first_seen_at < ?"
        values = [utc_text(start), utc_text(start + timedelta(days=1))]

    def count(condition: str) -> int:
        return int(run(f"SELECT count(*) FROM {ledger} WHERE {condition}{where}", values).fetchone()[0])  # noqa: S608

    # One pass over an index: how many of each state, and how many of these have an article.
    counts = {
        row[0]: (row[1], row[2])
        for row in run(
            f"SELECT state, count(*), count(article_id) FROM {ledger} WHERE 1{where} GROUP BY state",  # noqa: S608
            values,
        )
    }
    states = {state.value: counts.get(state.value, (0, 0))[0] for state in State}
    with_article = ("kept", "duplicate", "removed")
    copies = "(SELECT id FROM articles WHERE duplicate_of IS NOT NULL)"
    problems = {
        "kept or duplicate without an article": sum(
            all_ - own for state, (all_, own) in counts.items() if state in ("kept", "duplicate")
        ),
        "an article, but another state": sum(own for state, (_, own) in counts.items() if state not in with_article),
        "kept, but its article is a copy": count(f"state = 'kept' AND article_id IN {copies}"),
        "duplicate, but its article is no copy": count(f"state = 'duplicate' AND article_id NOT IN {copies}"),
        "settled without a reason": count("state IN ('rejected', 'blocked', 'failed') AND reason = ''"),
        "in no state": sum(all_ for state, (all_, _) in counts.items() if state not in states),
    }
    seen, compacted = sum(all_ for all_, _ in counts.values()), 0
    if day is None:
        # Differences of counts: foreign keys see to it that what is named is there.
        problems["articles without an entry"] = _more(run, "articles", "entries", "article_id")
        problems["stories without an article"] = _more(run, "stories", "articles", "story_id")
        compacted = store.frontier.compacted()
        seen, states["rejected"] = seen + compacted, states["rejected"] + compacted
    problems = {name: number for name, number in problems.items() if number}
    return {
        "day": day,
        "seen": seen,
        **states,
        "compacted": compacted,
        "unexplained": sum(problems.values()),
        "problems": problems,
    }


def _more(run: Callable[..., Cursor], table: str, other: str, column: str) -> int:
    """How many rows of a table no row of the other names."""
    named = f"SELECT count(*) FROM (SELECT DISTINCT {column} FROM {other} WHERE {column} IS NOT NULL)"  # noqa: S608
    return int(run(f"SELECT (SELECT count(*) FROM {table}) - ({named})").fetchone()[0])  # noqa: S608


def lines(value: dict[str, Any]) -> str:
    states = [s.value for s in State]
    out = [f"seen {value['seen']} = " + " + ".join(f"{value[s]} {s}" for s in states)]
    if value["compacted"]:
        out.append(f"of the rejected {value['compacted']} are known by their number alone")
    out.append(f"unexplained: {value['unexplained']}")
    out += [f"  {number} {name}" for name, number in value["problems"].items()]
    return "\n".join(out)
