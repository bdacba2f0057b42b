"""Stories: articles of one event, over languages, from what does not depend on a language.

A `Profile` is what an article says of its event: the lexicon's identities (one name in three scripts), names that the
lexicon does not know by their consonants (Нилов, Nilov, نیلوف), concepts of the beat (wheat, пшеница, گندم), numbers,
dates, ordinals, sectors, the time of publication; and within a language the words themselves. `same_event` adds up
what two profiles share and what speaks against them; every summand is a reason that can be shown. `partition` makes
stories of articles that hang together: the same ones whatever the order in which they arrived. All of it is pure.

The weights were fitted by logistic regression on pairs of the gold records (benchmarks/cluster_gold.py) and rounded.
"""

import math
import re
import sys
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.cluster import signals
from crawler.cluster.figures import Figure, figures
from crawler.shadow import shadow
from crawler.text import fold
from crawler.types import Classification

if TYPE_CHECKING:
    from crawler.lexicon import Lexicon

WINDOW = 7  # days: articles published farther apart are never of one event by themselves
_LEAD = 260  # words of the text that say what the event is; what follows is background
_MOST = 20_000  # characters: a text without blanks has no words to count
_OPENING = 60  # words of the text that say it first


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What placing an article needs, small enough to store beside it. All sets hold short strings."""

    language: str
    at: datetime  # published, or else first seen; UTC
    names: frozenset[str]  # the lexicon's persons, bodies, places, projects; sides left out
    title_names: frozenset[str]
    people: frozenset[str]  # persons that the title or the first words name
    places: frozenset[str]  # places that the title or the first words name
    spelled: frozenset[str]  # consonants of other names
    concepts: frozenset[str]
    lead_concepts: frozenset[str]  # of the title and the first words
    numbers: frozenset[str]
    days: frozenset[str]
    ordinals: frozenset[str]
    title_ordinals: frozenset[str]
    sectors: frozenset[str]
    words: frozenset[str]  # stems
    title_words: frozenset[str]
    figures: tuple[Figure, ...] = ()  # numbers with their units: for disagreements, not for likeness

    key: int = field(init=False, repr=False, compare=False)  # a hash of all that a likeness goes by

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", hash((self.language, self.at, *(getattr(self, n) for n in _SETS))))

    def __hash__(self) -> int:
        return self.key

    def to_json(self) -> dict[str, Any]:
        """Plain lists and strings, sorted: equal profiles give equal JSON."""
        sets = {n: sorted(getattr(self, n)) for n in _SETS}
        figures = [f.to_json() for f in self.figures]
        return {"language": self.language, "at": self.at.astimezone(UTC).isoformat(), **sets, "figures": figures}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Profile":
        """The inverse of `to_json`; a set that an older version did not write is empty."""
        # The articles of a beat share most of their words: interned, they are in memory once.
        sets = {n: frozenset(map(sys.intern, data.get(n, ()))) for n in _SETS}
        figures = tuple(Figure.from_json(f) for f in data.get("figures", ()))
        return cls(language=data["language"], at=datetime.fromisoformat(data["at"]), figures=figures, **sets)


_SETS = (
    "names", "title_names", "people", "places", "spelled", "concepts", "lead_concepts", "numbers", "days", "ordinals",
    "title_ordinals", "sectors", "words", "title_words",
)  # fmt: skip


def profile(
    *,
    title: str,
    text: str,
    language: str,
    published: datetime | None,
    first_seen: datetime,
    classification: Classification,
    lexicon: "Lexicon",
) -> Profile:
    """The profile of an article; linear in the text, of which only the beginning is read.

    Times are aware. The lexicon tells what in the text is furniture; the mentions come with the classification.
    """
    at = published or first_seen
    counted = figures(title, text)
    start = _beginning(text, _LEAD)
    text = _without_furniture(text[:start], lexicon)
    head = fold(title), fold(text)
    keys = [shadow(s).split() for s in (title, text)]
    named = [m for m in classification.mentions if m.kind in ("person", "body", "place", "project")]
    named = [m for m in named if m.field == "title" or m.start < start]
    opening = _beginning(text, _OPENING)
    ahead = [m for m in named if m.field == "title" or m.start < opening]
    spelled: set[str] = set()
    for place, folded in zip(("title", "text"), head, strict=True):
        taken = [(m.start, m.start + len(m.quote)) for m in classification.mentions if m.field == place]
        spelled |= signals.spelled_names(folded, taken)
    whole = f"{head[0].text}\n{head[1].text}"
    return Profile(
        language=language,
        at=at.astimezone(UTC),
        names=frozenset(m.name for m in named),
        title_names=frozenset(m.name for m in named if m.field == "title"),
        people=frozenset(m.name for m in ahead if m.kind == "person"),
        places=frozenset(m.name for m in ahead if m.kind == "place"),
        spelled=frozenset(spelled),
        concepts=frozenset(signals.concepts(keys[0]) | signals.concepts(keys[1])),
        lead_concepts=frozenset(signals.concepts(keys[0]) | signals.concepts(keys[1][:_OPENING])),
        numbers=frozenset(signals.numbers(whole)),
        days=frozenset(signals.days(whole, at.date())),
        ordinals=frozenset(signals.ordinals(f"{head[0].text}\n{fold(text[:opening]).text}")),
        title_ordinals=frozenset(signals.ordinals(head[0].text)),
        sectors=frozenset(s.sector for s in classification.sectors),
        words=frozenset(k for part in keys for k in part if len(k) > 1),
        title_words=frozenset(k for k in keys[0] if len(k) > 1),
        figures=counted,
    )


def _without_furniture(text: str, lexicon: "Lexicon") -> str:
    """`text` with legal tags, credits and lines of the page blanked; every offset stays."""
    folded = fold(text)
    for span in lexicon.masked(folded.text):
        if span[0] < span[1]:
            start, end = folded.span(*span)
            text = text[:start] + " " * (end - start) + text[end:]
    return text


def _beginning(text: str, words: int) -> int:
    """The offset behind the first so many words of a text, and within its first _MOST characters."""
    at = 0
    for count, match in enumerate(re.finditer(r"\S+", text), 1):
        at = match.end()
        if count == words:
            break
    return min(at, _MOST)


# --- what two profiles share ------------------------------------------------------------------------------------------


@cache
def _rarities() -> dict[str, dict[str, float]]:
    """Per language, and for names and concepts: what many hold -> its rarity; from the shares in common.txt."""
    table: dict[str, dict[str, float]] = {}
    for line in (Path(__file__).with_name("common.txt")).read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        group, share, *members = line.split()
        rarity = math.log(1 / max(int(share) / 100, 0.01)) / math.log(100)
        table.setdefault(group, {}).update(dict.fromkeys(members, rarity))
    return table


def _rarity(group: str, what: str) -> float:
    """1 for what hardly any article on this beat holds, towards 0 for what all hold."""
    return _rarities().get(group, {}).get(what, 1.0)


@lru_cache(maxsize=256)  # of as many articles as are grouped at a time; the sets are kept with it, some 5 kB each
def _length(group: str, members: frozenset[str]) -> float:
    """The length of a set as a vector of rarities; a neighbour's is asked for again and again."""
    return math.sqrt(sum(_rarity(group, m) ** 2 for m in members))


def _weight(group: str, members: Iterable[str]) -> float:
    return sum(_rarity(group, m) for m in members)


def _likeness(group: str, a: frozenset[str], b: frozenset[str]) -> float:
    """Cosine of two sets weighed by rarity, 0..1."""
    both = sum(_rarity(group, m) ** 2 for m in a & b)
    return both / (_length(group, a) * _length(group, b)) if both else 0.0


def _held(words: frozenset[str], by: Profile) -> float:
    """The share of words, weighed by rarity, that an article holds: of a headline's in another article on the event
    most, 0..1."""
    weight = _weight(by.language, words)
    return _weight(by.language, words & by.words) / weight if weight else 0.0


def _shared(a: Profile, b: Profile) -> dict[str, float]:
    """What speaks for one event and against it, each on a scale of its own; symmetric."""
    same = a.language == b.language
    spelled = a.spelled & b.spelled if not (same and a.language == "ur") else frozenset[str]()
    series_a, series_b = _series(a.ordinals), _series(b.ordinals)
    title_a, title_b = _series(a.title_ordinals), _series(b.title_ordinals)
    return {
        "names": min(4.0, _weight("name", a.names & b.names)),
        "title names": min(2.0, _weight("name", (a.title_names & b.names) | (b.title_names & a.names))),
        "spelled names": min(4.0, sum(0.5 if len(s) == 3 else 1.0 for s in spelled)),
        "concepts": _likeness("concept", a.concepts, b.concepts),
        "lead concepts": _likeness("concept", a.lead_concepts, b.lead_concepts),
        "numbers": min(3.0, sum(_telling(n) for n in a.numbers & b.numbers)),
        "days": min(2.0, float(len(a.days & b.days))),
        "sectors": len(a.sectors & b.sectors) / max(1, len(a.sectors | b.sectors)),
        "words": _likeness(a.language, a.words, b.words) if same else 0.0,
        "title words": _likeness(a.language, a.title_words, b.title_words) if same else 0.0,
        "title told": max(_held(a.title_words, b), _held(b.title_words, a)) if same else 0.0,
        "ordinals": float(any(series_a[s] & series_b[s] for s in series_a.keys() & series_b.keys())),
        # The report on the second cargo recalls the first one; its headline does not.
        "other ordinals": float(_differ(series_a, series_b) or _differ(title_a, title_b)),
        "other people": float(bool(a.people and b.people) and not a.people & b.names and not b.people & a.names),
        "some people": float(bool(a.people and b.people) and not a.people & b.people),
        "other places": float(bool(a.places and b.places) and not a.places & b.names and not b.places & a.names),
        "other numbers": float(len(a.numbers) >= 2 and len(b.numbers) >= 2 and not a.numbers & b.numbers),
        "other days": float(bool(a.days and b.days) and not a.days & b.days),
        "one event type": _event(a.lead_concepts, b.lead_concepts),
        "other cause": float(_other_cause(a, b)),
        "sector missed": float(bool(a.sectors and b.sectors) and not a.sectors & b.sectors),
        "long texts": max(0.0, min(1.0, math.log2(max(1, min(len(a.words), len(b.words))) / 90))),
        "days apart": min(float(WINDOW), abs((a.at - b.at).total_seconds()) / 86_400),
    }


@lru_cache(maxsize=1_024)
def _telling(number: str) -> float:
    """How much a number tells that two texts share: 84 or 7,920 more than 20 or 100, which all texts give."""
    value = float(number)
    if value < 100:
        return 0.4 if value <= 20 or value % 10 == 0 else 0.9
    return (0.5, 1.0, 1.3)[min(2, len(number.partition("e")[0].replace(".", "").rstrip("0")) - 1)]


_KINDS = frozenset(
    "meet visit sign interview congratulate condole condemn telephone vote ban lift launch award cargo exercise"
    " rescue attack blast crash flood quake deport arrest games film farewell deny".split()
)


def _event(a: frozenset[str], b: frozenset[str]) -> float:
    """Kinds of event in the lead of both, less those of one alone: -1..1; 0 where one names none."""
    a, b = a & _KINDS, b & _KINDS
    return (2 * len(a & b) - len(a ^ b)) / len(a | b) / (2 if a & b else 1) if a and b else 0.0


_CAUSES = dict.fromkeys(("attack", "blast", "terror"), "violence") | {c: c for c in ("crash", "flood", "quake")}


_MESSAGES = frozenset(("condole", "condemn", "congratulate"))
_ANSWERED = 3  # days within which the reports on one message come


def _other_cause(a: Profile, b: Profile) -> bool:
    """Whether messages, which are worded alike, are on different occasions: attack and accident, or days later."""
    kinds = a.lead_concepts & b.lead_concepts & _MESSAGES
    causes_a, causes_b = ({_CAUSES[c] for c in p.lead_concepts & _CAUSES.keys()} for p in (a, b))
    other = bool(causes_a and causes_b) and not causes_a & causes_b
    return bool(kinds) and (abs(a.at - b.at).days >= _ANSWERED or ("condole" in kinds and other))


def _series(ordinals: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for ordinal in ordinals:
        series, _, number = ordinal.partition(":")
        found.setdefault(series, set()).add(number)
    return found


def _differ(a: Mapping[str, set[str]], b: Mapping[str, set[str]]) -> bool:
    """Whether two articles name only different ordinals of one series."""
    return any(not a[series] & b[series] for series in a.keys() & b.keys())


# --- the verdict ------------------------------------------------------------------------------------------------------

# Points for each unit of what `_shared` measures; (within a language, across languages). One point is about one unit
# of log-odds; a verdict of "one event" needs _NEEDED points in all. Other ordinals of one series outweigh all else.
_POINTS = {
    "names": (1.0, 1.5),
    "title names": (0.3, 0.5),
    "spelled names": (1.0, 0.3),
    "concepts": (3.5, 10.0),
    "lead concepts": (3.0, 2.0),
    "numbers": (0.5, 3.0),
    "days": (1.5, 2.0),
    "sectors": (1.0, 2.4),
    "words": (15.5, 0.0),
    "title words": (4.0, 0.0),
    "title told": (4.0, 0.0),
    "ordinals": (1.0, 1.5),
    "other ordinals": (-30.0, -30.0),
    "other people": (-0.9, -0.4),
    "some people": (-0.4, -1.6),
    "other places": (-2.0, -0.3),
    "other numbers": (-0.3, 0.0),
    "other days": (-0.7, -1.4),
    "one event type": (0.4, 0.3),
    "other cause": (-6.0, -6.0),
    "sector missed": (-1.0, -1.2),
    "long texts": (-4.0, -1.5),  # two long texts share more by chance
    "days apart": (-0.8, -0.2),
}
_NEEDED = (6.2, 6.0)
_QUIET = 10  # articles in a week up to which that is enough
_BUSY = 0.8  # more points needed each time that the beat is twice as busy: chance likenesses grow with the crowd
_STEPS = 2  # steps in which these come, each time that the beat is twice as busy
_COMMON = 0.3  # the rarity under which a thing stands in every fourth article and more: no index key
_NEVER = -20.0  # a verdict as low as this is a contradiction: the next of a series, or a person's word
_AGAINST = -3.0  # two groups whose members score less than this on average are two events, however like one pair is
# Names and concepts cannot tell siblings apart, words can: two groups are two events, too, whose likest pair in one
# language scores less than minus this, and speaks louder against them than the best pair across languages for them.
_UNLIKE = 2.0
_LEAST, _MOST_POINTS = -8.0, 6.0  # of one pair in such an average


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether two articles are of one event. `score` is in points: 0 and over is yes."""

    score: float
    same: bool
    reasons: tuple[str, ...]  # the strongest first: "names +2.4: lavrov, qureshi"


def same_event(a: Profile, b: Profile, *, busy: int = 0) -> Verdict:
    """Symmetric and pure. Articles more than WINDOW days apart are never one event.

    `busy`: how many articles the beat had in the week before; of many some are alike by chance, so more is asked for.
    """
    if not _within(a, b):
        return Verdict(score=-99.0, same=False, reasons=(f"over {WINDOW} days apart",))
    points, score = _points(a, b)
    score = round(score - crowding(busy), 2)
    strongest = sorted((p for p in points.items() if p[1]), key=lambda p: (-abs(p[1]), p[0]))
    reasons = tuple(f"{what} {amount:+.1f}{_detail(what, a, b)}" for what, amount in strongest[:6])
    return Verdict(score=score, same=score >= 0, reasons=reasons)


# The scores of the pairs asked for last: a story that grows asks for the same ones (of 60 articles: 1,770) with every
# article that joins it. By key, seeded and of 64 bits: the profiles themselves, 30 kB each, are not kept for them.
_scores: OrderedDict[tuple[int, int], float] = OrderedDict()
_MOST_SCORES = 16_000


def likeness(a: Profile, b: Profile) -> float | None:
    """The score of `same_event` in a quiet week, without its reasons; None beyond WINDOW."""
    if not _within(a, b):
        return None
    pair = (a.key, b.key) if a.key < b.key else (b.key, a.key)
    score = _scores.pop(pair, None)
    if score is None:
        score = _points(a, b)[1]
        if len(_scores) >= _MOST_SCORES:
            _scores.popitem(last=False)
    _scores[pair] = score
    return score


def crowding(busy: int) -> float:
    """The points that a link needs more where the beat had so many articles in the week before.

    In steps, so that an article more seldom changes what is asked of all others of its week.
    """
    return _BUSY * math.floor(_STEPS * math.log2(max(1.0, busy / _QUIET))) / _STEPS


def _within(a: Profile, b: Profile) -> bool:
    return abs((a.at - b.at).total_seconds()) <= WINDOW * 86_400


def _points(a: Profile, b: Profile) -> tuple[dict[str, float], float]:
    """The points for each thing, and their sum less those needed."""
    across = int(a.language != b.language)
    points = {what: round(_POINTS[what][across] * amount, 2) for what, amount in _shared(a, b).items()}
    return points, round(sum(points.values()) - _NEEDED[across], 2)


def _detail(what: str, a: Profile, b: Profile) -> str:
    """The shared things themselves, a few of them."""
    sets = {
        "names": a.names & b.names,
        "title names": (a.title_names & b.names) | (b.title_names & a.names),
        "concepts": a.concepts & b.concepts,
        "lead concepts": a.lead_concepts & b.lead_concepts,
        "numbers": a.numbers & b.numbers,
        "days": a.days & b.days,
        "sectors": a.sectors & b.sectors,
        "ordinals": a.ordinals & b.ordinals,
        "other ordinals": a.ordinals ^ b.ordinals,
    }
    group = {"names": "name", "title names": "name", "concepts": "concept", "lead concepts": "concept"}.get(what, "")
    shown = sorted(sets.get(what, ()), key=lambda m: (-_rarity(group, m), m))[:5]
    return f": {', '.join(shown)}" if shown else ""


def keys(p: Profile) -> tuple[str, ...]:
    """Index keys, at most 28: two articles of one event share at least one.

    The rarest first; of names and concepts those of the beginning before the rest.
    """
    names = sorted(p.names, key=lambda n: (n not in p.people | p.title_names, -_rarity("name", n), n))
    concepts = sorted(p.concepts, key=lambda c: (c not in p.lead_concepts, -_rarity("concept", c), c))
    spelled = sorted(s for s in p.spelled if len(s) > 3) if p.language != "ur" else []
    found = [f"n:{n}" for n in names if _rarity("name", n) > _COMMON][:14]
    found += [f"c:{c}" for c in concepts if _rarity("concept", c) > _COMMON][:10]
    found += [f"s:{s}" for s in spelled[:4]]
    return tuple(found) or ("-",)


def partition(
    profiles: Mapping[int, Profile],
    *,
    busy: Mapping[int, int] | None = None,
    together: Collection[tuple[int, int]] = (),
    apart: Collection[tuple[int, int]] = (),
) -> list[frozenset[int]]:
    """The stories that articles make up, by number: average linkage over the scores of their pairs.

    The likest two groups become one as long as one pair of them is of one event, none contradicts, and neither the
    pairs on average nor those in one language speak against it. Nothing depends on who came first. `busy` gives each
    article's week as `same_event` takes it; pairs in `together` (copies, a person's word) are one story whatever the
    scores, those in `apart` never. Quadratic in the number of articles, and each of them is compared with all others.
    """
    order = sorted(profiles, key=lambda id_: (profiles[id_].at, id_))
    groups = _forced(order, together)
    group_of = {id_: number for number, group in enumerate(groups) for id_ in group}
    split = {frozenset(pair) for pair in apart}
    links: dict[tuple[int, int], _Link] = {}
    for n, a in enumerate(order):
        for b in order[n + 1 :]:
            one, other = sorted((group_of[a], group_of[b]))
            if one == other:
                continue
            link = links.setdefault((one, other), _Link())
            score = likeness(profiles[a], profiles[b])
            one_language = profiles[a].language == profiles[b].language
            if {a, b} in split:
                link.add(_NEVER, one_language=one_language)
            elif score is not None:
                score -= crowding(max(busy.get(a, 0), busy.get(b, 0)) if busy else 0)
                link.add(score, one_language=one_language)
    alive = dict(enumerate(groups))
    averages = {pair: link.average for pair, link in links.items()}
    while averages:
        highest = max(averages.values())
        if highest < _AGAINST:
            break
        stays, goes = min(pair for pair, average in averages.items() if average == highest)
        alive[stays] |= alive.pop(goes)
        del links[stays, goes], averages[stays, goes]
        for other in alive:
            if other != stays:
                kept, lost = (min(stays, other), max(stays, other)), (min(goes, other), max(goes, other))
                links[kept].join(links.pop(lost))
                del averages[lost]
                averages[kept] = links[kept].average
    return [frozenset(group) for group in alive.values()]


class _Link:
    """What the pairs between two groups say, taken together."""

    __slots__ = ("alike", "best", "count", "total", "worst")

    def __init__(self) -> None:
        self.count, self.total, self.best, self.worst = 0, 0.0, -math.inf, math.inf
        self.alike = -math.inf  # the best of the pairs in one language, if there are any

    def add(self, score: float, *, one_language: bool) -> None:
        self.count += 1
        self.total += max(_LEAST, min(_MOST_POINTS, score))
        self.best, self.worst = max(self.best, score), min(self.worst, score)
        if one_language:
            self.alike = max(self.alike, score)

    def join(self, other: "_Link") -> None:
        self.count += other.count
        self.total += other.total
        self.best, self.worst = max(self.best, other.best), min(self.worst, other.worst)
        self.alike = max(self.alike, other.alike)

    @property
    def average(self) -> float:
        """Minus infinity where the two groups must not become one."""
        if self.best < 0 or self.worst <= _NEVER or -math.inf < self.alike < -max(self.best, _UNLIKE):
            return -math.inf
        return self.total / self.count


def _forced(order: Iterable[int], together: Collection[tuple[int, int]]) -> list[set[int]]:
    """The groups to begin with: single articles, and those that must be one."""
    group = {id_: {id_} for id_ in order}
    for a, b in together:
        if a in group and b in group and group[a] is not group[b]:
            group[a] |= group[b]
            for id_ in group[b]:
                group[id_] = group[a]
    return list({id(g): g for g in group.values()}.values())
