"""Whole pages, written after the templates of Pakistani, Urdu and Russian sites: tests/cases/pages.

Beside each page lies what must come out of it: outcome, title, author, time, language, origin, dateline, the body, and
`absent`: phrases of the page's furniture that must not be in it.
"""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawler import urls
from crawler.extract import extract
from crawler.types import Document

PAGES = Path(__file__).parent / "cases" / "pages"
NAMES = sorted(path.stem for path in PAGES.glob("*.json"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MIN_F1 = 0.9


@cache
def case(name: str) -> tuple[dict[str, Any], Document]:
    expected = json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))
    document = extract(
        (PAGES / f"{name}.html").read_bytes(),
        url=expected["url"],
        content_type=expected.get("content_type", ""),
        zone=ZoneInfo(expected["zone"]) if "zone" in expected else None,
        now=NOW,
    )
    return expected, document


def f1(truth: str, found: str) -> float:
    """F1 over word 4-grams, as the benchmark has it."""

    def grams(text: str) -> Counter[tuple[str, ...]]:
        words = re.findall(r"\w+", text.replace("\u00ad", ""))
        return Counter(zip(words, words[1:], words[2:], words[3:], strict=False))

    a, b = grams(truth), grams(found)
    shared = sum((a & b).values())
    return 2 * shared / (sum(a.values()) + sum(b.values())) if shared else 0.0


ARTICLES = [name for name in NAMES if case(name)[0]["outcome"] == "article"]


def test_there_are_sixty_pages_and_more() -> None:
    assert len(NAMES) >= 60


@pytest.mark.parametrize("name", NAMES)
def test_page_is_what_it_is(name: str) -> None:
    expected, document = case(name)
    assert document.outcome == expected["outcome"], document.problems


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_an_article_is_an_article(name: str) -> None:
    expected, document = case(name)
    if expected["outcome"] != "article":
        assert document.outcome != "article"


@pytest.mark.parametrize("name", ARTICLES)
def test_body_is_the_article_and_nothing_else(name: str) -> None:
    expected, document = case(name)
    assert [phrase for phrase in expected["absent"] if phrase in document.text] == []
    assert f1(expected["text"], document.text) >= MIN_F1
    assert not re.search("[\u00ad\u200b\ufeff\0]", document.text)


@pytest.mark.parametrize("name", ARTICLES)
def test_title_author_language_and_place_are_read(name: str) -> None:
    expected, document = case(name)
    assert document.title == expected["title"]
    assert document.language == expected["language"]
    assert document.author == expected["author"]
    assert urls.canonical(document.canonical_url) == urls.canonical(expected.get("canonical_url", expected["url"]))
    if "site" in expected:
        assert document.site == expected["site"]
    if "images" in expected:
        assert list(document.images) == expected["images"]


@pytest.mark.parametrize("name", ARTICLES)
def test_time_of_publication_is_right(name: str) -> None:
    expected, document = case(name)
    truth = expected["published"]
    if truth is None:
        assert document.published is None
        return
    assert document.published is not None
    assert document.published.instant is not None
    if len(truth) == 10:
        zone = ZoneInfo(expected.get("zone", "UTC"))
        assert document.published.instant.astimezone(zone).date().isoformat() == truth
        assert document.published.precision == "day"
    else:
        difference = document.published.instant - datetime.fromisoformat(truth)
        assert abs(difference.total_seconds()) < 60
        if "precision" in expected:
            assert document.published.precision == expected["precision"]


@pytest.mark.parametrize("name", ARTICLES)
def test_origin_and_dateline_are_told_apart_from_the_text(name: str) -> None:
    expected, document = case(name)
    assert document.origin == expected["origin"]
    assert document.dateline == expected["dateline"]
