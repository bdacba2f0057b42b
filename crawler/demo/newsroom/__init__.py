"""The demo's newsroom: invented papers and agencies on loopback, in every dialect that the crawler reads.

::

    with Newsroom(now=now) as newsroom:
        Path("feeds.yaml").write_text(newsroom.config_text())
        ...                      # first pass
        newsroom.advance()       # edits, new articles, one withdrawn
        ...                      # second pass
        newsroom.advance()       # a day later: the same again; the clock must be at `newsroom.clock()` now
        ...                      # third pass

All bytes follow from `now` and the number of the pass. Nothing listens anywhere but on 127.0.0.1.
"""

import hashlib
import re
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

import yaml

from crawler.demo.newsroom import feeds, pages
from crawler.demo.newsroom.content import Piece, pieces
from crawler.demo.newsroom.feeds import Item
from crawler.demo.newsroom.server import Answer, Hit, Request, Server, conditional
from crawler.demo.newsroom.sites import BY_ID, SITES, Site

__all__ = ["Expectation", "Newsroom"]

RETRY_AFTER_S = 2
NEXT_DAY = timedelta(days=1)  # from the first two passes to the third
WITNESS = Path(__file__).parent / "content" / "witness.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What should become of an article. `state`: kept, duplicate, rejected, or blocked (by robots.txt).

    Of a text and its copies one is kept and the others are duplicates: which one depends on what was read first.
    `seen`: the pass in which it appears on its site; `edited` and `withdrawn`: those in which it changes and goes, 0
    for never; `reachable`: False where its source is down.
    """

    id: str
    source: str
    url: str
    language: str
    grade: int
    sectors: tuple[str, ...]
    optional: tuple[str, ...]
    story: str
    copy_of: str
    state: str
    seen: int
    edited: int
    withdrawn: int
    reachable: bool


class Newsroom:
    """All sites behind one port of 127.0.0.1, told apart by the Host header; each dated relative to `now`."""

    def __init__(self, *, now: datetime, port: int = 0) -> None:
        if now.tzinfo is None:
            raise ValueError("the newsroom's now needs a zone")
        self.now = now.astimezone(UTC).replace(microsecond=0)
        self.number = 1
        self._routes = {1: self._publish(1)}
        self._lock = threading.Lock()
        self._throttled = {site.host: site.throttles for site in SITES}
        self._server = Server(self.answer, port=port)

    @property
    def port(self) -> int:
        return self._server.port

    def start(self) -> Self:
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def advance(self) -> int:
        """Moves on to the next pass and returns its number."""
        number = self.number + 1
        self._routes[number] = self._publish(number)
        self.number = number
        return number

    def clock(self, number: int | None = None) -> datetime:
        """The time at which that pass (default: the present one) takes place: nothing in it is dated later."""
        return self.now + (NEXT_DAY if (self.number if number is None else number) > 2 else timedelta())

    def hits(self, host: str = "", path: str = "") -> list[Hit]:
        """The requests so far, in order of arrival."""
        return self._server.hits(host, path)

    def forget(self) -> None:
        """Empties the log of requests."""
        self._server.forget()

    def resolve(self) -> dict[str, str]:
        """What `crawl.resolve` needs: where each host really is. The one that is down has a port that refuses."""
        return {s.host: self._server.closed_address if s.down else self._server.address for s in SITES}

    def config_text(self, *, database: str = "news.db", directory: str = "digests") -> str:
        """A feeds.yaml for this newsroom."""
        config = {
            "topic": "pakistan-russia", "timezone": "Asia/Karachi", "database": database,
            "digest": {"at": "07:00", "formats": ["md", "html"], "directory": directory, "send": []},
            "crawl": {
                "user_agent": "pakrus-demo/0.1", "contact": "https://example.org/bot", "concurrency": 16,
                "per_host_delay": "0.02s", "per_host_concurrency": 2, "timeout": "10s", "max_body": "2MB",
                "obey_robots": True, "allow_private_addresses": ["127.0.0.0/8"], "resolve": self.resolve(),
            },
            "sources": [_source(site) for site in SITES],
        }  # fmt: skip
        head = "# The demo's own sources: invented papers on this machine. Written anew by each `pakrus demo`.\n"
        return head + yaml.safe_dump(config, allow_unicode=True, sort_keys=False, width=110)

    def url(self, piece: Piece) -> str:
        """Where the piece stands."""
        site = BY_ID[piece.site]
        day = piece.published(self.now)
        local = day.astimezone(site.zone) if day else None
        words = quote("-".join(re.findall(r"\w+", piece.title)[:6]))
        path = site.article.format(
            slug=piece.id, number=number_of(piece), words=words,
            y=f"{local:%Y}" if local else "0", m=f"{local:%m}" if local else "0", d=f"{local:%d}" if local else "0",
        )  # fmt: skip
        return f"http://{site.host}{path}"

    def expected(self, *, number: int | None = None) -> tuple[Expectation, ...]:
        """What should have become of every article shown up to that pass (default: the present one)."""
        until = self.number if number is None else number
        return tuple(self._expected(piece) for piece in pieces() if piece.seen <= until)

    def _expected(self, piece: Piece) -> Expectation:
        site = BY_ID[piece.site]
        blocked = site.robots is not None and "Disallow: /story/" in site.robots
        state = "blocked" if blocked else "rejected" if piece.grade == 0 else "duplicate" if piece.copy_of else "kept"
        return Expectation(
            id=piece.id, source=site.id, url=self.url(piece), language=piece.language, grade=piece.grade,
            sectors=piece.sectors, optional=piece.optional, story=piece.story or piece.copy_of or piece.id,
            copy_of=piece.copy_of, state=state, seen=piece.seen, edited=piece.edit.seen if piece.edit else 0,
            withdrawn=piece.until + 1 if piece.until else 0, reachable=not site.down,
        )  # fmt: skip

    # what is served

    def answer(self, request: Request) -> Answer:
        """The answer to a request in the present pass."""
        site = next((s for s in SITES if s.host == request.host), None)
        if site is None or site.down:
            return Answer(HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain"}, b"no such host here\n")
        if request.path == site.feed and self._throttle(site.host):
            return Answer(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(RETRY_AFTER_S)}, b"slower, please\n")
        if site.old_feed and request.path == site.old_feed:
            return Answer(HTTPStatus.MOVED_PERMANENTLY, {"Location": f"http://{site.host}{site.feed}"})
        routes = self._routes[self.number]
        found = routes.get((site.host, request.path)) or routes.get((site.host, request.path.split("?")[0]))
        if found is None:
            return Answer(HTTPStatus.NOT_FOUND, _type(site, "text/html"), _bytes(site, pages.missing(site)))
        return conditional(request, found)

    def _throttle(self, host: str) -> bool:
        with self._lock:
            left = self._throttled[host]
            self._throttled[host] = max(0, left - 1)
        return left > 0

    def _publish(self, number: int) -> dict[tuple[str, str], Answer]:
        routes: dict[tuple[str, str], Answer] = {}
        for site in SITES:
            own = [piece for piece in pieces() if piece.site == site.id]
            routes |= {(site.host, path): answer for path, answer in self._site(site, own, number).items()}
        return routes

    def _site(self, site: Site, own: Sequence[Piece], number: int) -> dict[str, Answer]:
        standing = {piece.id: self._item(piece, number) for piece in own if piece.stands_in(number)}
        listed = sorted(standing.values(), key=_order, reverse=True) + self._witnessed(site)
        seen = [i.updated or i.published for i in listed if i.published]
        newest = max((at for at in seen if at), default=self.now)
        changed = [n for p in own for n in _changes(p) if n <= number]
        if changed:
            newest = self.clock(max(changed))
        routes: dict[str, Answer] = {}
        if site.kind == "listing":
            routes[site.feed] = self._page(site, pages.listing(site, listed), newest)
            media_type = "text/html"
        else:
            media_type, write = feeds.DIALECTS[site.dialect]
            routes[site.feed] = self._answer(site, media_type, _bytes(site, write(site, listed)), newest)
        if site.dialect == "sitemap-index":
            for path, body in feeds.sitemap_children(site, listed).items():
                routes[path] = self._answer(site, "application/gzip", body, newest)
        if site.robots is not None:
            routes["/robots.txt"] = Answer(headers={"Content-Type": "text/plain"}, body=site.robots.encode())
        if not site.page:
            return routes
        routes["/"] = self._page(site, pages.home(site, listed, media_type), newest)
        for piece in own:
            path = urlsplit(self.url(piece)).path
            if piece.until is not None and number > piece.until:
                gone = Answer(HTTPStatus.GONE, _type(site, "text/html"), _bytes(site, pages.missing(site)))
                routes[path] = gone
            if piece.id not in standing:
                continue
            item = standing[piece.id]
            at = item.updated or item.published or self.now - timedelta(days=1)
            routes[path] = self._page(site, pages.article(site, item, self._around(piece, own, number)), at)
            if site.page == "meridian":
                routes["/amp" + path] = self._page(site, pages.amp(site, item), at)
        return routes

    def _around(self, piece: Piece, own: Sequence[Piece], number: int) -> pages.Surroundings:
        # only what stood there from the beginning and stays: so that a page changes when its article does
        steady = [p for p in own if p.seen == 1 and p.until is None and p.edit is None and p.id != piece.id]
        start = zlib.crc32(piece.id.encode()) % max(1, len(steady))
        turned = [self._item(p, 1) for p in steady[start:] + steady[:start]]
        below = next((p for p in own if p.id == piece.below), None)
        return pages.Surroundings(
            recent=turned[:5], related=turned[5:8], below=self._item(below, number) if below else None
        )

    def _item(self, piece: Piece, number: int) -> Item:
        site = BY_ID[piece.site]
        at = piece.published(self.now)
        local = at.astimezone(site.zone) if at else None
        day = (at or self.now).astimezone(site.zone).date()
        shown = piece.in_pass(number).dated(day)
        edited = self.clock(piece.edit.seen) if piece.edit and piece.edit.seen <= number else None
        return Item(
            number=number_of(piece), url=self.url(piece), title=shown.title, summary=shown.summary, body=shown.body,
            author=shown.author, published=local, updated=edited.astimezone(site.zone) if edited else None,
        )  # fmt: skip

    def _witnessed(self, site: Site) -> list[Item]:
        """What the search feed lists: a few of our papers' articles, and some that no source of ours has."""
        if site.role != "witness":
            return []
        content = yaml.safe_load(WITNESS.read_text(encoding="utf-8"))
        ours = {piece.id: piece for piece in pieces()}
        items = []
        for line in content:
            if "piece" in line:
                piece = ours[line["piece"]]
                known = self._item(piece, 1)
                home = BY_ID[piece.site]
                title, hours, name, where = known.title, piece.hours or -1.0, home.name, f"http://{home.host}"
            else:
                title, hours, name, where = line["title"], line["hours"], line["publisher"], line["publisher_url"]
            at = (self.now + timedelta(hours=hours)).replace(second=0)
            code = zlib.crc32(title.encode())
            link = f"http://{site.host}" + site.article.format(number=code)
            items.append(Item(number=code, url=link, title=f"{title} - {name}", summary=title, body=(), author="",
                              published=at, updated=None, publisher=name, publisher_url=where))  # fmt: skip
        return items

    def _page(self, site: Site, html: str, at: datetime) -> Answer:
        return self._answer(site, "text/html", _bytes(site, html), at)

    def _answer(self, site: Site, media_type: str, body: bytes, at: datetime) -> Answer:
        headers = dict(_type(site, media_type))
        if site.etag:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if site.modified:
            headers["Last-Modified"] = format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)
        return Answer(headers=headers, body=body, compress=site.compress)


def _changes(piece: Piece) -> list[int]:
    """The passes, after the first, in which the piece appears, changes or goes."""
    passes = [piece.seen, piece.edit.seen if piece.edit else 0, piece.until + 1 if piece.until else 0]
    return [number for number in passes if number > 1]


def number_of(piece: Piece) -> int:
    """A number for the piece's URL and guid: any, but always the same."""
    return 100_000 + zlib.crc32(piece.id.encode()) % 900_000


def _order(item: Item) -> tuple[bool, datetime, int]:
    return item.published is not None, item.published or datetime.min.replace(tzinfo=UTC), item.number


def _bytes(site: Site, text: str) -> bytes:
    return text.encode(site.charset, "xmlcharrefreplace")


def _type(site: Site, media_type: str) -> Mapping[str, str]:
    binary = media_type.endswith(("json", "gzip"))
    return {
        "Content-Type": media_type if binary or site.declares == "body" else f"{media_type}; charset={site.charset}"
    }


def _source(site: Site) -> dict[str, Any]:
    line: dict[str, Any] = {
        "id": site.id, "name": site.name, "url": site.source_url, "kind": site.kind, "country": site.country,
        "language": site.language, "every": "15m", "timezone": site.zone.key,
    }  # fmt: skip
    if site.selector:
        line["selector"] = site.selector
    if site.role != "source":
        line["role"] = site.role
    return line
