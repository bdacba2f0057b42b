"""What the crawl costs beside bare Scrapy: feeds and pages of a server on loopback, each mode in a process of its own.

    python benchmarks/speed/fetching.py [--feeds 300] [--hosts 100] [--rounds 2]

Modes: `twisted` and `aiohttp` are Scrapy with our settings and its own download handlers, without middlewares and
store; they only fetch. `reading` is `aiohttp` that also reads feeds and takes the cheap look at each page, as we do.
`crawl` is the real crawl with its database, guard, robots.txt, pace and ledger. Two loads: feeds that are unchanged,
and feeds of ten items with a page each. Compare CPU a request within one run; the machine's load moves the rest.
"""

import argparse
import asyncio
import json
import logging
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

SENTENCE = "The council of the city spoke of wheat, water and the price of cotton at its last meeting. "
MENU = "".join(f"<li><a href='/section/{i}'>Section {i}</a></li>" for i in range(150))
PAGE = (
    "<!doctype html><html><head><title>Wheat</title></head><body>"
    f"<ul>{MENU}</ul>{'<script>var a = 1;</script>' * 300}{f'<p>{SENTENCE * 6}</p>' * 12}</body></html>"
).encode()
MODES = ("twisted", "aiohttp", "reading", "crawl")


async def serve(port: int) -> None:
    """Feeds under /feed<n> with an ETag, a page everywhere else, no robots.txt."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = head.split(" ", 2)[1]
                host = next(x for x in head.split("\r\n") if x.lower().startswith("host:"))[5:].strip()
                kind, body = "text/html; charset=utf-8", PAGE
                if path == "/robots.txt":
                    writer.write(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
                elif path.startswith("/feed") and "if-none-match" in head.lower():
                    writer.write(b'HTTP/1.1 304 Same\r\nETag: "1"\r\n\r\n')
                else:
                    if path.startswith("/feed"):
                        kind, body = "application/rss+xml", feed(host, path[5:])
                    first = f'HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nETag: "1"\r\nContent-Length: {len(body)}'
                    writer.write(first.encode() + b"\r\n\r\n" + body)
                await writer.drain()
                if "connection: close" in head.lower():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


def feed(host: str, number: str) -> bytes:
    items = "".join(
        f"<item><title>Wheat {number} {i}</title><link>http://{host}/page{number}-{i}</link></item>" for i in range(10)
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>{items}</channel></rss>".encode()


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def figures(load: str, requests: int, began: float, used: float) -> dict[str, Any]:
    seconds = time.monotonic() - began
    return {
        "load": load,
        "requests": requests,
        "per_s": round(requests / seconds),
        "cpu_ms": round((cpu() - used) / requests * 1000, 3),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


async def bare(port: int, urls: list[str], mode: str, load: str) -> dict[str, Any]:
    import scrapy
    from scrapy.crawler import Crawler

    from crawler.classify import may_concern
    from crawler.lexicon import load as load_lexicon
    from crawler.readers import read
    from crawler.spiders.settings import SETTINGS

    settings = dict(SETTINGS) | {"CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 2}
    settings.pop("DOWNLOAD_HANDLERS")
    if mode == "twisted":
        settings |= {"TWISTED_REACTOR_ENABLED": True}
    lexicon = load_lexicon()
    may_concern(PAGE, country="PK", lexicon=lexicon)
    seen = 0

    class Bare(scrapy.Spider):
        name = "bare"

        async def start(self) -> Any:
            for url in urls:
                headers = {"If-None-Match": '"1"'} if load == "unchanged" else None
                yield scrapy.Request(url, headers=headers, dont_filter=True)

        def parse(self, response: Any) -> Any:
            nonlocal seen
            seen += 1
            if mode == "reading" and response.status == 200:
                if "/feed" in response.url:
                    read("feed", response.body, url=response.url)
                else:
                    may_concern(response.body, country="PK", lexicon=lexicon)
            if load == "pages" and "/feed" in response.url:
                base, _, number = response.url.rpartition("/feed")
                for i in range(10):
                    yield scrapy.Request(f"{base}/page{number}-{i}", dont_filter=True)

    began, used = time.monotonic(), cpu()
    await Crawler(Bare, settings | {"HTTPERROR_ALLOW_ALL": True}).crawl_async()
    return figures(load, seen, began, used)


async def ours(port: int, urls: list[str], folder: str) -> list[dict[str, Any]]:
    from crawler.app import App
    from crawler.config import parse_config
    from crawler.spiders.engine import crawl
    from crawler.workers import Pool
    from store.connection import open_store

    names = sorted({url.split("/")[2] for url in urls})
    resolve = ", ".join(f'{name}: "127.0.0.1:{port}"' for name in names)
    sources = "".join(f"  - {{id: s{i}, url: '{url}', kind: feed, country: PK}}\n" for i, url in enumerate(urls))
    settings = f"per_host_delay: 0s, allow_private_addresses: [127.0.0.0/8], resolve: {{{resolve}}}"
    text = f"crawl: {{{settings}}}\nsources:\n{sources}"
    out = []
    with open_store(Path(folder) / "news.db", mode="write") as store:
        app = App(parse_config(text), store, random=Random(1))
        app.sync_sources()
        _ = app.lexicon
        async with Pool(1) as pool:
            await asyncio.sleep(4)  # the worker has started
            for load in ("pages", "unchanged"):
                began, used = time.monotonic(), cpu()
                summary = await crawl(app, pool, everything=True)
                out.append(figures(load, summary.requests, began, used))
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
    urls = [f"http://h{i % hosts}.test/feed{i}" for i in range(feeds)]
    if mode == "crawl":
        with tempfile.TemporaryDirectory() as folder:
            for row in asyncio.run(ours(port, urls, folder)):
                print(json.dumps(row))
        return
    name_everything(port)
    if mode == "twisted":
        from scrapy.utils.reactor import install_reactor

        urls = [url.replace(".test/", f".test:{port}/") for url in urls]
        install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
        from twisted.internet import reactor
        from twisted.internet.defer import Deferred

        def finished(rows: Any) -> None:
            print(*(json.dumps(row) for row in rows), sep="\n")
            reactor.stop()

        async def both() -> list[dict[str, Any]]:
            return [await bare(port, urls, mode, load) for load in ("pages", "unchanged")]

        d = Deferred.fromFuture(asyncio.ensure_future(both(), loop=reactor._asyncioEventloop))
        d.addCallback(finished)
        reactor.run()
        return
    for load in ("pages", "unchanged"):
        print(json.dumps(asyncio.run(bare(port, urls, mode, load))))


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
                out = subprocess.run([*me, "--mode", mode], check=True, capture_output=True, text=True).stdout
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
            f"({row['cpu_ms'] / base['cpu_ms']:.2f} of aiohttp)  peak {row['rss_mb']} MB"
        )


if __name__ == "__main__":
    main()
