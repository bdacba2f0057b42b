#!/usr/bin/env python3
"""What placing one more article costs at 10,000 and at 100,000 kept ones, and how much memory it takes.

    python benchmarks/cluster_scale.py CORPORA [--sizes 10000,30000,100000] [--per-day 25] [--measure 300]

Articles are generated from real text: sentences of three articles of one language, the profile of one of them, so that
stories occur as they do in life; every COPIED-th is a copy of one of the last RECENT articles, under another lead or
cut. Dates run on at --per-day articles. Measured is `placing.place` (look-ups of copies by shingles and of neighbours
by keys, grouping, and the writing) over the --measure articles after each size; the WARM ones before them are placed
too, so that stories, links and copies are there; the rest is only stored. The last entry says what a million would
cost: time by a line fitted to the logarithm of the number kept, database and memory by one fitted to the number.
"""

import argparse
import gzip
import itertools
import json
import math
import random
import resource
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import linear_regression
from typing import Any

from crawler import cluster, lexicon
from crawler.app import App
from crawler.classify import classify
from crawler.config import packaged_config, read_config
from crawler.placing import place
from crawler.text import sentences
from crawler.types import Text
from store.articles import NewArticle
from store.connection import open_store
from store.sources import SourceLine

COPIED = 5
RECENT = 25  # articles: a day
WARM = 500  # articles: more than two windows of seven days hold
START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    title: str
    sentences: list[str]
    profile: cluster.Profile


def bases(corpora: Path, count: int) -> dict[str, list[Base]]:
    known = lexicon.load()
    found: dict[str, list[Base]] = {}
    streams = {
        "en": ("stream_en_dawn_app_2025/candidates_pkru.jsonl.gz", "text"),
        "ru": ("stream_ru_telegram_2024/messages.jsonl.gz", "text"),
        "ur": ("stream_ur_express_bbc_ary_2025/articles.jsonl.gz", "article"),
    }
    for language, (name, field) in streams.items():
        found[language] = []
        with gzip.open(corpora / name, "rt", encoding="utf-8") as stream:
            for row in itertools.islice(map(json.loads, stream), count):
                title, text = row.get("title") or "", row[field]
                verdict = classify(Text(title=title, text=text, language=language), known)
                profile = cluster.profile(
                    title=title,
                    text=text,
                    language=language,
                    published=START,
                    first_seen=START,
                    classification=verdict,
                    lexicon=known,
                )
                spans = [text[a:b] for a, b in sentences(text)][:30]
                found[language].append(Base(title=title, sentences=spans, profile=profile))
    return found


def generated(pool: dict[str, list[Base]], per_day: float, rng: random.Random) -> Iterator[NewArticle]:
    recent: deque[tuple[str, Base, list[str]]] = deque(maxlen=RECENT)
    for number in itertools.count():
        language = rng.choices(list(pool), weights=[5, 4, 3])[0]
        base, *others = rng.choices(pool[language], k=3)
        own = rng.sample(base.sentences, min(12, len(base.sentences)))
        said = [*own, *(s for other in others for s in other.sentences[:3])]
        if number % COPIED == COPIED - 1:
            language, base, wire = rng.choice(recent)
            said = [others[0].sentences[0], *wire[1:]] if rng.random() < 0.5 else wire[: 2 * len(wire) // 3 + 1]
        recent.append((language, base, said))
        text = "\n".join(said)[:6_000]
        at = START + timedelta(days=number / per_day)
        profile = replace(base.profile, at=at, days=frozenset())
        yield NewArticle(
            url=f"https://example.org/{number}",
            canonical_url=f"https://example.org/{number}",
            source_id="made",
            title=base.title,
            text=text,
            author="",
            language=language,
            country="PK",
            published_at=at,
            published_precision="exact",
            published_from="feed",
            first_seen_at=at,
            day=at.date().isoformat(),
            grade=2,
            score=1.0,
            origin="",
            dateline="",
            text_hash=str(number),
            reasons=[],
            profile=profile.to_json(),
            sectors=[],
            mentions=[],
            fingerprint=cluster.fingerprint(text),
            story_keys=cluster.keys(profile),
            shadow=("", ""),
        )


def line(points: Sequence[tuple[float, float]], at: float) -> float:
    """The value at a place of the straight line that fits points best (least squares)."""
    xs, ys = zip(*points, strict=True)
    slope, intercept = linear_regression(xs, ys)
    return intercept + slope * at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--sizes", default="10000,30000,100000")
    parser.add_argument("--per-day", type=float, default=25.0)
    parser.add_argument("--measure", type=int, default=300)
    args = parser.parse_args()
    stream = generated(bases(args.corpora, 850), args.per_day, random.Random(7))
    out: list[dict[str, Any]] = []
    written = 0
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "scale.db", mode="write", holder="benchmark")
        source = SourceLine(
            id="made", name="made", url="", kind="none", role="source", country="PK", language="en", enabled=True
        )
        store.sources.sync([source], now=START)
        app = App(read_config(packaged_config(), Path(folder)), store)
        for size in [int(s) for s in args.sizes.split(",")]:
            while written < size:
                with store.transaction():
                    for new in itertools.islice(stream, 500):
                        if written < size - WARM:
                            story = store.stories.open(new.title, at=new.at, now=new.at)
                            store.articles.add(new, story_id=story, duplicate_of=None)
                        else:
                            place(app, new, now=new.at)
                        written += 1
            states: Counter[str] = Counter()
            stories = store.stories.count()
            begun = time.process_time()
            with store.transaction():
                for new in itertools.islice(stream, args.measure):
                    states[place(app, new, now=new.at).state] += 1
            spent = time.process_time() - begun
            written += args.measure
            out.append(
                {
                    "kept": written,
                    "ms an article": round(1000 * spent / args.measure, 2),
                    "copies": states["duplicate"],
                    "new stories": store.stories.count() - stories,
                    "memory, MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                    "database, MB": round((Path(folder) / "scale.db").stat().st_size / 1e6),
                }
            )
        store.close()
    million = {
        "kept": 1_000_000,
        "ms an article": round(line([(math.log(o["kept"]), o["ms an article"]) for o in out], math.log(1e6)), 1),
        **{k: round(line([(o["kept"], o[k]) for o in out], 1e6)) for k in ("memory, MB", "database, MB")},
    }
    out.append(million)
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
