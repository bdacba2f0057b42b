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
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ahocorasick_rs

from crawler.lexicon import Lexicon, Needle
from crawler.text import one_script

try:
    import hyperscan
except ImportError:  # an extra, for machines that it is built for
    hyperscan = None  # type: ignore[assignment]

MOST = 4_000_000  # bytes that are looked at
SLICE = 200_000  # characters
LONGEST = 64  # letters of a word
HEAD = 4  # letters by which words are looked up
Find = Callable[[bytes], set[int]]
_ESCAPE = re.compile(r"\\u(?![dD][89a-fA-F])([0-9a-fA-F]{4})")  # halves of surrogate pairs stay as they are
# What is dropped or written alike, in all scripts and in the Arabic one; no sentence in that is without these letters.
_DROPPED = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u0301\u0308"
_SAME = dict(zip("ёЁ\xa0", "еЕ ", strict=True))
_ARABIC = "اآأإورسن"
_DROPPED_ARABIC = "\u064e\u064f\u0650\u0652\u0651\u0654\u0670\u0640\u0621"
_SAME_ARABIC = dict(zip("يىئكةهأإآؤ", "یییکہہاااو", strict=True))
_WORD = re.compile(r"[^\W_]+")
_SIGN = re.compile(r"(?<![^\W_])[^\W_]++\+")  # En+; only from where a word begins: it may be long
_TITLE_WORD = re.compile(r"[^\W\d_]{4,}")
SHOWN = 0.5  # of the longer words of a title: the page that shows fewer is another one
LEAST = 500  # bytes of a page whose title has no such word; less is no article


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needles:
    """What tells a side: words that are terms by themselves, and phrases by the beginning of their rarest word."""

    words: frozenset[str]
    phrases: dict[str, list[tuple[Needle, ...]]]


@functools.lru_cache(maxsize=4)
def _needles(lexicon: Lexicon) -> dict[str, _Needles]:
    found = {}
    for side, terms in lexicon.side_words().items():
        words = frozenset(word for (word, whole), *others in terms if whole and not others)
        common = Counter(word[:HEAD] for term in terms for word, _ in term)
        phrases: dict[str, list[tuple[Needle, ...]]] = {}
        for term in sorted(terms):
            if len(term) > 1 or not term[0][1]:
                rarest_first = tuple(sorted(term, key=lambda n: (-min(len(n[0]), HEAD + 1), common[n[0][:HEAD]])))
                phrases.setdefault(rarest_first[0][0][:HEAD], []).append(rarest_first)
        found[side] = _Needles(words=words, phrases=phrases)
    return found


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
_OTHER_LETTERS = re.compile("[\u0400-\u06ff]")
_ESCAPED = re.compile(rb"\\u0[4-6][0-9a-fA-F]{2}")
_LEADS = bytes(range(0xD0, 0xDC))
_BLANKS = re.compile(rb"&nbsp;|&#160;|&#xa0;|\xc2\xa0")
_UNSEEN = re.compile(
    b"&shy;|&#173;|&#xad;|&zwnj;|" + b"|".join(c.encode() for c in _DROPPED if not "\u0400" <= c <= "\u06ff")
)
# ASCII in small letters, all else a blank: a name then stands behind a blank wherever a word begins.
_PLAIN = bytes(c + 32 if 65 <= c <= 90 else c if 97 <= c <= 122 or 48 <= c <= 57 else 32 for c in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Latin:
    """What tells a side in the plain bytes of a page, and how each may be written in the page ("": in any way)."""

    find: Find
    written: tuple[frozenset[bytes], ...]


def with_automaton(needles: Sequence[bytes]) -> Find:
    """Which of the needles stand in some bytes, by their numbers: 250 MB a second, on any machine."""
    automaton = ahocorasick_rs.BytesAhoCorasick(needles, implementation=ahocorasick_rs.Implementation.DFA)
    return lambda plain: {match[0] for match in automaton.find_matches_as_indexes(plain, overlapping=True)}


def with_hyperscan(needles: Sequence[bytes]) -> Find:
    """The same by Hyperscan, two to four times as fast. The needles are read as expressions: letters and blanks."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    count = len(needles)
    database.compile(
        expressions=list(needles), ids=range(count), elements=count, flags=[hyperscan.HS_FLAG_SINGLEMATCH] * count
    )

    def find(plain: bytes) -> set[int]:
        met: set[int] = set()
        database.scan(plain, match_event_handler=lambda number, *_: met.add(number))
        return met

    return find


@functools.lru_cache(maxsize=4)
def _latin_needles(lexicon: Lexicon) -> dict[str, _Latin]:
    found = {}
    for side, needles in _needles(lexicon).items():
        written: dict[bytes, set[bytes]] = {}
        for term in lexicon.side_terms(side):
            for form in term.forms:
                words = _WORD.findall(form)
                if _OTHER_LETTERS.search(form) or (len(words) > 1 and not needles.words.isdisjoint(words)):
                    continue
                plain = b" " + " ".join(words).encode().translate(_PLAIN) + b" " * term.whole
                exact = term.exact if term.exact.isalnum() else form if len(words) == 1 and "+" in form else ""
                written.setdefault(plain, set()).add(exact.encode())
        find = with_automaton if hyperscan is None else with_hyperscan
        found[side] = _Latin(find=find(list(written)), written=tuple(map(frozenset, written.values())))
    return found


def _latin_named(plain: bytes, body: bytes, side: _Latin) -> bool:
    written = frozenset().union(*(side.written[number] for number in side.find(plain)))
    if b"" in written or not written:
        return b"" in written
    either = body + body.lower()
    return any(one in either for one in written)


def _latin(body: bytes) -> tuple[bytes, bytes] | None:
    """The page, and the page in small ASCII letters and blanks, where it is UTF-8 in Latin letters; else None."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in body[:400]:
        return None
    ascii_only = body.isascii()
    if not ascii_only:
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            return None
        if len(body.translate(None, _LEADS)) != len(body):
            return None
    if (b"&" in body and _REFERENCE.search(body)) or (b"\\" in body and _ESCAPED.search(body)):
        return None
    if not ascii_only or b"&" in body:
        body = _UNSEEN.sub(b"", _BLANKS.sub(b" ", body))
    return body, b" " + body.translate(_PLAIN) + b" "


def _ruled_out(body: bytes, words: set[str] | None, need: frozenset[str], lexicon: Lexicon) -> bool:
    """Can the bytes alone tell that a side is missing, on the page that was listed (`words`: of its title)?"""
    read = _latin(body)
    if read is None:
        return False
    body, plain = read
    if words is not None:
        found = sum(word.encode().translate(_PLAIN) in plain for word in words)
        if not 0 < found >= SHOWN * len(words):
            return False
    return not all(_latin_named(plain, body, _latin_needles(lexicon)[side]) for side in lexicon.sides if side in need)


def may_concern(body: bytes, *, country: str, lexicon: Lexicon, title: str | None = None) -> bool:
    """True where both sides of the topic may be named in `body`; the source's own `country` counts as one side.

    Also where `body` cannot be the page that was listed under `title`.
    """
    need = frozenset(lexicon.sides) - {country.upper()}
    words = set(_TITLE_WORD.findall(_plain(title or "").lower()))
    if _ruled_out(body[:MOST], None if title is None else words, need, lexicon):
        return False
    shown = title is None or (not words and len(body) >= LEAST)
    for text in map(_plain, _readings(body)):
        if names(text, need, lexicon):
            return True
        mended = one_script(text)
        if mended != text and names(mended, need, lexicon):
            return True
        if not shown:
            lower = f"{text}\n{mended}".lower()
            shown = 0 < sum(word in lower for word in words) >= SHOWN * len(words)
    return not shown


def _plain(text: str) -> str:
    """Escapes read, without what changes no word but letter case."""
    if "\\u" in text:
        text = _ESCAPE.sub(lambda m: chr(int(m.group(1), 16)), text)
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        arabic = any(letter in text for letter in _ARABIC)
        for char in _DROPPED + _DROPPED_ARABIC * arabic:  # str.replace: str.translate costs twenty times as much
            text = text.replace(char, "")
        for char, to in (_SAME | _SAME_ARABIC if arabic else _SAME).items():
            text = text.replace(char, to)
    return text


def names(text: str, need: frozenset[str], lexicon: Lexicon) -> bool:
    """Could all sides in `need` be named in a text with its capitals? All words of a name must stand in it, anywhere.
    Never False where they are named, but by weak names alone."""
    words: set[str] = set()
    heads: dict[str, list[str]] = {}
    for begin in range(0, len(text), SLICE):
        # Piece by piece: a list of all words of a page of megabytes would be larger than the page by far.
        cased = set(_WORD.findall(text, begin, begin + SLICE + LONGEST))
        if "+" in text:
            cased.update(_SIGN.findall(text, begin, begin + SLICE + LONGEST))
        met = cased.union(" ".join(cased).lower().split(" "))
        if not text.isascii():
            met |= lexicon.parted(met)
        for word in met - words:
            heads.setdefault(word[:HEAD], []).append(word)
        words |= met
        if all(_named(words, heads, _needles(lexicon)[side]) for side in need):
            return True
    return not need


def _named(words: set[str], heads: dict[str, list[str]], side: _Needles) -> bool:
    def stands(needle: Needle) -> bool:
        word, whole = needle
        alike = words if len(word) < HEAD else heads.get(word[:HEAD], ())
        return word in words if whole else any(one.startswith(word) for one in alike)

    return not words.isdisjoint(side.words) or any(
        all(map(stands, term)) for head in heads.keys() & side.phrases.keys() for term in side.phrases[head]
    )
