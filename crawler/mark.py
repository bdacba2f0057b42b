"""A person's word on an article: recorded for good, and obeyed at once and at every replay."""

from datetime import datetime
from sqlite3 import Row
from typing import Any

from crawler import urls
from crawler.app import App
from crawler.errors import UsageError
from crawler.ingest import anew, drop, judge_reject, judge_stored, keep_reject, place
from store.marks import VERDICTS
from store.records import State, is_id


def mark(app: App, reference: str, verdict: str, detail: tuple[str, ...], *, now: datetime) -> dict[str, Any]:
    """Records a word on an article or entry (URL, or id: articles first) and judges it again.

    `detail` is the text of a note, or the sectors. Raises UsageError for a word that is none, NotStored.
    """
    text = _detail(app, verdict, detail)
    with app.store.transaction():
        entry = _entry(app, reference)
        url = entry["canonical_url"] or entry["url"] or ""
        app.store.marks.add(url, verdict, text, entry_id=entry["id"], article_id=entry["article_id"], now=now)
        if verdict not in ("star", "note"):
            _judge_again(app, entry["id"], now=now)
        after = _by_id(app, entry["id"])
    return {"entry_id": after["id"], "article_id": after["article_id"], "url": after["url"], "state": after["state"],
            "reason": after["reason"], "mark": verdict, "detail": text}  # fmt: skip


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
    elif verdict != "note" and detail:
        raise UsageError(f"mark {verdict}: takes nothing behind it, not {detail[0]!r}")
    return " ".join(detail)


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
