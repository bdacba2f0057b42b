#!/usr/bin/env python3
"""`same_event` on the pairs of the Telegram clustering contest (general news, no times): F1 beside the baselines.

    python benchmarks/cluster_tgcontest.py CORPORA/dup_and_topics_tgcontest

The pairs are not of this beat and give no time of publication, so the lexicon and the calendar, half of what the
method lives on, say nothing here. Pairs of the pool had passed a similarity search: most are of one event.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from crawler import cluster, lexicon
from crawler.classify import classify
from crawler.types import Text

AT = datetime(2019, 11, 14, tzinfo=UTC)


def profile(title: str, text: str, language: str) -> cluster.Profile:
    known = lexicon.load()
    verdict = classify(Text(title=title, text=text, language=language), known)
    return cluster.profile(
        title=title,
        text=text,
        language=language,
        published=AT,
        first_seen=AT,
        classification=verdict,
        lexicon=known,
    )


def f1(counts: Counter[tuple[bool, bool]]) -> dict[str, float]:
    hit, extra, missed = counts[True, True], counts[False, True], counts[True, False]
    precision, recall = hit / max(1, hit + extra), hit / max(1, hit + missed)
    f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    accuracy = (hit + counts[False, False]) / max(1, counts.total())
    names = ("precision", "recall", "f1", "accuracy")
    return {k: round(v, 4) for k, v in zip(names, (precision, recall, f, accuracy), strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder / "clustering_pairs"
    csv.field_size_limit(10**9)
    out = {}
    for language in ("en", "ru"):
        ours: Counter[tuple[bool, bool]] = Counter()
        all_same: Counter[tuple[bool, bool]] = Counter()
        with (folder / f"{language}_train_pool.tsv").open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
                wanted = row["GOLDEN:quality"] == "OK"
                texts = [(row[f"INPUT:{n}_title"], row[f"INPUT:{n}_text"]) for n in ("first", "second")]
                one, other = (profile(title, text, language) for title, text in texts)
                ours[wanted, cluster.same_event(one, other).same] += 1
                all_same[wanted, True] += 1
        out[language] = {"pairs": ours.total(), "same_event": f1(ours), "all pairs are one event": f1(all_same)}
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
