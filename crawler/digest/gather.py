"""Store -> Facts: what an edition is made of, as the rows stood at `created_at`.

Rows change after an edition: an article is edited, a story takes in another, an original is found for what was thought
one. Each of these left a record (revisions, story_moves, first_seen_at), so that a past edition can be made again.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from crawler.app import App
from crawler.digest.build import Change, FactArticle, Facts, Health, Window
from store.articles import Revision
from store.records import Article, Outcome, utc_text, utc_time

TOLD = ("person", "body", "project", "place")  # mentions that a gloss names, the most telling first


def gather(app: App, span: Window, *, created_at: datetime) -> Facts:
    """Reads the facts of an edition; no row younger than `created_at` is looked at."""
    store = app.store
    until = min(span.until, created_at + timedelta(seconds=1))
    before = _moved(app, created_at)
    fresh = store.articles.seen_between(span.since, until)
    stories = {before.get(a.id, a.story_id) for a in fresh}
    names = {row["id"]: row["name"] for row in store.connection.execute("SELECT id, name FROM sources")}
    articles = {}
    for story_id in sorted({a.story_id for a in fresh}):
        for article in store.articles.of_story(story_id):
            if article.first_seen_at < until and before.get(article.id, article.story_id) in stories:
                articles[article.id] = article
    for left in (id_ for id_, story_id in before.items() if story_id in stories and id_ not in articles):
        if (article := store.articles.get(left)).first_seen_at < until:
            articles[left] = article
    facts = [_fact(app, a, before.get(a.id, a.story_id), created_at, names) for a in articles.values()]
    shown = store.digests.shown_before(span.date.isoformat(), str(span.zone), span.period, created_at)
    return Facts(
        window=span,
        created_at=created_at,
        articles=[_original(f, articles) for f in facts],
        shown_before=frozenset(shown),
        changes=_changes(app, span, until, shown, names),
        sources=_health(app, span, until),
        gaps=_count(app, 'SELECT count(*) FROM gaps WHERE "to" >= ? AND "to" < ?', span.since, until),
        entries=_count(
            app, "SELECT count(*) FROM entries WHERE first_seen_at >= ? AND first_seen_at < ?", span.since, until
        ),
        sector_names=app.lexicon.sector_names("en"),
    )


def _count(app: App, sql: str, since: datetime, until: datetime) -> int:
    return int(app.store.connection.execute(sql, (utc_text(since), utc_text(until))).fetchone()[0])


def _moved(app: App, created_at: datetime) -> dict[int, int]:
    """article -> story, for articles that were moved to another story after `created_at`: the one they were in then."""
    rows = app.store.connection.execute(
        "SELECT article_id, from_story FROM story_moves m JOIN articles a ON a.id = m.article_id WHERE at > ?"
        " ORDER BY at DESC, m.rowid DESC",
        (utc_text(created_at),),
    )
    return {row["article_id"]: row["from_story"] for row in rows}


def _fact(app: App, article: Article, story_id: int, created_at: datetime, names: Mapping[str, str]) -> FactArticle:
    """An article as it stood: of its versions the one that was current at `created_at`."""
    old: Revision | None = next((r for r in app.store.articles.revisions(article.id) if r.until > created_at), None)
    if old is None:
        title, text, grade, score, sectors = article.title, article.text, article.grade, article.score, article.sectors
        mentions = [(m.kind, m.name, m.field, m.start) for m in app.store.articles.mentions(article.id)]
    else:
        verdict = old.verdict
        title, text, grade, score = old.title, old.text, verdict["grade"], verdict["score"]
        sectors = [(s, v) for s, v in verdict["sectors"]]
        mentions = [(kind, name, field, start) for kind, name, field, start in verdict["mentions"]]
    told = sorted((m for m in mentions if m[0] in TOLD), key=lambda m: (TOLD.index(m[0]), m[2] != "title", m[3]))
    return FactArticle(
        id=article.id,
        story_id=story_id,
        url=article.url,
        title=title,
        text=text,
        language=article.language,
        source_id=article.source_id,
        source=names[article.source_id],
        country=article.country,
        published_at=article.published_at,
        published_precision=article.published_precision,
        first_seen_at=article.first_seen_at,
        grade=grade,
        score=score,
        duplicate_of=article.duplicate_of,
        origin=article.origin,
        sectors=sectors,
        evidence=[(kind, start) for kind, _, field, start in mentions if field == "text"],
        names=list(dict.fromkeys(app.lexicon.label(name) for _, name, _, _ in told)),
    )


def _original(fact: FactArticle, seen: Mapping[int, Article]) -> FactArticle:
    """A copy whose original was not there yet was taken for an original."""
    return fact if fact.duplicate_of in seen or fact.duplicate_of is None else replace(fact, duplicate_of=None)


def _changes(app: App, span: Window, until: datetime, shown: set[int], names: Mapping[str, str]) -> list[Change]:
    """Edits and withdrawals within the window, of articles that an earlier edition has shown."""
    run = app.store.connection.execute
    within = (utc_text(span.since), utc_text(until))
    edited = run(
        "SELECT 'edited' AS kind, r.seen_at AS at, r.title AS old_title, a.* FROM revisions r"
        " JOIN articles a ON a.id = r.article_id WHERE r.seen_at >= ? AND r.seen_at < ? ORDER BY r.seen_at, a.id",
        within,
    ).fetchall()
    withdrawn = run(
        "SELECT 'withdrawn' AS kind, withdrawn_at AS at, title AS old_title, * FROM articles"
        " WHERE withdrawn_at >= ? AND withdrawn_at < ? ORDER BY withdrawn_at, id",
        within,
    ).fetchall()
    out = []
    for row in [*edited, *withdrawn]:
        if row["story_id"] not in shown or utc_time(row["first_seen_at"]) >= span.since:
            continue
        out.append(
            Change(
                kind=row["kind"],
                at=utc_time(row["at"]),
                article_id=row["id"],
                story_id=row["story_id"],
                title=row["title"],
                old_title=row["old_title"],
                url=row["url"],
                source=names[row["source_id"]],
                language=row["language"],
            )
        )
    return out


def _health(app: App, span: Window, until: datetime) -> list[Health]:
    """Each polled source by its last visit within the window; one without a visit is said to be unvisited."""
    run = app.store.connection.execute
    at = utc_text(until)
    out = []
    rows = run(
        "SELECT id, name FROM sources WHERE kind <> 'none' AND role = 'source' AND state <> 'disabled'"
        " AND created_at < ? AND (retired_at IS NULL OR retired_at >= ?) ORDER BY id",
        (at, at),
    ).fetchall()
    for row in rows:
        visits = run(
            "SELECT outcome, error FROM visits"
            " WHERE source_id = ? AND started_at >= ? AND started_at < ? ORDER BY id DESC",
            (row["id"], utc_text(span.since), at),
        ).fetchall()
        good = run(
            "SELECT max(started_at) FROM visits WHERE source_id = ? AND started_at < ?"
            " AND outcome IN ('new', 'unchanged', 'moved')",
            (row["id"], at),
        ).fetchone()[0]
        out.append(
            Health(
                id=row["id"],
                name=row["name"],
                state=Outcome(visits[0]["outcome"]).state if visits else "unvisited",
                since=utc_time(good) if good else None,
                visits=len(visits),
                error=(visits[0]["error"] or "") if visits else "",
            )
        )
    return out
