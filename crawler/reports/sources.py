"""`pakrus sources list`, and what `sources check`, `add` and `import` print."""

from collections import Counter
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


# The words of the table: what works first, what a person must look at last, where the eye is.
_ORDER = ("new", "unchanged", "moved", "throttled", "stale", "empty", "not_a_feed", "blocked", "gone", "failed")


def check_lines(value: list[dict[str, Any]]) -> str:
    """A row a source, the healthy first, and how many are in which state."""
    states = {"new": "alive", "unchanged": "alive", "not_a_feed": "no feed", "failed": "failed"}
    ordered = sorted(value, key=lambda row: _ORDER.index(row["outcome"]))
    rows = [
        (
            row["id"],
            states.get(row["outcome"], row["outcome"]),
            str(row["status"] or "-"),
            str(row["entries"]),
            row["newest"] or "-",
            plain(row["advice"]),
        )
        for row in ordered
    ]
    head = ("id", "state", "status", "items", "newest", "what to do")
    counts = Counter(row[1] for row in rows)
    total = ", ".join(f"{n} {state}" for state, n in counts.items())
    return table(rows, head=head) + f"\n{len(value)} sources: {total or 'none'}"


_TAKEN_UP = "a running daemon takes it up at SIGHUP"


def add_lines(value: dict[str, Any]) -> str:
    """What was found, five of its entries, and where it now stands."""
    if value["source"] is None:
        tried = table([(plain(t["url"]), plain(t["was"])) for t in value["tried"]], head=("tried", "was"))
        return (
            f"nothing that lists news was found at {plain(value['asked'])}; nothing was written\n{tried}\nName the"
            " address of a feed, a sitemap or a page that lists articles; a site without any: docs/extending.md"
        )
    source = value["source"]
    rows = [((e["published"] or "-")[:16].replace("T", " "), plain(e["title"])[:120] or "-") for e in value["entries"]]
    remark = f"\nMind: {plain(value['remark'])}" if value["remark"] else ""
    written = f"written into {value['config']}; {_TAKEN_UP}" if value["written"] else "nothing was written (--dry-run)"
    keys = "\n".join(f"  {key}: {plain(text)}" for key, text in source.items())
    guess = "" if source.get("country") else "\nIts country is not known: give --country if it speaks from one side"
    return (
        f"{source['kind']}, {plain(value['way'])}: {value['entries_seen']} items, {value['requests']} requests\n"
        f"{table(rows, head=('published', 'title'))}\n\n{keys}\n{written}{remark}{guess}"
    )


def import_lines(value: dict[str, Any]) -> str:
    """A line for each subscription that was not simply added, and the totals."""
    name = value["file"]
    lines = [f"{name}:{s['line']}: skipped, {plain(s['url'])} is there already, as {s['id']}" for s in value["skipped"]]
    lines += [f"{name}:{r['line']}: refused, {plain(r['error'])}" for r in value["refused"]]
    lines += [f"added {a['id']}  {a['kind']}  {a['url']}" for a in value["added"]]
    end = (
        f"written into {value['config']}; `pakrus sources check` visits them; {_TAKEN_UP}"
        if value["written"]
        else "nothing written"
    )
    counts = ", ".join(f"{len(value[key])} {key}" for key in ("added", "skipped", "refused"))
    return "\n".join([*lines, f"{counts}; {end}"])
