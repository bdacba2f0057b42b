"""Sites without a feed: each declaration reads its case page, and bad pages cost nothing but their items."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import UsageError
from crawler.spiders import sites
from store.records import utc_text

NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
CASES = Path(__file__).parent / "cases" / "spiders" / "sites"


def test_every_declaration_has_its_case() -> None:
    assert sites.names() == sorted(path.stem for path in CASES.glob("*.html"))


@pytest.mark.parametrize("name", sites.names())
def test_case(name: str) -> None:
    expected = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    reading, following = sites.read_page(
        name, (CASES / f"{name}.html").read_bytes(), url=expected["url"], zone=ZoneInfo(expected["zone"]), now=NOW
    )
    found = []
    for entry in reading.entries:
        at = entry.published.instant if entry.published else None
        row = {"url": entry.url, "title": entry.title, "published": utc_text(at) if at else None}
        found.append(row | ({"summary": entry.summary} if entry.summary else {}))
    assert found == expected["entries"]
    assert following == expected["next"]
    assert reading.problems == ()


@pytest.mark.parametrize("name", sites.names())
@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"<html></html>", b"<a href='http://[::1'>x</a>" * 3])
def test_a_changed_face_is_told_and_no_error(name: str, body: bytes) -> None:
    reading, following = sites.read_page(name, body, url="https://www.radio.gov.pk/", now=NOW)
    assert reading.entries == ()
    assert reading.problems
    assert following is None


@settings(max_examples=50)
@given(st.binary(max_size=500))
def test_any_bytes_are_survived(body: bytes) -> None:
    for name in sites.names():
        sites.read_page(name, body, url="https://www.dawn.com/archive/2026-11-25", now=NOW)


def test_todays_list_is_read_and_yesterdays() -> None:
    assert (
        sites.address(sites.load("dawn-archive"), "https://x.example/", NOW)
        == "https://www.dawn.com/archive/2026-11-25"
    )
    assert sites.address(sites.load("radio-pakistan"), "https://x.example/", NOW) == "https://x.example/"
    assert sites.earlier(sites.load("dawn-archive"), NOW) == ["https://www.dawn.com/archive/2026-11-24"]
    assert sites.earlier(sites.load("radio-pakistan"), NOW) == []


def test_an_unknown_declaration_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="radio-pakistan"):
        sites.load("no-such-site")
