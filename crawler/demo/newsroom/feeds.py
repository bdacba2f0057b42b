"""The dialects: what a site's source looks like over the wire. Text in, text out; the site's encoding comes later."""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from crawler.demo.newsroom.sites import Site

INVENTED = "Invented for the demonstration: this paper does not exist, and these events did not happen."


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a feed: everything that any dialect wants to say about an article. `published` is local and aware."""

    number: int
    url: str
    title: str
    summary: str
    body: Sequence[str]
    author: str
    published: datetime | None
    updated: datetime | None
    publisher: str = ""
    publisher_url: str = ""


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _rfc822(at: datetime, tail: str, *, short: bool = False) -> str:
    year = at.year % 100 if short else at.year
    day = "" if short else f"{DAYS[at.weekday()]}, "
    return f"{day}{at.day:02} {MONTHS[at.month - 1]} {year:02} {at:%H:%M:%S} {tail}".rstrip()


def rss(site: Site, items: Sequence[Item], *, tail: str | None = None, short: bool = False, full: bool = False) -> str:
    """RSS 2.0. `tail`: what stands for the zone; `short`: years of two digits; `full`: content:encoded."""

    def date(at: datetime) -> str:
        return _rfc822(at, f"{at:%z}" if tail is None else tail, short=short)

    lines = ['<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
             'xmlns:dc="http://purl.org/dc/elements/1.1/">', "<channel>",
             f"<title>{escape(site.name)}</title>", f"<link>http://{site.host}/</link>",
             f"<description>{escape(INVENTED)}</description>",
             f"<language>{site.language}</language>", "<ttl>15</ttl>"]  # fmt: skip
    for item in items:
        lines += ["<item>", f"<title>{escape(item.title)}</title>", f"<link>{escape(item.url)}</link>",
                  f'<guid isPermaLink="false">{site.id}-{item.number}</guid>',
                  f"<description>{escape(f'<p>{escape(item.summary)}</p>')}</description>"]  # fmt: skip
        if item.published:
            lines.append(f"<pubDate>{date(item.published)}</pubDate>")
        if item.author:
            lines.append(f"<dc:creator>{escape(item.author)}</dc:creator>")
        if item.publisher:
            lines.append(f"<source url={quoteattr(item.publisher_url)}>{escape(item.publisher)}</source>")
        if full:
            text = "".join(f"<p>{escape(p)}</p>" for p in item.body)
            lines.append(f"<content:encoded><![CDATA[{text}]]></content:encoded>")
        lines.append("</item>")
    return _declared(site, "\n".join([*lines, "</channel>", "</rss>", ""]))


def atom(site: Site, items: Sequence[Item]) -> str:
    newest = max((i.updated or i.published for i in items if i.published), default=None)
    lines = ['<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">', f"<title>{escape(site.name)}</title>",
             f"<subtitle>{escape(INVENTED)}</subtitle>", f"<id>http://{site.host}/</id>",
             f'<link rel="self" href="http://{site.host}{site.feed}"/>',
             f'<link href="http://{site.host}/"/>']  # fmt: skip
    if newest:
        lines.append(f"<updated>{newest.isoformat()}</updated>")
    for item in items:
        lines += ["<entry>", f'<title type="text">{escape(item.title)}</title>',
                  f'<link rel="alternate" type="text/html" href={quoteattr(item.url)}/>',
                  f"<id>tag:{site.host},2026:{item.number}</id>",
                  f'<summary type="html">{escape(f"<p>{escape(item.summary)}</p>")}</summary>']  # fmt: skip
        if item.published:
            lines += [f"<published>{item.published.isoformat()}</published>",
                      f"<updated>{(item.updated or item.published).isoformat()}</updated>"]  # fmt: skip
        if item.author:
            lines.append(f"<author><name>{escape(item.author)}</name></author>")
        lines.append("</entry>")
    return _declared(site, "\n".join([*lines, "</feed>", ""]))


def rdf(site: Site, items: Sequence[Item]) -> str:
    """RSS 1.0, with Dublin Core dates that name no zone."""
    lines = ['<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
             'xmlns:dc="http://purl.org/dc/elements/1.1/">',
             f'<channel rdf:about="http://{site.host}{site.feed}">', f"<title>{escape(site.name)}</title>",
             f"<link>http://{site.host}/</link>", f"<description>{escape(INVENTED)}</description>",
             f"<dc:language>{site.language}</dc:language>", "<items><rdf:Seq>"]  # fmt: skip
    lines += [f"<rdf:li rdf:resource={quoteattr(item.url)}/>" for item in items]
    lines += ["</rdf:Seq></items>", "</channel>"]
    for item in items:
        lines += [f"<item rdf:about={quoteattr(item.url)}>", f"<title>{escape(item.title)}</title>",
                  f"<link>{escape(item.url)}</link>", f"<description>{escape(item.summary)}</description>"]  # fmt: skip
        if item.published:
            lines.append(f"<dc:date>{item.published:%Y-%m-%dT%H:%M:%S}</dc:date>")
        lines.append("</item>")
    return _declared(site, "\n".join([*lines, "</rdf:RDF>", ""]))


def json_feed(site: Site, items: Sequence[Item]) -> str:
    def entry(item: Item) -> dict[str, object]:
        line: dict[str, object] = {
            "id": f"{item.number}", "url": f"{item.url}?utm_source=feed&utm_medium=json", "title": item.title,
            "summary": item.summary, "content_html": f"<p>{escape(item.summary)}</p>",
        }  # fmt: skip
        if item.published:
            line["date_published"] = item.published.isoformat()
        if item.updated:
            line["date_modified"] = item.updated.isoformat()
        if item.author:
            line["authors"] = [{"name": item.author}]
        return line

    feed = {
        "version": "https://jsonfeed.org/version/1.1", "title": site.name, "home_page_url": f"http://{site.host}/",
        "feed_url": f"http://{site.host}{site.feed}", "description": INVENTED, "language": site.language,
        "items": [entry(item) for item in items],
    }  # fmt: skip
    return json.dumps(feed, ensure_ascii=False, indent=1)


def news_sitemap(site: Site, items: Sequence[Item]) -> str:
    lines = ['<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
             'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">']  # fmt: skip
    for item in items:
        at = item.published.isoformat(timespec="minutes") if item.published else None
        lines += ["<url>", f"<loc>{escape(item.url)}</loc>"]
        lines += [f"<lastmod>{(item.updated or item.published).isoformat()}</lastmod>"] if item.published else []
        lines += ["<news:news>", f"<news:publication><news:name>{escape(site.name)}</news:name>"
                  f"<news:language>{site.language}</news:language></news:publication>"]  # fmt: skip
        lines += [f"<news:publication_date>{at}</news:publication_date>"] if at else []
        lines += [f"<news:title>{escape(item.title)}</news:title>", "</news:news>", "</url>"]
    return _declared(site, "\n".join([*lines, "</urlset>", ""]))


def sitemap_index(site: Site, items: Sequence[Item]) -> str:
    newest = max((i.updated or i.published for i in items if i.published), default=None)
    stamp = f"<lastmod>{newest.isoformat()}</lastmod>" if newest else ""
    return _declared(site, "\n".join([
        '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
        f"<sitemap><loc>http://{site.host}{CHILD}</loc>{stamp}</sitemap>",
        f"<sitemap><loc>http://{site.host}{STATIC}</loc><lastmod>2019-04-01</lastmod></sitemap>",
        "</sitemapindex>", "",
    ]))  # fmt: skip


CHILD, STATIC = "/sitemaps/news.xml.gz", "/sitemaps/static.xml.gz"


def sitemap_children(site: Site, items: Sequence[Item]) -> dict[str, bytes]:
    """The gzip files that the index of `sitemap_index` names, by path."""
    static = _declared(site, '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
                             f"<url><loc>http://{site.host}/</loc></url></urlset>\n")  # fmt: skip
    return {CHILD: gzip.compress(news_sitemap(site, items).encode(), mtime=0),
            STATIC: gzip.compress(static.encode(), mtime=0)}  # fmt: skip


def _declared(site: Site, xml: str) -> str:
    encoding = "" if site.declares == "header" else f' encoding="{site.charset}"'
    return f'<?xml version="1.0"{encoding}?>\n{xml}'


XML, RSS, ATOM = "application/xml", "application/rss+xml", "application/atom+xml"

DIALECTS: dict[str, tuple[str, Callable[[Site, Sequence[Item]], str]]] = {
    "rss": (RSS, rss),
    "rss-full": (RSS, lambda site, items: rss(site, items, full=True)),
    "rss-pkt": ("text/xml", lambda site, items: rss(site, items, tail="PKT")),
    "rss-msk": ("text/xml", lambda site, items: rss(site, items, tail="MSK")),
    "rss-no-zone": (RSS, lambda site, items: rss(site, items, tail="")),
    "rss-short-year": (RSS, lambda site, items: rss(site, items, short=True)),
    "witness": (RSS, rss),
    "atom": (ATOM, atom),
    "rdf": ("application/rdf+xml", rdf),
    "json": ("application/feed+json", json_feed),
    "news-sitemap": (XML, news_sitemap),
    "sitemap-index": (XML, sitemap_index),
}
"""Dialect -> media type and writer. A listing is a page (pages.py)."""
