"""Quality floors: what the program reaches on our own labelled cases, and that it reaches no less than before.

    ./run gate            measures and compares with benchmarks/floors.json; exit 1 where a floor is not reached
    ./run gate --raise    writes floors that have risen; a floor never falls

Each measure says what it reads. What needs a corpus that is not in the repository is named and skipped without it.
"""

import argparse
import importlib.util
import json
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parent.parent
GOLD = Path(__file__).parent / "gold"
CASES = ROOT / "tests" / "cases"
FLOORS = Path(__file__).parent / "floors.json"
RECORDS = [GOLD / f"{language}.jsonl" for language in ("en", "ru", "ur")]
VISIT = "2025-11-06T12:00:00+00:00"  # when the dates are read, unless a case says otherwise
STEP = 0.005  # a floor is written this much under what was measured: figures move with the order of sums, not with luck

Measure = Callable[[], Iterator[tuple[str, float]]]


def _score() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", GOLD / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judgement() -> Iterator[tuple[str, float]]:
    """Relevance, grades and sectors of the 333 gold records in three languages (benchmarks/gold)."""
    from crawler.config import packaged_config, read_config
    from crawler.lexicon import load
    from crawler.stream import classify_lines

    score = _score()
    config = read_config(packaged_config(), ROOT)
    answers: list[dict[str, Any]] = []
    for path in RECORDS:
        with path.open("rb") as lines:
            answers += classify_lines(lines, config, load(config.topic))
    result = score.score_classify(score.read_jsonl(RECORDS), answers)
    for language in ("all", "en", "ru", "ur"):
        yield f"relevance.f1.{language}", result[language]["relevance"]["f1"]
    yield "relevance.precision.all", result["all"]["relevance"]["precision"]
    yield "grades.macro_f1.all", result["all"]["grade_macro_f1"]
    yield "sectors.micro_f1.all", result["all"]["sectors_micro"]["f1"]
    yield "sectors.macro_f1.all", result["all"]["sectors_macro_f1"]
    yield "sectors.first_among.all", result["all"]["first_sector_among"]


def candidates() -> Iterator[tuple[str, float]]:
    """What title and summary alone (250 characters) keep of the gold records, by grade, the source unknown."""
    from crawler.classify import worth_fetching
    from crawler.lexicon import load

    kept: Counter[int] = Counter()
    every: Counter[int] = Counter()
    for path in RECORDS:
        for record in map(json.loads, path.read_text("utf-8").splitlines()):
            every[record["grade"]] += 1
            kept[record["grade"]] += worth_fetching(
                record["title"] or "", record["text"][:250], language="", country="", lexicon=load()
            )
    yield "candidates.recall.grade2", kept[2] / every[2]
    yield "candidates.recall.grade1", kept[1] / every[1]


def documents() -> Iterator[tuple[str, float]]:
    """Grade and sectors of our own short documents (tests/cases/documents)."""
    import yaml

    from crawler.classify import classify
    from crawler.lexicon import load
    from crawler.types import Text

    right: Counter[bool] = Counter()
    sectors: Counter[bool] = Counter()
    for path in sorted((CASES / "documents").glob("*.yaml")):
        for case in yaml.safe_load(path.read_text("utf-8")):
            verdict = classify(
                Text(title=case["title"], text=case["text"], language=path.stem, country=case.get("country") or ""),
                load(),
            )
            right[verdict.grade == case["grade"]] += 1
            found = {s.sector for s in verdict.sectors} - set(case.get("optional") or ())
            for sector in found | set(case["sectors"]):
                sectors[sector in found and sector in case["sectors"]] += 1
    yield "documents.grade", right[True] / right.total()
    yield "documents.sectors.micro_f1", 2 * sectors[True] / (2 * sectors[True] + sectors[False])


def stories() -> Iterator[tuple[str, float]]:
    """Stories of the gold records after `ingest` into one database, within and across languages."""
    from crawler.app import App
    from crawler.config import packaged_config, read_config
    from crawler.stream import ingest_lines
    from store.connection import open_store

    score = _score()
    config = read_config(packaged_config(), ROOT)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gold.db"
        with open_store(path, mode="write") as store:
            app = App(config, store, clock=lambda: datetime(2026, 11, 25, tzinfo=UTC))
            for file in RECORDS:
                with file.open("rb") as lines:
                    for _ in ingest_lines(lines, app):
                        pass
        result = score.score_stories(score.read_jsonl(RECORDS), path, GOLD / "near_pairs.json")
    yield "stories.b_cubed_f1", result["b_cubed"]["f1"]
    for name in ("same-language", "cross-language"):
        yield f"stories.pairs.precision.{name}", result[name]["precision"]
        yield f"stories.pairs.recall.{name}", result[name]["recall"]
    yield "stories.near_pairs_apart", 1 - len(result["near_pairs"]["merged"]) / max(1, result["near_pairs"]["pairs"])


def pages() -> Iterator[tuple[str, float]]:
    """Whole pages of our own after the templates of the beat's sites (tests/cases/pages)."""
    from crawler.extract import extract

    total: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for path in sorted((CASES / "pages").glob("*.json")):
        expected = json.loads(path.read_text("utf-8"))
        document = extract(
            path.with_suffix(".html").read_bytes(),
            url=expected["url"],
            content_type=expected.get("content_type", ""),
            zone=ZoneInfo(expected["zone"]) if "zone" in expected else None,
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
        _tally(total, count, "outcome", document.outcome == expected["outcome"])
        if expected["outcome"] != "article":
            continue
        if "text" in expected:
            _tally(total, count, "body_f1", _f1(expected["text"], document.text))
        for name in ("title", "author", "origin"):
            if name in expected:
                _tally(total, count, name, getattr(document, name) == expected[name])
        instant = document.published.instant if document.published else None
        if "published" in expected:
            _tally(total, count, "published", _same_time(instant, expected))
    for name in count:
        yield f"pages.{name}", total[name] / count[name]


def _same_time(instant: datetime | None, expected: dict[str, Any]) -> bool:
    """To the minute, or to the day in the page's zone where the page gives no more."""
    truth = expected["published"]
    if instant is None or truth is None:
        return instant is truth
    if len(truth) == 10:
        return instant.astimezone(ZoneInfo(expected.get("zone", "UTC"))).date().isoformat() == truth
    return abs((instant - datetime.fromisoformat(truth)).total_seconds()) < 60


def _tally(total: Counter[str], count: Counter[str], name: str, value: float) -> None:
    total[name] += value  # type: ignore[assignment]
    count[name] += 1


def _f1(truth: str, found: str) -> float:
    a, b = Counter(truth.split()), Counter(found.split())
    shared = sum((a & b).values())
    return 2 * shared / (sum(a.values()) + sum(b.values())) if shared else 0.0


def times() -> Iterator[tuple[str, float]]:
    """Date strings in three languages (tests/cases/dates)."""
    from crawler import dates

    right = count = 0
    for line in (CASES / "dates" / "dates.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        now = datetime.fromisoformat(case.get("now", VISIT))
        moment = dates.read(case["raw"], zone=ZoneInfo(case["zone"]) if case.get("zone") else None, now=now)
        text = moment.instant.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.instant else None
        right += (text, moment.precision) == (case["instant"], case["precision"])
        count += 1
    yield "dates.right", right / count


def languages() -> Iterator[tuple[str, float]]:
    """Headlines without any hint, in the five languages of the beat and in their neighbours (tests/cases/language)."""
    from crawler.language import detect

    for code in ("en", "ru", "ur", "ar", "fa"):
        lines = (CASES / "language" / f"{code}.txt").read_text("utf-8").splitlines()
        long = [line for line in lines if len(line) >= 25]
        yield f"language.{code}", sum(detect(line) == code for line in long) / len(long)
    others = [line.split("\t") for line in (CASES / "language" / "others.tsv").read_text("utf-8").splitlines()]
    yield "language.others", sum(detect(line) == code for code, line in others) / len(others)


def phenomena() -> Iterator[tuple[str, float]]:
    """Named phenomena of judgement in three languages, a case each (tests/cases/judgement)."""
    from crawler.classify import classify
    from crawler.lexicon import load
    from crawler.types import Text

    lexicon = load()
    for path in sorted((CASES / "judgement").glob("*.jsonl")):
        cases = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        right = 0
        for case in cases:
            text = Text(
                title=case["title"],
                text=case["text"],
                language=case.get("language", ""),
                country=case.get("country", ""),
            )
            right += classify(text, lexicon).grade in case["expect"]["grade"]
        yield f"phenomena.grade.{path.stem}", right / len(cases)


MEASURES: tuple[Measure, ...] = (judgement, candidates, documents, stories, pages, times, languages, phenomena)
ELSEWHERE = {
    "extraction on pages of others (benchmarks/extract_corpora.py)": ROOT.parent / "shared" / "corpora" / "html_fundus",
    "languages of short cuts (benchmarks/language_cuts.py)": ROOT.parent / "shared" / "corpora",
    "precision at natural prevalence (benchmarks/stream_to_lines.py)": ROOT.parent / "shared" / "corpora",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raise", dest="lift", action="store_true", help="write the floors that have risen")
    arguments = parser.parse_args()
    floors: dict[str, float] = json.loads(FLOORS.read_text("utf-8")) if FLOORS.exists() else {}
    measured: dict[str, float] = {}
    for measure in MEASURES:
        measured.update(measure())
    low = []
    print(f"{'measure':<42} {'measured':>9} {'floor':>7}")
    for name, value in measured.items():
        floor = floors.get(name)
        under = floor is not None and value < floor
        low += [name] if under else []
        mark = "  under its floor" if under else ""
        print(f"{name:<42} {value:>9.4f} {'-' if floor is None else f'{floor:.3f}':>7}{mark}")
    missing = [name for name in floors if name not in measured]
    for name in missing:
        print(f"{name:<42} {'not measured':>9}")
    for what, folder in ELSEWHERE.items():
        if not folder.exists():
            print(f"skipped: {what}: {folder.name} is not here")
    if arguments.lift:
        risen = {n: max(floors.get(n, 0.0), math.floor((v - STEP) * 1000) / 1000) for n, v in measured.items()}
        FLOORS.write_text(json.dumps({**floors, **risen}, indent=1, sort_keys=True) + "\n", "utf-8")
    if low or missing:
        print(f"{len(low)} measures are under their floor, {len(missing)} were not measured", file=sys.stderr)
        return 1
    print(f"{len(measured)} measures, none under its floor")
    return 0


if __name__ == "__main__":
    sys.exit(main())
