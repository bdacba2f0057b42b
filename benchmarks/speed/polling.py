"""One client of the comparison polls the lists of newsroom.py once a round; a JSON line a round with the CPU-ms a feed.

    python benchmarks/speed/polling.py CLIENT PORT [--feeds 300]

CLIENT: `pakrus`, the real crawl with its database, guard, robots.txt and ledger, of which no entry leads to a page;
`reader`, lemon24/reader in one thread, with its database; `aiohttp`, which only fetches and forgets; `scrapy-ours` and
`scrapy`, bare Scrapy with our settings and its own aiohttp handler, or with its defaults, which only fetch too. Each
client runs in its own environment and process; the start of the process does not count, its children do.
"""

import argparse
import asyncio
import json
import os
import resource
import socket
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from newsroom import FRESH, LANGUAGES


def cpu() -> float:
    """CPU seconds so far of this process, of its children that ended and of those that live."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ticks = 0
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]))
    return sum(u.ru_utime + u.ru_stime for u in used) + ticks / os.sysconf("SC_CLK_TCK")


class Rounds:
    """Sets the server's round, and notes what each costs."""

    def __init__(self, port: int, feeds: int) -> None:
        self.port, self.feeds = port, feeds

    def begin(self, number: int) -> None:
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/round/{number}", timeout=300).read()
        self._began = cpu()

    def end(self, number: int) -> None:
        print(json.dumps({"round": number, "ms": 1000 * (cpu() - self._began) / self.feeds}), flush=True)


def reader(rounds: Rounds, urls: list[str]) -> None:
    from reader import make_reader

    with tempfile.TemporaryDirectory() as folder:
        library = make_reader(f"{folder}/reader.sqlite", feed_root=None)
        for url in urls:
            library.add_feed(url)
        known = 0
        for number, fresh in enumerate(FRESH):
            rounds.begin(number)
            library.update_feeds(scheduled=False)
            rounds.end(number)
            known += fresh * len(urls)
            assert library.get_entry_counts().total == known, (number, known, library.get_entry_counts())


def bare_aiohttp(rounds: Rounds, urls: list[str]) -> None:
    import aiohttp

    async def run() -> None:
        tags: dict[str, str] = {}
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=16)) as session:

            async def fetch(url: str) -> None:
                headers = {"If-None-Match": tags[url]} if url in tags else {}
                async with session.get(url, headers=headers) as answer:
                    await answer.read()
                    tags[url] = answer.headers["ETag"]

            for number in range(len(FRESH)):
                rounds.begin(number)
                await asyncio.gather(*map(fetch, urls))
                rounds.end(number)

    asyncio.run(run())


def bare_scrapy(rounds: Rounds, urls: list[str], *, ours: bool) -> None:
    import scrapy

    settings: dict[str, Any] = {"LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False}
    if ours:
        from crawler.spiders.settings import SETTINGS

        settings = dict(SETTINGS) | {"CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16}
        settings.pop("DOWNLOAD_HANDLERS")
    tags: dict[str, str] = {}

    class Bare(scrapy.Spider):
        name = "bare"
        handle_httpstatus_list = [304]  # noqa: RUF012 - Scrapy's way

        async def start(self) -> Any:
            for url in urls:
                headers = {"If-None-Match": tags[url]} if url in tags else None
                yield scrapy.Request(url, headers=headers, dont_filter=True)

        def parse(self, response: Any) -> None:
            tags[response.url] = response.headers["ETag"].decode()

    if ours:
        from scrapy.crawler import Crawler

        async def run() -> None:
            for number in range(len(FRESH)):
                rounds.begin(number)
                await Crawler(Bare, settings | {"HTTPERROR_ALLOW_ALL": True}).crawl_async()
                rounds.end(number)

        asyncio.run(run())
        return
    from scrapy.crawler import CrawlerRunner
    from scrapy.utils.reactor import install_reactor

    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    from twisted.internet import reactor as loop
    from twisted.internet.defer import inlineCallbacks

    @inlineCallbacks
    def turns() -> Any:
        for number in range(len(FRESH)):
            rounds.begin(number)
            yield CrawlerRunner(settings).crawl(Bare)
            rounds.end(number)
        loop.stop()

    loop.callWhenRunning(turns)
    loop.run()


def pakrus(rounds: Rounds, feeds: int) -> None:
    from random import Random

    from crawler.app import App
    from crawler.config import parse_config
    from crawler.spiders.engine import crawl
    from crawler.workers import Pool
    from store.connection import open_store

    resolve = ", ".join(f'l{n}.test: "127.0.0.1:{rounds.port}"' for n in range(feeds))
    sources = "".join(
        f"  - {{id: l{n}, url: 'http://l{n}.test/list/{n}', kind: feed, language: {LANGUAGES[n % 3]},"
        f" fetch_pages: candidates}}\n"
        for n in range(feeds)
    )
    settings = f"per_host_delay: 0s, allow_private_addresses: [127.0.0.0/8], resolve: {{{resolve}}}"
    config = parse_config(f"crawl: {{{settings}}}\nsources:\n{sources}")

    async def run(store: Any) -> None:
        app = App(config, store, random=Random(1))
        app.sync_sources()
        _ = app.lexicon
        known = 0
        async with Pool(1) as pool:
            await pool.run("read", "feed", b"<rss version='2.0'><channel/></rss>", url="http://l.test/")
            for number, fresh in enumerate(FRESH):
                rounds.begin(number)
                await crawl(app, pool, everything=True)
                rounds.end(number)
                known += fresh * feeds
                assert store.connection.execute("SELECT count(*) FROM entries").fetchone()[0] == known
        open_ = store.connection.execute("SELECT count(*) FROM entries WHERE state != 'rejected'").fetchone()[0]
        assert open_ < known / 1000, f"{open_} entries lead to a page"

    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "news.db", mode="write") as store:
        asyncio.run(run(store))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("port", type=int)
    parser.add_argument("--feeds", type=int, default=300)
    given = parser.parse_args()
    rounds = Rounds(given.port, given.feeds)
    urls = [f"http://127.0.0.1:{given.port}/list/{n}" for n in range(given.feeds)]
    clients: dict[str, Callable[[], None]] = {
        "pakrus": lambda: pakrus(rounds, given.feeds),
        "reader": lambda: reader(rounds, urls),
        "aiohttp": lambda: bare_aiohttp(rounds, urls),
        "scrapy-ours": lambda: bare_scrapy(rounds, urls, ours=True),
        "scrapy": lambda: bare_scrapy(rounds, urls, ours=False),
    }
    socket.setdefaulttimeout(300)
    clients[given.client]()


if __name__ == "__main__":
    main()
