"""Listings: pages that link to articles, by a CSS selector or by their structure; Telegram's public previews; the JSON
article lists of search services."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import lxml.html
from cssselect import SelectorError
from lxml import etree
from lxml.html import HtmlElement

from crawler import dates, urls
from crawler.charset import decode
from crawler.readers.markup import line, plain, short_tags, unzip
from crawler.types import Entry, Moment, Reading

MAX_TAGS = 400_000  # of one page
MAX_LINKS = 5_000  # of one page; a busy front page has 600
MAX_BLOCK_TEXT = 4_000  # characters; what is longer is no block of a list
_LEAST_GROUP = 3  # blocks of one shape that make a list
_ARTICLE_PATH = re.compile(
    r"/(?:19|20)\d\d[/-]\d{1,2}(?:[/-]\d{1,2})?(?:/|-|$)|/\d{1,2}-(?:\d{1,2}|[A-Za-z]{3})-(?:19|20)\d\d/"
    r"|\d{5,}|/(?:[\w%]+-){3,}[\w%]+|/(?:news|story|press|release|article|doc|detail)[\w-]*/(?:[\w-]*/)*\d{2,}"
    r"|[?&](?:(?:news|article|story|press|item|post|doc)?_?id|nid|sid|guid)=[\w{}-]{2,}",
    re.A,
)
_NO_ARTICLE = re.compile(
    r"/(?:tags?|category|categories|authors?|page|login|register|about|contacts?|privacy|terms|rss|feeds?|search|topics?"
    r"|subscribe|wp-admin|wp-content|wp-login|cdn-cgi|share|cart|jobs|advertise)(?:[/.?]|-us|$)"
    r"|\.(?:jpe?g|png|gif|svg|webp|pdf|docx?|xlsx?|mp3|mp4|css|js|xml|zip|ics)(?:$|\?)",
    re.I,
)
_FRAME = re.compile(
    r"(?:^|[\s_-])(?:menu|nav|navbar|navigation|footer|breadcrumbs?|social|share|pagination|pager|lang)(?:$|[\s_-])"
)
_MORE = re.compile(
    r"^(?:read more|more|continue reading|details?|view|подробнее|читать(?: далее| полностью)?|далее|ещё"
    r"|مزید(?: پڑھیں)?|تفصیل)\W*$",
    re.I,
)
_DATE_CLASS = './/*[contains(@class, "date") or contains(@class, "Date") or contains(@class, "time")]'
_TITLES = ("h1", "h2", "h3", "h4", "h5")


def read_listing(
    body: bytes,
    *,
    url: str,
    content_type: str,
    zone: ZoneInfo | None,
    now: datetime | None,
    selector: str | None,
    limit: int,
) -> Reading:
    """The articles that a page links to. `selector` chooses links, or blocks that each hold one; without it they are
    told by their structure. JSON lists and Telegram's previews are known by what they are."""
    body, problems = unzip(body)
    text, _ = decode(body, content_type)
    if text.lstrip()[:1] in ("{", "["):
        return _json_list(text, url, zone, now, limit, problems)
    if text.count("<") > MAX_TAGS:
        return Reading(readable=False, problems=(*problems, f"too_large: more than {MAX_TAGS} tags"))
    text, cut = short_tags(text)
    problems += cut
    try:
        tree = lxml.html.fromstring(
            text.replace("\x00", "").encode("utf-8", "replace"),
            parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=False, remove_comments=True),
        )
    except (etree.LxmlError, ValueError, AssertionError) as error:
        return Reading(readable=False, problems=(*problems, f"malformed: {' '.join(str(error).split())[:200]}"))
    title = line(tree.findtext(".//title") or "")
    language = (tree.get("lang") or "").strip()[:16].lower()
    base = next((found for b in tree.iter("base") if (found := urls.absolute(b.get("href") or "", url))), url)
    messages = tree.xpath('//div[@data-post][contains(@class, "tgme_widget_message")]')
    if messages:
        entries = list(_telegram(messages[:limit], now))
    elif selector:
        try:
            chosen = tree.cssselect(selector)
        except (SelectorError, etree.LxmlError) as error:
            return Reading(readable=False, problems=(f"selector: {selector!r} is no CSS selector ({error})",))
        if not chosen:
            problems.append(f"selector: {selector!r} matches nothing on the page")
        blocks = (_block(node, base, zone, now) for node in chosen[:MAX_LINKS])
        entries = [entry for entry in blocks if entry is not None]
        if chosen and not entries:
            problems.append(f"selector: {selector!r} matches {len(chosen)} places, none holds a link")
    else:
        entries = _by_structure(tree, url, base, zone, now)
        if not entries:
            problems.append("links: no list of articles was recognised, give a selector")
    kept = _merged(entries)
    if len(kept) > limit:
        problems.append(f"entries: more than {limit}, the first {limit} are taken")
    return Reading(title=title, language=language, entries=kept[:limit], problems=tuple(problems))


def _block(node: HtmlElement, base: str, zone: ZoneInfo | None, now: datetime | None) -> Entry | None:
    """An entry from a link, or from a block that holds one: the link of its heading, else the one with most words."""
    links = [node] if node.tag == "a" else list(islice(node.iter("a"), 200))
    usable = [(a, target) for a in links if (target := urls.absolute(a.get("href") or "", base)) is not None]
    if not usable:
        return None
    link, target = max(usable, key=lambda pair: (_in_heading(pair[0], node), len(_words(pair[0]))))
    return _entry(node, link, target, zone, now)


def _entry(block: HtmlElement, link: HtmlElement, target: str, zone: ZoneInfo | None, now: datetime | None) -> Entry:
    title = _title(block, link)
    return Entry(
        id=target,
        url=target,
        title=title,
        summary=_summary(block, title),
        published=_time(block, title, target, zone, now),
    )


def _words(node: HtmlElement) -> str:
    return line(str(node.text_content())[:2_000])


def _title(block: HtmlElement, link: HtmlElement) -> str:
    """The heading of the block, else the words of the link, its title or the text for its picture."""
    heading = next((words for h in block.iter(*_TITLES) if (words := _words(h))), "")
    own = _words(link)
    if _MORE.match(own):
        own = ""
    if heading and (not own or own in heading or len(heading) >= len(own) or link.tag != "a"):
        return heading
    if own:
        return heading if heading and heading in own else own
    named = link.get("title") or link.get("aria-label") or ""
    picture = next((image.get("alt") or "" for image in link.iter("img") if image.get("alt")), "")
    return line(named) or line(picture)


def _summary(block: HtmlElement, title: str) -> str:
    for paragraph in islice(block.iter("p"), 10):
        words = _words(paragraph)
        if len(words) >= 40 and words != title and title not in words[: len(title)]:
            return words[:1_000]
    return ""


def _in_heading(link: HtmlElement, block: HtmlElement) -> bool:
    for node in link.iterancestors():
        if node.tag in _TITLES:
            return True
        if node is block:
            break
    return next(link.iter(*_TITLES), None) is not None


def _time(block: HtmlElement, title: str, target: str, zone: ZoneInfo | None, now: datetime | None) -> Moment | None:
    """The block's <time>, what a class calls a date, a short text that reads as one, or the date in the address."""
    for raw in _time_texts(block, title):
        moment = dates.read(raw, zone=zone, now=now, origin="feed")
        if moment.instant is not None and not moment.capped:
            return moment
    match = re.search(r"/((?:19|20)\d\d)[/-](\d{1,2})[/-](\d{1,2})(?=/|$)", target)
    written = "-".join(match.groups()) if match else ""
    if not written and (match := re.search(r"/(\d{1,2}-(?:\d{1,2}|[A-Za-z]{3})-(?:19|20)\d\d)(?=/|$)", target)):
        written = match[1]
    moment = dates.read(written, zone=zone, now=now, origin="url")
    return moment if moment.instant is not None and not moment.capped else None


def _time_texts(block: HtmlElement, title: str) -> Iterator[str]:
    for node in islice(block.iter("time"), 3):
        yield node.get("datetime") or ""
        yield _words(node)[:100]
    for node in block.xpath(_DATE_CLASS)[:5]:
        yield _words(node)[:100]
    for text in islice(block.itertext(), 40):
        stripped = text.strip()
        if 6 <= len(stripped) <= 60 and stripped not in title and any(c.isdigit() for c in stripped):
            yield stripped


def _by_structure(tree: HtmlElement, url: str, base: str, zone: ZoneInfo | None, now: datetime | None) -> list[Entry]:
    """Links within the site whose address looks like an article's, in blocks that repeat and have a headline."""
    home = urls.site(url)
    here = urls.canonical(url)
    links: list[tuple[HtmlElement, str]] = []
    for link in islice(tree.iter("a"), MAX_LINKS):
        target = urls.absolute(link.get("href") or "", base)
        if target is None or not _same_site(urls.site(target), home) or not _ARTICLE_PATH.search(target):
            continue
        if _NO_ARTICLE.search(target) or _in_frame(link) or urls.canonical(target) == here:
            continue
        links.append((link, target.partition("#")[0]))
    groups: dict[str, list[Entry]] = defaultdict(list)
    for block, link, target in _blocks(links):
        entry = _entry(block, link, target, zone, now)
        if len(entry.title) >= 12 and len(entry.title.split()) >= 3:
            groups[_shape(block)].append(entry)
    chosen = {id(e) for group in groups.values() if len({e.url for e in group}) >= _LEAST_GROUP for e in group}
    in_order = [entry for group in groups.values() for entry in group if id(entry) in chosen]
    position = {target: place for place, (_, target) in reversed(list(enumerate(links)))}
    return sorted(in_order, key=lambda e: position.get(e.url or "", 0))


def _same_site(one: str, other: str) -> bool:
    """The same or a subdomain: a section may have its own."""
    return one == other or one.endswith(f".{other}")


def _blocks(links: Sequence[tuple[HtmlElement, str]]) -> Iterator[tuple[HtmlElement, HtmlElement, str]]:
    """For each address: the largest element around its link that leads to no other article. Linear: a walk upwards
    ends where another one has been."""
    many = ""
    leads: dict[HtmlElement, str] = {}
    for link, target in links:
        node: HtmlElement | None = link
        while node is not None:
            before = leads.get(node)
            if before in (many, target):
                break
            leads[node] = target if before is None else many
            node = node.getparent()
    by_target: dict[str, list[HtmlElement]] = defaultdict(list)
    for link, target in links:
        if len(by_target[target]) < 10:
            by_target[target].append(link)
    done: set[str] = set()
    for link, target in links:
        if target in done:
            continue
        block = link
        parent = block.getparent()
        while parent is not None and leads.get(parent) == target and parent.tag not in ("body", "main", "html"):
            block, parent = parent, parent.getparent()
        if len(block.text_content()) > MAX_BLOCK_TEXT:
            block = link
        own = [other for other in by_target[target] if block is other or _contains(block, other)]
        done.add(target)
        yield block, max(own, key=lambda a: (_in_heading(a, block), len(_words(a)))), target


def _contains(block: HtmlElement, link: HtmlElement) -> bool:
    return any(node is block for node in link.iterancestors())


def _shape(block: HtmlElement) -> str:
    """Tags and first classes from the block upwards: blocks of one list have one shape."""
    names: list[str] = []
    node: HtmlElement | None = block
    for _ in range(3):
        if node is None:
            break
        first_class = (node.get("class") or "").split()[:1] if not names else []
        names.append(f"{node.tag}.{re.sub(r'[0-9]+', '0', first_class[0]) if first_class else ''}")
        node = node.getparent()
    return "/".join(names)


def _in_frame(link: HtmlElement) -> bool:
    """Inside a menu, header or footer of the page; the header of an article's card is none."""
    header = False
    for node in link.iterancestors():
        if node.tag == "article":
            header = False
        elif node.tag in ("body", "main"):
            break
        elif node.tag == "header":
            header = True
        elif node.tag in ("nav", "footer") or _FRAME.search(
            f"{node.get('class') or ''} {node.get('id') or ''}".lower()
        ):
            return True
    return header


def _merged(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """One entry an address: a picture and a headline that lead to one page are one item, with the longer title."""
    out: dict[str, Entry] = {}
    for entry in entries:
        assert entry.url is not None
        old = out.get(entry.url)
        if old is None:
            out[entry.url] = entry
        else:
            longer = entry if len(entry.title) > len(old.title) else old
            out[entry.url] = replace(longer, published=old.published or entry.published)
    return tuple(out.values())


def _telegram(messages: Sequence[HtmlElement], now: datetime | None) -> Iterator[Entry]:
    """The messages of t.me/s/<channel>: public, without a login, oldest first."""
    for message in messages:
        post = message.get("data-post") or ""
        if not re.fullmatch(r"\w{1,64}/\d{1,12}", post, re.A):
            continue
        texts = message.xpath('.//*[contains(@class, "tgme_widget_message_text")]')
        texts = [t for t in texts if "js-message_text" in (t.get("class") or "")] or texts
        text = plain(lxml.html.tostring(texts[0], encoding="unicode", with_tail=False)) if texts else ""
        stamps = message.xpath(".//time/@datetime")
        moment = dates.read(stamps[-1], zone=None, now=now, origin="feed") if stamps else None
        owner = message.xpath('.//*[contains(@class, "tgme_widget_message_owner_name")]')
        yield Entry(
            id=post,
            url=f"https://t.me/{post}",
            title=text.splitlines()[0][:200] if text else "",
            content=text,
            published=moment if moment and moment.instant else None,
            author=_words(owner[0]) if owner else "",
        )


def _json_list(
    text: str, url: str, zone: ZoneInfo | None, now: datetime | None, limit: int, problems: list[str]
) -> Reading:
    """``{"articles": [{"url", "title", "seendate", "domain", "language"}]}``, as GDELT's document search answers."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Reading(readable=False, problems=(*problems, f"malformed: {str(error)[:200]}"))
    items = value.get("articles") if isinstance(value, dict) else value
    if not isinstance(items, list):
        empty = value == {}  # GDELT's answer when nothing was found
        return Reading(
            readable=empty,
            problems=(*problems, "empty: no articles" if empty else "not_a_listing: JSON without a list of articles"),
        )
    entries = []
    for item in items[:limit]:
        target = (
            urls.absolute(item["url"], url) if isinstance(item, dict) and isinstance(item.get("url"), str) else None
        )
        if target is None:
            continue
        seen = item.get("seendate")
        moment = dates.read(seen, zone=zone, now=now, origin="feed") if isinstance(seen, str | int) else None
        entries.append(
            Entry(
                id=target,
                url=target,
                title=line(str(item.get("title") or "")),
                published=moment if moment and moment.instant else None,
                publisher=line(str(item.get("domain") or ""), limit=200),
            )
        )
    if len(entries) < len(items[:limit]):
        problems.append(f"links: {len(items[:limit]) - len(entries)} items without a usable link")
    return Reading(entries=_merged(entries), problems=tuple(problems))
