"""Small pictures as SVG, written by hand: each is a few rectangles, and each says in words what it shows. Pure."""

from typing import Any

from markupsafe import Markup

from crawler.digest.formats import words

Json = dict[str, Any]
_TALL = 48  # of the chart of days, in its own units


def days(edition: Json) -> Markup:
    """Stories a day over thirty days, the edition's own day last and marked."""
    points = edition["trend"]["days"]
    most = max([1, *(p["stories"] for p in points)])
    bars = []
    for n, point in enumerate(points):
        height = max(1.0, _TALL * point["stories"] / most)
        kind = "now" if n == len(points) - 1 else "past"
        what = f"{words.short_day(point['date'])}: {point['stories']}"
        bars.append(
            Markup('<rect class="{}" x="{}" y="{:.1f}" width="7" height="{:.1f}"><title>{}</title></rect>').format(
                kind, n * 10 + 1, _TALL - height, height, what
            )
        )
    counts = [p["stories"] for p in points]
    told = (
        f"Stories a day from {words.short_day(points[0]['date'])} to {words.short_day(points[-1]['date'])}:"
        f" {counts[-1]} on the last day, {min(counts)} to {most if any(counts) else 0} in all"
    )
    return _svg("days", 10 * len(points), _TALL, told, bars)


def sector(row: Json, most: float) -> Markup:
    """A sector this week (the bar) and in an average week of the four before (the stroke)."""
    told = f"{row['name']}: {row['week']} this week"
    if row["before"]:
        told += f", {row['before']:g} in an average week of the four before"
    scale = 100 / max(most, 1)
    bars = [Markup('<rect class="now" x="0" y="2" width="{:.1f}" height="6"></rect>').format(scale * row["week"])]
    if row["before"]:
        at = min(98.5, scale * row["before"])
        bars.append(Markup('<rect class="was" x="{:.1f}" y="0" width="1.5" height="10"></rect>').format(at))
    return _svg("sector", 100, 10, told, bars)


def sides(item: Json) -> Markup:
    """Pakistani, Russian and third-country articles of a story as parts of one bar."""
    counts = [(kind, item[key]) for kind, key in (("pk", "pakistani"), ("ru", "russian"), ("xx", "other"))]
    total = sum(n for _, n in counts) or 1
    told = f"{item['pakistani']} Pakistani, {item['russian']} Russian, {item['other']} third-country articles"
    bars, at = [], 0.0
    for kind, count in counts:
        wide = 72 * count / total
        if count:
            bars.append(
                Markup('<rect class="{}" x="{:.1f}" y="0" width="{:.1f}" height="8"></rect>').format(kind, at, wide)
            )
        at += wide
    return _svg("sides", 72, 8, told, bars)


def _svg(kind: str, width: int, height: int, told: str, parts: list[Markup]) -> Markup:
    head = Markup('<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">')
    return head.format(kind, width, height, told) + Markup("").join(parts) + Markup("</svg>")
