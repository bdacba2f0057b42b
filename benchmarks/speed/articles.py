"""From a feed to stored articles, by one client; for each batch of feeds a JSON line with the CPU-ms an article.

    python benchmarks/speed/articles.py CLIENT PORT [--first 0] [--batches 5] [--feeds 5]

CLIENT: `pakrus`, the real crawl; `news-please` and `newspaper4k`, which get the same pages of the same feeds, one after
another, and put title, text and time into SQLite; `trafilatura`, which extracts alone, and only the pages that concern
both sides, without fetching, judging or storing: the limit; `extract`, pakrus' own extraction alone, likewise. Before
the clock starts each has done one page (pakrus a feed of them): what is loaded once counts for nobody.
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from newsroom import LANGUAGES, TOLD, needed
from polling import cpu

COUNTRIES = ("PK", "RU", "PK")  # of papers in LANGUAGES
WARM = 98  # the feed to warm up with: in no batch


def get(port: int, path: str) -> bytes:
    return bytes(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=300).read())


def pakrus(port: int, batches: list[list[int]]) -> None:
    from random import Random

    from crawler.app import App
    from crawler.config import parse_config
    from crawler.spiders.engine import crawl
    from crawler.workers import Pool
    from store.connection import open_store

    every = [WARM, *(n for batch in batches for n in batch)]
    resolve = ", ".join(f'l{n}.test: "127.0.0.1:{port}"' for n in every)
    sources = "".join(
        f"  - {{id: l{n}, url: 'http://l{n}.test/told/{n}', kind: feed, language: {LANGUAGES[n % 3]},"
        f" country: {COUNTRIES[n % 3]}}}\n"
        for n in every
    )
    settings = f"per_host_delay: 0s, allow_private_addresses: [127.0.0.0/8], resolve: {{{resolve}}}"
    config = parse_config(f"crawl: {{{settings}}}\nsources:\n{sources}")

    async def run(store: Any) -> None:
        app = App(config, store, random=Random(1))
        app.sync_sources()
        async with Pool(1) as pool:
            await crawl(app, pool, only=[f"l{WARM}"], everything=True)
            for batch in batches:
                began = cpu()
                await crawl(app, pool, only=[f"l{n}" for n in batch], everything=True)
                tell(cpu() - began, batch)
        kept = store.connection.execute("SELECT count(*) FROM articles").fetchone()[0]
        due = sum(needed(n, i) for n in every for i in range(TOLD))
        assert kept == due, f"{kept} articles of {due}"

    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "news.db", mode="write") as store:
        asyncio.run(run(store))


def tell(seconds: float, batch: list[int]) -> None:
    print(json.dumps({"ms": 1000 * seconds / (TOLD * len(batch))}), flush=True)


One = Callable[[bytes, str], tuple[str, str, str]]


def news_please() -> One:
    from newsplease import NewsPlease

    def one(html: bytes, url: str) -> tuple[str, str, str]:
        found = NewsPlease.from_html(html.decode(), url=url)
        return found.title or "", found.maintext or "", str(found.date_publish)

    return one


def newspaper4k() -> One:
    import newspaper

    def one(html: bytes, url: str) -> tuple[str, str, str]:
        article = newspaper.Article(url)
        article.download(input_html=html.decode())
        article.parse()
        return article.title, article.text, str(article.publish_date)

    return one


def trafilatura() -> One:
    import trafilatura

    def one(html: bytes, url: str) -> tuple[str, str, str]:
        found = trafilatura.bare_extraction(
            html, url=url, favor_precision=True, include_comments=False, with_metadata=True
        )
        assert found is not None
        return found.title or "", found.text or "", found.date or ""

    return one


def extract() -> One:
    from datetime import UTC, datetime

    from crawler.extract import extract as ours

    def one(html: bytes, url: str) -> tuple[str, str, str]:
        found = ours(html, url=url, content_type="text/html; charset=utf-8", now=datetime.now(UTC))
        return found.title, found.text, ""

    return one


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("port", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--feeds", type=int, default=5, help="of a batch, 20 pages each")
    given = parser.parse_args()
    port, step = given.port, given.feeds
    starts = range(given.first, given.first + given.batches * step, step)
    batches = [list(range(start, start + step)) for start in starts]
    if given.client == "pakrus":
        pakrus(port, batches)
        return
    made: dict[str, Callable[[], One]] = {
        "news-please": news_please, "newspaper4k": newspaper4k, "trafilatura": trafilatura, "extract": extract,
    }  # fmt: skip
    one = made[given.client]()
    one(get(port, f"/told/{WARM}/0"), f"http://l{WARM}.test/told/{WARM}/0")
    for batch in batches:
        if given.client in ("trafilatura", "extract"):
            need = [f"/told/{n}/{i}" for n in batch for i in range(TOLD) if needed(n, i)]
            bodies = [(get(port, path), f"http://l.test{path}") for path in need]
            began = cpu()
            found = [one(*body) for body in bodies]
        else:
            began = cpu()
            found = stored(port, batch, one)
        tell(cpu() - began, batch)
        assert sum(len(text) > 1_000 for _, text, _ in found) > len(found) / 2, "texts are missing"


def stored(port: int, batch: list[int], one: One) -> list[tuple[str, str, str]]:
    """The pages of the feeds, fetched, read and put into SQLite."""
    found = []
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE articles (title TEXT, text TEXT, published TEXT)")
        for n in batch:
            get(port, f"/told/{n}")
            for i in range(TOLD):
                path = f"/told/{n}/{i}"
                found.append(one(get(port, path), f"http://l.test{path}"))
                database.execute("INSERT INTO articles VALUES (?, ?, ?)", found[-1])
    return found


if __name__ == "__main__":
    main()
