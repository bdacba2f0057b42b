"""Listings: HTML pages that link to articles, by a CSS selector or by their structure; Telegram's public previews; JSON
article lists of search services."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import lxml.html
from cssselect import SelectorError
from lxml import etree

from crawler import dates, urls
from crawler.extract.decode import decode
from crawler.readers.markup import line, plain
from crawler.types import Entry, Moment, Reading

MOST_NODES = 100_000
_ARTICLE_PATH = re.compile(
    r"/(?:19|20)\d{2}[/-]\d{1,2}(?:[/-]\d{1,2})?|/\d{1,2}-\d{1,2}-(?:19|20)\d{2}|\d{5,}|/(?:[\w%]+-){3,}[\w%]+", re.ASCII
)
_NO_ARTICLE = re.compile(
    r"/(?:tag|tags|category|author|authors|page|login|register|about|contact|privacy|rss|feed|search|topics?|subscribe)(?:/|$)|"
    r"\.(?:jpe?g|png|gif|pdf|mp3|mp4|css|js|xml|zip)$",
    re.IGNORECASE,
)


def read_listing(
    body: bytes, *, url: str, content_type: str, zone: ZoneInfo | None, now: datetime | None,
    selector: str | None, limit: int,
) -> Reading:  # fmt: skip
    """The articles that a page links to. `selector` chooses links, or blocks that each hold one."""
    text, _ = decode(body, content_type)
    if text.lstrip().startswith(("{", "[")):
        return _json_list(text, url, zone, now, limit)
    try:
        tree = lxml.html.fromstring(
            text.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
        )
    except (etree.LxmlError, ValueError) as error:
        return Reading(readable=False, problems=(f"malformed: {str(error)[:200]}",))
    title = line(tree.findtext(".//title") or "")
    language = (tree.get("lang") or "")[:16].lower()
    if tree.cssselect("div.tgme_widget_message[data-post]"):
        return Reading(title=title, language=language, entries=tuple(_telegram(tree, now))[:limit])
    problems: list[str] = []
    if selector:
        try:
            chosen = tree.cssselect(selector)
        except (SelectorError, etree.LxmlError) as error:
            return Reading(readable=False, problems=(f"selector: {selector!r} is no CSS selector ({error})",))
        if not chosen:
            problems.append(f"selector: {selector!r} matches nothing on the page")
        entries = [e for node in chosen[:MOST_NODES] if (e := _block(node, url, zone, now)) is not None]
    else:
        entries = _by_structure(tree, url, zone, now)
        if not entries:
            problems.append("links: no article links were recognised, give a selector")
    return Reading(title=title, language=language, entries=_merged(entries)[:limit], problems=tuple(problems))


def _block(node: Any, url: str, zone: ZoneInfo | None, now: datetime | None) -> Entry | None:
    """An entry from a link or from a block with a link: the longest link text is the title."""
    links = [node] if node.tag == "a" else list(node.iter("a"))
    usable = [(a, urls.absolute(a.get("href") or "", url)) for a in links]
    usable = [(a, target) for a, target in usable if target]
    if not usable:
        return None
    link, target = max(usable, key=lambda pair: len(_words(pair[0])))
    heading = next((_words(h) for h in node.iter("h1", "h2", "h3", "h4")), "")
    own = _words(link)
    return Entry(
        id="", url=target, title=own if len(own) >= len(heading) else heading, published=_time(node, target, zone, now)
    )


def _words(node: Any) -> str:
    return line(node.text_content()) or line(node.get("title") or node.get("aria-label") or "")


def _time(node: Any, target: str | None, zone: ZoneInfo | None, now: datetime | None) -> Moment | None:
    """The block's <time>, a class that says date, or the date in the address."""
    for child in node.iter("time"):
        moment = dates.read(child.get("datetime") or child.text_content(), zone=zone, now=now, origin="feed")
        if moment.instant is not None:
            return moment
    for child in node.xpath('.//*[contains(@class, "date") or contains(@class, "time")]')[:5]:
        moment = dates.read(child.text_content(), zone=zone, now=now, origin="feed")
        if moment.instant is not None:
            return moment
    match = re.search(r"/((?:19|20)\d{2})[/-](\d{1,2})[/-](\d{1,2})(?:/|$)", target or "")
    if match:
        moment = dates.read("-".join(match.groups()), zone=zone, now=now, origin="url")
        return moment if moment.instant is not None else None
    return None


def _by_structure(tree: Any, url: str, zone: ZoneInfo | None, now: datetime | None) -> list[Entry]:
    """Links of this site with the look of an article's address and a headline's length, in blocks that repeat."""
    home = urls.site(url)
    groups: dict[str, list[tuple[Any, str]]] = defaultdict(list)
    for link in list(tree.iter("a"))[:MOST_NODES]:
        target = urls.absolute(link.get("href") or "", url)
        if target is None or urls.site(target) != home or _NO_ARTICLE.search(target):
            continue
        if not _ARTICLE_PATH.search(target) or len(_words(link)) < 20 or _in_frame(link):
            continue
        groups[_shape(link)].append((link, target))
    entries = []
    for links in groups.values():
        if len(links) < 3:
            continue
        for link, target in links:
            parent = link.getparent()
            moment = _time(parent if parent is not None else link, target, zone, now)
            entries.append(Entry(id="", url=target, title=_words(link), published=moment))
    return entries


def _shape(link: Any) -> str:
    """Tags from the link upwards: blocks that repeat have one shape."""
    names = []
    node = link
    for _ in range(4):
        names.append(str(node.tag))
        node = node.getparent()
        if node is None:
            break
    return "/".join(names)


def _in_frame(link: Any) -> bool:
    """Inside a menu, header or footer."""
    return any(node.tag in ("nav", "footer", "header") for node in link.iterancestors() if isinstance(node.tag, str))


def _merged(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """One entry an address: a picture and a headline that lead to one page are one item, with the longer title."""
    out: dict[str, Entry] = {}
    for entry in entries:
        assert entry.url is not None
        old = out.get(entry.url)
        if old is None or len(entry.title) > len(old.title):
            out[entry.url] = entry
    return tuple(out.values())


def _telegram(tree: Any, now: datetime | None) -> Iterable[Entry]:
    """The messages of t.me/s/<channel>: public, without a login, newest last."""
    for message in tree.cssselect("div.tgme_widget_message[data-post]"):
        post = message.get("data-post") or ""
        if not re.fullmatch(r"\w+/\d+", post):
            continue
        texts = message.cssselect(".tgme_widget_message_text")
        text = plain(lxml.html.tostring(texts[0], encoding="unicode")) if texts else ""
        stamps = message.cssselect("time[datetime]")
        moment = dates.read(stamps[-1].get("datetime"), zone=None, now=now, origin="feed") if stamps else None
        owner = message.cssselect(".tgme_widget_message_owner_name")
        yield Entry(
            id=post,
            url=f"https://t.me/{post}",
            title=line(text.splitlines()[0][:200]) if text else "",
            content=text,
            published=moment,
            author=line(owner[0].text_content()) if owner else "",
        )


def _json_list(text: str, url: str, zone: ZoneInfo | None, now: datetime | None, limit: int) -> Reading:
    """`{"articles": [{"url", "title", "seendate", "domain", "language"}]}`, as GDELT's document search answers."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Reading(readable=False, problems=(f"malformed: {str(error)[:200]}",))
    items = value.get("articles") if isinstance(value, dict) else value
    if not isinstance(items, list):
        return Reading(readable=False, problems=("not_a_listing: JSON without a list of articles",))
    entries = []
    for item in items[:limit]:
        target = urls.absolute(str(item.get("url") or ""), url) if isinstance(item, dict) else None
        if target:
            moment = dates.read(item.get("seendate"), zone=zone, now=now, origin="feed")
            title, publisher = line(str(item.get("title") or "")), line(str(item.get("domain") or ""))
            entries.append(Entry(id="", url=target, title=title, published=moment, publisher=publisher))
    return Reading(entries=_merged(entries))
