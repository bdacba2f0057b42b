"""Judgement on a stream of live articles, at natural prevalence: recall, and every kept article without a label.

    python benchmarks/classify_stream.py ARTICLES.jsonl.gz LABELS.jsonl COUNTRY

ARTICLES hold one JSON object a line (id, title, text), LABELS {"id", "grade"} for those that concern the pair. What is
kept and has no positive label is listed, to be read.
"""

import argparse
import gzip
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from crawler.classify import classify, worth_fetching
from crawler.lexicon import load
from crawler.types import Text


def judge(articles: str, labels: str, country: str) -> dict[str, Any]:
    lexicon = load()
    graded = {r["id"]: r["grade"] for r in map(json.loads, Path(labels).read_text("utf-8").splitlines())}
    counts: Counter[str] = Counter()
    found: Counter[tuple[int, bool]] = Counter()
    candidates: Counter[tuple[int, bool]] = Counter()
    unlabelled = []
    spent = 0.0
    with gzip.open(articles, "rt", encoding="utf-8") as lines:
        for line in lines:
            r = json.loads(line)
            text = Text(title=r["title"] or "", text=r["text"] or "", country=country)
            begun = time.process_time()
            verdict = classify(text, lexicon)
            spent += time.process_time() - begun
            grade = graded.get(r["id"])
            counts["articles"] += 1
            if grade:
                worth = worth_fetching(text.title, text.text[:250], language="", country="", lexicon=lexicon)
                found[grade, verdict.grade > 0] += 1
                candidates[grade, worth] += 1
            elif verdict.grade:
                counts["kept_labelled_no" if grade == 0 else "kept_unlabelled"] += 1
                unlabelled.append({"id": r["id"], "url": r.get("url"), "title": r["title"],
                                   "grade": verdict.grade, "score": verdict.score,
                                   "label": grade, "why": verdict.reason})  # fmt: skip
    return {
        **counts,
        "recall": round(sum(n for (_, kept), n in found.items() if kept) / max(1, found.total()), 4),
        "recall_by_grade": {g: f"{found[g, True]} of {found[g, True] + found[g, False]}" for g in (1, 2)},
        "worth_fetching_by_grade": {
            g: f"{candidates[g, True]} of {candidates[g, True] + candidates[g, False]}" for g in (1, 2)
        },
        "ms_a_document": round(1000 * spent / max(1, counts["articles"]), 3),
        "kept_without_a_positive_label": unlabelled,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles")
    parser.add_argument("labels")
    parser.add_argument("country", help="of the source, ISO 3166")
    arguments = parser.parse_args()
    found = judge(arguments.articles, arguments.labels, arguments.country)
    print(json.dumps(found, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
