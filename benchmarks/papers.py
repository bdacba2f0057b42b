"""Any number of invented papers on loopback that go on publishing: what the long measurements crawl.

Paper `n` lives at ``p<n>.test`` and puts out an article every few hours or days (or seconds, with a small `every_s`);
its feed lists the newest twenty, with an ETag, and answers 304. Every third is in Russian, every third in Urdu. About
one article in twelve concerns both sides. All bytes follow from the number of the paper and of the article.

The server runs in a process of its own and counts what it was asked. It goes by the wall clock, or by a clock that is
set through `Papers.set_clock`, so that a week passes in minutes.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random
from types import TracebackType
from typing import Any, Self

import loopback

LISTED = 20
RELEVANT = 1 / 12
LANGUAGES = ("en", "ru", "ur")
LETTERS = {"en": ("bdfgklmnprstvz", "aeiou"), "ru": ("бвгдклмнпрстч", "аеиоу"), "ur": ("بدگلمنپرستچ", "اویے")}
BOTH: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Pakistan and Russia agreed on {n} thousand tonnes of wheat, the ministry in Islamabad said on {w}.",
        "Moscow will supply crude oil to Karachi under contract {n}, said Russian Energy Minister Sergei Tsivilev.",
        "A Russian trade delegation visited Lahore and signed {n} memoranda with Pakistani textile mills of {w}.",
    ),
    "ru": (
        "Пакистан и Россия договорились о поставке {n} тысяч тонн пшеницы, сообщили в Исламабаде {w}.",
        "Москва поставит нефть в Карачи по контракту {n}, заявил министр энергетики России Сергей Цивилев.",
        "Российская делегация посетила Лахор и подписала {n} меморандума с пакистанскими фабриками {w}.",
    ),
    "ur": (
        "پاکستان اور روس نے {n} ہزار ٹن گندم پر اتفاق کیا، اسلام آباد میں وزارت نے {w} کہا۔",
        "ماسکو معاہدے {n} کے تحت کراچی کو خام تیل فراہم کرے گا، روسی وزیر توانائی نے کہا۔",
        "روسی تجارتی وفد نے لاہور کا دورہ کیا اور پاکستانی ملوں کے ساتھ {n} یادداشتوں پر دستخط کیے۔",
    ),
}


class Paper:
    """What one paper has published by a time, and the bytes of it."""

    def __init__(self, number: int, *, start: float, every_s: tuple[float, float]) -> None:
        random = Random(number)
        self.number = number
        self.language = LANGUAGES[number % 3]
        self.every_s = random.uniform(*every_s)
        self.first = start - random.uniform(0, 2) * self.every_s

    def newest(self, now: float) -> int:
        return max(0, int((now - self.first) // self.every_s))

    def at(self, article: int) -> datetime:
        return datetime.fromtimestamp(self.first + article * self.every_s, UTC)

    def text(self, article: int) -> tuple[str, list[str]]:
        """Title and paragraphs of an article."""
        random = Random(self.number * 1_000_003 + article)
        hard, soft = LETTERS[self.language]

        def word() -> str:
            return "".join(random.choice(hard) + random.choice(soft) for _ in range(random.randint(2, 4)))

        def sentence() -> str:
            return " ".join(word() for _ in range(14)).capitalize() + ("۔" if self.language == "ur" else ".")

        body = [" ".join(sentence() for _ in range(4)) for _ in range(8)]
        title = " ".join(word() for _ in range(7)).capitalize()
        if random.random() < RELEVANT:
            lines = [one.format(n=random.randint(2, 900), w=word()) for one in BOTH[self.language]]
            random.shuffle(lines)
            title = f"{lines[0].rstrip('.۔')}: {title}"
            body[:0] = lines
        return title, body

    def feed(self, now: float) -> bytes:
        last = self.newest(now)
        items = "".join(
            f"<item><title>{self.text(i)[0]}</title><link>http://p{self.number}.test/a/{i}</link>"
            f"<pubDate>{format_datetime(self.at(i), usegmt=True)}</pubDate></item>"
            for i in range(last, max(-1, last - LISTED), -1)
        )
        head = f"<title>Paper {self.number}</title><language>{self.language}</language>"
        return f"<?xml version='1.0'?><rss version='2.0'><channel>{head}{items}</channel></rss>".encode()

    def page(self, article: int) -> bytes:
        title, body = self.text(article)
        menu = "".join(f"<li><a href='/section/{i}'>Section {i}</a></li>" for i in range(40))
        meta = f"<meta property='article:published_time' content='{self.at(article).isoformat()}'>"
        return (
            f"<!doctype html><html lang='{self.language}'><head><meta charset='utf-8'><title>{title}</title>{meta}"
            f"</head><body><ul>{menu}</ul><article><h1>{title}</h1>{''.join(f'<p>{p}</p>' for p in body)}</article>"
            "</body></html>"
        ).encode()


class Papers:
    """The server, from the side of those who measure. A context manager."""

    def __init__(self, count: int, *, every_s: tuple[float, float], start: datetime | None = None) -> None:
        """`every_s`: the shortest and the longest time between two articles of a paper; `start`: the clock stands
        there until it is set; None: the wall clock."""
        self.count = count
        self._arguments = [str(count), *map(str, every_s), str(start.timestamp() if start else 0)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, __file__, *self._arguments], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def set_clock(self, now: datetime) -> None:
        self._ask(f"/clock/{now.timestamp()}")

    def counts(self) -> dict[str, Any]:
        """Requests by kind and status so far, and the articles published by now."""
        value: dict[str, Any] = json.loads(self._ask("/counts"))
        return value

    def config_text(self, *, every: str, crawl: str = "", more: str = "") -> str:
        """A feeds.yaml of all papers; `crawl`: further lines of its section, each with two spaces before it."""
        resolve = ", ".join(f'p{n}.test: "127.0.0.1:{self.port}"' for n in range(self.count))
        countries = {"en": "PK", "ru": "RU", "ur": "PK"}
        sources = "".join(
            f"  - {{id: p{n}, name: Paper {n}, url: 'http://p{n}.test/feed', kind: feed, every: {every},"
            f" language: {LANGUAGES[n % 3]}, country: {countries[LANGUAGES[n % 3]]}}}\n"
            for n in range(self.count)
        )
        return (
            f"{more}crawl:\n  per_host_delay: 0s\n  allow_private_addresses: [127.0.0.0/8]\n{crawl}"
            f"  resolve: {{{resolve}}}\nsources:\n{sources}"
        )

    def _ask(self, path: str) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Host": "control"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())


async def serve(count: int, every_s: tuple[float, float], start: float) -> None:
    began = start or time.time()
    papers = [Paper(n, start=began, every_s=every_s) for n in range(count)]
    asked: Counter[str] = Counter()
    stands = [start]

    def answer(host: str, path: str, head: str) -> tuple[str, bytes]:
        now = stands[0] or time.time()
        if host == "control":
            if path.startswith("/clock/"):
                stands[0] = float(path.rpartition("/")[2])
            published = sum(p.newest(now) + 1 for p in papers)
            return "200 OK\r\nContent-Type: application/json", json.dumps({**asked, "published": published}).encode()
        kind = path.split("/")[1]
        if kind == "robots.txt":
            asked["robots"] += 1
            return "404 No", b""
        paper = papers[int(host[1:].split(".")[0])]
        if kind == "feed":
            tag = f'"{paper.newest(now)}"'
            if tag in head:
                asked["feed 304"] += 1
                return f"304 Same\r\nETag: {tag}", b""
            asked["feed 200"] += 1
            return f"200 OK\r\nContent-Type: application/rss+xml\r\nETag: {tag}", paper.feed(now)
        article = path.rpartition("/")[2]
        if f'"{article}"' in head:
            asked["page 304"] += 1
            return f'304 Same\r\nETag: "{article}"', b""
        asked["page 200"] += 1
        return f'200 OK\r\nContent-Type: text/html; charset=utf-8\r\nETag: "{article}"', paper.page(int(article))

    await loopback.serve(answer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("least", type=float)
    parser.add_argument("most", type=float)
    parser.add_argument("start", type=float)
    given = parser.parse_args()
    asyncio.run(serve(given.count, (given.least, given.most), given.start))
