"""A newsroom of sites that lie, break, trap and pester: each behaviour is a case in cases/hostile/*.yaml, with what is
to come of it. All cases are crawled together, as `pakrus crawl` in processes of their own, pass after pass.

A case is a host of its own, ``NAME.test``, and the source of that id. Its keys:

``behaviour``  what the site does and what is to come of it, in words
``source``     what feeds.yaml says beside the defaults (kind feed, country PK, url http://NAME.test/feed)
``serve``      path -> answer, or the answers of one visit after another; ``other:/path`` is on other.NAME.test,
               ``https:/path`` behind TLS. An answer: see `_answer`. What is not there answers 404
``at``         when the passes are made; else after 0, 15 min, 2 h, 10 h, 2 d, 6 d, as many as there are visits
``visits``     the outcome of each; ``error``: what the last one's says; ``seconds``: how long each may take
``entries``    path or URL -> state, or [state, what the reason says], in the end; ``count``: state -> how many
``asked``      path -> how many requests came; ``sent``: path -> header -> its value in each request, null for none
``gaps``       seconds that lie at least between two requests to the host
``text``       path -> what the stored text says; ``title`` likewise
``rows``       SQL over the database (`:id` is the source) -> the value
"""

import asyncio
import contextlib
import gzip
import hashlib
import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import Any, Self

import yaml

from tests.crawl_site import Answer, Asked, Site
from tests.newsroom import article, item, rss

ROOT = Path(__file__).parent.parent
CASES = ROOT / "tests" / "cases" / "hostile"
NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
PASSES = tuple(timedelta(minutes=m) for m in (0, 15, 120, 600, 2 * 1440, 6 * 1440))
TIMEOUT_S = 2.0

# --- answers ----------------------------------------------------------------------------------------------------------

_WORDS = (
    "wheat cargo railway freight terminal port energy pipeline tariff corridor customs bank payment fertiliser steel"
    " textile rice citrus potash turbine refinery tender delegation session protocol schedule transit insurance"
).split()


def story(seed: str) -> tuple[str, list[str]]:
    """Headline and paragraphs of an article on the beat, another one for each seed."""
    random = Random(seed)
    words = [random.sample(_WORDS, 6) for _ in range(6)]
    title = f"Pakistan and Russia agree on {words[0][0]} and {words[0][1]} ({hashlib.sha256(seed.encode()).hexdigest()[:6]})"
    lines = [
        f"Pakistan and Russia signed an agreement on {w[0]} and {w[1]} in Islamabad, officials of the two countries said."
        f" The {w[2]} plan covers {random.randint(100, 999)} thousand tons of {w[3]}, and a {w[4]} committee is to meet"
        f" in Moscow over the {w[5]} in {random.choice(['spring', 'summer', 'autumn'])}."
        for w in words
    ]
    return title, lines


def page(seed: str, head: str = "") -> bytes:
    title, lines = story(seed)
    # Over a year and a half, so that they are not one story of two hundred articles.
    day = NOW - timedelta(days=int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 500)
    return article(title, lines, published=f"{day:%Y-%m-%dT%H:%M:%SZ}", head=head).encode()


def feed_of(paths: Sequence[Any], base: str) -> bytes:
    """RSS of these items: a path, or a mapping of `item`'s arguments."""
    items = []
    for one in paths:
        given = one if isinstance(one, dict) else {"link": one}
        defaults = {"title": story(f"{base}{given.get('link', '')}")[0], "published": format_datetime(NOW)}
        items.append(item(**{"link": "", **defaults, **given}))
    return rss(items, base=base).encode()


def head_of(status: int, headers: Mapping[str, Any], *, reason: str = "Said", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}"]
    for name, value in headers.items():
        lines += [f"{name}: {one}" for one in (value if isinstance(value, list) else [value])]
    if length is not None and status not in (204, 304) and not {"Content-Length", "Transfer-Encoding"} & set(headers):
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8")


def _gzipped(text: str, times: int) -> bytes:
    data = text.encode()
    for _ in range(times):
        data = gzip.compress(data, mtime=0)
    return data


def _bomb(layers: int) -> bytes:
    data = b"\0" * 60_000_000
    for _ in range(layers):
        data = gzip.compress(data, mtime=0)
    return data


MADE = {
    "bomb": lambda: _bomb(1),
    "double bomb": lambda: _bomb(2),
    "zlib bomb": lambda: zlib.compress(b"<rss>" + b" " * 60_000_000),
    "twelve megabytes": lambda: b"<rss><channel>" + b"<item><title>x</title></item>" * 420_000,
    "deep": lambda: b"<rss><channel>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</channel></rss>",
    "attributes": lambda: b"<rss><channel><item " + b" ".join(b"a%d='1'" % i for i in range(60_000)) + b"/></channel></rss>",
    "twenty thousand": lambda: feed_of([{"title": f"Quiet day no {i}", "link": f"/{i}"} for i in range(20_000)], "http://{host}"),
    "laughs": lambda: (
        b'<!DOCTYPE r [<!ENTITY a "ha">' + b"".join(
            b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(20)
        ) + b"]><rss><channel><item><title>&u;</title><link>/a</link></item></channel></rss>"
    ),
    "json brackets": lambda: b"[" * 100_000,
    "long link": lambda: feed_of([{"title": "Pakistan Russia", "link": "/" + "x" * 100_000, "guid": "g"}], "http://{host}"),
    "deep sitemap": lambda: b"<urlset>" + b"<url>" * 100_000,
    "many links": lambda: b"<html><body>" + b"".join(
        b"<div class=c><h3><a href=/2026/11/25/a-b-c-%d>A quiet day at the office no %d</a></h3></div>" % (i, i) for i in range(60_000)
    ),
    "binary": lambda: Random(7).randbytes(50_000),
    "fifty thousand urls": lambda: b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>" + b"".join(
        b"<url><loc>http://{host}/quiet/%d</loc><lastmod>2026-11-2%dT00:00:00Z</lastmod></url>" % (i, i % 5) for i in range(50_000)
    ) + b"</urlset>",
    "sitemap bomb": lambda: gzip.compress(
        b"<urlset>" + b"<url><loc>http://{host}/x</loc></url>" * 6_000 + b" " * 9_000_000 + b"</urlset>", mtime=0
    ),
    "deep page": lambda: b"<html><body>" + b"<div>" * 100_000 + b"Pakistan Russia",
    "many tags": lambda: b"<html><body>Pakistan Russia" + b"<p>x</p><a href=/a>b</a>" * 150_000,
    "nulls": lambda: page("nulls").replace(b"Russia", b"Rus\0sia").replace(b"<p>", b"\0<p>\0"),
    "pdf": lambda: b"%PDF-1.7\n" + Random(8).randbytes(20_000),
    "image": lambda: b"\x89PNG\r\n\x1a\n" + Random(9).randbytes(20_000),
    "robots, rule behind 500 KiB": lambda: b"User-agent: *\n" + b"#" * 99 + b"\n" + (b"Disallow: /n%06d\n" * 1) % 1
    + b"# filler\n" * 60_000 + b"Disallow: /\n",
    "robots, rule before 500 KiB": lambda: b"User-agent: *\nDisallow: /feed\n" + b"# filler\n" * 80_000,
    "gzip members": lambda: gzip.compress(b"", mtime=0) * 100_000,
    "cyrillic page": lambda: _cyrillic_page(),
    "urdu page": lambda: _urdu_page(),
}  # fmt: skip


def _cyrillic_page() -> bytes:
    lines = [
        "Россия и Пакистан подписали в Исламабаде соглашение о поставках пшеницы и удобрений, сообщили представители"
        f" двух стран. Партия номер {n} отправится из Новороссийска в порт Карачи, заявил министр торговли Пакистана."
        for n in range(3, 9)
    ]
    return article("Россия и Пакистан подписали соглашение", lines, language="ru").encode("cp1251", "replace")


def _urdu_page() -> bytes:
    lines = [
        "پاکستان اور روس نے اسلام آباد میں گندم کی درآمد کے معاہدے پر دستخط کیے، دونوں ممالک کے حکام نے بتایا۔"
        f" روسی وزیر نے کہا کہ کھیپ نمبر {n} کراچی کی بندرگاہ پر پہنچے گی اور پاکستان کے ساتھ تجارت بڑھے گی۔"
        for n in range(3, 9)
    ]
    return article("پاکستان اور روس کا معاہدہ", lines, language="ur").encode()


def _answer(spec: Any, base: str, url: str) -> Answer:
    """What a case says of an answer, as bytes or as a function.

    A text is a body. ``status``, ``headers``, ``body``; ``feed``: items; ``page``: an article of this seed (`head`: for
    its head); ``make``: one of MADE; ``gzip``: so many times; ``charset``: of the body; ``raw``: the whole answer, byte
    by byte. ``deflate``: zlib or raw; ``members``: so many of one gzip; ``chunked``: in chunks of so many bytes. ``end``: close, reset or hang behind it; ``drip``: seconds between two bytes of it; ``wait``: seconds before
    it; ``endless``: bytes repeated behind the head; ``etag``: answer 304 to it.
    """
    if not isinstance(spec, dict):
        spec = {"body": spec}
    if "raw" in spec:
        data = spec["raw"].encode("latin-1")
    else:
        body = spec.get("body", "")
        data = body.encode(spec.get("charset", "utf-8")) if isinstance(body, str) else bytes(body)
        kind = "text/html; charset=utf-8"
        if "feed" in spec:
            data, kind = feed_of(spec["feed"], base), "application/rss+xml"
        elif "page" in spec:
            data = page(f"{url} {spec['page']}", spec.get("head", ""))
        elif "make" in spec:
            data = MADE[spec["make"]]().replace(b"{host}", base.removeprefix("http://").encode())
        for _ in range(spec.get("gzip", 0)):
            data = gzip.compress(data, mtime=0)
        if "deflate" in spec:
            data = zlib.compress(data) if spec["deflate"] == "zlib" else zlib.compress(data)[2:-4]
        if "members" in spec:
            part = -(-len(data) // spec["members"])
            data = b"".join(gzip.compress(data[i : i + part], mtime=0) for i in range(0, len(data), part))
        if "chunked" in spec:
            size = spec["chunked"]
            parts = [data[i : i + size] for i in range(0, len(data), size)]
            data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
        headers = {"Content-Type": kind, **spec.get("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        data = head_of(spec.get("status", 200), headers, length=None if spec.get("end") else len(data)) + data
        if spec.get("cut"):
            data = data[: -spec["cut"]]
    if not {"end", "drip", "wait", "endless", "raw"} & spec.keys():
        return data

    async def act(asked: Asked, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await asyncio.sleep(spec.get("wait", 0))
            if "drip" in spec:
                for i in range(len(data)):
                    writer.write(data[i : i + 1])
                    await writer.drain()
                    await asyncio.sleep(spec["drip"])
            writer.write(data)
            await writer.drain()
            while "endless" in spec:
                writer.write(spec["endless"].encode() * 500)
                await writer.drain()
            if spec.get("end") == "hang":
                await asyncio.sleep(30)
            if spec.get("end") == "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                writer.transport.abort()

    return act


# --- cases ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    file: str
    name: str
    behaviour: str
    source: Mapping[str, Any] = field(default_factory=dict)
    serve: Mapping[str, Any] = field(default_factory=dict)
    at: Sequence[int] | None = None
    visits: Sequence[str] = ()
    expected: Mapping[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"{self.name}.test"

    @property
    def other(self) -> str:
        return f"other.{self.host}"

    @property
    def base(self) -> str:
        return f"http://{self.host}"

    @property
    def passes(self) -> int:
        return max(1, len(self.visits))

    def place(self, place: str) -> tuple[str, str]:
        """The host and the target of the requests for a place; a whole URL is what a proxy is asked for."""
        if place.startswith("http://"):
            return place.split("/")[2], place
        where, _, path = place.rpartition(":") if not place.startswith("/") else ("", "", place)
        return (self.other if where == "other" else self.host), path

    def url(self, place: str) -> str:
        """``/path``, ``other:/path`` or a whole URL as a URL."""
        if place.startswith("/"):
            return self.base + place
        return f"http://{self.other}{place.removeprefix('other:')}" if place.startswith("other:") else place


def load() -> list[Case]:
    cases = []
    for path in sorted(CASES.glob("*.yaml")):
        for value in yaml.safe_load(path.read_text("utf-8")):
            name = value["name"]
            text = json.dumps(value, ensure_ascii=False)
            text = text.replace('"COOKIES"', json.dumps([f"c{i}={i}; Path=/" for i in range(1000)]))
            text = text.replace("{host}", f"{name}.test").replace("{other}", f"other.{name}.test")
            value = json.loads(text)
            known = {k: value.pop(k) for k in ("name", "behaviour", "source", "serve", "at", "visits") if k in value}
            cases.append(Case(file=path.stem, **known, expected=value))
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), sorted({n for n in names if names.count(n) > 1})
    return cases


class Newsroom:
    """The servers of all cases. A context manager."""

    def __init__(self, cases: Sequence[Case], folder: Path) -> None:
        self.cases = cases
        self.folder = folder
        self.plain = Site()
        self.secure = Site(context=_certificates(folder, [c.host for c in cases]))
        self.forbidden: list[str] = []  # connections to addresses that nobody may ask
        self._traps: list[socket.socket] = []
        for case in cases:
            for place, spec in case.serve.items():
                site = self.secure if place.startswith("https:") else self.plain
                host, path = case.place(place)
                answers = spec if isinstance(spec, list) else [spec]
                url = f"http://{host}{path}"
                site.pages[host, path] = _in_turn([_answer(one, f"http://{host}", url) for one in answers])

    def __enter__(self) -> Self:
        self.plain.__enter__()
        self.secure.__enter__()
        for address in ("127.0.0.2", "::1"):
            trap = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
            self._traps.append(trap)
            threading.Thread(target=self._caught, args=(trap, address), daemon=True).start()
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))
        return self

    def __exit__(self, *_: object) -> None:
        for trap in self._traps:
            trap.shutdown(socket.SHUT_RDWR)
            trap.close()
        self._closed.close()
        self.secure.__exit__(None, None, None)
        self.plain.__exit__(None, None, None)

    def _caught(self, trap: socket.socket, address: str) -> None:
        while True:
            try:
                connection, _ = trap.accept()
            except OSError:
                return
            self.forbidden.append(address)
            connection.close()

    def config(self) -> str:
        resolve = {}
        for case in self.cases:
            secure = any(place.startswith("https:") for place in case.serve)
            resolve[case.host] = f"127.0.0.1:{self.secure.port if secure else self.plain.port}"
            resolve[case.other] = f"127.0.0.1:{self.plain.port}"
        port, port6 = (trap.getsockname()[1] for trap in self._traps)
        resolve |= {"private.test": f"127.0.0.2:{port}", "private6.test": f"[::1]:{port6}",
                    "closed.test": f"127.0.0.1:{self._closed.getsockname()[1]}"}  # fmt: skip
        sources = []
        for case in self.cases:
            source = {"id": case.name, "url": f"{case.base}/feed", "kind": "feed", "country": "PK", "every": "15m"}
            source |= case.source
            text = (
                json.dumps(source)
                .replace("{port}", str(self.plain.port))
                .replace("{closed}", str(self._closed.getsockname()[1]))
            )
            sources.append(json.loads(text))
        value = {
            "database": "news.db",
            "crawl": {
                "concurrency": 16,
                "per_host_delay": "0s",
                "timeout": f"{TIMEOUT_S:g}s",
                "allow_private_addresses": ["127.0.0.1/32"],
                "resolve": resolve,
                "contact": "mailto:desk@newsroom.test",
            },
            "sources": sources,
        }
        return yaml.safe_dump(value, allow_unicode=True, sort_keys=False)


def _in_turn(answers: list[Answer]) -> Answer:
    """One answer after the other, a request each; the last one stays."""
    if len(answers) == 1 and isinstance(answers[0], bytes) and b"Connection: close" not in answers[0]:
        return answers[0]
    left = list(answers)

    async def act(asked: Asked, writer: asyncio.StreamWriter) -> None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if not isinstance(answer, bytes):
            await answer(asked, writer)
            return
        writer.write(answer.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        await writer.drain()

    return act


# --- certificates -----------------------------------------------------------------------------------------------------


def _certificates(folder: Path, hosts: Sequence[str]) -> ssl.SSLContext:
    """A server that shows ``expired.*`` an expired certificate, ``wrong-name.*`` another host's, ``self-signed.*`` its
    own, and all others one of the authority in ``ca.pem``."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.now(UTC)
    authority = ec.generate_private_key(ec.SECP256R1())
    root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hostile Newsroom CA")])

    def issue(host: str, *, days: int = 1, own: bool = False, ca: bool = False) -> tuple[Any, Any]:
        key = authority if ca else ec.generate_private_key(ec.SECP256R1())
        name = root if ca else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name if own else root).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )  # fmt: skip
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(key if own else authority, hashes.SHA256()), key

    certificate, _ = issue("", ca=True)
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    contexts: dict[str, ssl.SSLContext] = {}

    def context_of(host: str) -> ssl.SSLContext:
        if host not in contexts:
            shown = "elsewhere.test" if host.startswith("tls-wrong-name") else host
            certificate, key = issue(shown, days=-1 if host.startswith("tls-expired") else 1,
                                     own=host.startswith("tls-self-signed"))  # fmt: skip
            path = folder / f"{host}.pem"
            path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))  # fmt: skip
            context = contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path)
        return contexts[host]

    front = context_of("newsroom.test")

    def chosen(connection: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
        connection.context = context_of(host or "newsroom.test")

    front.sni_callback = chosen
    return front


# --- the crawl --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pass:
    at: datetime
    code: int
    summary: Mapping[str, Any]
    error: str
    seconds: float
    peak: int  # bytes resident of the process and its workers together


@dataclass(frozen=True)
class Crawled:
    """What all passes came to; `log` is every request of every pass."""

    folder: Path
    newsroom: Newsroom
    cases: Sequence[Case]
    passes: Sequence[Pass]
    log: Sequence[Asked]

    def requests(self, case: Case, place: str = "") -> list[Asked]:
        host, path = case.place(place)
        return [a for a in self.log if a.host == host and (not path or a.path == path)]

    @contextlib.contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(f"{(self.folder / 'news.db').as_uri()}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()


def pakrus(folder: Path, *arguments: str, **how: Any) -> subprocess.Popen[str]:
    """`pakrus` in a process of its own, at home in the folder and nowhere else."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"),
                   **how.pop("env", {})}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "crawler", *arguments], cwd=folder, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **how,
    )  # fmt: skip


def crawl(cases: Sequence[Case], folder: Path) -> Crawled:
    """All passes over all cases."""
    for name in ("home", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    passes = []
    with Newsroom(cases, folder) as newsroom:
        (folder / "feeds.yaml").write_text(newsroom.config(), "utf-8")
        moments = sorted({at for case in cases for at in _moments(case)})
        for moment in moments:
            chosen = [case.name for case in cases if moment in _moments(case)]
            passes.append(_pass(folder, NOW + moment, chosen))
    return Crawled(folder, newsroom, cases, passes, [*newsroom.plain.log, *newsroom.secure.log])


def _moments(case: Case) -> Sequence[timedelta]:
    return PASSES[: case.passes] if case.at is None else [timedelta(minutes=m) for m in case.at]


def _pass(folder: Path, at: datetime, names: Sequence[str]) -> Pass:
    sources = [part for name in names for part in ("--source", name)]
    began = time.monotonic()
    with pakrus(folder, "crawl", "--json", "--now", at.isoformat(), *sources) as process:
        memory = Memory(process.pid)
        out, error = process.communicate(timeout=300)
        peak = memory.end()
    if process.returncode:
        raise AssertionError(f"exit {process.returncode}: {error[-3000:]}")
    return Pass(at, process.returncode, json.loads(out), error, time.monotonic() - began, peak)


class Memory(threading.Thread):
    """Watches what a process and its descendants hold in memory together."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.peak = 0
        self.start()

    def run(self) -> None:
        while not self._over.wait(0.03):
            self.peak = max(self.peak, sum(resident(pid) for pid in family(self._pid)))

    def end(self) -> int:
        self._over.set()
        self.join()
        return self.peak


def family(pid: int) -> list[int]:
    """A process and its descendants, but for a child that is just being made: until then it is seen in our memory."""
    found = [pid]
    with contextlib.suppress(OSError):
        ours = Path(f"/proc/{pid}/cmdline").read_bytes()
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                if Path(f"/proc/{child}/cmdline").read_bytes() != ours:
                    found += family(int(child))
    return found


def resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        return int(match[1]) * 1024 if match else 0
    return 0
