"""What `./run bench` found, as a table in Markdown and as a plot in SVG."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from math import log10
from pathlib import Path

OWN = ("scrapy", "aiohttp", "feedparser", "trafilatura", "lxml", "ahocorasick-rs", "pymorphy3", "snowballstemmer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: `ratio` is what counts, `figures` what it is of; `most` and `least` are what is wanted of it."""

    what: str
    ratio: float | None  # None: one of the two could not be had
    figures: str = ""
    most: float | None = None
    least: float | None = None
    share: bool = False  # written as a percentage

    @property
    def wanted(self) -> str:
        bound = self.most if self.most is not None else self.least
        if bound is None:
            return ""
        return f"{'≤' if self.most is not None else '≥'} {f'{bound:.0%}' if self.share else f'{bound:g}'}"

    @property
    def holds(self) -> str:
        if not self.wanted or self.ratio is None:
            return ""
        low = self.most is None or self.ratio <= self.most
        return "yes" if low and (self.least is None or self.ratio >= self.least) else "no"

    @property
    def shown(self) -> str:
        if self.ratio is None:
            return "-"
        if self.share:
            return f"{self.ratio:.2%}"
        return f"{self.ratio:.2f}" if self.ratio < 10 else f"{self.ratio:.0f}"


def table(rows: Iterable[Row]) -> str:
    out = ["| what, to what | ratio | wanted | holds | figures |", "|---|--:|--:|---|---|"]
    out += [f"| {r.what} | {r.shown} | {r.wanted} | {r.holds} | {r.figures} |" for r in rows]
    return "\n".join(out)


def machine(peers: Iterable[Sequence[str]]) -> str:
    memory = next(x for x in Path("/proc/meminfo").read_text().splitlines() if x.startswith("MemTotal")).split()[1]
    own = ", ".join(f"{name} {version(name)}" for name in OWN)
    theirs = ", ".join(" with ".join(pins) for pins in peers).replace("==", " ")
    return (
        f"{os.cpu_count()} cores, {int(memory) / 2**20:.0f} GB, Python {platform.python_version()}, SQLite"
        f" {sqlite3.sqlite_version}. Ours: {own}. Peers: {theirs}."
    )


COLOURS = "#1b6ca8 #c44e52 #55a868 #8172b2 #b8860b #64b5cd #dd8452 #937860 #da8bc3 #4c4c4c #2f9e8f #a8321b".split()
LEFT, TOP, WIDTH, HEIGHT = 60, 34, 390, 310


def plot(costs: Mapping[str, Mapping[str, float]]) -> str:
    """Per step what it costs at each number of articles, as a multiple of its cost at the first; n log n beside it.

    `costs`: step -> number of articles -> cost. Both axes are logarithmic.
    """
    sizes = [int(size) for size in next(iter(costs.values()))]
    limit = [(n, n * log10(n) / (sizes[0] * log10(sizes[0]))) for n in sizes]
    floored = {step: [(int(n), max(cost, 0.01)) for n, cost in at.items()] for step, at in costs.items()}
    grown = {step: [(n, cost / points[0][1]) for n, cost in points] for step, points in floored.items()}
    ratios = [ratio for points in [limit, *grown.values()] for _, ratio in points]
    low, high = log10(min(0.5, *ratios)), log10(max(ratios)) + 0.1

    def x(size: float) -> float:
        return LEFT + WIDTH * (log10(size) - log10(sizes[0])) / (log10(sizes[-1]) - log10(sizes[0]))

    def y(ratio: float) -> float:
        return TOP + HEIGHT * (high - log10(ratio)) / (high - low)

    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 400" font-family="sans-serif" font-size="12">',
        '<rect width="780" height="400" fill="white"/>',
        f'<text x="{LEFT}" y="18">Cost as a multiple of that at {sizes[0]:,} articles; both axes logarithmic</text>',
    ]
    for power in range(int(low) if low > 0 else 0, int(high) + 1):
        at = f"{y(10**power):.1f}"
        out.append(f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{at}" y2="{at}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{float(at) + 4:.1f}" text-anchor="end">{10**power}</text>')
    for size in sizes:
        out.append(f'<text x="{x(size):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{size:,}</text>')
    out.append(f'<text x="{LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 38}" text-anchor="middle">articles</text>')
    lines = [("n log n", limit, "#000", ' stroke-dasharray="5 4"')]
    lines += [(step, points, COLOURS[i % len(COLOURS)], "") for i, (step, points) in enumerate(grown.items())]
    for row, (name, points, colour, dash) in enumerate(lines):
        path = " ".join(f"{x(n):.1f},{y(ratio):.1f}" for n, ratio in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"{dash}/>')
        at = f"{TOP + 10 + 22 * row}"
        out.append(f'<line x1="480" x2="506" y1="{at}" y2="{at}" stroke="{colour}" stroke-width="2"{dash}/>')
        out.append(f'<text x="514" y="{int(at) + 4}">{escape(name)}: {points[-1][1]:.3g} times</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
