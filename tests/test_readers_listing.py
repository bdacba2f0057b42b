"""Pages that list articles: cases/listings holds a page and what it should be read as, per case."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawler.readers import read, reading_json
from crawler.types import Reading

CASES = Path(__file__).parent / "cases/listings"
NOW = datetime(2025, 11, 6, 12, 0, tzinfo=UTC)


def _cases() -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(CASES.glob("*.expected.json"))]


@pytest.mark.parametrize("case", _cases(), ids=lambda c: f"{c['document']} {c['selector'] or ''}")
def test_listing_is_read_as_expected(case: dict[str, Any]) -> None:
    reading = read(
        "listing",
        (CASES / case["document"]).read_bytes(),
        url=case["url"],
        content_type=case["content_type"],
        zone=ZoneInfo(case["zone"]),
        now=NOW,
        selector=case["selector"],
    )
    printed = reading_json(reading)
    assert reading.readable is case["readable"]
    assert {problem.partition(":")[0] for problem in reading.problems} == set(case["problems"]), reading.problems
    for key in ("title", "language"):
        if key in case:
            assert printed[key] == case[key]
    wanted = case.get("entries", [])
    assert [f["url"] for f in printed["entries"]] == [w["url"] for w in wanted]
    assert [{key: f[key] for key in w} for f, w in zip(printed["entries"], wanted, strict=True)] == wanted


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 100_000,
        b"<a href='/news/12345/x'>one two three four" * 30_000,
        b"".join(b"<div><a href='/news/%d/x'>A headline of four words</a></div>" % n for n in range(10_000, 30_000)),
        b"<a " + b" ".join(b'a%d="1"' % n for n in range(50_000)) + b">",
        b"<div class='date'>" * 5_000 + b"<a href='/news/12345/x'>A headline of four words</a>",
        b"[" * 100_000,
        b"\x00" * 100_000,
    ],
    ids=["depth", "one_link", "many_links", "attributes", "deep_dates", "json_depth", "zeros"],
)
def test_hostile_page_ends_soon(body: bytes) -> None:
    started = time.process_time()
    assert isinstance(read("listing", body, url="https://x.example/", now=NOW), Reading)
    assert time.process_time() - started < 8


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no reader"):
        read("spider", b"x", url="https://x.example/")
