"""A server on loopback for the speed measurements: feeds of 40 entries that change when told, and pages that concern
both sides.

    python benchmarks/speed/newsroom.py     # prints its port

It answers every host name. Paths: ``/list/<n>``, a feed that concerns nobody, with an ETag; ``/told/<n>``, a feed of
20 entries each of which leads to a page; ``/told/<n>/<i>``, such a page, in English, Russian or Urdu after ``n``; of
the feeds from `MIXED` on, one page of ten concerns both sides and the others neither. The
round that ``/round/<r>`` sets decides what a list holds: `FRESH[r]` of its 40 entries are new then, and with none it
answers 304. All bytes follow from the path, the round and the day. Importing it needs the standard library alone:
peers' environments do.
"""

import asyncio
import gzip
import re
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))
import loopback

LISTED = 40
TOLD = 20  # pages of a feed of pages
# New entries of a list by round: all, to warm up; none; all but one, as a list without overlap is a gap; none; two.
FRESH = (40, 0, 39, 0, 2)
DEMO = Path(__file__).parents[2] / "crawler" / "demo" / "newsroom"
LANGUAGES = ("en", "ru", "ur")
LETTERS = {"en": "[a-z]{3,}", "ru": "[а-яё]{3,}", "ur": "[آ-ۓ]{2,}"}
SAID = {
    "en": "Pakistan and Russia agreed on {n} thousand tonnes of {w}, the ministry in Islamabad said.",
    "ru": "Пакистан и Россия договорились о поставке {n} тысяч тонн {w}, сообщили в министерстве в Исламабаде.",
    "ur": "پاکستان اور روس نے {n} ہزار ٹن {w} پر اتفاق کیا، اسلام آباد میں وزارت نے کہا۔",
}
MENU = "".join(f"<li><a href='/section/{i}'>Section {i}</a></li>" for i in range(150))
SCRIPT = "<script>var a = 1;</script>" * 300
FEEDS = 25  # of pages
MIXED = 99  # the first feed (divisible by three) of which one page of `EACH` concerns both sides
EACH = 10
DAYS = 50  # that the pages are spread over: ten a day, not 500 at once
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)  # a feed of old entries alone is stale


@cache
def words(language: str) -> tuple[str, ...]:
    """Real words: those of the bundled newsroom that are no part of a name of the beat, and name no third country."""
    from crawler.lexicon import load  # only the server needs it
    from crawler.text import fold

    lexicon = load()
    parts = {word.lower() for terms in lexicon.side_words().values() for term in terms for word, _ in term}
    found: set[str] = set()
    for path in sorted(DEMO.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "ignore")
            found.update(re.findall(rf"(?<![\w<&/-]){LETTERS[language]}(?![\w>=;-])", text))
    return tuple(sorted(word for word in found if word not in parts and not list(lexicon.hits(fold(word)))))


def sentence(random: Random, language: str) -> str:
    told = " ".join(random.choices(words(language), k=16))
    return told[0].upper() + told[1:] + ("۔" if language == "ur" else ".")


@cache  # each client asks for it, in every turn
def listing(number: int, round_: int) -> bytes:
    """A list as it stands in a round: the newest `LISTED` of what it has published so far."""
    language = LANGUAGES[number % 3]
    published = sum(FRESH[: round_ + 1])
    items = []
    for i in range(published, published - LISTED, -1):
        random = Random(number * 10_007 + i)
        at = format_datetime(TODAY - timedelta(days=1) + timedelta(minutes=7 * i), usegmt=True)
        items.append(
            f"<item><title>{sentence(random, language)}</title><link>http://l{number}.test/item/{number}/{i}</link>"
            f"<guid isPermaLink='false'>{number}-{i}</guid><pubDate>{at}</pubDate>"
            f"<description>{sentence(random, language)} {sentence(random, language)}</description></item>"
        )
    return feed(f"List {number}", language, items)


def feed(title: str, language: str, items: list[str]) -> bytes:
    head = f"<title>{title}</title><link>http://l.test/</link><language>{language}</language>"
    return f"<?xml version='1.0'?><rss version='2.0'><channel>{head}{''.join(items)}</channel></rss>".encode()


def when(number: int, i: int) -> datetime:
    return TODAY - timedelta(days=DAYS * (1 - (i * FEEDS + number % MIXED) / (TOLD * FEEDS)))


def needed(number: int, i: int) -> bool:
    """Does this page concern both sides?"""
    return number < MIXED or i % EACH == 0


def headline(number: int, i: int) -> str:
    random = Random(f"{number}/{i}")
    language = LANGUAGES[number % 3]
    if not needed(number, i):
        return sentence(random, language).rstrip(".۔")
    return SAID[language].format(n=random.randint(2, 900), w=random.choice(words(language))).rstrip(".۔")


def pages(number: int) -> bytes:
    """A feed whose every entry leads to a page."""
    items = [
        f"<item><title>{headline(number, i)}</title><link>http://l{number}.test/told/{number}/{i}</link>"
        f"<pubDate>{format_datetime(when(number, i), usegmt=True)}</pubDate></item>"
        for i in range(TOLD)
    ]
    return feed(f"Pages {number}", LANGUAGES[number % 3], items)


@cache
def page(number: int, i: int) -> bytes:
    """A page that concerns both sides: menu, scripts, and a dozen paragraphs."""
    random, language = Random(f"{number}/{i}/text"), LANGUAGES[number % 3]
    title = headline(number, i)
    said = [f"{title}{'۔' if language == 'ur' else '.'}"]
    said += [" ".join(sentence(random, language) for _ in range(4)) for _ in range(12)]
    return (
        f"<!doctype html><html lang='{language}'><head><meta charset='utf-8'><title>{title}</title>"
        f"<meta property='article:published_time' content='{when(number, i).isoformat()}'></head><body>"
        f"<ul>{MENU}</ul>{SCRIPT}<article><h1>{title}</h1>{''.join(f'<p>{p}</p>' for p in said)}</article>"
        "</body></html>"
    ).encode()


async def serve() -> None:
    round_ = 0

    def answer(_host: str, path: str, head: str) -> tuple[str, bytes]:
        nonlocal round_
        _, kind, *numbers = path.split("/")
        if kind == "round":
            round_ = int(numbers[0])
            return "200 OK\r\nContent-Type: text/plain", b"ok"
        if kind == "list":
            tag = f'"{sum(FRESH[: round_ + 1])}"'
            if tag in head:
                return f"304 Same\r\nETag: {tag}", b""
            return f"200 OK\r\nContent-Type: application/rss+xml\r\nETag: {tag}", listing(int(numbers[0]), round_)
        if kind == "told" and len(numbers) == 1:
            return "200 OK\r\nContent-Type: application/rss+xml", pages(int(numbers[0]))
        if kind == "told":
            return "200 OK\r\nContent-Type: text/html; charset=utf-8", page(*map(int, numbers))
        return "404 No", b""

    await loopback.serve(answer)


if __name__ == "__main__":
    asyncio.run(serve())
