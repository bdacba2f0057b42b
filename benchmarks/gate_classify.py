"""Floors of judgement: relevance, grades and sectors on labelled records, and what a verdict costs.

    python benchmarks/gate_classify.py GOLD.jsonl... [--folds 0,1,2] [--floors benchmarks/floors.json] [--json]
    python benchmarks/gate_classify.py --stream ARTICLES.jsonl.gz LABELS.jsonl COUNTRY

Floors stand under "classify" in floors.json, as dotted names ("all.relevance.f1"); a figure below its floor ends with
exit 1. A stream is live articles, one JSON object a line (id, title, text), with labels {"id", "grade"} for those that
concern the pair: it gives recall, and lists every kept article that has no label, to be read. Standard library only.
"""

import argparse
import gzip
import json
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from crawler.classify import classify, worth_fetching
from crawler.lexicon import load
from crawler.types import Text


def f1(tp, fp, fn):
    return round(2 * tp / (2 * tp + fp + fn), 4) if tp else 0.0


def figures(rows):
    """rows: [(record, verdict)] -> the figures that ../shared/gold/score.py gives, those that have floors."""
    pairs = Counter((r["grade"] > 0, v.grade > 0) for r, v in rows)
    grades = Counter((r["grade"], v.grade) for r, v in rows)
    by_grade = [
        f1(grades[k, k], sum(grades[j, k] for j in range(3) if j != k), sum(grades[k, j] for j in range(3) if j != k))
        for k in range(3)
    ]
    sectors, first = defaultdict(Counter), Counter()
    for r, v in rows:
        if r["grade"] == 0 == v.grade:
            continue
        got = [s.sector for s in v.sectors]
        for sector in (set(got) | set(r["sectors"])) - set(r["optional_sectors"]):
            sectors[sector][("tp" if sector in r["sectors"] else "fp") if sector in got else "fn"] += 1
        if r["sectors"]:
            first[bool(got) and got[0] in r["sectors"]] += 1
    total = sum(sectors.values(), Counter())
    common = [f1(c["tp"], c["fp"], c["fn"]) for c in sectors.values() if c["tp"] + c["fn"] >= 3]
    return {
        "records": len(rows),
        "relevance": {
            "precision": round(pairs[True, True] / max(1, pairs[True, True] + pairs[False, True]), 4),
            "recall": round(pairs[True, True] / max(1, pairs[True, True] + pairs[True, False]), 4),
            "f1": f1(pairs[True, True], pairs[False, True], pairs[True, False]),
        },
        "grade_f1": by_grade,
        "grade_macro_f1": round(sum(by_grade) / 3, 4),
        "sectors_micro_f1": f1(total["tp"], total["fp"], total["fn"]),
        "sectors_macro_f1": round(sum(common) / max(1, len(common)), 4),
        "first_sector_among": round(first[True] / max(1, first.total()), 4),
    }


def judge_gold(paths, folds):
    lexicon = load()
    rows = []
    for path in paths:
        for line in Path(path).read_text("utf-8").splitlines():
            r = json.loads(line)
            if folds is None or r.get("fold") in folds:
                rows.append(
                    (r, Text(title=r["title"] or "", text=r["text"], language=r["language"], url=r.get("url") or ""))
                )
    classify(Text(title="", text="Pakistan and Russia"), lexicon)  # builds what is built once
    begun = time.process_time()
    judged = [(r, classify(text, lexicon)) for r, text in rows]
    spent = time.process_time() - begun
    out = {"all": figures(judged)}
    for language in sorted({r["language"] for r, _ in judged}):
        out[language] = figures([(r, v) for r, v in judged if r["language"] == language])
    out["cost"] = {"ms_a_document": round(1000 * spent / max(1, len(judged)), 3),
                   "characters_a_document": round(sum(len(t.text) for _, t in rows) / max(1, len(rows)))}  # fmt: skip
    return out


def judge_stream(articles, labels, country):
    lexicon = load()
    graded = {r["id"]: r["grade"] for r in map(json.loads, Path(labels).read_text("utf-8").splitlines())}
    counts, found, candidates, unlabelled = Counter(), Counter(), Counter(), []
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
                unlabelled.append({"id": r["id"], "grade": verdict.grade, "score": verdict.score, "title": r["title"],
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


def below(found, floors):
    """Lines that say which figure is under its floor."""
    told = []
    for name, floor in floors.items():
        value = found
        for part in name.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
        if value < floor:
            told.append(f"{name}: {value} is below its floor {floor}")
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*")
    parser.add_argument("--folds")
    parser.add_argument("--floors")
    parser.add_argument("--stream", nargs=3, metavar=("ARTICLES", "LABELS", "COUNTRY"))
    args = parser.parse_args()
    if args.stream:
        print(json.dumps(judge_stream(*args.stream), ensure_ascii=False, indent=1))
        return 0
    folds = {int(f) for f in args.folds.split(",")} if args.folds else None
    found = judge_gold(args.gold, folds)
    print(json.dumps(found, indent=1))
    if args.floors:
        told = below(found, json.loads(Path(args.floors).read_text("utf-8")).get("classify", {}))
        print(*told, sep="\n", file=sys.stderr)
        return int(bool(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
