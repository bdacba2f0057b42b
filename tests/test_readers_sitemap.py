"""Sitemaps and indexes: cases/sitemaps holds a document and what it should be read as, per case."""

import gzip
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawler.readers import read, reading_json
from crawler.types import Reading

CASES = Path(__file__).parent / "cases/sitemaps"
NOW = datetime(2025, 11, 6, 12, 0, tzinfo=UTC)
SITE = "https://www.newspaper.example/sitemap.xml"


def _cases() -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(CASES.glob("*.expected.json"))]


def _read(body: bytes, **more: Any) -> Reading:
    return read("sitemap", body, url=SITE, now=NOW, **more)


def _codes(reading: Reading) -> set[str]:
    return {problem.partition(":")[0] for problem in reading.problems}


@pytest.mark.parametrize("case", _cases(), ids=lambda c: c["document"])
def test_sitemap_is_read_as_expected(case: dict[str, Any]) -> None:
    zone = ZoneInfo(case["zone"]) if case["zone"] else None
    body = (CASES / case["document"]).read_bytes()
    reading = read("sitemap", body, url=case["url"], content_type=case["content_type"], zone=zone, now=NOW)
    printed = reading_json(reading)
    assert reading.readable is case["readable"]
    assert _codes(reading) == set(case["problems"]), reading.problems
    for key in ("title", "language", "children"):
        if key in case:
            assert printed[key] == case[key]
    if "entries" in case:
        assert len(printed["entries"]) == len(case["entries"])
        found = [{key: f[key] for key in w} for f, w in zip(printed["entries"], case["entries"], strict=True)]
        assert found == case["entries"]
    assert len(reading.entries) >= case.get("entries_least", 0)


def _urlset(count: int) -> bytes:
    rows = "".join(
        f"<url><loc>https://x.example/{n}</loc><lastmod>2025-{1 + n % 9:02d}-01</lastmod></url>" for n in range(count)
    )
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'.encode()


def test_the_newest_pages_of_a_long_sitemap_are_taken_in_their_order() -> None:
    reading = _read(_urlset(90), limit=20)
    assert [e.url for e in reading.entries][:4] == [f"https://x.example/{n}" for n in (7, 8, 16, 17)]
    assert len(reading.entries) == 20
    assert "entries" in _codes(reading)


def test_last_modification_is_weaker_evidence_than_publication() -> None:
    entry = _read(_urlset(1)).entries[0]
    assert entry.published is not None
    assert entry.published.origin == "url"


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"<urlset>" + b" " * 60_000_000, compresslevel=1),
        b"<urlset>" + b"<url>" * 100_000,
        b"<urlset>" + b"<url/>" * 40_000 + b"</urlset>",
        b"<urlset><url "
        + b" ".join(b'a%d="1"' % n for n in range(50_000))
        + b"><loc>https://x.example/1</loc></url></urlset>",
        b"<!DOCTYPE x [" + b"<!ENTITY a '&b;'>" * 50_000 + b"]><urlset><url><loc>&a;</loc></url></urlset>",
        b"\x1f\x8b\x08\x00" + b"\xff" * 10_000,
    ],
    ids=["bomb", "depth", "many", "attributes", "entities", "spoiled_gzip"],
)
def test_hostile_sitemap_ends_soon(body: bytes) -> None:
    started = time.process_time()
    assert isinstance(_read(body), Reading)
    assert time.process_time() - started < 5
