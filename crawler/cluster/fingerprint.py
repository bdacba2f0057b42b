"""Near-copies: word 3-gram shingles, sampled by their hash.

Two stages. The store finds candidates by the sampled shingles of `fingerprint` (about 50 indexed rows an
article); `copy_of` then compares the full texts of the few best with `compare`, because a sample of 50
estimates a containment only to +-0.07 and a decision needs better. Copies of one wire are edited word by
word and share runs of words everywhere; articles on one subject share a few phrases; a longer article
contains the wire as one block among its own matter. The thresholds below come from
`benchmarks/cluster_copies.py` (docs/stories.md has its figures).
"""

import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from crawler.text import words

SHINGLE = 3  # words
SAMPLE = 8  # of a text of ordinary length one shingle in 8 is kept
ENOUGH = 24  # a short text keeps more of its shingles, until it has about this many
MOST_WORDS = 4_000  # what is compared of a text: the tail of a longer one decides nothing
COMPARED = 8  # candidates whose full text is read
SOON = 3.0  # days within which a wire is taken over; a later look-alike is the next of a series
_MASK = (1 << 63) - 1  # SQLite's integers are signed


def _words(text: str) -> list[str]:
    return words(text[: MOST_WORDS * 40])[:MOST_WORDS]


def _shingles(tokens: Sequence[str]) -> set[int]:
    """Hashes of all word 3-grams: equal in every process and version (blake2b, 63 bits)."""
    joined = (" ".join(tokens[i : i + SHINGLE]) for i in range(max(1, len(tokens) - SHINGLE + 1)))
    return {int.from_bytes(blake2b(s.encode(), digest_size=8).digest(), "big") & _MASK for s in joined if s}


def fingerprint(text: str) -> tuple[int, ...]:
    """Sampled shingle hashes of a text, 63 bits each, sorted; empty for a text without words.

    Samples are nested: what a long text keeps at 1 in 8, a short text with the same words keeps too.
    """
    hashes = _shingles(_words(text))
    every = SAMPLE
    while every > 1 and len(hashes) < ENOUGH * every:
        every //= 2
    return tuple(sorted(h for h in hashes if h % every == 0))


def containment(a: Sequence[int], b: Sequence[int]) -> float:
    """The share of the smaller fingerprint that is in the other, 0..1; 0 where one is empty."""
    shared = len(set(a) & set(b))
    return shared / min(len(a), len(b)) if shared else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A stored article that shares sampled shingles with a new one."""

    article_id: int
    shared: int  # rows of the new fingerprint that it has too
    size: int  # rows of its own fingerprint
    at: datetime  # when it was published, or else first seen
    one_house: bool = False  # by the newsroom of the new one


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How much of one text stands in another, as shares 0..1 of its runs of three words and of its words."""

    of_new: float
    of_old: float
    words_of_new: float
    words_of_old: float
    lead: float  # runs of words at the beginning of one that stand near the beginning of the other
    numbers: float | None  # of the text with fewer numbers, those that the other has; None: under 4
    refilled: float = 0.0  # more of the runs in common once numbers and weekdays are blanked: a form filled in again
    other_dispatch: bool = False  # both begin with place and date of an agency's line, and these differ

    def is_copy(self, *, days: float, one_house: bool = False) -> bool:
        """Whether the new text is a near-copy of the old one, published `days` apart, by one newsroom or by two.

        Three ways to be one: edited throughout, nothing new in it, or the old text whole with little around it.
        Texts that fill other numbers into one form (releases of water, exchange rates, delegations received) are
        none, nor is another dispatch of the same agency (left, arrived), nor what a newsroom writes after its own
        text (18 dead, 27 dead), nor texts that share their form after days have passed, unless hardly a word differs.
        """
        numbers = 1.0 if self.numbers is None else self.numbers
        runs, fewer = min(self.of_new, self.of_old), min(self.words_of_new, self.words_of_old)
        if days > SOON or self.refilled > 0.035 or one_house:
            whole = one_house and days <= SOON and self.of_new >= 0.95  # its own text, cut
            return whole or (runs >= 0.8 and fewer >= 0.9 and numbers >= 0.75)
        if numbers < 0.5 or (self.other_dispatch and runs < 0.75 and max(self.of_new, self.of_old) < 0.85):
            return False
        if self.of_new >= 0.85 and self.words_of_new >= 0.9:
            return True
        if self.of_old >= 0.85 and self.words_of_old >= 0.9 and min(self.of_new, self.words_of_new) >= 0.43:
            return True
        if runs >= 0.5:
            return fewer >= 0.6 and (self.lead >= 0.12 or runs >= 0.7)
        return runs >= 0.2 and fewer >= 0.66 and self.lead >= 0.12


def compare(new: str, old: str) -> Overlap:
    """The overlap of two texts; linear in their length, of which MOST_WORDS words are looked at."""
    a, b = _words(new), _words(old)
    runs_a, runs_b = _runs(a), _runs(b)
    runs = len(runs_a & runs_b)
    both = sum((Counter(a) & Counter(b)).values())
    numbers_a, numbers_b = {w for w in a if w[0].isdigit()}, {w for w in b if w[0].isdigit()}
    fewer = min(len(numbers_a), len(numbers_b))
    form_a, form_b = _runs(_blanked(a)), _runs(_blanked(b))
    form = len(form_a & form_b) / max(1, min(len(form_a), len(form_b)))
    line_a, line_b = _dispatch(new), _dispatch(old)
    return Overlap(
        of_new=runs / max(1, len(runs_a)),
        of_old=runs / max(1, len(runs_b)),
        lead=max(_lead(a, b), _lead(b, a)),
        words_of_new=both / max(1, len(a)),
        words_of_old=both / max(1, len(b)),
        numbers=len(numbers_a & numbers_b) / fewer if fewer >= 4 else None,
        refilled=form - runs / max(1, min(len(runs_a), len(runs_b))),
        other_dispatch=line_a is not None and line_b is not None and line_a != line_b,
    )


def _runs(tokens: Sequence[str]) -> set[tuple[str, str, str]]:
    return set(zip(tokens, tokens[1:], tokens[2:], strict=False))


# Written for a number or a day in a form that is filled in every day.
_FILLED = frozenset(
    """two three four five six seven eight nine ten monday tuesday wednesday thursday friday saturday sunday
    два две три четыре пять шесть семь восемь девять понедельник вторник среду четверг пятницу субботу воскресенье
    دو تین چار پانچ چھ سات آٹھ نو دس پیر منگل بدھ جمعرات جمعہ ہفتہ اتوار""".split()
)


def _blanked(tokens: Iterable[str]) -> list[str]:
    return ["#" if w[0].isdigit() or w in _FILLED else w for w in tokens]


# "ISLAMABAD, Jan 03 (APP):", «МОСКВА, 26 окт. /ТАСС/.»: place, then day and month, then the agency in brackets.
_DISPATCH = re.compile(
    r"\s*([A-ZА-ЯЁ][A-ZА-ЯЁ ()/-]{2,40}),\s*([^\W\d_]{3,9}\.?\s*\d{1,2}|\d{1,2}\s*[^\W\d_]{3,9})\.?"
    r"\s*[(/][^)/\n]{2,20}[)/]"
)


def _dispatch(text: str) -> tuple[str, str, str] | None:
    """Place, day and month of the line that an agency's dispatch begins with; None where it begins otherwise."""
    match = _DISPATCH.match(text)
    if match is None:
        return None
    day = re.sub(r"\D", "", match[2]).lstrip("0")
    month = re.sub(r"[\d\s.]", "", match[2].lower())[:3]
    return match[1].strip().lower(), day, month


def _lead(a: Sequence[str], b: Sequence[str]) -> float:
    """The share of the runs in the first 50 words of `a` that the first 120 of `b` have."""
    ahead, behind = (set(zip(t, t[1:], t[2:], strict=False)) for t in (a[:50], b[:120]))
    return len(ahead & behind) / max(1, len(ahead))


def copy_of(
    sample: Sequence[int],
    candidates: Iterable[Candidate],
    *,
    text: str,
    at: datetime,
    text_of: Callable[[int], str],
) -> int | None:
    """The article that a new text is a near-copy of: of several the earliest; None where it is a copy of
    none.

    `sample` is the new text's fingerprint, `at` its time of publication (or of being seen), `text_of`
    reads the text of a stored article; at most COMPARED texts are read.
    """
    close = [c for c in candidates if c.shared >= max(2, 0.12 * min(len(sample), c.size))]
    best = heapq.nlargest(COMPARED, close, key=lambda c: (c.shared, -c.article_id))
    copies = [
        c
        for c in best
        if compare(text, text_of(c.article_id)).is_copy(
            days=abs((at - c.at).total_seconds()) / 86_400, one_house=c.one_house
        )
    ]
    return min(copies, key=lambda c: (c.at, c.article_id)).article_id if copies else None
