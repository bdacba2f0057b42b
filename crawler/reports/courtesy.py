"""`pakrus courtesy`: from the table of requests, whether the promises to the hosts were kept."""

from datetime import datetime, timedelta
from typing import Any

from crawler.config import Config
from crawler.terminal import table
from store.connection import Store
from store.records import utc_time

SLACK_S = 0.005  # the clock of a row has milliseconds


def report(store: Store, config: Config, *, since: str | None) -> dict[str, Any]:
    """Per host: requests, the most in a minute, gaps under the delay, requests within a Retry-After."""
    from crawler.robots import allows  # Protego is only needed here
    from crawler.schedule import retry_after

    delays = {s.id: s.delay_s for s in config.sources if s.delay_s is not None}
    asked = {r["host"]: r["delay"] or 0.0 for r in store.connection.execute("SELECT host, delay FROM hosts")}
    agents = {s.id: s.user_agent or config.crawl.user_agent for s in config.sources}
    # What was asked for before these rules came was asked for under others.
    rules = {
        row["host"]: (row["robots"], row["robots_good_at"] or "")
        for row in store.connection.execute("SELECT host, robots, robots_good_at FROM hosts WHERE robots IS NOT NULL")
    }
    disallowed = 0
    rows = store.connection.execute(
        "SELECT at, source_id, host, url, status, conditional, retry_after, duration_ms FROM requests"
        " WHERE at >= ? ORDER BY host, at",
        (since or "",),
    )
    hosts: dict[str, dict[str, Any]] = {}
    last: datetime | None = None
    begun: datetime | None = None  # the rest that the host asked for, from its answer on
    until: datetime | None = None
    for row in rows:
        host = hosts.get(row["host"])
        if host is None:
            host = hosts[row["host"]] = {
                "host": row["host"], "requests": 0, "conditional": 0, "busiest_minute": 0, "under_delay": 0,
                "in_retry_after": 0, "minutes": {},
            }  # fmt: skip
            last = until = None
        at = utc_time(row["at"])
        minute = row["at"][:16]
        host["requests"] += 1
        host["conditional"] += row["conditional"]
        text, since_when = rules.get(row["host"], ("", ""))
        if config.crawl.obey_robots and text and row["source_id"] is not None and row["at"] > since_when:
            disallowed += not allows(text, row["url"], agents.get(row["source_id"], config.crawl.user_agent))
        host["minutes"][minute] = host["minutes"].get(minute, 0) + 1
        delay = max(delays.get(row["source_id"], config.crawl.per_host_delay_s), asked.get(row["host"], 0.0))
        if last is not None and (at - last).total_seconds() < delay - SLACK_S:
            host["under_delay"] += 1
        if until is not None and begun is not None and begun < at < until:
            host["in_retry_after"] += 1
        last = at
        if row["retry_after"] and row["status"] in (429, 503):  # on other answers it binds nobody
            if until is None or at >= until:
                begun = at + timedelta(milliseconds=row["duration_ms"])
            until = max(filter(None, (until, retry_after(row["retry_after"], now=at))), default=None)
    for host in hosts.values():
        host["busiest_minute"] = max(host.pop("minutes").values())
    total = sum(h["requests"] for h in hosts.values())
    return {
        "hosts": list(hosts.values()),
        "requests": total,
        "disallowed": disallowed,
        "conditional_share": round(sum(h["conditional"] for h in hosts.values()) / total, 3) if total else None,
        "violations": disallowed + sum(h["under_delay"] + h["in_retry_after"] for h in hosts.values()),
    }


def lines(value: dict[str, Any]) -> str:
    if not value["hosts"]:
        return "no requests in this span"
    rows = [
        (h["host"], str(h["requests"]), str(h["busiest_minute"]), str(h["under_delay"]), str(h["in_retry_after"]))
        for h in sorted(value["hosts"], key=lambda h: -h["requests"])
    ]
    share = value["conditional_share"]
    head = ("host", "requests", "most a minute", "under the delay", "within Retry-After")
    total = (
        f"{value['requests']} requests, {share:.0%} conditional, {value['disallowed']} against robots.txt,"
        f" {value['violations']} violations"
    )
    return f"{table(rows, head=head)}\n{total}"
