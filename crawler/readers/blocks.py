"""The items of a feed's text, so that feedparser need not read again what stood in the list before, byte for byte.

Of forty items of a paper's feed one to three are new at a visit, and feedparser takes a quarter of a millisecond an
item. The reading of an item follows from its text, the tags around all items (with their namespaces), where the feed
came from, and the readers; its mark is a hash of these. What could let one item bear upon another keeps the document
whole.
"""

import hashlib
import re
from collections.abc import Container
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

from crawler.readers.markup import behind

_STEP = re.compile(r"<(!\[CDATA\[|!--|\?|/?(?=(?:[\w.-]+:)?(?:item|entry)[\s>/]))", re.I)
_ENDS = {"![CDATA[": "]]>", "!--": "-->", "?": "?>", "/": ">"}
# What a new item changes around the items: dates and numbers, and the table of contents of RDF. The text of a link, or
# any with a slash, may be the address that the items' links are relative to.
_PASSING = re.compile(r"<rdf:li\b[^<>]*>|(?<!link)>[^<>/]*(?=<)", re.I)
_BASE = re.compile(r"\bbase\s*=")  # also what is not XML's


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """The document is head, items, tail; `marks` has one for each item."""

    head: str
    items: tuple[str, ...]
    tail: str
    marks: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"{self.head}{''.join(self.items)}{self.tail}"

    def without(self, known: Container[str]) -> Self:
        kept = [(item, mark) for item, mark in zip(self.items, self.marks, strict=True) if mark not in known]
        return replace(self, items=tuple(item for item, _ in kept), marks=tuple(mark for _, mark in kept))


def split(xml: str, *context: str) -> Blocks | None:
    """The items of a feed that is fit and bounded (`markup.fit`); None where they do not simply follow one another.
    `context` is what the reading of an item follows from beside the document. O(len(xml))."""
    spans: list[tuple[int, int]] = []
    at, begun = 0, -1
    while step := _STEP.search(xml, at):
        kind, at = step[1].upper(), step.end()
        if kind in _ENDS:
            at = behind(xml, _ENDS[kind], at)
        if kind in ("", "/") and (begun < 0) is (kind == "/"):
            return None  # one within another
        if kind == "/":
            spans.append((begun, at))
            begun = -1
        elif not kind:
            begun = step.start()
    if begun >= 0 or not spans or any(xml[end:start].strip() for (_, end), (start, _) in pairwise(spans)):
        return None
    if _declares(xml[spans[0][0] : spans[-1][1]]):
        return None
    head, tail = xml[: spans[0][0]], xml[spans[-1][1] :]
    around = "\0".join([*context, _PASSING.sub("", head), _PASSING.sub("", tail)])
    items = tuple(xml[start:end] for start, end in spans)
    return Blocks(head=head, items=items, tail=tail, marks=tuple(_hash(f"{around}\0{item}") for item in items))


def _declares(items: str) -> bool:
    """Has an item a namespace or base of its own? feedparser takes these over into the items that follow."""
    low = items.lower()  # `in` is five times as fast as an expression for all of it
    return "xmlns" in low or "xml:" in low or ("base" in low and _BASE.search(low) is not None)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
