"""Replay: relevance, sectors, copies and stories again over what is stored, after the lexicon or the rules changed.

All of it happens in one transaction; a dry run does the same and rolls back, so that it cannot say anything else than
what would happen. Every document is judged anew. Copies and stories depend on what came first, so only those stories
are made anew that a changed judgement touches; all others stay as they are, and what has not changed changes nothing.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from crawler import cluster
from crawler.app import App
from crawler.ingest.stored import anew, drop, judge_reject, judge_stored, keep_reject
from crawler.placing import crowded, place, settle
from crawler.terminal import plain
from store.articles import NewArticle
from store.records import Article, State, utc_text

Snapshot = dict[int, tuple[str, int, tuple[str, ...], int, int | None]]


class _RollBack(Exception):
    pass


def reassess(app: App, *, dry_run: bool, progress: Callable[[int], None] = lambda judged: None) -> dict[str, Any]:
    """Judges every stored document anew; returns what changed: kept, dropped, regraded, retagged, restoried.

    `progress` takes how many documents have been judged.
    """
    now = app.clock()
    store = app.store
    before: Snapshot = {}
    after: Snapshot = {}
    judged = 0
    try:
        with store.transaction():
            before = _snapshot(app)
            judged = _replay(app, now, progress)
            after = _snapshot(app)
            store.note("lexicon", app.lexicon.hash)
            store.note("placing", placing_rules())
            if dry_run:
                raise _RollBack
    except _RollBack:
        pass
    return {"dry_run": dry_run, "at": utc_text(now), "judged": judged, **_differences(before, after)}


@cache
def placing_rules() -> str:
    """A digest of the code that places articles: where it changed, all stories are made anew."""
    files = sorted(Path(cluster.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]


def _replay(app: App, now: datetime, progress: Callable[[int], None]) -> int:
    store = app.store
    rejects = store.frontier.rejects()
    judged = 0
    everything = store.noted("placing") not in (None, placing_rules())
    touched: set[int] = set()  # stories that are made anew
    for article_id in store.articles.all_ids():
        article = store.articles.get(article_id)
        document, verdict = judge_stored(app, article)
        judged += 1
        progress(judged)
        if not verdict.grade:
            touched.add(article.story_id)
            drop(app, article, verdict)
            crowded(app, article.day, came=-1, by=article.id, now=now)
            continue
        new = anew(app, article, document, verdict)
        if everything or _placed_differently(app, article_id, new):
            touched.add(article.story_id)
        store.articles.rewrite(article_id, new, story_id=article.story_id, duplicate_of=article.duplicate_of)
    found: list[tuple[NewArticle, Mapping[str, Any]]] = []  # rejects that are kept now, with their entries
    for row in rejects:
        verdict, reject = judge_reject(app, row)
        judged += 1
        progress(judged)
        if reject is not None:
            if store.articles.by_canonical(reject.canonical_url) is None:
                found.append((reject, row))
        elif row["score"] != verdict.score:
            store.connection.execute(
                "UPDATE entries SET reason = ?, score = ? WHERE id = ?", (verdict.reason, verdict.score, row["id"])
            )
    _place_again(app, touched, found, now=now)
    for row in store.connection.execute("SELECT id FROM stories").fetchall():
        settle(app, row["id"])  # a grade that changed may change its headline
    return judged


def _placed_differently(app: App, article_id: int, new: NewArticle) -> bool:
    """Whether what copies and stories are told by has changed."""
    run = app.store.connection.execute
    shingles = {row[0] for row in run("SELECT hash FROM shingles WHERE article_id = ?", (article_id,))}
    keys = {row[0] for row in run("SELECT key FROM story_keys WHERE article_id = ?", (article_id,))}
    profile = json.loads(app.store.articles.row(article_id)["profile"])
    return (shingles, keys, profile) != (set(new.fingerprint), set(new.story_keys), new.profile)


def _place_again(
    app: App, touched: set[int], found: list[tuple[NewArticle, Mapping[str, Any]]], *, now: datetime
) -> None:
    """Makes the touched stories anew, in the order of publication, beside those that stay; then each gets back the
    number that most of its articles had. What has moved in the end is recorded."""
    articles, stories = app.store.articles, app.store.stories
    run = app.store.connection.execute
    stood = dict(run("SELECT id, story_id FROM articles").fetchall())
    moves = run("SELECT coalesce(max(rowid), 0) FROM story_moves").fetchone()[0]
    old_story = {a.id: a.story_id for story in sorted(touched) for a in articles.of_story(story)}
    # Above all numbers that were ever given out, so that an old edition never points at another story.
    floor = run(
        "SELECT max(n) FROM (SELECT max(id) AS n FROM stories UNION ALL SELECT max(story_id) FROM digest_items"
        " UNION ALL SELECT max(merged_id) FROM story_merges UNION ALL SELECT max(from_story) FROM story_moves"
        " UNION ALL SELECT 0)"
    ).fetchone()[0]
    made_at = {row["id"]: row["created_at"] for row in run("SELECT id, created_at FROM stories")}
    for number, article_id in enumerate(old_story, 1):
        run(
            "INSERT INTO stories (id, headline, first_published_at, last_published_at, created_at)"
            " VALUES (?, '', '', '', ?)",
            (floor + number, utc_text(now)),
        )
        run("UPDATE articles SET story_id = ?, duplicate_of = NULL WHERE id = ?", (floor + number, article_id))
        for table in ("shingles", "story_keys"):
            run(f"DELETE FROM {table} WHERE article_id = ?", (article_id,))  # noqa: S608 - names from above
        articles.link(article_id, {})
    for story in touched:
        stories.refresh(story)
    queue: list[tuple[NewArticle | None, int, Mapping[str, Any] | None]] = [
        *((None, article_id, None) for article_id in old_story),
        *((new, 0, row) for new, row in found),
    ]
    ats = {article_id: _at(articles.get(article_id)) for article_id in old_story}
    merges = run("SELECT coalesce(max(rowid), 0) FROM story_merges").fetchone()[0]
    for made, article_id, row in sorted(queue, key=lambda q: ((q[0].at if q[0] else ats[q[1]]), q[1])):
        if made is None:
            article = articles.get(article_id)
            place(app, anew(app, article, *judge_stored(app, article)), now=now, old=article)
        elif row is not None:
            keep_reject(app, made, row, reason="kept by reassess", now=now)
    # Of the merges only those are news that joined two stories which stood before.
    run("DELETE FROM story_merges WHERE rowid > ? AND max(story_id, merged_id) > ?", (merges, floor))
    _renumber(app, old_story, floor, made_at)
    run("DELETE FROM story_moves WHERE rowid > ?", (moves,))
    for row in run("SELECT id, story_id FROM articles ORDER BY id").fetchall():
        if stood.get(row["id"], row["story_id"]) != row["story_id"]:
            run(
                "INSERT INTO story_moves (at, article_id, from_story, to_story, by_article, reasons)"
                " VALUES (?, ?, ?, ?, NULL, 'reassess')",
                (utc_text(now), row["id"], stood[row["id"]], row["story_id"]),
            )
    for row in run("SELECT id, duplicate_of FROM articles").fetchall():
        app.store.frontier.restate(row["id"], State.DUPLICATE if row["duplicate_of"] else State.KEPT)


def _at(article: Article) -> datetime:
    return article.published_at or article.first_seen_at


def _renumber(app: App, old_story: Mapping[int, int], floor: int, made_at: Mapping[int, str]) -> None:
    """Gives the stories that were made anew the numbers that most of their articles had, where these are free."""
    run = app.store.connection.execute
    run("PRAGMA defer_foreign_keys = ON")  # story and articles take the new number one after the other
    votes: dict[int, Counter[int]] = defaultdict(Counter)
    for row in run("SELECT id, story_id FROM articles WHERE story_id > ? ORDER BY id", (floor,)).fetchall():
        if row["id"] in old_story:
            votes[row["story_id"]][old_story[row["id"]]] += 1
    taken = {row[0] for row in run("SELECT id FROM stories")}
    named: set[int] = set()
    for _, old, new in sorted((-count, old, new) for new, counter in votes.items() for old, count in counter.items()):
        if old in taken or new in named:
            continue
        taken.add(old)
        named.add(new)
        run("UPDATE stories SET id = ?, created_at = ? WHERE id = ?", (old, made_at[old], new))
        run("UPDATE articles SET story_id = ? WHERE story_id = ?", (old, new))
        run("UPDATE story_figures SET story_id = ? WHERE story_id = ?", (old, new))


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
