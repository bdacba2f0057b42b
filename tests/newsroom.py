"""One good fake web for the tests: real sockets on 127.0.0.1, any number of invented hosts, every request written down.

::

    with Newsroom() as newsroom:
        dawn = newsroom.site("dawn.test")
        dawn.feed("/rss", [item("Talks open", "/a")])
        dawn.page("/a", article("Talks open", ["Pakistan and Russia ..."]))
        dawn.answers("/b", [Answer(429, {"Retry-After": "5"}), Answer(200, HTML, b"...")])
        dawn.redirect("/old", "/rss")
        ...
        assert [hit.status for hit in dawn.hits("/rss")] == [200, 304]

`newsroom.resolve()` is what `crawl.resolve` needs; pages and feeds carry an ETag and answer 304 by themselves.
Paths may be changed at any time; hosts and paths that nobody declared answer 404.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Self

from crawler.demo.newsroom.server import Answer, Hit, Request, Server, conditional

__all__ = ["HTML", "RSS", "Answer", "Newsroom", "Request", "Site", "article", "item", "rss"]

HTML: Mapping[str, str] = {"Content-Type": "text/html; charset=utf-8"}
RSS: Mapping[str, str] = {"Content-Type": "application/rss+xml; charset=utf-8"}


@dataclass(frozen=True)
class Item:
    title: str
    link: str
    published: str = ""  # as it stands in pubDate
    summary: str = ""
    content: str = ""  # HTML for content:encoded
    guid: str = ""


def item(title: str, link: str, published: str = "", summary: str = "", content: str = "", guid: str = "") -> Item:
    """An item of a feed; a link without a host is relative to its site."""
    return Item(title, link, published, summary, content, guid)


def rss(
    items: Sequence[Item], *, base: str = "", title: str = "Test feed", language: str = "en", extra: str = ""
) -> str:
    """An RSS 2.0 feed. `extra`: XML for the channel, as it is (``<ttl>60</ttl>``)."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>',
             '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>',
             f"<title>{escape(title)}</title><link>{base}/</link><language>{language}</language>{extra}"]  # fmt: skip
    for one in items:
        link = base + one.link if one.link.startswith("/") else one.link
        lines.append(f"<item><title>{escape(one.title)}</title><link>{escape(link)}</link>")
        lines.append(f"<guid>{escape(one.guid or link)}</guid>")
        lines.append(f"<pubDate>{one.published}</pubDate>" if one.published else "")
        lines.append(f"<description>{escape(one.summary)}</description>" if one.summary else "")
        lines.append(f"<content:encoded><![CDATA[{one.content}]]></content:encoded>" if one.content else "")
        lines.append("</item>")
    return "\n".join([*(line for line in lines if line), "</channel></rss>"])


def article(title: str, paragraphs: Sequence[str], *, published: str = "", language: str = "en", head: str = "") -> str:
    """A plain article page. `published`: an ISO time for its meta tag; `head`: further HTML for the head."""
    meta = f'<meta property="article:published_time" content="{published}">' if published else ""
    body = "\n".join(f"<p>{escape(p)}</p>" for p in paragraphs)
    heading = escape(title)
    return (f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{heading}</title>{meta}{head}'
            f"</head><body><nav><a href='/'>Home</a></nav><article><h1>{heading}</h1>\n{body}\n</article></body>"
            "</html>")  # fmt: skip


class Site:
    """One host. Every method that declares a path replaces what stood there."""

    def __init__(self, newsroom: "Newsroom", host: str) -> None:
        self.host = host
        self.is_down = False
        self._newsroom = newsroom
        self._lock = threading.Lock()
        self._paths: dict[str, list[Answer] | Callable[[Request], Answer]] = {}
        self._default = Answer(404, HTML, b"<h1>404</h1>")

    @property
    def base(self) -> str:
        """``http://host``: on port 80 as far as the client knows."""
        return f"http://{self.host}"

    def url(self, path: str = "/") -> str:
        return self.base + path

    def page(self, path: str, body: str | bytes, headers: Mapping[str, str] = HTML, *, status: int = 200,
             validators: bool = True, **how: Any) -> str:  # fmt: skip
        """A path with one answer. `how`: fields of Answer (delay_s, drip, cut_after, length, compress). Its URL."""
        data = body.encode() if isinstance(body, str) else body
        tag = {"ETag": f'"{hashlib.sha256(data).hexdigest()[:12]}"'} if validators and status == 200 else {}
        return self.answers(path, [Answer(status, {**headers, **tag}, data, **how)])

    def feed(self, path: str, items: Sequence[Item] = (), *, headers: Mapping[str, str] = RSS, validators: bool = True,
             title: str = "Test feed", language: str = "en", extra: str = "", **how: Any) -> str:  # fmt: skip
        """An RSS feed of these items. Its URL."""
        body = rss(items, base=self.base, title=title, language=language, extra=extra)
        return self.page(path, body, headers, validators=validators, **how)

    def answers(self, path: str, answers: Sequence[Answer]) -> str:
        """A path that answers differently at each visit; the last answer stays. Its URL."""
        if not answers:
            raise ValueError("a path needs an answer")
        with self._lock:
            self._paths[path] = list(answers)
        return self.url(path)

    def does(self, path: str, respond: Callable[[Request], Answer]) -> str:
        """A path whose answer is computed. Its URL."""
        with self._lock:
            self._paths[path] = respond
        return self.url(path)

    def redirect(self, path: str, to: str, status: int = 301) -> str:
        """A path that leads to another path or URL. Its URL."""
        return self.answers(path, [Answer(status, {"Location": self.base + to if to.startswith("/") else to})])

    def robots(self, text: str, *, status: int = 200, **how: Any) -> str:
        return self.answers("/robots.txt", [Answer(status, {"Content-Type": "text/plain"}, text.encode(), **how)])

    def remove(self, path: str) -> None:
        with self._lock:
            self._paths.pop(path, None)

    def otherwise(self, answer: Answer) -> None:
        """What all paths answer that were not declared."""
        self._default = answer

    def down(self) -> None:
        """Connections to this host are refused (take `resolve()` afterwards)."""
        self.is_down = True

    def hits(self, path: str = "") -> list[Hit]:
        """The requests to this host, or to one path of it, in order of arrival."""
        return self._newsroom.hits(self.host, path)

    def answer(self, request: Request) -> Answer:
        with self._lock:
            found = self._paths.get(request.path)
            if found is None:
                return self._default
            if isinstance(found, list):
                answer = found.pop(0) if len(found) > 1 else found[0]
                return conditional(request, answer)
        return conditional(request, found(request))


class Newsroom:
    """Any number of sites behind one port. A context manager."""

    def __init__(self) -> None:
        self._sites: dict[str, Site] = {}
        self._server = Server(self._answer)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def address(self) -> str:
        return self._server.address

    def site(self, host: str) -> Site:
        """The site of that name, made at the first call."""
        return self._sites.setdefault(host.lower(), Site(self, host.lower()))

    def resolve(self) -> dict[str, str]:
        """host -> address:port, for `crawl.resolve`."""
        closed = self._server.closed_address
        return {host: closed if site.is_down else self._server.address for host, site in self._sites.items()}

    def hits(self, host: str = "", path: str = "") -> list[Hit]:
        return self._server.hits(host, path)

    def forget(self) -> None:
        self._server.forget()

    def _answer(self, request: Request) -> Answer:
        site = self._sites.get(request.host)
        return Answer(404, HTML, b"<h1>no such host</h1>") if site is None else site.answer(request)
