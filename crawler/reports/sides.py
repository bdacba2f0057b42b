"""`pakrus sides`: per story who reported first, how much later the other side, and what one side alone carries."""

from typing import Any

from crawler.terminal import plain
from store.connection import Store
from store.records import utc_time


def report(store: Store, *, since: str | None, one_sided: bool) -> list[dict[str, Any]]:
    run = store.connection.execute
    out = []
    for story in run(
        "SELECT * FROM story_overview WHERE last_published_at >= ? ORDER BY first_published_at DESC", (since or "",)
    ):
        if one_sided and story["pakistani"] and story["russian"]:
            continue
        firsts = {}
        for side, condition in (("PK", "= 'PK'"), ("RU", "= 'RU'"), ("other", "NOT IN ('PK', 'RU')")):
            row = run(
                "SELECT coalesce(a.published_at, a.first_seen_at) AS at, n.name AS source FROM articles a"  # noqa: S608
                " JOIN sources n ON n.id = a.source_id"
                f" WHERE a.story_id = ? AND a.country {condition} ORDER BY at, a.id LIMIT 1",
                (story["story_id"],),
            ).fetchone()
            if row is not None:
                firsts[side] = {"source": row["source"], "at": row["at"]}
        first = min(firsts, key=lambda s: (firsts[s]["at"], s))
        start = utc_time(firsts[first]["at"])
        lags = {s: round((utc_time(f["at"]) - start).total_seconds() / 60) for s, f in firsts.items()}
        out.append(
            {
                "story_id": story["story_id"], "headline": story["headline"], "first_side": first,
                "first_source": firsts[first]["source"], "first_at": firsts[first]["at"], "lag_minutes": lags,
                "pakistani": story["pakistani"], "russian": story["russian"], "other": story["other"],
                "languages": story["languages"], "sectors": story["sectors"],
            }
        )  # fmt: skip
    return out


def lines(value: list[dict[str, Any]]) -> str:
    if not value:
        return "no stories in this span"
    out = []
    for s in value:
        lag = ", ".join(
            f"{side} +{minutes} min" for side, minutes in s["lag_minutes"].items() if side != s["first_side"]
        )
        out.append(f"{s['first_at'][:16]}  {plain(s['headline'])}")
        out.append(
            f"    first {plain(s['first_source'])} ({s['first_side']}){'; ' + lag if lag else ''};"
            f" {s['pakistani']} Pakistani, {s['russian']} Russian, {s['other']} third-country"
        )
    return "\n".join(out)
