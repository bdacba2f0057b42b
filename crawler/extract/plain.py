"""Plain text: lines without invisible marks and stray blanks, and how alike two texts are."""

import re
from collections.abc import Iterable
from functools import lru_cache

from crawler.text import words

__all__ = ["clean_line", "clean_lines", "letters", "overlap", "same_text", "words"]

# Soft hyphens, zero-width and direction marks, NULs and control characters, private-use and replacement glyphs of icon
# fonts. ZWNJ (U+200C) stays between Arabic-script letters, where it is spelling, and goes elsewhere.
_MARKS = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u061c\u180e\u200b\u200d-\u200f"
    "\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe0e\ufe0f\ufeff\ufff9-\ufffc\ue000-\uf8ff\ud800-\udfff]"
)
_ZWNJ = re.compile("(?<![\u0600-\u06ff])\u200c|\u200c(?![\u0600-\u06ff])")
_BREAKS = re.compile("[\n\r\u0085\u2028\u2029]+")


def clean_line(text: str) -> str:
    """`text` on one line."""
    return " ".join(_unmarked(text).split())


def clean_lines(text: str) -> list[str]:
    """The lines of `text` that hold something, each cleaned."""
    return [line for raw in _BREAKS.split(_unmarked(text)) if (line := " ".join(raw.split()))]


def _unmarked(text: str) -> str:
    text = _MARKS.sub("", text)
    return _ZWNJ.sub("", text) if "\u200c" in text else text


_LONG = 1_000  # characters; a longer line is not remembered: a page of megabytes may be one


def letters(text: str) -> str:
    """The letters and digits of a text's words, run together: to compare it with other renderings."""
    return _letters(text) if len(text) <= _LONG else _letters.__wrapped__(text)


@lru_cache(maxsize=4_096)  # a line of a page is compared a dozen times
def _letters(text: str) -> str:
    return "".join(words(text))


def same_text(one: str, other: str) -> bool:
    """The same words in the same order, marks and case aside."""
    return letters(one) == letters(other)


def stems(text: str) -> frozenset[str]:
    """Words of four letters and more by their first five: enough to see past the endings of Russian and Urdu."""
    return _stems(text) if len(text) <= _LONG else _stems.__wrapped__(text)


@lru_cache(maxsize=256)
def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:5] for word in words(text) if len(word) >= 4)


def overlap(part: str, whole: Iterable[str] | frozenset[str]) -> float:
    """The share of the stems of `part` that `whole` (a set of stems) has; 1.0 where `part` has none."""
    wanted = stems(part)
    return len(wanted.intersection(whole)) / len(wanted) if wanted else 1.0
