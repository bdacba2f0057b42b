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


# What each feature says, for `explain` and docs/judgement.md.
MEANING = {
    "title_pair": "the title names both sides",
    "title_pair_clear": "the title names both sides and no third country",
    "title_pair_near": "the title names both sides close together",
    "title_with_context": "the title names one side, the source stands for the other",
    "title_implied": "the title tells of dealings with the side that the source does not stand for",
    "title_foreign": "the title names a third country",
    "title_forum": "the title names a forum or a meeting of several countries",
    "title_war": "the title is about fighting",
    "lead_pair": "one of the first two sentences names both sides",
    "lead_dealing": "one of the first two sentences tells of dealings of both sides",
    "lead_both": "the first two sentences together name both sides, with a word of contact",
    "pairs": "sentences with both sides",
    "pairs_near": "sentences with both sides close together",
    "pairs_alone": "sentences with both sides and no third country",
    "clear_pair_alone": "a sentence with both sides near each other, a word of dealing and no third country",
    "contact_pairs": "sentences with both sides and a word of contact: talks, visit, signed, imported",
    "contact_pairs_alone": "such sentences without a third country",
    "run_of_two": '"Pakistan and Russia", nobody else in the row',
    "bridges": "words that join the two: Pakistan-Russia, российско-пакистанский, پاک روس",
    "mutual": 'both sides, and "bilateral", "the two countries"',
    "four_parties": "a meeting of three or four parties, both sides among them",
    "pair_share": "share of the sentences that name both sides",
    "neighbours": "neighbouring sentences, one with each side, with a word of contact",
    "implied_contact": "the other side alone, a word of contact and an office of this side, in a source of this side",
    "implied_names": "the other side by two names or more, with an office of this side, in a source of this side",
    "implied_at_home": "the other side and a word of contact, deep in a story about this side",
    "implied_few": "the other side, a word of contact and up to three third countries, in a source of this side",
    "implied_link": "the other side right beside a word of contact, deep in a story about this side",
    "least_share": "share of the sentences that name the rarer side",
    "foreign_share": "share of third countries among all countries named",
    "rival_share": "share of one rival: India, Ukraine, Afghanistan, the United States",
    "forum_share": "share of the sentences that name a forum of many countries",
    "lists": "sentences in which both sides stand in one list of five or more",
    "pairs_busy": 'both sides, one of them beside a rival: "India and Pakistan"',
    "pairs_parted": "another country stands between the two",
    "pairs_with_three": "sentences with both sides and three or more others",
    "unnamed": "a side whose country is not named, only a company, a town or a person",
    "soviet": "the side of the past: the Soviet Union",
    "rank": "a ranking or an arsenal",
    "war": "sentences about fighting",
    "sport": "a sports page",
    "late": "how deep in the text the first passage stands",
    "short": "four sentences or fewer",
    "long": "how long the text is",
}


@functools.cache
def weights() -> Mapping[str, Any]:
    """The reviewed weights: {"relevant": {feature: weight}, "core": {...}, "thresholds": {...}}."""
    loaded: dict[str, Any] = json.loads(WEIGHTS.read_text("utf-8"))
    return loaded


def features(passages: Passages) -> dict[str, float]:
    """Named features (MEANING): shares 0..1, counts as log(1 + n). `passages` must have sentences, the title first."""
    title, *body = passages.sentences
    first, second = passages.sides
    context = passages.context
    other = second if context == first else first
    clean = [s for s in body if not s.stray]
    pairs = [s for s in (title, *clean) if s.pair]
    n = max(1, len(clean))

    def share(side: str) -> float:
        return sum(side in s.sides for s in clean) / n

    at_home = bool(context) and (share(context) > 0 or n <= 4)
    implied = [s for s in clean if at_home and not s.foreign and _implied(s, context)]
    lead = clean[:2]
    foreign: dict[str, int] = {}
    own = 0
    for sentence in (title, *clean):
        for hit in sentence.hits:
            if hit.thing.foreign in sentence.foreign:
                foreign[hit.thing.foreign] = foreign.get(hit.thing.foreign, 0) + 1
            elif hit.thing.sides:
                own += 1
    total = max(1, own + sum(foreign.values()))
    return {
        "title_pair": float(title.pair),
        "title_pair_clear": float(title.pair and not title.foreign),
        "title_pair_near": float(title.pair and title.gap <= 40 and not title.between),
        "title_with_context": float(len(title.sides) == 1 and len(title.sides | {context} - {""}) == 2),
        "title_implied": float(bool(implied) and (_implied(title, context) or _alone(title, other))),
        "title_foreign": float(bool(title.foreign)),
        "title_forum": float(bool(title.count("party")) or any(_is_forum(h) for h in title.hits)),
        "title_war": float(bool(title.count("war"))),
        "lead_pair": float(any(s.pair for s in lead)),
        "lead_dealing": float(any(s.pair and len(s.foreign) <= 2 and not s.count("vote") and _deals(s) for s in lead)),
        "lead_both": float(
            len({side for s in lead for side in s.sides if not s.apart and len(s.foreign) <= 2}) == 2
            and any(s.count("contact") for s in lead)
        ),
        "pairs": math.log1p(len(pairs)),
        "pairs_near": math.log1p(sum(s.gap <= 60 and not s.between for s in pairs)),
        "pairs_alone": math.log1p(sum(not s.foreign for s in pairs)),
        "clear_pair_alone": float(any(not s.foreign and s.gap <= 160 and _deals(s) for s in pairs)),
        "contact_pairs": math.log1p(sum(s.count("contact") > 0 for s in pairs)),
        "contact_pairs_alone": math.log1p(sum(s.count("contact") > 0 and not s.foreign for s in pairs)),
        "run_of_two": math.log1p(sum(s.run_of_two for s in pairs)),
        "bridges": math.log1p(sum(s.bridge for s in pairs)),
        "mutual": math.log1p(sum(s.count("mutual") > 0 for s in pairs)),
        "four_parties": float(
            any((s.few and s.count("contact")) or (2 <= len(s.foreign) <= 3 and s.count("party")) for s in pairs)
        ),
        "pair_share": len(pairs) / (n + 1),
        "neighbours": math.log1p(_neighbours(clean)),
        "implied_contact": float(any(s.count("contact") and s.count("home") for s in implied)),
        "implied_names": float(
            any(len({h.thing.name for h in s.hits if other in h.thing.sides}) > 1 and s.count("home") for s in implied)
        ),
        "implied_at_home": float(at_home and share(other) < 0.3 and any(_alone(s, other) for s in clean)),
        "implied_few": float(
            bool(context) and share(other) < 0.3 and any(_implied(s, context, 3) and s.count("contact") for s in clean)
        ),
        "implied_link": float(
            at_home and share(other) < 0.3 and any(len(s.foreign) <= 3 and _linked(s, other) for s in clean)
        ),
        "least_share": min(share(first), share(second)),
        "foreign_share": sum(foreign.values()) / total,
        "rival_share": max((count / total for name, count in foreign.items() if name in passages.rivals), default=0.0),
        "forum_share": sum(any(_is_forum(h) for h in s.hits) for s in clean) / n,
        "lists": math.log1p(sum(len(s.listed) == 2 for s in clean)),
        "pairs_busy": math.log1p(sum(not s.pair and len(s.sides | s.busy) == 2 and s.count("deal") > 0 for s in clean)),
        "pairs_parted": math.log1p(sum(s.between for s in pairs)),
        "pairs_with_three": math.log1p(sum(len(s.foreign) >= 3 for s in pairs)),
        "unnamed": float(sum(not _named(side, passages) for side in passages.sides if side != context)),
        "soviet": _soviet(passages),
        "rank": float(any(s.count("rank") for s in [*passages.sentences[:3], *pairs])),
        "war": math.log1p(sum(s.count("war") > 0 for s in clean)),
        "sport": float(sum(s.count("sport") for s in passages.sentences) >= 3),
        "late": _late([*pairs, *implied], n),
        "short": float(n <= 4),
        "long": math.log1p(n / 10),
    }


def _alone(sentence: Sentence, side: str) -> bool:
    """The other side, nobody else, and a word of contact."""
    return sentence.sides == {side} and not sentence.foreign and sentence.count("contact") > 0


def _linked(sentence: Sentence, side: str) -> bool:
    """ "ties with Russia", "imports from Russia", روس سے معاہدہ: a word of contact next to the name."""
    return side in sentence.sides and any(
        -25 <= hit.start - label.end <= 25 or -25 <= label.start - hit.end <= 25
        for label in sentence.labels
        if label.kind == "word" and label.name == "contact"
        for hit in sentence.hits
        if side in hit.thing.sides
    )


def _named(side: str, passages: Passages) -> bool:
    """Is the country itself named, or its capital, and not a company, a town or a person of it alone?"""
    hits = [h for hits in passages.evidence.values() for h in hits if side in h.thing.sides]
    return any(_names_it(h, passages) for h in hits) or len({h.thing.name for h in hits}) >= 3


def _names_it(hit: Hit, passages: Passages) -> bool:
    return hit.thing.kind == "side" or hit.country or len(hit.thing.sides) == 2 or hit.thing.name in passages.capitals


def _soviet(passages: Passages) -> float:
    """Share of history: of the names that stand for a side, those of a state that is no more."""
    names = [
        h.thing.name for hits in passages.evidence.values() for h in hits if h.thing.sides and h.thing.kind != "person"
    ]
    return min(1.0, 3 * sum(name in passages.past for name in names) / max(1, len(names)))


def _is_forum(hit: Hit) -> bool:
    """A body of many countries: the SCO, the UN."""
    return hit.thing.kind == "body" and not hit.thing.sides and not hit.thing.foreign


def _deals(sentence: Sentence) -> bool:
    return bool(sentence.count("deal") or sentence.count("mutual"))


def _neighbours(clean: list[Sentence]) -> int:
    """Neighbouring sentences, one with each side, neither with both, with a word of contact in one of the two."""
    found = 0
    for one, two in itertools.pairwise(clean):
        if one.pair or two.pair or len(one.sides | two.sides) < 2:
            continue
        found += bool(one.count("contact") or two.count("contact"))
    return found


def _implied(sentence: Sentence, context: str, most_foreign: int = 1) -> bool:
    """A passage on the other side alone, in a source of this side, with words of dealing or of the home government."""
    if (
        context in sentence.sides
        or len(sentence.sides) != 1
        or len(sentence.foreign) > most_foreign
        or sentence.listed
        or sentence.coupled
    ):
        return False
    words = sentence.count("deal") + sentence.count("mutual")
    return bool(words >= 2 or (words and sentence.count("home")))


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
    # All pages of a source of one of the two sides are read, so that a lone passage is not missed: it gets the benefit.
    if relevant >= table["thresholds"]["home" if passages.home else "relevant"]:
        grade = 2 if core >= table["thresholds"]["core"] else 1
    reasons = [
        Reason(
            code=name,
            weight=round(table["relevant"].get(name, 0.0) * value, 3),
            detail=MEANING[name],
            **_example(name, passages),
        )
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
    elif name.startswith("implied"):
        chosen = next((s for s in passages.sentences if s.order and _implied(s, passages.context, 3)), None)
    elif name.startswith(("pair", "lead", "clear", "contact", "run_of_two", "bridges", "mutual", "four", "soviet")):
        pairs = [s for s in passages.sentences if s.pair and (s.bridge or name != "bridges")]
        chosen = min(pairs, key=lambda s: (not s.order, bool(s.foreign), s.gap, s.order), default=None)
    if chosen is None:
        return {}
    start, end = passages.folded[chosen.field].span(chosen.start, chosen.end)
    return {
        "field": chosen.field,
        "quote": passages.source[chosen.field][start : min(end, start + 200)],
        "start": start,
    }
