"""Which sectors the Pakistan-Russia matter of a text belongs to; best first, each with the words that prove it.

The question is what the two deal in, not what the text mentions: a university that hosts a speech is a venue, and one
of nine fields in a communiqué is an item.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

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


def tally(passages: Passages, grade: int) -> dict[str, _Tally]:
    """What each sector's words weigh, by place. The title of an article of grade 1 that names neither both sides nor
    the other one is about something else, and so are its words."""
    found = {}
    elsewhere = grade == 1 and bool(passages.sentences) and not _about_the_pair(passages)
    for sector, marks in marks_of(passages).items():
        one = found[sector] = _Tally(marks)
        for mark in marks:
            value = mark.weight * min(1.0, FEW / mark.crowd) * (0.4 if mark.word in one.terms else 1.0)
            one.terms.add(mark.word)
            place = "far" if elsewhere and mark.place == "title" else mark.place
            setattr(one, place, getattr(one, place) + value)
            one.alone += value if mark.crowd <= FEW else 0.0
    return found


def _about_the_pair(passages: Passages) -> bool:
    title = passages.sentences[0]
    return title.pair or bool(title.sides - {passages.context})


def features(whole: dict[str, _Tally], grade: int) -> dict[str, dict[str, float]]:
    """Named features of each sector in one text; "beside:trade" says that trade outweighs the other sectors named."""
    masses = {
        sector: 2 * t.title + t.pair + 0.6 * t.near + (0.4 if grade == 2 else 0.1) * t.far
        for sector, t in whole.items()
    }
    ranked = sorted(masses, key=lambda sector: (-masses[sector], sector))
    total = sum(masses.values()) or 1.0
    title = any(t.title >= 2 for t in whole.values())
    found = {}
    for sector, one in whole.items():
        own = masses[sector]
        rivals = [other for other in ranked if other != sector][:2]
        most = masses[rivals[0]] if rivals else 0.0
        found[sector] = {
            "title": min(2.0, math.log1p(one.title)),
            "pair": math.log1p(one.pair),
            "near": math.log1p(one.near),
            "far": math.log1p(one.far) if grade == 2 else 0.0,
            "far_partial": math.log1p(one.far) if grade == 1 else 0.0,
            "alone": math.log1p(one.alone),
            "strong": float(one.strongest == 3),
            "weak": float(one.strongest == 1),
            "distinct": math.log1p(len(one.terms)),
            "share": own / total,
            "ratio": own / (max(own, most) or 1.0),
            "top": float(own >= most),
            "second": float(len(rivals) < 2 or own >= masses[rivals[1]]),
            "outside": float(not one.title and not one.pair),
            "spread": math.log1p(len({m.order for m in one.marks})),
            "title_other": float(not one.title and title),
        }
        if rivals:
            found[sector]["beside:" + rivals[0]] = 1.0
    return found


def chances(whole: dict[str, _Tally], grade: int, table: Mapping[str, Any]) -> dict[str, float]:
    """The estimated chance of each sector, 0..1. `beside` in the table: what one sector says of another."""
    found = {}
    for sector, values in features(whole, grade).items():
        z = table["bias"] + table["prior"].get(sector, 0.0)
        for name, value in values.items():
            weight = (
                table["beside"].get(name[7:], {}).get(sector, 0.0)
                if name.startswith("beside:")
                else table.get(name, 0.0)
            )
            z += weight * value
        found[sector] = 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))
    return found


def tag(passages: Passages, grade: int) -> tuple[SectorScore, ...]:
    """Sectors of a relevant text, best first; at least one where any sector's words were found."""
    if grade == 0:
        return ()
    table = weights()["sectors"]
    whole = tally(passages, grade)
    ranked = sorted(chances(whole, grade, table).items(), key=lambda row: (-row[1], row[0]))
    kept = [row for row in ranked if row[1] >= table["threshold"]] or ranked[:1]
    if not kept:
        return (SectorScore(sector="diplomacy", score=0.3, evidence=()),)
    return tuple(
        SectorScore(sector=sector, score=round(score, 4), evidence=tuple(_evidence(whole[sector].marks, passages)))
        for sector, score in kept
    )


def _evidence(marks: list[Mark], passages: Passages) -> Iterable[Evidence]:
    best = sorted(marks, key=lambda m: (-_RANK[m.place] * m.weight, m.field != "title", m.start))[:3]
    for mark in best:
        a, b = passages.folded[mark.field].span(mark.start, mark.end)
        yield Evidence(field=mark.field, quote=passages.source[mark.field][a:b], start=a)
