"""Feeds of every dialect and breakage: cases/feeds holds a document and what it should be read as, per case."""

import json
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawler.readers import read, reading_json
from crawler.types import Reading

CASES = Path(__file__).parent / "cases/feeds"
NOW = datetime(2025, 11, 6, 12, 0, tzinfo=UTC)


def _cases() -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(CASES.glob("*.expected.json"))]


def _read(body: bytes, **more: Any) -> Reading:
    return read("feed", body, url="https://www.newspaper.example/feeds/home", now=NOW, **more)


def _codes(reading: Reading) -> list[str]:
    return list(dict.fromkeys(problem.partition(":")[0] for problem in reading.problems))


@pytest.mark.parametrize("case", _cases(), ids=lambda c: c["document"])
def test_feed_is_read_as_expected(case: dict[str, Any]) -> None:
    reading = read(
        "feed",
        (CASES / case["document"]).read_bytes(),
        url=case["url"],
        content_type=case["content_type"],
        zone=ZoneInfo(case["zone"]) if case["zone"] else None,
        now=NOW,
    )
    printed = reading_json(reading)
    assert reading.readable is case["readable"]
    assert sorted(_codes(reading)) == sorted(case["problems"]), reading.problems
    for key in ("title", "language", "ttl", "feeds"):
        if key in case:
            assert printed[key] == case[key]
    if "entries" in case:
        publishers = [entry.publisher for entry in reading.entries]
        found = [{**e, "publisher": p} for e, p in zip(printed["entries"], publishers, strict=True)]
        wanted = case["entries"]
        assert len(found) == len(wanted)
        assert [{key: f[key] for key in w} for f, w in zip(found, wanted, strict=True)] == wanted
    if "entries_least" in case:
        assert len(reading.entries) >= case["entries_least"]


def test_there_are_forty_broken_feeds() -> None:
    assert len(_cases()) >= 50
    assert len([case for case in _cases() if case["problems"]]) >= 30


def _many(count: int, item: str = "<item><title>t{0}</title><link>https://x.example/{0}</link></item>") -> bytes:
    items = "".join(item.format(number) for number in range(count))
    return f'<rss version="2.0"><channel><title>Many</title>{items}</channel></rss>'.encode()


def test_a_feed_of_more_entries_than_the_limit_is_cut_there_and_says_so() -> None:
    reading = _read(_many(60), limit=50)
    assert [e.title for e in reading.entries] == [f"t{n}" for n in range(50)]
    assert "entries" in _codes(reading)


@pytest.mark.parametrize(
    "body",
    [
        b'<rss version="2.0"><channel><item><title '
        + b" ".join(b'a%d="1"' % n for n in range(100_000))
        + b">t</title>",
        b'<rss version="2.0"><channel><item><title ' + b" ".join(b'a%d="<"' % n for n in range(3_000)) + b">t</title>",
        b'<rss version="2.0"><channel>' + b"<a>" * 30_000,
        b'<rss version="2.0"><channel>' + b"<item>" * 20_000,
        b'<rss version="2.0"><channel><item><title>' + b"<" * 200_000,
        b'<rss version="2.0"><channel><item><title>' + b"&" * 200_000,
        b'<rss version="2.0"><channel><item><description>' + b"&lt;script" * 50_000,
        b'<rss version="2.0"><channel><item><description><![CDATA[' + b"<!--" * 50_000 + b"]]></description></item>",
        b'<rss version="2.0"><channel><item><description><![CDATA['
        + b"<iframe>" * 50_000
        + b"]]></description></item>",
        b"<!DOCTYPE rss [" + b"<!ENTITY a 'b'>" * 50_000 + b"<rss><channel><item>",
        b"<!--" * 100_000 + b"<rss><channel><item>",
        b"<?" * 100_000 + b"<rss><channel><item>",
        b'{"version":"https://jsonfeed.org/version/1","items":' + b"[" * 200_000,
        b'{"version":"https://jsonfeed.org/version/1","items":[' + b'{"id":1},' * 50_000,
        b"\x1f\x8b" + b"\x00" * 100_000,
        b"<rss><channel><item><pubDate>" + b"1 " * 100_000 + b"</pubDate></item></channel></rss>",
        b"<rss><channel><item><title>" + b"The post " * 20_000 + b"</title></item></channel></rss>",
    ],
    ids=lambda body: repr(body[:70]),
)
def test_hostile_feed_ends_soon(body: bytes) -> None:
    started = time.process_time()
    reading = _read(body)
    assert isinstance(reading, Reading)
    assert time.process_time() - started < 5  # seconds; the slowest takes about one


def test_mutated_feeds_neither_crash_nor_hang() -> None:
    """Seeded; benchmarks/readers_fuzz.py does thousands."""
    rng = random.Random(20251105)
    documents = [path.read_bytes() for path in sorted(CASES.iterdir()) if "expected" not in path.name]
    for _ in range(150):
        body = bytearray(rng.choice(documents))
        for _ in range(rng.randrange(1, 8)):
            at = rng.randrange(len(body) or 1)
            kind = rng.randrange(4)
            if kind == 0:
                body[at : at + 1] = bytes([rng.randrange(256)])
            elif kind == 1:
                del body[at : at + rng.randrange(1, 40)]
            elif kind == 2:
                body[at:at] = rng.choice(
                    [b"<", b">", b"&", b"<item>", b"</item>", b"]]>", b"<![CDATA[", b"\x00", b"\xff\xfe"]
                )
            else:
                del body[at:]
        reading = _read(bytes(body))
        assert reading_json(reading)["entries"] == reading_json(_read(bytes(body)))["entries"]


def test_feed_beyond_all_bounds_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.readers.feed.MAX_ENTRIES", 50)
    items = "".join(f"<item><title>Wheat {n}</title><link>https://paper.example/{n}</link></item>" for n in range(80))
    body = f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode()
    reading = read("feed", body, url="https://paper.example/rss", now=None)
    assert [entry.title for entry in reading.entries] == [f"Wheat {n}" for n in range(50)]
    assert any(problem.startswith("entries: more than 50") for problem in reading.problems)
