"""What a page says of its article, field by field.

Title and author are decided in `titles` and `bylines`, the time in `published`. The rest is decided here, of what the
page declares (`declared`): canonical URL by its link, then og:url; language by JSON-LD, the root element, then meta
elements; site and images by meta elements, then JSON-LD. Everything returned is plain text, bounded in length.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from crawler import urls
from crawler.extract.bylines import read_author
from crawler.extract.declared import Declared, text_of, types_of, unescaped
from crawler.extract.leaves import Leaf
from crawler.extract.plain import clean_line
from crawler.extract.titles import is_borne_out, read_title
from crawler.types import Entry

__all__ = ["Metadata", "read_metadata"]

MAX_IMAGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    title: str = ""
    title_borne_out: bool = True  # by more than the page's <title>
    author: str = ""
    canonical_url: str = ""
    site: str = ""
    language: str = ""  # as declared
    images: tuple[str, ...] = ()
    description: str = ""
    json_body: str = ""  # JSON-LD articleBody
    free: bool = True  # JSON-LD isAccessibleForFree
    news: bool = False  # some markup says that this is one article


def read_metadata(
    tree: HtmlElement,
    leaves: Sequence[Leaf],
    declared: Declared,
    *,
    url: str,
    entry: Entry | None,
    title_selector: str | None,
) -> Metadata:
    metas, article = declared.metas, declared.article
    site = _site(declared, url)
    title = read_title(tree, declared, site=site, url=url, entry=entry, selector=title_selector)
    given = bool(title_selector or (entry and entry.title))
    return Metadata(
        title=title,
        title_borne_out=is_borne_out(tree, leaves, declared, title, given=given),
        author=read_author(tree, leaves, declared, site=site, title=title),
        canonical_url=_canonical(tree, declared, url),
        site=site,
        language=_language(tree, declared),
        images=_images(declared, url),
        description=clean_line(metas.get("og:description") or metas.get("description") or "")[:2000],
        json_body=_json_body(declared),
        free=str(article.get("isAccessibleForFree", "true")).strip().lower() not in ("false", "0", "no"),
        news=declared.news,
    )


def _site(declared: Declared, url: str) -> str:
    name = clean_line(unescaped(declared.metas.get("og:site_name", "")))
    if not name or "." in name.strip("."):
        publisher = text_of(declared.article.get("publisher"))
        name = publisher or name
    if not name:
        name = next((text_of(n) for n in declared.nodes if "WebSite" in types_of(n) and text_of(n)), "")
    if not name:
        name = clean_line(declared.metas.get("application-name", ""))
    return name[:100] or urls.site(url)


def _canonical(tree: HtmlElement, declared: Declared, url: str) -> str:
    """The address that the page declares, believed on its own site only and never when it is the front page; else the
    page's own. `urls.canonical` makes the key of it that articles are told apart by."""
    links = [e.get("href") or "" for e in tree.iter("link") if "canonical" in (e.get("rel") or "").lower().split()]
    for href in (*links, declared.metas.get("og:url", "")):
        absolute = urls.absolute(href, url) if href.strip() else None
        if absolute is None or urls.site(absolute) != urls.site(url):
            continue
        if urlsplit(absolute).path in ("", "/") and not urlsplit(absolute).query:
            continue
        return absolute
    return url


def _language(tree: HtmlElement, declared: Declared) -> str:
    root = tree.getroottree().getroot()
    for value in (
        declared.article.get("inLanguage"),
        root.get("lang"),
        root.get("{http://www.w3.org/XML/1998/namespace}lang"),
        declared.metas.get("og:locale"),
        declared.metas.get("content-language"),
    ):
        if isinstance(value, dict):
            value = value.get("alternateName") or value.get("name")
        if isinstance(value, str) and value.strip():
            return value.strip()[:20]
    return ""


def _images(declared: Declared, url: str) -> tuple[str, ...]:
    found: list[str] = []
    value = declared.article.get("image")
    listed = value if isinstance(value, list) else [value]
    raw = [declared.metas.get("og:image"), declared.metas.get("og:image:url"), declared.metas.get("twitter:image")]
    raw += [i.get("url") if isinstance(i, dict) else i for i in listed[:MAX_IMAGES]]
    for href in raw:
        absolute = urls.absolute(href, url) if isinstance(href, str) and href.strip() else None
        if absolute and absolute.startswith(("http://", "https://")) and absolute not in found:
            found.append(absolute)
    return tuple(found[:MAX_IMAGES])


def _json_body(declared: Declared) -> str:
    body = declared.article.get("articleBody")
    return html.unescape(body)[:200_000] if isinstance(body, str) else ""
