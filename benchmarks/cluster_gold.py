#!/usr/bin/env python3
"""Stories against the gold records: pairs by language, B-cubed, near pairs; crowded months; shuffles through the store.

    python benchmarks/cluster_gold.py GOLD.jsonl... [--near near_pairs.json] [--folds 0,1,2] [--dense DAYS]
                                      [--layouts 10] [--shuffles 10] [--common FILE] [--fit]

Counts as score.py of the gold records does after `pakrus ingest`, without a database. --dense shifts every event to a
random day of so many, as if all of it were one busy month, and gives the mean over so many layouts: a harder test than
the real dates, which lie years apart. --shuffles ingests the records into a database in their own order, in random
orders and in orders that are random within a day, and compares the stories. --common writes
crawler/cluster/common.txt anew; --fit prints the log-odds of each summand of `same_event`, which the points of
crawler/cluster/stories.py were rounded from (pairs of different events count as if they were days apart).
"""

import argparse
import importlib.util
import io
import itertools
import json
import math
import random
import sys
import tempfile
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

from crawler import cluster, lexicon
from crawler.app import App
from crawler.classify import classify
from crawler.cluster.stories import _shared
from crawler.config import packaged_config, read_config
from crawler.stream import ingest_lines
from crawler.types import Text
from store.connection import open_store

EVERY = 8
WEEK = timedelta(days=7)
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    id: str
    event: str
    language: str
    grade: int
    kept: bool
    profile: cluster.Profile


def read(paths: Iterable[Path], folds: set[int]) -> list[Record]:
    known = lexicon.load()
    records = []
    for line in itertools.chain.from_iterable(path.read_text("utf-8").splitlines() for path in paths):
        row = json.loads(line)
        if row["fold"] not in folds:
            continue
        published = datetime.fromisoformat(row["published"]) if row["published"] else None
        if published and not published.tzinfo:
            published = published.replace(tzinfo=UTC)
        verdict = classify(
            Text(title=row["title"], text=row["text"], language=row["language"], url=row["url"], published=published),
            known,
        )
        profile = cluster.profile(
            title=row["title"],
            text=row["text"],
            language=row["language"],
            published=published,
            first_seen=published or START,
            classification=verdict,
            lexicon=known,
        )
        records.append(
            Record(
                id=row["id"],
                event=row["event"] or row["id"],
                language=row["language"],
                grade=row["grade"],
                kept=verdict.grade > 0,
                profile=profile,
            )
        )
    return records


def stories(records: Sequence[Record]) -> dict[int, str]:
    """The story of each record's place in `records`; of records that were not kept a story of its own."""
    kept = {n: r.profile for n, r in enumerate(records) if r.kept}
    days = sorted(p.at.date() for p in kept.values())
    busy = {n: bisect_right(days, p.at.date()) - bisect_left(days, p.at.date() - WEEK) for n, p in kept.items()}
    index: dict[str, set[int]] = defaultdict(set)
    links: dict[int, set[int]] = defaultdict(set)
    for n, profile in kept.items():
        keys = cluster.keys(profile)
        for other in set().union(*(index[key] for key in keys)):
            verdict = cluster.likeness(profile, kept[other])
            if verdict is not None and verdict >= cluster.crowding(max(busy[n], busy[other])):
                links[n].add(other)
                links[other].add(n)
        for key in keys:
            index[key].add(n)
    story: dict[int, str] = {n: f"none:{n}" for n in range(len(records)) if n not in kept}
    for n in kept:
        if n in story:
            continue
        hang, queue = {n}, [n]
        while queue:
            more = links[queue.pop()] - hang
            hang |= more
            queue += more
        for part in cluster.partition({m: kept[m] for m in hang}, busy=busy):
            story.update(dict.fromkeys(part, str(min(part))))
    return story


def in_the_store(lines: Sequence[str], near: Path | None) -> tuple[frozenset[str], dict[str, Any]]:
    """The stories (their URLs) and the figures of score.py after `pakrus ingest` of records in this order."""
    spec = importlib.util.spec_from_file_location("score", Path(__file__).parent / "gold" / "score.py")
    assert spec is not None
    assert spec.loader is not None
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gold.db"
        with open_store(path, mode="write") as store:
            app = App(
                read_config(packaged_config(), Path(folder)), store, clock=lambda: datetime(2026, 11, 25, tzinfo=UTC)
            )
            for _ in ingest_lines(io.BytesIO("\n".join(lines).encode()), app):
                pass
            rows = store.connection.execute(
                "SELECT group_concat(url, ' ') FROM (SELECT url, story_id FROM articles ORDER BY url) GROUP BY story_id"
            )
            parts = frozenset(row[0] for row in rows)
        found = scorer.score_stories([json.loads(line) for line in lines], path, near)
    names = ("all", "same-language", "cross-language", "b_cubed")
    return parts, {
        **{name: {k: found[name][k] for k in ("precision", "recall", "f1")} for name in names if name in found},
        "near pairs merged": found.get("near_pairs", {}).get("merged", []),
    }


def shuffles(paths: Iterable[Path], folds: set[int], near: Path | None, count: int) -> dict[str, Any]:
    """The records in their own order, in `count` random ones, and in `count` that are random within a day."""
    lines = [line for path in paths for line in path.read_text("utf-8").splitlines() if line.strip()]
    lines = [line for line in lines if json.loads(line)["fold"] in folds]
    first, figures = in_the_store(lines, near)
    out: dict[str, Any] = {"own order": figures}
    for name in ("random", "random within a day"):
        f1s, same = [figures["all"]["f1"]], 0
        for seed in range(1, count + 1):
            rng = random.Random(seed)
            order = {line: rng.random() for line in lines}
            by_day = name != "random"
            arranged = sorted(lines, key=lambda x: (str(json.loads(x)["published"]) if by_day else "", order[x]))
            parts, shuffled = in_the_store(arranged, near)
            same += parts == first
            f1s.append(shuffled["all"]["f1"])
        out[name] = {"orders": count, "same stories": same, "pair f1, lowest": min(f1s), "highest": max(f1s)}
    return out


def ratios(counts: Counter[str]) -> dict[str, float]:
    precision = counts["tp"] / max(1, counts["tp"] + counts["fp"])
    recall = counts["tp"] / max(1, counts["tp"] + counts["fn"])
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4), **counts}


def score(records: Sequence[Record], story: dict[int, str], near: Sequence[Sequence[str]]) -> dict[str, Any]:
    counted = [n for n, r in enumerate(records) if r.grade > 0 or r.kept]
    pairs: dict[str, Counter[str]] = defaultdict(Counter)
    for a, b in itertools.combinations(counted, 2):
        one, other = records[a], records[b]
        same_event, same_story = one.event == other.event, story[a] == story[b]
        if not (same_event or same_story) or (same_event and 0 in (one.grade, other.grade)):
            continue
        kind = "tp" if same_event and same_story else "fp" if same_story else "fn"
        same = "same language" if one.language == other.language else "across languages"
        for key in ("all", same, "-".join(sorted((one.language, other.language)))):
            pairs[key][kind] += 1
    events, groups = defaultdict(set), defaultdict(set)
    for n in counted:
        events[records[n].event].add(n)
        groups[story[n]].add(n)
    both = {n: len(events[records[n].event] & groups[story[n]]) for n in counted}
    precision = sum(both[n] / len(groups[story[n]]) for n in counted) / max(1, len(counted))
    recall = sum(both[n] / len(events[records[n].event]) for n in counted) / max(1, len(counted))
    named: dict[str, set[str]] = defaultdict(set)
    for n in counted:
        named[records[n].id].add(story[n])
        named[records[n].event].add(story[n])
    return {
        "records": len(counted),
        "b_cubed": {
            "precision": round(precision, 4),
            "recall": round(recall, 4),
            "f1": round(2 * precision * recall / (precision + recall), 4) if precision + recall else 0.0,
        },
        "pairs": {key: ratios(pairs[key]) for key in sorted(pairs)},
        "near pairs merged": [pair for pair in near if named[pair[0]] & named[pair[1]]],
    }


def crowded(records: Sequence[Record], days: int, rng: random.Random) -> list[Record]:
    """The same records with every event moved to a random day of so many."""
    first: dict[str, datetime] = {}
    for r in records:
        first[r.event] = min(first.get(r.event, r.profile.at), r.profile.at)
    moved = {event: START + timedelta(days=rng.random() * days) - at for event, at in sorted(first.items())}
    out = []
    for r in records:
        shift = timedelta(days=round(moved[r.event] / timedelta(days=1)))
        named = frozenset((date.fromisoformat(day) + shift).isoformat() for day in r.profile.days)
        out.append(replace(r, profile=replace(r.profile, at=r.profile.at + moved[r.event], days=named)))
    return out


def common(records: Sequence[Record]) -> str:
    """The text of common.txt: the shares of words, names and concepts that are not rare."""
    held: dict[str, Counter[str]] = defaultdict(Counter)
    of: Counter[str] = Counter()
    for r in records:
        profile = r.profile
        sets = ((r.language, profile.words), ("name", profile.names), ("concept", profile.concepts))
        for group, members in sets:
            of[group] += 1
            held[group].update(members)
    out = [
        "# How many of 100 articles on this beat hold a word, a name or a concept; what is missing here is rare.",
        "# Made by benchmarks/cluster_gold.py --common from the gold records; a line: group share what ...",
    ]
    for group in ("en", "ru", "ur", "name", "concept"):
        by_share: dict[int, list[str]] = defaultdict(list)
        for what, count in held[group].items():
            share = round(100 * count / of[group])
            if count >= 3 and share >= 3:
                by_share[share].append(what)
        out += [f"{group} {share} {' '.join(sorted(by_share[share]))}" for share in sorted(by_share, reverse=True)]
    return "\n".join(out) + "\n"


def fit(records: Sequence[Record], rng: random.Random) -> dict[str, dict[str, float]]:
    """Logistic regression by gradient descent, each summand scaled to a spread of one, L2 = 4.

    Of the pairs of different events one in EVERY is taken and counts EVERY times.
    """
    out = {}
    for across in (False, True):
        rows: list[tuple[list[float], float, float]] = []
        for a, b in itertools.combinations(records, 2):
            if (a.language != b.language) != across or (a.event != b.event and rng.randrange(EVERY)):
                continue
            shared = _shared(a.profile, b.profile)
            if a.event != b.event:
                shared["days apart"] = rng.choice((0.0, 0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 5.0))
            wanted = float(a.event == b.event)
            rows.append((list(shared.values()), wanted, 1.0 if wanted else float(EVERY)))
        width, total = len(rows[0][0]), sum(weight for _, _, weight in rows)
        spread = [max(1e-6, math.sqrt(sum(r[0][i] ** 2 * r[2] for r in rows) / total)) for i in range(width)]
        scaled = [([v / s for v, s in zip(r[0], spread, strict=True)], r[1], r[2]) for r in rows]
        weights, bias = [0.0] * width, -4.0
        for _ in range(1500):
            gradient, slope = [4.0 * w for w in weights], 0.0
            for values, wanted, weight in scaled:
                z = bias + sum(w * v for w, v in zip(weights, values, strict=True) if v)
                error = weight * (1 / (1 + math.exp(-max(-30.0, min(30.0, z)))) - wanted)
                slope += error
                for i, v in enumerate(values):
                    if v:
                        gradient[i] += error * v
            weights = [w - 0.5 * g / total for w, g in zip(weights, gradient, strict=True)]
            bias -= 0.5 * slope / total
        names = list(_shared(records[0].profile, records[1].profile))
        out["across languages" if across else "same language"] = {
            **{n: round(w / s, 2) for n, w, s in zip(names, weights, spread, strict=True)},
            "bias": round(bias, 2),
        }
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+", type=Path)
    parser.add_argument("--near", type=Path)
    parser.add_argument("--folds", default="0,1,2")
    parser.add_argument("--shuffles", type=int, default=0)
    parser.add_argument("--dense", type=int)
    parser.add_argument("--layouts", type=int, default=10)
    parser.add_argument("--common", type=Path)
    parser.add_argument("--fit", action="store_true")
    args = parser.parse_args()
    records = read(args.gold, {int(fold) for fold in args.folds.split(",")})
    if args.common:
        args.common.write_text(common(records), encoding="utf-8")
        return
    if args.fit:
        json.dump(fit(records, random.Random(0)), sys.stdout, indent=1)
        return
    near = json.loads(args.near.read_text("utf-8"))["pairs"] if args.near else []
    result = score(records, stories(records), near)
    if args.dense:
        layouts = [crowded(records, args.dense, random.Random(seed)) for seed in range(args.layouts)]
        found = [score(layout, stories(layout), []) for layout in layouts]
        result = {
            name: {k: round(mean(f["pairs"][name][k] for f in found), 4) for k in ("precision", "recall")}
            for name in ("all", "same language", "across languages")
        } | {"b_cubed f1": round(mean(f["b_cubed"]["f1"] for f in found), 4), "layouts": args.layouts}
    if args.shuffles:
        folds = {int(fold) for fold in args.folds.split(",")}
        result["shuffled"] = shuffles(args.gold, folds, args.near, args.shuffles)
    json.dump(result, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
