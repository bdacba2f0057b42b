"""Which sectors the Pakistan-Russia matter of a text belongs to; best first, each with the words that prove it.

The question is what the two deal in, not what the text mentions: a university that hosts a speech is a venue, and one
of nine fields in a communiqué is an item.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from crawler.classify.passages import Passages, Sentence
from crawler.classify.relevance import weights
from crawler.types import Evidence, SectorScore

FEW = 3  # sectors in one sentence that can all be its subject
_RANK = {"title": 4.0, "pair": 3.0, "near": 2.0, "far": 1.0}


@dataclass(slots=True)
class Mark:
    """One word of a sector, `place` by the passage it stands in, `crowd` the sectors that its sentence names."""

    sector: str
    weight: int
    field: str
    start: int
    end: int
    place: str
    order: int
    crowd: int
    word: str


def marks_of(passages: Passages) -> dict[str, list[Mark]]:
    """All words of sectors, by sector, in the order of the text."""
    found: dict[str, list[Mark]] = defaultdict(list)
    other = next((side for side in passages.sides if side != passages.context), "") if passages.context else ""
    pair_orders = {
        s.order for s in passages.sentences if not s.stray and (s.pair or (s.sides == {other} and _dealing(s)))
    }
    for sentence in passages.sentences:
        raw = [(x.start, x.end, x.name, x.weight) for x in sentence.labels if x.kind == "sector"]
        raw += [(h.start, h.end, sector, 2) for h in sentence.hits for sector in h.thing.sectors]
        if not raw:
            continue
        text = passages.folded[sentence.field].text
        crowd = len({sector for _, _, sector, _ in raw})
        place = _place(sentence, pair_orders)
        for start, end, sector, weight in raw:
            found[sector].append(
                Mark(
                    sector=sector,
                    weight=weight,
                    field=sentence.field,
                    start=start,
                    end=end,
                    place=place,
                    order=sentence.order,
                    crowd=crowd,
                    word=text[start:end],
                )
            )
    return found


def _dealing(sentence: Sentence) -> bool:
    return not sentence.foreign and not sentence.listed and sentence.count("deal") > 0


def _place(sentence: Sentence, pair_orders: set[int]) -> str:
    if sentence.order == 0:
        return "title"
    if sentence.stray:
        return "far"
    if sentence.order in pair_orders or (pair_orders and sentence.count("mutual")):
        return "pair"  # "both sides also discussed ...", in a text that has said who they are
    if sentence.order - 1 in pair_orders or sentence.order + 1 in pair_orders:
        return "near"
    return "far"


@dataclass(slots=True)
class _Tally:
    """One sector's words, each worth its weight, less where it is repeated or one of many fields."""

    marks: list[Mark]
    title: float = 0.0
    pair: float = 0.0
    near: float = 0.0
    far: float = 0.0
    alone: float = 0.0
    terms: set[str] = field(default_factory=set)

    @property
    def strongest(self) -> int:
        return max(m.weight for m in self.marks)


def tally(passages: Passages) -> dict[str, _Tally]:
    found = {}
    for sector, marks in marks_of(passages).items():
        one = found[sector] = _Tally(marks)
        for mark in marks:
            value = mark.weight * min(1.0, FEW / mark.crowd) * (0.4 if mark.word in one.terms else 1.0)
            one.terms.add(mark.word)
            setattr(one, mark.place, getattr(one, mark.place) + value)
            one.alone += value if mark.crowd <= FEW else 0.0
    return found


def features(one: _Tally, whole: dict[str, _Tally], grade: int) -> dict[str, float]:
    """Named features of one sector in one text."""

    def mass(t: _Tally) -> float:
        return 2 * t.title + t.pair + 0.6 * t.near + (0.4 if grade == 2 else 0.1) * t.far

    own = mass(one)
    others = [mass(t) for t in whole.values() if t is not one]
    return {
        "title": min(2.0, math.log1p(one.title)),
        "pair": math.log1p(one.pair),
        "near": math.log1p(one.near),
        "far": math.log1p(one.far) if grade == 2 else 0.0,
        "far_partial": math.log1p(one.far) if grade == 1 else 0.0,
        "alone": math.log1p(one.alone),
        "strong": float(one.strongest == 3),
        "weak": float(one.strongest == 1),
        "distinct": math.log1p(len(one.terms)),
        "share": own / ((own + sum(others)) or 1.0),
        "top": float(own >= max(others, default=0.0)),
        "second": float(sum(m > own for m in others) <= 1),
        "outside": float(not one.title and not one.pair),
        "spread": math.log1p(len({m.order for m in one.marks})),
        "title_other": float(not one.title and any(t.title >= 2 for t in whole.values())),
    }


def tag(passages: Passages, grade: int) -> tuple[SectorScore, ...]:
    """Sectors of a relevant text, best first; at least one where any sector's words were found."""
    if grade == 0:
        return ()
    table = weights()["sectors"]
    whole = tally(passages)
    scored = []
    for sector, one in whole.items():
        values = features(one, whole, grade)
        z = table["bias"] + table["prior"].get(sector, 0.0) + sum(table.get(k, 0.0) * v for k, v in values.items())
        scored.append((1 / (1 + math.exp(-max(-30.0, min(30.0, z)))), sector, one))
    scored.sort(key=lambda row: (-row[0], row[1]))
    kept = [row for row in scored if row[0] >= table["threshold"]] or scored[:1]
    if not kept:
        return (SectorScore(sector="diplomacy", score=0.3, evidence=()),)
    return tuple(
        SectorScore(sector=sector, score=round(score, 4), evidence=tuple(_evidence(one.marks, passages)))
        for score, sector, one in kept
    )


def _evidence(marks: list[Mark], passages: Passages) -> Iterable[Evidence]:
    best = sorted(marks, key=lambda m: (-_RANK[m.place] * m.weight, m.field != "title", m.start))[:3]
    for mark in best:
        a, b = passages.folded[mark.field].span(mark.start, mark.end)
        yield Evidence(field=mark.field, quote=passages.source[mark.field][a:b], start=a)
