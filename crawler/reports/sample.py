"""`pakrus sample`: random entries for a person to judge, from what was kept, what was read and what was never read."""

from collections.abc import Mapping
from typing import Any

from crawler.app import App
from crawler.terminal import plain


def draw(app: App, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Draws so many of each stratum; an entry is drawn once in its life."""
    now = app.clock()
    out = []
    for stratum, count in counts.items():
        drawn = app.store.marks.draw(stratum, count, random=app.random, now=now)
        out += [{"stratum": stratum, **dict(row)} for row in drawn]
    app.random.shuffle(out)  # who judges should not know what the program thought
    return out


def lines(value: list[dict[str, Any]]) -> str:
    if not value:
        return "nothing is left to draw"
    out = []
    for item in value:
        out.append(f"{item['id']}  {plain(item['title'] or '(untitled)')}")
        out.append(f"    {plain(item['source_id'])}  {plain(item['url'] or '')}")
        if item["beginning"]:
            out.append(f"    {plain(item['beginning'])[:200]}")
    out.append("")
    out.append("judge each: pakrus mark URL relevant | core | irrelevant")
    return "\n".join(out)
