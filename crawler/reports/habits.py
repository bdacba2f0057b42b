"""Sources that answer as they should and yet no longer do what they used to: silent ones, lists that have shrunk, sites
that have changed their addresses. Reads the store only."""

import statistics
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from store.connection import Store
from store.records import utc_text, utc_time

SPAN = timedelta(days=60)  # of which a habit is made
SILENCES = 3.0  # times its habit that a source is silent
LEAST_SILENCE = timedelta(days=1)
FEW_TIMES = 6  # times at which something new came; fewer make no habit
MOST_TIMES = 60
USUAL = 0.9  # the share of pauses that are no longer than the habit: nights and weekends are part of it
READ = 20  # visits that read something, of which the usual yield is made
SHRUNK = 3  # of these the last ones that all must be low
LOW = 0.25  # of the usual yield
LEAST_YIELD = 8  # items; shorter lists vary
NEWS = timedelta(days=7)  # for so long a change of addresses needs a person


def report(store: Store, *, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """`silent`, `shrunk` and `renamed` sources, each with the last time when all was well."""
    rows = store.connection.execute(
        "SELECT id, name FROM sources WHERE state = 'good' AND role = 'source' AND kind <> 'none' ORDER BY id"
    ).fetchall()
    out: dict[str, list[dict[str, Any]]] = {"silent": [], "shrunk": [], "renamed": []}
    for row in rows:
        for kind, found in (("silent", _silent(store, row["id"], now)), ("shrunk", _shrunk(store, row["id"], now))):
            if found is not None:
                out[kind].append({"source_id": row["id"], "name": row["name"], **found})
    renamed = store.connection.execute(
        "SELECT v.source_id, n.name, max(v.started_at) AS at, v.entries_seen AS items, v.renamed FROM visits v"
        " JOIN sources n ON n.id = v.source_id WHERE v.started_at >= ? AND v.renamed > 0 AND n.retired_at IS NULL"
        " GROUP BY v.source_id ORDER BY v.source_id",
        (utc_text(now - NEWS),),
    )
    out["renamed"] = [dict(row) for row in renamed]
    return out


def _silent(store: Store, source_id: str, now: datetime) -> dict[str, Any] | None:
    """Nothing new for three times its habit: the pause that nine of ten were no longer than."""
    rows = store.connection.execute(
        "SELECT DISTINCT first_seen_at FROM entries WHERE source_id = ? AND first_seen_at >= ?"
        " ORDER BY first_seen_at DESC LIMIT ?",
        (source_id, utc_text(now - SPAN), MOST_TIMES),
    )
    times = [utc_time(row[0]) for row in rows]
    if len(times) < FEW_TIMES:
        return None
    pauses = sorted((later - earlier for later, earlier in pairwise(times)))
    habit = pauses[min(len(pauses) - 1, int(USUAL * len(pauses)))]
    silence = now - times[0]
    if silence <= max(SILENCES * habit, LEAST_SILENCE):
        return None
    return {
        "last_new_at": utc_text(times[0]),
        "silent_h": round(silence.total_seconds() / 3600, 1),
        "habit_h": round(habit.total_seconds() / 3600, 1),
    }


def _shrunk(store: Store, source_id: str, now: datetime) -> dict[str, Any] | None:
    """Its last three readings all gave less than a quarter of what it used to list."""
    rows = store.connection.execute(
        "SELECT started_at, entries_seen FROM visits WHERE source_id = ? AND started_at >= ? AND overlap IS NOT NULL"
        " ORDER BY started_at DESC, id DESC LIMIT ?",
        (source_id, utc_text(now - SPAN), READ + SHRUNK),
    ).fetchall()
    last, before = rows[:SHRUNK], rows[SHRUNK:]
    if len(before) < SHRUNK:
        return None
    usual = statistics.median(row["entries_seen"] for row in before)
    if usual < LEAST_YIELD or any(row["entries_seen"] > LOW * usual for row in last):
        return None
    good = next((row["started_at"] for row in before if row["entries_seen"] > LOW * usual), None)
    return {"last_good_at": good, "items": last[0]["entries_seen"], "usual": round(usual)}


def lines(value: dict[str, list[dict[str, Any]]]) -> list[str]:
    out = [
        f"{s['source_id']}: silent, last good {s['last_new_at'][:10]}: nothing new for {_span(s['silent_h'])},"
        f" usually after {_span(s['habit_h'])}"
        for s in value["silent"]
    ]
    out += [
        f"{s['source_id']}: lists {s['items']} items, usually {s['usual']}; last good {s['last_good_at'][:10]}"
        for s in value["shrunk"]
    ]
    out += [
        f"{s['source_id']}: changed its addresses {s['at'][:10]}: of {s['items']} items, all new, {s['renamed']} were"
        " known under others"
        for s in value["renamed"]
    ]
    return out


def _span(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours >= 72 else f"{hours:.0f} h"
