"""What a page said: at first, in place of it the feed's own words, and when a kept article is read again."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from crawler import cluster, schedule, urls
from crawler.app import App
from crawler.config import SourceConfig
from crawler.ingest.articles import MOST_TEXT, MOST_TITLE, clean, headline, judge, new_article, revise
from crawler.placing import place
from crawler.types import Classification, Document, Fetched, Moment
from store.records import Pending, State

# Kept articles are read again for edits, so long after they were first seen; most edits come within the day.
RECHECKS = tuple(timedelta(hours=h) for h in (1, 6, 24, 72, 168))
STAND_IN = 300  # characters of the feed's own text from which it may stand in for a page that cannot be read


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
        title=document.title or pending.title or headline(text),
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
            state = revise(app, old, document, revised, now=now)
        articles.rechecked(
            old.id,
            recheck_at=_next_recheck(old.first_seen_at, now),
            etag=fetched.validator("etag") if fetched else None,
            last_modified=fetched.validator("last-modified") if fetched else None,
            there=(document is not None and document.outcome == "article")
            or (fetched is not None and fetched.status == 304),
        )
        return state


def _next_recheck(first_seen: datetime, now: datetime) -> datetime | None:
    return next((first_seen + step for step in RECHECKS if first_seen + step > now), None)
