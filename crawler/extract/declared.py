"""What the code of a page declares: its meta elements, its JSON-LD, and the state that a script draws it from.

Of the nodes of JSON-LD that are of an article's type and tell of one, the first whose address is the page's own is the
article, else the first of all. Where there is none and the page shows no text itself, the object in a script's state
that has a declared title and the longest text stands for it. A time may also be had from the node of the page or of its
video.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from crawler.extract.leaves import Leaf
from crawler.extract.plain import clean_line

__all__ = ["Declared", "page_title", "read_declared", "text_of", "types_of", "unescaped"]

MAX_JSON = 2_000_000  # characters of one JSON-LD block
MAX_NODES = 2_000  # objects of JSON that are looked at

_ARTICLE_TYPE = re.compile(r"(Article|Posting|Report|Review|NewsItem|LiveBlog)$|^(Report|CreativeWork)$")
_PAGE_TYPE = re.compile(r"^(?:WebPage|ItemPage|VideoObject)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    page_title: str  # <title>
    metas: Mapping[str, str]  # name, property or itemprop -> content
    nodes: Sequence[Mapping[str, Any]]  # of JSON-LD
    article: Mapping[str, Any]  # the node that tells of the article, empty where none does
    dated: Mapping[str, Any]  # the same, or the node of the page or its video

    @property
    def news(self) -> bool:
        """Whether some markup says that this is one article."""
        return bool(self.article) or self.metas.get("og:type", "").lower() == "article"


def read_declared(tree: HtmlElement, leaves: Sequence[Leaf], *, url: str) -> Declared:
    """All that the code of the page at `url` declares. What is no JSON, or too much of it, is passed over."""
    title, metas, nodes = page_title(tree), _metas(tree), tuple(_json_nodes(tree))
    article = _main_node(nodes, _ARTICLE_TYPE, url) or _of_state(tree, leaves, f"{title} {metas.get('og:title', '')}")
    return Declared(
        page_title=title,
        metas=metas,
        nodes=nodes,
        article=article,
        dated=article or _main_node(nodes, _PAGE_TYPE, url),
    )


def page_title(tree: HtmlElement) -> str:
    """The page's ``<title>`` on one line, empty where it has none."""
    element = tree.find(".//head/title")
    return clean_line(element.text_content()) if element is not None else ""


def text_of(value: Any) -> str:
    """A value of JSON-LD as plain text on one line: a string, the name of a node, or the first of a list of them."""
    if isinstance(value, list):
        value = next((v for v in value if v), "")
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value") or value.get("headline") or ""
    return clean_line(unescaped(value)) if isinstance(value, str) else ""


def types_of(node: Mapping[str, Any]) -> list[str]:
    """The types of a node of JSON-LD."""
    kind = node.get("@type")
    return [str(k) for k in (kind if isinstance(kind, list) else [kind]) if k]


_TAG = re.compile(r"</?[a-zA-Z]{1,10}[^<>]{0,200}>")


def unescaped(text: str) -> str:
    """`text` without entities, escaped twice as they often are, and tags."""
    text = html.unescape(html.unescape(text)) if "&" in text else text
    return _TAG.sub("", text) if "<" in text else text


def _metas(tree: HtmlElement) -> dict[str, str]:
    """The first content of each meta name, property or itemprop, lower case."""
    found: dict[str, str] = {}
    for meta in tree.iter("meta"):
        content = (meta.get("content") or "").strip()
        if not content:
            continue
        for attribute in ("property", "name", "itemprop"):
            name = (meta.get(attribute) or "").strip().lower()
            if name:
                found.setdefault(name, content[:5000])
    return found


def _json_nodes(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    seen = 0
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower() or not script.text or len(script.text) > MAX_JSON:
            continue
        stack = [_json(script.text)]
        while stack and seen < MAX_NODES:
            value = stack.pop()
            if isinstance(value, list):
                stack.extend(reversed(value[:MAX_NODES]))
            elif isinstance(value, dict):
                seen += 1
                yield value
                stack.extend(value[key] for key in ("mainEntity", "@graph") if key in value)


_JSON_NOISE = re.compile(r"^\s*(?://\s*)?<!\[CDATA\[|(?://\s*)?\]\]>\s*$|^\s*<!--|-->\s*$|;\s*$")
_TRAILING_COMMA = re.compile(r",\s*([}\]])")


def _json(text: str) -> Any:
    text = _JSON_NOISE.sub("", text.strip())
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    found = {}
    for key in ("headline", "datePublished", "articleBody"):  # spoiled: its main strings at least
        match = re.search(rf'"{key}"\s*:\s*"((?:[^"\\]|\\.)*)"', text)
        if match:
            found[key] = match.group(1)
    return {"@type": "NewsArticle", **found} if found else None


_TELLING = ("headline", "datePublished", "uploadDate", "articleBody")


def _main_node(nodes: Sequence[dict[str, Any]], kinds: re.Pattern[str], url: str) -> dict[str, Any]:
    """The node of one of `kinds` that says something of this page, the first of several; empty where there is none."""
    articles = [n for n in nodes if any(kinds.search(kind) for kind in types_of(n))]
    articles = [n for n in articles if any(n.get(key) for key in _TELLING)]
    if not articles:
        return {}
    path = urlsplit(url).path.rstrip("/")

    def of_this_page(node: dict[str, Any]) -> bool:
        main = node.get("mainEntityOfPage")
        addresses = [node.get("url"), node.get("@id"), main.get("@id") if isinstance(main, dict) else main]
        return any(isinstance(a, str) and path and urlsplit(a).path.rstrip("/") == path for a in addresses)

    return next((n for n in articles if of_this_page(n)), articles[0])


_DECODER = json.JSONDecoder(strict=False)
_DRAWN = 500  # characters that a page shows before its script has drawn it
_BODY = 300  # characters from which a text in a page's state may be the article


def _of_state(tree: HtmlElement, leaves: Sequence[Leaf], page: str) -> dict[str, Any]:
    """The article in the state that a script draws the page from (``__NEXT_DATA__``, ``window.STATE = {...}``), in
    JSON-LD's terms: of the objects with a text and a title that stands in `page`, the one with the longest text. Empty
    where the page shows its text itself."""
    if sum(len(leaf.text) for leaf in leaves) > _DRAWN:
        return {}
    stack = [_object(script.text) for script in tree.iter("script") if script.text and len(script.text) <= MAX_JSON]
    best: dict[str, Any] = {}
    seen = 0
    while stack and seen < MAX_NODES:
        seen += 1
        value = stack.pop()
        inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        stack.extend(v for v in inside[:MAX_NODES] if isinstance(v, dict | list))
        if not isinstance(value, dict):
            continue
        title = _first(value, "headline", "title", "name")
        body = max((_prose(v) for v in inside), key=len, default="")
        if len(body) >= max(_BODY, len(best.get("articleBody", ""))) and title and title in page:
            best = {
                "headline": title,
                "articleBody": body,
                "author": value.get("author") or value.get("authors") or _first(value, "byline", "authorName"),
                "datePublished": _first(value, "datePublished", "publishedAt", "published_at", "publishDate", "date"),
            }
    return best


def _object(script: str) -> Any:
    """The first object of JSON in `script`, None where there is none."""
    start = script.find('{"')
    try:
        return _DECODER.raw_decode(script, start)[0] if start >= 0 else None
    except (ValueError, RecursionError):
        return None


def _first(value: Mapping[str, Any], *keys: str) -> str:
    return next((text for key in keys if (text := text_of(value.get(key)))), "")


def _prose(value: Any) -> str:
    """HTML, or the paragraphs of a list of blocks."""
    if isinstance(value, list):
        texts = (_first(v, "text", "content", "html", "value") if isinstance(v, dict) else v for v in value[:MAX_NODES])
        return "\n".join(text for text in texts if isinstance(text, str))
    return value if isinstance(value, str) and " " in value else ""
