"""Small pictures as SVG, written by hand: each is a few rectangles, and each says in words what it shows. Pure."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from crawler.digest.formats.words import SIDES as COUNTRIES
from crawler.digest.formats.words import Words

Json = dict[str, Any]
SIDES = tuple(zip(("pk", "ru", "xx"), COUNTRIES, strict=True))  # (class of the style, count)
_TALL = 48  # of the chart of days, in its own units


def days(edition: Json, w: Words) -> Markup:
    """Stories a day over thirty days, the edition's own day last and marked."""
    points = [(w.short_day(p["date"]), p["stories"]) for p in edition["trend"]["days"]]
    counts = [count for _, count in points]
    told = w.say("chart_days_told", first=points[0][0], last=points[-1][0], count=counts[-1], least=min(counts),
                 most=max(counts))  # fmt: skip
    return bars(points, told)


def bars(points: Sequence[tuple[str, int]], told: str) -> Markup:
    """A bar a point (name, count), the last one marked."""
    most = max([1, *(count for _, count in points)])
    parts = []
    for n, (name, count) in enumerate(points):
        height = max(1.0, _TALL * count / most)
        kind = "now" if n == len(points) - 1 else "past"
        bar = Markup('<rect class="{}" x="{}" y="{:.1f}" width="7" height="{:.1f}"><title>{}: {}</title></rect>')
        parts.append(bar.format(kind, n * 10 + 1, _TALL - height, height, name, count))
    return _svg("days", 10 * len(points), _TALL, told, parts)


def sector(row: Json, most: float, w: Words) -> Markup:
    """A sector this week (the bar) and in an average week of the four before (the stroke)."""
    told = [w.say("chart_sector", sector=row["name"], week=row["week"])]
    scale = 100 / max(most, 1)
    parts = [Markup('<rect class="now" x="0" y="2" width="{:.1f}" height="6"></rect>').format(scale * row["week"])]
    if row["before"]:
        told.append(w.say("chart_sector_before", before=row["before"]))
        at = min(98.5, scale * row["before"])
        parts.append(Markup('<rect class="was" x="{:.1f}" y="0" width="1.5" height="10"></rect>').format(at))
    return _svg("sector", 100, 10, Markup("").join(told), parts)


def sides(item: Json, w: Words) -> Markup:
    """Pakistani, Russian and third-country articles of a story as parts of one bar."""
    total = sum(item[side] for _, side in SIDES) or 1
    parts, at = [], 0.0
    for kind, side in SIDES:
        wide = 72 * item[side] / total
        if item[side]:
            parts.append(
                Markup('<rect class="{}" x="{:.1f}" y="0" width="{:.1f}" height="8"></rect>').format(kind, at, wide)
            )
        at += wide
    return _svg("sides", 72, 8, w.sides(item), parts)


def _svg(kind: str, width: int, height: int, told: str, parts: list[Markup]) -> Markup:
    head = Markup('<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">')
    return head.format(kind, width, height, told) + Markup("").join(parts) + Markup("</svg>")
