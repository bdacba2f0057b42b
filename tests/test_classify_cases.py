"""Named phenomena as files: false friends, lures, joined words, variants, lists, boilerplate, in three languages."""

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
    for path in sorted((HOME / "classify").glob("*.yaml")):
        for case in yaml.safe_load(path.read_text("utf-8")):
            case.setdefault("language", path.stem[:2])
            found.append(pytest.param(case, id=f"{path.stem}-{case['name']}"))
    return found


def test_each_language_has_its_phenomena() -> None:
    counted = [case.values[0]["language"] for case in _cases()]
    assert all(counted.count(language) >= 40 for language in ("en", "ru", "ur"))


@pytest.mark.parametrize("case", _cases())
def test_phenomenon(case: dict[str, Any]) -> None:
    verdict = classify(
        Text(title=case["title"], text=case["text"], language=case["language"], country=case.get("country", "")), load()
    )
    wanted = case["grade"] if isinstance(case["grade"], list) else [case["grade"]]
    assert verdict.grade in wanted, f"{verdict.grade} {verdict.score} {verdict.reason}"
    names = {m.name for m in verdict.mentions}
    assert not names & set(case.get("not_names", []))
    assert names >= set(case.get("names", []))
    if "first" in case:
        assert verdict.sectors[0].sector == case["first"], [(s.sector, s.score) for s in verdict.sectors]
