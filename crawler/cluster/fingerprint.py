"""Near-copies: word 3-gram shingles, sampled by their hash.

Two stages. The store finds candidates by the sampled shingles of `fingerprint` (about 50 indexed rows an
article); `copy_of` then compares the full texts of the few best (`crawler.cluster.overlap`), because a sample of 50
estimates a containment only to +-0.07 and a decision needs better.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from crawler.cluster.overlap import compare, first_words

SHINGLE = 3  # words
SAMPLE = 8  # of a text of ordinary length one shingle in 8 is kept
ENOUGH = 24  # a short text keeps more of its shingles, until it has about this many
COMPARED = 8  # candidates whose full text is read
_MASK = (1 << 63) - 1  # SQLite's integers are signed


def _shingles(tokens: Sequence[str]) -> set[int]:
    """Hashes of all word 3-grams: equal in every process and version (blake2b, 63 bits)."""
    shingles = {" ".join(tokens[i : i + SHINGLE]) for i in range(max(1, len(tokens) - SHINGLE + 1))} - {""}
    return {int.from_bytes(blake2b(s.encode(), digest_size=8).digest()) & _MASK for s in shingles}


def fingerprint(text: str) -> tuple[int, ...]:
    """Sampled shingle hashes of a text, 63 bits each, sorted; empty for a text without words.

    Samples are nested: what a long text keeps at 1 in 8, a short text with the same words keeps too.
    """
    hashes = _shingles(first_words(text))
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
