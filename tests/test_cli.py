"""The promises of the command line: verbs, options on either side of them, exit codes, and never a traceback."""

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawler.cli import main
from store.connection import SCHEMA, open_store
from tests.crawled import Crawled
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, CRICKET

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONIOENCODING": "utf-8"}
LINES = [
    {
        "url": "http://a.test/1",
        "title": "Pakistan, Russia set up barter desk",
        "text": BARTER,
        "published": "2026-11-24T10:00:00Z",
    },
    {
        "url": "http://b.test/1",
        "title": "Пакистан и Россия: бартер",
        "text": BARTER_RU,
        "published": "2026-11-24T11:00:00+03:00",
    },
    {
        "url": "http://c.test/1",
        "title": "پاکستان اور روس کا بارٹر",
        "text": BARTER_UR,
        "published": "2026-11-24",
        "country": "PK",
    },
    {"url": "http://a.test/2", "title": "Test ends in draw", "text": CRICKET, "published": "2026-11-24T10:00:00Z"},
]


@dataclass(frozen=True)
class Result:
    returncode: int
    stdout: str
    stderr: str


def pakrus_process(*arguments: object, input: str = "", cwd: Path | None = None) -> Result:
    """The program as a person starts it."""
    result = subprocess.run(
        [sys.executable, "-m", "crawler", *map(str, arguments)],
        input=input, capture_output=True, text=True, encoding="utf-8", env=ENVIRONMENT, cwd=cwd, timeout=120,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in result.stderr, result.stderr
    return Result(result.returncode, result.stdout, result.stderr)


def pakrus(*arguments: object, input: str = "", cwd: Path | None = None) -> Result:
    """The same in this process: a start takes a second. An exception that would be a traceback fails the test."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd or Path.cwd())
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input.encode()), encoding="utf-8"))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
            main(list(map(str, arguments)))
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    assert "Traceback" not in texts[1], texts[1]
    return Result(int(end.value.code or 0), *texts)


def lines(values: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(v, ensure_ascii=False) + "\n" for v in values)


# --- usage ------------------------------------------------------------------------------------------------------------


def test_no_verb_prints_the_list_of_verbs() -> None:
    assert "Commands:" in pakrus("--help").stdout
    assert pakrus_process("--version").stdout.startswith("pakrus 0.1.0")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["crawll"], "No such command"),
        (["digest", "--date", "tomorrow"], "write YYYY-MM-DD"),
        (["digest", "--tz", "Mars/Olympus"], "is no time zone"),
        (["status", "--now", "noon"], "is no time"),
        (["extract", "nowhere.html", "--url", "http://a.test/"], "there is no such file"),
        (["extract", "-", "--url", "ftp://a.test/"], "is no URL"),
        (["read", "-", "--url", "http://a.test/"], "--kind"),
        (["classify", "nowhere.jsonl"], "there is no such file"),
        (["search"], "Missing argument"),
        (["--config", "nowhere.yaml", "status"], "there is no such file"),
        (["crawl", "--source", "nobody"], "there is no source"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_2(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    result = pakrus(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert sentence in result.stderr


def test_five_mistakes_give_five_lines_and_touch_nothing(tmp_path: Path) -> None:
    config = Path(__file__).parent / "cases" / "config" / "five_mistakes.yaml"
    database = tmp_path / "news.db"
    result = pakrus_process("crawl", "--config", config, "--db", database)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 5
    assert all(line.startswith(f"{config}:") for line in result.stderr.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_options_stand_before_or_after_the_verb(crawled: Crawled) -> None:
    before = pakrus(
        "--db", crawled.folder / "news.db", "--config", crawled.folder / "feeds.yaml", "search", "--json", "Gazprom"
    )
    after = pakrus(
        "search", "Gazprom", "--config", crawled.folder / "feeds.yaml", "--db", crawled.folder / "news.db", "--json"
    )
    assert before.stdout == after.stdout
    assert before.returncode == after.returncode == 0


def test_init_writes_a_config_once(tmp_path: Path) -> None:
    result = pakrus("init", "desk", cwd=tmp_path)
    assert result.returncode == 0
    assert "pakrus --config desk/feeds.yaml run" in result.stdout
    assert pakrus("--config", "desk/feeds.yaml", "sources", "list", cwd=tmp_path).returncode == 0
    assert pakrus("init", "desk", cwd=tmp_path).returncode == 2


# --- the database -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verb", [["status"], ["search", "x"], ["digest"], ["crawl"], ["ingest", "-"], ["reassess"], ["migrate"]]
)
@pytest.mark.parametrize("kind", ["letter", "newer", "foreign"])
def test_an_unusable_database_is_exit_4_and_left_alone(tmp_path: Path, verb: list[str], kind: str) -> None:
    path = tmp_path / "news.db"
    if kind == "letter":
        path.write_bytes(b"dear reader " * 100)
    elif kind == "newer":
        with open_store(path, mode="write") as store:
            store.connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    else:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE bookmarks (url)")
        other.close()
    before = path.read_bytes()
    start = pakrus_process if verb == ["status"] else pakrus
    result = start(*verb, "--db", path)
    assert result.returncode == 4, result.stderr
    assert str(path) in result.stderr
    assert path.read_bytes() == before


def test_a_reader_without_a_database_says_how_to_get_one(tmp_path: Path) -> None:
    result = pakrus("status", "--db", tmp_path / "news.db")
    assert result.returncode == 4
    assert "pakrus crawl" in result.stderr


def test_a_second_long_writer_is_told_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    with open_store(path, mode="write", holder="run"):
        result = pakrus("crawl", "--db", path)
        assert result.returncode == 4
        assert "`pakrus run` (process" in result.stderr
        assert pakrus("ingest", "-", "--db", path, input=lines(LINES[:1])).returncode == 0


def test_migrate_says_from_where_to_where(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    assert "from schema 0 to" in pakrus("migrate", "--dry-run", "--db", path).stdout
    assert not path.exists()
    assert pakrus("migrate", "--db", path).returncode == 0
    assert "nothing to do" in pakrus("migrate", "--db", path).stdout


# --- judging and reading ----------------------------------------------------------------------------------------------


def test_classify_answers_in_order_and_goes_on_after_a_bad_line() -> None:
    good = [{"id": n, "title": v["title"], "text": v["text"], "extra": [1]} for n, v in enumerate(LINES)]
    text = lines(good[:2]) + "{broken\n" + "[]\n" + '{"id": 9}\n' + lines(good[2:])
    result = pakrus_process("classify", input=text)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 1
    assert [a.get("id", a.get("line")) for a in answers] == [0, 1, 3, 4, 5, 2, 3]
    assert [a["grade"] for a in answers if "grade" in a] == [2, 2, 2, 0]
    assert [a["language"] for a in answers if "grade" in a] == ["en", "ru", "ur", "en"]
    for answer, value in zip([a for a in answers if "grade" in a], good, strict=True):
        assert set(answer) == {"id", "grade", "score", "language", "sectors", "mentions"}
        assert 0 <= answer["score"] <= 1
        scores = [s["score"] for s in answer["sectors"]]
        assert scores == sorted(scores, reverse=True)
        for e in [*answer["mentions"], *(e for s in answer["sectors"] for e in s["evidence"])]:
            field = str(value[e["field"]])
            assert field[e["start"] : e["start"] + len(e["quote"])] == e["quote"]


def test_classify_takes_bytes_that_are_no_utf_8_as_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(lines([{"id": 1, **LINES[0]}]).encode() + b'{"id": 2, "title": "\xcf\xe0\xea"}\n')
    result = pakrus("classify", path)
    assert result.returncode == 1
    assert json.loads(result.stdout.splitlines()[1]) == {"line": 2, "error": "is not UTF-8"}


def test_extract_and_read_print_json_for_any_bytes(tmp_path: Path) -> None:
    bodies = {"noise": bytes(range(256)) * 20, "deep": b"<div>" * 3000}
    for (name, body), kind in zip(bodies.items(), ("feed", "listing"), strict=True):
        path = tmp_path / name
        path.write_bytes(body)
        page = pakrus("extract", path, "--url", "http://a.test/x")
        assert page.returncode in (0, 1)
        assert json.loads(page.stdout)["outcome"] != "article"
        feed = pakrus("read", path, "--kind", kind, "--url", "http://a.test/x")
        assert feed.returncode in (0, 1)
        assert json.loads(feed.stdout)["entries"] == []


def test_what_extract_prints_can_be_ingested(tmp_path: Path) -> None:
    page = f"<html lang=en><head><title>Barter desk</title></head><body><article><h1>Barter desk</h1><p>{BARTER}</p>"
    printed = pakrus("extract", "-", "--url", "http://a.test/1", input=page + "</article></body></html>")
    assert printed.returncode == 0, printed.stdout
    counts = json.loads(pakrus("ingest", "-", "--db", tmp_path / "news.db", input=printed.stdout).stdout)
    assert (counts["seen"], counts["kept"]) == (1, 1)


# --- documents in -----------------------------------------------------------------------------------------------------


def test_ingest_counts_add_up_and_the_same_again_is_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    text = lines(LINES) + '{"title": "no address"}\nnull\n' + lines(LINES[:1])
    first = pakrus_process("ingest", "-", "--db", path, input=text)
    counts = json.loads(first.stdout)
    assert first.returncode == 1
    assert len(first.stderr.splitlines()) == 2
    assert counts == {
        "seen": 7, "kept": 3, "rejected": 1, "duplicates": 0, "revised": 0, "unchanged": 1, "failed": 2, "stories": 1,
    }  # fmt: skip
    again = json.loads(pakrus("ingest", "-", "--db", path, input=lines(LINES)).stdout)
    assert (again["seen"], again["unchanged"], again["stories"]) == (4, 4, 1)
    assert pakrus("audit", "--db", path).returncode == 0


def test_reassess_without_a_change_of_lexicon_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    pakrus("ingest", "-", "--db", path, input=lines(LINES))
    for arguments in (["--dry-run"], []):
        value = json.loads(pakrus("reassess", *arguments, "--json", "--db", path).stdout)
        changed = {k: value[k] for k in ("kept", "dropped", "regraded", "retagged", "restoried", "copies")}
        assert not any(changed.values()), changed
        assert value["judged"] == 4
    assert pakrus("audit", "--db", path).returncode == 0


def test_a_digest_of_what_was_ingested_can_be_verified(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    pakrus("ingest", "-", "--db", path, input=lines(LINES))
    result = pakrus("digest", "--date", "2026-11-25", "--db", path, "--out", tmp_path, "--now", "2026-11-25T12:00:00Z")
    assert result.returncode == 0, result.stderr
    assert [Path(p).name for p in result.stdout.splitlines()] == [
        "2026-11-25.md", "2026-11-25.html", "latest.md", "latest.html", "index.html", "feed.atom",
    ]  # fmt: skip
    assert "Pakistan, Russia set up barter desk" in (tmp_path / "2026-11-25.md").read_text("utf-8")
    assert pakrus("digest", "--date", "2026-11-25", "--verify", "--db", path).returncode == 0
    assert pakrus("digest", "--date", "2026-11-20", "--verify", "--db", path).returncode == 1


@pytest.mark.parametrize("written", ["2026-11-25T11:00:00Z", "2027-03-01T00:00:00Z"])
def test_an_edition_of_a_clock_behind_the_database_has_its_articles_and_can_be_verified(
    tmp_path: Path, written: str
) -> None:
    path = tmp_path / "news.db"
    pakrus("ingest", "-", "--db", path, "--now", written, input=lines(LINES[:1]))
    words = ("digest", "--date", "2026-11-25", "--db", path, "--out", tmp_path, "--tz", "Europe/Moscow")
    pakrus(*words, "--now", "2026-11-25T12:00:00Z")
    assert "barter desk" in next(tmp_path.glob("2026-11-25*.md")).read_text("utf-8")
    pakrus("ingest", "-", "--db", path, "--now", "2027-03-02T00:00:00Z", input=lines(LINES))
    assert pakrus(*words[:5], "--tz", "Europe/Moscow", "--verify").returncode == 0


# --- asking a crawled database ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "Россия"], ["search", "پاکستان"], ["search", "wheat OR rice"], ["status"], ["audit"], ["gaps"],
        ["courtesy"], ["sides"], ["sides", "--only", "one-sided"], ["missed"], ["history", "1"],
        ["history", "1", "--diff"], ["explain", "1"], ["sources", "list"], ["digest"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_asking_verb_prints_for_people_and_json(crawled: Crawled, arguments: list[str], tmp_path: Path) -> None:
    database = crawled.folder / "news.db"
    if arguments[0] == "digest":  # it writes
        database = Path(shutil.copy(database, tmp_path))
    common = ["--config", crawled.folder / "feeds.yaml", "--db", database]
    if arguments[0] == "digest":
        common += ["--out", tmp_path]
    plain, as_json = pakrus(*arguments, *common), pakrus(*arguments, "--json", *common)
    assert plain.returncode == as_json.returncode
    assert plain.returncode in (0, 1)
    assert plain.stdout.strip()
    json.loads(as_json.stdout)


@pytest.mark.parametrize(
    ("query", "word"),
    [("Россия", "Росси"), ("российский", "Росси"), ("пшеница", "пшениц"), ("روس", "روس"), ("Russia", "Russia")],
)
def test_search_finds_inflected_forms_in_three_scripts(crawled: Crawled, query: str, word: str) -> None:
    result = pakrus(
        "search", query, "--json", "--db", crawled.folder / "news.db", "--config", crawled.folder / "feeds.yaml"
    )
    found = json.loads(result.stdout)
    assert found
    assert any(word in item["title"] + item["passage"] for item in found)


def test_a_malformed_query_is_a_sentence(crawled: Crawled) -> None:
    for query in ('"open', "(a", "AND", "NOT"):
        result = pakrus("search", query, "--db", crawled.folder / "news.db", "--config", crawled.folder / "feeds.yaml")
        assert result.returncode == 2, query
        assert result.stderr.strip()


def test_explain_shows_a_reject_and_says_when_there_is_nothing(crawled: Crawled) -> None:
    with open_store(crawled.folder / "news.db", mode="read") as store:
        url = store.connection.execute("SELECT url FROM rejects WHERE url IS NOT NULL LIMIT 1").fetchone()[0]
    common = ["--db", crawled.folder / "news.db", "--config", crawled.folder / "feeds.yaml"]
    assert "rejected:" in pakrus("explain", url, *common).stdout
    nothing = pakrus("explain", "http://nobody.test/", *common)
    assert nothing.returncode == 1
    assert "no entry or article" in nothing.stderr


def test_the_reader_may_leave_a_pipe_early(crawled: Crawled) -> None:
    reader = f"{sys.executable} -c 'import sys; sys.stdin.readline()'"
    command = f"{sys.executable} -m crawler sources list --config {crawled.folder / 'feeds.yaml'} | {reader}"
    result = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=True
    )
    assert result.stderr == ""


# --- no line ----------------------------------------------------------------------------------------------------------


def test_without_a_line_crawl_is_exit_3_and_nobody_is_charged(tmp_path: Path) -> None:
    config = tmp_path / "feeds.yaml"
    config.write_text(
        """
crawl: {timeout: 2s, per_host_delay: 0s}
sources:
  - {id: one, url: "http://one.invalid/rss", kind: feed, country: PK}
  - {id: two, url: "https://two.invalid/rss", kind: feed, country: RU}
"""
    )
    result = pakrus_process("crawl", "--config", config)
    assert result.returncode == 3, result.stderr
    assert "nothing could be reached" in result.stderr
    with open_store(tmp_path / "var" / "news.db", mode="read") as store:
        rows = store.connection.execute("SELECT consecutive_failures FROM sources").fetchall()
    assert [r[0] for r in rows] == [0, 0]
