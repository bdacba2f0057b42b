"""Archives into the database: what is found, what is not whole, who is lost, and the same rows whoever did the work."""

import gzip
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.backfill import run as backfill
from crawler.backfill.archives import BadArchive, records
from crawler.backfill.scan import scan
from crawler.errors import Unreachable, UsageError
from crawler.lexicon import load
from store.connection import open_store
from tests.archives import Page, record, warcinfo, write_parquet, write_warc
from tests.builders import FEEDS, world
from tests.test_cli import pakrus
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, CRICKET

LANGUAGES = ("en", "ru", "ur")
EN = Page("http://courier.test/news/1", "Pakistan and Russia open a barter desk", BARTER)
RU = Page(
    "http://vestnik.test/news/2",
    "Россия и Пакистан создадут бартерный центр",
    BARTER_RU,
    "ru",
    "2024-03-05T11:00:00+03:00",
)
UR = Page("http://awaz.test/news/3", "پاکستان اور روس کا بارٹر ڈیسک پر اتفاق", BARTER_UR, "ur")
LURE = Page("http://courier.test/news/4", "Test ends in a draw", CRICKET)
FOREIGN = Page("http://elsewhere.test/a", "Harvest in the valley", "The harvest was good this year. " * 30)
PAGES = (EN, LURE, RU, FOREIGN, UR)


def rows(folder: Path) -> list[tuple[Any, ...]]:
    """All that a backfill is to give again, whoever did it: ids and stories as well."""
    with open_store(folder / "news.db", mode="read") as store:
        return [
            tuple(row)
            for row in store.connection.execute(
                "SELECT id, canonical_url, title, language, country, published_at, first_seen_at, day, grade, score,"
                " story_id, duplicate_of, text_hash FROM articles ORDER BY id"
            )
        ]


def run(folder: Path, *paths: Path, **options: Any) -> backfill.Report:
    folder.mkdir(exist_ok=True)
    with world(folder) as app:
        return backfill.run(app, backfill.files([str(p) for p in paths]), languages=LANGUAGES, **options)


# --- what is found --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["one.warc", "one.warc.gz"])
def test_a_scan_finds_what_concerns_the_pair_in_three_languages(name: str, tmp_path: Path) -> None:
    path = write_warc(tmp_path / name, PAGES)
    with path.open("rb") as stream:
        found = scan(stream, path.name, path.stat().st_size, load(), LANGUAGES)
    assert [(f.url, f.language) for f in found.finds] == [(p.url, p.language) for p in (EN, RU, UR)]
    assert found.pages == 5
    assert found.candidates < 5
    assert found.finds[0].published is not None
    assert found.finds[0].published.instant is not None
    assert found.finds[0].published.instant.isoformat() == "2024-03-05T04:00:00+00:00"


@pytest.mark.parametrize(
    ("page", "charset", "entities", "declared"),
    [
        (RU, "windows-1251", False, True),
        (RU, "windows-1251", False, False),
        (RU, "koi8-r", False, True),
        (RU, "utf-8", True, True),
        (UR, "utf-8", True, True),
        (UR, "utf-8", False, False),
    ],
)
def test_no_encoding_hides_a_page(page: Page, charset: str, entities: bool, declared: bool, tmp_path: Path) -> None:
    written = Page(
        page.url, page.title, page.text, page.language, charset=charset, entities=entities, declared=declared
    )
    path = write_warc(tmp_path / "one.warc.gz", [written])
    with path.open("rb") as stream:
        found = scan(stream, path.name, None, load(), LANGUAGES)
    assert [f.title for f in found.finds] == [page.title]


def test_a_language_that_was_not_asked_for_is_counted_and_left(tmp_path: Path) -> None:
    path = write_warc(tmp_path / "one.warc.gz", PAGES)
    with path.open("rb") as stream:
        found = scan(stream, path.name, None, load(), ("ur",))
    assert [f.language for f in found.finds] == ["ur"]
    assert found.other_languages == 2


def test_parquet_of_extracted_articles_gives_the_same_finds(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "one.parquet", PAGES)
    with path.open("rb") as stream:
        found = scan(stream, path.name, path.stat().st_size, load(), LANGUAGES)
    assert [(f.url, f.title, f.text) for f in found.finds] == [(p.url, p.title, p.text) for p in (EN, RU, UR)]


def test_parquet_without_a_column_for_the_text_says_what_it_has(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "odd.parquet"
    pq.write_table(pa.table({"url": ["http://a.test/"], "summary": ["x"]}), path)
    with path.open("rb") as stream, pytest.raises(BadArchive, match=r"no column for the text .*it has url, summary"):
        list(records(stream, name=path.name, size=None))


def test_chunked_compressed_and_mislabelled_bodies_are_read() -> None:
    body = EN.body()
    chunked = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    cases = [
        (b"Transfer-Encoding: chunked", chunked),
        (b"Transfer-Encoding: chunked", body),  # decoded when it was stored, its header left
        (b"Content-Encoding: gzip", gzip.compress(body)),
        (b"Content-Encoding: gzip", body),
        (b"Content-Encoding: br", body),
        (b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked", b"%x\r\n" % len(gzip.compress(body, mtime=0)) + gzip.compress(body, mtime=0) + b"\r\n0\r\n\r\n"),
    ]  # fmt: skip
    for header, stored in cases:
        http_ = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + header + b"\r\n\r\n" + stored
        raw = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/1\r\nWARC-Date: 2024-03-05T00:00:00Z\r\n"
        raw += b"Content-Type: application/http\r\nContent-Length: %d\r\n\r\n" % len(http_) + http_ + b"\r\n\r\n"
        assert [r.body for r in records(BytesIO(raw), name="a.warc", size=None)] == [body], header


def test_a_bomb_costs_its_own_page_alone() -> None:
    bomb = gzip.compress(bytes(200_000_000))
    http_ = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + bomb
    raw = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/1\r\n"
    raw += b"Content-Type: application/http\r\nContent-Length: %d\r\n\r\n" % len(http_) + http_ + b"\r\n\r\n"
    raw += record(EN, 2)
    assert [r.url for r in records(BytesIO(raw), name="a.warc", size=None)] == [EN.url]


# --- files that are not whole -----------------------------------------------------------------------------------------


def _archive(name: str, tmp_path: Path) -> bytes:
    write = write_parquet if name.endswith(".parquet") else write_warc
    return write(tmp_path / name, PAGES).read_bytes()


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.parquet"])
def test_a_file_cut_anywhere_is_no_shorter_archive(name: str, tmp_path: Path) -> None:
    whole = _archive(name, tmp_path)
    for length in [*range(1, len(whole), max(1, len(whole) // 60)), len(whole) - 4, len(whole) - 1]:
        with pytest.raises(BadArchive):
            list(records(BytesIO(whole[:length]), name=name, size=len(whole)))


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_a_cut_inside_a_record_shows_without_the_size(name: str, tmp_path: Path) -> None:
    whole = _archive(name, tmp_path)
    half = whole[: len(whole) * 3 // 5]
    with pytest.raises(BadArchive, match="cut"):
        list(records(BytesIO(half), name=name, size=None))


@pytest.mark.parametrize("name", ["a.warc.gz", "a.parquet"])
def test_a_flipped_byte_is_found(name: str, tmp_path: Path) -> None:
    whole = _archive(name, tmp_path)
    for at in range(len(whole) // 10, len(whole) - 10, len(whole) // 10):
        flipped = bytearray(whole)
        flipped[at] ^= 0x55
        try:
            read = list(records(BytesIO(bytes(flipped)), name=name, size=len(whole)))
        except BadArchive:
            continue
        # A byte that says nothing of the content (the time in a gzip header, a statistic of a column).
        assert read == list(records(BytesIO(whole), name=name, size=len(whole)))


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.parquet"])
@pytest.mark.parametrize("data", [b"", b"\n", b"<html>no archive</html>" * 50, gzip.compress(b"no archive" * 90)])
def test_what_is_no_archive_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(BadArchive):
        list(records(BytesIO(data), name=name, size=len(data)))


@given(st.binary(max_size=400), st.sampled_from(["a.warc", "a.warc.gz"]))
def test_any_bytes_are_records_or_a_bad_archive(tail: bytes, name: str) -> None:
    data = warcinfo() + tail
    with suppress(BadArchive):
        list(records(BytesIO(gzip.compress(data) if name.endswith("gz") else data), name=name, size=None))


# --- into the database --------------------------------------------------------------------------------------------------


def test_the_stories_stand_once_all_files_are_read(tmp_path: Path) -> None:
    write_warc(tmp_path / "a.warc.gz", [EN, LURE])
    write_warc(tmp_path / "b.warc", [RU, FOREIGN])
    write_parquet(tmp_path / "c.parquet", [UR])
    report = run(tmp_path / "x", tmp_path)
    assert (report.files, report.done, report.kept, report.failed, report.pending) == (3, 3, 3, {}, {})
    stored = rows(tmp_path / "x")
    assert {row[3] for row in stored} == {"en", "ru", "ur"}
    assert len({row[10] for row in stored}) == 1  # one story over three languages
    assert {row[4] for row in stored} == {"PK", "RU"}
    with world(tmp_path / "x", mode="read") as app:
        assert [a[0] for a in app.store.archives.waiting()] == []
        assert app.store.connection.execute("SELECT count(*) FROM archives WHERE state = 'done'").fetchone()[0] == 3


def test_a_second_run_reads_nothing_and_changes_nothing(tmp_path: Path) -> None:
    path = write_warc(tmp_path / "a.warc.gz", PAGES)
    run(tmp_path / "x", path)
    before = rows(tmp_path / "x")
    again = run(tmp_path / "x", path)
    assert (again.before, again.done) == (1, 0)
    assert rows(tmp_path / "x") == before


def test_a_page_of_two_archives_is_one_article_and_its_first_version_stands(tmp_path: Path) -> None:
    later = Page(EN.url, EN.title, BARTER + "\nA correction was added in the evening.", seen="2024-03-06T12:00:00Z")
    run(tmp_path / "x", write_warc(tmp_path / "b.warc.gz", [later]), write_warc(tmp_path / "a.warc.gz", [EN]))
    (row,) = rows(tmp_path / "x")
    with world(tmp_path / "x", mode="read") as app:
        assert "correction" not in app.store.articles.get(row[0]).text
        assert app.store.articles.revisions(row[0]) == []


def test_a_bad_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    good = write_warc(tmp_path / "good.warc.gz", [EN])
    cut = tmp_path / "cut.warc.gz"
    cut.write_bytes(good.read_bytes()[:-300])
    (tmp_path / "empty.warc.gz").write_bytes(b"")
    done = pakrus("backfill", tmp_path, "--db", tmp_path / "news.db", "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["kept"] == 1
    assert {Path(name).name: reason.split(":")[0] for name, reason in report["failed"].items()} == {
        "cut.warc.gz": "the file is cut",
        "empty.warc.gz": "the file is empty",
    }
    cut.write_bytes(good.read_bytes())  # it was fetched again
    (tmp_path / "empty.warc.gz").unlink()
    again = pakrus("backfill", tmp_path, "--db", tmp_path / "news.db", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["before"] == 1


def test_dry_run_says_what_would_be_read_and_writes_nothing(tmp_path: Path) -> None:
    write_warc(tmp_path / "a.warc.gz", PAGES)
    database = tmp_path / "news.db"
    pakrus("migrate", "--db", database)
    before = database.read_bytes()
    told = pakrus("backfill", tmp_path, "--db", database, "--dry-run")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("reads  new")
    assert database.read_bytes() == before


def test_listings_name_files_folders_and_addresses(tmp_path: Path) -> None:
    write_warc(tmp_path / "a.warc.gz", [EN])
    (tmp_path / "list.txt").write_text("# two\na.warc.gz\n\nhttps://archive.test/b.warc.gz\n", "utf-8")
    with gzip.open(tmp_path / "warc.paths.gz", "wt") as file:
        file.write("crawl-data/c.warc.gz\n")
    assert [Path(name).name for name, _ in backfill.files([str(tmp_path / "list.txt")])] == ["a.warc.gz", "b.warc.gz"]
    found = backfill.files([str(tmp_path / "warc.paths.gz")], base="https://data.test/")
    assert found == [("https://data.test/crawl-data/c.warc.gz", None)]


@pytest.mark.parametrize(
    ("content", "message"),
    [("missing.warc.gz\n", "list.txt:1: there is no file"), ("https://\n", "list.txt:1: "), ("", "no archive found")],
)
def test_a_mistake_in_a_listing_has_its_line(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(content, "utf-8")
    with pytest.raises(UsageError, match=message):
        backfill.files([str(tmp_path / "list.txt")])


@contextmanager
def _served(folder: Path) -> Iterator[int]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_an_archive_is_downloaded_and_a_private_address_is_not_asked(tmp_path: Path) -> None:
    write_warc(tmp_path / "a.warc.gz", [EN])
    with _served(tmp_path) as port:
        text = FEEDS + "crawl: {allow_private_addresses: [127.0.0.0/8]}\n"
        (tmp_path / "x").mkdir()
        chosen = backfill.files([f"http://127.0.0.1:{port}/a.warc.gz", f"http://127.0.0.1:{port}/gone.warc.gz"])
        with world(tmp_path / "x", text=text) as app:
            report = backfill.run(app, chosen, languages=LANGUAGES)
        assert report.kept == 1
        assert "status 404" in report.failed[f"http://127.0.0.1:{port}/gone.warc.gz"]
        refused = run_urls(tmp_path / "y", f"http://127.0.0.1:{port}/a.warc.gz")
        assert "not public" in next(iter(refused.failed.values()))


def run_urls(folder: Path, *names: str) -> backfill.Report:
    folder.mkdir()
    with world(folder) as app:
        return backfill.run(app, backfill.files(names), languages=LANGUAGES)


# --- clusters and kills ---------------------------------------------------------------------------------------------------


def _files(folder: Path) -> list[Path]:
    """Six archives whose articles come out in another order than the files."""
    pages = [(EN, LURE), (RU,), (UR, FOREIGN), (FOREIGN,)]
    return [write_warc(folder / f"{i}.warc.gz", chosen) for i, chosen in enumerate(pages)]


def test_a_local_cluster_gives_the_same_rows_as_one_process(tmp_path: Path) -> None:
    paths = _files(tmp_path)
    run(tmp_path / "serial", *paths)
    report = run(tmp_path / "two", *paths, workers=2)
    assert (report.done, report.pending, report.failed) == (4, {}, {})
    assert rows(tmp_path / "two") == rows(tmp_path / "serial")


def test_no_scheduler_is_exit_3_and_leaves_the_files_pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.backfill.pools.PATIENCE_S", 1)
    write_warc(tmp_path / "a.warc.gz", [EN])
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    with world(tmp_path) as app, pytest.raises(Unreachable, match="no Dask scheduler"):
        backfill.run(app, backfill.files([str(tmp_path)]), languages=LANGUAGES, scheduler=address)
    with world(tmp_path, mode="read") as app:
        assert app.store.connection.execute("SELECT state FROM archives").fetchone()[0] == "pending"


def test_the_driver_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    paths = _files(tmp_path)
    run(tmp_path / "serial", *paths)
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from crawler.backfill import run as b; from tests.builders import world\n"
        "def die(report):\n    if report.done == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "with world(Path(sys.argv[1])) as app:\n"
        "    b.run(app, b.files(sys.argv[2:]), languages=('en', 'ru', 'ur'), progress=die)\n"
    )
    (tmp_path / "killed").mkdir()
    killed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "killed"), *map(str, paths)],
        capture_output=True,
        cwd=Path(__file__).parent.parent,
    )
    assert killed.returncode == -signal.SIGKILL
    again = run(tmp_path / "killed", *paths)
    assert (again.before, again.done) == (2, 2)
    assert rows(tmp_path / "killed") == rows(tmp_path / "serial")


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler and two workers as processes of their own: (address, the scheduler's process)."""
    file = folder / "scheduler.json"
    words = [sys.executable, "-m", "dask"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    started = [
        subprocess.Popen(
            [*words, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file],
            **quiet,
        )
    ]
    try:
        started += [
            subprocess.Popen(
                [*words, "worker", "--scheduler-file", file, "--nthreads", "1", "--no-dashboard", "--no-nanny"], **quiet
            )
            for _ in range(2)
        ]
        until = time.monotonic() + 60
        while not (file.exists() and file.stat().st_size) and time.monotonic() < until:
            time.sleep(0.1)
        yield json.loads(file.read_text("utf-8"))["address"], started[0]
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_lost_scheduler_is_exit_3_and_the_next_run_gives_the_same_rows(tmp_path: Path) -> None:
    paths = _files(tmp_path)
    run(tmp_path / "serial", *paths)
    with _cluster(tmp_path) as (address, scheduler):

        def die(report: backfill.Report) -> None:
            scheduler.kill()

        with pytest.raises(Unreachable):
            run(tmp_path / "lost", *paths, scheduler=address, progress=die)
    assert rows(tmp_path / "lost") == []
    again = run(tmp_path / "lost", *paths)
    assert again.before >= 1
    assert rows(tmp_path / "lost") == rows(tmp_path / "serial")


def _killed_once(marker: Path) -> None:
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_costs_no_file(tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    paths = _files(tmp_path)
    run(tmp_path / "serial", *paths)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        future = client.submit(_killed_once, tmp_path / "marker", pure=False)
        report = run(tmp_path / "lost", *paths, scheduler=cluster.scheduler_address)
        future.release()
    assert (tmp_path / "marker").exists()
    assert report.pending == {}
    assert rows(tmp_path / "lost") == rows(tmp_path / "serial")
