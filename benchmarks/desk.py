"""How long does the desk take to answer? Each ready question as JSON and as a page, and our own pages, over HTTP.

    .venv/bin/python benchmarks/desk.py DATABASE...

A question is asked with nothing filled in, and with what `ASKED` fills in. Of five answers the median counts, after one
that warms the cache. Then search is asked for several forms of one word, which must find the same articles.
Exit 0: every median is under a second and search finds all forms; 1: not so.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from crawler.desk.about import DATABASE, questions

MOST_S, TIMES = 1.0, 5
ASKED = {
    "search": {"search": "wheat OR пшеница OR گندم"},
    "two_names": {"name": "putin", "and_name": "shehbaz-sharif"},
    "named_together": {"name": "putin"},
    "who_is_named": {"kind": "person"},
    "sector_by_week": {"sector": "energy"},
    "one_sided_stories": {"side": "PK"},
    "wheat_by_month": {"search": "russia*", "year": "2025"},
}
FORMS = (("agreement", "agreements"), ("visiting", "visits", "visited"), ("minister", "ministers"),
         ("Russia", "Russian"), ("Россия", "России", "Россией"), ("روسی", "روس"))  # fmt: skip


@contextmanager
def served(database: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "crawler", "--db", str(database), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stdout
        yield process.stdout.readline().strip() + DATABASE
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as response:
        return bytes(response.read())


def median(address: str) -> float:
    get(address)
    took = []
    for _ in range(TIMES):
        started = time.perf_counter()
        get(address)
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def addresses(desk: str) -> Iterator[tuple[str, str]]:
    root = desk.rsplit("/", 1)[0]
    yield from ((name, f"{root}{path}") for name, path in (("front page", "/"), ("name page", "/name/putin"),
                                                           ("digest", "/digest")))  # fmt: skip
    for question in questions():
        for asked in ({}, ASKED[question.name]) if question.name in ASKED else ({},):
            for form, shape in ((".json", {"_shape": "array"}), ("", {})):
                query = urlencode({**asked, **shape})
                yield f"{question.name}{form}{' filled in' if asked else ''}", f"{desk}/{question.name}{form}?{query}"


def found(desk: str, words: str) -> set[str]:
    query = urlencode({"search": words, "_shape": "array"})
    return {row["url"] for row in json.loads(get(f"{desk}/search.json?{query}"))}


def main(databases: list[Path]) -> int:
    bad = 0
    for database in databases:
        with served(database) as desk:
            slowest: list[tuple[float, str]] = []
            for name, address in addresses(desk):
                try:
                    slowest.append((median(address), name))
                except urllib.error.HTTPError as error:
                    if not (error.code == 404 and name in ("digest", "name page")):  # not every database has them
                        raise
            slowest.sort(reverse=True)
            bad += sum(took >= MOST_S for took, _ in slowest)
            print(f"{database}: {len(slowest)} answers, the slowest of the medians of {TIMES}:")
            for took, name in slowest[:8]:
                print(f"  {took * 1000:7.1f} ms  {name}")
            for forms in FORMS:
                sets = [found(desk, word) for word in forms]
                same = all(one == sets[0] for one in sets)
                bad += not same
                print(f"  search: {', '.join(f'{w} {len(s)}' for w, s in zip(forms, sets, strict=True))}"
                      f"{'' if same else '  NOT THE SAME'}")  # fmt: skip
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main([Path(p) for p in sys.argv[1:]]))
