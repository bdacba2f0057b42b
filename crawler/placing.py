"""An article takes its place: the copies it belongs to and its story, written inside the caller's transaction.

Stories are made anew around each article that comes, changes or goes: of all articles that hang together with it,
by links of one event (`story_links`), by the stories that they are in, or by a person's word. What comes out depends on
these articles and on how many there are in their week, not on the order in which they came: where the week became
so busy that more is asked of a pair, the stories of its days are made anew. Every move from one story to another is
recorded.
"""

import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from crawler import cluster
from crawler.app import App
from store.articles import NewArticle
from store.records import Article, State

MOST = 60  # articles that are grouped at a time: a story grows beyond, but only the nearest of it are weighed anew
_NEW = 0  # stands for an article that has no number yet
Pairs = Collection[frozenset[str]]  # of canonical URLs


@dataclass(frozen=True, slots=True)
class Placed:
    article_id: int
    state: State


def place(app: App, new: NewArticle, *, now: datetime, old: Article | None = None, edited: bool = False) -> Placed:
    """Finds the copies and the story of an article and writes it; `old` is the stored article that it replaces.

    Of copies the one that came out first is the original, whichever was found first. What is `edited` stays the copy or
    the original that it was when it came, as the editions have shown it.
    """
    articles = app.store.articles
    me, exclude = (old.id, old.id) if old else (_NEW, None)
    together, apart = app.store.marks.pairs()
    if edited and old is not None:
        original = articles.get(old.duplicate_of) if old.duplicate_of is not None else None
    else:
        original = _original(app, new, exclude, apart=apart)
    profile = cluster.Profile.from_json(new.profile)
    window = timedelta(days=cluster.WINDOW)
    near = articles.neighbours(new.story_keys, since=new.at - window, until=new.at + window, exclude=exclude)
    scores = {a: cluster.likeness(profile, _profile(p)) for a, _, p in near}
    links = {a: score for a, score in scores.items() if score is not None and score >= 0}
    group = _Group(app, together)
    linked = group.take(
        me, profile, day=new.day, url=new.canonical_url, story=old.story_id if old else None, links=links.items()
    )
    if original is not None:
        linked.insert(0, original.id)
        group.copies.add((me, original.id))
    group.grow(linked)
    parts = group.parts(apart)
    target = _target(app, group, parts, new.title, at=new.at, now=now)
    later = original is not None and (original.published_at or original.first_seen_at) > new.at
    duplicate_of = original.id if original is not None and not later else None
    if old is None:
        article_id = articles.add(new, story_id=target.of[me], duplicate_of=duplicate_of, added_at=now)
    else:
        article_id = old.id
        articles.rewrite(article_id, new, story_id=old.story_id, duplicate_of=duplicate_of)
    articles.link(article_id, links)
    mine = next(part for part in parts if me in part)
    _move(app, group, target, mine, _reasons(group, me, mine), by=article_id, now=now)
    if old is None:
        crowded(app, new.day, came=1, by=article_id, now=now)
    elif old.day != new.day:
        crowded(app, old.day, came=-1, by=article_id, now=now)
        crowded(app, new.day, came=1, by=article_id, now=now)
    if original is not None and later:
        for copy in [original.id, *articles.copies(original.id)]:
            if copy != article_id:
                articles.copy_of(copy, article_id)
                app.store.frontier.restate(copy, State.DUPLICATE)
    if duplicate_of is not None:
        for copy in articles.copies(article_id):  # what was copied from a copy
            articles.copy_of(copy, duplicate_of)
    return Placed(article_id, State.DUPLICATE if duplicate_of is not None else State.KEPT)


def crowded(app: App, day: str, *, came: int, by: int, now: datetime) -> None:
    """An article of a day came (1) or went (-1) and is counted: where that changes what is asked of a pair, the
    stories of the days that count it are made anew. That is rare, since more is asked for in steps."""
    articles = app.store.articles
    anew: list[int] = []
    for later, busy in articles.weeks_with(day).items():
        if cluster.crowding(busy) != cluster.crowding(busy - came):
            anew += articles.linked_of(later)
    seen: set[int] = set()
    for article_id in anew:
        if article_id not in seen:
            why = f"more articles in the week around {day}" if came > 0 else f"fewer articles in the week around {day}"
            seen |= regroup(app, [article_id], by=by, reason=why, now=now)


def regroup(app: App, article_ids: Iterable[int], *, by: int, reason: str, now: datetime) -> set[int]:
    """Makes the stories anew around articles: one of them went, a person said what belongs together, or their week
    became busier. Returns the articles that were weighed."""
    together, apart = app.store.marks.pairs()
    group = _Group(app, together)
    group.grow(list(article_ids))
    if not group.profiles:
        return set()
    first = min(group.profiles)
    parts = group.parts(apart)
    target = _target(app, group, parts, "", at=group.profiles[first].at, now=now)
    _move(app, group, target, group.profiles, (reason,), by=by, now=now)
    return set(group.profiles)


def settle(app: App, story_id: int) -> None:
    """Headline, times and disputed figures of a story again from its articles; a story without any goes.

    The figures of the MOST articles that came last are compared: all with all.
    """
    articles = app.store.articles
    app.store.stories.refresh(story_id)
    members = [m for m in map(articles.member, articles.beside(story_id)[-MOST:]) if m.duplicate_of is None]
    said = {m.id: _profile(m.profile).figures for m in members} if len(members) > 1 else {}
    app.store.stories.dispute(
        story_id,
        [
            (dispute.unit, value, article_id, figure.field, figure.start, figure.length)
            for dispute in cluster.disputes(said)
            for value, side in dispute.sides.items()
            for article_id, figure in side
        ],
    )


def _original(app: App, new: NewArticle, exclude: int | None, *, apart: set[frozenset[str]]) -> Article | None:
    """The first of the copies that an article belongs to; what a person has set apart is no copy."""
    articles = app.store.articles
    # A source that ingest made may hold the texts of many newsrooms; a polled one is its own.
    house = urlsplit(new.url).netloc if app.store.sources.get(new.source_id).kind != "none" else ""
    candidates = [
        cluster.Candidate(
            article_id=n.article_id,
            shared=n.shared,
            size=n.size,
            at=n.at,
            one_house=bool(house) and house == urlsplit(n.url).netloc,
        )
        for n in articles.near(new.fingerprint, exclude=exclude)
        if not apart or frozenset((new.canonical_url, articles.get(n.article_id).canonical_url)) not in apart
    ]
    copied = cluster.copy_of(
        new.fingerprint, candidates, text=new.text, at=new.at, text_of=lambda id_: articles.get(id_).text
    )
    original = articles.get(copied) if copied is not None else None
    if original is not None and original.duplicate_of not in (None, exclude):
        first = articles.get(original.duplicate_of)
        return original if frozenset((new.canonical_url, first.canonical_url)) in apart else first
    return original


@lru_cache(maxsize=256)  # 30 kB each
def _profile(stored: str) -> cluster.Profile:
    """A stored profile; a neighbour's is asked for by each article that comes near it."""
    return cluster.Profile.from_json(json.loads(stored))


# --- which articles hang together ---------------------------------------------------------------------------------


class _Group:
    """Articles that hang together: by links, by the stories that they are in, by a person's word. MOST at most."""

    def __init__(self, app: App, together: Pairs) -> None:
        self._articles = app.store.articles
        self._together = together
        self._partners: dict[str, list[str]] = defaultdict(list)
        for a, b in map(sorted, together):
            self._partners[a].append(b)
            self._partners[b].append(a)
        self._busy: dict[int, int] = {}
        self._ids: dict[str, int] = {}  # canonical URL -> article
        self._expanded: set[int | None] = set()  # stories whose articles stand in the queue
        self.profiles: dict[int, cluster.Profile] = {}
        self.stories: dict[int, int] = {}  # article -> the story it is in; a new one is in none
        self.copies: set[tuple[int, int]] = set()

    def take(
        self,
        id_: int,
        profile: cluster.Profile,
        *,
        day: str,
        url: str,
        story: int | None,
        links: Iterable[tuple[int, float]],
    ) -> list[int]:
        """Takes an article in; returns those that hang together with it, the likest first."""
        self.profiles[id_], self._ids[url] = profile, id_
        self._busy[id_] = self._articles.busy(day) + (id_ == _NEW)
        if story is not None:
            self.stories[id_] = story
        least = cluster.crowding(self._busy[id_])
        linked = [a for a, score in sorted(links, key=lambda link: (-link[1], link[0])) if score >= least]
        mates = self._articles.beside(story) if story is not None and story not in self._expanded else []
        self._expanded.add(story)
        named = [self._articles.by_canonical(other) for other in self._partners.get(url, ())]
        return [*linked, *mates, *(a.id for a in named if a is not None)]

    def grow(self, queue: list[int]) -> None:
        """Takes in what hangs together with what is there, the nearest first."""
        while queue and len(self.profiles) < MOST:
            id_ = queue.pop(0)
            if id_ in self.profiles:
                continue
            member = self._articles.member(id_)
            if member.duplicate_of is not None:
                self.copies.add((id_, member.duplicate_of))
            queue += self.take(
                id_,
                _profile(member.profile),
                day=member.day,
                url=member.canonical_url,
                story=member.story_id,
                links=self._articles.links(id_),
            )

    def parts(self, apart: Pairs) -> list[frozenset[int]]:
        """The stories that they make up."""
        split = self._pairs(apart)
        copies = [pair for pair in self.copies if not {pair, pair[::-1]} & split]
        return cluster.partition(
            self.profiles, busy=self._busy, together=[*copies, *self._pairs(self._together)], apart=split
        )

    def _pairs(self, named: Pairs) -> set[tuple[int, int]]:
        """Pairs of URLs as articles, where both are in the group."""
        ids = self._ids
        return {(ids[a], ids[b]) for a, b in map(sorted, named) if a in ids and b in ids}


# --- which stories they make --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Target:
    of: dict[int, int] = field(default_factory=dict)  # article -> the story that it belongs to
    gone: dict[int, int] = field(default_factory=dict)  # story that becomes part of another -> that one


def _target(
    app: App, group: _Group, parts: Sequence[frozenset[int]], headline: str, *, at: datetime, now: datetime
) -> _Target:
    """The story of each part: an old one goes where most of its articles are; of several that meet the oldest stays."""
    heirs: dict[int, list[int]] = {n: [] for n in range(len(parts))}
    target = _Target()
    for story in sorted(set(group.stories.values())):
        held = [sum(group.stories.get(id_) == story for id_ in part) for part in parts]
        heir = held.index(max(held))
        if heirs[heir]:
            target.gone[story] = heirs[heir][0]
        heirs[heir].append(story)
    for n, part in enumerate(parts):
        stays = heirs[n][0] if heirs[n] else app.store.stories.open(headline, at=at, now=now)
        target.of.update(dict.fromkeys(part, stays))
    return target


def _reasons(group: _Group, me: int, part: frozenset[int]) -> tuple[str, ...]:
    """Why the article belongs to its story: of each story that came into it, its nearest article."""
    nearest: dict[int, tuple[float, int]] = {}
    for id_ in sorted(part - {me}):
        score = cluster.likeness(group.profiles[me], group.profiles[id_])
        story = group.stories[id_]
        if story not in nearest or (score is not None and score > nearest[story][0]):
            nearest[story] = -math.inf if score is None else score, id_
    out = []
    for _, id_ in sorted(nearest.values(), key=lambda n: (-n[0], n[1])):
        verdict = cluster.same_event(group.profiles[me], group.profiles[id_])
        copy = "copy; " if (me, id_) in group.copies else ""
        out.append(f"article {id_}: {copy}{'; '.join(verdict.reasons)}")
    return tuple(out)


def _move(
    app: App,
    group: _Group,
    target: _Target,
    explained: Collection[int],
    reasons: Sequence[str],
    *,
    by: int,
    now: datetime,
) -> None:
    """Moves the articles whose story is another now; `reasons` hold for those that are `explained`."""
    stories = app.store.stories
    moved: dict[int, list[int]] = defaultdict(list)
    for id_, story in group.stories.items():
        if target.of[id_] != story:
            why = reasons if id_ in explained else (f"hangs together with others since article {by}",)
            stories.move(id_, target.of[id_], by=by, reasons=why, now=now)
            moved[story].append(id_)
    for gone, stays in target.gone.items():
        if not app.store.articles.beside(gone):
            ids = [id_ for id_ in moved[gone] if target.of[id_] == stays]
            stories.merged(gone, stays, articles=ids, by=by, reasons=reasons, now=now)
    for story in sorted({*group.stories.values(), *target.of.values()}):
        settle(app, story)
