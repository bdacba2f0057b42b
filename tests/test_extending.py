"""docs/extending.md does what it says: its blocks are applied to a copy of the tree, its commands run there."""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.config import FORMATS, KINDS
from store.connection import SCHEMA
from tests.newsroom import HTML, Newsroom, item
from tests.pages import ROOT, Block, blocks, furnish, shell

PAGE = ROOT / "docs" / "extending.md"
BLOCKS = blocks(PAGE)
SOURCE = "Under `sources` in `feeds.yaml`:"
NOW = "2026-11-25T07:00:00Z"  # near the dates of the page's case: older ones make a stale source


def of(recipe: str, info: str) -> list[Block]:
    found = [block for block in BLOCKS if block.heading == recipe and block.info == info]
    assert found, f"{PAGE.name}: no {info} block under {recipe!r}"
    return found


def _apply(tree: Path) -> None:
    """Every block of the page that is a file or a change to one."""
    sources = []
    for block in BLOCKS:
        if block.info == "sh":
            continue
        where = f"{PAGE.name}:{block.line}"
        if block.before == SOURCE:
            sources.append(block.text)
            continue
        named = re.search(r"`([\w./-]+\.\w+)`:$", block.before)
        assert named, f"{where}: the line above does not say where this goes"
        path = tree / named[1]
        if block.info == "diff":
            _change(path, block.text, where)
        elif "At the end of" in block.before:
            path.write_text(path.read_text("utf-8") + "\n\n" + _renumbered(block.text), "utf-8")
        else:
            assert "new file" in block.before, f"{where}: says neither a new file nor a change"
            assert not path.exists(), f"{where}: {named[1]} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
    (tree / "sources.yaml").write_text("sources:\n" + "".join(sources), "utf-8")


def _change(path: Path, diff: str, where: str) -> None:
    lines = _renumbered(diff).splitlines()
    old = "\n".join(line[1:] for line in lines if line[:1] != "+")
    new = "\n".join(line[1:] for line in lines if line[:1] != "-")
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{where}: stale, this is not in the file: {old}"
    path.write_text(text.replace(old, new), "utf-8")


def _renumbered(text: str) -> str:
    """The page shows the second migration; the next one has another number as soon as there is a second."""
    text = re.sub(r"\bm0003(?=_reading_list)", f"m{SCHEMA + 1:04d}", text)
    text = text.replace("_READING_LIST, 3)", f"_READING_LIST, {SCHEMA + 1})")
    return text.replace("-SCHEMA = 2\n+SCHEMA = 3", f"-SCHEMA = {SCHEMA}\n+SCHEMA = {SCHEMA + 1}")


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Newsroom]:
    """The sites that the recipes invent."""
    (case,) = of("A site without a feed", "html")
    with Newsroom() as newsroom:
        gazette = newsroom.site("port-gazette.example")
        gazette.feed("/rss", [item("Wheat berths agreed with Russia", "/1", "Wed, 25 Nov 2026 09:00:00 +0500")])
        authority = newsroom.site("port-authority.example")
        authority.page("/notices", case.text, HTML)
        wire = newsroom.site("volga-wire.example")
        wire.page(
            "/today.jsonl", '{"url": "/1", "title": "Порт Касим принял судно", "date": "2026-11-25 10:00"}\n{oops\n'
        )
        yield newsroom


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory, newsroom: Newsroom) -> Path:
    """A copy of the program with every recipe of the page done."""
    tree = tmp_path_factory.mktemp("tree")
    ignore = shutil.ignore_patterns("__pycache__")
    for package in ("crawler", "store"):
        shutil.copytree(ROOT / package, tree / package, ignore=ignore)
    _apply(tree)
    furnish(tree)
    config = {"user_agent": "test/1", "contact": "mailto:a@b.example", "allow_private_addresses": ["127.0.0.0/8"],
              "resolve": newsroom.resolve(), "per_host_delay": "0s"}  # fmt: skip
    # The recipes write https, as one should; the newsroom of the tests has no certificates.
    sources = (tree / "sources.yaml").read_text("utf-8").replace("url: https://", "url: http://")
    done = shell(".venv/bin/python -m crawler.lexicon", tree)  # once: some seconds
    assert done.returncode == 0, done.stdout + done.stderr
    (tree / "feeds.yaml").write_text(f"database: news.db\ncrawl: {json.dumps(config)}\n{sources}", "utf-8")
    return tree


def run(block: Block, tree: Path) -> str:
    done = shell(block.text, tree)
    assert done.returncode == 0, f"{PAGE.name}:{block.line}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def crawled(tree: Path) -> sqlite3.Connection:
    """The database after one pass: over the source of the first recipe, as it says, and the two others."""
    _, crawl = of("A source", "sh")[0].text.splitlines()
    done = shell(f"{crawl} --source port-authority --source volga-wire --now {NOW}", tree)
    assert done.returncode == 0, done.stdout + done.stderr
    connection = sqlite3.connect(tree / "news.db")
    connection.row_factory = sqlite3.Row
    return connection


def entries(connection: sqlite3.Connection, source: str) -> list[tuple[str, str]]:
    return connection.execute("SELECT url, title FROM entries WHERE source_id = ? ORDER BY id", (source,)).fetchall()


def test_a_source_is_checked(tree: Path) -> None:
    check, _ = of("A source", "sh")[0].text.splitlines()
    done = shell(f"{check} --now {NOW}", tree)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "port-gazette" in done.stdout


def test_every_source_of_the_page_is_read(crawled: sqlite3.Connection) -> None:
    rows = crawled.execute("SELECT id, state FROM sources ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [
        ("port-authority", "good"),
        ("port-gazette", "good"),
        ("volga-wire", "good"),
    ]


def test_a_site_without_a_feed_is_read_as_its_case_says(crawled: sqlite3.Connection) -> None:
    (case,) = of("A site without a feed", "json")
    expected = json.loads(case.text)["entries"]
    found = crawled.execute(
        "SELECT url, title, published_at AS published FROM entries WHERE source_id = 'port-authority' ORDER BY id"
    ).fetchall()
    assert [{**row, "url": row["url"].replace("http:", "https:")} for row in map(dict, found)] == expected


def test_a_kind_of_source_is_read_by_the_verb_and_by_the_crawl(tree: Path, crawled: sqlite3.Connection) -> None:
    (block,) = of("A kind of source", "sh")
    (entry,) = json.loads(run(block, tree))["entries"]
    assert entry["url"] == "https://volga-wire.example/1"
    assert entry["published"] == "2025-11-24T07:00:00Z"
    assert [row["title"] for row in entries(crawled, "volga-wire")] == ["Порт Касим принял судно"]


def verdict(recipe: str, tree: Path) -> dict[str, object]:
    (block,) = of(recipe, "sh")
    answer: dict[str, object] = json.loads(run(block, tree).splitlines()[-1])
    return answer


def test_a_name_is_found_and_stands_for_its_sides(tree: Path) -> None:
    found = verdict("A name", tree)
    assert found["grade"] in (1, 2)
    assert "indus-volga-ferry" in [m["name"] for m in found["mentions"]]
    assert found["sectors"][0]["sector"] == "transport"


def test_a_sector_is_tagged_with_its_evidence(tree: Path) -> None:
    found = verdict("A sector", tree)
    assert found["sectors"][0]["sector"] == "antarctic"
    assert "Antarctic" in found["sectors"][0]["evidence"][0]["quote"]


def test_a_language_is_judged(tree: Path) -> None:
    found = verdict("A language", tree)
    assert found["language"] == "kk"
    assert found["grade"] in (1, 2)
    assert {"pakistan", "russia"} <= {m["name"] for m in found["mentions"]}


def test_a_pair_of_countries_is_judged_by_its_own_topic(tree: Path) -> None:
    found = verdict("A pair of countries", tree)
    assert found["grade"] in (1, 2)
    assert {"pakistan", "kazakhstan"} <= {m["name"] for m in found["mentions"]}
    (block,) = of("A pair of countries", "sh")
    other = shell(block.text.replace(" --config kazakhstan.yaml", ""), tree)
    assert json.loads(other.stdout.splitlines()[-1])["grade"] == 0, "the pair of the packaged topic is another"


def test_a_digest_format_is_written(tree: Path, crawled: sqlite3.Connection) -> None:
    (block,) = of("A digest format", "sh")
    run(block, tree)
    assert (tree / "digests" / "latest.txt").read_text("utf-8").startswith("Pakistan and Russia: ")


def test_a_table_and_a_column_come_by_migration(tree: Path, demo: Path) -> None:
    shutil.copy(demo / "news.db", tree / "old.db")
    (block,) = of("A table or a column", "sh")
    printed = run(replace(block, text=block.text.replace("migrate", "migrate --db old.db")), tree)
    assert f"schema {SCHEMA} to {SCHEMA + 1}" in printed
    connection = sqlite3.connect(tree / "old.db")
    assert connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA + 1
    assert connection.execute("SELECT count(*) FROM reading_list").fetchone()[0] == 0
    assert connection.execute("SELECT count(*), count(words) FROM articles").fetchone()[1] == 0
    assert connection.execute("SELECT count(*) FROM articles").fetchone()[0] > 0
    connection.close()


def test_the_table_of_recipes_links_to_each() -> None:
    text = PAGE.read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    anchors = re.findall(r"^\| \[[^]]+\]\(#([^)]+)\)", text, re.MULTILINE)
    assert sorted(anchors) == sorted(h.lower().replace(" ", "-") for h in headings)


def test_kinds_and_formats_have_a_module_each() -> None:
    assert all((ROOT / "crawler" / "readers" / f"{kind}.py").is_file() for kind in KINDS)
    assert FORMATS
