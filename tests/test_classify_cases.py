"""Named phenomena as files: false friends, lures, joined words, variants, lists, boilerplate, in three languages.

cases/judgement/*.jsonl were written before the rules and apart from them; cases/classify/*.yaml beside them.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from crawler.classify import classify
from crawler.lexicon import load
from crawler.types import Text

HOME = Path(__file__).parent / "cases"


def _cases() -> list[Any]:
    found = []
    for language in ("en", "ru", "ur"):
        for case in yaml.safe_load((HOME / "classify" / f"{language}.yaml").read_text("utf-8")):
            grade = case["grade"]
            case.update(language=language, grades=grade if isinstance(grade, list) else [grade])
            found.append(pytest.param(case, id=f"{language}-{case['name']}"))
        for line in (HOME / "judgement" / f"{language}.jsonl").read_text("utf-8").splitlines():
            case = json.loads(line)
            case.update(
                grades=case["expect"]["grade"],
                not_names=case.get("mentions_exclude", ()),
                first=case.get("first_sector"),
            )
            found.append(pytest.param(case, id=f"{language}-{case['name']}"))
    return found


def test_each_language_has_sixty_phenomena() -> None:
    counted = [case.values[0]["language"] for case in _cases()]
    assert all(counted.count(language) >= 60 for language in ("en", "ru", "ur"))


@pytest.mark.parametrize("case", _cases())
def test_phenomenon(case: dict[str, Any]) -> None:
    text = Text(title=case["title"], text=case["text"], language=case["language"], country=case.get("country") or "")
    verdict = classify(text, load())
    assert verdict.grade in case["grades"], f"{verdict.grade} {verdict.score} {verdict.reason}"
    names = {m.name for m in verdict.mentions}
    assert not names & set(case.get("not_names", ()))
    sectors = [s.sector for s in verdict.sectors]
    if case.get("first") and verdict.grade:
        assert sectors[0] in ([case["first"]] if isinstance(case["first"], str) else case["first"]), sectors
    assert set(sectors) >= set(case.get("sectors_include") or ()), sectors
    assert not set(sectors) & set(case.get("sectors_exclude") or ()), sectors
