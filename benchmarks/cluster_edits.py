#!/usr/bin/env python3
"""Edits: 300 seeded edits and trivial changes of real articles, and the later versions of one link in an Urdu stream.

    python benchmarks/cluster_edits.py CORPORA

An edit puts in, drops or replaces a few words, changes a number, a paragraph or the title. A trivial change adds a
counter, an age or a related link, or alters blanks and punctuation. Prints one JSON document.
"""

import argparse
import gzip
import itertools
import json
import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from crawler.cluster import is_trivial_edit, text_diff

FURNITURE = {
    "en": [
        "1,204 views",
        "Read more: Another story of the day",
        "2 hours ago",
        "Leave a comment",
        "Share this article",
    ],
    "ru": ["1 204 просмотра", "Читайте также: другая новость дня", "2 часа назад", "Подписывайтесь на наш канал"],
    "ur": ["1204 ویوز", "مزید پڑھیں: ایک اور خبر", "2 گھنٹے پہلے", "شیئر کریں", "یہ بھی پڑھیں: کچھ اور"],
}
STREAMS = {
    "en": ("stream_en_dawn_app_2025/candidates_pkru.jsonl.gz", "text"),
    "ru": ("stream_ru_telegram_2024/messages.jsonl.gz", "text"),
    "ur": ("stream_ur_express_bbc_ary_2025/articles.jsonl.gz", "article"),
}


def trivial(text: str, language: str, rng: random.Random) -> str:
    line = rng.choice(FURNITURE[language])
    return rng.choice(
        [
            f"{text}\n{line}",
            f"{line}\n{text}",
            re.sub(r"\n+", "\n\n", text),
            text.replace(" ", "  "),
            text.replace(", ", " , "),
            text.replace('"', "«"),
        ]
    )


def edit(title: str, text: str, rng: random.Random) -> tuple[str, str]:
    words = text.split(" ")
    spot = rng.randrange(1, len(words) - 1)
    kind = rng.randrange(5)
    if kind == 0:
        return f"{title} 7", text
    if kind == 1:
        return title, f"{text}\nOfficials later added that the number had risen to {rng.randrange(100, 900)}."
    if kind == 2:
        words[spot] = f"word{rng.randrange(9)}"
    elif kind == 3:
        words[spot:spot] = ["newly", "added", "words"]
    else:
        words = [*words[: spot - 1], f"{rng.randrange(1000, 9999)}", *words[spot:]]
    return title, " ".join(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    corpora = parser.parse_args().corpora
    rng = random.Random(4)
    judged: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    for language, (name, field) in STREAMS.items():
        with gzip.open(corpora / name, "rt", encoding="utf-8") as stream:
            rows = [row for row in map(json.loads, stream) if len(row[field].split(" ")) > 40]
        for number, row in enumerate(rng.sample(rows, 100)):
            title, text = row.get("title") or "", row[field]
            if number % 2:
                new, expected = (title, trivial(text, language, rng)), True
            else:
                new, expected = edit(title, text, rng), False
            verdict = is_trivial_edit(title, text, *new)
            judged["trivial" if expected else "edit", "right" if verdict is expected else "wrong"] += 1
            if verdict is not expected:
                wrong.append(f"{language}, {'trivial' if expected else 'edit'}: {text_diff(text, new[1])[:120]}")
    stream_ur = corpora / "stream_ur_express_bbc_ary_2025"
    with gzip.open(stream_ur / "articles.jsonl.gz", "rt", encoding="utf-8") as stream:
        articles: dict[str, dict[str, Any]] = {row["guid"]: row for row in map(json.loads, stream)}
    versions: Counter[str] = Counter()
    for group in map(json.loads, (stream_ur / "same_link_groups.jsonl").read_text("utf-8").splitlines()):
        found = [articles[v["guid"]] for v in group["versions"] if v["guid"] in articles]
        for old, new in itertools.pairwise(found):
            same = is_trivial_edit(old["title"], old["article"], new["title"], new["article"])
            versions["unchanged" if same else "revision"] += 1
    out = {
        "seeded": {", ".join(key): count for key, count in sorted(judged.items())},
        "wrong": wrong,
        "later versions in the Urdu groups": versions,
    }
    json.dump(out, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
