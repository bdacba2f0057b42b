"""Train the weights of relevance, grade and sectors; standard library, YAML and this package only.

    python benchmarks/train_relevance.py GOLD.jsonl... [--folds 0,1,2] [--cases tests/cases/judgement/*.jsonl]
        [--stream ARTICLES.jsonl.gz LABELS.jsonl COUNTRY] [--stream-sectors benchmarks/stream_sectors.jsonl]
        [--write crawler/classify/weights.json]

Prints cross-validated figures (each fold judged by weights that did not see it) and, with --write, stores weights
trained on all of it. A stream is a list of live articles with labels {"id", "grade"}: it teaches what records rich in
relevant articles cannot, how much looks alike and is not; and, where its sectors are given too, how many words of other
sectors an article holds (of grade 2: its opening, OPENING code points, which is what was read). Logistic regression by
projected gradient descent with an L2 penalty; the sign of a weight is fixed where its feature can only speak for or
only against. The weights in use: --stream-weight 2 --thresholds 0.4,0.29,0.43 --sector-penalty 0.0015
--sector-threshold 0.44, on folds 0, 1, 2, the judgement cases, the documents and one stream with its sectors.
"""

import argparse
import dataclasses
import gzip
import json
import math
import zlib
from collections import Counter
from pathlib import Path

import yaml

from crawler.classify import passages, relevance, sectors
from crawler.lexicon import load
from crawler.types import Text

OPENING = 1100  # code points
FOR = {
    "title_pair", "title_pair_clear", "title_pair_near", "title_with_context", "title_implied",
    "lead_pair", "lead_dealing", "lead_both", "pairs", "pairs_near", "pairs_alone", "clear_pair_alone", "contact_pairs",
    "contact_pairs_alone",
    "run_of_two", "bridges", "mutual", "four_parties", "pair_share", "neighbours", "implied_contact",
    "implied_at_home", "implied_names", "implied_few", "implied_link", "least_share", "short",
}  # fmt: skip
AGAINST = {
    "title_foreign", "title_forum", "title_war", "foreign_share", "rival_share", "forum_share", "lists",
    "pairs_parted", "pairs_with_three", "unnamed", "soviet", "rank", "war", "sport", "late", "long",
}  # fmt: skip
CORE_ALONE = {
    "late",
    "short",
    "long",
    "title_with_context",
}  # where a passage stands says how central it is, not whether it is one
SECTOR_FOR = {
    "title",
    "pair",
    "near",
    "far",
    "alone",
    "strong",
    "distinct",
    "share",
    "ratio",
    "top",
    "second",
    "spread",
}
SECTOR_AGAINST = {"weak", "outside", "title_other"}


def logistic(rows, signs_for, signs_against, penalty, steps=700):
    """rows: [(features, 0 or 1, weight)] -> {feature: weight, "bias": b}."""
    names = sorted({k for f, _, _ in rows for k in f})
    index = {k: i for i, k in enumerate(names)}
    sparse = [([(index[k], v) for k, v in f.items() if v], y, w) for f, y, w in rows]
    total = sum(w for _, _, w in rows)
    lip = max(sum(v * v for _, v in f) for f, _, _ in sparse) / 4 + 0.25 + penalty
    rate = 6.0 / lip
    theta, bias = [0.0] * len(names), 0.0
    ahead, ahead_bias = theta[:], bias
    floor = [0.0 if k in signs_for else -math.inf for k in names]
    roof = [0.0 if k in signs_against else math.inf for k in names]
    for step in range(steps):
        gradient, gradient_bias = [penalty * t for t in ahead], 0.0
        for f, y, w in sparse:
            z = ahead_bias + sum(ahead[i] * v for i, v in f)
            error = (1 / (1 + math.exp(-max(-30, min(30, z)))) - y) * w / total
            gradient_bias += error
            for i, v in f:
                gradient[i] += error * v
        momentum = step / (step + 3)
        new = [min(roof[i], max(floor[i], a - rate * g)) for i, (a, g) in enumerate(zip(ahead, gradient, strict=True))]
        new_bias = ahead_bias - rate * gradient_bias
        ahead = [n + momentum * (n - t) for n, t in zip(new, theta, strict=True)]
        ahead_bias = new_bias + momentum * (new_bias - bias)
        theta, bias = new, new_bias
    return {"bias": round(bias, 4), **{k: round(t, 4) for k, t in zip(names, theta, strict=True) if abs(t) >= 0.005}}


def chance(table, values):
    z = table["bias"] + sum(table.get(k, 0.0) * v for k, v in values.items())
    return 1 / (1 + math.exp(-max(-30, min(30, z))))


class Record:
    def __init__(self, raw, found, weight, fold, gold, origin="stream"):
        self.origin = "gold" if gold else origin
        self.id, self.grade, self.weight, self.fold, self.gold = raw["id"], raw["grade"], weight, fold, gold
        self.sectors = raw.get("sectors", [])
        self.optional = set(raw.get("optional_sectors", []))
        self.language = raw.get("language", "en")
        self.home = found.home
        self.values = relevance.features(found) if found.sentences else {}
        self.tallies = {g: sectors.tally(found, g) for g in (1, 2)} if "sectors" in raw else {}

    def read_sectors(self, raw, text, lexicon):
        """Sectors of a live article: of grade 2 by its opening, of grade 1 by all of it."""
        self.sectors, self.optional = raw["sectors"], set(raw["optional_sectors"])
        opening = text.text
        if self.grade == 2 and len(opening) > OPENING:
            opening = opening[:OPENING].rsplit(". ", 1)[0] + "."
        found = passages.read(dataclasses.replace(text, text=opening), lexicon)
        self.tallies = {g: sectors.tally(found, g) for g in (1, 2)}


def train_relevance(records, penalty):
    judged = [r for r in records if r.values]
    rows = [({k: v for k, v in r.values.items() if k not in CORE_ALONE}, int(r.grade > 0), r.weight) for r in judged]
    relevant = logistic(rows, FOR, AGAINST, penalty)
    positive = [r for r in judged if r.grade > 0]
    core = logistic([(r.values, int(r.grade == 2), r.weight) for r in positive], FOR - {"late"}, AGAINST, penalty)
    return relevant, core


def train_sectors(records, penalty):
    rows = []
    for r in records:
        if r.tallies and r.grade > 0:
            for s, values in sectors.features(r.tallies[r.grade], r.grade).items():
                if s not in r.optional:
                    row = {f"{k}>{s}" if k.startswith("beside:") else k: v for k, v in values.items()}
                    rows.append(({**row, "prior:" + s: 1.0}, int(s in r.sectors), 1.0))
    table = logistic(rows, SECTOR_FOR, SECTOR_AGAINST, penalty)
    prior = {k[6:]: table.pop(k) for k in list(table) if k.startswith("prior:")}
    beside = {}
    for key in [k for k in table if k.startswith("beside:")]:
        first, second = key[7:].split(">")
        beside.setdefault(first, {})[second] = table.pop(key)
    return {**table, "prior": prior, "beside": beside}


def f1(tp, fp, fn):
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def best_threshold(pairs, beta_precision=1.0):
    """The threshold with the best F1, false positives weighing beta_precision."""
    options = sorted({round(c, 2) for c, _, _ in pairs if c > 0})

    def value(t):
        tp = sum(w for c, y, w in pairs if y and c >= t)
        fp = sum(w for c, y, w in pairs if not y and c >= t)
        fn = sum(w for c, y, w in pairs if y and c < t)
        return f1(tp, fp * beta_precision, fn)

    return max(options, key=value)


def report(records, graded):
    for language in ("all", "en", "ru", "ur", "stream", "cases", "documents", "held"):
        rows = [(r, g) for r, g in graded if (r.gold and language in ("all", r.language)) or language == r.origin]
        if not rows:
            continue
        c = Counter((r.grade > 0, g > 0) for r, g in rows)
        grades = [
            f1(
                sum(r.grade == k == g for r, g in rows),
                sum(g == k != r.grade for r, g in rows),
                sum(r.grade == k != g for r, g in rows),
            )
            for k in range(3)
        ]
        p = c[True, True] / max(1, c[True, True] + c[False, True])
        rec = c[True, True] / max(1, c[True, True] + c[True, False])
        print(
            f"{language:7} n={len(rows):4} P={p:.3f} R={rec:.3f} "
            f"F1={f1(c[True, True], c[False, True], c[True, False]):.3f} "
            f"grades F1={' '.join(f'{g:.3f}' for g in grades)} macro={sum(grades) / 3:.3f}"
        )


def report_sectors(name, graded, verbose):
    per, first = {}, [0, 0]
    for r, g, scores, threshold in graded:
        if r.grade == 0 and g == 0:
            continue
        order = sorted(scores, key=lambda s: -scores[s])
        got = [s for s in order if scores[s] >= threshold] or order[:1] if g else []
        if r.sectors:
            first[1] += 1
            first[0] += bool(got) and got[0] in r.sectors
        for s in (set(got) | set(r.sectors)) - r.optional:
            kind = ("tp" if s in r.sectors else "fp") if s in got else "fn"
            per.setdefault(s, Counter())[kind] += 1
            if verbose and kind != "tp":
                print(" ", r.id, r.grade, g, kind, s, round(scores.get(s, 0), 2), "gold", r.sectors, "got", got)
    total = sum(per.values(), Counter())
    macro = [f1(c["tp"], c["fp"], c["fn"]) for c in per.values() if c["tp"] + c["fn"] >= 3]
    print(
        f"sectors of {name}: micro={f1(total['tp'], total['fp'], total['fn']):.3f} "
        f"macro={sum(macro) / max(1, len(macro)):.3f} "
        f"first={first[0] / max(1, first[1]):.3f}",
        " ".join(f"{s}:{f1(c['tp'], c['fp'], c['fn']):.2f}" for s, c in sorted(per.items())),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+")
    parser.add_argument("--folds", default="0,1,2")
    parser.add_argument("--stream", nargs=3, action="append", default=[], metavar=("ARTICLES", "LABELS", "COUNTRY"))
    parser.add_argument(
        "--stream-sectors", help="JSON Lines {id, sectors, optional_sectors} for articles of the stream"
    )
    parser.add_argument("--cases", nargs="*", default=[], help="files of tests/cases/judgement")
    parser.add_argument("--documents", nargs="*", default=[], help="files of tests/cases/documents")
    parser.add_argument("--held", action="store_true", help="report the documents that are held out")
    parser.add_argument("--case-weight", type=float, default=0.5)
    parser.add_argument("--document-weight", type=float, default=0.25, help="in relevance and grade: they are easy")
    parser.add_argument("--stream-weight", type=float, default=1.0)
    parser.add_argument("--penalty", type=float, default=0.004)
    parser.add_argument("--sector-penalty", type=float, default=0.001)
    parser.add_argument(
        "--caution", type=float, default=1.0, help="how much a false keep weighs when thresholds are set"
    )
    parser.add_argument("--thresholds", help="relevant,home,core instead of those that fit best")
    parser.add_argument(
        "--sector-threshold", type=float, help="instead of the one that fits best: on other texts the terms tag more"
    )
    parser.add_argument("--grid", action="store_true", help="print figures over thresholds")
    parser.add_argument("--write")
    parser.add_argument("--wrong", action="store_true", help="print each wrong grade")
    parser.add_argument("--wrong-sectors", action="store_true")
    args = parser.parse_args()
    folds = [int(f) for f in args.folds.split(",")]
    lexicon = load()
    records = []
    for path in args.gold:
        for line in Path(path).read_text("utf-8").splitlines():
            raw = json.loads(line)
            if raw["fold"] in folds:
                text = Text(title=raw["title"] or "", text=raw["text"], language=raw["language"], url=raw["url"])
                records.append(Record(raw, passages.read(text, lexicon), 1.0, raw["fold"], True))
    for path in args.cases:
        for number, line in enumerate(Path(path).read_text("utf-8").splitlines()):
            raw = json.loads(line)
            grades = raw["expect"].get("grade", [])
            if len(grades) == 1:
                text = Text(
                    title=raw["title"], text=raw["text"], language=raw["language"], country=raw.get("country") or ""
                )
                raw.update(id=raw["language"] + ":" + raw["name"], grade=grades[0])
                records.append(
                    Record(
                        raw, passages.read(text, lexicon), args.case_weight, folds[number % len(folds)], False, "cases"
                    )
                )
    held = []
    for path in args.documents:
        for number, raw in enumerate(yaml.safe_load(Path(path).read_text("utf-8"))):
            language = Path(path).stem
            text = Text(title=raw["title"], text=raw["text"], language=language, country=raw.get("country") or "")
            raw.update(id=f"{language}:{raw['name']}", language=language, optional_sectors=raw.get("optional", []))
            kind = "held" if raw.get("held") else "documents"
            record = Record(
                raw, passages.read(text, lexicon), args.document_weight, folds[number % len(folds)], False, kind
            )
            (held if raw.get("held") else records).append(record)
    known = {}
    if args.stream_sectors:
        known = {r["id"]: r for r in map(json.loads, Path(args.stream_sectors).read_text("utf-8").splitlines())}
    for articles, labels, country in args.stream:
        grades = {}
        for line in Path(labels).read_text("utf-8").splitlines():
            raw = json.loads(line)
            grades[raw["id"]] = raw["grade"]
        with gzip.open(articles, "rt", encoding="utf-8") as lines:
            for line in lines:
                raw = json.loads(line)
                if raw["id"] in grades:
                    raw["grade"] = grades[raw["id"]]
                    text = Text(title=raw["title"] or "", text=raw["text"] or "", language="en", country=country)
                    fold = folds[zlib.crc32(raw["id"].encode()) % len(folds)]
                    record = Record(raw, passages.read(text, lexicon), args.stream_weight, fold, False)
                    if raw["id"] in known and raw["grade"]:
                        record.read_sectors(known[raw["id"]], text, lexicon)
                    records.append(record)
    print(
        len(records),
        "records,",
        sum(not r.values and r.grade > 0 for r in records),
        "relevant ones without both sides:",
        [r.id for r in records if not r.values and r.grade > 0],
    )

    chances, spots = {}, {}
    for fold in folds:
        seen = [r for r in records if r.fold != fold]
        relevant, core = train_relevance(seen, args.penalty)
        table = train_sectors(seen, args.sector_penalty)
        for r in records:
            if r.fold == fold:
                chances[r.id] = (chance(relevant, r.values), chance(core, r.values)) if r.values else (0.0, 0.0)
                if r.tallies:
                    spots[r.id] = {g: sectors.chances(r.tallies[g], g, table) for g in (1, 2)}
    t_relevant, t_home, t_core, t_sector = thresholds(records, chances, spots, args.caution)
    t_sector = args.sector_threshold or t_sector
    if args.thresholds:
        t_relevant, t_home, t_core = (float(t) for t in args.thresholds.split(","))
    if args.grid:
        for t in (0.3, 0.4, 0.5, 0.6):
            print(
                t,
                {o: round(relevance_f1(records, chances, o, t), 3) for o in ("gold", "stream", "cases")},
                {c: [round(x, 3) for x in core_f1(records, chances, t, c)] for c in (0.4, 0.5, 0.55, 0.6, 0.7)},
            )
    print("thresholds", t_relevant, t_home, t_core, t_sector)
    graded = [(r, grade_of(chances[r.id], t_home if r.home else t_relevant, t_core)) for r in records]
    if args.wrong:
        for r, g in graded:
            if r.grade != g:
                print("  ", r.id, "gold", r.grade, "got", g, "relevant {:.2f} core {:.2f}".format(*chances[r.id]))
    report(records, graded)
    for name in ("gold", "documents", "stream"):
        rows = [(r, g, spots[r.id][g or 1], t_sector) for r, g in graded if r.origin == name and r.tallies]
        if rows:
            report_sectors(name, rows, args.wrong_sectors)
    if args.held or args.write:
        relevant, core = train_relevance(records, args.penalty)
        table = train_sectors(records, args.sector_penalty)
    if args.held:
        rows = [(r, grade_of((chance(relevant, r.values), chance(core, r.values)), t_relevant, t_core)) for r in held]
        report([r for r, _ in rows], rows)
        report_sectors(
            "held", [(r, g, sectors.chances(r.tallies[g or 1], g or 1, table), t_sector) for r, g in rows], False
        )
    if args.write:
        whole = {
            "relevant": relevant,
            "core": core,
            "sectors": {**table, "threshold": t_sector},
            "thresholds": {"relevant": t_relevant, "home": t_home, "core": t_core},
        }
        Path(args.write).write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", "utf-8")


def relevance_f1(records, chances, origin, t):
    rows = [(r.grade > 0, chances[r.id][0] >= t) for r in records if r.origin == origin]
    return f1(rows.count((True, True)), rows.count((False, True)), rows.count((True, False)))


def core_f1(records, chances, t, c):
    """Grade 1 and grade 2 F1 over the gold records."""
    rows = [(r.grade, grade_of(chances[r.id], t, c)) for r in records if r.gold]
    return [
        f1(sum(a == b == k for a, b in rows), sum(b == k != a for a, b in rows), sum(a == k != b for a, b in rows))
        for k in (1, 2)
    ]


def grade_of(chances, t_relevant, t_core):
    return 0 if chances[0] < t_relevant else 2 if chances[1] >= t_core else 1


def thresholds(records, chances, spots, caution):
    """From the chances that weights gave which had not seen the record."""
    t_relevant, t_home = (
        best_threshold(
            [(chances[r.id][0], r.grade > 0, 1.0) for r in records if r.origin != "cases" and r.home is home], caution
        )
        for home in (False, True)
    )
    kept = [(chances[r.id][1], r.grade == 2) for r in records if r.grade > 0 and r.values]

    def both(t):
        tp, fp = sum(c >= t and y for c, y in kept), sum(c >= t and not y for c, y in kept)
        fn, tn = sum(c < t and y for c, y in kept), sum(c < t and not y for c, y in kept)
        return f1(tp, fp, fn) + f1(tn, fn, fp)

    t_core = max(sorted({round(c, 2) for c, _ in kept}), key=both)
    pairs = [
        (spots[r.id][r.grade].get(s, -1.0), s in r.sectors, 1.0)
        for r in records
        if r.tallies and r.grade > 0
        for s in set(spots[r.id][r.grade]) | set(r.sectors)
        if s not in r.optional
    ]
    return t_relevant, t_home, t_core, best_threshold(pairs) if pairs else 0.5


if __name__ == "__main__":
    main()
