"""Figures with their units in three languages, and where articles disagree on them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cluster import Figure, disputes, figures

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases" / "stories" / "figures.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=[c["text"][:40] for c in CASES])
def test_a_number_is_read_with_what_it_counts(case: dict[str, object]) -> None:
    text = str(case["text"])
    found = figures("", text)
    assert [[f.unit, f.value] for f in found] == case["figures"]
    assert all(any(c.isalnum() for c in text[f.start : f.start + f.length]) for f in found)


@pytest.mark.parametrize(
    ("one", "other", "at_odds"),
    [
        ("83 traders", "84 торговца", True),
        ("84 traders", "84 تاجر", False),
        ("44,980 tonnes", "45 тыс. тонн", False),  # rounded
        ("60,000 tonnes", "ساٹھ ہزار ٹن", False),
        ("26 people were killed", "погибли 27 человек", True),
        ("3 ships", "50 судов", False),  # hardly the same ships
        ("$450 million", "500 млн долларов", True),
        ("83 traders, later 84 traders", "84 торговца", False),  # it says both
        ("12 trucks", "13 ships", False),
    ],
)
def test_two_articles_disagree_or_not(one: str, other: str, at_odds: bool) -> None:
    said = {1: figures(one, ""), 2: figures("", other)}
    assert bool(disputes(said)) is at_odds


def test_an_article_alone_disputes_nothing() -> None:
    assert disputes({1: figures("83 traders or 84 traders", "")}) == []


@given(st.text(max_size=200), st.text(max_size=300))
def test_any_text_has_figures_where_it_says(title: str, text: str) -> None:
    found = figures(title, text)
    assert len(found) <= 40
    for figure in found:
        whole = title if figure.field == "title" else text
        assert 0 <= figure.start < figure.start + figure.length <= len(whole)
        assert Figure.from_json(json.loads(json.dumps(figure.to_json()))) == figure
    disputes({1: found, 2: figures(text, title)})
