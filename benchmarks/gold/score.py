#!/usr/bin/env python3
"""Score relevance, sectors and stories against the gold records (GUIDE.md says how they were labelled).

  score.py classify GOLD.jsonl... --predictions OUT.jsonl [--folds 3,4]   OUT: what `pakrus classify` prints for the records
  score.py stories  GOLD.jsonl... --db news.db [--near near_pairs.json]   news.db: after `pakrus ingest` of the records

Prints one JSON document. Standard library only.
"""

import argparse
import collections
import itertools
import json
import sqlite3
from pathlib import Path


def read_jsonl(paths):
    return [json.loads(line) for path in paths for line in Path(path).read_text("utf-8").splitlines() if line.strip()]


def prf(tp, fp, fn):
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(f1, 4),
        "tp": tp,
        "fp": fp,
        "fn": fn,
    }


def score_classify(gold, predictions):
    """Relevance (grade > 0), each grade, sectors (of records that are relevant by gold or by prediction)."""
    by_id = {p["id"]: p for p in predictions if "id" in p}
    out = {"records": len(gold), "unanswered": sum(g["id"] not in by_id for g in gold)}
    for language in ["all", *sorted({g["language"] for g in gold})]:
        rows = [
            (g, by_id.get(g["id"], {"grade": 0, "sectors": []})) for g in gold if language in ("all", g["language"])
        ]
        relevant = collections.Counter((g["grade"] > 0, p["grade"] > 0) for g, p in rows)
        grades = collections.Counter((g["grade"], p["grade"]) for g, p in rows)
        per_grade = {
            k: prf(
                grades[k, k],
                sum(grades[j, k] for j in range(3) if j != k),
                sum(grades[k, j] for j in range(3) if j != k),
            )
            for k in range(3)
        }
        per_sector = collections.defaultdict(collections.Counter)
        first_among = first_same = firsts = 0
        for g, p in rows:
            if g["grade"] == 0 and p["grade"] == 0:
                continue
            predicted = (
                [s["sector"] if isinstance(s, dict) else s for s in p.get("sectors", [])] if p["grade"] > 0 else []
            )
            for sector in (set(predicted) | set(g["sectors"])) - set(g["optional_sectors"]):
                kind = ("tp" if sector in g["sectors"] else "fp") if sector in predicted else "fn"
                per_sector[sector][kind] += 1
            if g["sectors"]:
                firsts += 1
                first_among += bool(predicted) and predicted[0] in g["sectors"]
                first_same += bool(predicted) and predicted[0] == g["sectors"][0]
        total = sum(per_sector.values(), collections.Counter())
        f1s = {s: prf(c["tp"], c["fp"], c["fn"]) for s, c in per_sector.items()}
        common = [f1s[s]["f1"] for s, c in per_sector.items() if c["tp"] + c["fn"] >= 3]
        out[language] = {
            "relevance": prf(relevant[True, True], relevant[False, True], relevant[True, False]),
            "grades": per_grade,
            "grade_macro_f1": round(sum(v["f1"] for v in per_grade.values()) / 3, 4),
            "grade_accuracy": round(sum(g["grade"] == p["grade"] for g, p in rows) / max(1, len(rows)), 4),
            "sectors_micro": prf(total["tp"], total["fp"], total["fn"]),
            "sectors_macro_f1": round(sum(common) / max(1, len(common)), 4),
            "first_sector_among": round(first_among / max(1, firsts), 4),
            "first_sector_same": round(first_same / max(1, firsts), 4),
        }
        if language == "all":
            out["sectors"] = {s: f1s[s] for s in sorted(f1s)}
            out["wrong"] = [
                {"id": g["id"], "gold": g["grade"], "got": p["grade"], "title": g["title"]}
                for g, p in rows
                if (g["grade"] > 0) != (p["grade"] > 0)
            ]
    return out


def stories_by_url(db):
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    story_of = {}
    for url, canonical, story in connection.execute("select url, canonical_url, story_id from articles"):
        story_of[url] = story_of[canonical] = story
    for url, story in connection.execute(
        "select e.url, a.story_id from entries e join articles a on a.id = e.article_id"
    ):
        story_of.setdefault(url, story)
    return story_of


def score_stories(gold, db, near=None):
    """Pairs of records of one event in one story, by language pair, and B-cubed over records.

    A relevant record that was not kept is a miss; an irrelevant one that was kept counts where it joins a wrong story.
    """
    story_of = stories_by_url(db)
    records = [g for g in gold if g["grade"] > 0 or story_of.get(g["url"]) is not None]
    event = {g["id"]: g["event"] or g["id"] for g in records}
    story = {
        g["id"]: story_of.get(g["url"]) if story_of.get(g["url"]) is not None else "none:" + g["id"] for g in records
    }
    counts = collections.defaultdict(collections.Counter)
    for a, b in itertools.combinations(records, 2):
        same_event, same_story = event[a["id"]] == event[b["id"]], story[a["id"]] == story[b["id"]]
        if not (same_event or same_story) or (same_event and 0 in (a["grade"], b["grade"])):
            continue
        kind = "tp" if same_event and same_story else "fp" if same_story else "fn"
        for key in (
            "all",
            "-".join(sorted((a["language"], b["language"]))),
            "same-language" if a["language"] == b["language"] else "cross-language",
        ):
            counts[key][kind] += 1
    of_event, of_story = collections.defaultdict(set), collections.defaultdict(set)
    for r in records:
        of_event[event[r["id"]]].add(r["id"])
        of_story[story[r["id"]]].add(r["id"])
    both = {r["id"]: len(of_event[event[r["id"]]] & of_story[story[r["id"]]]) for r in records}
    p = sum(both[r["id"]] / len(of_story[story[r["id"]]]) for r in records) / max(1, len(records))
    r_ = sum(both[r["id"]] / len(of_event[event[r["id"]]]) for r in records) / max(1, len(records))
    out = {
        "records": sum(g["grade"] > 0 for g in gold),
        "kept": sum(g["grade"] > 0 and g["url"] in story_of for g in gold),
        "b_cubed": {
            "precision": round(p, 4),
            "recall": round(r_, 4),
            "f1": round(2 * p * r_ / (p + r_), 4) if p + r_ else 0.0,
        },
        **{k: prf(c["tp"], c["fp"], c["fn"]) for k, c in sorted(counts.items())},
    }
    if near:
        members = collections.defaultdict(list)
        for r in records:
            members[r["id"]].append(r["id"])
            members[event[r["id"]]].append(r["id"])
        pairs = json.loads(Path(near).read_text("utf-8"))["pairs"]
        merged = [
            pair for pair in pairs if any(story[a] == story[b] for a in members[pair[0]] for b in members[pair[1]])
        ]
        out["near_pairs"] = {"pairs": sum(bool(members[a] and members[b]) for a, b in pairs), "merged": merged}
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    classify = commands.add_parser("classify")
    classify.add_argument("gold", nargs="+")
    classify.add_argument("--predictions", required=True)
    classify.add_argument("--folds", help="only these folds, e.g. 3,4")
    stories = commands.add_parser("stories")
    stories.add_argument("gold", nargs="+")
    stories.add_argument("--db", required=True)
    stories.add_argument("--near")
    args = parser.parse_args()
    gold = read_jsonl(args.gold)
    if args.command == "classify":
        folds = {int(f) for f in args.folds.split(",")} if args.folds else None
        result = score_classify(
            [g for g in gold if folds is None or g["fold"] in folds], read_jsonl([args.predictions])
        )
    else:
        result = score_stories(gold, args.db, args.near)
    print(json.dumps(result, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
