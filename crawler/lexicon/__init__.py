"""The lexicon of a pair of countries, and its matcher.

`load` takes the compiled file when it was made from the slices as they are, and compiles them in memory when not.
`Lexicon` finds things (names with one identity over three scripts) and labels (words of dealing, sector terms) in
folded text. It knows words, not meaning: what a match proves is for `crawler.classify` to say.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import ahocorasick_rs

from crawler.errors import LexiconError, UsageError
from crawler.lexicon import compiled
from crawler.lexicon.slices import HOME, digest, paths, read
from crawler.lexicon.transliterate import skeleton
from crawler.text import Folded, fold
from crawler.types import Mention

__all__ = ["Hit", "Label", "Lexicon", "LexiconError", "Thing", "load"]


@dataclass(frozen=True, slots=True)
class Thing:
    """One identity: what the lexicon says of it. `sides` are those of the topic alone; a bridge has both."""

    name: str
    kind: str
    sides: frozenset[str]
    sectors: tuple[str, ...]
    foreign: str  # the country outside the topic that it belongs to, or ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A thing at ``folded.text[start:end]``. `weak`: counts only with support (docs/lexicon.md); `country`: the name of
    its country is a part of it, as in "consul general of Pakistan"."""

    start: int
    end: int
    thing: Thing
    weak: bool
    country: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """A word class (`kind` "word") or a sector term (`kind` "sector", weight 1 to 3) at ``folded.text[start:end]``."""

    start: int
    end: int
    kind: str
    name: str
    weight: int


_URDU_WORD = re.compile("[\u0621-\u06ff]+")
_WORD = re.compile(r"\w+\+?")  # En+
_Row = tuple[int, int, tuple[str, ...], str | None]
MASKS = ("lines", "tags", "credits")
_NEEDS = re.compile(r"\(\?#([^)]+)\)")
Guarded = tuple[tuple[str, ...], re.Pattern[str]]  # an expression, after what there must be one of in a text


def guarded_spans(patterns: Iterable[Guarded], text: str) -> Iterator[tuple[int, int]]:
    """Where the expressions match, one after another; each is tried only where a text has what it needs."""
    for needs, pattern in patterns:
        if any(need in text for need in needs):
            yield from (match.span() for match in pattern.finditer(text))


class _Matcher:
    """Aho-Corasick over the common beginnings, then endings and word boundaries by hand."""

    def __init__(self, table: dict[str, Any], endings: Sequence[tuple[str, ...]], joined: dict[str, list[str]]) -> None:
        self._automaton = ahocorasick_rs.AhoCorasick(
            table["patterns"], implementation=ahocorasick_rs.Implementation.ContiguousNFA, store_patterns=False
        )
        self._entries = table["entries"]
        self._endings = endings
        self._before = frozenset(joined.get("joined_before", ()))
        self._after = frozenset(joined.get("joined_after", ()))

    def scan(self, folded: Folded) -> list[tuple[int, int, int, int]]:
        """(start, end, reference, flags) of every term at word boundaries, in order of start; overlaps included."""
        text, endings = folded.text, self._endings
        found = []
        for pattern, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if start and text[start - 1].isalnum() and not self._parted(text, start):
                continue
            for row in self._entries[pattern]:
                flags = row[1]
                if flags & compiled.PREFIX:
                    stop = _word_end(text, end)
                else:
                    stop = self._ends(text, end, endings[row[2]])
                    if stop < 0:
                        continue
                    if flags & compiled.EXACT and folded.cased[start:stop] != row[3]:
                        continue
                found.append((start, stop, row[0], flags))
        found.sort()
        return found

    def _ends(self, text: str, at: int, endings: tuple[str, ...]) -> int:
        for ending in endings:
            if not ending or text.startswith(ending, at):
                stop = at + len(ending)
                if stop == len(text) or not text[stop].isalnum() or self._followed(text, stop):
                    return stop
        return -1

    def _parted(self, text: str, start: int) -> bool:
        """Is the word before joined by a missing blank alone (اورروس, 27نومبر), not a part of this one (سروس)?"""
        if not _arabic(text[start]):
            return False
        if not _arabic(text[start - 1]):
            return True
        low = start - 1
        while low and start - low <= 10 and text[low - 1].isalpha():
            low -= 1
        return text[low:start] in self._before

    def _followed(self, text: str, stop: int) -> bool:
        if not _arabic(text[stop - 1]):
            return False
        if not _arabic(text[stop]):
            return True
        return text[stop : _word_end(text, stop)] in self._after


def _arabic(char: str) -> bool:
    return "\u0600" <= char <= "\u06ff"


def _word_end(text: str, at: int) -> int:
    while at < len(text) and text[at].isalnum():
        at += 1
    return at


class Lexicon:
    """What is known of a topic; immutable, shared, safe in threads."""

    version = compiled.VERSION

    def __init__(self, table: dict[str, Any], topic: str) -> None:
        if topic not in table["topics"]:
            known = ", ".join(sorted(table["topics"])) or "none"
            raise UsageError(f"topic {topic!r} is not in the lexicon (known: {known})")
        self.topic = topic
        self.hash: str = table["hash"]
        self.sides: tuple[str, str] = tuple(table["topics"][topic]["sides"])
        self.rivals: frozenset[str] = frozenset(table["topics"][topic]["rivals"])
        self.capitals: frozenset[str] = frozenset(table["topics"][topic]["capitals"])
        self.past: frozenset[str] = frozenset(table["topics"][topic]["past"])
        self.locales: dict[str, str] = dict(locale.split("-") for locale in table["topics"][topic]["locales"])
        both = frozenset(self.sides)
        self._things = tuple(
            Thing(
                name,
                kind,
                both & frozenset(sides),
                tuple(sectors),
                "" if both & frozenset(sides) else "".join(sides[:1]),
            )
            for name, kind, sides, sectors, *_ in table["things"]
        )
        self._labels = tuple((row[0], row[1], row[2] if len(row) > 2 else 1) for row in table["labels"])
        self.sectors: dict[str, dict[str, Any]] = table["sectors"]
        endings = [tuple(e) for e in table["endings"]]
        self._names = _Matcher(table["names"], endings, table["joined"])
        self._sounds: dict[str, int] = table["sounds"]
        self._words_table = (table["words"], endings, table["joined"])
        self._table = table
        self.regexes: dict[str, list[str]] = table["regexes"]

    @functools.cached_property
    def _words(self) -> _Matcher:
        return _Matcher(*self._words_table)

    @functools.cached_property
    def _masks(self) -> tuple[Guarded, ...]:
        """Expressions over folded text, each with the words of which it needs one: a comment at its beginning."""
        found = []
        for pattern in (p for kind in MASKS for p in self.regexes.get(kind, ())):
            needs = _NEEDS.match(pattern)
            found.append((tuple(needs[1].split("|")) if needs else ("",), re.compile(pattern, re.MULTILINE)))
        return tuple(found)

    def masked(self, text: str) -> Iterator[tuple[int, int]]:
        """The spans of a folded text that prove nothing: lines of the page, legal tags, credits."""
        return guarded_spans(self._masks, text)

    def hits(self, folded: Folded) -> list[Hit]:
        """Things in order of start. Where several overlap the longest counts; a lure hides what lies inside it.
        Names of one thing that overlap are one.

        Inside a longer name that stands for one side, a shorter one of the other side is kept ("Pakistan Embassy in
        Moscow"). Bridges outside the topic and lures are no hits.
        """
        found: list[Hit] = []
        rows = sorted(
            [*self._names.scan(folded), *self._by_ear(folded.text)],
            key=lambda r: (r[0], -r[1], self._things[r[2]].kind != "lure", r[3] & compiled.WEAK),
        )
        last_end, at = -1, -1
        outer: Hit | None = None
        for start, end, reference, flags in rows:
            thing = self._things[reference]
            if start < last_end:
                if outer is not None and thing is outer.thing and end > last_end and thing.kind != "lure":
                    # "Ambassador Shafqat" and "Shafqat Ali Khan" are one name
                    found[at] = outer = replace(found[at], end=end, weak=found[at].weak and bool(flags & compiled.WEAK))
                    last_end = end
                    continue
                inside = outer is not None and end <= last_end and (start, end) != (outer.start, outer.end)
                if not inside or outer is None or thing.foreign or thing.kind in ("lure", "bridge"):
                    continue
                if thing.kind == "side" and thing.sides == outer.thing.sides and outer.thing.kind != "lure":
                    found[at] = replace(outer, country=True)
                if not thing.sides or not outer.thing.sides or thing.sides & outer.thing.sides:
                    continue
                found.append(Hit(start, end, thing, bool(flags & compiled.WEAK)))
                continue
            if thing.kind == "bridge" and len(thing.sides) < 2:
                continue
            outer = Hit(start, end, thing, bool(flags & compiled.WEAK))
            last_end = end
            if thing.kind != "lure":
                at = len(found)
                found.append(outer)
        return found

    def _by_ear(self, text: str) -> Iterator[tuple[int, int, int, int]]:
        """(start, end, reference, flags) of names that Urdu letters spell in a way of their own: one to three words."""
        words = [(m.start(), m.end(), skeleton(m[0])) for m in _URDU_WORD.finditer(text)]
        for at, (start, end, sound) in enumerate(words):
            for size in range(3):
                if size:
                    if at + size >= len(words) or text[end : words[at + size][0]] not in (" ", "-"):
                        break
                    end, sound = words[at + size][1], f"{sound} {words[at + size][2]}"
                if sound in self._sounds:
                    yield start, end, self._sounds[sound], 0

    def labels(self, folded: Folded) -> list[Label]:
        """Word classes and sector terms in order of start; the longest of one kind counts where several overlap."""
        found: list[Label] = []
        ends: dict[tuple[str, str], int] = {}
        hidden: list[tuple[int, int, str]] = []
        rows = sorted(self._words.scan(folded), key=lambda r: (r[0], -r[1]))
        for start, end, reference, _ in rows:
            kind, name, weight = self._labels[reference]
            if kind == "sector" and weight == 0:
                hidden.append((start, end, name))
        for start, end, reference, _ in rows:
            kind, name, weight = self._labels[reference]
            if weight == 0 or ends.get((kind, name), -1) > start:
                continue
            if kind == "sector" and any(name == n and a <= start and end <= b for a, b, n in hidden):
                continue
            ends[kind, name] = end
            found.append(Label(start, end, kind, name, weight))
        return found

    def find(self, text: str, field: str) -> tuple[Mention, ...]:
        """Things of the topic named in `text`, with offsets; weak and foreign ones left out. Nothing is masked here."""
        folded = fold(text)
        return tuple(
            mention(hit, folded, text, field) for hit in self.hits(folded) if not hit.weak and not hit.thing.foreign
        )

    @functools.cached_property
    def _titles(self) -> dict[str, dict[str, str]]:
        return {row[0]: row[4] for row in self._table["things"]}

    def label(self, name: str, language: str = "en") -> str:
        """A thing's name for a reader: its first term in the language, else in English, else its identity."""
        titles = self._titles.get(name, {})
        return titles.get(language) or titles.get("en") or name

    @property
    def things(self) -> tuple[Thing, ...]:
        """All that has a name in it."""
        return self._things

    def sector_names(self, language: str) -> dict[str, str]:
        """The sectors' names in a language."""
        return {sector: values["name"].get(language, sector) for sector, values in self.sectors.items()}

    def side_terms(self, side: str) -> Iterator[SideTerm]:
        """The strong terms of a side."""
        table = self._table["names"]
        for pattern, rows in zip(table["patterns"], table["entries"], strict=True):
            for reference, flags, endings, *exact in rows:
                thing = self._things[reference]
                if side in thing.sides and not flags & compiled.WEAK and thing.kind != "lure":
                    forms = [pattern + ending for ending in self._table["endings"][endings]]
                    yield SideTerm(forms, not flags & compiled.PREFIX, "".join(exact))

    def side_words(self) -> dict[str, frozenset[tuple[Needle, ...]]]:
        """Per side its strong terms, each as its words: where the term stands, all of them do.

        A phrase that holds a term of one word in each of its forms is left out.
        """
        return {side: _needles(self.side_terms(side)) for side in self.sides}

    def parted(self, words: Iterable[str]) -> set[str]:
        """The runs of Arabic letters in words, and what is left of each without a word that a missing blank may have
        joined to its beginning or its end."""
        before, after = tuple(self._names._before), tuple(self._names._after)
        runs = set(_URDU_WORD.findall(" ".join(words)))
        joined = [run for run in runs if run.startswith(before)]
        runs |= {run[len(joint) :] for run in joined for joint in before if run.startswith(joint)}
        joined = [run for run in runs if run.endswith(after)]
        return runs | {run[: -len(joint)] for run in joined for joint in after if run.endswith(joint)}


Needle = tuple[str, bool]  # the beginning of a word, or with True the whole of it; with its capitals where it has any
_TELLING = 4  # letters of a beginning that a page has not by chance


class SideTerm(NamedTuple):
    """A name of a side: its folded forms, whether these are whole, and how it must be written, if that matters."""

    forms: list[str]
    whole: bool
    exact: str


def _needles(terms: Iterable[SideTerm]) -> frozenset[tuple[Needle, ...]]:
    found: set[tuple[Needle, ...]] = set()
    phrases: list[tuple[list[list[str]], bool]] = []
    for term in terms:
        told = [_WORD.findall(form) for form in term.forms]
        if term.exact.isalnum():
            found.add(((term.exact, term.whole),))
        elif all(len(words) == 1 for words in told):
            found |= {((word, term.whole),) for (word,) in told}
        else:
            phrases.append((told, term.whole))
    alone = {words[0][0] for words in found if words[0][1]}
    for told, whole in phrases:
        if any(alone.isdisjoint(words) for words in told):
            found |= _phrases(told, whole=whole)
    return frozenset(found)


def _phrases(forms: Sequence[Sequence[str]], *, whole: bool) -> set[tuple[Needle, ...]]:
    """What tells the forms of a phrase: the beginnings that their words share, or each form where these are short."""
    told = [[(word, whole or n < len(words) - 1) for n, word in enumerate(words)] for words in forms]
    if len({len(words) for words in forms}) == 1:
        shared = [
            alike[0] if len(set(alike)) == 1 else (_common([word for word, _ in alike]), False)
            for alike in zip(*told, strict=True)
        ]
        if all(whole or len(beginning) >= _TELLING for beginning, whole in shared):
            told = [shared]
    found = set()
    for words in told:
        longer = tuple(sorted({needle for needle in words if len(needle[0]) > 2}))
        found.add(longer if len(longer) > 1 else tuple(sorted(set(words))))
    return found


def _common(words: Sequence[str]) -> str:
    first, last = min(words), max(words)
    return first[: next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def mention(hit: Hit, folded: Folded, text: str, field: str) -> Mention:
    """The hit as it is stored: the characters of the input at their place."""
    start, end = folded.span(hit.start, hit.end)
    kind = "bridge" if len(hit.thing.sides) == 2 else hit.thing.kind
    side = next(iter(hit.thing.sides)) if len(hit.thing.sides) == 1 else ""
    return Mention(kind=kind, name=hit.thing.name, field=field, quote=text[start:end], start=start, side=side)


def load(topic: str = "pakistan-russia") -> Lexicon:
    """The packaged lexicon. Raises LexiconError where a slice is wrong, UsageError for an unknown topic."""
    return _load(topic)  # by its name: a cache would take "without a topic" for another one


@functools.lru_cache(maxsize=4)
def _load(topic: str) -> Lexicon:
    return build((HOME,), topic)


def build(roots: Iterable[Path], topic: str) -> Lexicon:
    """A lexicon from the slices under `roots` (each with languages/, sides/, sectors/, topics/)."""
    files = paths(roots)
    table = compiled.stored()
    if table is None or table["hash"] != digest(files):
        table = compiled.compile_slices(read(files), files)
    return Lexicon(table, topic)
