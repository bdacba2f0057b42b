"""Who wrote an article, by name.

The persons in JSON-LD, else in meta elements, else in markup for authors, else in the lines between the title and the
first paragraph. An organization in JSON-LD, or the page's brand in a meta element, is the author where no person is
named in these or below the title; the site's own name, where nobody else is. Last comes a line anywhere on the page
that is marked as a byline.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from lxml import etree
from lxml.html import HtmlElement

from crawler.extract.boilerplate import is_stamp
from crawler.extract.declared import Declared, types_of, unescaped
from crawler.extract.leaves import Leaf
from crawler.extract.plain import clean_line, same_text
from crawler.extract.titles import last_part, title_element

__all__ = ["people", "read_author", "signed"]

MAX_AUTHOR = 200

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
_CALLED_AUTHOR = re.compile(
    r"(?:^|[\s_-])(?:by|byline|authors?|writer|reporter|autor|avtor|yazar|muhabir|muallif)(?:[_-]{1,2}name)?(?:$|\s|__)",
    re.I,
)


def read_author(tree: HtmlElement, leaves: Sequence[Leaf], declared: Declared, *, site: str, title: str) -> str:
    """The names, with commas between them; empty where nobody is named."""
    names: list[str] = []
    bodies: list[str] = []
    told: list[str] = []
    for name, is_body in _listed(declared):
        told.append(name)
        (bodies if is_body else names).extend(people(name, site))
    brand = last_part(declared.page_title)
    for key in _AUTHOR_META:
        if key in declared.metas and not names:
            told.append(unescaped(declared.metas[key]))
            for name in people(told[-1], site):
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
        names = signed(tree, leaves, title, site, unlabelled=not told)
    if not names:  # the newsroom signs as such
        names = next((n for n in (people(t) for t in told) if n), [])
    if not names:  # below the text
        called = (leaf.text for leaf in leaves if _CALLED_AUTHOR.search(leaf.element.get("class") or ""))
        names = next((persons for line in called if len(line) <= 80 and (persons := _persons(line, site))), [])
    return ", ".join(dict.fromkeys(names))[:MAX_AUTHOR]


def _listed(declared: Declared) -> Iterator[tuple[str, bool]]:
    """The authors in JSON-LD as they stand there, and whether each is an organization."""
    by_id = {n["@id"]: n for n in declared.nodes if isinstance(n.get("@id"), str) and n.get("name")}
    value = declared.article.get("author") or declared.article.get("creator")
    for person in (value if isinstance(value, list) else [value])[:10]:
        if isinstance(person, dict) and "name" not in person and isinstance(person.get("@id"), str):
            person = by_id.get(person["@id"], person)
        raw = person.get("name") if isinstance(person, dict) else person
        for name in raw if isinstance(raw, list) else [raw]:
            if isinstance(name, str):
                yield unescaped(name), isinstance(person, dict) and "Organization" in types_of(person)


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
_NEAR = 60  # elements below the heading in which a byline stands


def signed(tree: HtmlElement, leaves: Sequence[Leaf], title: str, site: str, *, unlabelled: bool = False) -> list[str]:
    """The names below the heading, above the first paragraph: what is called an author, links to authors' pages, a
    line that says "by", or (`unlabelled`) a name alone above the time."""
    heading = title_element(tree, leaves, title)
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


def _after(element: HtmlElement) -> Iterator[HtmlElement]:
    """The elements that follow `element` in the order of the page, its own left out."""
    here: HtmlElement | None = element
    while here is not None:
        for later in here.itersiblings():
            yield from later.iter(etree.Element)
        here = here.getparent()


_PERSON = re.compile(  # two words and more, in capitals where the script has them
    r"(?:(?:Dr|Prof|Mr|Ms|Mrs|Syed|Sheikh)\.?\s+)?[^\W\d_][\w\u0900-\u094f.'’-]*(?:\s+(?:(?:de|del|der|den|da|di|dos|la|le|van|von|bin|"
    r"ibn|al|ul|ur|e|y)\s+)*[^\W\d_a-zа-яё][\w\u0900-\u094f.'’-]*){1,4}"
)


def _persons(text: str, site: str) -> list[str]:
    """The names of persons with which `text` begins; a desk, a brand or a role ends them."""
    return list(takewhile(lambda name: _PERSON.fullmatch(name) and not name[0].islower(), people(text, site)))


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
