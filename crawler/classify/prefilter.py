"""A cheap look at the bytes of a page: could it concern both sides? It spares nearly all extraction.

Nothing relevant may be lost, so every encoding that the bytes could be in is tried: a page that says nothing of its
charset is read as UTF-8, windows-1251 and koi8-r, and both sides found in any one of the readings are enough.
"""

from __future__ import annotations

import functools
import html
import re

import ahocorasick_rs

from crawler.lexicon import Lexicon
from crawler.text import one_script

MOST = 4_000_000  # bytes that are looked at
_ESCAPE = re.compile(r"\\u(?![dD][89a-fA-F])([0-9a-fA-F]{4})")  # halves of surrogate pairs stay as they are
_DROPPED = (
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u0301\u0308\u064e\u064f\u0650\u0652\u0651\u0654\u0670\u0640\u0621"
)
_SAME = dict(zip("يىئكةهأإآؤё\xa0", "یییکہہاااوе ", strict=True))


@functools.lru_cache(maxsize=4)
def _automaton(lexicon: Lexicon) -> tuple[ahocorasick_rs.AhoCorasick, list[frozenset[str]]]:
    sides: dict[str, set[str]] = {}
    for side, patterns in lexicon.side_terms().items():
        for pattern in patterns:
            sides.setdefault(pattern, set()).add(side)
    order = sorted(sides)
    automaton = ahocorasick_rs.AhoCorasick(
        order, implementation=ahocorasick_rs.Implementation.ContiguousNFA, store_patterns=False
    )
    return automaton, [frozenset(sides[p]) for p in order]


def _readings(body: bytes) -> list[str]:
    body = body[:MOST]
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return [body.decode("utf-16", "replace")]
    if body[:400].count(0) > 40:
        return [body.decode("utf-16-le", "replace"), body.decode("utf-16-be", "replace")]
    try:
        return [body.decode("utf-8")]
    except UnicodeDecodeError:
        return [body.decode("utf-8", "replace"), body.decode("cp1251", "replace"), body.decode("koi8-r", "replace")]


def may_concern(body: bytes, *, country: str, lexicon: Lexicon) -> bool:
    """True where both sides of the topic may be named in `body`; the source's own `country` counts as one side."""
    need = frozenset(lexicon.sides) - {country.upper()}
    automaton, sides = _automaton(lexicon)
    for text in _readings(body):
        if "\\u" in text:
            text = _ESCAPE.sub(lambda m: chr(int(m.group(1), 16)), text)
        if "&" in text:
            text = html.unescape(text)
        text = text.lower()
        if not text.isascii():
            for char in _DROPPED:  # str.replace: str.translate costs twenty times as much
                text = text.replace(char, "")
            for char, to in _SAME.items():
                text = text.replace(char, to)
        if _names(text, need, automaton, sides):
            return True
        mended = one_script(text)
        if mended != text and _names(mended, need, automaton, sides):
            return True
    return False


def _names(text: str, need: frozenset[str], automaton: ahocorasick_rs.AhoCorasick, sides: list[frozenset[str]]) -> bool:
    """Are all sides in `need` named in the lower-case text, each at the beginning of a word?"""
    found: set[str] = set()
    for pattern, start, _ in automaton.find_matches_as_indexes(text, overlapping=True):
        if sides[pattern] <= found:
            continue
        if start and text[start - 1].isalpha() and not "\u0600" <= text[start] <= "\u06ff":
            continue
        found |= sides[pattern]
        if need <= found:
            return True
    return False
