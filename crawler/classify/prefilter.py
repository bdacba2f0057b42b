"""A cheap look at the bytes of a page: could it concern both sides? It spares nearly all extraction.

Nothing relevant may be lost, so every encoding that the bytes could be in is tried: a page that says nothing of its
charset is read as UTF-8, windows-1251 and koi8-r, and both sides found in any one of the readings are enough. And a
page that does not even show the title under which it was listed is no proof of anything: an apology, a consent page, a
front page served with 200. It is left to the extractor to tell what it is.

Most pages of the world are in Latin letters and name neither side: those are told by their bytes alone, five times as
fast (`_latin`), and all that the bytes cannot rule out is read as above.
"""

from __future__ import annotations

import functools
import html
import re
from dataclasses import dataclass

import ahocorasick_rs

from crawler.lexicon import Lexicon
from crawler.text import one_script

MOST = 4_000_000  # bytes that are looked at
SLICE = 200_000  # characters
_ESCAPE = re.compile(r"\\u(?![dD][89a-fA-F])([0-9a-fA-F]{4})")  # halves of surrogate pairs stay as they are
# What is dropped or written alike, in all scripts and in the Arabic one; no sentence in that is without these letters.
_DROPPED = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u0301\u0308"
_SAME = dict(zip("ё\xa0", "е ", strict=True))
_ARABIC = "اآأإورسن"
_DROPPED_ARABIC = "\u064e\u064f\u0650\u0652\u0651\u0654\u0670\u0640\u0621"
_SAME_ARABIC = dict(zip("يىئكةهأإآؤ", "یییکہہاااو", strict=True))
_WORD = re.compile(r"[^\W\d_]{4,}")
SHOWN = 0.5  # of the longer words of a title: the page that shows fewer is another one
LEAST = 500  # bytes of a page whose title has no such word; less is no article


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needles:
    """The words of all sides' terms in one automaton."""

    automaton: ahocorasick_rs.AhoCorasick
    whole: tuple[bool, ...]  # does the needle of that number end a word?
    longest: int  # characters
    single: dict[str, frozenset[int]]  # side -> words that are terms by themselves
    phrases: dict[str, dict[int, list[frozenset[int]]]]  # side -> longest word -> the words of its phrases


@functools.lru_cache(maxsize=4)
def _needles(lexicon: Lexicon) -> _Needles:
    terms = lexicon.side_words()
    order = {
        word: n for n, word in enumerate(sorted({w for found in terms.values() for words in found for w in words}))
    }
    single = {side: frozenset(order[words[0]] for words in found if len(words) == 1) for side, found in terms.items()}
    phrases: dict[str, dict[int, list[frozenset[int]]]] = {side: {} for side in terms}
    for side, found in terms.items():
        for words in found:
            if len(words) > 1:
                longest = order[max(words, key=lambda needle: len(needle[0]))]
                phrases[side].setdefault(longest, []).append(frozenset(order[word] for word in words))
    return _Needles(
        automaton=ahocorasick_rs.AhoCorasick(
            [word for word, _ in order],
            implementation=ahocorasick_rs.Implementation.ContiguousNFA,
            store_patterns=False,
        ),
        whole=tuple(whole for _, whole in order),
        longest=max(len(word) for word, _ in order),
        single=single,
        phrases=phrases,
    )


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


# Letters of U+0400 to U+06FF as references of HTML and escapes of JSON; as UTF-8 they begin with one of these bytes.
_REFERENCE = re.compile(rb"&#(?:1[0-7][0-9]{2}|[xX]0?[4-6][0-9a-fA-F]{2})(?![0-9a-fA-F])")
_ESCAPED = re.compile(rb"\\u0[4-6][0-9a-fA-F]{2}")
_LEADS = bytes(range(0xD0, 0xDC))
_BLANKS = re.compile(rb"&nbsp;|&#160;|&#xa0;|\xc2\xa0")
_UNSEEN = re.compile(
    b"&shy;|&#173;|&#xad;|&zwnj;|" + b"|".join(c.encode() for c in _DROPPED if not "\u0400" <= c <= "\u06ff")
)
# ASCII in small letters, all else a blank: a name then stands behind a blank wherever a word begins.
_PLAIN = bytes(c + 32 if 65 <= c <= 90 else c if 97 <= c <= 122 or 48 <= c <= 57 else 32 for c in range(256))


@functools.lru_cache(maxsize=4)
def _latin_automata(lexicon: Lexicon) -> dict[str, ahocorasick_rs.BytesAhoCorasick]:
    automata = {}
    for side, patterns in lexicon.side_terms().items():
        latin = (p for p in patterns if not any("\u0400" <= char <= "\u06ff" for char in p))
        needles = sorted({b" " + pattern.encode().translate(_PLAIN) for pattern in latin if pattern not in _SIGNS})
        automata[side] = ahocorasick_rs.BytesAhoCorasick(needles, implementation=ahocorasick_rs.Implementation.DFA)
    return automata


# Of whose signs the plain bytes leave nothing: "en" alone is on every page, as the name of its language.
_SIGNS = ("en+",)


def _latin(body: bytes) -> bytes | None:
    """The page in small ASCII letters and blanks, where it is UTF-8 in Latin letters; else None."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in body[:400]:
        return None
    try:
        ascii_only = body.decode("utf-8").isascii()
    except UnicodeDecodeError:
        return None
    if not ascii_only and len(body.translate(None, _LEADS)) != len(body):
        return None
    if (b"&" in body and _REFERENCE.search(body)) or (b"\\" in body and _ESCAPED.search(body)):
        return None
    if not ascii_only or b"&" in body:
        body = _UNSEEN.sub(b"", _BLANKS.sub(b" ", body))
    return b" " + body.translate(_PLAIN)


def _ruled_out(body: bytes, words: set[str] | None, need: frozenset[str], lexicon: Lexicon) -> bool:
    """Can the bytes alone tell that a side is missing, on the page that was listed (`words`: of its title)?"""
    plain = _latin(body)
    if plain is None:
        return False
    if words is not None:
        found = sum(word.encode().translate(_PLAIN) in plain for word in words)
        if not 0 < found >= SHOWN * len(words):
            return False
    automata = _latin_automata(lexicon)
    if any(before.endswith((b"n", b"N")) for before in body.split(b"+")[:-1]):
        return False  # one of _SIGNS may stand there; a search for two bytes is slow
    return not all(automata[side].find_matches_as_indexes(plain) for side in lexicon.sides if side in need)


def may_concern(body: bytes, *, country: str, lexicon: Lexicon, title: str | None = None) -> bool:
    """True where both sides of the topic may be named in `body`; the source's own `country` counts as one side.

    Also where `body` cannot be the page that was listed under `title`.
    """
    need = frozenset(lexicon.sides) - {country.upper()}
    words = set(_WORD.findall(_plain(title or "")))
    if _ruled_out(body[:MOST], None if title is None else words, need, lexicon):
        return False
    shown = title is None or (not words and len(body) >= LEAST)
    for text in map(_plain, _readings(body)):
        if names(text, need, lexicon):
            return True
        mended = one_script(text)
        if mended != text and names(mended, need, lexicon):
            return True
        shown = shown or 0 < sum(word in text or word in mended for word in words) >= SHOWN * len(words)
    return not shown


def _plain(text: str) -> str:
    """Lower case, escapes read, without what changes no word."""
    if "\\u" in text:
        text = _ESCAPE.sub(lambda m: chr(int(m.group(1), 16)), text)
    if "&" in text:
        text = html.unescape(text)
    text = text.lower()
    if not text.isascii():
        arabic = any(letter in text for letter in _ARABIC)
        for char in _DROPPED + _DROPPED_ARABIC * arabic:  # str.replace: str.translate costs twenty times as much
            text = text.replace(char, "")
        for char, to in (_SAME | _SAME_ARABIC if arabic else _SAME).items():
            text = text.replace(char, to)
    return text


def names(text: str, need: frozenset[str], lexicon: Lexicon) -> bool:
    """Could all sides in `need` be named in a lower-case text? All words of a name must begin a word of it, anywhere.
    Never False where they are named, but by weak names alone."""
    needles = _needles(lexicon)
    found: set[int] = set()
    for begin in range(0, len(text), SLICE):
        # A list of all matches in a page of megabytes would be larger than the page by far.
        piece = text[begin : begin + SLICE + needles.longest]
        for word, start, end in needles.automaton.find_matches_as_indexes(piece, overlapping=True):
            whole = needles.whole[word]
            if word not in found and lexicon.stands(text, begin + start, begin + end, whole=whole):
                found.add(word)
        if all(_named(found, side, needles) for side in need):
            return True
    return not need


def _named(found: set[int], side: str, needles: _Needles) -> bool:
    return not needles.single[side].isdisjoint(found) or any(
        phrase <= found for word in found for phrase in needles.phrases[side].get(word, ())
    )
