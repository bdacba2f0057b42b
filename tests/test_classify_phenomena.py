"""Named phenomena in three languages: false friends, lures, joined words, variants, grades, sectors.

Each line of tests/cases/judgement/*.jsonl was written from the labelling rules, not from what the code does.
"""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from crawler.classify import classify
from crawler.lexicon import load
from crawler.types import Classification, Text

HOME = Path(__file__).parent / "cases" / "judgement"
CASES: list[dict[str, Any]] = [
    json.loads(line) for path in sorted(HOME.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines() if line
]


@functools.cache
def _classified(number: int) -> Classification:
    case = CASES[number]
    text = Text(title=case["title"], text=case["text"], language=case["language"], country=case["country"])
    return classify(text, load())


def _verdict(case: dict[str, Any]) -> Classification:
    return _classified(CASES.index(case))


def _wrong(case: dict[str, Any], verdict: Classification) -> list[str]:
    """What the verdict has against the case, in words; empty where all is as expected."""
    sectors = [s.sector for s in verdict.sectors]
    wrong = []
    if verdict.grade not in case["expect"]["grade"]:
        wrong.append(f"grade {verdict.grade}, not {case['expect']['grade']} ({verdict.reason})")
    if missing := set(case.get("sectors_include", ())) - set(sectors):
        wrong.append(f"sectors {sectors} lack {sorted(missing)}")
    if surplus := set(case.get("sectors_exclude", ())) & set(sectors):
        wrong.append(f"sectors {sectors} hold {sorted(surplus)}")
    if case.get("first_sector") and sectors[:1] and sectors[0] not in case["first_sector"]:
        wrong.append(f"first sector {sectors[0]}, not {case['first_sector']}")
    if named := {m.name for m in verdict.mentions} & set(case.get("mentions_exclude", ())):
        wrong.append(f"mentions {sorted(named)}")
    return wrong


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['language']}-{c['name']}")
def test_phenomenon(case: dict[str, Any]) -> None:
    assert _wrong(case, _verdict(case)) == []


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['language']}-{c['name']}")
def test_every_quote_of_a_phenomenon_stands_at_its_offset(case: dict[str, Any]) -> None:
    verdict = _verdict(case)
    spots = [(m.field, m.quote, m.start) for m in verdict.mentions]
    spots += [(e.field, e.quote, e.start) for s in verdict.sectors for e in s.evidence]
    for field, quote, start in spots:
        assert case[field][start : start + len(quote)] == quote


def test_each_language_has_sixty_phenomena_of_its_own_name() -> None:
    for language in ("en", "ru", "ur"):
        names = [c["name"] for c in CASES if c["language"] == language]
        assert len(names) == len(set(names)) >= 60
