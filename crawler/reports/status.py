"""`pakrus status`: can today's digest be trusted? One screen; what needs a person is named."""

import json
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from crawler import VERSION
from crawler.app import App
from crawler.digest.build import closed_edition
from crawler.reports import habits, quality
from crawler.terminal import plain
from store.connection import SCHEMA, Store
from store.records import utc_text, utc_time
from store.upkeep import copies_folder, failures, growth

NEWS = timedelta(days=7)  # for so long a message that was not sent needs a person
STUCK = timedelta(minutes=10)  # a try that has not ended by then was stopped
SILENT = timedelta(hours=6)  # without a crawl for so long although something was due, the daemon is not running
LATE = timedelta(minutes=15)  # a source that is due for so long waits
OF_AN_ARCHIVE = timedelta(days=2)  # an article that was found so late was no news, but filled a gap
FULL_IN_DAYS = 30  # a disk that is full by then needs a person now
SHOWN = 12  # lines of a list; --json has them all
BAD = ("failing", "blocked", "gone", "throttled", "stale", "empty")


def report(app: App) -> dict[str, Any]:
    store, config, now = app.store, app.config, app.clock()
    run = store.connection.execute
    crawl = run(
        "SELECT * FROM runs WHERE verb IN ('crawl', 'run') AND ended_at IS NOT NULL ORDER BY id DESC LIMIT 1"
    ).fetchone()
    states = {row[0]: row[1] for row in run("SELECT state, count(*) FROM source_health GROUP BY state")}
    troubled = [
        dict(row)
        for row in run(
            "SELECT source_id, name, state, state_since, last_good_at, last_outcome, last_error FROM source_health"
            " WHERE state IN (SELECT value FROM json_each(?)) ORDER BY state, source_id",
            (json.dumps(BAD),),
        )
    ]
    moved = [
        dict(row)
        for row in run(
            "SELECT id AS source_id, configured_url, url FROM sources"
            " WHERE url <> configured_url AND retired_at IS NULL AND kind <> 'none'"
        )
    ]
    waiting, due = store.frontier.backlog(now)
    edition = closed_edition(now, config.timezone, config.digest.at)
    last = store.digests.last()
    within = (utc_text(now - timedelta(days=1)), utc_text(now))
    seen = run("SELECT count(*) FROM entries WHERE first_seen_at BETWEEN ? AND ?", within).fetchone()[0]
    kept = run(
        "SELECT count(*), count(DISTINCT story_id) FROM articles WHERE first_seen_at BETWEEN ? AND ?", within
    ).fetchone()
    gaps = run("SELECT count(*) FROM gaps WHERE backfilled IS NULL").fetchone()[0]
    value: dict[str, Any] = {
        "at": utc_text(now),
        "versions": _versions(),
        "database": str(store.path),
        "database_bytes": store.path.stat().st_size,
        "room": _room(store, now),
        "last_crawl": {"ended_at": crawl["ended_at"], **json.loads(crawl["result"])} if crawl else None,
        "sources": states,
        "troubled": troubled,
        "moved": moved,
        "habits": habits.report(store, now=now),
        "lateness": _lateness(store, within, now),
        "entries": dict(store.frontier.counts()),
        "compacted": store.frontier.compacted(),
        "backlog": {"waiting": waiting, "due": due},
        "last_24h": {"entries": seen, "articles": kept[0], "stories": kept[1]},
        "open_gaps": gaps,
        "stories": store.stories.count(),
        "quality": quality.report(store),
        "witnesses": json.loads(store.noted("missed") or "null"),
        "digest": {
            "due": edition.isoformat(),
            "made": store.digests.get(edition.isoformat(), str(config.timezone), "day") is not None,
            "last": dict(last) if last else None,
        },
        "sending": {
            **store.deliveries.counts(),
            "troubled": [dict(r) for r in store.deliveries.troubled(since=now - NEWS, stuck=now - STUCK)],
        },
        "upkeep": {
            "copied_at": store.noted("copied_at"),
            "checked_at": store.noted("checked_at"),
            "failed": [{"part": part, "at": at, "error": error} for part, at, error in failures(store)],
        },
    }
    value["needs_attention"] = _attention(value, now)
    return value


def _versions() -> dict[str, Any]:
    python = ".".join(map(str, sys.version_info[:3]))
    return {"pakrus": VERSION, "schema": SCHEMA, "python": python, "sqlite": sqlite3.sqlite_version}


def _room(store: Store, now: datetime) -> dict[str, Any]:
    """Bytes that are free, by how many the database grows a day, and the days until the disk is full: each copy that is
    kept grows as the database does. Null where the copies do not tell it."""
    free = shutil.disk_usage(store.path.parent).free
    seen = growth(store.path, now.date())
    if seen is None:
        return {"free_bytes": free, "growth_bytes_a_day": None, "over_days": None, "full_in_days": None}
    a_day, days = seen
    grown = a_day * (1 + sum(1 for _ in copies_folder(store.path).glob(f"{store.path.stem}-*")))
    full = int(free / grown) if grown > 0 else None
    return {"free_bytes": free, "growth_bytes_a_day": round(a_day), "over_days": days, "full_in_days": full}


def _lateness(store: Store, within: tuple[str, str], now: datetime) -> dict[str, Any]:
    """Sources that wait for a visit, and minutes from the publication of a day's articles to their first sight."""
    number, since = store.sources.overdue(now - LATE)
    minutes = [
        row[0]
        for row in store.connection.execute(
            "SELECT 1440 * (julianday(first_seen_at) - julianday(published_at)) AS minutes FROM articles"
            " WHERE first_seen_at BETWEEN ? AND ? AND published_precision IN ('exact', 'minute')"
            " AND minutes BETWEEN 0 AND ? ORDER BY minutes",
            (*within, OF_AN_ARCHIVE / timedelta(minutes=1)),
        )
    ]
    return {
        "overdue": number,
        "overdue_since": utc_text(since) if since else None,
        "articles": len(minutes),
        "median_min": round(minutes[len(minutes) // 2], 1) if minutes else None,
        "p90_min": round(minutes[len(minutes) * 9 // 10], 1) if minutes else None,
    }


def _attention(value: dict[str, Any], now: datetime) -> list[str]:
    out = []
    crawl, late, full = value["last_crawl"], value["lateness"]["overdue_since"], value["room"]["full_in_days"]
    if crawl is None:
        out.append("no crawl has been completed yet: `pakrus crawl` or `pakrus run`")
    elif now - utc_time(crawl["ended_at"]) > SILENT and late is not None and now - utc_time(late) > SILENT:
        out.append(f"the last crawl ended {crawl['ended_at']}: is `pakrus run` still running?")
    elif crawl.get("unreachable"):
        out.append(f"the last crawl, ended {crawl['ended_at']}, reached nobody: is the line up?")
    polled = sum(n for state, n in value["sources"].items() if state not in ("disabled", "retired"))
    bad = sum(n for state, n in value["sources"].items() if state in BAD)
    if polled and bad * 3 > polled:
        out.append(f"{bad} of {polled} sources are in trouble")
    out += [f"{m['source_id']} moved for good: write {m['url']} in feeds.yaml" for m in value["moved"]]
    out += habits.lines(value["habits"])
    out += [f"{m['label']}: {m['kind']} {m['key']} {_unsent(m)}" for m in value["sending"]["troubled"]]
    out += [f"upkeep, {f['part']}, failed at {f['at']}: {f['error']}" for f in value["upkeep"]["failed"]]
    if full is not None and full < FULL_IN_DAYS:
        out.append(f"the disk is full in {full} days: {_size(value['room']['free_bytes'])} are free")
    if crawl is not None and not value["digest"]["made"]:
        out.append(f"the edition of {value['digest']['due']} is not made yet: `pakrus digest`")
    return out


def _unsent(message: dict[str, Any]) -> str:
    if message["state"] == "sending":
        return f"was being sent at {message['begun_at']} when we were stopped: ask whether it arrived"
    then = f"tried again at {message['next_try_at']}" if message["next_try_at"] else "given up"
    return f"was not sent: {message['error']}; {then}"


def _sending(value: dict[str, Any]) -> list[str]:
    counts = [f"{value[s]} {s}" for s in ("sent", "pending", "sending", "failed") if value.get(s)]
    return [f"  messages     {', '.join(counts)}"] if counts else []


def _late(value: dict[str, Any]) -> str:
    since = f" since {value['overdue_since']}" if value["overdue"] else ""
    out = f"{value['overdue']} sources wait for a visit{since}"
    if value["articles"]:
        out += f"; articles are seen {_span(value['median_min'])} after they are published, one in ten"
        out += f" {_span(value['p90_min'])} or more"
    return out


def _span(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _witnesses(value: dict[str, Any] | None) -> str:
    if value is None:
        return "not asked yet: `pakrus missed`"
    return f"{value['missed']} of their {value['seen']} items since {value['since'][:10]} match none of ours"


def _grows(value: dict[str, Any]) -> str:
    out = f"{_size(value['free_bytes'])} free"
    if value["growth_bytes_a_day"] is None:
        return out
    out += f", grows by {_size(value['growth_bytes_a_day'])} a day"
    return out + (f", full in {value['full_in_days'] / 365:.1f} years" if value["full_in_days"] else "")


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if abs(count) >= 1e9 else f"{count / 1e6:.1f} MB"


def _some(rows: Sequence[str]) -> list[str]:
    """So many rows that the screen holds them."""
    more = len(rows) - SHOWN
    return [f"  {row}" for row in rows[:SHOWN]] + ([f"  ... and {more} more: --json has all"] if more > 0 else [])


def lines(value: dict[str, Any]) -> str:
    day, crawl, last = value["last_24h"], value["last_crawl"], value["digest"]["last"]
    kept, versions = value["upkeep"], value["versions"]
    out = [
        f"pakrus {versions['pakrus']} at {value['at']}",
        f"  last crawl   {crawl['ended_at'] if crawl else 'never'}",
        f"  last 24 h    {day['entries']} items seen, {day['articles']} articles kept in {day['stories']} stories",
        "  sources      " + (", ".join(f"{n} {s}" for s, n in sorted(value["sources"].items())) or "none"),
        f"  lateness     {_late(value['lateness'])}",
        "  ledger       "
        + (", ".join(f"{n} {s}" for s, n in sorted(value["entries"].items())) or "empty")
        + (f", {value['compacted']} rejected known by number alone" if value["compacted"] else ""),
        f"  backlog      {value['backlog']['waiting']} page{'s' * (value['backlog']['waiting'] != 1)} waiting,"
        f" {value['backlog']['due']} of them due",
        f"  gaps         {value['open_gaps']} open",
        f"  quality      {quality.line(value['quality'])}",
        f"  witnesses    {_witnesses(value['witnesses'])}",
        f"  digest       {'last of ' + last['date'] + ', made ' + last['created_at'] if last else 'none yet'}",
        *_sending(value["sending"]),
        f"  database     {value['database']}, {_size(value['database_bytes'])}, {value['stories']} stories",
        f"  disk         {_grows(value['room'])}",
        f"  upkeep       copied {kept['copied_at'] or 'never'}, checked {kept['checked_at'] or 'never'}",
        f"  versions     schema {versions['schema']}, Python {versions['python']}, SQLite {versions['sqlite']}",
    ]
    if value["troubled"]:
        out.append("in trouble:")
        out += _some(
            [
                f"{s['source_id']}: {s['state']} since {s['state_since']}, last good {s['last_good_at'] or 'never'}"
                f"{': ' + plain(s['last_error']) if s['last_error'] else ''}"
                for s in value["troubled"]
            ]
        )
    if value["needs_attention"]:
        out.append("needs a person:")
        out += _some(value["needs_attention"])
    else:
        out.append("nothing needs a person")
    return "\n".join(out)
