"""Mutated feeds, sitemaps and listings through the readers: no crash, no hang, no unbounded memory.

    python benchmarks/readers_fuzz.py [FOLDER]... [--count N] [--seed N] [--deadline S]

The documents are those of tests/cases and of the folders given. Mutations: bytes changed, cut, copied, swapped between
documents, nested, repeated up to a megabyte. Prints a line a finding and a summary as JSON; exit 1 if there is one.
"""

import argparse
import json
import random
import resource
import sys
import time
from pathlib import Path

from crawler import readers

CASES = Path(__file__).parent.parent / "tests" / "cases"
KINDS = {"feeds": "feed", "sitemaps": "sitemap", "listings": "listing"}
TOKENS = [
    b"<",
    b">",
    b"&",
    b"&amp;",
    b"&#x0;",
    b"&#xD800;",
    b"&nbsp;",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<?xml",
    b"?>",
    b"<item>",
    b"</item>",
    b"<entry>",
    b"<title>",
    b"</channel>",
    b"</rss>",
    b"<!DOCTYPE x [",
    b"<!ENTITY a 'b'>",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"{",
    b"[",
    b'"',
    b"\\u0000",
    b"xmlns:x='y'",
    b"<a href='//[' >",
    b"\n" * 50,
]


def mutated(rng: random.Random, body: bytes, other: bytes) -> bytes:
    out = bytearray(body)
    for _ in range(rng.randrange(1, 12)):
        at, length = rng.randrange(len(out) + 1), rng.randrange(1, 200)
        match rng.randrange(8):
            case 0:
                out[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del out[at : at + length]
            case 2:
                out[at:at] = rng.choice(TOKENS)
            case 3:
                out[at:at] = out[at : at + length] * rng.randrange(1, 20)
            case 4:
                start = rng.randrange(len(other) + 1)
                out[at:at] = other[start : start + length]
            case 5:
                out[at:at] = rng.choice(TOKENS) * rng.randrange(1, 5_000)
            case 6:
                del out[at:]
            case 7:
                start = rng.randrange(len(out) + 1)
                piece = bytes(out[start : start + length])
                out[at:at] = piece * min(rng.randrange(1, 3_000), 1_000_000 // (len(piece) + 1))
    return bytes(out[:2_000_000])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deadline", type=float, default=10.0, help="CPU seconds for one document")
    options = parser.parse_args()
    documents = [
        (kind, path.read_bytes())
        for area, kind in KINDS.items()
        for path in sorted((CASES / area).iterdir())
        if "expected" not in path.name
    ]
    for folder in options.folders:
        documents += [("feed", p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file()]
    rng = random.Random(options.seed)
    slowest, findings = 0.0, 0
    for number in range(options.count):
        kind, body = rng.choice(documents)
        if rng.random() < 0.1:
            kind = rng.choice(list(KINDS.values()))
        body = mutated(rng, body, rng.choice(documents)[1])
        started = time.process_time()
        try:
            reading = readers.read(kind, body, url="https://feeds.example/feed")
            readers.reading_json(reading)
        except Exception as error:  # noqa: BLE001 - any exception is a finding
            findings += 1
            print(f"{number}: {kind}: {type(error).__name__}: {error}")
        took = time.process_time() - started
        slowest = max(slowest, took)
        if took > options.deadline:
            findings += 1
            print(f"{number}: {kind}: {took:.1f} s for {len(body)} bytes")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    summary = {"documents": options.count, "findings": findings, "slowest_s": round(slowest, 2), "memory_mb": memory}
    print(json.dumps(summary))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
