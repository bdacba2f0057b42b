"""Facts -> Edition: the canonical JSON from which every format is rendered. Pure: no clock, no store, no template.

An edition of day D in a zone covers what was first seen from `digest.at` of D-1 to `digest.at` of D. Sections: lead
(the day's weightiest stories of grade 2), sectors, passing (grade 1), late (published more than 48 h before it was
first seen; more than 14 days: nowhere), changed (edits and withdrawals of what an earlier edition has shown).
"""

import calendar
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crawler.text import sentences, words

SCHEMA = 2  # 1: no trend, no figures; a change names no edition
DAYS = 30  # of the picture of stories a day
WEEKS = 4  # that this week's sectors are held against
LATE = timedelta(hours=48)
TOO_LATE = timedelta(days=14)
LEADS = 3  # stories above the sectors
SENTENCES = 2  # quoted of a story's best article; a third where another country's article says something else
MOST_LINE = 160  # characters of a change
MOST_SENTENCE = 420  # characters; a longer one is cut at a word

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The span of an edition: [since, until), both in UTC."""

    date: date
    zone: ZoneInfo
    period: str  # day | week | month
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FactArticle:
    """An article as it stood when the edition was made."""

    id: int
    story_id: int
    url: str
    title: str
    text: str
    language: str
    source_id: str
    source: str
    country: str
    published_at: datetime | None
    published_precision: str
    first_seen_at: datetime
    grade: int
    score: float
    duplicate_of: int | None
    origin: str
    sectors: Sequence[tuple[str, float]]
    evidence: Sequence[tuple[str, int]]  # (kind of mention, start) in the text
    names: Sequence[str]  # names of the things mentioned in the reader's language, the most telling first
    withdrawn: bool = False
    polled: bool = False  # its source is one newsroom that we visit, not a name under which texts were brought in

    @property
    def at(self) -> datetime:
        return self.published_at or self.first_seen_at

    @property
    def dated(self) -> bool:
        return self.published_at is not None and self.published_precision != "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An edit or a withdrawal of an article that an earlier edition has shown."""

    kind: str  # edited | withdrawn
    at: datetime
    edition: date  # the one that showed it last
    article_id: int
    story_id: int
    title: str
    text: str
    old_title: str
    old_text: str
    url: str
    source: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one source did within the window."""

    id: str
    name: str
    state: str
    since: datetime | None  # last good visit
    visits: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of several values that a story's articles give for one thing."""

    unit: str  # what is counted, a word of the article
    value: str  # as it stands there
    quote: str
    article_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What came before, for the pictures: stories a day, the open day last; stories a sector in this week, and on
    average in a week of the four before."""

    days: Sequence[tuple[date, int]]
    sectors: Sequence[tuple[str, int, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that an edition is made of, as of `created_at`."""

    window: Window
    created_at: datetime
    known_to: datetime  # later than created_at where the clock was behind the database
    language: str  # the reader's
    articles: Sequence[FactArticle]  # all of the stories that have an article within the window
    shown_before: Mapping[int, date]  # stories of earlier editions -> the last of these
    figures: Mapping[int, Sequence[Sequence[Figure]]]  # story -> where its articles disagree
    past: Past
    changes: Sequence[Change]
    sources: Sequence[Health]
    gaps: int
    entries: int  # items looked at within the window
    sector_names: Mapping[str, str]  # in the reader's language; "other" for what is of none


def window(day: date, zone: ZoneInfo, at: time, period: str = "day") -> Window:
    """The span of an edition. A week is the seven, a month the calendar month of days that end at `at` of `day`."""
    until = datetime.combine(day, at, tzinfo=zone)
    if period == "week":
        start = day - timedelta(days=7)
    elif period == "month":
        year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
        start = date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
    else:
        start = day - timedelta(days=1)
    since = datetime.combine(start, at, tzinfo=zone)
    utc = ZoneInfo("UTC")
    return Window(date=day, zone=zone, period=period, since=since.astimezone(utc), until=until.astimezone(utc))


def closed_edition(now: datetime, zone: ZoneInfo, at: time) -> date:
    """The day of the last edition whose window has closed."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= at else local.date() - timedelta(days=1)


def open_edition(now: datetime, zone: ZoneInfo, at: time) -> date:
    """The day of the edition whose window `now` lies in."""
    return closed_edition(now, zone, at) + timedelta(days=1)


def build(facts: Facts) -> Json:
    """The edition as a JSON value; `canonical` makes the bytes of it."""
    by_story: dict[int, list[FactArticle]] = {}
    for article in facts.articles:
        by_story.setdefault(article.story_id, []).append(article)
    items = []
    for story_id in sorted(by_story):
        item = _item(story_id, by_story[story_id], facts)
        if item is not None:
            items.append(item)
    items.sort(key=_weight)
    core = [i for i in items if i["section"] == "core"]
    # New stories first; on a quiet day the weightiest updates join them.
    leads = [*(i for i in core if not i["update"]), *(i for i in core if i["update"])][:LEADS]
    lead_ids = {i["story_id"] for i in leads}
    rest = [i for i in core if i["story_id"] not in lead_ids]
    sectors: dict[str, list[Json]] = {}
    for item in rest:
        sectors.setdefault(item["sectors"][0]["sector"] if item["sectors"] else "other", []).append(item)
    names = facts.sector_names
    seen = [a for a in facts.articles if facts.window.since <= a.first_seen_at < facts.window.until]
    return {
        "schema": SCHEMA,
        "date": facts.window.date.isoformat(),
        "timezone": str(facts.window.zone),
        "period": facts.window.period,
        "from": _utc(facts.window.since),
        "to": _utc(facts.window.until),
        "created_at": _utc(facts.created_at),
        **({"known_to": _utc(facts.known_to)} if facts.known_to > facts.created_at else {}),
        "provisional": facts.created_at < facts.window.until,
        "language": facts.language,
        "summary": _summary(facts, items, seen),
        "lead": leads,
        "sectors": [
            {"sector": sector, "name": names.get(sector, sector.capitalize()), "items": sectors[sector]}
            for sector in sorted(sectors, key=lambda s: (-len(sectors[s]), s))
        ],
        "passing": [i for i in items if i["section"] == "passing"],
        "late": [i for i in items if i["section"] == "late"],
        "changed": [_change(c) for c in sorted(facts.changes, key=lambda c: (c.at, c.article_id))],
        "trend": {
            "days": [{"date": day.isoformat(), "stories": count} for day, count in facts.past.days],
            "sectors": [
                {"sector": s, "name": names.get(s, s.capitalize()), "week": week, "before": before}
                for s, week, before in facts.past.sectors
            ],
        },
    }


def current(edition: Json) -> Json:
    """An edition in the form of today; what an older form did not hold is empty."""
    if edition["schema"] == SCHEMA:
        return edition
    summary = {"sources_late": [], **edition["summary"]}
    story: Json = {"figures": [], "news": None}
    sectors = [{**s, "items": [{**story, **i} for i in s["items"]]} for s in edition["sectors"]]
    return {
        "language": "en",
        "trend": {"days": [], "sectors": []},
        **edition,
        "summary": summary,
        "sectors": sectors,
        **{name: [{**story, **i} for i in edition[name]] for name in ("lead", "passing", "late")},
        "changed": [{"edition": None, "before": "", "after": "", **c} for c in edition["changed"]],
    }


def canonical(edition: Json) -> tuple[str, str]:
    """(text, sha256) of an edition: sorted keys, no blanks, UTF-8."""
    text = json.dumps(edition, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()


def items_of(edition: Json) -> list[tuple[int, str]]:
    """(story, section) of every item, in order."""
    out = [(i["story_id"], "lead") for i in edition["lead"]]
    for sector in edition["sectors"]:
        out += [(i["story_id"], sector["sector"]) for i in sector["items"]]
    out += [(i["story_id"], name) for name in ("passing", "late") for i in edition[name]]
    return out


def _summary(facts: Facts, items: Sequence[Json], seen: Sequence[FactArticle]) -> Json:
    down = [h for h in facts.sources if h.state in ("failing", "blocked", "gone", "throttled")]
    silent = [h for h in facts.sources if h.state in ("stale", "empty")]
    heard = [h for h in facts.sources if h.visits and h.state == "good"]
    late = [h for h in facts.sources if not h.visits and h.since is not None]
    return {
        "stories": len(items),
        "new_stories": sum(not i["update"] for i in items),
        "articles": len({a.id for a in seen}),
        "copies": sum(a.duplicate_of is not None for a in seen),
        "languages": sorted({a.language for a in seen}),
        "pakistani": sum(a.country == "PK" for a in seen),
        "russian": sum(a.country == "RU" for a in seen),
        "other": sum(a.country not in ("PK", "RU") for a in seen),
        "entries": facts.entries,
        "gaps": facts.gaps,
        "sources": len(facts.sources),
        "sources_heard": len(heard),
        "sources_unvisited": sum(not h.visits and h.since is None for h in facts.sources),
        "sources_down": [_health(h) for h in down],
        "sources_silent": [_health(h) for h in silent],
        "sources_late": [_health(h) for h in late],
    }


def _health(health: Health) -> Json:
    return {
        "id": health.id,
        "name": health.name,
        "state": health.state,
        "last_good_at": _utc(health.since) if health.since else None,
        "error": health.error,
    }


def _item(story_id: int, articles: Sequence[FactArticle], facts: Facts) -> Json | None:
    """One story; None where all that is new of it is too old to be news, or told before by the same newsroom."""
    span = facts.window
    fresh = [a for a in articles if span.since <= a.first_seen_at < span.until]
    fresh = [a for a in fresh if not a.dated or a.first_seen_at - a.at <= TOO_LATE]
    # What a newsroom lists anew, under another address, it has told before.
    had = {(a.source_id, a.duplicate_of or a.id) for a in articles if a.polled and a.first_seen_at < span.since}
    fresh = [a for a in fresh if (a.source_id, a.duplicate_of or a.id) not in had]
    if not fresh:
        return None
    late = all(a.dated and a.first_seen_at - a.at > LATE for a in fresh)
    known = [a for a in articles if a.first_seen_at < span.until]
    grade = max(a.grade for a in known)
    ordered = sorted(known, key=lambda a: (a.at, a.id))
    first = ordered[0]
    shown = facts.shown_before.get(story_id)
    told = fresh if shown else known  # an update tells what is new
    best = _best(told, facts.language) or _best(told, "")
    assert best is not None
    originals = [a for a in ordered if a.duplicate_of is None]
    scores: dict[str, float] = {}
    for article in known:
        for sector, score in article.sectors:
            scores[sector] = max(score, scores.get(sector, 0.0))
    return {
        "story_id": story_id,
        "section": "late" if late else "core" if grade == 2 else "passing",
        "update": shown is not None,
        "news": _news(fresh, shown) if shown else None,
        "grade": grade,
        "headline": best.title,
        "headline_language": best.language,
        "gloss": [] if best.language == facts.language else _gloss(best, known, facts),
        "sentences": _sentences(told, best),
        "figures": [_figure(values, known) for values in facts.figures.get(story_id, ())],
        "sectors": [
            {"sector": s, "name": facts.sector_names.get(s, s.capitalize())}
            for s in sorted(scores, key=lambda s: (-scores[s], s))[:4]
        ],
        "languages": sorted({a.language for a in known}),
        "copies": len(known) - len(originals),
        "independent_origins": len({a.origin or a.source_id for a in originals}),
        "pakistani": sum(a.country == "PK" for a in known),
        "russian": sum(a.country == "RU" for a in known),
        "other": sum(a.country not in ("PK", "RU") for a in known),
        "first": {"source": first.source, "at": _utc(first.at), "dated": first.dated, "country": first.country},
        "articles": [
            {
                "id": a.id,
                "title": a.title,
                "url": a.url,
                "source": a.source,
                "country": a.country,
                "language": a.language,
                "published_at": _utc(a.published_at) if a.published_at else None,
                "published_precision": a.published_precision,
                "first_seen_at": _utc(a.first_seen_at),
                "origin": a.origin,
                "copy": a.duplicate_of is not None,
                "new": a in fresh,
                "withdrawn": a.withdrawn,
            }
            for a in ordered
        ],
    }


def _weight(item: Json) -> tuple[float, ...]:
    """Weightiest first: core before passing, more independent origins, both sides, more copies, then the newest."""
    both = bool(item["pakistani"]) and bool(item["russian"])
    return (-item["grade"], item["update"], -item["independent_origins"] - both, -item["copies"], -item["story_id"])


def _best(articles: Sequence[FactArticle], language: str) -> FactArticle | None:
    """The article to quote: of the language, original before copy, the surest, the first."""
    of = [a for a in articles if not language or a.language == language]
    return min(of, key=lambda a: (-a.grade, a.duplicate_of is not None, -a.score, a.at, a.id), default=None)


def _news(fresh: Sequence[FactArticle], shown: date) -> Json:
    """What an update brings: since which edition, how many articles, of whom."""
    ordered = sorted(fresh, key=lambda a: (a.at, a.id))
    return {
        "edition": shown.isoformat(),
        "articles": len(fresh),
        "copies": sum(a.duplicate_of is not None for a in fresh),
        "sources": list(dict.fromkeys(a.source for a in ordered)),
    }


def _figure(values: Sequence[Figure], known: Sequence[FactArticle]) -> Json:
    """A thing that is counted otherwise by different articles: each value with its words and who says so."""
    by_id = {a.id: a for a in known}
    out: dict[str, Json] = {}
    for figure in values:
        article = by_id[figure.article_id]
        entry = {"source": article.source, "country": article.country, "language": article.language,
                 "url": article.url, "quote": figure.quote}  # fmt: skip
        out.setdefault(figure.value, {"value": figure.value, "said": []})["said"].append(entry)
    return {"unit": values[0].unit, "values": list(out.values())}


def _sentences(told: Sequence[FactArticle], best: FactArticle) -> list[Json]:
    """Two sentences where the two sides meet in the best article, else its beginning; and one of an article of another
    country in the same language, where it says something else."""
    out = [_quoted(best, span) for span in _telling(best)[:SENTENCES]]
    said = {word for quote in out for word in words(quote["text"])}
    for other in sorted(told, key=lambda a: (a.at, a.id)):
        if other.country == best.country or other.language != best.language or other.duplicate_of is not None:
            continue
        for span in _telling(other)[:1]:
            quote = _quoted(other, span)
            new = set(words(quote["text"]))
            if new and len(new & said) <= len(new) / 2:
                return [*out, quote]
    return out


def _quoted(article: FactArticle, span: tuple[int, int]) -> Json:
    start, end = span
    text = " ".join(article.text[start:end].split())
    if len(text) > MOST_SENTENCE:
        text = text[:MOST_SENTENCE].rsplit(" ", 1)[0] + " …"
    return {"text": text, "language": article.language, "source": article.source, "url": article.url, "start": start}


def _telling(article: FactArticle) -> list[tuple[int, int]]:
    """The spans of the sentences that carry most evidence, in the order of the text."""
    spans = [s for s in sentences(article.text) if s[1] - s[0] > 40] or sentences(article.text)[:1]
    rated = []
    for i, (start, end) in enumerate(spans[:60]):
        kinds = [kind for kind, at in article.evidence if start <= at < end]
        rate = 2.0 * len(set(kinds)) + min(4, len(kinds)) - 0.25 * i
        rated.append((rate, -i, (start, end)))
    return sorted(span for _, _, span in sorted(rated, reverse=True)[:SENTENCES])


_FIGURE = re.compile(r"(?<!\w)\d+(?:[.,\u00a0 ]\d+)*(?!\w)\s?%?")


def _gloss(best: FactArticle, articles: Sequence[FactArticle], facts: Facts) -> list[str]:
    """Sectors, names and the headline's figures in the reader's language, from the lexicon; no composed sentence."""
    sectors = [facts.sector_names.get(s, s) for a in articles for s, _ in a.sectors[:2]]
    names = [n for a in [best, *articles] for n in a.names]
    figures = [m.group().strip() for m in _FIGURE.finditer(best.title)]
    return [*list(dict.fromkeys([*sectors[:2], *names]))[:7], *dict.fromkeys(figures)]


def _change(change: Change) -> Json:
    before, after = _difference(change.old_text, change.text) if change.kind == "edited" else ("", "")
    return {
        "kind": change.kind,
        "at": _utc(change.at),
        "edition": change.edition.isoformat(),
        "article_id": change.article_id,
        "story_id": change.story_id,
        "title": change.title,
        "old_title": change.old_title,
        "before": before,
        "after": after,
        "url": change.url,
        "source": change.source,
        "language": change.language,
    }


def _difference(old: str, new: str) -> tuple[str, str]:
    """The first sentence that is not what it was, as it was and as it is; "" where it came or went whole."""
    was, now = ([" ".join(t[a:b].split()) for a, b in sentences(t)] for t in (old, new))
    gone, come = ([s for s in one if s not in frozenset(other)] for one, other in ((was, now), (now, was)))
    before, after = (gone[0] if gone else ""), (come[0] if come else "")
    if before and after and len(set(words(before)) & set(words(after))) * 3 < len(set(words(before))):
        before = ""  # two sentences that have little in common are no change of one into the other
    return _short(before), _short(after)


def _short(text: str) -> str:
    return text if len(text) <= MOST_LINE else text[:MOST_LINE].rsplit(" ", 1)[0] + " …"


def _utc(moment: datetime) -> str:
    return moment.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")
