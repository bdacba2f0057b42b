"""Our own short documents with grade and sectors (cases/documents): what is reached is not lost again."""

from collections import Counter
from pathlib import Path

import yaml

from crawler.classify import classify
from crawler.lexicon import load
from crawler.types import Text

HOME = Path(__file__).parent / "cases" / "documents"


def test_documents_get_their_grade_and_their_sectors() -> None:
    counts: Counter[str] = Counter()
    missed = []
    for path in sorted(HOME.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text("utf-8")):
            text = Text(title=case["title"], text=case["text"], language=path.stem, country=case.get("country") or "")
            verdict = classify(text, load())
            missed += [case["name"]] if bool(verdict.grade) != bool(case["grade"]) else []
            found = {s.sector for s in verdict.sectors} - set(case.get("optional") or ())
            counts["right"] += len(found & set(case["sectors"]))
            counts["wrong"] += len(found ^ set(case["sectors"]))
            counts["grade"] += verdict.grade == case["grade"]
            counts["all"] += 1
    assert not missed
    assert counts["grade"] >= 0.93 * counts["all"], counts
    assert 2 * counts["right"] / (2 * counts["right"] + counts["wrong"]) >= 0.9, counts
