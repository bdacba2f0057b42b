"""What is stored, judged again: an article or a reject as the document it was, and what a new verdict changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from crawler.app import App
from crawler.ingest.articles import judge, new_article
from crawler.placing import place, settle
from crawler.types import Classification, Document, Moment
from store.articles import NewArticle
from store.records import Article, State, utc_time


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
