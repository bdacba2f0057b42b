"""Which sectors the Pakistan-Russia matter of a text belongs to; best first, each with the words that prove it."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from crawler.classify.passages import Passages, Sentence
from crawler.classify.relevance import weights
from crawler.types import Evidence, SectorScore


@dataclass(slots=True)
class _Tally:
    terms: set[str] = field(default_factory=set)
    strongest: int = 0
    title: float = 0.0
    pair: float = 0.0
    near: float = 0.0
    far: float = 0.0
    alone: float = 0.0  # in sentences that name at most three sectors
    spots: list[tuple[float, str, int, int]] = field(default_factory=list)


def tally(passages: Passages) -> dict[str, _Tally]:
    """Per sector the weight of its terms by the kind of passage they stand in."""
    found: dict[str, _Tally] = defaultdict(_Tally)
    pair_orders = {s.order for s in passages.sentences if s.pair and not s.stray}
    for sentence in passages.sentences:
        marks = [
            (label.name, label.weight, label.start, label.end) for label in sentence.labels if label.kind == "sector"
        ]
        marks += [(sector, 2, h.start, h.end) for h in sentence.hits for sector in h.thing.sectors]
        if not marks:
            continue
        crowd = len({m[0] for m in marks})
        damping = 1.0 if crowd <= 3 else 3.0 / crowd
        place = _place(sentence, pair_orders)
        for sector, weight, start, end in marks:
            one = found[sector]
            word = passages.folded[sentence.field].text[start:end]
            value = weight * damping * (0.4 if word in one.terms else 1.0)
            one.terms.add(word)
            one.strongest = max(one.strongest, weight)
            setattr(one, place, getattr(one, place) + value)
            if crowd <= 3:
                one.alone += value
            rank = {"title": 4.0, "pair": 3.0, "near": 2.0, "far": 1.0}[place]
            one.spots.append((rank * weight, sentence.field, start, end))
    return found


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


def features(one: _Tally, whole: dict[str, _Tally], grade: int) -> dict[str, float]:
    """Named features of one sector in one text."""

    def mass(t: _Tally) -> float:
        return 2 * t.title + t.pair + 0.6 * t.near + (0.4 if grade == 2 else 0.1) * t.far

    total = sum(mass(t) for t in whole.values()) or 1.0
    ranks = sorted((mass(t) for t in whole.values()), reverse=True)
    own = mass(one)
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
        "share": own / total,
        "top": float(own >= ranks[0]),
        "second": float(len(ranks) > 1 and own >= ranks[1]),
        "outside": float(not one.title and not one.pair),
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
        SectorScore(sector=sector, score=round(score, 4), evidence=_evidence(one, passages))
        for score, sector, one in kept
    )


def _evidence(one: _Tally, passages: Passages) -> tuple[Evidence, ...]:
    best = sorted(one.spots, key=lambda s: (-s[0], s[1] != "title", s[2]))[:3]
    out = []
    for _, name, start, end in best:
        a, b = passages.folded[name].span(start, end)
        out.append(Evidence(field=name, quote=passages.source[name][a:b], start=a))
    return tuple(out)
