"""Articles out: every format reads back, in three scripts; nothing hostile gets through; labels are gold records."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.app import App
from crawler.errors import UsageError
from crawler.ingest.lines import settle_line
from crawler.mark import mark
from crawler.reports import export
from crawler.reports.export import COLUMNS, Choice, cell, latex
from tests.builders import NOON, world
from tests.test_cli import pakrus
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, CRICKET, _line

HOSTILE = '=HYPERLINK("http://evil.test";"Pakistan, Russia") {\\input{x}} 50% & $1 #_~^\r\nER  - \r\nTY  - NEWS'
GOLD = [
    "id", "url", "publisher", "published", "language", "title", "text", "grade", "sectors", "event", "note",
    "published_assumed", "optional_sectors",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    with world(folder) as app:
        for n, (text, title, source) in enumerate(
            [
                (BARTER, "Pakistan, Russia set up barter desk", "courier"),
                (BARTER_RU, "Россия и Пакистан создадут бартерный центр", "vestnik"),
                (BARTER_UR, "پاکستان اور روس کا بارٹر ڈیسک", "awaz"),
                (BARTER + " A second text, of the day after.", HOSTILE, "herald"),
                (CRICKET, "Second Test ends in a draw", "herald"),
            ]
        ):
            at = NOON + timedelta(hours=8 * n)
            settle_line(app, _line(f"http://{source}.test/{n}?a=1&b=%7B", title, text, source=source, at=at), now=at)
    return folder


@pytest.fixture
def app(folder: Path) -> Iterator[App]:
    with world(folder, mode="read") as app:
        yield app


def text(app: App, form: str, **choice: Any) -> str:
    return "".join(export.texts(app.store, form, Choice(**choice)))


def objects(app: App, **choice: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text(app, "jsonl", **choice).splitlines()]


def test_jsonl_has_every_column_with_text_and_mentions(app: App) -> None:
    found = objects(app)
    assert [list(f) for f in found] == [[*COLUMNS, "mentions"]] * 4
    assert {f["language"] for f in found} == {"en", "ru", "ur"}
    listed = [r[1] for r in app.store.connection.execute("PRAGMA table_info(article_list)")]
    assert set(listed) <= set(COLUMNS)
    for article in found:
        assert article["sectors"]
        for m in article["mentions"]:
            assert article[m["field"]][m["start"] :].startswith(m["quote"])


def test_choice_by_day_language_and_sector(app: App) -> None:
    days = [f["day"] for f in objects(app)]
    assert days == sorted(days)
    assert [f["day"] for f in objects(app, since=days[1], until=days[2])] == [
        d for d in days if days[1] <= d <= days[2]
    ]
    assert [f["language"] for f in objects(app, language="ur")] == ["ur"]
    sector = objects(app)[0]["sectors"][0]
    assert all(sector in f["sectors"] for f in objects(app, sector=sector))
    assert objects(app, sector="no-such-sector") == []
    assert objects(app, since="2030-01-01") == []


def test_csv_reads_back_and_holds_no_formula(app: App) -> None:
    raw = text(app, "csv")
    assert raw.count("\r\n") >= 5
    rows = list(csv.reader(io.StringIO(raw, newline="")))
    assert rows[0] == list(COLUMNS)
    assert len(rows) == 5
    assert not [c for row in rows[1:] for c in row if c.startswith(tuple("=+-@\t\r"))]
    assert rows[4][COLUMNS.index("title")].startswith("'=HYPERLINK(")
    assert rows[3][COLUMNS.index("title")] == "پاکستان اور روس کا بارٹر ڈیسک"
    assert rows[2][COLUMNS.index("text")] == BARTER_RU


@given(st.text())
def test_no_text_is_a_formula(value: str) -> None:
    safe = cell(value)
    assert not safe.lstrip(" \u3000\xa0").startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert "\0" not in safe
    assert safe.removeprefix("'") == value.replace("\0", "").removeprefix("'")


def test_numbers_stay_numbers() -> None:
    assert (cell(-3), cell(None), cell("-3"), cell("a=b")) == (-3, None, "'-3", "a=b")


def ris(raw: str) -> list[list[tuple[str, str]]]:
    records: list[list[tuple[str, str]]] = [[]]
    for line in raw.split("\r\n"):
        if not line:
            continue
        match = re.fullmatch(r"([A-Z][A-Z0-9])  - (.*)", line)
        assert match, line
        records[-1].append((match[1], match[2]))
        if match[1] == "ER":
            records.append([])
    assert records.pop() == []
    return records


def test_ris_is_a_record_an_article_whatever_its_title(app: App) -> None:
    records = ris(text(app, "ris"))
    assert [(r[0], r[-1]) for r in records] == [(("TY", "NEWS"), ("ER", ""))] * 4
    titles = [dict(r)["TI"] for r in records]
    assert titles[1:3] == ["Россия и Пакистан создадут бартерный центр", "پاکستان اور روس کا بارٹر ڈیسک"]
    assert "ER - TY - NEWS" in titles[3]
    first = dict(records[0])
    assert (first["DA"], first["PY"], first["T2"], first["LA"]) == ("2026/11/25", "2026", "Indus Courier", "en")
    assert first["UR"].startswith("http://courier.test/0")


def test_bibtex_is_balanced_and_escaped(app: App) -> None:
    raw = text(app, "bibtex")
    entries = [e for e in raw.split("\n\n") if e]
    assert len(entries) == 4
    for entry in entries:
        assert re.match(r"@online\{[a-z0-9-]+,\n", entry)
        depth = 0
        for mark_, escaped in re.findall(r"(?:(\\.)|([{}]))", entry):
            depth += {"{": 1, "}": -1}.get(escaped, 0)
            assert depth >= 0
            assert mark_ is not None
        assert depth == 0
    assert "title = {{Россия и Пакистан создадут бартерный центр}}" in entries[1]
    assert "langid = {urdu}" in entries[2]
    assert "month = nov" in entries[0]
    assert "date = {2026-11-25}" in entries[0]
    assert len({e.split(",")[0] for e in entries}) == 4
    assert r"50\% \& \$1 \#\_\textasciitilde{}\textasciicircum{}" in entries[3]


def test_latex_leaves_letters() -> None:
    assert latex("a\\b\n{c}  روس ё") == r"a\textbackslash{}b \{c\} روس ё"


@pytest.mark.parametrize(
    ("at", "precision", "day", "cited"),
    [
        (None, "unknown", "2026-11-25", "2026-11-26"),
        ("2026-11-24T20:00:00Z", "minute", "2026-11-25", "2026-11-25"),
        ("2026-11-01T00:00:00Z", "month", "2026-11-01", "2026-11"),
    ],
)
def test_day_that_is_cited(at: str | None, precision: str, day: str, cited: str) -> None:
    article = {
        "published_at": at,
        "published_precision": precision,
        "day": day,
        "first_seen_at": "2026-11-26T01:00:00Z",
    }
    assert export._cited_day(article) == cited


def test_labels_are_gold_records_of_what_a_person_said(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        for n, (body, title) in enumerate(
            [(BARTER, "Barter desk"), (BARTER_RU, "Бартерный центр"), (BARTER_UR, "بارٹر ڈیسک"), (CRICKET, "Draw")]
        ):
            settle_line(app, _line(f"http://s{n}.test/1", title, body, source=f"s{n}"), now=NOON)
        mark(app, "http://s0.test/1", "core", (), now=NOON)
        mark(app, "http://s0.test/1", "note", ("read", "twice"), now=NOON)
        mark(app, "http://s1.test/1", "irrelevant", (), now=NOON)
        mark(app, "http://s2.test/1", "sector", ("finance", "trade"), now=NOON)
        mark(app, "http://s3.test/1", "irrelevant", (), now=NOON)
        mark(app, "http://s3.test/1", "star", (), now=NOON)
        found = {r["url"]: r for r in map(json.loads, export.texts(app.store, "jsonl", Choice(), labelled=True))}
        only = list(export.texts(app.store, "jsonl", Choice(language="ur"), labelled=True))
    assert len(found) == 4
    assert all(list(r) == GOLD for r in found.values())
    core, rejected, sectors, cricket = (found[f"http://s{n}.test/1"] for n in range(4))
    assert (core["grade"], core["sectors"], core["note"]) == (2, [], "read twice")
    assert core["optional_sectors"]
    assert (core["published"], core["text"], core["event"]) == ("2026-11-25", BARTER, None)
    assert (rejected["grade"], rejected["text"], rejected["language"]) == (0, BARTER_RU, "ru")
    assert (sectors["sectors"], sectors["optional_sectors"]) == (["finance", "trade"], [])
    assert sectors["grade"] in (1, 2)
    assert (cricket["grade"], cricket["text"], cricket["optional_sectors"]) == (0, CRICKET, [])
    assert re.fullmatch(r"ru-[0-9a-f]{8}", rejected["id"])
    assert [json.loads(r)["language"] for r in only] == ["ur"]


def test_star_alone_is_no_label(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        settle_line(app, _line("http://a.test/1", "Barter", BARTER), now=NOON)
        mark(app, "http://a.test/1", "star", (), now=NOON)
        assert list(export.labels(app.store, Choice())) == []


@pytest.mark.parametrize("form", ["csv", "jsonl", "ris", "bibtex"])
def test_file_is_what_stdout_has(app: App, tmp_path: Path, form: str) -> None:
    out = tmp_path / "deep" / f"out.{form}"
    assert export.write(app.store, form, Choice(), out) == out.stat().st_size
    assert out.read_bytes().decode() == text(app, form)
    assert [p.name for p in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--format", "parquet"], "--out FILE"),
        (["--format", "csv", "--labels"], "JSON Lines"),
        (["--format", "ris", "--json"], "--format jsonl"),
        (["--format", "xml"], "xml"),
    ],
)
def test_options_that_do_not_go_together(folder: Path, arguments: list[str], word: str) -> None:
    result = pakrus("export", *arguments, "--db", folder / "news.db")
    assert (result.returncode, word in result.stderr) == (2, True), result.stderr
    assert result.stdout == ""


def test_command_line_writes_utf8_to_stdout(folder: Path) -> None:
    result = pakrus("export", "--format", "csv", "--language", "ur", "--db", folder / "news.db")
    assert result.returncode == 0, result.stderr
    assert "پاکستان" in result.stdout


def test_parquet_without_pyarrow_says_what_to_install(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'pakrus\[parquet\]'"):
        export.write(app.store, "parquet", Choice(), tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


def test_parquet_reads_back_with_its_types(app: App, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `parquet` is not installed")
    export.write(app.store, "parquet", Choice(), tmp_path / "a.parquet")
    rows = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert [r["title"] for r in rows] == [f["title"] for f in objects(app)]
    assert rows[0]["published_at"] == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert isinstance(rows[0]["sectors"], list)
    assert rows[0]["day"].isoformat() == "2026-11-25"
