"""`pakrus sources list` and the table of `sources check`."""

from pathlib import Path
from typing import Any

from crawler.config import Config
from crawler.terminal import plain, table
from store.connection import open_store


def listing(config: Config, database: Path) -> list[dict[str, Any]]:
    """Every source of feeds.yaml; with what the database knows of it, where there is one."""
    health = {}
    if database.exists():
        with open_store(database, mode="read") as store:
            health = {row["source_id"]: dict(row) for row in store.connection.execute("SELECT * FROM source_health")}
    return [
        {
            "id": s.id, "name": s.name, "url": s.url, "kind": s.kind, "role": s.role, "country": s.country,
            "language": s.language, "every_s": s.every_s, "enabled": s.enabled,
            "state": health.get(s.id, {}).get("state"), "last_good_at": health.get(s.id, {}).get("last_good_at"),
            "next_due_at": health.get(s.id, {}).get("next_due_at"),
        }
        for s in config.sources
    ]  # fmt: skip


def listing_lines(value: list[dict[str, Any]]) -> str:
    rows = [
        (
            s["id"], s["kind"] if s["role"] == "source" else "witness", s["country"] or "-", s["language"] or "-",
            (s["state"] or "-") if s["enabled"] else "disabled", plain(s["url"]),
        )
        for s in value
    ]  # fmt: skip
    enabled = sum(s["enabled"] for s in value)
    return (
        table(rows, head=("id", "kind", "country", "language", "state", "url"))
        + f"\n{len(value)} sources, {enabled} enabled"
    )


def check_lines(value: list[dict[str, Any]]) -> str:
    rows = [
        (
            row["id"],
            row["outcome"],
            str(row["status"] or "-"),
            str(row["entries"]),
            row["newest"] or "-",
            plain(row["advice"]),
        )
        for row in value
    ]
    head = ("id", "outcome", "status", "items", "newest", "what to do")
    alive = sum(row["alive"] for row in value)
    return table(rows, head=head) + f"\n{alive} of {len(value)} alive"
