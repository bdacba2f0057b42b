"""Documents that somebody else has fetched: the lines of `pakrus ingest`, and what a backfill finds in archives."""

from dataclasses import dataclass
from datetime import datetime

from crawler import cluster, urls
from crawler.app import App
from crawler.ingest.articles import MOST_TEXT, MOST_TITLE, clean, headline, judge, new_article, revise
from crawler.placing import place
from crawler.types import Classification, Document, Moment
from store.frontier import NewEntry
from store.records import State


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
        title=clean(line.title)[:MOST_TITLE] or headline(clean(line.text)),
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
    revise(app, old, document, verdict, now=now)
    return "revised"
