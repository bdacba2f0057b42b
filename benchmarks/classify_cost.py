"""How many documents are judged in the time of one extraction, in one run, and how long the compiled lexicon loads.

    python benchmarks/classify_cost.py [--rounds 3] [--pages FOLDER --texts ARTICLES.jsonl.gz]

Pages are our own (tests/cases/pages) and what is judged are their texts and the gold records, most of which concern
the pair and are slow to judge; with --pages (a folder of HTML) and --texts (articles.jsonl.gz of a stream) they are
live ones. The two take turns, so that a busy machine slows both; the figure is a ratio. Time is CPU time of this
process.
"""

import argparse
import gzip
import itertools
import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

from crawler.classify import classify
from crawler.extract import extract
from crawler.lexicon import build
from crawler.lexicon.slices import HOME
from crawler.types import Text

OWN = Path(__file__).parent.parent / "tests" / "cases" / "pages"
URL = "https://news.example/story"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _bytes(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--texts", type=Path)
    arguments = parser.parse_args()
    begun = time.process_time()
    lexicon = build((HOME,), "pakistan-russia")
    print(f"the compiled lexicon loads in {1000 * (time.process_time() - begun):.0f} ms")
    pages = [_bytes(path) for path in sorted((arguments.pages or OWN).rglob("*.html*"))]
    texts = []
    if arguments.texts:
        with gzip.open(arguments.texts, "rt", encoding="utf-8") as lines:
            for record in map(json.loads, itertools.islice(lines, 3000)):
                texts.append(Text(title=record["title"] or "", text=record["text"] or "", country="PK"))
    else:
        for body in pages:
            document = extract(body, url=URL, content_type="", now=NOW)
            texts.append(Text(title=document.title, text=document.text, language=document.language))
        for path in sorted((Path(__file__).parent / "gold").glob("??.jsonl")):
            for record in map(json.loads, path.read_text("utf-8").splitlines()):
                texts.append(Text(title=record["title"] or "", text=record["text"], language=record["language"]))
    for text in texts:
        classify(text, lexicon)
    ratios = []
    for _ in range(arguments.rounds):
        begun = time.process_time()
        for body in pages:
            extract(body, url=URL, content_type="", now=NOW)
        one_page = (time.process_time() - begun) / len(pages)
        begun = time.process_time()
        for text in texts:
            classify(text, lexicon)
        one_text = (time.process_time() - begun) / len(texts)
        ratios.append(one_page / one_text)
        print(f"an extraction {1000 * one_page:.2f} ms, a judgement {1000 * one_text:.3f} ms: {ratios[-1]:.1f} of them")
    print(f"{statistics.median(ratios):.1f} documents judged in the time of one extraction")


if __name__ == "__main__":
    main()
