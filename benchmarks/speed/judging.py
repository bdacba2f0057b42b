"""CPU-ms of a judgement, of the automata alone on the same text, and of an extraction, ours and trafilatura's; JSON,
medians of five rounds.

    python benchmarks/speed/judging.py [--rounds 5]

Pages are those of newsroom.py, in three languages, 800 words each, all of which concern both sides; `others` are the
same texts without the sentences that do: most of what a judge sees.
"""

import argparse
import json
import statistics
import time
from datetime import UTC, datetime

import trafilatura
from newsroom import page

from crawler.classify import classify
from crawler.extract import extract
from crawler.lexicon import load
from crawler.text import fold
from crawler.types import Text

URL = "https://news.example/story"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    lexicon = load()
    pages = [page(number, i) for number in range(3) for i in range(20)]
    documents = [extract(body, url=URL, content_type="", now=datetime.now(UTC)) for body in pages]
    texts = [Text(title=d.title, text=d.text, language=d.language) for d in documents]
    others = [Text(title="", text=t.text.partition("\n")[2], language=t.language) for t in texts]
    folded = [fold(text.text) for text in texts]
    steps = {
        "judge": (lambda: [classify(text, lexicon) for text in texts], len(texts)),
        "others": (lambda: [classify(text, lexicon) for text in others], len(others)),
        "automaton": (lambda: [(lexicon._names.scan(one), lexicon._words.scan(one)) for one in folded], len(texts)),
        "extract": (lambda: [extract(p, url=URL, content_type="", now=datetime.now(UTC)) for p in pages], len(pages)),
        "trafilatura": (lambda: [trafilatura.bare_extraction(p, favor_precision=True) for p in pages], len(pages)),
    }
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, (step, count) in steps.items():
            began = time.process_time()
            step()
            if turn:
                spent[name].append(1000 * (time.process_time() - began) / count)
    print(json.dumps({name: statistics.median(ms) for name, ms in spent.items()} | {"texts": len(texts)}))


if __name__ == "__main__":
    main()
