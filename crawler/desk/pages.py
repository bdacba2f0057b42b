"""Our own pages in front of Datasette: the day at a glance, a name over time, a story and its articles."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from crawler.desk.about import DATABASE, questions
from crawler.digest.formats import html, pictures, render, words
from crawler.lexicon import load
from store.records import utc_time

Row = Mapping[str, Any]

DAYS = 60  # of the front page's picture of stories a day
MONTHS = 24  # of a name's
WRITTEN = 12  # spellings of a name

EDITION = (
    "SELECT content FROM digests WHERE period = 'day' AND (:date = '' OR date = :date)"
    " ORDER BY date DESC, created_at DESC LIMIT 1"
)
_DAYS = "SELECT day, count(DISTINCT story_id) AS stories FROM articles GROUP BY day ORDER BY day DESC LIMIT :days"
_HEALTH = (
    "SELECT source_id, name, state, last_good_at, entries_7d, kept_7d FROM source_health"
    " ORDER BY state = 'good', consecutive_failures DESC, name LIMIT 40"
)
_NAMES = (
    "SELECT m.name, m.kind, count(DISTINCT a.story_id) AS stories"
    " FROM mentions m JOIN articles a ON a.id = m.article_id WHERE m.kind IN ('person', 'body', 'project')"
    " AND a.day > date((SELECT max(day) FROM articles), '-30 days')"
    " GROUP BY m.name ORDER BY stories DESC, m.name LIMIT 24"
)
_NAME = (
    "SELECT kind, json_group_array(DISTINCT quote) AS written, count(DISTINCT article_id) AS articles FROM mentions"
    " WHERE name = :name GROUP BY kind ORDER BY articles DESC LIMIT 1"
)
_NAME_MONTHS = (
    "SELECT substr(a.day, 1, 7) AS month, count(DISTINCT a.story_id) AS stories FROM articles a"
    " WHERE a.id IN (SELECT article_id FROM mentions WHERE name = :name) GROUP BY month ORDER BY month"
)
_NAME_STORIES = (
    "SELECT max(a.day) AS day, s.headline, a.story_id, count(*) AS articles, sum(a.country = 'PK') AS pakistani,"
    " sum(a.country = 'RU') AS russian, sum(a.country NOT IN ('PK', 'RU')) AS other"
    " FROM articles a JOIN stories s ON s.id = a.story_id"
    " WHERE a.id IN (SELECT article_id FROM mentions WHERE name = :name)"
    " GROUP BY a.story_id ORDER BY day DESC, a.story_id DESC LIMIT 100"
)
_STORY = (
    "SELECT a.id, a.title, a.url, a.language, a.country, a.day, coalesce(a.published_at, a.first_seen_at) AS at,"
    " a.duplicate_of, a.origin, a.withdrawn_at, n.name AS source FROM articles a JOIN sources n ON n.id = a.source_id"
    " WHERE a.story_id = :story ORDER BY at, a.id LIMIT 500"
)
_STORY_NAMES = (
    "SELECT m.name, m.kind, count(DISTINCT m.article_id) AS articles"
    " FROM mentions m JOIN articles a ON a.id = m.article_id"
    " WHERE a.story_id = :story AND m.kind IN ('person', 'body', 'project')"
    " GROUP BY m.name ORDER BY articles DESC, m.name LIMIT 24"
)
_STORY_SECTORS = (
    "SELECT DISTINCT x.sector FROM article_sectors x JOIN articles a ON a.id = x.article_id"
    " WHERE a.story_id = :story ORDER BY x.sector"
)


@cache
def _environment() -> Environment:
    def source(name: str) -> str:
        package = "crawler.digest.formats" if name == "style.css.j2" else "crawler.desk.templates"
        return resources.files(package).joinpath(name).read_text("utf-8")

    environment = Environment(
        loader=FunctionLoader(source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        w=html.Words.of("en"), p=pictures, href=html.href, direction=words.direction, label=load().label,
        sectors=load().sector_names("en"), DATABASE=DATABASE, SIDES=pictures.SIDES,
    )  # fmt: skip
    environment.filters["visible"] = words.visible
    return environment


def edition(content: str) -> str:
    """A stored edition as its page, with a way from each story to the desk's own page of it."""
    return render(json.loads(content), "html", story="/story/{id}")


async def front(ask: Any) -> str:
    """The desk's first page. `ask(sql, parameters)` gives rows."""
    stored = await ask(EDITION, {"date": ""})
    trend = await ask(next(q.sql for q in questions() if q.name == "sector_trend"), {})
    return _page(
        "front.html.j2",
        edition=json.loads(stored[0]["content"]) if stored else None,
        days=_days(await ask(_DAYS, {"days": DAYS})),
        trend=[
            {"name": load().sector_names("en").get(r["sector"], r["sector"]), "sector": r["sector"],
             "week": r["this_week"], "before": r["usual_week"]}
            for r in sorted(trend, key=lambda r: (-r["this_week"], -r["usual_week"], r["sector"]))
        ],
        health=[{**r, "good": _moment(r["last_good_at"])} for r in map(dict, await ask(_HEALTH, {}))],
        names=await ask(_NAMES, {}),
        questions=questions(),
    )  # fmt: skip


async def name(ask: Any, called: str) -> str | None:
    """A name's page; None where nothing stored mentions it."""
    found = await ask(_NAME, {"name": called})
    if not found:
        return None
    together = next(q.sql for q in questions() if q.name == "named_together")
    return _page(
        "name.html.j2",
        name=called,
        of=found[0],
        written=json.loads(found[0]["written"])[:WRITTEN],
        months=_months(await ask(_NAME_MONTHS, {"name": called})),
        stories=await ask(_NAME_STORIES, {"name": called}),
        together=(await ask(together, {"name": called}))[:15],
    )


async def story(ask: Any, number: int) -> str | None:
    """A story's page: its articles in time, its names; None where there is no such story."""
    articles = await ask(_STORY, {"story": number})
    if not articles:
        return None
    counts = {
        key: sum((a["country"] == country) if country else a["country"] not in ("PK", "RU") for a in articles)
        for key, country in (("pakistani", "PK"), ("russian", "RU"), ("other", ""))
    }
    headline = next((a for a in articles if a["language"] == "en"), articles[0])
    return _page(
        "story.html.j2", story=number, headline=headline, articles=articles, counts=counts,
        names=await ask(_STORY_NAMES, {"story": number}),
        of_sectors=[row["sector"] for row in await ask(_STORY_SECTORS, {"story": number})],
    )  # fmt: skip


def _page(template: str, **given: Any) -> str:
    return _environment().get_template(template).render(**given) + "\n"


def _moment(utc: str | None) -> str:
    """In Islamabad, as the rest of the desk."""
    if utc is None:
        return "never"
    return html.Words.of("en").moment(utc_time(utc).astimezone(words.CAPITALS[0]))


def _days(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """(day, stories) of the last DAYS days of the database, those without a story too."""
    if not rows:
        return []
    counts, last = {row["day"]: row["stories"] for row in rows}, date.fromisoformat(rows[0]["day"])
    days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]
    return [(html.Words.of("en").short_day(day), counts.get(day, 0)) for day in days]


def _months(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """(month, stories) of the MONTHS months up to the last in which there is one."""
    counts = {row["month"]: row["stories"] for row in rows}
    year, month = map(int, rows[-1]["month"].split("-"))
    at = [year * 12 + month - 1 - back for back in reversed(range(MONTHS))]
    names = [f"{n // 12}-{n % 12 + 1:02}" for n in at]
    return [(html.Words.of("en").month(m), counts.get(m, 0)) for m in names]
