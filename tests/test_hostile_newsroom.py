"""Every behaviour of the hostile newsroom comes to what its case file says (tests/hostile_newsroom.py)."""

import itertools
import re
from collections import Counter

import pytest

from crawler import urls
from tests import hostile_newsroom as hostile
from tests.hostile_newsroom import Case, Crawled

CASES = hostile.load()
PEAK = 512 * 2**20
WITHIN_S = 120.0  # nothing hangs; how fast it is, is for a quiet machine to say


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return hostile.crawl(CASES, tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.file}-{case.name}") for case in CASES])
def test_behaviour(crawled: Crawled, case: Case) -> None:
    expected = case.expected
    with crawled.reader() as database:
        visits = database.execute("SELECT * FROM visits WHERE source_id = ? ORDER BY id", (case.name,)).fetchall()
        said = [f"{v['outcome']} {v['status']}: {v['error']}" for v in visits]
        if case.visits:
            assert [v["outcome"] for v in visits] == list(case.visits), said
        for visit in visits:
            assert visit["duration_ms"] <= 1000 * expected.get("seconds", WITHIN_S), said
            assert visit["error"] is None or visit["error"].isprintable()
        if "error" in expected:
            assert re.search(expected["error"], visits[-1]["error"] or ""), said
        entries = database.execute("SELECT * FROM entries WHERE source_id = ? ORDER BY id", (case.name,)).fetchall()
        ledger = [f"{e['url']}: {e['state']}, {e['reason']}" for e in entries]
        for place, wanted in expected.get("entries", {}).items():
            state, reason = wanted if isinstance(wanted, list) else (wanted, "")
            key = urls.canonical(case.url(place))
            found = [e for e in entries if key in (e["canonical_url"], e["guid"]) or place in (e["guid"], e["title"])]
            assert [e["state"] for e in found] == [state], (place, ledger)
            assert re.search(reason, found[0]["reason"]), (place, ledger)
        if "count" in expected:
            assert dict(Counter(e["state"] for e in entries)) == expected["count"], ledger[:20]
        for column in ("text", "title"):
            for place, wanted in expected.get(column, {}).items():
                row = database.execute(
                    f"SELECT d.{column} AS said FROM entries e JOIN documents d ON d.entry_id = e.id"
                    " WHERE e.source_id = ? AND e.canonical_url = ?", (case.name, urls.canonical(case.url(place)))
                ).fetchone()  # fmt: skip
                assert row is not None, ledger
                assert wanted in row["said"], row["said"][:500]
        for query, wanted in expected.get("rows", {}).items():
            assert database.execute(query, {"id": case.name}).fetchone()[0] == wanted, (query, said)
    for place, number in expected.get("asked", {}).items():
        assert len(crawled.requests(case, place)) == number, (place, [a.path for a in crawled.requests(case)], said)
    for place, headers in expected.get("sent", {}).items():
        for name, values in headers.items():
            assert [a.headers.get(name.lower()) for a in crawled.requests(case, place)] == values, said
    if "gaps" in expected:
        for host in (case.host, case.other):
            times = sorted(a.at for a in crawled.log if a.host == host)
            assert all(b - a >= expected["gaps"] - 0.005 for a, b in itertools.pairwise(times))


def test_there_are_enough_behaviours() -> None:
    assert len(CASES) >= 300


def test_nothing_is_carried_from_host_to_host(crawled: Crawled) -> None:
    assert crawled.log
    for asked in crawled.log:
        assert not {"cookie", "referer", "origin", "authorization"} & asked.headers.keys(), asked
        assert asked.headers["user-agent"] == "pakrus/0.1 (+mailto:desk@newsroom.test)"


def test_no_forbidden_address_was_connected_to(crawled: Crawled) -> None:
    assert crawled.newsroom.forbidden == []


def test_no_pass_takes_long(crawled: Crawled) -> None:
    assert max(one.seconds for one in crawled.passes) < 240


def test_memory_stays_below_the_promise(crawled: Crawled) -> None:
    assert max(one.peak for one in crawled.passes) <= PEAK


def test_the_ledger_adds_up_and_the_hosts_were_asked_politely(crawled: Crawled) -> None:
    for verb in ("audit", "courtesy"):
        with hostile.pakrus(crawled.folder, verb) as process:
            out, error = process.communicate(timeout=60)
        assert process.returncode == 0, out + error


def test_no_secret_and_no_control_character_is_shown_or_stored(crawled: Crawled) -> None:
    shown = []
    for arguments in (["status"], ["gaps"], ["sources", "list"], ["search", "Pakistan", "--limit", "1000"]):
        with hostile.pakrus(crawled.folder, *arguments) as process:
            out, error = process.communicate(timeout=60)
        assert process.returncode in (0, 1), error
        shown.append(out + error)
    shown += [one.error for one in crawled.passes]
    for text in shown:
        assert "hunter2" not in text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    with crawled.reader() as database:  # a guid stays as its feed says it, and is an address only by chance
        for table, columns in (("visits", "error || url"), ("requests", "url"), ("entries", "url || reason")):
            query = f"SELECT count(*) FROM {table} WHERE {columns} LIKE '%hunter2%'"
            assert database.execute(query).fetchone()[0] == 0, table


def test_no_file_is_left_outside_the_database(crawled: Crawled) -> None:
    left = [path for name in ("home", "tmp") for path in (crawled.folder / name).rglob("*")]
    assert left == []
    ours = {path.name for path in crawled.folder.iterdir() if path.suffix != ".pem"}
    assert ours <= {"home", "tmp", "feeds.yaml", "news.db", "news.db-wal", "news.db-shm", "news.db.lock"}


def test_the_database_is_whole(crawled: Crawled) -> None:
    with crawled.reader() as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
