"""What a page says about its article: title, author, time, canonical URL, site, images, declared language.

Evidence is taken in the order of its reliability, JSON-LD first, and the visible page last. Everything returned is
plain text, bounded in length.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from htmldate import find_date
from lxml import etree
from lxml.html import HtmlElement

from crawler import dates, urls
from crawler.extract.boilerplate import is_stamp
from crawler.extract.leaves import Leaf
from crawler.extract.plain import clean_line, letters, same_text, words
from crawler.types import Entry, Moment

MAX_IMAGES = 10
MAX_TITLE = 500
MAX_AUTHOR = 200
MAX_JSON = 2_000_000  # characters of one JSON-LD block
MAX_NODES = 2_000
MAX_HEADINGS = 40  # of one level that are looked at
MAX_PARTS = 8  # elements of one heading
MIN_HEADING = 4  # words of an h1 that is believed to be the title though nothing bears it out
MAX_ELEMENTS = 25_000  # of a page that htmldate searches; more is no news page, and its cost is quadratic

_ARTICLE_TYPE = re.compile(r"(Article|Posting|Report|Review|NewsItem|LiveBlog)$|^(Report|CreativeWork)$")
_PAGE_TYPE = re.compile(r"^(?:WebPage|ItemPage|VideoObject)$")
_TELLING = ("headline", "datePublished", "uploadDate", "articleBody")
_DATE_META = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "article:published",
    "datepublished",
    "date_published",
    "publishdate",
    "publish-date",
    "publish_date",
    "published_date",
    "publication_date",
    "published_at",
    "parsely-pub-date",
    "cxenseparse:recs:publishtime",
    "sailthru.date",
    "article.published",
    "dc.date.issued",
    "dcterms.created",
    "dcterms.issued",
    "dc.date",
    "dc.date.created",
    "dcterms.date",
    "pubdate",
    "originalpublicationdate",
    "article_date_original",
    "rnews:datepublished",
    "mediator_published_time",
    "last-modified-original",
    "date",
)
_AUTHOR_META = ("author", "article:author", "og:article:author", "authors", "byl", "parsely-author", "sailthru.author",
                "dc.creator", "dcterms.creator", "mediator_author", "cxenseparse:author", "article:author_name",
                "shareaholic:article_author_name", "creator")  # fmt: skip
_AUTHOR_XPATH = tuple(
    etree.XPath(path)
    for path in (
        'descendant::*[@itemprop="author"]/descendant::*[@itemprop="name"]',
        'descendant::*[@itemprop="author"]',
        'descendant::a[@rel="author"]',
        'descendant::*[@typeof="schema:Person"]',
        *(
            f'descendant::*[@class][contains(concat(" ", normalize-space(@class), " "), " {name} ")]'
            for name in ("author-name", "wp-block-post-author-name", "byline", "story__byline", "author")
        ),
    )
)
_BY = re.compile(
    r"^(?:(?:view\s+all\s+posts|written|posted|reported|published|story|interview|words|text|compiled)\s+)?by\b[\s:]*|^veröffentlicht\s+von\s*|"
    r"^(?:автор(?:ы)?|текст|корреспондент)\b[\s:]*"
    r"|^(?:تحریر|رپورٹ|مصنف|از)\s*[:：]\s*|^(?:von|por|par|da|di)\s+(?=[A-ZÀ-Þ])",
    re.I,
)
_NOT_A_NAME = re.compile(
    r"https?:|www\.|[@/<>{}=|]|\.(?:com|org|net|ru|pk)\b|^\d+$|^(?:admin|administrator|editor|editors|staff|author|"
    r"web\s?desk|webdesk|webmaster|news\s?desk|newsroom|null|none|undefined|unknown|anonymous|редакция)$",
    re.I,
)
_HANDLE = re.compile(r"\s*\(@\w{1,30}\)")
_NAME_SPLIT = re.compile(r"\s*(?:[;,|•·\n]|\s(?:and|und|&|и|اور)\s)\s*")
_SEPARATOR = re.compile(r"^(?:[\s|–—•·:/\\-]|[»›]\s)+|(?:[\s|–—•·:/\\-]|\s[»«›‹])+$")  # not the quotes of a name
_SEPARATED = re.compile(r"\s+[|–—•·»«›‹*/\\-]\s|\s*\|")
_PRINTED = re.compile(r"^(?:версия для печати|print(?:er|able)?[- ](?:friendly )?version)\b\W*", re.I)
_CUT_OFF = re.compile(r"\s*(?:…|\.\.+)\s*$")
_KICKER = re.compile(r"(?::|\s[|–—•·»›-])\s+$")
_IN_BREADCRUMB = etree.XPath(
    "boolean(ancestor::nav or parent::li or ancestor-or-self::*[position() <= 4]"
    "[@data-breadcrumb-headline or contains(@itemtype, 'BreadcrumbList') or starts-with(@id, 'breadcrumb')"
    " or starts-with(@class, 'breadcrumb') or contains(@class, ' breadcrumb')])"
)
_FRONT_PAGE = re.compile(r"(?:https?://[^/]+)?/?(?:index\.\w+)?")
_LINKED = etree.XPath("boolean(ancestor::a or .//a)")
_TITLE_SPLIT = re.compile(r"\s+(?:[|–—•·»«›‹:/\\-]|::|\|\|)\s+|\s*\|\s*|:\s+(?=\S+$)")


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
    page_type: str = ""  # og:type
    free: bool = True  # JSON-LD isAccessibleForFree
    news: bool = False  # some markup says that this is one article
    metas: Mapping[str, str] = field(default_factory=dict)  # name, property or itemprop -> content
    article: Mapping[str, Any] = field(default_factory=dict)  # the JSON-LD node
    dated: Mapping[str, Any] = field(default_factory=dict)  # the same, or the node of the page or its video


def read_metadata(
    tree: HtmlElement,
    leaves: Sequence[Leaf],
    *,
    url: str,
    entry: Entry | None,
    title_selector: str | None,
) -> Metadata:
    metas = _metas(tree)
    nodes = tuple(_json_nodes(tree))
    article = _main_node(nodes, _ARTICLE_TYPE, url) or _of_state(tree, leaves, metas)
    site = _site(metas, nodes, article, url)
    title = _title(tree, metas, article, site, url, entry, title_selector)
    return Metadata(
        title=title,
        title_borne_out=bool(
            article.get("headline") or metas.get("og:title") or title_selector or (entry and entry.title)
        )
        or (_is_heading(tree, title) and not _is_section(leaves, title)),
        author=_author(tree, leaves, metas, nodes, article, site, title),
        canonical_url=_canonical(tree, metas, url),
        site=site,
        language=_language(tree, metas, article),
        images=_images(metas, article, url),
        description=clean_line(metas.get("og:description") or metas.get("description") or "")[:2000],
        json_body=_json_body(article),
        page_type=metas.get("og:type", "").lower(),
        free=str(article.get("isAccessibleForFree", "true")).strip().lower() not in ("false", "0", "no"),
        news=bool(article) or metas.get("og:type", "").lower() == "article",
        metas=metas,
        article=article,
        dated=article or _main_node(nodes, _PAGE_TYPE, url),
    )


def _is_heading(tree: HtmlElement, title: str) -> bool:
    return any(same_text(title, clean_line(heading.text_content())) for heading in tree.iter("h1"))


def _is_section(leaves: Sequence[Leaf], title: str) -> bool:
    """Whether `title` is a word or two that the page's menu has too: "News"."""
    key = letters(title)
    return len(words(title)) <= 2 and any(leaf.key == key and leaf.linked > 0.85 for leaf in leaves)


# --- sources of evidence ---------------------------------------------------------------------------------------


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
    for key in ("headline", "datePublished", "articleBody"):
        match = re.search(rf'"{key}"\s*:\s*"((?:[^"\\]|\\.)*)"', text)
        if match:
            found[key] = match.group(1)
    return {"@type": "NewsArticle", **found} if found else None


_DECODER = json.JSONDecoder(strict=False)
_DRAWN = 500  # characters that a page shows before its script has drawn it
_BODY = 300  # characters from which a text in a page's state may be the article


def _of_state(tree: HtmlElement, leaves: Sequence[Leaf], metas: Mapping[str, str]) -> dict[str, Any]:
    """The article in the state that a script draws the page from (``__NEXT_DATA__``, ``window.STATE = {...}``), in
    JSON-LD's terms: of the objects with a text and a title that the page declares, the one with the longest text. Empty
    where the page shows its text itself."""
    if sum(len(leaf.text) for leaf in leaves) > _DRAWN:
        return {}
    element = tree.find(".//head/title")
    page = f"{clean_line(element.text_content()) if element is not None else ''} {metas.get('og:title', '')}"
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
    return next((text for key in keys if (text := _text(value.get(key)))), "")


def _prose(value: Any) -> str:
    """HTML, or the paragraphs of a list of blocks."""
    if isinstance(value, list):
        texts = (_first(v, "text", "content", "html", "value") if isinstance(v, dict) else v for v in value[:MAX_NODES])
        return "\n".join(text for text in texts if isinstance(text, str))
    return value if isinstance(value, str) and " " in value else ""


def _types(node: dict[str, Any]) -> list[str]:
    kind = node.get("@type")
    return [str(k) for k in (kind if isinstance(kind, list) else [kind]) if k]


def _main_node(nodes: Sequence[dict[str, Any]], kinds: re.Pattern[str], url: str) -> dict[str, Any]:
    """The node of one of `kinds` that says something of this page, the first of several; empty where there is none."""
    articles = [n for n in nodes if any(kinds.search(kind) for kind in _types(n))]
    articles = [n for n in articles if any(n.get(key) for key in _TELLING)]
    if not articles:
        return {}
    path = urlsplit(url).path.rstrip("/")

    def of_this_page(node: dict[str, Any]) -> bool:
        main = node.get("mainEntityOfPage")
        addresses = [node.get("url"), node.get("@id"), main.get("@id") if isinstance(main, dict) else main]
        return any(isinstance(a, str) and path and urlsplit(a).path.rstrip("/") == path for a in addresses)

    return next((n for n in articles if of_this_page(n)), articles[0])


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = next((v for v in value if v), "")
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value") or value.get("headline") or ""
    return clean_line(_unescape(value)) if isinstance(value, str) else ""


_TAG = re.compile(r"</?[a-zA-Z]{1,10}[^<>]{0,200}>")


def _unescape(text: str) -> str:
    text = html.unescape(html.unescape(text)) if "&" in text else text
    return _TAG.sub("", text) if "<" in text else text


# --- fields ----------------------------------------------------------------------------------------------------


def _site(metas: dict[str, str], nodes: Sequence[dict[str, Any]], article: dict[str, Any], url: str) -> str:
    name = clean_line(_unescape(metas.get("og:site_name", "")))
    if not name or "." in name.strip("."):
        publisher = _text(article.get("publisher"))
        name = publisher or name
    if not name:
        name = next((_text(n) for n in nodes if "WebSite" in _types(n) and _text(n)), "")
    if not name:
        name = clean_line(metas.get("application-name", ""))
    return name[:100] or urls.site(url)


def _title(
    tree: HtmlElement,
    metas: dict[str, str],
    article: dict[str, Any],
    site: str,
    url: str,
    entry: Entry | None,
    selector: str | None,
) -> str:
    if selector:
        chosen = next((clean_line(e.text_content()) for e in tree.cssselect(selector)), "")
        if chosen:
            return chosen[:MAX_TITLE]
    names = (site, urls.site(url))
    section = _text(article.get("articleSection")) or clean_line(_unescape(metas.get("article:section", "")))
    element = tree.find(".//head/title")
    listed, headline, shared, short = (
        _without_names(title, names, section)
        for title in (
            _PRINTED.sub("", clean_line(element.text_content())) if element is not None else "",
            _text(article.get("headline")),
            _unescape(metas.get("og:title", "")),
            _unescape(metas.get("twitter:title", "")),
        )
    )
    given = _without_names(entry.title, names, section) if entry else ""
    main, sub = (_headings(tree, level) for level in ("h1", "h2"))
    declared = _whole([headline, shared, short, listed], [part for wording in (*main, *sub) for part in wording])
    news = bool(article) or metas.get("og:type", "").lower() == "article"
    chosen = _choose(declared, given, main, sub, news=news)
    shown = [part for wording in main for part in (wording[:1] if _seen([chosen], main) else wording)]
    return _bare(chosen, declared[:3], shown)[:MAX_TITLE]


def _whole(titles: Sequence[str], shown: Sequence[str]) -> list[str]:
    """`titles`, each that is cut off (or long enough to be) in the longest wording of another or of a heading."""
    found = []
    for title in titles:
        stem = _CUT_OFF.sub("", title)
        if stem and (stem != title or len(title) >= 100):
            longer = (t for t in (*titles, *shown) if len(t) > len(title) and t.startswith(stem))
            title = next((t for t in longer if not _SEPARATOR.match(t[len(stem) :])), title)
        found.append(title)
    return found


def _choose(
    declared: Sequence[str], given: str, main: Sequence[Sequence[str]], sub: Sequence[Sequence[str]], *, news: bool
) -> str:
    """Of the titles that a newsroom declares, the one for its readers: a heading of the page before one that search
    engines or other sites alone are given. If none is a heading: of an article that is declared as such the title that
    the feed has too, else the first; of any other page the h1 that a declaration bears out, or that is the only one."""
    listed = declared[-1]
    chosen = _seen((*declared, given), main)
    if chosen and same_text(chosen, listed):  # a second heading that is declared is the one for readers
        chosen = _seen([t for t in declared if not same_text(t, listed)], sub) or chosen
    if chosen or (chosen := _seen(declared, sub)):
        return chosen
    heads = [wording[0] for wording in main]
    if not news:
        for borne_out in (_is_title_of, _alike):
            for head in heads:
                if any(borne_out(head, title) for title in (*declared, given) if title):
                    return head
        if len(heads) == 1 and len(words(heads[0])) >= MIN_HEADING:
            return heads[0]
    offered = [t for t in declared if len(words(t)) >= 2] or [t for t in (*declared, given, *heads) if t]
    return next((t for t in offered if same_text(t, given)), next(iter(offered), given))


def _headings(tree: HtmlElement, level: str) -> list[list[str]]:
    """What readers see as headings, each whole and then by its parts (a kicker, the headline).

    One in a breadcrumb is left out, since newsrooms put a title for search engines there, and so is one that links: the
    site's name or another article's.
    """
    found = []
    for heading in islice(tree.iter(level), MAX_HEADINGS):
        if _IN_BREADCRUMB(heading) or (level == "h2" and _LINKED(heading)):
            continue
        if any(_FRONT_PAGE.fullmatch(link.get("href") or "#") for link in heading.iter("a")):
            continue
        parts = [part.text_content() for part in islice(heading.iter(etree.Element), MAX_PARTS)]
        if len(parts) > 1:  # and what stands beside the elements
            parts += [text for text in (heading.text, *(child.tail for child in islice(heading, MAX_PARTS))) if text]
        wording = [clean_line(part) for part in parts]
        if 0 < len(wording[0]) <= MAX_TITLE:
            found.append(wording)
    return found


def _seen(declared: Sequence[str], headings: Sequence[Sequence[str]]) -> str:
    """The first of the declared titles that is a heading or a part of one."""
    return next((t for t in declared if words(t) for h in headings if any(same_text(t, part) for part in h)), "")


def _is_title_of(head: str, title: str) -> bool:
    """Whether `title` is `head`, or begins with it and names the site behind it."""
    return bool(words(head)) and (same_text(head, title) or same_text(head, _TITLE_SPLIT.split(title)[0]))


def _bare(title: str, declared: Sequence[str], heads: Sequence[str]) -> str:
    """`title` without the kicker before it, or the section or date behind it, that another rendering does without."""
    plain = title.casefold()
    for other, shown in (*((t, False) for t in declared), *((t, True) for t in heads)):
        bare, rest = other.casefold(), len(title) - len(other)
        if len(words(other)) < 3 or rest <= 0:
            continue
        kicker, tail = title[:rest], title[-rest:]
        longer = rest < len(other)
        before = ((shown or longer) and _KICKER.search(kicker)) or (shown and longer and kicker.endswith(" "))
        behind = longer and (_SEPARATED.match(tail) or (shown and not tail[0].isalnum()))
        if (plain.endswith(bare) and before) or (plain.startswith(bare) and behind):
            return other
    return title


def _without_names(title: str, sites: Sequence[str], section: str) -> str:
    """`title` without what follows it after a dash or a bar: the names of the site, and of the section before them."""
    for site in sites:
        title = without_site(title, site)
    parts = _TITLE_SPLIT.split(title)
    if section and len(parts) > 1 and same_text(parts[-1], section):
        shorter = clean_line(_SEPARATOR.sub("", title[: -len(parts[-1])]))
        if len(words(shorter)) >= 2:
            return shorter
    return title


def _alike(one: str, other: str) -> bool:
    a, b = set(words(one)), set(words(other))
    return bool(a and b) and len(a & b) >= 0.5 * min(len(a), len(b)) and len(a & b) >= 0.34 * max(len(a), len(b))


def without_site(title: str, site: str) -> str:
    """`title` without the name of the site or of its section at either end."""
    title = clean_line(title[: 4 * MAX_TITLE])
    if site:
        plain, name = title.casefold(), site.casefold()
        for cut, found in (
            (slice(0, -len(site)), plain.endswith(name)),
            (slice(len(site), None), plain.startswith(name)),
        ):
            shorter = _SEPARATOR.sub("", title[cut])
            if found and title[cut].strip() != shorter and len(words(shorter)) >= 2:
                title = shorter
    names = {n for n in (*words(site), letters(site)) if n}
    for _ in range(3):
        parts = _TITLE_SPLIT.split(title)
        if len(parts) < 2:
            return title
        for index in (-1, 0):
            part = parts[index]
            tail = words(part)
            joined = "".join(tail)
            named = tail and (set(tail) <= names or joined in names or any(len(n) > 4 and n in joined for n in names))
            if named and len(tail) <= 6:
                shorter = title[: -len(part)] if index == -1 else title[len(part) :]
                shorter = clean_line(_SEPARATOR.sub("", shorter))
                if len(words(shorter)) >= 2:
                    title = shorter
                    break
        else:
            return title
    return title


def _author(
    tree: HtmlElement,
    leaves: Sequence[Leaf],
    metas: dict[str, str],
    nodes: Sequence[dict[str, Any]],
    article: dict[str, Any],
    site: str,
    title: str,
) -> str:
    by_id = {n["@id"]: n for n in nodes if isinstance(n.get("@id"), str) and n.get("name")}
    value = article.get("author") or article.get("creator")
    listed = value if isinstance(value, list) else [value]
    names: list[str] = []
    bodies: list[str] = []
    declared: list[str] = []
    for person in listed[:10]:
        if isinstance(person, dict) and "name" not in person and isinstance(person.get("@id"), str):
            person = by_id.get(person["@id"], person)
        raw = person.get("name") if isinstance(person, dict) else person
        for name in raw if isinstance(raw, list) else [raw]:
            if isinstance(name, str):
                declared.append(_unescape(name))
                body = isinstance(person, dict) and "Organization" in _types(person)
                (bodies if body else names).extend(people(declared[-1], site))
    element = tree.find(".//head/title")
    brand = _TITLE_SPLIT.split(clean_line(element.text_content()) if element is not None else "")[-1]
    for key in _AUTHOR_META:
        if key in metas and not names:
            declared.append(_unescape(metas[key]))
            for name in people(declared[-1], site):
                (bodies if same_text(name, brand) else names).append(name)
    if not names and bodies:
        names = signed(tree, leaves, title, site) or bodies
    if not names:
        for path in _AUTHOR_XPATH:
            found = [people(e.text_content()[:300], site) for e in path(tree)[:3]]
            names = next((n for n in found if n), [])
            if names:
                break
    if not names:
        names = signed(tree, leaves, title, site, unlabelled=not declared)
    if not names:  # the newsroom signs as such
        names = next((n for n in (people(d) for d in declared) if n), [])
    if not names:  # below the text
        called = (leaf.text for leaf in leaves if _CALLED_AUTHOR.search(leaf.element.get("class") or ""))
        names = next((persons for line in called if len(line) <= 80 and (persons := _persons(line, site))), [])
    return ", ".join(dict.fromkeys(names))[:MAX_AUTHOR]


_PROFILE = re.compile(
    r"/(?:authors?|autor(?:en|es)?|auteurs?|avtor[yi]?|writers?|columnists?|reporters?|by)/[^/]", re.I
)
_SIGNED = re.compile(
    r"^(?:(?:written|posted|reported|interview|words|text|compiled)\s+)?by\b[\s:]+(?=\S)|^(?:автор(?:ы)?|текст|корреспондент)\s*[:：—–-]\s*"
    r"|^(?:تحریر|رپورٹ|مصنف)\s*[:：]\s*",
    re.I,
)
_LABELLED = re.compile(r"(?:\b(?:автор(?:ы)?|текст|author|muallif|yazar)|تحریر|رپورٹ|مصنف)\s*[:：]\s*", re.I)
_BESIDE_NAME = re.compile(
    r"\s[-–—|•·]\s|[,\s]+(?:published|updated|posted|on|от)\b|"
    r"[,\s]+(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+)?\d",
    re.I,
)
_CALLED_AUTHOR = re.compile(
    r"(?:^|[\s_-])(?:by|byline|authors?|writer|reporter|autor|avtor|yazar|muhabir|muallif)(?:[_-]{1,2}name)?(?:$|\s|__)",
    re.I,
)
_NEAR = 60  # elements below the heading in which a byline stands


def signed(tree: HtmlElement, leaves: Sequence[Leaf], title: str, site: str, *, unlabelled: bool = False) -> list[str]:
    """The names below the heading, above the first paragraph: what is called an author, links to authors' pages, a
    line that says "by", or (`unlabelled`) a name alone above the time."""
    heads = [h for h in islice(tree.iter("h1", "h2"), MAX_HEADINGS) if not _IN_BREADCRUMB(h)]
    titled = (h for h in heads for part in islice(h.iter(etree.Element), MAX_PARTS) if _says(part, title))
    key = letters(title)
    lines = (  # of pages without a heading
        next((part for part in islice(leaf.element.iter(etree.Element), _NEAR) if _says(part, title)), leaf.element)
        for leaf in leaves
        if key and leaf.key == key and not _IN_BREADCRUMB(leaf.element)
    )
    heading = next(titled, next((h for h in heads if h.tag == "h1"), next(lines, None)))
    if heading is None:
        return []
    names: list[str] = []
    for element in islice(_after(heading), _NEAR):
        line = clean_line(element.text_content()[:300])
        if element.tag == "p" and len(line) > 100 and "caption" not in (element.get("class") or ""):
            break
        if element.tag == "a" and _PROFILE.search(element.get("href") or ""):
            names += _persons(line, site)
        called = _CALLED_AUTHOR.search(element.get("class") or "")
        label = _LABELLED.search(line)
        alone = unlabelled and _is_above_time(element, line)
        if not names and len(line) <= 120 and (called or label or alone or _SIGNED.match(line)):
            links = [clean_line(a.text_content()) for a in element.iter("a")] if called else []
            named = line[label.end() :] if label else line
            names = _persons(", ".join(links) or _BESIDE_NAME.split(named)[0], site)
            if names:
                break
    return list(dict.fromkeys(names))


def _is_above_time(element: HtmlElement, line: str) -> bool:
    """Whether `element` is a name and no more, and the next one the time of publication."""
    below = element.getnext()
    return bool(below is not None and _PERSON.fullmatch(line) and is_stamp(clean_line(below.text_content()[:200])))


def _says(element: HtmlElement, title: str) -> bool:
    return same_text(title, clean_line(element.text_content()))


_PERSON = re.compile(  # two words and more, in capitals where the script has them
    r"(?:(?:Dr|Prof|Mr|Ms|Mrs|Syed|Sheikh)\.?\s+)?[^\W\d_][\w\u0900-\u094f.'’-]*(?:\s+(?:(?:de|del|der|den|da|di|dos|la|le|van|von|bin|"
    r"ibn|al|ul|ur|e|y)\s+)*[^\W\d_a-zа-яё][\w\u0900-\u094f.'’-]*){1,4}"
)


def _persons(text: str, site: str) -> list[str]:
    """The names of persons with which `text` begins; a desk, a brand or a role ends them."""
    return list(takewhile(lambda name: _PERSON.fullmatch(name) and not name[0].islower(), people(text, site)))


def _after(element: HtmlElement) -> Iterator[HtmlElement]:
    """The elements that follow `element` in the order of the page, its own left out."""
    here: HtmlElement | None = element
    while here is not None:
        for later in here.itersiblings():
            yield from later.iter(etree.Element)
        here = here.getparent()


def people(text: str, site: str = "") -> list[str]:
    """The names in a byline; empty where it holds none (a desk, an address, the site itself)."""
    text = _BY.sub("", _HANDLE.sub("", clean_line(text))).strip(" .:,-–—")
    names = []
    for part in _NAME_SPLIT.split(text):
        name = _BY.sub("", part).strip(" .:,-–—'\"()")
        if not name or len(name) > 60 or len(name.split()) > 6 or _NOT_A_NAME.search(name):
            continue
        if site and same_text(name, site):
            continue
        names.append(name)
    return names[:8]


def read_published(
    tree: HtmlElement,
    leaves: Sequence[Leaf],
    meta: Metadata,
    *,
    url: str,
    zone: ZoneInfo | None,
    now: datetime | None,
    entry: Entry | None,
) -> Moment | None:
    """When the article came out: the best of all that the page, its feed and its URL say; None where nothing does."""
    metas, article = meta.metas, meta.dated
    candidates: list[Moment] = []

    def add(raw: Any, origin: str) -> None:
        if isinstance(raw, str | int | float) and raw != "":
            moment = dates.read(raw if not isinstance(raw, str) else raw[:200], zone=zone, now=now, origin=origin)
            if moment.instant is not None and not (moment.capped and origin == "text"):
                candidates.append(moment)

    for key in ("datePublished", "dateCreated", "uploadDate"):
        if not candidates:
            add(article.get(key), "json-ld")
    for key in _DATE_META:
        if key in metas:
            add(metas[key], "meta")
            break
    for element in _times(tree):
        add(element, "time")
        break
    if entry and entry.published:
        candidates.append(entry.published)
    if not any(c.precision in ("exact", "minute") for c in candidates):
        for element in tree.xpath(_VISIBLE_DATE)[:20]:
            text = clean_line(element.text_content())
            if 6 <= len(text) <= 100 and any(c.isdigit() for c in text):
                before = len(candidates)
                add(text, "text")
                if len(candidates) > before:
                    break
        for line in _stamps(leaves, meta.title):
            add(line, "text")
            if candidates and candidates[-1].precision in ("exact", "minute"):
                break
    if not candidates and sum(1 for _ in tree.iter()) <= MAX_ELEMENTS:
        add(_visible(tree, url, now), "text")
    if not candidates:
        match = _URL_DATE.search(urlsplit(url).path)
        if match:
            add("-".join(match.groups()), "url")
    if not candidates:
        return None
    return dates.best(candidates, now=now or NO_LIMIT)


NO_LIMIT = datetime(9999, 1, 1, tzinfo=UTC)
_VISIBLE_DATE = (
    ".//*[self::span or self::div or self::p or self::li or self::small or self::a]"
    '[contains(@class, "date") or contains(@class, "time") or contains(@class, "publish") or contains(@class, "posted")'
    ' or contains(@id, "date")][not(ancestor::aside) and not(ancestor::footer) and not(ancestor::nav)]'
)
_URL_DATE = re.compile(r"/(20\d\d|19\d\d)[/-]?(0[1-9]|1[0-2])[/-]?([0-3]\d)(?!\d)")


def _times(tree: HtmlElement) -> Iterator[str]:
    """The times of the article: marked as published first, the others in the order of the page."""
    marked: list[str] = []
    plain: list[str] = []
    for element in tree.iter("time", "abbr", "span", "div", "p", "a", "meta"):
        prop = (element.get("itemprop") or "").lower()
        if element.tag != "time" and prop not in ("datepublished", "datecreated"):
            continue
        value = (
            element.get("datetime")
            or element.get("content")
            or element.get("title")
            or clean_line(element.text_content())
        )
        if not value:
            continue
        hints = f"{prop} {element.get('class') or ''} {element.get('pubdate') or ''}".lower()
        if "modified" in prop or "updated" in hints.split():
            continue
        if "datepublished" in hints or "published" in hints or "pubdate" in element.attrib:
            marked.append(value)
        else:
            plain.append(value)
    yield from marked
    yield from plain


_STAMP_LABEL = re.compile(
    r"^.{0,60}?\b(?:published|updated|posted|опубликовано|обновлено|дата)\b\s*(?:on|at|:|—|-)?\s*", re.I
)
_YEAR = re.compile(r"(?:19|20)\d\d|\b\d{1,2}[./]\d{1,2}[./]\d\d\b|[\u0660-\u0669\u06f0-\u06f9]{4}")


_CLOCK = re.compile(r"\d{1,2}[:.]\d\d")


def _stamps(leaves: Sequence[Leaf], title: str) -> Iterator[str]:
    """Short lines with a year around the heading, the nearest below it first."""
    key = letters(title)
    heads = [n for n, leaf in enumerate(leaves) if leaf.tag == "h1" or (key and leaf.key == key)]
    head = heads[-1] if heads else 0
    for n in (*range(head + 1, head + 8), *range(head - 1, head - 5, -1)):
        if not 0 <= n < len(leaves):
            continue
        text = leaves[n].text
        if 6 <= len(text) <= 120 and _YEAR.search(text) and leaves[n].linked < 0.9:
            if n + 1 < len(leaves) and _CLOCK.fullmatch(leaves[n + 1].text):  # the hour in a field of its own
                yield f"{text} {leaves[n + 1].text}"
            yield text
            shorter = _STAMP_LABEL.sub("", text)
            if shorter and shorter != text:
                yield shorter


def _visible(tree: HtmlElement, url: str, now: datetime | None) -> str:
    """What htmldate finds in the visible text and the rest of the markup: a day."""
    try:
        found = find_date(
            tree,
            extensive_search=True,
            original_date=True,
            url=url,
            max_date=now.strftime("%Y-%m-%d") if now else None,
        )
    except (ValueError, TypeError, AttributeError, OverflowError):  # its own parsing of hostile markup
        return ""
    return found or ""


def _canonical(tree: HtmlElement, metas: dict[str, str], url: str) -> str:
    """The address that the page declares, believed on its own site only and never when it is the front page; else the
    page's own. `urls.canonical` makes the key of it that articles are told apart by."""
    declared = [e.get("href") or "" for e in tree.iter("link") if "canonical" in (e.get("rel") or "").lower().split()]
    for href in (*declared, metas.get("og:url", "")):
        absolute = urls.absolute(href, url) if href.strip() else None
        if absolute is None or urls.site(absolute) != urls.site(url):
            continue
        if urlsplit(absolute).path in ("", "/") and not urlsplit(absolute).query:
            continue
        return absolute
    return url


def _language(tree: HtmlElement, metas: dict[str, str], article: dict[str, Any]) -> str:
    root = tree.getroottree().getroot()
    for value in (
        article.get("inLanguage"),
        root.get("lang"),
        root.get("{http://www.w3.org/XML/1998/namespace}lang"),
        metas.get("og:locale"),
        metas.get("content-language"),
    ):
        if isinstance(value, dict):
            value = value.get("alternateName") or value.get("name")
        if isinstance(value, str) and value.strip():
            return value.strip()[:20]
    return ""


def _images(metas: dict[str, str], article: dict[str, Any], url: str) -> tuple[str, ...]:
    found: list[str] = []
    value = article.get("image")
    listed = value if isinstance(value, list) else [value]
    raw = [metas.get("og:image"), metas.get("og:image:url"), metas.get("twitter:image")]
    raw += [i.get("url") if isinstance(i, dict) else i for i in listed[:MAX_IMAGES]]
    for href in raw:
        absolute = urls.absolute(href, url) if isinstance(href, str) and href.strip() else None
        if absolute and absolute.startswith(("http://", "https://")) and absolute not in found:
            found.append(absolute)
    return tuple(found[:MAX_IMAGES])


def _json_body(article: dict[str, Any]) -> str:
    body = article.get("articleBody")
    return html.unescape(body)[:200_000] if isinstance(body, str) else ""
