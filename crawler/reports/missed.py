"""`pakrus missed`: what witnesses (search feeds) list and no entry of ours matches, by publisher."""

from collections import defaultdict
from typing import Any

from crawler.terminal import plain
from crawler.text import words
from store.connection import Store

ALIKE = 0.7  # share of the shorter title's words; a search feed cuts titles and adds the publisher


def report(store: Store, *, since: str | None) -> dict[str, Any]:
    """Witness items whose title no entry within ten days of it shares."""
    run = store.connection.execute
    witnesses = run(
        "SELECT e.title, e.url, e.publisher, e.first_seen_at, e.source_id FROM entries e"
        " JOIN sources s ON s.id = e.source_id"
        " WHERE s.role = 'witness' AND e.first_seen_at >= ? ORDER BY e.first_seen_at",
        (since or "",),
    ).fetchall()
    index: dict[str, set[int]] = defaultdict(set)
    titles: list[frozenset[str]] = []
    if witnesses:
        ours = run(
            "SELECT e.title FROM entries e JOIN sources s ON s.id = e.source_id WHERE s.role <> 'witness'"
            " AND e.first_seen_at >= strftime('%Y-%m-%dT%H:%M:%SZ', ?, '-10 days')",
            (witnesses[0]["first_seen_at"],),
        )
        for row in ours:
            key = frozenset(words(row["title"]))
            for word in key:
                index[word].add(len(titles))
            titles.append(key)
    missed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in witnesses:
        title = row["title"].removesuffix(f" - {row['publisher']}") if row["publisher"] else row["title"]
        if not _matched(frozenset(words(title)), index, titles):
            missed[row["publisher"] or "unnamed"].append(
                {"title": title, "url": row["url"], "seen_at": row["first_seen_at"]}
            )
    publishers = [{"publisher": p, "items": missed[p]} for p in sorted(missed, key=lambda p: (-len(missed[p]), p))]
    return {"seen": len(witnesses), "missed": sum(len(p["items"]) for p in publishers), "publishers": publishers}


def _matched(key: frozenset[str], index: dict[str, set[int]], titles: list[frozenset[str]]) -> bool:
    shared: dict[int, int] = defaultdict(int)
    for word in key:
        for number in index.get(word, ()):
            shared[number] += 1
    return any(count >= ALIKE * max(3, min(len(key), len(titles[n]))) for n, count in shared.items())


def lines(value: dict[str, Any]) -> str:
    out = [f"{value['missed']} of {value['seen']} items of the witnesses match none of ours"]
    for publisher in value["publishers"]:
        out.append(f"{plain(publisher['publisher'])} ({len(publisher['items'])})")
        out += [f"    {item['seen_at'][:10]}  {plain(item['title'])}" for item in publisher["items"][:10]]
    return "\n".join(out)
