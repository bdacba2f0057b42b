"""Replay: what has not changed changes nothing; what has changed takes its place, and stories keep their numbers."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.app import App
from crawler.classify import classify
from crawler.config import read_config
from crawler.ingest import articles
from crawler.ingest.lines import Line, settle_line
from crawler.reassess import lines, placing_rules, reassess
from crawler.reports import audit
from crawler.types import Classification, Moment, Text
from store.connection import open_store
from tests.builders import NOON, Clock, world
from tests.crawled import Crawled
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, CRICKET

CHANGES = ("kept", "dropped", "regraded", "retagged", "restoried", "copies")
WHEAT = (
    "KARACHI: A ship with 60,000 tonnes of Russian wheat berthed at Karachi port on Monday, the Trading Corporation of "
    "Pakistan said. The cargo from Novorossiysk is the second of two bought in October at 281 dollars a tonne."
)


def no_change(value: dict[str, Any]) -> bool:
    return not any(value[name] for name in CHANGES)


def put(app: App, url: str, title: str, text: str, *, source: str = "paper", at: datetime = NOON) -> str:
    moment = Moment(instant=at, precision="minute")
    country = "RU" if source.startswith("ru") else "PK"
    return settle_line(
        app,
        Line(url=url, title=title, text=text, published=moment, language="", source=source, country=country,
             first_seen=at),
        now=app.clock(),
    )  # fmt: skip


def fill(app: App) -> None:
    """A story in three languages with a copy, another story, a reject."""
    put(app, "http://a.test/1", "Pakistan, Russia set up barter desk", BARTER)
    put(app, "http://ru.test/1", "Россия и Пакистан создадут бартерный центр", BARTER_RU, source="ru-paper")
    put(app, "http://c.test/1", "پاکستان اور روس بارٹر ڈیسک قائم کریں گے", BARTER_UR)
    put(app, "http://d.test/1", "Barter desk set up", BARTER, at=NOON + timedelta(hours=1))
    put(app, "http://a.test/2", "Russian wheat reaches Karachi", WHEAT)
    put(app, "http://a.test/3", "Test ends in draw", CRICKET)


def contents(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but what says when something was done."""
    tables = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        table: sorted((tuple(row) for row in connection.execute(f"SELECT * FROM {table}")), key=repr)
        for table in tables
        if table != "meta" and not table.startswith(("sqlite_", "article_search_"))
    }


def audited(app: App) -> None:
    value = audit.report(app.store, day=None, zone=app.config.timezone)
    assert value["unexplained"] == 0, value["problems"]
    assert app.store.connection.execute("PRAGMA foreign_key_check").fetchall() == []


@contextmanager
def judging(
    monkeypatch: pytest.MonkeyPatch, verdict: Callable[[Text, Classification], Classification]
) -> Iterator[None]:
    """As after a change of the lexicon: `verdict` makes of the present judgement the new one."""
    with monkeypatch.context() as patch:
        patch.setattr(articles, "classify", lambda text, lexicon: verdict(text, classify(text, lexicon)))
        yield


def test_nothing_changes_where_nothing_has_changed(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        fill(app)
        before = contents(app.store.connection)
        for dry in (True, False, False):
            value = reassess(app, dry_run=dry)
            assert no_change(value), value
            assert value["judged"] == 6
            assert contents(app.store.connection) == before
        audited(app)


def test_nothing_changes_in_a_crawled_database_with_edits_merges_and_copies(crawled: Crawled, tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    with sqlite3.connect(path) as target, crawled.reader() as source:
        source.backup(target)
    target.close()
    with open_store(path, mode="write", holder="test") as store:
        app = App(read_config(crawled.folder / "feeds.yaml", crawled.folder), store, clock=Clock())
        before = contents(store.connection)
        value = reassess(app, dry_run=False)
        assert no_change(value), lines(value)
        after = contents(store.connection)
        changed = {table for table in before if before[table] != after[table]}
        assert changed <= {"entries"}, changed  # a reject's score may be that of the whole text now
        audited(app)


def test_a_dry_run_says_what_would_change_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path) as app:
        fill(app)
        before = contents(app.store.connection)
        with judging(monkeypatch, lambda text, c: replace(c, grade=0) if "wheat" in text.text else c):
            said = reassess(app, dry_run=True)
            assert [d["title"] for d in said["dropped"]] == ["Russian wheat reaches Karachi"]
            assert contents(app.store.connection) == before
            assert app.store.noted("lexicon") is None
            done = reassess(app, dry_run=False)
        assert {**done, "dry_run": True} == said
        assert "would change" in "\n".join(lines(said))


def test_what_is_dropped_leaves_its_documents_and_comes_back_under_a_later_judgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path) as app:
        fill(app)
        run = app.store.connection.execute
        with judging(monkeypatch, lambda text, c: replace(c, grade=0, score=0.1)):
            value = reassess(app, dry_run=False)
        assert len(value["dropped"]) == 5
        assert dict(app.store.frontier.counts()) == {"rejected": 6}
        assert (
            run("SELECT count(*) FROM articles").fetchone()[0] == run("SELECT count(*) FROM stories").fetchone()[0] == 0
        )
        assert run("SELECT count(*) FROM documents WHERE text <> ''").fetchone()[0] == 6
        audited(app)
        value = reassess(app, dry_run=False)
        assert len(value["kept"]) == 5
        assert dict(app.store.frontier.counts()) == {"kept": 4, "duplicate": 1, "rejected": 1}
        assert run("SELECT count(*) FROM stories").fetchone()[0] == 2
        assert no_change(reassess(app, dry_run=False))
        audited(app)


def test_a_reject_that_is_kept_now_joins_its_story_and_so_do_its_other_sightings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path) as app:
        with judging(monkeypatch, lambda text, c: replace(c, grade=0, score=0.2) if "ru." in text.url else c):
            fill(app)
        story = app.store.connection.execute("SELECT story_id FROM articles WHERE url = 'http://a.test/1'").fetchone()[
            0
        ]
        value = reassess(app, dry_run=False)
        assert [k["title"] for k in value["kept"]] == ["Россия и Пакистан создадут бартерный центр"]
        assert value["restoried"] == value["copies"] == []
        row = app.store.connection.execute(
            "SELECT story_id, language FROM articles WHERE url LIKE '%ru.test%'"
        ).fetchone()
        assert tuple(row) == (story, "ru")
        audited(app)


def test_the_original_that_is_dropped_leaves_its_copy_standing_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path) as app:
        fill(app)
        run = app.store.connection.execute
        story = run("SELECT story_id FROM articles WHERE url = 'http://a.test/1'").fetchone()[0]
        with judging(monkeypatch, lambda text, c: replace(c, grade=0) if "/a.test/1" in text.url else c):
            reassess(app, dry_run=False)
        copy = run("SELECT story_id, duplicate_of FROM articles WHERE url = 'http://d.test/1'").fetchone()
        assert tuple(copy) == (story, None)
        assert run("SELECT state FROM entries WHERE url = 'http://d.test/1'").fetchone()[0] == "kept"
        audited(app)


def test_only_touched_stories_are_made_anew_and_all_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path) as app:
        fill(app)
        run = app.store.connection.execute
        before = dict(run("SELECT url, story_id FROM articles").fetchall())
        made = dict(run("SELECT id, created_at FROM stories").fetchall())
        app.clock.wind(days=30)  # type: ignore[attr-defined]
        with judging(monkeypatch, lambda text, c: replace(c, sectors=()) if "wheat" in text.text else c):
            value = reassess(app, dry_run=False)
        assert [r["title"] for r in value["retagged"]] == ["Russian wheat reaches Karachi"]
        assert value["restoried"] == value["copies"] == []
        assert dict(run("SELECT url, story_id FROM articles").fetchall()) == before
        assert dict(run("SELECT id, created_at FROM stories").fetchall()) == made
        audited(app)


def test_new_rules_of_placing_make_all_stories_anew_under_their_old_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path) as app:
        fill(app)
        reassess(app, dry_run=False)
        assert app.store.noted("placing") == placing_rules()
        app.store.note("placing", "rules of an older version")
        # The older version put the wheat into the story of the desk, and took the copy for an article of its own.
        run = app.store.connection.execute
        desk = run("SELECT story_id FROM articles WHERE url = 'http://a.test/1'").fetchone()[0]
        wheat = run("SELECT id, story_id FROM articles WHERE url = 'http://a.test/2'").fetchone()
        run("UPDATE articles SET story_id = ? WHERE id = ?", (desk, wheat["id"]))
        run("DELETE FROM stories WHERE id = ?", (wheat["story_id"],))
        run("UPDATE articles SET duplicate_of = NULL")
        value = reassess(app, dry_run=False)
        assert [r["title"] for r in value["restoried"]] == ["Russian wheat reaches Karachi"]
        assert [c["title"] for c in value["copies"]] == ["Barter desk set up"]
        assert {r["from"] for r in value["restoried"]} == {desk}
        assert run("SELECT story_id FROM articles WHERE url = 'http://a.test/1'").fetchone()[0] == desk
        assert run("SELECT count(*) FROM story_merges").fetchone()[0] == 0
        assert no_change(reassess(app, dry_run=False))
        audited(app)


def test_an_edit_that_left_the_beat_does_not_unmake_its_article(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        put(app, "http://a.test/1", "Pakistan, Russia set up barter desk", BARTER)
        assert put(app, "http://a.test/1", "Test ends in draw", CRICKET) == "revised"
        value = reassess(app, dry_run=False)
        assert no_change(value), value
        row = app.store.connection.execute("SELECT grade, title FROM articles").fetchone()
        assert tuple(row) == (1, "Test ends in draw")


def test_the_number_of_a_story_that_is_gone_is_never_given_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path) as app:
        fill(app)
        run = app.store.connection.execute
        newest = run("SELECT max(id) FROM stories").fetchone()[0]
        assert run("SELECT story_id FROM articles WHERE url = 'http://a.test/2'").fetchone()[0] == newest
        with judging(monkeypatch, lambda text, c: replace(c, grade=0) if "wheat" in text.text else c):
            reassess(app, dry_run=False)
        put(app, "http://a.test/9", "Russian rice ship in Karachi", WHEAT.replace("wheat", "rice").replace("60", "7"))
        assert run("SELECT max(id) FROM stories").fetchone()[0] > newest
