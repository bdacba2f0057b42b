"""`pakrus status`: can today's digest be trusted? One screen; what needs a person is named."""

import json
from datetime import timedelta
from typing import Any

from crawler.app import App
from crawler.digest.build import closed_edition
from crawler.reports import habits, quality
from crawler.terminal import plain
from store.records import utc_text, utc_time
from store.upkeep import failures

NEWS = timedelta(days=7)  # for so long a message that was not sent needs a person
STUCK = timedelta(minutes=10)  # a try that has not ended by then was stopped
SILENT = timedelta(hours=6)  # without a crawl for so long, the daemon is not running
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
        "database": str(store.path),
        "database_bytes": store.path.stat().st_size,
        "last_crawl": {"ended_at": crawl["ended_at"], **json.loads(crawl["result"])} if crawl else None,
        "sources": states,
        "troubled": troubled,
        "moved": moved,
        "habits": habits.report(store, now=now),
        "entries": dict(store.frontier.counts()),
        "compacted": store.frontier.compacted(),
        "backlog": {"waiting": waiting, "due": due},
        "last_24h": {"entries": seen, "articles": kept[0], "stories": kept[1]},
        "open_gaps": gaps,
        "stories": store.stories.count(),
        "quality": quality.report(store),
        "digest": {
            "due": edition.isoformat(),
            "made": store.digests.get(edition.isoformat(), str(config.timezone), "day") is not None,
            "last": dict(last) if last else None,
        },
        "sending": {
            **store.deliveries.counts(),
            "troubled": [dict(r) for r in store.deliveries.troubled(since=now - NEWS, stuck=now - STUCK)],
        },
    }
    value["upkeep"] = {
        "copied_at": store.noted("copied_at"),
        "checked_at": store.noted("checked_at"),
        "failed": [{"part": part, "at": at, "error": error} for part, at, error in failures(store)],
    }
    value["needs_attention"] = _attention(value, crawl, now)
    return value


def _attention(value: dict[str, Any], crawl: Any, now: Any) -> list[str]:
    out = []
    if crawl is None:
        out.append("no crawl has been completed yet: `pakrus crawl` or `pakrus run`")
    elif now - utc_time(crawl["ended_at"]) > SILENT:
        out.append(f"the last crawl ended {crawl['ended_at']}: is `pakrus run` still running?")
    polled = sum(n for state, n in value["sources"].items() if state not in ("disabled", "retired"))
    bad = sum(n for state, n in value["sources"].items() if state in BAD)
    if polled and bad * 3 > polled:
        out.append(f"{bad} of {polled} sources are in trouble")
    out += [f"{m['source_id']} moved for good: write {m['url']} in feeds.yaml" for m in value["moved"]]
    out += habits.lines(value["habits"])
    out += [f"{m['label']}: {m['kind']} {m['key']} {_unsent(m)}" for m in value["sending"]["troubled"]]
    out += [f"upkeep, {f['part']}, failed at {f['at']}: {f['error']}" for f in value["upkeep"]["failed"]]
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


def lines(value: dict[str, Any]) -> str:
    day, crawl, last = value["last_24h"], value["last_crawl"], value["digest"]["last"]
    kept = value["upkeep"]
    out = [
        f"pakrus at {value['at']}",
        f"  last crawl   {crawl['ended_at'] if crawl else 'never'}",
        f"  last 24 h    {day['entries']} items seen, {day['articles']} articles kept in {day['stories']} stories",
        "  sources      " + (", ".join(f"{n} {s}" for s, n in sorted(value["sources"].items())) or "none"),
        "  ledger       "
        + (", ".join(f"{n} {s}" for s, n in sorted(value["entries"].items())) or "empty")
        + (f", {value['compacted']} rejected known by number alone" if value["compacted"] else ""),
        f"  backlog      {value['backlog']['waiting']} pages waiting, {value['backlog']['due']} of them due",
        f"  gaps         {value['open_gaps']} open",
        f"  quality      {quality.line(value['quality'])}",
        f"  digest       {'last of ' + last['date'] + ', made ' + last['created_at'] if last else 'none yet'}",
        *_sending(value["sending"]),
        f"  database     {value['database']}, {value['database_bytes'] / 1e6:.1f} MB, {value['stories']} stories",
        f"  upkeep       copied {kept['copied_at'] or 'never'}, checked {kept['checked_at'] or 'never'}",
    ]
    if value["troubled"]:
        out.append("in trouble:")
        out += [
            f"  {s['source_id']}: {s['state']} since {s['state_since']}, last good {s['last_good_at'] or 'never'}"
            f"{': ' + plain(s['last_error']) if s['last_error'] else ''}"
            for s in value["troubled"][:30]
        ]
    if value["needs_attention"]:
        out.append("needs a person:")
        out += [f"  {line}" for line in value["needs_attention"]]
    else:
        out.append("nothing needs a person")
    return "\n".join(out)
