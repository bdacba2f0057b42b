"""What the crawl costs beside bare Scrapy: feeds and pages of a server on loopback, each mode in a process of its own.

    python benchmarks/speed/fetching.py [--feeds 300] [--hosts 100] [--rounds 2]

Modes: `twisted` and `aiohttp` are Scrapy with our settings and its own download handlers, without middlewares and
store; they only fetch. `reading` is `aiohttp` that also reads what it fetched as we do: feeds in a worker, the cheap
look at each page, the extraction of what passes it in a worker, the verdict; and forgets it. `crawl` is the real crawl
with its database, guard, robots.txt, pace and ledger.

Loads: `pages`, feeds of ten items with a page each, of which the cheap look rules out every one; `unchanged`, the same
feeds again, answered 304; `kept`, a tenth as many pages, each of which concerns both sides. Compare CPU a request (of
this process, and of its workers) within one run; the machine's load moves the rest. `lag` is by how much a task that
asks for 10 ms of sleep is late, at the 50th and the 99th percentile.
"""

import argparse
import asyncio
import json
import logging
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).parents[1]))
import loopback

SENTENCE = "The council of the city spoke of wheat, water and the price of cotton at its last meeting. "
MENU = "".join(f"<li><a href='/section/{i}'>Section {i}</a></li>" for i in range(150))
PAGE = (
    "<!doctype html><html><head><title>Wheat</title></head><body>"
    f"<ul>{MENU}</ul>{'<script>var a = 1;</script>' * 300}{f'<p>{SENTENCE * 6}</p>' * 12}</body></html>"
).encode()
BOTH = (
    "<!doctype html><html><head><title>Wheat from Russia {0}</title></head><body>"
    f"<ul>{MENU}</ul>{'<script>var a = 1;</script>' * 300}<article><h1>Wheat from Russia {{0}}</h1>"
    "<p>Pakistan and Russia agreed on {0} thousand tonnes of wheat, the ministry in Islamabad said. Moscow will supply "
    "the grain to Karachi under contract {0}, Russian Deputy Prime Minister Alexei Overchuk said.</p>"
)
LOADS = ("pages", "unchanged", "kept")
MODES = ("twisted", "aiohttp", "reading", "crawl")


async def serve(port: int) -> None:
    """Feeds under /feed<n> with an ETag, a page everywhere else, no robots.txt."""

    def answer(host: str, path: str, head: str) -> tuple[str, bytes]:
        if path == "/robots.txt":
            return "404 No", b""
        if path.startswith("/feed") and "if-none-match" in head.lower():
            return '304 Same\r\nETag: "1"', b""
        kind, body = "text/html; charset=utf-8", PAGE
        if path.startswith("/feed"):
            kind, body = "application/rss+xml", feed(host, path[5:])
        elif path.startswith("/pagekept"):
            body = both(path)
        return f'200 OK\r\nContent-Type: {kind}\r\nETag: "1"', body

    await loopback.serve(answer, port=port)


def both(path: str) -> bytes:
    """A page that concerns both sides; each says something else."""
    random = Random(path)
    words = ["".join(random.choices("bcdfghklmnprstv", k=1) + random.choices("aeiou", k=1)) * 2 for _ in range(400)]
    told = "".join(f"<p>{' '.join(random.choices(words, k=70))}.</p>" for _ in range(12))
    return f"{BOTH.format(random.randrange(100, 100_000))}{told}</article></body></html>".encode()


def feed(host: str, number: str) -> bytes:
    items = "".join(
        f"<item><title>Wheat {number} {i}</title><link>http://{host}/page{number}-{i}</link></item>" for i in range(10)
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>{items}</channel></rss>".encode()


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def workers_cpu() -> float:
    """CPU seconds of this process's children so far."""
    ticks = 0
    for task in Path("/proc/self/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except FileNotFoundError:
            continue  # a thread that has just ended
        for pid in children:
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


class Measured:
    """What a stretch of work costs: ``async with Measured(load) as measured: ...``, then `figures`."""

    def __init__(self, load: str) -> None:
        self.load = load
        self.requests = 0
        self.figures: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        self._lags: list[float] = []
        self._late = asyncio.create_task(self._note())
        self._began = time.monotonic(), cpu(), workers_cpu()
        return self

    async def __aexit__(self, *_: object) -> None:
        began, own, others = self._began
        seconds, own, others = time.monotonic() - began, cpu() - own, workers_cpu() - others
        self._late.cancel()
        self._lags.sort()
        self.figures = {
            "load": self.load,
            "requests": self.requests,
            "per_s": round(self.requests / seconds),
            "cpu_ms": round(own / self.requests * 1000, 3),
            "workers_ms": round(others / self.requests * 1000, 3),
            "lag_ms": [round(self._lags[int(len(self._lags) * q)] * 1000) for q in (0.5, 0.99)],
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }

    async def _note(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            self._lags.append(time.monotonic() - began - 0.01)


def lists(load: str, feeds: int, hosts: int) -> list[str]:
    """The addresses of a load's feeds."""
    kept = "kept" if load == "kept" else ""
    return [f"http://h{i % hosts}.test/feed{kept}{i}" for i in range(max(1, feeds // 10) if kept else feeds)]


async def bare(urls: list[str], mode: str, load: str) -> dict[str, Any]:
    import scrapy
    from scrapy.crawler import Crawler

    from crawler.classify import classify, may_concern
    from crawler.lexicon import load as load_lexicon
    from crawler.spiders.settings import SETTINGS
    from crawler.types import Document, Text
    from crawler.workers import Pool

    settings = dict(SETTINGS) | {"CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 2}
    settings.pop("DOWNLOAD_HANDLERS")
    if mode == "twisted":
        settings |= {"TWISTED_REACTOR_ENABLED": True}
    lexicon = load_lexicon()
    may_concern(PAGE, country="PK", lexicon=lexicon)
    measured = Measured(load)
    pool = Pool(1)

    async def read(response: Any) -> None:
        if "/feed" in response.url:
            await pool.run("read", "feed", response.body, url=response.url)
        elif may_concern(response.body, country="PK", lexicon=lexicon):
            page: Document = await pool.run("extract", response.body, url=response.url)
            classify(Text(title=page.title, text=page.text, language="", url=page.url, country="PK"), lexicon)

    class Bare(scrapy.Spider):
        name = "bare"

        async def start(self) -> Any:
            for url in urls:
                headers = {"If-None-Match": '"1"'} if load == "unchanged" else None
                yield scrapy.Request(url, headers=headers, dont_filter=True)

        async def parse(self, response: Any) -> Any:
            measured.requests += 1
            if mode == "reading" and response.status == 200:
                await read(response)
            if load != "unchanged" and "/feed" in response.url:
                base, _, number = response.url.rpartition("/feed")
                for i in range(10):
                    yield scrapy.Request(f"{base}/page{number}-{i}", dont_filter=True)

    if mode == "reading":
        await pool.run("read", "feed", feed("h.test", "1"), url="http://h.test/")  # the worker has started
    async with measured:
        await Crawler(Bare, settings | {"HTTPERROR_ALLOW_ALL": True}).crawl_async()
    pool.close()
    return measured.figures


async def ours(port: int, feeds: int, hosts: int, folder: str) -> list[dict[str, Any]]:
    from crawler.app import App
    from crawler.classify import may_concern
    from crawler.config import parse_config
    from crawler.lexicon import load as load_lexicon
    from crawler.spiders.engine import crawl
    from crawler.workers import Pool
    from store.connection import open_store

    resolve = ", ".join(f'h{i}.test: "127.0.0.1:{port}"' for i in range(hosts))
    settings = f"per_host_delay: 0s, allow_private_addresses: [127.0.0.0/8], resolve: {{{resolve}}}"
    out = []
    may_concern(PAGE, country="PK", lexicon=load_lexicon())  # as in `bare`: what is made once is not of any request
    async with Pool(1) as pool:
        await pool.run("read", "feed", feed("h.test", "1"), url="http://h.test/")
        with open_store(Path(folder) / "empty.db", mode="write") as store:
            await crawl(App(parse_config("sources: []"), store), pool)
        for loads in (("pages", "unchanged"), ("kept",)):
            urls = lists(loads[0], feeds, hosts)
            lines = "".join(f"  - {{id: s{i}, url: '{url}', kind: feed, country: PK}}\n" for i, url in enumerate(urls))
            config = parse_config(f"crawl: {{{settings}}}\nsources:\n{lines}")
            with open_store(Path(folder) / f"{loads[0]}.db", mode="write") as store:
                app = App(config, store, random=Random(1))
                app.sync_sources()
                _ = app.lexicon
                for load in loads:
                    async with Measured(load) as measured:
                        measured.requests = (await crawl(app, pool, everything=True)).requests
                    out.append(measured.figures)
                if loads == ("kept",):
                    assert store.connection.execute("SELECT count(*) FROM articles").fetchone()[0] == len(urls) * 10
    return out


def name_everything(port: int) -> None:
    """Every name is our server, for Scrapy's own handlers too."""
    plain = socket.getaddrinfo

    def look_up(host: Any, service: Any, *more: Any, **named: Any) -> Any:
        if isinstance(host, str) and host.endswith(".test"):
            return plain("127.0.0.1", port, *more, **named)
        return plain(host, service, *more, **named)

    socket.getaddrinfo = look_up

    import aiohttp

    made = aiohttp.ThreadedResolver.resolve

    async def resolve(self: Any, host: str, port_: int = 0, family: Any = socket.AF_INET) -> Any:
        found = await made(self, host, port_, family)
        return [one | {"port": port} for one in found] if host.endswith(".test") else found

    aiohttp.ThreadedResolver.resolve = resolve  # type: ignore[method-assign]


def run(mode: str, port: int, feeds: int, hosts: int) -> None:
    """One mode in this process; its figures as JSON lines."""
    logging.getLogger().setLevel(logging.ERROR)
    if mode == "crawl":
        with tempfile.TemporaryDirectory() as folder:
            for row in asyncio.run(ours(port, feeds, hosts, folder)):
                print(json.dumps(row))
        return
    name_everything(port)
    if mode == "twisted":
        from scrapy.utils.reactor import install_reactor

        install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
        from twisted.internet import reactor
        from twisted.internet.defer import Deferred

        def finished(rows: Any) -> None:
            print(*(json.dumps(row) for row in rows), sep="\n")
            reactor.stop()

        async def both() -> list[dict[str, Any]]:
            return [
                await bare([url.replace(".test/", f".test:{port}/") for url in lists(load, feeds, hosts)], mode, load)
                for load in LOADS
            ]

        d = Deferred.fromFuture(asyncio.ensure_future(both(), loop=reactor._asyncioEventloop))
        d.addCallback(finished)
        reactor.run()
        return
    for load in LOADS:
        print(json.dumps(asyncio.run(bare(lists(load, feeds, hosts), mode, load))))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=300)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--port", type=int, default=18_765)
    parser.add_argument("--mode", choices=[*MODES, "serve"])
    given = parser.parse_args()
    if given.mode == "serve":
        asyncio.run(serve(given.port))
    elif given.mode:
        run(given.mode, given.port, given.feeds, given.hosts)
    else:
        compare(given)


def compare(given: argparse.Namespace) -> None:
    """All modes, in turn, `rounds` times; the best of each."""
    me = [sys.executable, __file__, "--feeds", str(given.feeds), "--hosts", str(given.hosts), "--port", str(given.port)]
    server = subprocess.Popen([*me, "--mode", "serve"], stdout=subprocess.PIPE)
    assert server.stdout is not None
    server.stdout.readline()
    best: dict[tuple[str, str], dict[str, Any]] = {}
    try:
        for _ in range(given.rounds):
            for mode in MODES:
                out = subprocess.run([*me, "--mode", mode], check=True, stdout=subprocess.PIPE, text=True).stdout
                for row in map(json.loads, out.splitlines()):
                    key = (row["load"], mode)
                    if key not in best or row["cpu_ms"] < best[key]["cpu_ms"]:
                        best[key] = row
    finally:
        server.kill()
    for (load, mode), row in sorted(best.items()):
        base = best[load, "aiohttp"]
        print(
            f"{load:10} {mode:8} {row['requests']:6} requests {row['per_s']:5}/s  {row['cpu_ms']:6.3f} CPU-ms each "
            f"({row['cpu_ms'] / base['cpu_ms']:.2f} of aiohttp), workers {row['workers_ms']:6.3f}  "
            f"lag {row['lag_ms'][0]} and {row['lag_ms'][1]} ms  peak {row['rss_mb']} MB"
        )


if __name__ == "__main__":
    main()
