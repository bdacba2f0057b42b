"""A person's word on an article: recorded for good, and obeyed at once and at every replay."""

from datetime import datetime
from sqlite3 import Row
from typing import Any

from crawler import urls
from crawler.app import App
from crawler.errors import UsageError
from crawler.ingest.stored import anew, drop, judge_reject, judge_stored, keep_reject
from crawler.placing import crowded, place, regroup
from store.marks import VERDICTS
from store.records import Article, State, is_id


def mark(app: App, reference: str, verdict: str, detail: tuple[str, ...], *, now: datetime) -> dict[str, Any]:
    """Records a word on an article or entry (URL, or id: articles first) and judges it again.

    `detail` is the text of a note, the sectors, or the articles (URL or id) that it belongs or does not belong with.
    Raises UsageError for a word that is none, NotStored.
    """
    text = _detail(app, verdict, detail)
    with app.store.transaction():
        entry = _entry(app, reference)
        if verdict in ("apart", "together"):
            text = _set_stories(app, entry, verdict, detail, now=now)
        else:
            url = entry["canonical_url"] or entry["url"] or ""
            app.store.marks.add(url, verdict, text, entry_id=entry["id"], article_id=entry["article_id"], now=now)
            if verdict not in ("star", "note"):
                _judge_again(app, entry["id"], now=now)
        after = _by_id(app, entry["id"])
        story = app.store.articles.get(after["article_id"]).story_id if after["article_id"] is not None else None
    return {"entry_id": after["id"], "article_id": after["article_id"], "url": after["url"], "state": after["state"],
            "reason": after["reason"], "mark": verdict, "detail": text, "story_id": story}  # fmt: skip


def line(value: dict[str, Any]) -> str:
    """What `mark` prints."""
    if value["mark"] in ("apart", "together"):
        return f"article {value['article_id']} is in story {value['story_id']} now, {value['mark']}: {value['detail']}"
    return f"entry {value['entry_id']} is {value['state']}: {value['reason'] or 'waiting for its page'}"


def _detail(app: App, verdict: str, detail: tuple[str, ...]) -> str:
    if verdict not in VERDICTS:
        raise UsageError(f"mark: {verdict!r} is no mark, write one of {', '.join(VERDICTS)}")
    if verdict == "sector":
        unknown = [s for s in detail if s not in app.lexicon.sectors]
        if unknown or not detail:
            named = f"{unknown[0]!r} is no sector" if unknown else "name the sectors, best first"
            raise UsageError(f"mark sector: {named}; there are {', '.join(sorted(app.lexicon.sectors))}")
    elif verdict == "note" and not detail:
        raise UsageError("mark note: write the note behind it")
    elif verdict == "together" and not detail:
        raise UsageError("mark together: name an article of the story that it belongs to, URL or id")
    elif verdict not in ("note", "apart", "together") and detail:
        raise UsageError(f"mark {verdict}: takes nothing behind it, not {detail[0]!r}")
    return " ".join(detail)


def _set_stories(app: App, entry: Row, verdict: str, others: tuple[str, ...], *, now: datetime) -> str:
    """Says that an article belongs with others in one story, or not; returns the canonical URLs of the others.

    `apart` without others: it does not belong to its story. The word is kept between articles, not stories: these get
    other numbers and members, pages do not.
    """
    articles = app.store.articles
    me = _kept(app, entry)
    named = [_kept(app, _entry(app, other)) for other in others]
    if not others:  # its copies go with it
        first = me.duplicate_of or me.id
        beside = [articles.get(id_) for id_ in articles.beside(me.story_id)]
        named = [a for a in beside if first not in (a.id, a.duplicate_of)]
    named = [a for a in named if a.id != me.id]
    if not named:
        raise UsageError(f"mark {verdict}: article {me.id} stands alone with its copies, name another article")
    text = " ".join(a.canonical_url for a in named)
    app.store.marks.add(me.canonical_url, verdict, text, entry_id=entry["id"], article_id=me.id, now=now)
    for other in named if verdict == "apart" else ():
        for copy, original in ((me, other), (other, me)):
            if copy.duplicate_of == original.id:
                articles.copy_of(copy.id, None)
                app.store.frontier.restate(copy.id, State.KEPT)
    regroup(app, [me.id, *(a.id for a in named)], by=me.id, reason=f"mark {verdict}: a person's word", now=now)
    return text


def _kept(app: App, entry: Row) -> Article:
    if entry["article_id"] is None:
        raise UsageError(f"mark: {entry['url'] or entry['id']} is {entry['state']}, only articles stand in stories")
    return app.store.articles.get(entry["article_id"])


def _entry(app: App, reference: str) -> Row:
    if is_id(reference):
        row = app.store.connection.execute(
            "SELECT * FROM entries WHERE article_id = ? ORDER BY id LIMIT 1", (int(reference),)
        ).fetchone()
        if row is not None:
            return row  # type: ignore[no-any-return]
        return app.store.frontier.find(reference)
    return app.store.frontier.find(urls.canonical(reference))


def _by_id(app: App, entry_id: int) -> Row:
    return app.store.connection.execute("SELECT * FROM entries WHERE id = ?", (entry_id,)).fetchone()  # type: ignore[no-any-return]


def _judge_again(app: App, entry_id: int, *, now: datetime) -> None:
    entry = _by_id(app, entry_id)
    if entry["article_id"] is not None:
        article = app.store.articles.get(entry["article_id"])
        document, verdict = judge_stored(app, article)
        if not verdict.grade:
            drop(app, article, verdict)
            beside = app.store.articles.beside(article.story_id)  # it may have been what held them together
            regroup(app, beside, by=article.id, reason=f"article {article.id} is none any more", now=now)
            crowded(app, article.day, came=-1, by=article.id, now=now)
            return
        placed = place(app, anew(app, article, document, verdict), now=now, old=article)
        app.store.frontier.restate(article.id, placed.state)
        return
    word = app.store.marks.word(entry["canonical_url"])
    if word is None or not word.grade or entry["state"] != State.REJECTED:
        return
    for row in app.store.frontier.rejects(entry_id):
        _, new = judge_reject(app, row)
        assert new is not None  # the word says that it is relevant
        keep_reject(app, new, row, reason="mark: a person's word", now=now)
        return
    app.store.frontier.read_again(entry_id)  # never read: its page is fetched now, and the word counts when it comes
