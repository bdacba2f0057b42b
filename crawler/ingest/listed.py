"""What a source listed: its visit and the items of it in the ledger, each in the state that its words call for."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from crawler import VERSION, schedule, urls
from crawler.app import App
from crawler.classify import worth_fetching
from crawler.config import SourceConfig
from crawler.ingest.articles import MOST_TITLE, clean
from crawler.text import fold
from crawler.types import Entry, Moment, Reading
from store.frontier import Known, NewEntry, words_sha256
from store.records import Listed, Outcome, State, Validators, Visit, utc_text
from store.visits import Gap

MOST_FEED_TEXT = 20_000  # characters of a feed's own text kept until the page is read
FEW = 5  # items of a visit under which that all are new says nothing about the site
REMEMBERED = 2_000  # items of a source among which those of a changed site are looked for
TELLING = 20  # letters of a title from which it names one item
GAP_REST = timedelta(days=3)  # a gap that could not be filled by then never will be: lists and feeds are short
WITNESS = "witness: compared with what we have, never an article"
NOT_WORTH = "title and summary do not name both sides"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a visit listed: the items that the ledger has by that key, and those that are new or have new words."""

    known: dict[str, Known]
    fresh: list[NewEntry]
    same: Mapping[str, Listed]  # by block: items that were not read, since they stood in the last list as they are
    blocks: Mapping[str, Entry]  # by key: items that need not be read if they stand in the next one

    @property
    def overlap(self) -> int:
        """How many items are in the ledger already."""
        return len(self.known) + len(self.same)

    @property
    def seen(self) -> int:
        return self.overlap + sum(entry.key not in self.known for entry in self.fresh)


def settle_visit(
    app: App,
    source: SourceConfig,
    visit: Visit,
    *,
    listed: Listing | None,
    validators: Validators,
    schedule: schedule.Decision,
    now: datetime,
    full: bool = True,
) -> Visit:
    """Writes a visit: its entries first, then validators, outcome and the next time, in one transaction.

    `listed`: what it read, as `look_up` gave it in the same breath. `full`: the visit was unconditional. A visit that
    read entries comes back with its counts, and with the outcome unchanged where none was new.
    """
    state = app.store.sources.get(source.id)
    with app.store.transaction():
        if listed is not None:
            listed, renamed = _recognised(app, source, listed)
            new, ids = _write_entries(app, source, listed, now=now)
            visit = _count(visit, new, listed.overlap)
            if source.kind == "feed":
                _keep_list(app, source, listed, ids)
            if renamed:
                told = f"all {len(listed.fresh)} items are new, and {renamed} of them known under other addresses"
                visit = replace(visit, renamed=renamed, error="; ".join(filter(None, (visit.error, told))))
        visit_id = app.store.visits.add(visit)
        first = state.last_good_at is None
        if visit.overlap == 0 and visit.entries_seen and not (first or visit.renamed) and source.role == "source":
            app.store.visits.gap(visit_id, source.id, since=state.last_good_at, until=now)
        app.store.sources.visited(
            source.id,
            at=now,
            outcome=visit.outcome,
            state=visit.outcome.state,
            good=visit.outcome.good,
            error=visit.error,
            validators=validators,
            next_due_at=schedule.next_due_at,
            interval_s=schedule.interval_s,
            consecutive_failures=schedule.consecutive_failures,
            visits_since_full=0 if full else state.visits_since_full + 1,
            moved_to=visit.moved_to,
        )
    return visit


def _count(visit: Visit, new: int, overlap: int) -> Visit:
    outcome = Outcome.UNCHANGED if visit.outcome is Outcome.NEW and not new else visit.outcome
    return replace(visit, outcome=outcome, entries_seen=new + overlap, entries_new=new, overlap=overlap)


def entry_key(entry: Entry) -> str:
    """What makes an item the same at the next visit: its page; without a link its id, without both its title.

    The link before the guid: sites change guids with their software, and give one guid to different pages.
    """
    if entry.url:
        return urls.canonical(entry.url)
    return entry.id or "title:" + hashlib.sha256(entry.title.encode()).hexdigest()[:32]


def _new_entry(app: App, source: SourceConfig, entry: Entry) -> NewEntry:
    """How an item would enter the ledger: with the state that its source and its words call for."""
    state, reason = State.PENDING, ""
    canonical = urls.canonical(entry.url) if entry.url else ""
    if source.role == "witness":
        state, reason = State.REJECTED, WITNESS
    elif entry.url is None:
        state, reason = State.REJECTED, "no usable link"
    elif canonical == urls.canonical(source.url):
        state, reason = State.REJECTED, "leads to the list itself"
    elif urls.is_search_link(entry.url):
        state, reason = State.REJECTED, "a search link is no article"
    elif source.fetch_pages == "candidates" and not worth_fetching(
        entry.title,
        f"{entry.summary}\n{entry.content}",
        language=source.language,
        country=source.country,
        lexicon=app.lexicon,
    ):
        state, reason = State.REJECTED, NOT_WORTH
    published = entry.published or Moment(instant=None)
    title, summary, content = _words(entry)
    waiting = state is State.PENDING
    return NewEntry(
        key=canonical or entry_key(entry),
        guid=clean(entry.id)[:1000],
        url=entry.url,
        canonical_url=canonical,
        title=title,
        summary=summary if waiting else "",
        content=content if waiting else "",
        author=clean(entry.author)[:MOST_TITLE],
        publisher=clean(entry.publisher)[:MOST_TITLE],
        published_at=published.instant,
        published_precision=published.precision,
        state=state,
        reason=reason,
        judged=_judged_sha256(app, source, (title, summary, content)) if reason == NOT_WORTH else "",
    )


def look_up(
    app: App, source: SourceConfig, reading: Reading, *, before: Mapping[str, Listed] = MappingProxyType({})
) -> Listing:
    """Nearly all of a list was there at the visit before: words are compared first, and judged where they differ.
    `before`: the list that the reading's `same` refers to."""
    keys = list(map(entry_key, reading.entries))
    by_key = dict(zip(keys, reading.entries, strict=True))  # an item listed twice is one
    times = Counter(keys)
    known = app.store.frontier.known(source.id, list(by_key))
    changed = [e for key, e in by_key.items() if key not in known or not _same_words(app, source, known[key], e)]
    return Listing(
        known=known,
        fresh=[_new_entry(app, source, entry) for entry in changed],
        same={block: before[block] for block in reading.same},
        blocks={key: entry for key, entry in by_key.items() if entry.block and times[key] == 1},
    )


def last_list(app: App, source: SourceConfig) -> dict[str, Listed]:
    """The items that need not be read where they stand in the source's list as they did, by block."""
    return app.store.sources.last_list(source.id, _judged_by(app, source))


def relisted(app: App, source: SourceConfig, reading: Reading, *, before: Mapping[str, Listed]) -> bool:
    """Does a reading list an item a second time, in other words than where it was left out? Then all is to be read."""
    same = {before[block].entry_id for block in reading.same}
    keys = list({entry_key(entry) for entry in reading.entries}) if same else []
    return any(known.id in same for known in app.store.frontier.known(source.id, keys).values())


def _keep_list(app: App, source: SourceConfig, listed: Listing, ids: Mapping[str, int]) -> None:
    items = {
        entry.block: Listed(entry_id=ids[key], published=published_s(entry)) for key, entry in listed.blocks.items()
    }
    app.store.sources.keep_list(source.id, _judged_by(app, source), {**listed.same, **items})


def published_s(entry: Entry) -> int | None:
    """When an item was published, in seconds since 1970."""
    instant = entry.published.instant if entry.published else None
    return None if instant is None else int(instant.timestamp())


def _judged_by(app: App, source: SourceConfig) -> str:
    """Of what an item's first state follows from beside its words."""
    return words_sha256(
        VERSION, app.lexicon.hash, source.url, source.role, source.language, source.country, source.fetch_pages
    )


def _words(entry: Entry) -> tuple[str, str, str]:
    """An item's words as the ledger keeps them."""
    return clean(entry.title)[:MOST_TITLE], clean(entry.summary)[:MOST_FEED_TEXT], clean(entry.content)[:MOST_FEED_TEXT]


def _judged_sha256(app: App, source: SourceConfig, words: tuple[str, str, str]) -> str:
    """Of words that have been judged; by another lexicon, or for another source, they would be judged anew."""
    return words_sha256(*words, app.lexicon.hash, source.language, source.country)


def _same_words(app: App, source: SourceConfig, old: Known, entry: Entry) -> bool:
    words = _words(entry)
    if old.item_sha256 == words_sha256(*words):
        return True
    return source.fetch_pages == "candidates" and old.item_sha256 == _judged_sha256(app, source, words)


def _write_entries(app: App, source: SourceConfig, listed: Listing, *, now: datetime) -> tuple[int, Mapping[str, int]]:
    """How many were new, and the rows of all that were read by key. A known item whose words changed is looked at
    again."""
    frontier = app.store.frontier
    ids = {key: known.id for key, known in listed.known.items()}
    for entry in listed.fresh:
        old = listed.known.get(entry.key)
        if old is None:
            ids[entry.key] = frontier.add(source.id, _beside(app, entry, source, now=now), now=now)
        elif old.reason == WITNESS:
            continue
        elif entry.state is not State.REJECTED:
            frontier.reword(old.id, entry, again=old.state in (State.REJECTED, State.FAILED, State.BLOCKED))
            if old.article_id is not None:
                app.store.articles.postpone(old.article_id, recheck_at=now)
        elif entry.judged and old.reason == NOT_WORTH:
            frontier.judged(old.id, entry.judged)
    there = [*(known.id for known in listed.known.values()), *(item.entry_id for item in listed.same.values())]
    frontier.seen(there, now=now)
    return len(ids) - len(listed.known), ids


def _recognised(app: App, source: SourceConfig, listed: Listing) -> tuple[Listing, int]:
    """Items of a source all of whose items are new, with the states of those that it listed before under other
    addresses; and how many these are. 0: the site has not changed.

    A site that changes its software lists its old items anew. They are known by their titles, a short one only where
    the time is the same; two old items of one title are told apart by their times, or not at all. A third of all must
    be known: one headline may come again.
    """
    found = listed.fresh
    if len(found) < FEW or source.role == "witness" or listed.overlap:
        return listed, 0
    before: dict[str, list[tuple[Known, Any]]] = {}
    for old, row in app.store.frontier.lately(source.id, REMEMBERED):
        before.setdefault(_named(row["title"]), []).append((old, row))
    out, renamed = [], 0
    for entry in found:
        title, at = _named(entry.title), utc_text(entry.published_at) if entry.published_at else None
        rows = before.get(title, [])
        same = [(old, row) for old, row in rows if at is not None and row["published_at"] == at] or rows
        pages = {old.article_id or row["canonical_url"] for old, row in same}
        sure = len(pages) == 1 and (len(title) >= TELLING or (at is not None and same[0][1]["published_at"] == at))
        if sure:
            renamed += 1
        out.append(_settled_as(entry, same[0][0]) if sure and entry.state is State.PENDING else entry)
    return (replace(listed, fresh=out), renamed) if 3 * renamed >= len(found) else (listed, 0)


def _named(title: str) -> str:
    """A title as it is compared: sites change quotes, dashes and blanks with their software."""
    return "".join(c for c in fold(title).text if c.isalnum())


def _beside(app: App, entry: NewEntry, source: SourceConfig, *, now: datetime) -> NewEntry:
    """An item whose page another source has led to already takes that page's state.

    What was judged by a feed's words alone is read, once a source lists it whose pages are fetched.
    """
    if entry.state is not State.PENDING:
        return entry
    other = app.store.frontier.same_page(entry.canonical_url)
    feed_only = app.config.feed_only
    unread = other is not None and app.store.frontier.listed_by(entry.canonical_url) <= feed_only
    if other is not None and unread and source.id not in feed_only:
        if other.article_id is None:
            return entry
        app.store.articles.postpone(other.article_id, recheck_at=now)
    if (
        other is None
        or other.state is State.PENDING
        or (source.id in feed_only and other.state in (State.BLOCKED, State.FAILED))
        or other.reason in (WITNESS, NOT_WORTH)
    ):
        return entry
    return _settled_as(entry, other)


def _settled_as(entry: NewEntry, other: Known) -> NewEntry:
    """An item in the state of another one that is the same page."""
    return replace(
        entry,
        state=other.state,
        reason=other.reason,
        article_id=other.article_id,
        score=other.score,
        summary="",
        content="",
    )


def settle_gaps(app: App, source: SourceConfig, gaps: Sequence[Gap], reading: Reading, *, now: datetime) -> int:
    """Writes what a backfill found and closes its gaps, in one transaction; returns how many items are new."""
    listed = look_up(app, source, reading)
    with app.store.transaction():
        new, _ = _write_entries(app, source, listed, now=now)
        for i, gap in enumerate(gaps):
            app.store.visits.close_gap(gap.id, at=now, found=0 if i else new)
    return new


def gaps_tried(app: App, gaps: Sequence[Gap], *, now: datetime) -> None:
    """The site did not answer: the gaps stay open for the next visit, but not for ever."""
    with app.store.transaction():
        for gap in gaps:
            if gap.until < now - GAP_REST:
                app.store.visits.close_gap(gap.id, at=now, found=0)
