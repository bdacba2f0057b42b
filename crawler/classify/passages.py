"""A text as evidence: where its two sides stand, sentence by sentence, once everything that only looks like them is
masked. Pure; what relevance and sectors are judged from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as filled
from urllib.parse import urlsplit

from crawler.lexicon import Hit, Label, Lexicon, guarded_spans
from crawler.text import Folded, fold, sentences
from crawler.types import Text

LIST = 5  # countries in a row that make a list; four parties can still be a meeting
MOST = 60_000  # code points of a text that are judged; the rest of a longer one is not looked at
_ADDRESSES = (  # each with what there must be of it in a text
    (("://", "www."), re.compile(r"(?:https?://|www\.)\S+")),
    (("@",), re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}\.\w+")),
    (
        (".com", ".ru", ".pk", ".org", ".net", ".ua", ".info"),
        re.compile(r"\b[\w-]+\.(?:com|ru|pk|org|net|ua|info)\b\S*"),
    ),
)
# "... - Pakistan - DAWN.COM": the section and the site, not the headline.
_SITE = re.compile(r"(?: [-|] \w[\w &]{1,24})? [-|] [\w-]+\.(?:com|ru|pk|tv|org|net)\S*$")
_AFTER_PLACE = re.compile(
    r"[^\n:(/\[.]{0,28}?"
    r"(?:\s*\([^)\n]{0,90}\)\s*[:-]?|\s*/[^/\n]{1,40}/\s*[-.:]?|\s*\[[^\]\n]{0,30}\][^:\n]{0,40}:|\s*:|\s+- )"
)
_AFTER_DATE = re.compile(r"(?:,|\.)?\s*\d{1,2}\s+\w{2,9}\.?\s*(?:/[^/\n]{1,40}/|\([^)\n]{1,40}\)|-)")
_COUNT_JOIN = re.compile(
    r"[\s,،;/&()\"'-]*(?:and|as well as|и|с|а также|اور|نیز|و|, и)?[\s,،\"'-]*(?:the |the republic of )?"
)
_IN = re.compile(r"\b(?:in|в|во) $")
_STOP = frozenset(".!?…۔؟:\"')»”")


@dataclass(slots=True)
class Sentence:
    """One sentence (or the title) in code points of the folded field, and what stands in it."""

    field: str
    start: int
    end: int
    order: int  # 0: title; 1, 2, ... : sentences of the text
    stray: bool = False  # a line without an end: a heading, a link to another story
    hits: list[Hit] = filled(default_factory=list)  # evidence alone
    labels: list[Label] = filled(default_factory=list)
    counts: dict[str, int] = filled(default_factory=dict)  # word class -> how often
    sides: frozenset[str] = frozenset()  # sides with evidence outside long lists
    listed: frozenset[str] = frozenset()  # sides that stand in a list of LIST countries or more
    busy: frozenset[str] = frozenset()  # sides named beside a rival: "Russia and Ukraine"
    foreign: frozenset[str] = frozenset()  # other countries
    bridge: bool = False
    run_of_two: bool = False  # "Pakistan and Russia", nobody else
    coupled: bool = False  # one side and one third country in a row: "Russia and China"
    few: bool = False  # three or four parties in a row, both sides among them
    gap: int = 1000  # characters between the two sides, nearest mentions; 1000: not both here
    between: bool = False  # another country stands between the nearest mentions

    @property
    def pair(self) -> bool:
        """Both sides, in what can be a dealing: no vote, ranking or earthquake, unless with a word of contact."""
        if self.bridge:
            return True
        return len(self.sides) == 2 and (self.count("contact") > 0 or not self.apart)

    @property
    def apart(self) -> bool:
        return any(self.count(word_class) for word_class in ("vote", "rank", "apart"))

    def count(self, word_class: str) -> int:
        return self.counts.get(word_class, 0)


@dataclass(slots=True)
class Passages:
    """The whole text. `hits` are all names found (by field), evidence or not; `masked` the spans that prove nothing."""

    folded: dict[str, Folded]
    source: dict[str, str]
    sides: tuple[str, str]
    rivals: frozenset[str]
    capitals: frozenset[str]
    past: frozenset[str]
    hits: dict[str, list[Hit]]
    evidence: dict[str, list[Hit]]
    sentences: list[Sentence]
    context: str  # the side that the source or the dateline stands for, or ""
    home: bool = False  # the source is known to be of one of the sides, not only by its address or dateline
    labelled: bool = False

    @property
    def found(self) -> frozenset[str]:
        """Sides with evidence anywhere."""
        return frozenset(side for hits in self.evidence.values() for hit in hits for side in hit.thing.sides)


_COUNTRY_OF_ENDING = {"pk": "PK", "ru": "RU", "su": "RU", "рф": "RU", "xn--p1ai": "RU"}


def context_of(text: Text, lexicon: Lexicon) -> str:
    """The side that a source stands for: its country, or else what its address says, or else its language."""
    country = text.country.upper()
    name = ""
    if not country and text.url:
        try:
            name = urlsplit(text.url).hostname or ""
        except ValueError:
            name = ""
        country = _COUNTRY_OF_ENDING.get(name.rsplit(".", 1)[-1], "")
    if not country and len(name.rsplit(".", 1)[-1]) != 2:  # no other country's address
        country = lexicon.locales.get(text.language, "")
    return country if country in lexicon.sides else ""


def read(text: Text, lexicon: Lexicon) -> Passages:
    """Hits, masks and evidence; sentences only where both sides could be meant (else the list is empty)."""
    source = {"title": text.title, "text": text.text[:MOST]}
    folded = {name: fold(value) for name, value in source.items()}
    hits = {name: lexicon.hits(value) for name, value in folded.items()}
    context = context_of(text, lexicon)
    passages = Passages(
        folded=folded,
        source=source,
        sides=lexicon.sides,
        rivals=lexicon.rivals,
        capitals=lexicon.capitals,
        past=lexicon.past,
        hits=hits,
        evidence={},
        sentences=[],
        context=context,
        home=text.country.upper() in lexicon.sides,
    )
    named = {side for found in hits.values() for hit in found for side in hit.thing.sides}
    if len(named) < 2 and not (named and context and context not in named):
        passages.evidence = {name: _supported(hits, hits[name], context) for name in hits}
        return passages
    masked: dict[str, list[tuple[int, int]]] = {}
    for name, value in folded.items():
        masked[name], dateline = _masks(value, hits[name], lexicon, name)
        if not context and dateline:
            passages.context = dateline
    open_hits = {
        name: [h for h in found if not any(a <= h.start < b for a, b in masked[name])] for name, found in hits.items()
    }
    evidence = {name: _supported(open_hits, found, passages.context) for name, found in open_hits.items()}
    passages.evidence = _without_sources(evidence)
    if len(passages.found) == 2 or (passages.found and passages.context):
        _cut(passages, lexicon)
    return passages


def _supported(everywhere: dict[str, list[Hit]], found: list[Hit], context: str) -> list[Hit]:
    """Strong hits, and weak ones with support: a strong hit of the same thing or side, or a source of that side."""
    strong_things = {h.thing.name for hits in everywhere.values() for h in hits if not h.weak}
    strong_sides = {side for hits in everywhere.values() for h in hits if not h.weak for side in h.thing.sides}
    supported = {"person": strong_sides | {context}, "body": strong_sides | {context}, "place": strong_sides}
    return [
        h
        for h in found
        if not h.weak
        or h.thing.name in strong_things
        or (h.thing.sides and h.thing.sides <= supported.get(h.thing.kind, set()))
    ]


def _is_outlet(hit: Hit) -> bool:
    return hit.thing.kind in ("body", "project") and "media" in hit.thing.sectors and bool(hit.thing.sides)


def _without_sources(evidence: dict[str, list[Hit]]) -> dict[str, list[Hit]]:
    """An outlet is quoted far more often than it is the matter: it counts where the title or both sides name one."""
    outlets = [h for hits in evidence.values() for h in hits if _is_outlet(h)]
    if not outlets:
        return evidence
    sides = {side for h in outlets for side in h.thing.sides}
    if any(_is_outlet(h) for h in evidence["title"]) or len(sides) > 1:
        return evidence
    return {name: [h for h in hits if not _is_outlet(h)] for name, hits in evidence.items()}


def _masks(folded: Folded, hits: list[Hit], lexicon: Lexicon, name: str) -> tuple[list[tuple[int, int]], str]:
    """Spans that prove nothing, and the side that a dateline stands for."""
    text = folded.text
    spans = [*lexicon.masked(text), *guarded_spans(_ADDRESSES, text)]
    side = ""
    if name == "title":
        spans.extend(m.span() for m in _SITE.finditer(text))
    else:
        for hit in hits:
            if hit.start > 400:
                break
            line = text.rfind("\n", 0, hit.start) + 1
            if hit.start - line > 2 or hit.thing.kind not in ("place", "side"):
                continue
            match = _AFTER_DATE.match(text, hit.end) or (
                hit.thing.kind == "place" and _AFTER_PLACE.match(text, hit.end)
            )
            if match:
                spans.append((line, match.end()))
                if not side and len(hit.thing.sides) == 1:
                    side = next(iter(hit.thing.sides))
    return spans, side


def _cut(passages: Passages, lexicon: Lexicon) -> None:
    """Sentences with their hits and labels."""
    order = 0
    for name in ("title", "text"):
        folded = passages.folded[name]
        spans = [(0, len(folded.text))] if name == "title" else list(_clauses(folded))
        evidence = passages.evidence[name]
        labels = lexicon.labels(folded)
        at_hit = at_label = 0
        for start, end in spans:
            sentence = Sentence(field=name, start=start, end=end, order=order if name == "title" else order + 1)
            order = sentence.order
            while at_hit < len(evidence) and evidence[at_hit].start < end:
                sentence.hits.append(evidence[at_hit])
                at_hit += 1
            while at_label < len(labels) and labels[at_label].start < end:
                label = labels[at_label]
                sentence.labels.append(label)
                if label.kind == "word":
                    sentence.counts[label.name] = sentence.counts.get(label.name, 0) + 1
                at_label += 1
            sentence.stray = name == "text" and _stray(folded.text, start, end, order)
            _weigh(sentence, folded.text, lexicon.rivals)
            passages.sentences.append(sentence)
    passages.labelled = True


def _clauses(folded: Folded) -> Iterable[tuple[int, int]]:
    """Sentences, parted at semicolons too: "ties with China are old; those with Russia grow"."""
    for start, end in sentences(folded.cased):
        at = folded.text.find("; ", start + 20, end - 20)
        while at >= 0:
            yield start, at + 1
            start = at + 2
            at = folded.text.find("; ", start + 20, end - 20)
        yield start, end


def _stray(text: str, start: int, end: int, order: int) -> bool:
    if end - start > 130 or text[end - 1] in _STOP or order <= 1:
        return False
    return (start == 0 or "\n" in text[max(0, start - 3) : start]) and (end >= len(text) or "\n" in text[end : end + 3])


def _weigh(sentence: Sentence, text: str, rivals: frozenset[str]) -> None:
    """Sides, lists, nearness."""
    hits = sentence.hits
    if not hits:
        return
    in_list: set[int] = set()
    in_run: set[int] = set()
    busy: set[int] = set()
    coupled: frozenset[str] = frozenset()  # "Russia and China"
    for run in _runs(hits, text):
        countries = {_country(hits[i]) for i in run}
        in_run.update(run)
        both = len({s for i in run for s in hits[i].thing.sides}) == 2
        if 2 < len(countries) < LIST and both:
            sentence.few = True
        if len(countries) >= LIST or (len(countries) == LIST - 1 and not both):  # four parties can meet
            in_list.update(run)
        elif len(countries) == 2 and countries & rivals:
            busy.update(run)
        elif len(countries) == 2 and any(hits[i].thing.foreign for i in run):
            coupled = frozenset(countries)
        elif len(countries) == 2 and {s for i in run for s in hits[i].thing.sides}:
            sentence.run_of_two = len({s for i in run for s in hits[i].thing.sides}) == 2
    sentence.bridge = any(len(h.thing.sides) == 2 for h in hits)
    sentence.sides = frozenset(s for i, h in enumerate(hits) if i not in in_list | busy for s in h.thing.sides)
    sentence.listed = frozenset(s for i in in_list for s in hits[i].thing.sides)
    sentence.busy = frozenset(s for i in busy for s in hits[i].thing.sides)
    if not sentence.count("via"):  # a country that goods pass through is no party
        met = not sentence.order and len(sentence.sides) == 2 and not sentence.few  # in a title: no words to spare
        sentence.foreign = frozenset(
            h.thing.foreign
            for i, h in enumerate(hits)
            if h.thing.foreign and not (met and i not in in_run and _venue(h, text))
        )
    sentence.coupled = bool(coupled)
    # "Premiers of Russia and China met in Islamabad": one side is but the place.
    if coupled and not coupled & rivals and len(sentence.sides) == 2:
        others = [h for h in hits if h.thing.sides and not h.thing.sides & coupled]
        if others and all(h.thing.kind == "place" for h in others):
            sentence.sides &= coupled
    if sentence.bridge:
        sentence.gap = 0
        return
    last: dict[str, int] = {}
    for i, hit in enumerate(hits):
        if i in in_list or i in busy or len(hit.thing.sides) != 1:
            continue
        side = next(iter(hit.thing.sides))
        for other, j in last.items():
            gap = hit.start - hits[j].end
            if other != side and gap < sentence.gap:
                sentence.gap = max(0, gap)
                sentence.between = any(hits[k].thing.foreign in sentence.foreign for k in range(j + 1, i))
        last[side] = i


def _venue(hit: Hit, text: str) -> bool:
    """ "met in Beijing", в Пекине, بیجنگ میں: where they meet is no party."""
    return bool(_IN.search(text, max(0, hit.start - 4), hit.start) or text.startswith(" میں", hit.end))


def _country(hit: Hit) -> str:
    return hit.thing.foreign or "+".join(sorted(hit.thing.sides))


def _runs(hits: list[Hit], text: str) -> Iterable[list[int]]:
    """Runs of names of countries that follow one another with nothing but commas and "and" between."""
    run: list[int] = []
    for i, hit in enumerate(hits):
        if not hit.thing.sides and not hit.thing.foreign:
            continue
        bare = run and (hit.thing.kind != "side" or hits[run[-1]].thing.kind != "side")
        between = text[hits[run[-1]].end : hit.start] if run else ""
        if run and _COUNT_JOIN.fullmatch(between) and (not bare or between.strip()):
            run.append(i)
            continue
        if len(run) > 1:
            yield run
        run = [i]
    if len(run) > 1:
        yield run
