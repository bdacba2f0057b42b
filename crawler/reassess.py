"""Replay: relevance, sectors, copies and stories again over what is stored, after the lexicon or the rules changed.

All of it happens in one transaction; a dry run does the same and rolls back, so that it cannot say anything else than
what would happen.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime
from typing import Any

from crawler.app import App
from crawler.classify import classify
from crawler.ingest import new_article, place
from crawler.terminal import plain
from crawler.types import Classification, Document, Moment, Text
from store.articles import NewArticle
from store.records import Article, State, utc_text, utc_time

Snapshot = dict[int, tuple[str, int, tuple[str, ...], int, int | None]]


class _RollBack(Exception):
    pass


def reassess(app: App, *, dry_run: bool) -> dict[str, Any]:
    """Judges every stored document anew; returns what changed: kept, dropped, regraded, retagged, restoried."""
    now = app.clock()
    store = app.store
    before: Snapshot = {}
    after: Snapshot = {}
    judged = 0
    try:
        with store.transaction():
            before = _snapshot(app)
            judged = _replay(app, now)
            after = _snapshot(app)
            store.note("lexicon", app.lexicon.hash)
            if dry_run:
                raise _RollBack
    except _RollBack:
        pass
    return {"dry_run": dry_run, "at": utc_text(now), "judged": judged, **_differences(before, after)}


def _replay(app: App, now: datetime) -> int:
    store = app.store
    run = store.connection.execute
    old_story: dict[int, int] = {}
    again: list[tuple[NewArticle, Article | None, int]] = []  # article as judged now, as it stands, entry
    judged = 0
    for article_id in store.articles.all_ids():
        article = store.articles.get(article_id)
        row = store.articles.row(article_id)
        document = _document(article, row["dateline"])
        verdict = _judge(app, document, article.country, article.source_id)
        judged += 1
        if not verdict.grade:
            _drop(app, article, verdict)
            continue
        old_story[article_id] = article.story_id
        new = new_article(
            app,
            document,
            verdict,
            source_id=article.source_id,
            country=article.country,
            first_seen=article.first_seen_at,
        )
        again.append((replace(new, canonical_url=article.canonical_url), article, 0))
    for row in run(
        "SELECT e.*, d.title AS read_title, d.text AS read_text, n.country, n.language FROM documents d"
        " JOIN entries e ON e.id = d.entry_id JOIN sources n ON n.id = e.source_id"
        " WHERE e.state = 'rejected' AND d.text <> '' ORDER BY e.id"
    ).fetchall():
        document = Document(
            url=row["url"],
            canonical_url=row["url"],
            outcome="article",
            title=row["read_title"],
            text=row["read_text"],
            published=Moment(
                instant=utc_time(row["published_at"]) if row["published_at"] else None,
                precision=row["published_precision"],
            ),
        )
        verdict = _judge(app, document, row["country"], row["source_id"])
        judged += 1
        if verdict.grade:
            new = new_article(
                app,
                document,
                verdict,
                source_id=row["source_id"],
                country=row["country"],
                first_seen=utc_time(row["first_seen_at"]),
            )
            known = store.articles.by_canonical(new.canonical_url)
            if known is None:
                again.append((new, None, row["id"]))
        elif row["score"] != verdict.score:
            run("UPDATE entries SET reason = ?, score = ? WHERE id = ?", (verdict.reason, verdict.score, row["id"]))
    _place_all(app, again, old_story, now=now)
    return judged


def _place_all(
    app: App, again: list[tuple[NewArticle, Article | None, int]], old_story: dict[int, int], *, now: datetime
) -> None:
    """Copies and stories from nothing, in the order of publication; then each story gets back the number that most
    of its articles had."""
    store = app.store
    run = store.connection.execute
    run("PRAGMA defer_foreign_keys = ON")  # stories are renumbered on the way
    merges = run("SELECT coalesce(max(rowid), 0) FROM story_merges").fetchone()[0]
    for table in ("shingles", "story_keys"):
        run(f"DELETE FROM {table}")  # noqa: S608 - names from above
    run("UPDATE articles SET duplicate_of = NULL")
    # Out of the way of the numbers that are given out now.
    run("UPDATE articles SET story_id = -id")
    run("DELETE FROM stories")
    floor = max(old_story.values(), default=0)
    run(
        "INSERT INTO stories (id, headline, first_published_at, last_published_at, created_at)"
        " VALUES (?, '', '', '', '')",
        (floor + 1,),
    )
    for new, article, entry_id in sorted(again, key=lambda item: (item[0].at, item[0].canonical_url)):
        placed = place(app, new, now=now, old=store.articles.get(article.id) if article else None)
        if article is None:
            store.frontier.settle(
                entry_id, placed.state, reason="kept by reassess", score=new.score, article_id=placed.article_id
            )
    run("DELETE FROM story_merges WHERE rowid > ?", (merges,))
    run("DELETE FROM stories WHERE id NOT IN (SELECT story_id FROM articles)")
    _renumber(app, old_story)
    for row in run("SELECT id, duplicate_of FROM articles").fetchall():
        store.frontier.restate(row["id"], State.DUPLICATE if row["duplicate_of"] else State.KEPT)


def _renumber(app: App, old_story: dict[int, int]) -> None:
    run = app.store.connection.execute
    votes: dict[int, Counter[int]] = defaultdict(Counter)
    for row in run("SELECT id, story_id FROM articles").fetchall():
        if row["id"] in old_story:
            votes[row["story_id"]][old_story[row["id"]]] += 1
    claims = sorted((-count, old, new) for new, counter in votes.items() for old, count in counter.items())
    taken: set[int] = set()
    named: set[int] = set()
    for _, old, new in claims:
        if old in taken or new in named:
            continue
        taken.add(old)
        named.add(new)
        run("UPDATE stories SET id = ? WHERE id = ?", (old, new))
        run("UPDATE articles SET story_id = ? WHERE story_id = ?", (old, new))


def _drop(app: App, article: Article, verdict: Classification) -> None:
    entries = app.store.connection.execute("SELECT id FROM entries WHERE article_id = ?", (article.id,)).fetchall()
    app.store.articles.drop(article.id)
    for row in entries:
        app.store.frontier.settle(row["id"], State.REJECTED, reason=verdict.reason, score=verdict.score)


def _document(article: Article, dateline: str) -> Document:
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
        dateline=dateline,
    )


def _judge(app: App, document: Document, country: str, source: str) -> Classification:
    return classify(
        Text(
            title=document.title,
            text=document.text,
            language=document.language,
            url=document.url,
            published=document.published.instant if document.published else None,
            country=country,
            source=source,
        ),
        app.lexicon,
    )


def _snapshot(app: App) -> Snapshot:
    run = app.store.connection.execute
    out: Snapshot = {}
    for row in run("SELECT id, title, grade, story_id, duplicate_of FROM articles").fetchall():
        sectors = run("SELECT sector FROM article_sectors WHERE article_id = ? ORDER BY sector", (row["id"],))
        out[row["id"]] = (
            row["title"],
            row["grade"],
            tuple(s[0] for s in sectors),
            row["story_id"],
            row["duplicate_of"],
        )
    return out


def _differences(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    both = before.keys() & after.keys()

    def changed(index: int) -> list[dict[str, Any]]:
        return [
            {"id": id_, "title": after[id_][0], "from": before[id_][index], "to": after[id_][index]}
            for id_ in sorted(both)
            if before[id_][index] != after[id_][index]
        ]

    return {
        "articles_before": len(before),
        "articles_after": len(after),
        "kept": [{"id": i, "title": after[i][0]} for i in sorted(after.keys() - before.keys())],
        "dropped": [{"id": i, "title": before[i][0]} for i in sorted(before.keys() - after.keys())],
        "regraded": changed(1),
        "retagged": changed(2),
        "restoried": changed(3),
        "copies": changed(4),
    }


def lines(value: dict[str, Any]) -> list[str]:
    verb = "would change" if value["dry_run"] else "changed"
    out = [f"{value['judged']} documents judged; articles {value['articles_before']} -> {value['articles_after']}"]
    for name in ("kept", "dropped", "regraded", "retagged", "restoried", "copies"):
        out.append(f"{name} ({verb}): {len(value[name])}")
        for item in value[name][:20]:
            arrow = f"  {item['from']} -> {item['to']}" if "from" in item else ""
            out.append(f"  {item['id']}  {plain(item['title'])}{arrow}")
    return out
