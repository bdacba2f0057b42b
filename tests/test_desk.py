"""The desk: every question answers, search finds inflected forms, and a writer goes on writing."""

import html
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from crawler.desk import about
from crawler.desk import serve as serving
from crawler.errors import UsageError
from crawler.ingest import settle_line
from store.descriptions import TABLES, VIEWS
from store.schema import migrate
from tests.builders import NOON, world
from tests.test_cli import ENVIRONMENT, pakrus
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, _line

QUESTIONS = {q.name: q for q in about.questions()}
COLUMNS = json.loads((Path(__file__).parent / "cases" / "desk" / "columns.json").read_text("utf-8"))
ASKED = {
    "search": {"search": "wheat"},
    "two_names": {"name": "lavrov", "and_name": "dar"},
    "named_together": {"name": "lavrov"},
    "wheat_by_month": {"year": "2026"},
}
EMPTY_IN_THE_DEMO = {"gaps"}


@pytest.fixture(scope="module")
def desk(demo: Path) -> Iterator[str]:
    """The address of a desk over the demo, in a process of its own."""
    with served(demo / "news.db", demo / "feeds.yaml") as address:
        yield address


@contextmanager
def served(database: Path, config: Path) -> Iterator[str]:
    command = [sys.executable, "-W", "error::DeprecationWarning:crawler", "-m", "crawler", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--config", str(config), "--db", str(database)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **ENVIRONMENT},
    )  # fmt: skip
    try:
        assert process.stdout
        assert process.stderr
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def get(address: str, **headers: str) -> str:
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return str(response.read().decode())


def rows(desk: str, path: str, **parameters: str) -> list[dict[str, Any]]:
    query = "&".join(f"{k}={quote(v)}" for k, v in {**parameters, "_shape": "array"}.items())
    found: list[dict[str, Any]] = json.loads(get(f"{desk}/{path}.json?{query}"))
    return found


# --- the questions ----------------------------------------------------------------------------------------------------


def test_there_are_enough_questions_and_each_has_its_expectation() -> None:
    assert len(QUESTIONS) >= 15
    assert COLUMNS.keys() == QUESTIONS.keys()


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_answers_on_the_demo_with_its_columns(name: str, demo: Path) -> None:
    connection = sqlite3.connect(f"{(demo / 'news.db').as_uri()}?mode=ro", uri=True)
    connection.create_function("search", 1, about.expression)
    asked = {**dict.fromkeys(parameters(name), ""), **ASKED.get(name, {})}
    cursor = connection.execute(QUESTIONS[name].sql, asked)
    assert [column[0] for column in cursor.description] == COLUMNS[name]
    found = cursor.fetchall()
    connection.close()
    if name not in EMPTY_IN_THE_DEMO:
        assert found, "the demo has nothing to show for it"


def parameters(name: str) -> set[str]:
    without_texts = re.sub(r"'[^']*'", "''", QUESTIONS[name].sql)
    return set(re.findall(r":(\w+)", without_texts))


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_answers_at_the_desk_under_its_title(name: str, desk: str) -> None:
    page = get(f"{desk}/{name}?{urlencode(ASKED.get(name, {}))}")
    assert QUESTIONS[name].title.replace("'", "&#39;") in page
    assert "message-error" not in page


def test_parameters_narrow_a_question(desk: str) -> None:
    pair = rows(desk, "two_names", name="lavrov", and_name="dar")
    assert pair
    sides = {row["side"] for row in rows(desk, "one_sided_stories", side="RU")}
    assert sides == {"RU"}


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("three")
    with world(folder) as app:
        for n, (title, text) in enumerate(
            [
                ("Pakistan, Russia agree to set up barter desks", BARTER),
                ("Россия и Пакистан создадут бартерный центр", BARTER_RU),
                ("پاکستان اور روس کا بارٹر ڈیسک قائم کرنے پر اتفاق", BARTER_UR),
            ]
        ):
            settle_line(app, _line(f"http://s{n}.test/1", title, text, source=f"s{n}", country="PK"), now=NOON)
    (folder / "feeds.yaml").write_text("sources: []\n")
    with served(folder / "news.db", folder / "feeds.yaml") as address:
        yield address


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("desk", "en"),
        ("agreeing", "en"),
        ("российского", "ru"),
        ("бартерными", "ru"),
        ("پاکستانی", "ur"),
        ("روسی", "ur"),
    ],
)
def test_search_finds_other_forms_of_a_word(words: str, language: str, three: str) -> None:
    assert language in {row["language"] for row in rows(three, "search", search=words)}
    for table in ("articles", "article_list"):
        assert language in {row["language"] for row in rows(three, table, _search=words)}


@pytest.mark.parametrize(
    "words", ["", " ", '"', "((", "AND", "a OR", "title:x", "NEAR(", "-", "*", "\x00", "'; --", "я" * 5000]
)
def test_what_is_no_query_is_no_error(words: str, three: str) -> None:
    rows(three, "search", search=words)
    rows(three, "articles", _search=words)


# --- what it says of the database -------------------------------------------------------------------------------------


def test_every_table_and_commented_column_is_described() -> None:
    told = about.metadata()["databases"][about.DATABASE]["tables"]
    assert told["sources"]["columns"]["next_due_at"] == "null: at once"
    assert all(told[name]["description"] for name in (*TABLES, *VIEWS))


def test_facets_are_columns_of_their_tables() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    for table, facets in about.FACETS.items():
        assert set(facets) <= {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}, table
    connection.close()


def test_a_table_shows_its_words_and_facets(desk: str) -> None:
    page = get(f"{desk}/articles")
    assert "Nothing kept is ever deleted" in page
    assert "_facet=" in page or "facet-results" in page
    assert "desk.css" in page


def test_one_clicks_from_the_digest_to_a_story_and_its_articles(desk: str) -> None:
    root = desk.removesuffix("/news")
    assert 'href="/digest"' in get(desk)
    edition = get(f"{root}/digest")
    assert get(f"{root}/digest/2026-11-25") == edition
    stories = rows(desk, "daily", _sort_desc="day")
    told = html.unescape(edition)
    story = next(s for s in stories if s["headline"] in told)
    assert f'href="/news/story_timeline?story_id={story["story_id"]}"' in get(f"{desk}/daily?_size=max")
    timeline = get(f"{desk}/story_timeline?story_id={story['story_id']}")
    (first, *_) = re.findall(r'href="(/news/articles/\d+)"', timeline)
    assert rows(root, first.removeprefix("/"))[0]["story_id"] == story["story_id"]


def test_a_day_without_an_edition_says_so(desk: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{desk.removesuffix('/news')}/digest/1999-01-01")
    assert refused.value.code == 404
    refused.value.close()


# --- beside a writer, and shut to all others --------------------------------------------------------------------------


def test_it_sees_what_a_writer_commits_and_never_holds_it_up(demo: Path, tmp_path: Path) -> None:
    database = tmp_path / "news.db"
    shutil.copy(demo / "news.db", database)
    with served(database, demo / "feeds.yaml") as address, world(tmp_path) as app:
        before = rows(address, "reasons")
        for n in range(20):
            number = str(1000 + n)
            line = _line(f"http://w.test/{n}", f"Barter desk {n}", BARTER.replace("120", number), source="w")
            settle_line(app, line, now=NOON + timedelta(minutes=n))
            assert rows(address, "reasons") == before
        found = json.loads(
            get(
                f"{address}.json?_shape=array&sql={quote('SELECT count(*) AS n FROM articles WHERE source_id = ' + chr(39) + 'w' + chr(39))}"
            )
        )
        assert found == [{"n": 20}]


def test_nothing_can_be_written(desk: str) -> None:
    for sql in ("DELETE FROM articles", "ATTACH 'x.db' AS x", "PRAGMA journal_mode = DELETE"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(f"{desk}.json?sql={quote(sql)}")
        assert refused.value.code == 400
        refused.value.close()


def test_another_host_name_is_refused(desk: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(desk, Host="evil.example")
    assert refused.value.code == 421
    refused.value.close()


def test_what_comes_from_outside_is_escaped(tmp_path: Path) -> None:
    title = 'Pakistan, Russia <script>alert(1)</script> "x" agree'
    with world(tmp_path) as app:
        settle_line(app, _line("http://s.test/1", title, BARTER, source="s"), now=NOON)
    (tmp_path / "feeds.yaml").write_text("sources: []\n")
    with served(tmp_path / "news.db", tmp_path / "feeds.yaml") as address:
        for path in ("articles", "article_list", "search?search=barter", "story_timeline"):
            assert "<script>alert(1)" not in get(f"{address}/{path}")


# --- the verb ---------------------------------------------------------------------------------------------------------


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'pakrus\[desk\]'") as caught:
        serving.require()
    assert caught.value.exit_code == 2


def test_a_port_that_is_taken_is_wrong_usage(demo: Path, desk: str) -> None:
    port = desk.rsplit(":", 1)[1].split("/")[0]
    done = pakrus("serve", "--port", port, "--config", str(demo / "feeds.yaml"), "--db", str(demo / "news.db"))
    assert done.returncode == 2
    assert f"--port: {port} cannot be had" in done.stderr


def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    done = pakrus("serve", "--db", str(tmp_path / "none.db"))
    assert done.returncode == 4
    assert "no database yet" in done.stderr
