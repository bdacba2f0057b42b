"""Store -> Facts: what an edition is made of, as the rows stood when it was made.

Rows change after an edition: an article is edited, a story takes in another, an original is found for what was thought
one. Each of these left a record (revisions, story_moves, first_seen_at), so that a past edition can be made again.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from crawler.app import App
from crawler.cluster import Figure as Said
from crawler.cluster import disputes, figures
from crawler.digest.build import DAYS, WEEKS, Change, FactArticle, Facts, Figure, Health, Past, Window
from crawler.digest.formats.words import Words
from store.articles import Revision
from store.records import Article, Outcome, utc_text, utc_time

TOLD = ("person", "body", "project", "place")  # mentions that a gloss names, the most telling first


def gather(
    app: App, span: Window, *, created_at: datetime, known_to: datetime | None = None, language: str = "en"
) -> Facts:
    """Reads the facts of an edition for a reader of a language; no row written after `known_to` is looked at.

    Without it: after `created_at`, or, where the clock is behind the database (`--now`), after its last row.
    """
    store = app.store
    known_to = known_to or max([created_at, *_last_written(app)])
    until = min(span.until, created_at + timedelta(seconds=1))
    before = _moved(app, known_to)
    fresh = [a for a in store.articles.seen_between(span.since, until) if a.added_at <= known_to]
    stories = {before.get(a.id, a.story_id) for a in fresh}
    names = {row["id"]: row["name"] for row in store.connection.execute("SELECT id, name FROM sources")}
    articles = {}
    for story_id in sorted({a.story_id for a in fresh}):
        for article in store.articles.of_story(story_id):
            if _there(article, until, known_to) and before.get(article.id, article.story_id) in stories:
                articles[article.id] = article
    for left in (id_ for id_, story_id in before.items() if story_id in stories and id_ not in articles):
        if _there(article := store.articles.get(left), until, known_to):
            articles[left] = article
    facts = [_fact(app, a, before.get(a.id, a.story_id), known_to, names, language) for a in articles.values()]
    facts = [_original(f, articles) for f in facts]
    shown = store.digests.shown_before(span.date.isoformat(), str(span.zone), span.period, created_at)
    seen = store.digests.articles_before(span.date.isoformat(), str(span.zone), span.period, created_at)
    for fact in facts:  # a story that has taken in another is as old as that one
        if fact.id in seen:
            shown[fact.story_id] = max(shown.get(fact.story_id, ""), seen[fact.id][0])
    return Facts(
        window=span,
        created_at=created_at,
        known_to=known_to,
        language=language,
        articles=facts,
        shown_before={story: date.fromisoformat(day) for story, day in shown.items()},
        figures=_figures(facts),
        past=_past(app, span, until, known_to, before),
        changes=_changes(app, span, min(span.until, created_at), seen, names),
        sources=_health(app, span, until),
        gaps=_count(app, 'SELECT count(*) FROM gaps WHERE "to" >= ? AND "to" < ?', span.since, until),
        entries=_count(
            app,
            "SELECT count(*) FROM entries WHERE first_seen_at >= ? AND first_seen_at < ?"
            " AND coalesce(added_at, first_seen_at) <= ?",
            span.since,
            until,
            known_to,
        ),
        sector_names=sector_names(app, language),
    )


def sector_names(app: App, language: str) -> dict[str, str]:
    return {**app.lexicon.sector_names(language), "other": Words.of(language).say("other_sector")}


def _last_written(app: App) -> list[datetime]:
    """When the last rows were written: the clock of a command may be set behind them."""
    return [
        utc_time(row[0])
        for table in ("articles", "entries")
        for row in app.store.connection.execute(f"SELECT added_at FROM {table} ORDER BY id DESC LIMIT 1")  # noqa: S608
        if row[0] is not None
    ]


def _there(article: Article, until: datetime, known_to: datetime) -> bool:
    """Was it seen before the close, and written here when the edition was made? A file of old articles is not."""
    return article.first_seen_at < until and article.added_at <= known_to


def _count(app: App, sql: str, *times: datetime) -> int:
    return int(app.store.connection.execute(sql, tuple(map(utc_text, times))).fetchone()[0])


def _moved(app: App, known_to: datetime) -> dict[int, int]:
    """article -> story, for articles that were moved to another story after `known_to`: the one they were in then."""
    rows = app.store.connection.execute(
        "SELECT article_id, from_story FROM story_moves m JOIN articles a ON a.id = m.article_id WHERE at > ?"
        " ORDER BY at DESC, m.rowid DESC",
        (utc_text(known_to),),
    )
    return {row["article_id"]: row["from_story"] for row in rows}


def _fact(
    app: App, article: Article, story_id: int, known_to: datetime, names: Mapping[str, str], language: str
) -> FactArticle:
    """An article as it stood: of its versions the one that was current when the second of `known_to` began."""
    old: Revision | None = next((r for r in app.store.articles.revisions(article.id) if r.until >= known_to), None)
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
        names=list(dict.fromkeys(app.lexicon.label(name, language) for _, name, _, _ in told)),
        withdrawn=_gone(app, article.id, known_to),
        polled=app.store.sources.get(article.source_id).kind != "none",
    )


def _original(fact: FactArticle, seen: Mapping[int, Article]) -> FactArticle:
    """A copy whose original was not there yet was taken for an original."""
    return fact if fact.duplicate_of in seen or fact.duplicate_of is None else replace(fact, duplicate_of=None)


def _gone(app: App, article_id: int, known_to: datetime) -> bool:
    row = app.store.articles.row(article_id)
    return row["withdrawn_at"] is not None and utc_time(row["withdrawn_at"]) < known_to


def _changes(
    app: App, span: Window, until: datetime, seen: Mapping[int, tuple[str, str]], names: Mapping[str, str]
) -> list[Change]:
    """Edits and withdrawals within the window, of articles that an earlier edition has shown as they were before."""
    run = app.store.connection.execute
    within = (utc_text(span.since), utc_text(until))
    edited = run("SELECT DISTINCT article_id FROM revisions WHERE seen_at >= ? AND seen_at < ?", within).fetchall()
    withdrawn = run("SELECT id FROM articles WHERE withdrawn_at >= ? AND withdrawn_at < ?", within).fetchall()
    out = []
    for kind, rows in (("edited", edited), ("withdrawn", withdrawn)):
        for (article_id,) in rows:
            if article_id not in seen:
                continue
            edition, made = seen[article_id]
            row = app.store.articles.row(article_id)
            versions = app.store.articles.revisions(article_id)
            past = [v for v in versions if max(span.since, utc_time(made)) <= v.until < until]
            later = next((v for v in versions if v.until >= until), None)
            if kind == "edited" and not past:
                continue
            title, text = (later.title, later.text) if later else (row["title"], row["text"])
            first = past[0] if kind == "edited" else None
            out.append(
                Change(
                    kind=kind,
                    at=past[-1].until if kind == "edited" else utc_time(row["withdrawn_at"]),
                    edition=date.fromisoformat(edition),
                    article_id=article_id,
                    story_id=row["story_id"],
                    title=title,
                    text=text,
                    old_title=first.title if first else title,
                    old_text=first.text if first else text,
                    url=row["url"],
                    source=names[row["source_id"]],
                    language=row["language"],
                )
            )
    return out


def _figures(facts: Sequence[FactArticle]) -> dict[int, list[list[Figure]]]:
    """Story -> units of which its original articles give different figures, judged from the texts as they stood."""
    stories: dict[int, dict[int, FactArticle]] = defaultdict(dict)
    for fact in facts:
        if fact.duplicate_of is None:
            stories[fact.story_id][fact.id] = fact
    out = {}
    for story_id, members in stories.items():
        if len(members) > 1:
            found = disputes({id_: figures(f.title, f.text) for id_, f in members.items()})
            out[story_id] = [
                [
                    Figure(unit=dispute.unit, value=f"{value:.12g}", quote=_quote(members[id_], said), article_id=id_)
                    for value, side in dispute.sides.items()
                    for id_, said in side
                ]
                for dispute in found
            ]
    return out


def _quote(article: FactArticle, figure: Said) -> str:
    text = article.title if figure.field == "title" else article.text
    return " ".join(text[figure.start : figure.start + figure.length].split())


# --- the past ---------------------------------------------------------------------------------------------------------


def _past(app: App, span: Window, until: datetime, known_to: datetime, before: Mapping[int, int]) -> Past:
    """Stories a day of thirty, and sectors this week against the four before, by what was first seen."""
    day, week = timedelta(days=1), timedelta(days=7)
    run = app.store.connection.execute
    rows = run(
        "SELECT id, story_id, first_seen_at FROM articles WHERE first_seen_at >= ? AND first_seen_at < ?"
        " AND coalesce(added_at, first_seen_at) <= ?",
        (utc_text(span.until - (WEEKS + 1) * week), utc_text(until), utc_text(known_to)),
    ).fetchall()
    ids = json.dumps([row["id"] for row in rows])
    tags: dict[int, list[str]] = defaultdict(list)
    for row in run(
        "SELECT article_id, sector FROM article_sectors WHERE article_id IN (SELECT value FROM json_each(?))", (ids,)
    ):
        tags[row["article_id"]].append(row["sector"])
    for row in run(
        "SELECT article_id, verdict FROM revisions WHERE seen_at >= ?"
        " AND article_id IN (SELECT value FROM json_each(?)) ORDER BY seen_at DESC, rowid DESC",
        (utc_text(known_to), ids),
    ):
        tags[row["article_id"]] = [sector for sector, _ in json.loads(row["verdict"]).get("sectors", ())]
    days: list[set[int]] = [set() for _ in range(DAYS)]
    weeks: list[dict[str, set[int]]] = [defaultdict(set) for _ in range(WEEKS + 1)]
    for row in rows:
        story, ago = before.get(row["id"], row["story_id"]), span.until - utc_time(row["first_seen_at"])
        back = -(-ago // day) - 1  # the close belongs to the next edition
        if 0 <= back < DAYS:
            days[back].add(story)
        if 0 <= (number := -(-ago // week) - 1) <= WEEKS:
            for sector in tags[row["id"]]:
                weeks[number][sector].add(story)
    sectors = [
        (s, len(weeks[0][s]), round(sum(len(w.get(s, ())) for w in weeks[1:]) / WEEKS, 1))
        for s in sorted({s for w in weeks for s in w})
    ]
    return Past(
        days=[(span.date - timedelta(days=back), len(days[back])) for back in reversed(range(DAYS))],
        sectors=sorted(sectors, key=lambda s: (-s[1], -s[2], s[0])),
    )


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
