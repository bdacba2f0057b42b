#!/usr/bin/env python3
"""Near-copies: recall on perturbations of real articles, precision against articles on the same subject and on real
pairs that a person read and labelled.

    python benchmarks/cluster_copies.py CORPORA [--texts 150]

CORPORA is the folder of test corpora (not part of the project): stream_en_dawn_app_2025, stream_ru_telegram_2024,
stream_ur_express_bbc_ary_2025, topics_ur_umer and dup_and_topics_tgcontest are read. copy_pairs.tsv names the labelled
pairs: the rules were drawn from the `first` set; of the articles of the `second` none had been seen before; the `third`
is what equal sentences find in Urdu. Labels: copy; template (one form filled in again), update (a later stage of the
affair), part (of a longer article), different; between (rewritten or extended so much that a reader may decide either
way), which get two further labels without a look at the verdict: by the share of sentences (`of_one_text`, the
definition in docs/stories.md), and by a reader of the changes in the beginning (120 to 300 words). Prints one JSON
document.
"""

import argparse
import csv
import gzip
import itertools
import json
import random
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from crawler.cluster import Candidate, compare, copy_of, fingerprint
from crawler.text import sentences, words

DAY = datetime(2025, 6, 1, tzinfo=UTC)
COPIES = ("edit 10 %", "edit 20 %", "edit 30 %", "half", "boilerplate", "new lead")


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def texts(corpora: Path) -> dict[str, list[str]]:
    english = [a["text"] for a in lines(corpora / "stream_en_dawn_app_2025/articles.jsonl.gz")]
    urdu = [a["article"] for a in lines(corpora / "stream_ur_express_bbc_ary_2025/articles.jsonl.gz")]
    russian = [m["text"] for m in lines(corpora / "stream_ru_telegram_2024/messages.jsonl.gz")]
    csv.field_size_limit(10**9)
    with (corpora / "dup_and_topics_tgcontest/clustering_pairs/ru_train_pool.tsv").open(encoding="utf-8") as stream:
        russian += [r["INPUT:first_text"] for r in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)]
    by_language = {"en": english, "ru": russian, "ur": urdu}
    return {
        language: list(dict.fromkeys(t for t in found if 60 <= len(t.split()) <= 1500 and "http" not in t))
        for language, found in by_language.items()
    }


def perturbed(kind: str, text: str, others: list[str], rng: random.Random) -> str:
    words = text.split()
    other = rng.choice(others).split()
    if kind.startswith("edit"):
        share, vocabulary, out = int(kind.split()[1]) / 100, rng.choice(others).split() + other, []
        for word in words:
            change = rng.random()
            if change < share * 0.6:
                out.append(rng.choice(vocabulary))
            elif change < share * 0.8:
                continue
            else:
                out += [word, rng.choice(vocabulary)] if change < share else [word]
        return " ".join(out)
    if kind == "half":
        return " ".join(words[: len(words) // 2])
    if kind == "boilerplate":
        added = other[: max(25, len(words) // 5)]
        return " ".join(rng.choice(([*words, *added], [*added, *words])))
    if kind == "new lead":
        cut = max(15, len(words) // 6)
        return " ".join([*other[:cut], *words[cut:]])
    own: list[str] = []  # "contained": a longer article of half as much again around the wire
    while len(own) < 1.5 * len(words):
        own += rng.choice(others).split()
    own = own[: int(1.5 * len(words))]
    return " ".join([*own[: len(own) // 2], *words, *own[len(own) // 2 :]])


def judged(new: str, old: str, *, days: float = 0.5) -> bool:
    sample, stored = fingerprint(new), fingerprint(old)
    shared = len(set(sample) & set(stored))
    candidate = Candidate(article_id=1, shared=shared, size=len(stored), at=DAY)
    return copy_of(sample, [candidate], text=new, at=DAY + timedelta(days=days), text_of=lambda _: old) == 1


def perturbations(by_language: dict[str, list[str]], count: int) -> dict[str, Any]:
    rng = random.Random(5)
    hits: dict[str, Counter[str]] = defaultdict(Counter)
    for language, found in by_language.items():
        chosen = rng.sample(found, min(count, len(found)))
        for text in chosen:
            for kind in (*COPIES, "contained"):
                changed = perturbed(kind, text, found, rng)
                for name, verdict in (("", judged(changed, text)), (", original second", judged(text, changed))):
                    hits[language][f"{kind}{name}"] += verdict
        hits[language]["texts"] = len(chosen)
    out: dict[str, Any] = {}
    for language, counted in hits.items():
        size = counted["texts"]
        out[language] = {k: round(v / size, 4) for k, v in sorted(counted.items()) if k != "texts"}
        out[language]["recall, all copies"] = round(
            sum(v for k, v in counted.items() if k.split(",")[0] in COPIES) / (2 * len(COPIES) * size), 4
        )
        out[language]["unrelated"] = unrelated(by_language[language], rng)
    return out


def unrelated(found: list[str], rng: random.Random) -> dict[str, int]:
    """Pairs of different articles that share shingles, the likest first: how many are called copies a day apart?

    The stream has real copies too, so what shares more than half of its words is left out of this count.
    """
    chosen = rng.sample(found, min(6000, len(found)))
    index: dict[int, list[int]] = defaultdict(list)
    for number, text in enumerate(chosen):
        for hash_ in fingerprint(text):
            index[hash_].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in index.values():
        if len(numbers) <= 50:
            shared.update(itertools.combinations(numbers, 2))
    pairs = called = 0
    for (a, b), _ in shared.most_common(4000):
        overlap = compare(chosen[a], chosen[b])
        if min(overlap.words_of_new, overlap.words_of_old) > 0.5 or max(overlap.of_new, overlap.of_old) > 0.5:
            continue
        pairs += 1
        called += overlap.is_copy(days=0.5)
    return {"pairs": pairs, "called copies": called}


def of_one_text(a: str, b: str) -> bool:
    """Whether two texts are copies by the count of sentences: docs/stories.md says what it is.

    A sentence stands in another text when more than half of its words do, in this order, in two sentences in a row.
    """
    one, other = sorted((_sentences(a), _sentences(b)), key=lambda found: sum(map(len, found)))
    return _standing(one, other) >= 0.6 and _standing(other, one) >= 0.4


def _sentences(text: str) -> list[list[str]]:
    tokens = [words(text[start:end]) for start, end in sentences(text[:6_000])]
    return [found for found in tokens if len(found) >= 3]


def _standing(one: list[list[str]], other: list[list[str]]) -> float:
    """The share of the words of a text that are in sentences which stand in another."""
    pairs = [[*first, *second] for first, second in zip(other, [*other[1:], []], strict=True)]
    held = [s for s in one if max((_in_order(s, pair) for pair in pairs), default=0) >= 0.5 * len(s)]
    return sum(map(len, held)) / max(1, sum(map(len, one)))


def _in_order(a: list[str], b: list[str]) -> int:
    """How many words two lists have in common in one order: the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for word in a if 2 * len(set(a) & set(b)) >= 0.8 * len(set(a)) else ():
        above = row
        row = [0]
        for at, match in enumerate(b):
            row.append(above[at] + 1 if match == word else max(above[at + 1], row[-1]))
    return row[-1]


def dawn_and_app(corpora: Path) -> list[dict[str, Any]]:
    folder = corpora / "stream_en_dawn_app_2025"
    articles = {a["id"]: a for a in lines(folder / "articles.jsonl.gz")}
    out = []
    for line in (folder / "same_event_pkru_provisional.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        for a, b in itertools.combinations(row["ids"], 2):
            overlap = compare(articles[b]["text"], articles[a]["text"])
            shares = {k: round(getattr(overlap, k), 2) for k in ("of_new", "of_old", "words_of_new", "words_of_old")}
            out.append({"event": row["event"], **shares, "copy": overlap.is_copy(days=0.5)})
    return out


def labelled(corpora: Path) -> dict[str, Any]:
    """The verdicts on real pairs by set, language, and whether one newsroom wrote both."""
    known: dict[str, tuple[str, str, datetime | None, str]] = {}  # article -> language, newsroom, time, text
    for a in lines(corpora / "stream_en_dawn_app_2025/articles.jsonl.gz"):
        known[f"en:{a['id']}"] = ("en", a["source"], moment(a["date"]) or moment(a["date_list"]), a["text"])
    for m in lines(corpora / "stream_ru_telegram_2024/messages.jsonl.gz"):
        known[f"ru:{m['sender_id']}/{m['message_id']}"] = ("ru", m["channel"], moment(m["date"]), m["text"])
    for a in lines(corpora / "stream_ur_express_bbc_ary_2025/articles.jsonl.gz"):
        at = moment(a["published_date"]) or moment(a["first_seen"])
        known[f"ur:{a['guid']}"] = ("ur", a["source"], at, a["article"])
    for a in lines(corpora / "topics_ur_umer/articles.jsonl.gz"):
        known[f"ur-topics:{a['id']}"] = ("ur", "umer", None, a["content"])
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    agreed: Counter[str] = Counter()
    missed: list[str] = []
    with (Path(__file__).with_name("copy_pairs.tsv")).open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            (language, house, at, old), (_, other_house, other_at, new) = known[row["earlier"]], known[row["later"]]
            days = abs((other_at - at).total_seconds()) / 86_400 if at and other_at else 0.5
            called = compare(new, old).is_copy(days=days, one_house=house == other_house)
            label = row["label"] if row["label"] in ("copy", "between") else "no copy"
            if label == "between":
                by_count = of_one_text(old, new)
                agreed[f"{'copy' if by_count else 'rewrite'} by sentences, {row['reader']} by the reader"] += 1
                label = "between, copy by sentences" if by_count else "between, rewrite by sentences"
            where = "one newsroom" if house == other_house else "two newsrooms"
            counted[f"{row['set']}, {language}, {where}"][f"{label}{', called one' if called else ''}"] += 1
            if called != (label in ("copy", "between, copy by sentences")):
                missed.append(f"{row['earlier']} {row['later']} {row['label']}{', called one' if called else ''}")
    return {
        **{name: {**dict(sorted(c.items())), **ratios(c)} for name, c in sorted(counted.items())},
        "between": dict(agreed),
        "errors": missed,
    }


def ratios(counts: Counter[str]) -> dict[str, float]:
    """Precision and recall: by the definition, and of what was clear without it."""
    out = {}
    for name, copies, others in (
        ("clear pairs", ("copy",), ("no copy",)),
        ("all pairs", ("copy", "between, copy by sentences"), ("no copy", "between, rewrite by sentences")),
    ):
        right, wrong = (sum(counts[f"{label}, called one"] for label in labels) for labels in (copies, others))
        if right:
            missed = sum(counts[label] for label in copies)
            out[f"precision, {name}"] = round(right / (right + wrong), 3)
            out[f"recall, {name}"] = round(right / (right + missed), 3)
    return out


def moment(written: str | None) -> datetime | None:
    if not written or written == "None":
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        at = parsedate_to_datetime(written)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--texts", type=int, default=150)
    args = parser.parse_args()
    result = {
        "perturbations": perturbations(texts(args.corpora), args.texts) if args.texts else {},
        "labelled": labelled(args.corpora),
        "dawn and app, one event": dawn_and_app(args.corpora),
    }
    json.dump(result, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
