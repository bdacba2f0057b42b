"""Broken pages by the thousand through the worker pool: none may crash, hang or bloat it.

    python benchmarks/mutated_pages.py [--pages 2000] [--seed 0]

Each page is one of tests/cases/pages with one to four seeded mutations. Prints how many came back as a document, how
many were lost and why, and the slowest.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from crawler.workers import Pool, WorkerLost

PAGES = Path(__file__).resolve().parents[1] / "tests" / "cases" / "pages"


def cut_tail(body: bytes, dice: random.Random) -> bytes:
    return body[: dice.randrange(len(body) + 1)]


def drop_slice(body: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(body) + 1)
    return body[:start] + body[start + dice.randrange(2_000) :]


def repeat_slice(body: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(body) + 1)
    return body[:start] + body[start : start + dice.randrange(2_000)] * dice.randrange(1, 200) + body[start:]


def noise(body: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(body) + 1)
    return body[:start] + dice.randbytes(dice.randrange(1, 500)) + body[start:]


def flip(body: bytes, dice: random.Random) -> bytes:
    spoiled = bytearray(body)
    for _ in range(dice.randrange(1, 200)):
        if spoiled:
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
    return bytes(spoiled)


def nest(body: bytes, dice: random.Random) -> bytes:
    tag = dice.choice([b"div", b"span", b"table><tr><td", b"b", b"ul><li", b"a href=x", b"p", b"blockquote"])
    start = dice.randrange(len(body) + 1)
    return body[:start] + (b"<" + tag + b">") * dice.choice([50, 500, 5_000, 50_000]) + body[start:]


def attributes(body: bytes, dice: random.Random) -> bytes:
    many = b" ".join(b"a%d=%d" % (n, n) for n in range(dice.choice([100, 20_000])))
    return body.replace(b"<p", b"<p " + many, 1)


def long_word(body: bytes, dice: random.Random) -> bytes:
    word = dice.choice([b"a", b"&amp;", b"-", b" ", b"(", "ا".encode(), "—".encode(), b"1", b"A. "])
    start = dice.randrange(len(body) + 1)
    return body[:start] + word * dice.choice([1_000, 100_000]) + body[start:]


def other_charset(body: bytes, dice: random.Random) -> bytes:
    return body.decode("utf-8", "replace").encode(dice.choice(["utf-16", "cp1251", "koi8-r", "utf-7"]), "replace")


def spoil_json(body: bytes, dice: random.Random) -> bytes:
    return body.replace(b'"@type"', dice.choice([b'"@type', b"[" * 5_000 + b'"@type"', b'"@graph":[{}],"@type"']))


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    cut_tail, drop_slice, repeat_slice, noise, flip, nest, attributes, long_word, other_charset, spoil_json,
)  # fmt: skip


def mutated(body: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randrange(1, 5)):
        body = dice.choice(MUTATIONS)(body, dice)[:10_000_000]
    return body


async def run(pages: int, seed: int) -> dict[str, object]:
    dice = random.Random(seed)
    bodies = [path.read_bytes() for path in sorted(PAGES.glob("*.html"))]
    outcomes: Counter[str] = Counter()
    slowest: list[float] = []
    gate = asyncio.Semaphore(8)

    async def one(pool: Pool, body: bytes) -> None:
        async with gate:
            began = time.monotonic()
            try:
                document = await pool.run("extract", body, url="https://news.example/world/1")
                outcomes[document.outcome] += 1
            except WorkerLost as lost:
                outcomes[f"lost: {lost.reason[:80]}"] += 1
            slowest.append(time.monotonic() - began)

    began = time.monotonic()
    async with Pool(2) as pool:
        await asyncio.gather(*(one(pool, mutated(dice.choice(bodies), dice)) for _ in range(pages)))
    slowest.sort()
    return {
        "pages": pages,
        "seconds": round(time.monotonic() - began, 1),
        "median_s": round(slowest[len(slowest) // 2], 3),
        "slowest_s": round(slowest[-1], 2),
        "outcomes": dict(outcomes.most_common()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(json.dumps(asyncio.run(run(arguments.pages, arguments.seed)), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
