"""A page to a `Document`: decode, parse, metadata, body, credits, outcome, in this order."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from lxml import html
from lxml.etree import ElementDefaultClassLookup, LxmlError
from lxml.html import HtmlElement

from crawler import language, urls
from crawler.charset import decode
from crawler.extract.body import read_body, reset_caches, without_second_article
from crawler.extract.bylines import people, signed
from crawler.extract.credit import source_beside, take_credits
from crawler.extract.declared import read_declared
from crawler.extract.leaves import Leaf, read_leaves
from crawler.extract.metadata import Metadata, read_metadata
from crawler.extract.outcome import CHANNEL_HOSTS, judge
from crawler.extract.plain import clean_line, letters
from crawler.extract.published import read_published
from crawler.extract.titles import title_above
from crawler.types import Document, Entry, Moment

__all__ = ["extract", "reset_caches"]

MAX_BODY = 10_000_000  # bytes
MAX_TAGS = 200_000  # an article with a thousand comments has 40,000; each costs 400 bytes of a tree
MAX_MESSAGE_TITLE = 200  # characters, as in the listing of a channel
_UNPRINTABLE = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_LIST = re.compile(
    r"\ufeff?\s*(?:<\?[^>]{0,500}>\s*|<!--.{0,2000}?-->\s*)*<(?:rss|feed|rdf:RDF|urlset|sitemapindex)[\s>]", re.S
)


def extract(
    body: bytes | str,
    *,
    url: str,
    content_type: str = "",
    kind: str = "html",
    zone: ZoneInfo | None = None,
    now: datetime | None = None,
    entry: Entry | None = None,
    body_selector: str | None = None,
    title_selector: str | None = None,
) -> Document:
    """What `body` says. `kind`: html, text (a page saved as text) or pdf; `zone` is for times that name none.

    `entry` is what the feed said of this page; it is evidence for what the article is. Spoiled bytes give a document
    whose outcome is unreadable, never an exception.
    """
    if len(body) > MAX_BODY:
        return _unreadable(url, f"too_large: {len(body)} bytes")
    if kind == "pdf" or (isinstance(body, bytes) and body[:1024].lstrip().startswith(b"%PDF-")):
        from crawler.extract.pdf import read_pdf

        return read_pdf(body, url=url, zone=zone, now=now, entry=entry)
    problems: list[str] = []
    if isinstance(body, bytes):
        text, encoding = decode(body, content_type)
        if encoding != "utf-8":
            problems.append(f"encoding: read as {encoding}")
    else:
        text = body
    text = text.replace("\0", "")
    if len(_UNPRINTABLE.findall(text[:2_000])) * 20 > len(text[:2_000]):
        return _unreadable(url, "binary: no text but bytes")
    if kind == "text":
        from crawler.extract.saved_text import read_saved_text

        return read_saved_text(text, url=url, zone=zone, now=now, entry=entry)
    if text.count("<") > MAX_TAGS:
        return _unreadable(url, f"too_large: more than {MAX_TAGS} tags")
    if _LIST.match(text[:10_000]):
        return Document(url=url, canonical_url=url, outcome="listing", problems=("listing: a feed or a sitemap",))
    tree = _parse(text)
    if tree is None:
        return _unreadable(url, "no_html: not a page")
    leaves: Sequence[Leaf] = read_leaves(tree)
    if _is_converted(tree):
        from crawler.extract.pdf import unwrap
        from crawler.extract.saved_text import read_saved_text

        return read_saved_text(
            unwrap("\n".join(leaf.text for leaf in leaves)), url=url, zone=zone, now=now, entry=entry
        )
    declared = read_declared(tree, leaves, url=url)
    meta = read_metadata(tree, leaves, declared, url=url, entry=entry, title_selector=title_selector)
    leaves = without_second_article(leaves, title=meta.title)
    summary = f"{entry.title} {entry.summary}" if entry else meta.description
    found = read_body(
        tree, leaves, url=url, title=meta.title, summary=summary, json_body=meta.json_body, selector=body_selector
    )
    if found.lines and urlsplit(url).hostname in CHANNEL_HOSTS:  # a message; what the page declares is its channel
        meta = replace(meta, title=found.lines[0][:MAX_MESSAGE_TITLE])
    elif not meta.title_borne_out:
        title = title_above(leaves, found, meta.title)
        author = meta.author or ", ".join(signed(tree, leaves, title, meta.site))
        meta = replace(meta, title=title, author=author)
    published = read_published(tree, leaves, declared, title=meta.title, url=url, zone=zone, now=now, entry=entry)
    verdict = judge(tree, leaves, body=found, meta=meta, url=url, size=len(text))
    problems += [verdict.problem] if verdict.problem else []
    document = _document(url, meta, published, problems, verdict.outcome)
    if verdict.outcome not in ("article", "teaser", "listing"):
        return replace(document, language=language.detect(meta.title, hint=meta.language))
    credits = take_credits(
        found.lines, author=meta.author, site=urls.site(url), beside=source_beside(_around(leaves, found.lines))
    )
    article = "\n".join(credits.lines)
    return replace(
        document,
        text=article,
        author=meta.author or ", ".join(people(credits.byline, meta.site)),
        dateline=credits.dateline,
        origin=credits.origin,
        language=language.detect(f"{meta.title}\n{article}", hint=meta.language),
    )


_ABOVE, _BELOW = 8, 12  # lines around an article that its fields stand in


def _around(leaves: Sequence[Leaf], lines: Sequence[str]) -> list[str]:
    """The lines of the page above and below an article."""
    wanted = {letters(line) for line in lines}
    own = [n for n, leaf in enumerate(leaves) if leaf.key in wanted]
    if not own:
        return []
    return [leaf.text for leaf in (*leaves[max(0, own[0] - _ABOVE) : own[0]], *leaves[own[-1] + 1 : own[-1] + _BELOW])]


def _document(url: str, meta: Metadata, published: Moment | None, problems: list[str], outcome: str) -> Document:
    return Document(
        url=url,
        canonical_url=meta.canonical_url,
        outcome=outcome,
        title=meta.title,
        author=meta.author,
        published=published,
        site=meta.site,
        images=meta.images,
        problems=tuple(problems),
    )


def _unreadable(url: str, problem: str) -> Document:
    return Document(url=url, canonical_url=url, outcome="unreadable", problems=(problem,))


# Tens of thousands of attributes cost the parser minutes, its check for doubles being quadratic; a data: URI of this
# length is an image that nobody here looks at.
_LONG_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]{0,20})\b[^<>]{30000,}>")


# lxml asks a function in Python for the class of each element, each time that one is met again: forms and inputs, of
# which nobody here asks more than of others, have classes of their own.
_ONE_CLASS = ElementDefaultClassLookup(element=HtmlElement)


def _parse(text: str) -> HtmlElement | None:
    """The tree; None where there is no element in `text`. Comments and processing instructions are left out."""
    if "<" not in text:
        return None
    text = _LONG_TAG.sub(r"<\1>", text)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    parser.set_element_class_lookup(_ONE_CLASS)
    try:
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser, ensure_head_body=True)
    except (LxmlError, ValueError, AssertionError):
        return None
    _undo_layout_tables(tree)
    return tree if tree.find(".//body") is not None and any(map(clean_line, tree.itertext())) else None


_CONVERTER = re.compile(r"pdf\W?(?:to|2)\W?html", re.I)


def _is_converted(tree: HtmlElement) -> bool:
    """Whether a program made the page of a PDF: lines as wide as the paper, and no markup that means anything."""
    return any(
        (meta.get("name") or "").lower() == "generator" and _CONVERTER.search(meta.get("content") or "")
        for meta in tree.iter("meta")
    )


_CELL = 300  # characters in one cell from which a table is there for the layout
_MAX_TABLES = 200  # pages with more are data, and checking nested ones is quadratic


def _undo_layout_tables(tree: HtmlElement) -> None:
    """Tables that lay out a page become plain blocks; extractors take them for data."""
    tables = list(tree.iter("table"))
    if len(tables) > _MAX_TABLES:
        return
    for table in tables:
        own = [e for e in table.iter("tbody", "tr", "td", "th") if next(e.iterancestors("table"), None) is table]
        if table.find(".//table") is None and not any(
            cell.tag in ("td", "th") and len(cell.text_content()) > _CELL for cell in own
        ):
            continue
        for element in (table, *own):
            element.tag = "div"
