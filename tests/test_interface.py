"""What scripts are promised, tried with inputs that no one would write on purpose."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.config import Config
from crawler.ingest.lines import Line, settle_line
from crawler.types import Moment
from store.connection import Store, open_store
from store.sources import SourceLine
from tests.test_cli import ENVIRONMENT, LINES, lines, pakrus

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
TITLE, TEXT = LINES[0]["title"], LINES[0]["text"]


def answers(*values: str) -> list[dict[str, Any]]:
    result = pakrus("classify", "--json", input="\n".join(values))
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("verb", ["classify", "ingest", "read", "extract", "status", "digest", "crawl", "mark"])
def test_each_verb_that_prints_data_takes_json(verb: str) -> None:
    assert "--json" in pakrus(verb, "--help").stdout


def test_a_lone_surrogate_goes_out_as_the_escape_that_it_came_in_as() -> None:
    found = answers('{"id": "\\ud800", "title": "Pakistan \\udc00 and Russia sign a deal", "text": ""}')
    assert found[0]["id"] == "\ud800"


def test_json_has_no_nan_and_no_infinity() -> None:
    found = answers('{"id": NaN, "title": "a"}', '{"id": 1e999, "title": "a"}', '{"id": 2, "title": "a"}')
    assert ["error" in a for a in found] == [True, True, False]


def test_a_language_is_its_iso_code_and_a_country_that_is_none_is_malformed() -> None:
    ur, none, wrong, lower = answers(
        '{"id": 1, "language": "ur-PK", "title": "a"}',
        '{"id": 2, "language": "Russian", "title": "Россия и Пакистан подписали соглашение о поставках"}',
        '{"id": 3, "country": "Pakistan", "title": "a"}',
        '{"id": 4, "country": "pk", "title": "a"}',
    )
    assert (ur["language"], none["language"]) == ("ur", "ru")
    assert "ISO 3166" in wrong["error"]
    assert "grade" in lower


def test_what_sqlite_cannot_hold_is_refused_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "news.db"
    text = "".join(
        json.dumps({"title": TITLE, "text": TEXT, **more}) + "\n"
        for more in (
            {"url": "http://a.test/\ud800"},
            {"url": "http://b.test/1", "source": "a\nb\ud800\x00c", "language": "\ud800"},
            {"url": "http://c.test/1", "published": 1e300, "source": "\x00"},
        )
    )
    result = pakrus("ingest", "-", "--db", path, input=text)
    assert result.returncode == 1
    assert json.loads(result.stdout)["failed"] == 1
    with sqlite3.connect(path) as found:
        assert {row[0] for row in found.execute("SELECT source_id FROM articles")} == {"a bc", "c.test"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["explain", "9" * 30], 1),
        (["explain", "²"], 1),
        (["mark", "9" * 30, "star"], 1),
        (["history", "9" * 30], 2),
        (["digest", "--date", "0001-01-01", "--period", "month"], 2),
        (["audit", "--day", "9999-12-31"], 2),
        (["--now", "0001-01-01T00:00:00+14:00", "status"], 2),
        (["--json", "sources", "--config", "{config}", "list"], 0),
    ],
)
def test_numbers_and_dates_beyond_all_bounds_are_a_sentence(
    tmp_path: Path, arguments: Sequence[str], code: int
) -> None:
    config = tmp_path / "feeds.yaml"
    config.write_text("sources: []\n", "utf-8")
    with open_store(tmp_path / "news.db", mode="write"):
        pass
    result = pakrus(*(a.format(config=config) for a in arguments), "--db", tmp_path / "news.db")
    assert result.returncode == code, result.stderr


def test_a_full_disk_under_standard_output_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "crawler", "classify"],
            input='{"id": 1, "title": "a"}\n', stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
            timeout=60, check=False,
        )  # fmt: skip
    assert result.returncode == 4
    assert "Traceback" not in result.stderr


def _line(store: Store, source_id: str) -> Any:
    return store.connection.execute("SELECT state, retired_at FROM sources WHERE id = ?", (source_id,)).fetchone()


def test_a_source_that_returns_disabled_is_disabled_and_no_longer_retired(tmp_path: Path) -> None:
    def source(enabled: bool) -> SourceLine:
        return SourceLine(
            id="a", name="A", url="http://a.test/", kind="feed", role="source", country="PK", language="en",
            enabled=enabled,
        )  # fmt: skip

    with open_store(tmp_path / "news.db", mode="write") as store:
        for given, state in (([source(True)], "new"), ([], "retired"), ([source(False)], "disabled")):
            store.sources.sync(given, now=NOW)
            assert _line(store, "a")["state"] == state
        assert _line(store, "a")["retired_at"] is None


def test_two_writers_that_take_the_same_page_at_once_keep_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crawler.app import App
    from crawler.ingest import lines as documents

    path = tmp_path / "news.db"
    line = Line(
        url="http://a.test/1", title=TITLE, text=TEXT, published=Moment(instant=None), language="en", source="a",
        country="PK", first_seen=NOW,
    )  # fmt: skip
    judge = documents.judge
    with open_store(path, mode="wait") as one, open_store(path, mode="wait") as two:
        first, second = App(Config(), one), App(Config(), two)

        def while_judging(app: App, *rest: Any, **named: Any) -> Any:
            if app is first:
                assert settle_line(second, line, now=NOW) == "kept"
            return judge(app, *rest, **named)

        monkeypatch.setattr(documents, "judge", while_judging)
        assert settle_line(first, line, now=NOW) == "unchanged"
        assert one.connection.execute("SELECT count(*) FROM articles").fetchone()[0] == 1


def test_read_of_every_line_of_the_stream_is_counted_once(tmp_path: Path) -> None:
    text = "\ufeff" + lines(LINES).replace("\n", "\r\n") + "\r\n"
    counts = json.loads(pakrus("ingest", "-", "--db", tmp_path / "news.db", input=text).stdout)
    assert counts["seen"] == len(LINES) == sum(v for k, v in counts.items() if k not in ("seen", "stories"))


def test_a_reader_that_leaves_early_is_no_failure() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "crawler", "sources", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=ENVIRONMENT, cwd=Path(__file__).parent.parent,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 0
