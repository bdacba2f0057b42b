"""The one place where knowledge is written: ask the store, call the core, write in one transaction.

`settle_visit` takes what a source listed, `settle_page` what a page said, `settle_line` a document that somebody else
has fetched. Judging happens before a transaction begins; what depends on the rows (copies, stories) inside it.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from crawler import VERSION, cluster, schedule, urls
from crawler.app import App
from crawler.classify import classify, worth_fetching
from crawler.config import SourceConfig
from crawler.placing import place, settle
from crawler.shadow import shadow
from crawler.text import fold, sentences
from crawler.types import Classification, Document, Entry, Fetched, Moment, Reading, Reason, SectorScore, Text
from store.articles import NewArticle
from store.frontier import Known, NewEntry, words_sha256
from store.marks import Word
from store.records import Article, Listed, MentionRow, Outcome, Pending, State, Validators, Visit, utc_text, utc_time
from store.visits import Gap

# Kept articles are read again for edits, so long after they were first seen; most edits come within the day.
RECHECKS = tuple(timedelta(hours=h) for h in (1, 6, 24, 72, 168))
STAND_IN = 300  # characters of the feed's own text from which it may stand in for a page that cannot be read
MOST_TEXT = 400_000  # characters of a text; a longer one is cut: no article of this beat is a book
MOST_TITLE = 500
MOST_HEADLINE = 120  # of a headline that we take from the text
MOST_FEED_TEXT = 20_000  # characters of a feed's own text kept until the page is read
FEW = 5  # items of a visit under which that all are new says nothing about the site
REMEMBERED = 2_000  # items of a source among which those of a changed site are looked for
TELLING = 20  # letters of a title from which it names one item
WITNESS = "witness: compared with what we have, never an article"
NOT_WORTH = "title and summary do not name both sides"


# --- what a source listed ---------------------------------------------------------------------------------------


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
    by_key = {entry_key(entry): entry for entry in reading.entries}  # an item listed twice is one
    times = Counter(map(entry_key, reading.entries))
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


GAP_REST = timedelta(days=3)  # a gap that could not be filled by then never will be: lists and feeds are short


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


# --- what a page said -------------------------------------------------------------------------------------------


def settle_page(
    app: App,
    pending: Pending,
    *,
    fetched: Fetched | None,
    document: Document | None,
    problem: str | None = None,
    blocked: bool = False,
    skipped: str | None = None,
    gone: bool = False,
    now: datetime,
) -> State:
    """Writes what came of reading a page, in one transaction; returns the state of its entry.

    `document` is what the page says; else `problem` is why it could not be read (it comes back at 10 min, 1 h, 6 h,
    1 d, 3 d, and then rests as failed), `blocked` that we may not read it, `skipped` that a cheap look at its bytes
    ruled it out, `gone` that it answered 404 or 410.
    """
    if pending.article_id is not None:
        return _settle_recheck(app, pending, fetched=fetched, document=document, gone=gone, now=now)
    source = app.config.source(pending.source_id)
    if skipped is not None:
        with app.store.transaction():
            app.store.frontier.settle(pending.entry_id, State.REJECTED, reason=skipped, score=0.0)
        return State.REJECTED
    if document is not None and document.outcome in ("article", "teaser"):
        document = _with_feed(document, pending)
        note = "teaser: the page shows only its beginning" if document.outcome == "teaser" else ""
        verdict = judge(app, document, source_id=source.id, country=source.country)
        return _record(app, pending, source, document, verdict, fetched=fetched, now=now, note=note)
    if document is not None:
        problem = f"{document.outcome}: {'; '.join(document.problems) or 'no article on the page'}"
        blocked = blocked or document.outcome in ("bot_wall", "login", "consent")
    assert problem is not None
    stand_in = _feed_document(pending, source)
    if stand_in is not None:
        verdict = judge(app, stand_in, source_id=source.id, country=source.country)
        if verdict.grade:
            return _record(
                app,
                pending,
                source,
                stand_in,
                verdict,
                fetched=None,
                now=now,
                note=f"the feed's text stands in: {problem}",
            )
    with app.store.transaction():
        again = None if blocked else schedule.next_try(pending.tries, now, app.random)
        if again is not None:
            app.store.frontier.retry(pending.entry_id, reason=problem, next_try_at=again)
            return State.PENDING
        rest = State.BLOCKED if blocked else State.FAILED
        app.store.frontier.settle(pending.entry_id, rest, reason=problem, spare=app.config.feed_only)
    return rest


def settle_from_feed(app: App, pending: Pending, *, now: datetime) -> State:
    """Judges an entry by the feed's own words alone: its source is one whose pages are never fetched.

    Where another source's entry waits for the page, the words stand in for it: it is read when it can be, and no
    rejection by them holds for it.
    """
    source = app.config.source(pending.source_id)
    document = _feed_document(pending, source, least=0)
    assert document is not None
    verdict = judge(app, document, source_id=source.id, country=source.country)
    others = app.store.frontier.listed_by(urls.canonical(pending.url)) - app.config.feed_only
    return _record(
        app,
        pending,
        source,
        document,
        verdict,
        fetched=None,
        now=now,
        note="the feed's text stands in: the page could not be read" if others and verdict.grade else "",
        spare=others,
    )


def _with_feed(document: Document, pending: Pending) -> Document:
    """Fills in from the feed what the page does not say."""
    published = document.published
    if (published is None or published.instant is None) and pending.published_at is not None:
        published = Moment(instant=pending.published_at, precision=pending.published_precision, origin="feed")
    text = document.text
    if document.outcome == "teaser" and len(pending.content) > len(text):
        text = pending.content
    return replace(
        document,
        title=document.title or pending.title or _headline(text),
        author=document.author or pending.author,
        text=text,
        published=published,
    )


def _feed_document(pending: Pending, source: SourceConfig, *, least: int = STAND_IN) -> Document | None:
    """The feed's own text as a document, where there are at least so many characters of it."""
    text = max(pending.content, pending.summary, key=len)
    if len(text) < least:
        return None
    return Document(
        url=pending.url,
        canonical_url=pending.url,
        outcome="article",
        title=pending.title,
        text=text,
        author=pending.author,
        published=Moment(instant=pending.published_at, precision=pending.published_precision, origin="feed"),
        language=source.language,
    )


def judge(app: App, document: Document, *, source_id: str, country: str) -> Classification:
    """The verdict on a document; a person's word on its page goes before the program's."""
    verdict = classify(
        Text(
            title=clean(document.title)[:MOST_TITLE],
            text=clean(document.text)[:MOST_TEXT],
            language=document.language,
            url=document.url,
            published=document.published.instant if document.published else None,
            country=country,
            source=source_id,
        ),
        app.lexicon,
    )
    word = app.store.marks.word(urls.canonical(document.canonical_url or document.url))
    return verdict if word is None else _as_marked(verdict, word)


def _as_marked(verdict: Classification, word: Word) -> Classification:
    grade = verdict.grade if word.grade is None else word.grade
    sectors = verdict.sectors
    if word.sectors is not None:
        found = {s.sector: s.evidence for s in verdict.sectors}
        sectors = tuple(SectorScore(sector=s, score=1.0, evidence=found.get(s, ())) for s in word.sectors)
    said = Reason(code="mark", weight=1.0, detail="a person's word")
    return replace(verdict, grade=grade, sectors=sectors, reasons=(*verdict.reasons, said))


def _record(
    app: App,
    pending: Pending,
    source: SourceConfig,
    document: Document,
    verdict: Classification,
    *,
    fetched: Fetched | None,
    now: datetime,
    note: str = "",
    spare: Collection[str] = (),
) -> State:
    """One transaction: document, article, evidence, story, and the entry settled. A rejection does not hold for
    entries of the sources in `spare`."""
    frontier, documents = app.store.frontier, app.store.documents
    title, text = clean(document.title)[:MOST_TITLE], clean(document.text)[:MOST_TEXT]
    with app.store.transaction():
        if not verdict.grade:
            documents.put(pending.entry_id, title=title, text=text, fetched_at=now)
            frontier.settle(pending.entry_id, State.REJECTED, reason=verdict.reason, score=verdict.score, spare=spare)
            return State.REJECTED
        documents.put(pending.entry_id, title=title, text=text, fetched_at=now, page=fetched.body if fetched else None)
        first_seen = pending.first_seen_at
        recheck = (schedule.next_try(pending.tries, now, app.random) if note else None) or _next_recheck(
            first_seen, now
        )
        new = new_article(app, document, verdict, source_id=source.id, country=source.country, first_seen=first_seen)
        new = replace(
            new,
            etag=fetched.validator("etag") if fetched else None,
            last_modified=fetched.validator("last-modified") if fetched else None,
            recheck_at=recheck,
        )
        placed = place(app, new, now=now)
        frontier.settle(
            pending.entry_id,
            placed.state,
            reason=note or verdict.reason,
            score=verdict.score,
            article_id=placed.article_id,
        )
        return placed.state


def _settle_recheck(
    app: App, pending: Pending, *, fetched: Fetched | None, document: Document | None, gone: bool, now: datetime
) -> State:
    """A kept article read again: withdrawn, unchanged, trivially changed, or revised."""
    assert pending.article_id is not None
    articles = app.store.articles
    old = articles.get(pending.article_id)
    state = State.DUPLICATE if old.duplicate_of else State.KEPT
    source = app.config.source(pending.source_id)
    revised = None
    if document is not None and document.outcome == "article":
        document = _with_feed(document, pending)
        if not cluster.is_trivial_edit(old.title, old.text, clean(document.title), clean(document.text)):
            revised = judge(app, document, source_id=source.id, country=source.country)
    with app.store.transaction():
        if gone:
            articles.withdraw(old.id, at=now, recheck_at=_next_recheck(old.first_seen_at, now))
            return state
        if revised is not None and document is not None:
            app.store.documents.put(
                pending.entry_id,
                title=document.title,
                text=document.text,
                fetched_at=now,
                page=fetched.body if fetched else None,
            )
            state = _revise(app, old, document, revised, now=now)
        articles.rechecked(
            old.id,
            recheck_at=_next_recheck(old.first_seen_at, now),
            etag=fetched.validator("etag") if fetched else None,
            last_modified=fetched.validator("last-modified") if fetched else None,
            there=(document is not None and document.outcome == "article")
            or (fetched is not None and fetched.status == 304),
        )
        return state


def _revise(app: App, old: Article, document: Document, verdict: Classification, *, now: datetime) -> State:
    """Keeps the old version and judges the new one in its place. An edit never unmakes an article: it keeps grade 1."""
    app.store.articles.revise(old, seen_at=now)
    verdict = replace(verdict, grade=max(1, verdict.grade))
    published = document.published
    if published is None or published.instant is None or old.published_at is not None:
        # An edit moves no article to another day.
        published = Moment(instant=old.published_at, precision=old.published_precision, origin=old.published_from)
    document = replace(document, published=published, origin=document.origin or old.origin)
    new = new_article(
        app, document, verdict, source_id=old.source_id, country=old.country, first_seen=old.first_seen_at
    )
    placed = place(app, replace(new, url=old.url, canonical_url=old.canonical_url), now=now, old=old, edited=True)
    app.store.frontier.restate(old.id, placed.state)
    return placed.state


def _next_recheck(first_seen: datetime, now: datetime) -> datetime | None:
    return next((first_seen + step for step in RECHECKS if first_seen + step > now), None)


# --- an article takes its place -----------------------------------------------------------------------------------


_REASON = tuple(field.name for field in fields(Reason))


def new_article(
    app: App, document: Document, verdict: Classification, *, source_id: str, country: str, first_seen: datetime
) -> NewArticle:
    """All that is stored of an article, worked out from its document and its verdict."""
    title, text = clean(document.title)[:MOST_TITLE], clean(document.text)[:MOST_TEXT]
    published = document.published or Moment(instant=None)
    instant = published.instant
    profile = cluster.profile(
        title=title,
        text=text,
        language=verdict.language,
        published=instant,
        first_seen=first_seen,
        classification=verdict,
        lexicon=app.lexicon,
    )
    evidence = [
        MentionRow(kind="sector", name=sector.sector, field=e.field, start=e.start, quote=e.quote)
        for sector in verdict.sectors
        for e in sector.evidence
    ]
    return NewArticle(
        url=document.url,
        canonical_url=urls.canonical(document.canonical_url or document.url),
        source_id=source_id,
        title=title,
        text=text,
        author=clean(document.author)[:MOST_TITLE],
        language=verdict.language,
        country=country,
        published_at=instant,
        published_precision=published.precision if instant else "unknown",
        published_from=published.origin if instant else "unknown",
        first_seen_at=first_seen,
        day=local_day(instant or first_seen, app.config.timezone),
        grade=verdict.grade,
        score=verdict.score,
        origin=document.origin,
        dateline=document.dateline,
        text_hash=text_hash(title, text),
        reasons=[{k: v for k in _REASON if (v := getattr(r, k)) not in ("", -1)} for r in verdict.reasons],
        profile=profile.to_json(),
        sectors=[(s.sector, s.score) for s in verdict.sectors],
        mentions=[
            *(
                MentionRow(kind=m.kind, name=m.name, field=m.field, start=m.start, quote=m.quote)
                for m in verdict.mentions
            ),
            *evidence,
        ],
        fingerprint=cluster.fingerprint(f"{title}\n{text}"),
        story_keys=cluster.keys(profile),
        shadow=(shadow(title), shadow(text)),
    )


# --- documents that somebody else has fetched ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One document of `pakrus ingest`."""

    url: str
    title: str
    text: str
    published: Moment | None
    language: str
    source: str
    country: str
    first_seen: datetime
    canonical_url: str = ""  # where the page says that it belongs elsewhere
    author: str = ""
    origin: str = ""
    dateline: str = ""


def settle_line(app: App, line: Line, *, now: datetime) -> str:
    """Takes a document through classify, dedupe and stories. Returns kept, duplicates, rejected, revised or unchanged.

    One transaction; the judging comes before it.
    """
    canonical = line.canonical_url or line.url
    key = urls.canonical(canonical)
    document = Document(
        url=line.url,
        canonical_url=canonical,
        outcome="article",
        title=clean(line.title)[:MOST_TITLE] or _headline(clean(line.text)),
        text=clean(line.text)[:MOST_TEXT],
        author=line.author,
        published=line.published,
        language=line.language,
        origin=line.origin,
        dateline=line.dateline,
    )
    store = app.store
    read = (document.title, document.text)
    before = store.frontier.same_page(key)
    if before and store.documents.get(before.id) == read:
        return "unchanged"
    verdict = judge(app, document, source_id=line.source, country=line.country)
    with store.transaction():
        before = store.frontier.same_page(key)  # again: another writer may have taken the page while we judged
        had = store.documents.get(before.id) if before else None
        if had == read:
            return "unchanged"
        if before is not None and before.article_id is not None:
            return _line_again(app, before.article_id, before.id, document, verdict, now=now)
        store.sources.ensure(line.source, name=line.source, country=line.country, language=line.language, now=now)
        published = line.published or Moment(instant=None)
        entry_id = (
            before.id
            if before
            else store.frontier.add(
                line.source,
                NewEntry(
                    key=key,
                    url=line.url,
                    canonical_url=key,
                    title=document.title,
                    published_at=published.instant,
                    published_precision=published.precision,
                ),
                now=now,
                first_seen=line.first_seen,
            )
        )
        store.documents.put(entry_id, title=document.title, text=document.text, fetched_at=now)
        if not verdict.grade:
            store.frontier.settle(entry_id, State.REJECTED, reason=verdict.reason, score=verdict.score)
            return "revised" if had else "rejected"
        new = new_article(
            app, document, verdict, source_id=line.source, country=line.country, first_seen=line.first_seen
        )
        placed = place(app, new, now=now)
        store.frontier.settle(
            entry_id, placed.state, reason=verdict.reason, score=verdict.score, article_id=placed.article_id
        )
    if had:
        return "revised"
    return "duplicates" if placed.state is State.DUPLICATE else "kept"


def _line_again(
    app: App, article_id: int, entry_id: int, document: Document, verdict: Classification, *, now: datetime
) -> str:
    old = app.store.articles.get(article_id)
    app.store.documents.put(entry_id, title=document.title, text=document.text, fetched_at=now)
    if cluster.is_trivial_edit(old.title, old.text, document.title, document.text):
        return "unchanged"
    _revise(app, old, document, verdict, now=now)
    return "revised"


def stored_document(app: App, article: Article) -> Document:
    """A stored article as the document that it was made from."""
    return Document(
        url=article.url,
        canonical_url=article.canonical_url,
        outcome="article",
        title=article.title,
        text=article.text,
        author=article.author,
        published=Moment(
            instant=article.published_at, precision=article.published_precision, origin=article.published_from
        ),
        language=article.language,
        origin=article.origin,
        dateline=app.store.articles.row(article.id)["dateline"],
    )


def read_document(row: Mapping[str, Any]) -> Document:
    """A rejected entry as the document that was read; `row` is an entry with `read_title` and `read_text`."""
    published = utc_time(row["published_at"]) if row["published_at"] else None
    return Document(
        url=row["url"],
        canonical_url=row["canonical_url"],
        outcome="article",
        title=row["read_title"],
        text=row["read_text"],
        published=Moment(instant=published, precision=row["published_precision"]),
    )


def judge_stored(app: App, article: Article) -> tuple[Document, Classification]:
    """The verdict on a stored article. As when it was edited: an edit never unmakes an article."""
    document = stored_document(app, article)
    verdict = judge(app, document, source_id=article.source_id, country=article.country)
    if verdict.grade:
        return document, verdict
    for old in app.store.articles.revisions(article.id):
        earlier = replace(document, title=old.title, text=old.text)
        if judge(app, earlier, source_id=article.source_id, country=article.country).grade:
            return document, replace(verdict, grade=1)
    return document, verdict


def anew(app: App, article: Article, document: Document, verdict: Classification) -> NewArticle:
    """A stored article with a new judgement; its address and its first sight stay."""
    new = new_article(
        app,
        document,
        verdict,
        source_id=article.source_id,
        country=article.country,
        first_seen=article.first_seen_at,
    )
    return replace(new, url=article.url, canonical_url=article.canonical_url)


def judge_reject(app: App, row: Mapping[str, Any]) -> tuple[Classification, NewArticle | None]:
    """The verdict on a rejected entry that was read, and the article that it would be. `row`: of `Frontier.rejects`."""
    document = read_document(row)
    verdict = judge(app, document, source_id=row["source_id"], country=row["country"])
    if not verdict.grade:
        return verdict, None
    first_seen = utc_time(row["first_seen_at"])
    new = new_article(app, document, verdict, source_id=row["source_id"], country=row["country"], first_seen=first_seen)
    return verdict, new


def keep_reject(app: App, new: NewArticle, row: Mapping[str, Any], *, reason: str, now: datetime) -> None:
    """A reject becomes an article, and so do the entries of other sources that led to its page."""
    known = app.store.articles.by_canonical(new.canonical_url)
    if known is None:
        placed = place(app, new, now=now)
        article_id, state = placed.article_id, placed.state
    else:  # two rejects were of one page
        article_id, state = known.id, State.DUPLICATE if known.duplicate_of else State.KEPT
    same = app.store.connection.execute(
        "SELECT id FROM entries WHERE id = ? OR (canonical_url = ? AND +state = 'rejected' AND reason = ?)",
        (row["id"], row["canonical_url"], row["reason"]),
    ).fetchall()
    for entry in same:
        app.store.frontier.settle(entry["id"], state, reason=reason, score=new.score, article_id=article_id)


def drop(app: App, article: Article, verdict: Classification) -> None:
    """An article that is judged irrelevant now goes back among the rejects, with its documents."""
    entries = app.store.connection.execute("SELECT id FROM entries WHERE article_id = ?", (article.id,)).fetchall()
    copies = app.store.articles.copies(article.id)
    app.store.articles.drop(article.id)
    for row in entries:
        app.store.frontier.settle(row["id"], State.REJECTED, reason=verdict.reason, score=verdict.score)
    for copy in copies:
        app.store.frontier.restate(copy, State.KEPT)
    settle(app, article.story_id)


# --- small things -------------------------------------------------------------------------------------------------


def _headline(text: str) -> str:
    """A headline for a text that has none: its first sentence, cut at a word."""
    first = next((text[a:b] for a, b in sentences(text[:2_000])), text[:MOST_HEADLINE])
    line = " ".join(first.split())
    return line if len(line) <= MOST_HEADLINE else line[:MOST_HEADLINE].rsplit(" ", 1)[0] + " …"


def local_day(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat()


def text_hash(title: str, text: str) -> str:
    """sha256 over title and text with white space folded."""
    return hashlib.sha256(f"{' '.join(title.split())}\n{' '.join(text.split())}".encode()).hexdigest()


_SURROGATES = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which SQLite cannot hold as text; offsets are counted in what is stored."""
    return _SURROGATES.sub("", text)
