"""Does a text concern both sides? Passages -> named features -> a score and a grade, each feature with its share.

Two logistic steps over the same features: is there a passage about the two sides at all (grade 0 or more), and are they
the subject (grade 1 or 2). The features are plain counts that a reader can check in the text; the weights are a
reviewed data file, trained by `benchmarks/train_relevance.py`.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crawler.classify.passages import Passages, Sentence
from crawler.lexicon import Hit
from crawler.types import Reason

WEIGHTS = Path(__file__).parent / "weights.json"


@functools.cache
def weights() -> Mapping[str, Any]:
    """The reviewed weights: {"relevant": {feature: weight}, "core": {...}, "thresholds": {...}}."""
    loaded: dict[str, Any] = json.loads(WEIGHTS.read_text("utf-8"))
    return loaded


def features(passages: Passages) -> dict[str, float]:
    """Named features, each about 0..1 (some up to 3); {} where one side has no evidence at all."""
    body = [s for s in passages.sentences if s.order > 0]
    title = passages.sentences[0] if passages.sentences and passages.sentences[0].order == 0 else None
    first, second = passages.sides
    context = passages.context
    other = second if context == first else first
    clean = [s for s in body if not s.stray]
    pairs = [s for s in clean if s.pair]
    if title is not None and title.pair:
        pairs = [title, *pairs]
    n = max(1, len(clean))

    def share(side: str) -> float:
        return sum(side in s.sides for s in clean) / n

    dealing = [s for s in pairs if s.count("deal") or s.count("mutual")]
    near = [s for s in pairs if s.gap <= 60 and not s.between]
    clear = [s for s in dealing if len(s.foreign) <= 1 and s.gap <= 160 and not s.between]
    implied_pairs = [s for s in clean if _implied(s, context)] if context else []
    lead = clean[:2]
    neighbours = _neighbours(clean)
    foreign: dict[str, int] = {}
    own = 0
    for sentence in [*([title] if title else []), *clean]:
        for hit in sentence.hits:
            if hit.thing.foreign in sentence.foreign:
                foreign[hit.thing.foreign] = foreign.get(hit.thing.foreign, 0) + 1
            elif hit.thing.sides:
                own += 1
    total = max(1, own + sum(foreign.values()))
    title_sides = title.sides if title else frozenset()
    implied = title_sides | ({context} if context else set())
    return {
        "title_pair": float(bool(title and title.pair)),
        "title_bridge": float(bool(title and title.bridge)),
        "title_pair_near": float(bool(title and title.pair and title.gap <= 40 and not title.between)),
        "title_one": float(len(title_sides) == 1),
        "title_with_context": float(len(title_sides) == 1 and len(implied) == 2),
        "title_listed": float(bool(title and title.listed)),
        "title_foreign": float(bool(title and title.foreign)),
        "title_foreign_only": float(bool(title and title.foreign and not title_sides)),
        "lead_pair": float(any(s.pair for s in lead)),
        "lead_dealing": float(
            any(s.pair and len(s.foreign) <= 2 and not s.count("vote") and s.count("deal") + s.count("mutual") for s in lead)
        ),
        "lead_both": float(len({side for s in lead for side in s.sides}) == 2),
        "pairs": math.log1p(len(pairs)),
        "pairs_dealing": math.log1p(len(dealing)),
        "pairs_near": math.log1p(len(near)),
        "pairs_alone": math.log1p(sum(not s.foreign for s in pairs)),
        "pairs_dealing_alone": math.log1p(sum(not s.foreign for s in dealing)),
        "clear_pair": float(bool(clear)),
        "clear_pair_alone": float(any(not s.foreign for s in clear)),
        "clear_pairs": math.log1p(len(clear)),
        "implied_pair": float(bool(implied_pairs)),
        "implied_pair_strong": float(any(s.count("home") and s.count("deal") + s.count("mutual") >= 2 for s in implied_pairs)),
        "contact_pairs": math.log1p(sum(s.count("contact") > 0 for s in pairs)),
        "contact_pairs_alone": math.log1p(sum(s.count("contact") > 0 and not s.foreign for s in pairs)),
        "contact_clear": float(any(s.count("contact") and len(s.foreign) <= 1 for s in clear)),
        "implied_contact": float(any(s.count("contact") and s.count("home") and not s.foreign for s in implied_pairs)),
        "title_contact": float(bool(title and len(implied) == 2 and title.count("contact") and not title.foreign)),
        "implied_few": float(
            bool(context) and share(other) < 0.3 and any(_implied(s, context, 3) and s.count("contact") for s in clean)
        ),
        "implied_pairs": math.log1p(len(implied_pairs)),
        "unnamed": float(sum(not _named(side, passages) for side in passages.sides if side != context)),
        "title_implied": float(bool(title and context and _implied(title, context))),
        "implied_at_home": float(
            bool(context) and share(context) > 0 and share(other) < 0.3 and any(_alone(s, other) for s in clean)
        ),
        "venue": math.log1p(sum(s.venue for s in [*([title] if title else []), *clean])),
        "nature": float(any(s.count("nature") for s in pairs)),
        "pairs_busy": math.log1p(sum(not s.pair and len(s.sides | s.busy) == 2 and s.count("deal") > 0 for s in clean)),
        "pairs_half_listed": math.log1p(
            sum(not s.pair and bool(s.sides) and len(s.sides | s.listed) == 2 and s.count("deal") > 0 for s in clean)
        ),
        "soviet": _soviet(passages),
        "pairs_parted": math.log1p(sum(s.between for s in pairs)),
        "title_pair_clear": float(bool(title and title.pair and not title.foreign)),
        "four_parties": float(any((s.few and s.count("contact")) or (2 <= len(s.foreign) <= 3 and s.count("party")) for s in pairs)),
        "pairs_with_three": math.log1p(sum(len(s.foreign) >= 3 for s in pairs)),
        "run_of_two": math.log1p(sum(s.run_of_two for s in pairs)),
        "bridges": math.log1p(sum(s.bridge for s in pairs)),
        "mutual": math.log1p(sum(bool(s.count("mutual")) for s in pairs)),
        "pair_share": len(pairs) / (n + 1),
        "neighbours": math.log1p(neighbours),
        "least_share": min(share(first), share(second)),
        "most_share": max(share(first), share(second)),
        "foreign_share": sum(foreign.values()) / total,
        "rival_share": max((count / total for name, count in foreign.items() if name in passages.rivals), default=0.0),
        "many_countries": math.log1p(max(0, len(foreign) - 3)),
        "lists": math.log1p(sum(len(s.listed) == 2 for s in clean)),
        "title_war": float(bool(title and title.count("war"))),
        "title_forum": float(bool(title and (title.count("party") or any(_is_forum(h) for h in title.hits)))),
        "forum_share": sum(any(_is_forum(h) for h in s.hits) for s in clean) / n,
        "price": float(any(s.count("price") for s in passages.sentences)),
        "vote": float(any(s.count("vote") for s in pairs)),
        "rank": float(any(s.count("rank") for s in passages.sentences[:3]) or any(s.count("rank") for s in pairs)),
        "war": math.log1p(sum(bool(s.count("war")) for s in clean)) if clean else 0.0,
        "sport": float(sum(s.count("sport") for s in passages.sentences) >= 3),
        "officials": float(_people(clean, title, first) and _people(clean, title, second)),
        "late": _late(pairs, n),
        "short": float(n <= 4),
        "long": math.log1p(n / 10),
    }


def _alone(sentence: Sentence, side: str) -> bool:
    """The other side, nobody else, and a word of contact."""
    return sentence.sides == {side} and not sentence.foreign and sentence.count("contact") > 0


def _named(side: str, passages: Passages) -> bool:
    """Is the country itself named, or its capital, and not a company, a town or a person of it alone?"""
    hits = [h for hits in passages.evidence.values() for h in hits if side in h.thing.sides]
    return any(_names_it(h, passages) for h in hits) or len({h.thing.name for h in hits}) >= 3


def _names_it(hit: Hit, passages: Passages) -> bool:
    return hit.thing.kind == "side" or len(hit.thing.sides) == 2 or hit.thing.name in passages.capitals


def _soviet(passages: Passages) -> float:
    """Share of history: of the names that stand for a side, those of a state that is no more."""
    names = [h.thing.name for hits in passages.evidence.values() for h in hits if h.thing.sides and h.thing.kind != "person"]
    return min(1.0, 3 * sum(name == "ussr" for name in names) / max(1, len(names)))


def _is_forum(hit: Hit) -> bool:
    """A body of many countries: the SCO, the UN."""
    return hit.thing.kind == "body" and not hit.thing.sides and not hit.thing.foreign


def _people(clean: list[Sentence], title: Sentence | None, side: str) -> bool:
    sentences = [*([title] if title else []), *clean]
    return any(h.thing.kind == "person" and side in h.thing.sides for s in sentences for h in s.hits)


def _neighbours(clean: list[Sentence]) -> int:
    """Neighbouring sentences, one with each side, neither with both, with a word of dealing in one of the two."""
    found = 0
    for one, two in itertools.pairwise(clean):
        if one.pair or two.pair or len(one.sides | two.sides) < 2:
            continue
        found += bool(one.count("deal") or two.count("deal") or one.count("mutual") or two.count("mutual"))
    return found


def _implied(sentence: Sentence, context: str, most_foreign: int = 1) -> bool:
    """A passage on the other side alone, in a source of this side, with words of dealing or of the home government."""
    if context in sentence.sides or len(sentence.sides) != 1 or len(sentence.foreign) > most_foreign or sentence.listed:
        return False
    dealing = sentence.count("deal") + sentence.count("mutual")
    return bool(dealing >= 2 or (dealing and sentence.count("home")))


def _late(pairs: list[Sentence], n: int) -> float:
    """How deep in the text the first passage stands, 0 (title, lead) to 1 (the end, or nowhere)."""
    return min((max(0, s.order - 1) / n for s in pairs), default=1.0)


def _logistic(table: Mapping[str, float], values: Mapping[str, float]) -> float:
    z = table["bias"] + sum(table.get(name, 0.0) * value for name, value in values.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def judge(passages: Passages) -> tuple[int, float, tuple[Reason, ...]]:
    """(grade, score 0..1, reasons). The score is the estimated chance that the text concerns the pair at all."""
    if not passages.sentences:
        return 0, 0.0, ()
    values = features(passages)
    table = weights()
    relevant, core = _logistic(table["relevant"], values), _logistic(table["core"], values)
    grade = 0
    if relevant >= table["thresholds"]["relevant"]:
        grade = 2 if core >= table["thresholds"]["core"] else 1
    reasons = [
        Reason(code=name, weight=round(table["relevant"].get(name, 0.0) * value, 3), **_example(name, passages))
        for name, value in values.items()
        if value and abs(table["relevant"].get(name, 0.0) * value) >= 0.05
    ]
    reasons.sort(key=lambda r: -abs(r.weight))
    return grade, round(relevant, 4), tuple(reasons)


def _example(name: str, passages: Passages) -> dict[str, Any]:
    """The passage that a feature speaks of, for the reader."""
    chosen: Sentence | None = None
    if name.startswith("title"):
        chosen = passages.sentences[0]
    elif name.startswith(("pairs", "lead", "pair_share", "run_of_two", "bridges", "mutual")):
        pairs = [s for s in passages.sentences if s.pair and s.order > 0]
        if name == "bridges":
            pairs = [s for s in pairs if s.bridge]
        chosen = min(pairs, key=lambda s: (s.gap, s.order), default=None)
    if chosen is None:
        return {}
    start, end = passages.folded[chosen.field].span(chosen.start, chosen.end)
    return {"field": chosen.field, "quote": passages.source[chosen.field][start : min(end, start + 200)], "start": start}
