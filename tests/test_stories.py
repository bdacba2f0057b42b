"""Stories in the database: the same whatever the order, a merge can be explained and undone, a person's word holds."""

import json
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.app import App
from crawler.digest.build import window
from crawler.digest.gather import gather
from crawler.errors import NotStored, UsageError
from crawler.ingest.lines import Line, settle_line
from crawler.mark import mark
from crawler.reassess import reassess
from crawler.reports import explain, export
from crawler.types import Moment
from store.records import State
from tests.builders import NOON, Clock, world
from tests.test_reassess import audited, no_change

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases" / "stories" / "events.jsonl").read_text("utf-8").splitlines()
]
LAVROV = {"en": "lavrov-en", "ru": "lavrov-ru", "ur": "lavrov-ur"}


def url(name: str) -> str:
    return f"https://{name}.test/1"


def put(app: App, names: Iterable[str]) -> None:
    for case in CASES:
        case["at"] = datetime.fromisoformat(case["published"])
    by_name = {case["id"]: case for case in CASES}
    for name in names:
        case = by_name[name]
        settle_line(
            app,
            Line(url=url(name), title=case["title"], text=case["text"], language=case["language"], source=name,
                 published=Moment(instant=case["at"], precision="minute"), first_seen=case["at"],
                 country="RU" if case["language"] == "ru" else "PK"),
            now=app.clock(),
        )  # fmt: skip


def stories(app: App) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for row in app.store.connection.execute("SELECT source_id, story_id FROM articles"):
        found.setdefault(row["story_id"], set()).add(row["source_id"])
    return {frozenset(names) for names in found.values()}


def article(app: App, name: str) -> Any:
    found = app.store.articles.by_canonical(url(name))
    assert found is not None
    return found


def rows(app: App, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in app.store.connection.execute(sql)]


def test_the_order_of_arrival_changes_no_story(tmp_path: Path) -> None:
    names = [case["id"] for case in CASES]
    first = None
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        with world(folder) as app:
            put(app, names)
            first = first or stories(app)
            assert stories(app) == first
            audited(app)
        random.Random(seed).shuffle(names)
    assert {frozenset(LAVROV.values()), frozenset({"mango-en"})} <= first  # type: ignore[operator]


def test_nor_does_it_where_the_week_fills_and_more_is_asked_of_a_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.cluster.stories._QUIET", 1)
    monkeypatch.setattr("crawler.cluster.stories._BUSY", 5.0)
    names = [case["id"] for case in CASES]
    found, alone = [], set()
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        with world(folder) as app:
            put(app, names)
            found.append(stories(app))
            audited(app)
            alone |= {row[0] for row in rows(app, "SELECT reasons FROM story_moves") if "more articles" in row[0]}
        random.Random(seed).shuffle(names)
    assert found[0] == found[1] == found[2]
    assert alone  # there were pairs that a busier week has parted again


def test_a_late_article_joins_two_stories_and_its_merge_is_explained(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        put(app, ["lavrov-ru", "lavrov-ur"])
        mark(app, url("lavrov-ru"), "apart", (url("lavrov-ur"),), now=NOON)
        ru, ur = article(app, "lavrov-ru"), article(app, "lavrov-ur")
        mark(app, url("lavrov-ru"), "together", (url("lavrov-ur"),), now=NOON)
        assert article(app, "lavrov-ur").story_id == article(app, "lavrov-ru").story_id == ru.story_id
        (merge,) = app.store.stories.merges(ru.story_id)
        assert (merge["merged_id"], json.loads(merge["articles"])) == (ur.story_id, [ur.id])
        told = explain.lines(explain.report(app.store, url("lavrov-ur")))
        assert f"joined with story {ur.story_id}" in told
        assert f"undo: `pakrus mark {ur.id} apart" in told
        assert "together, says a person: https://lavrov-ru.test/1" in told
        audited(app)


@pytest.mark.parametrize("language", LAVROV)
def test_what_does_not_belong_to_a_story_leaves_it_for_good(tmp_path: Path, language: str) -> None:
    name = LAVROV[language]
    rest = frozenset(LAVROV.values()) - {name}
    with world(tmp_path) as app:
        put(app, [*LAVROV.values(), "mango-en"])
        before = article(app, next(iter(sorted(rest)))).story_id
        told = mark(app, url(name), "apart", (), now=NOON)
        assert {frozenset({name}), rest} <= stories(app)
        assert told["story_id"] == article(app, name).story_id != before
        assert article(app, next(iter(rest))).story_id == before  # the greater part keeps the number
        assert rows(app, "SELECT from_story, article_id FROM story_moves") == [(before, article(app, name).id)]
        settled = stories(app)
        app.store.note("placing", "rules of an older version")
        reassess(app, dry_run=False)
        assert stories(app) == settled
        assert no_change(reassess(app, dry_run=False))
        put_again = Line(
            url=url(name), title=article(app, name).title, text=article(app, name).text + " More was said.",
            published=None, language=language, source=name, country="", first_seen=NOON,
        )  # fmt: skip
        assert settle_line(app, put_again, now=NOON) == "revised"
        assert stories(app) == settled
        audited(app)


@pytest.mark.parametrize("language", LAVROV)
def test_what_belongs_together_stays_so_through_every_replay(tmp_path: Path, language: str) -> None:
    name = LAVROV[language]
    with world(tmp_path) as app:
        put(app, [name, "mango-en", "chess-ru"])
        assert len(stories(app)) == 3
        mark(app, str(article(app, name).id), "together", (str(article(app, "mango-en").id),), now=NOON)
        assert frozenset({name, "mango-en"}) in stories(app)
        app.store.note("placing", "rules of an older version")
        reassess(app, dry_run=False)
        assert frozenset({name, "mango-en"}) in stories(app)
        mark(app, url("mango-en"), "apart", (url(name),), now=NOON)  # the later word holds
        assert len(stories(app)) == 3
        audited(app)


def test_a_word_holds_when_its_article_goes_and_comes_back(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        put(app, LAVROV.values())
        mark(app, url("lavrov-ur"), "apart", (), now=NOON)
        mark(app, url("lavrov-ur"), "irrelevant", (), now=NOON)
        mark(app, url("lavrov-ur"), "relevant", (), now=NOON)
        assert stories(app) == {frozenset({"lavrov-en", "lavrov-ru"}), frozenset({"lavrov-ur"})}
        audited(app)


def test_what_is_apart_is_no_copy_either(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        put(app, ["lavrov-en"])
        text = article(app, "lavrov-en").text
        moment = Moment(instant=NOON - timedelta(days=350), precision="minute")
        for n in (1, 2):
            copy = Line(url=f"https://copy{n}.test/1", title="Lavrov, Dar meet", text=text, published=moment,
                        language="en", source=f"copy{n}", country="PK", first_seen=NOON)  # fmt: skip
            moment = Moment(instant=datetime.fromisoformat("2025-12-08T12:00:00Z"), precision="minute")
            settle_line(app, copy, now=NOON)
        second = app.store.articles.by_canonical("https://copy2.test/1")
        assert second is not None
        assert second.duplicate_of == article(app, "lavrov-en").id
        told = mark(app, str(second.id), "apart", (url("lavrov-en"),), now=NOON)
        assert told["state"] == State.KEPT
        assert app.store.articles.get(second.id).duplicate_of is None
        reassess(app, dry_run=False)
        assert app.store.articles.get(second.id).duplicate_of is None
        assert app.store.articles.get(second.id).story_id != article(app, "lavrov-en").story_id
        audited(app)


def test_words_on_stories_are_exported(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        put(app, [*LAVROV.values(), "mango-en"])
        mark(app, url("lavrov-en"), "together", (url("lavrov-ur"),), now=NOON)
        mark(app, url("mango-en"), "apart", (url("lavrov-en"),), now=NOON)
        found = {r["url"]: r for r in map(json.loads, export.texts(app.store, "jsonl", export.Choice(), labelled=True))}
        assert set(found) == {url("lavrov-en"), url("lavrov-ur"), url("mango-en")}
        assert found[url("lavrov-en")]["event"] == found[url("lavrov-ur")]["event"] is not None
        assert found[url("mango-en")]["event"] is None
        assert found[url("mango-en")]["apart"] == [url("lavrov-en")]


@pytest.mark.parametrize(
    ("word", "others"), [("together", ()), ("apart", ()), ("together", ("https://nobody.test/",)), ("apart", ("1",))]
)
def test_a_word_on_no_other_article_changes_nothing(tmp_path: Path, word: str, others: tuple[str, ...]) -> None:
    with world(tmp_path) as app:
        put(app, ["lavrov-en"])
        with pytest.raises((UsageError, NotStored)):
            mark(app, "1", word, others, now=NOON)
        assert rows(app, "SELECT * FROM marks") == []


def test_a_past_edition_finds_the_stories_as_they_stood(tmp_path: Path) -> None:
    with world(tmp_path, clock=Clock(datetime.fromisoformat("2025-12-09T06:00:00Z"))) as app:
        put(app, LAVROV.values())
        span = window(app.clock().date(), app.config.timezone, app.config.digest.at)
        then = app.clock()
        before = gather(app, span, created_at=then)
        app.clock.wind(hours=1)  # type: ignore[attr-defined]
        mark(app, url("lavrov-ru"), "apart", (), now=app.clock())
        assert len({a.story_id for a in before.articles}) == 1
        assert gather(app, span, created_at=then).articles == before.articles
        assert len({a.story_id for a in gather(app, span, created_at=app.clock()).articles}) == 2


def test_a_disputed_figure_is_recorded_as_the_story_grows_and_gone_with_its_article(tmp_path: Path) -> None:
    sql = "SELECT unit, value, source_id, f.quote FROM story_figures f JOIN articles a ON a.id = f.article_id"
    with world(tmp_path) as app:
        put(app, ["traders-ru", "traders-ur"])
        assert rows(app, sql) == []
        put(app, ["traders-en"])
        found = rows(app, f"{sql} ORDER BY value, source_id")
        assert [row[:3] for row in found] == [
            ("traders", 83.0, "traders-en"),
            ("traders", 84.0, "traders-ru"),
            ("traders", 84.0, "traders-ur"),
        ]
        assert [row[3].split()[0] for row in found] == ["83", "84", "84"]
        told = explain.lines(explain.report(app.store, url("traders-ur")))
        assert "disputed: 83 traders" in told
        before = rows(app, "SELECT * FROM story_figures")
        app.store.note("placing", "rules of an older version")
        reassess(app, dry_run=False)
        assert rows(app, "SELECT * FROM story_figures") == before
        mark(app, url("traders-en"), "irrelevant", (), now=NOON)
        assert rows(app, sql) == []
        audited(app)
