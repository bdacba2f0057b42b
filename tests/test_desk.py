"""The desk: every question answers, search finds inflected forms, and a writer goes on writing."""

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
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import lxml.html
import pytest

from crawler.desk import about
from crawler.desk import serve as serving
from crawler.digest.deliver import deliver
from crawler.errors import UsageError
from crawler.ingest.lines import settle_line
from store.descriptions import TABLES, VIEWS
from store.schema import migrate
from tests.builders import NOON, world
from tests.test_cli import ENVIRONMENT, pakrus
from tests.test_digest_hostile import HOSTILE
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, _line

QUESTIONS = {q.name: q for q in about.questions()}
COLUMNS = json.loads((Path(__file__).parent / "cases" / "desk" / "columns.json").read_text("utf-8"))
ASKED = {
    "search": {"search": "wheat"},
    "two_names": {"name": "lavrov", "and_name": "dar"},
    "named_together": {"name": "lavrov"},
    "wheat_by_month": {"year": "2026"},
}
UNSAFE = ("javascript:", "data:text/html", "vbscript:")
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
        yield f"{address}news"
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


def _page(address: str) -> lxml.html.HtmlElement:
    page = lxml.html.fromstring(get(address))
    page.make_links_absolute(address)
    return page


def _links(page: lxml.html.HtmlElement, part: str) -> list[str]:
    return [a.get("href") for a in page.cssselect(f'a[href^="http://127.0.0.1"][href*="{part}"]')]


def test_one_clicks_from_the_front_page_to_the_digest_to_a_story_to_its_articles_and_names(desk: str) -> None:
    (address,) = set(_links(_page(desk.removesuffix("news")), "/digest"))
    digest = _page(address)
    for article in digest.cssselect("article"):
        (address,) = _links(article, "/story/")
        story = _page(address)
        listed = {a.get("href") for a in article.cssselect("a[rel]")}
        assert listed <= {a.get("href") for a in story.cssselect("a[rel]")}, "the story has all articles of the edition"
        number = int(address.rsplit("/", 1)[1])
        assert article.get("id") == f"story-{number}"
        for row in _links(story, "/news/articles/"):
            (stored,) = json.loads(get(f"{row}.json?_shape=array"))
            assert stored["story_id"] == number
    assert _links(_page(row), f"/story/{number}"), "an article leads back"
    for called in _links(story, "/name/")[:2]:
        assert address in _links(_page(called), "/story/")


def test_the_front_page_shows_the_day_the_trend_the_sources_and_the_questions(desk: str) -> None:
    root = desk.removesuffix("news")
    page = _page(root)
    told = page.text_content()
    edition = _page(f"{root}digest")
    assert edition.cssselect("h1")[0].text_content() in told
    assert edition.cssselect(".lead h3")[0].text_content() in told
    for source in rows(desk, "source_health"):
        assert source["name"] in told
    assert all(question.title in told for question in QUESTIONS.values())
    assert len(page.cssselect("svg.days rect")) == 60
    assert page.cssselect("svg.sector")


def test_a_name_has_a_page_with_its_stories_over_time(desk: str) -> None:
    root = desk.removesuffix("news")
    page = _page(f"{root}name/lavrov")
    assert page.cssselect("h1")[0].text_content() == "Sergey Lavrov"
    assert {"Лавров", "Lavrov"} <= {bdi.text_content() for bdi in page.cssselect("header bdi")}
    stories = {link.rsplit("/", 1)[1] for link in _links(page, "/story/")}
    sql = "SELECT DISTINCT story_id FROM articles WHERE id IN (SELECT article_id FROM mentions WHERE name = 'lavrov')"
    assert stories == {str(row["story_id"]) for row in json.loads(get(f"{desk}.json?_shape=array&sql={quote(sql)}"))}


@pytest.mark.parametrize("path", ["story/999999", "name/nobody-known", "name/%3Cscript%3E"])
def test_what_is_not_stored_has_no_page(path: str, desk: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{desk.removesuffix('news')}{path}")
    assert refused.value.code == 404
    refused.value.close()


def test_an_empty_database_has_a_front_page(tmp_path: Path) -> None:
    with world(tmp_path):
        pass
    (tmp_path / "feeds.yaml").write_text("sources: []\n")
    with served(tmp_path / "news.db", tmp_path / "feeds.yaml") as address:
        assert "No edition has been made yet" in get(address.removesuffix("news"))


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
    """Hostile titles, sources and texts on every page that shows one: not an element more than harmless ones give."""
    with world(tmp_path) as app:
        settle_line(app, _line("http://s.test/0", "Pakistan, Russia agree", BARTER, source="s"), now=NOON)
        run = app.store.connection.execute
        run("UPDATE sources SET name = '<script>alert(1)</script>' || id")
        first = dict(run("SELECT * FROM articles").fetchone())
        for n, text in enumerate(HOSTILE, 2):
            said = text[:3000].encode("utf-8", "replace").decode()
            told = {
                "title": said,
                "text": said,
                "author": said,
                "origin": said[:100],
                "canonical_url": f"http://s.test/{n}",
            }
            row = {**first, "id": n, **told, "url": "javascript:alert(1)" if n % 3 else f"http://s.test/{n}"}
            run(f"INSERT INTO articles ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
        deliver(app, date(2026, 11, 26), zone=app.config.timezone, period="day", formats=(), directory=tmp_path,
                now=NOON + timedelta(days=1))  # fmt: skip
        numbers = [row[0] for row in app.store.connection.execute("SELECT id FROM articles")]
        stories = [row[0] for row in app.store.connection.execute("SELECT DISTINCT story_id FROM articles")]
    assert len(numbers) > 60
    (tmp_path / "feeds.yaml").write_text("sources: []\n")
    with served(tmp_path / "news.db", tmp_path / "feeds.yaml") as desk:
        root = desk.removesuffix("news")
        paths = ["news/articles?_size=100", "news/article_list?_size=100", "news/search?search=barter", "news/daily",
                 "news/story_timeline", "digest", "", "name/russia", *(f"story/{s}" for s in stories),
                 *(f"news/articles/{n}" for n in numbers[::4])]  # fmt: skip
        for path in paths:
            try:
                page = lxml.html.fromstring(get(f"{root}{path}"))
            except urllib.error.HTTPError as error:
                assert (error.code, path) == (404, "name/russia")
                error.close()
                continue
            assert not page.xpath("//iframe | //object | //embed | //base | //form[contains(@action, '//')]"), path
            assert not page.xpath("//img[not(starts-with(@src, '/'))]"), path
            assert not [s for s in page.xpath("//script//text()") if "alert(" in s], path
            assert not page.xpath("//@*[starts-with(name(), 'on')][contains(., 'alert')]"), path
            assert not [h for h in page.xpath("//@href | //@src") if h.strip().lower().startswith(UNSAFE)], path


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
