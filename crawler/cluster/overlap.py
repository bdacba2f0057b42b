"""How much of one text stands in another, and whether the one is a copy of the other.

Edits of one wire change words everywhere and leave runs of words in between; a text that was cut, extended or given a
new lead has one block of its own; texts on one subject, or of one newsroom on two days, have each a block of their own
around common matter. Hence runs of three words, words, and the longest stretch of its own that each text has. What no
share of words can tell, a form filled in again or the next of a series, tell the slots: places where the words around
are the same and the number, the weekday or the month is another. The bounds come from pairs of real articles that were
read and labelled (docs/stories.md).
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from crawler.cluster.signals import Filling, filling
from crawler.text import words

MOST_WORDS = 4_000  # what is compared of a text: the tail of a longer one decides nothing
SOON = 3.0  # days within which a wire is taken over; a later look-alike is the next of a series
_NEXT_DAY = 1.0  # days: the papers of the next morning; what comes later must be more alike
_LEAD = 60  # words that say what happened: there one slot with another filling is enough
_BEGINNING = 40  # words

_ADDRESS = re.compile(r"https?://\S+|\bt\.me/\S+")
# "ISLAMABAD, Jan 03 (APP):", «МОСКВА, 26 окт. /ТАСС/.»: place, then day and month, then the agency in brackets.
_DISPATCH = re.compile(
    r"\s*([A-ZА-ЯЁ][A-ZА-ЯЁ ()/-]{2,40}),\s*([^\W\d_]{3,9}\.?\s*\d{1,2}|\d{1,2}\s*[^\W\d_]{3,9})\.?"
    r"\s*[(/][^)/\n]{2,20}[)/]"
)


def first_words(text: str) -> list[str]:
    """The first MOST_WORDS folded words of a text."""
    return words(text[: MOST_WORDS * 40])[:MOST_WORDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What two texts share, as shares 0..1 of the one or of the other, without their lines of dispatch."""

    of_new: float  # runs of three words
    of_old: float
    words_of_new: float
    words_of_old: float
    lead: float  # of the runs in the first 50 words, those in the first 120 of the other; of the text with fewer
    begins: float  # of the first 40 words, those in a common run; of the text with fewer
    own: float  # the longest stretch that hardly a common run covers; of the text with the shorter one
    most_own: float  # and of the other
    refilled: float  # more of the runs in common once numbers and weekdays are blanked: a form filled in again
    slots: int  # places with the same words around them and another number, weekday or month between
    lead_slots: int  # those in the first 60 words of both
    other_dispatch: bool  # both begin with place and date of an agency's line, and these differ

    def is_copy(self, *, days: float, one_house: bool = False) -> bool:
        """Whether the new text is a copy of the old one, published `days` apart, by one newsroom or by two.

        A copy is the text of one wire, release or report, taken over, edited, cut, led otherwise, or extended by as
        much again at most. None is the same form with other fillings, the next dispatch (left, arrived), what a
        newsroom writes after its own text (18 dead, 27 dead), or a longer article with the text as a part.
        """
        runs, most_runs = sorted((self.of_new, self.of_old))
        fewer, most_words = sorted((self.words_of_new, self.words_of_old))
        if self.lead_slots or self.slots > 2:
            return False
        same = runs >= 0.8 and fewer >= 0.9
        if one_house:
            if self.other_dispatch or days > _NEXT_DAY:
                return runs >= 0.9 and fewer >= 0.975  # published again
            return same or self.of_new >= 0.95
        refilled = self.refilled > (0.035 if self.slots else 0.1)
        if days > SOON or refilled or (self.other_dispatch and runs < 0.75):
            return same
        if days > _NEXT_DAY:
            return same or (runs >= 0.5 and fewer >= 0.75 and self.lead >= 0.3)
        if self.of_new >= 0.85 and self.words_of_new >= 0.9 and self.lead >= 0.6:
            return True  # cut, however short
        if fewer < 0.45:
            return False  # a part of a longer article
        if most_runs >= 0.85 and most_words >= 0.9 and (self.begins >= 0.4 or fewer >= 0.7):
            return True  # extended
        if runs >= 0.7 and fewer >= 0.75 and self.most_own <= 0.23:
            return True  # led otherwise
        everywhere = (
            fewer >= 0.66 and runs <= fewer**2
        )  # changes spread over the text leave few runs whole, a block many
        alike = self.lead >= (0.1 if everywhere else 0.15) or (self.begins >= 0.25 and self.own <= 0.1)
        if not alike or self.own > (0.2 if self.begins < 0.32 else 0.35):
            return False  # each has something of its own to say, and behind it the background
        return runs >= 0.18 and fewer >= 0.5 and most_words >= 0.66


def compare(new: str, old: str) -> Overlap:
    """The overlap of two texts; linear in their length, of which MOST_WORDS words are looked at."""
    a, b = _read(new), _read(old)
    common = a.runs & b.runs
    both = (a.counted & b.counted).total()
    form = len(a.form & b.form) / max(1, min(len(a.form), len(b.form)))
    covered_a, covered_b = _covered(a.tokens, common), _covered(b.tokens, common)
    own, most_own = sorted((_longest_own(covered_a), _longest_own(covered_b)))
    slots = _other_slots(a.slots, b.slots)
    return Overlap(
        of_new=len(common) / max(1, len(a.runs)),
        of_old=len(common) / max(1, len(b.runs)),
        words_of_new=both / max(1, len(a.tokens)),
        words_of_old=both / max(1, len(b.tokens)),
        lead=min(_lead(a.tokens, b.tokens), _lead(b.tokens, a.tokens)),
        begins=min(_beginning(covered_a), _beginning(covered_b)),
        own=own,
        most_own=most_own,
        refilled=form - len(common) / max(1, min(len(a.runs), len(b.runs))),
        slots=len(slots),
        lead_slots=sum(at < _LEAD for at in slots),
        other_dispatch=a.line is not None and b.line is not None and a.line != b.line,
    )


_Run = tuple[str, str, str]
_Slot = tuple[str, str, str]  # the word before, what kind of thing is filled in, the word after
_Slots = dict[_Slot, tuple[set[tuple[str, ...]], int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A text as it is compared: its words, and what is counted in them."""

    tokens: list[str]
    line: tuple[str, str, str] | None  # of the dispatch: place, day, month
    counted: Counter[str]
    runs: set[_Run]
    form: set[_Run]  # with what fills it in blanked
    slots: _Slots


@lru_cache(maxsize=9)  # a new text is compared with eight
def _read(text: str) -> _Read:
    tokens, line = _without_dispatch(text)
    return _Read(
        tokens=tokens,
        line=line,
        counted=Counter(tokens),
        runs=_runs(tokens),
        form=_runs(_blanked(tokens)),
        slots=_slots(tokens),
    )


def _without_dispatch(text: str) -> tuple[list[str], tuple[str, str, str] | None]:
    """The words of a text behind the line that an agency's dispatch begins with, and that line: place, day, month."""
    match = _DISPATCH.match(text)
    tokens = first_words(_ADDRESS.sub(" ", text[match.end() :] if match else text))
    if match is None:
        return tokens, None
    day = re.sub(r"\D", "", match[2]).lstrip("0")
    month = re.sub(r"[\d\s.]", "", match[2].lower())[:3]
    return tokens, (match[1].strip().lower(), day, month)


def _runs(tokens: Sequence[str]) -> set[_Run]:
    return set(zip(tokens, tokens[1:], tokens[2:], strict=False))


def _blanked(tokens: Iterable[str]) -> list[str]:
    return ["#" if filling(w) else w for w in tokens]


def _covered(tokens: Sequence[str], common: AbstractSet[_Run]) -> list[bool]:
    """For each word whether a common run holds it."""
    covered = [False] * len(tokens)
    for i, run in enumerate(zip(tokens, tokens[1:], tokens[2:], strict=False)):
        if run in common:
            covered[i : i + 3] = (True, True, True)
    return covered


def _beginning(covered: Sequence[bool]) -> float:
    return sum(covered[:_BEGINNING]) / max(1, min(_BEGINNING, len(covered)))


def _longest_own(covered: Sequence[bool]) -> float:
    """The longest stretch of words that no common run holds, as a share of all; a word that one holds costs two, so
    that a name in common does not end the stretch."""
    longest = stretch = 0
    for held in covered:
        if held:
            stretch = stretch - 2 if stretch > 2 else 0
        else:
            stretch += 1
            if stretch > longest:
                longest = stretch
    return longest / max(1, len(covered))


def _lead(a: Sequence[str], b: Sequence[str]) -> float:
    ahead, behind = _runs(a[:50]), _runs(b[:120])
    return len(ahead & behind) / max(1, len(ahead))


def _other_slots(slots_a: _Slots, slots_b: _Slots) -> list[int]:
    """Where two texts fill another number, weekday or month in between the same words: at which word at the latest."""
    found = []
    for slot in slots_a.keys() & slots_b.keys():
        (values_a, at_a), (values_b, at_b) = slots_a[slot], slots_b[slot]
        # Of the many values of a table some are the same by chance.
        if 2 * len(values_a & values_b) < min(len(values_a), len(values_b)):
            found.append(max(at_a, at_b))
    return found


def _slots(tokens: Sequence[str]) -> _Slots:
    """What a text fills in between which words, and at which word first. Numbers that follow each other are one value
    (24.5 is two words); years are left out, for one writes them and another does not. Of the words around only the
    beginning counts: what follows a number is inflected by it."""
    slots: _Slots = {}
    at = 0
    while at < len(tokens):
        filled: dict[str, list[str]] = {}
        start = at
        while at < len(tokens) and (found := filling(tokens[at])):
            if not _is_year(found):
                filled.setdefault(found.kind, []).append(found.value)
            at += 1
        if at > start:
            before = tokens[start - 1][:5] if start else ""
            after = tokens[at][:5] if at < len(tokens) else ""
            for kind, values in filled.items():
                slots.setdefault((before, kind, after), (set(), start))[0].add(tuple(values))
        at += 1
    return slots


def _is_year(found: Filling) -> bool:
    return found.kind == "number" and len(found.value) == 4 and "1900" <= found.value <= "2100"
