"""The title of an article as readers see it, and the element of the page that shows it.

The source's selector decides. Else it is one of the titles that a newsroom declares (JSON-LD, og:title, twitter:title,
``<title>``, the feed's), without the names of site and section: one that is a heading of the page; else of an article
the one that the feed has too or the first, of any other page the h1 that a declaration bears out or that is the only
one. A title that only ``<title>`` bears out gives way to a line above the text that the text bears out better.
"""

import re
from collections.abc import Sequence
from itertools import islice

from lxml import etree
from lxml.html import HtmlElement

from crawler import urls
from crawler.extract.body import Body
from crawler.extract.boilerplate import is_sentence
from crawler.extract.declared import Declared, text_of, unescaped
from crawler.extract.leaves import Leaf
from crawler.extract.plain import clean_line, letters, overlap, same_text, stems, words
from crawler.types import Entry

__all__ = ["is_borne_out", "last_part", "read_title", "title_above", "title_element"]

MAX_TITLE = 500
MAX_HEADINGS = 40  # of one level that are looked at
MAX_PARTS = 8  # elements of one heading
MAX_LINE_PARTS = 60  # elements of a line that stands for a heading
MIN_HEADING = 4  # words of an h1 that is believed to be the title though nothing bears it out

_SEPARATOR = re.compile(r"^(?:[\s|–—•·:/\\-]|[»›]\s)+|(?:[\s|–—•·:/\\-]|\s[»«›‹])+$")  # not the quotes of a name
_TITLE_SPLIT = re.compile(r"\s+(?:[|–—•·»«›‹:/\\-]|::|\|\|)\s+|\s*\|\s*|:\s+(?=\S+$)")
_PRINTED = re.compile(r"^(?:версия для печати|print(?:er|able)?[- ](?:friendly )?version)\b\W*", re.I)
_IN_BREADCRUMB = etree.XPath(
    "boolean(ancestor::nav or parent::li or ancestor-or-self::*[position() <= 4]"
    "[@data-breadcrumb-headline or contains(@itemtype, 'BreadcrumbList') or starts-with(@id, 'breadcrumb')"
    " or starts-with(@class, 'breadcrumb') or contains(@class, ' breadcrumb')])"
)


def read_title(
    tree: HtmlElement, declared: Declared, *, site: str, url: str, entry: Entry | None, selector: str | None
) -> str:
    """The article's title; empty where the page has none."""
    if selector:
        chosen = next((clean_line(e.text_content()) for e in tree.cssselect(selector)), "")
        if chosen:
            return chosen[:MAX_TITLE]
    metas, article = declared.metas, declared.article
    names = (site, urls.site(url))
    section = text_of(article.get("articleSection")) or clean_line(unescaped(metas.get("article:section", "")))
    listed, headline, shared, short = (
        _without_names(title, names, section)
        for title in (
            _PRINTED.sub("", declared.page_title),
            text_of(article.get("headline")),
            unescaped(metas.get("og:title", "")),
            unescaped(metas.get("twitter:title", "")),
        )
    )
    given = _without_names(entry.title, names, section) if entry else ""
    main, sub = (_headings(tree, level) for level in ("h1", "h2"))
    titles = _whole([headline, shared, short, listed], [part for wording in (*main, *sub) for part in wording])
    chosen = _choose(titles, given, main, sub, news=declared.news)
    shown = [part for wording in main for part in (wording[:1] if _seen([chosen], main) else wording)]
    return _bare(chosen, titles[:3], shown)[:MAX_TITLE]


def is_borne_out(tree: HtmlElement, leaves: Sequence[Leaf], declared: Declared, title: str, *, given: bool) -> bool:
    """Whether more than the page's ``<title>`` says that `title` is the article's. `given`: its source or feed does."""
    if given or declared.article.get("headline") or declared.metas.get("og:title"):
        return True
    return any(_says(heading, title) for heading in tree.iter("h1")) and not _is_section(leaves, title)


def title_above(leaves: Sequence[Leaf], body: Body, title: str) -> str:
    """The line over the article that it bears out better than the page's <title>; old sites put their name there."""
    prose = next((line for line in body.lines if is_sentence(line) and len(line) >= 60), "")
    key = letters(prose)
    first = next((n for n, leaf in enumerate(leaves) if key and leaf.key == key), 0)
    known = stems(body.text)
    above = leaves[max(0, first - 6) : first]
    shown = any(same_text(leaf.text, title) for leaf in above)
    best, most = title, overlap(title, known) + 0.2 if shown else 0.3
    for leaf in above:
        told = [word for word in words(leaf.text) if word.isalpha()]  # "PR No. 318/2025" tells nothing
        if 3 <= len(told) <= 30 and leaf.linked < 0.5 and not is_sentence(leaf.text):
            share = overlap(leaf.text, known)
            if share > most:
                best, most = leaf.text, share
    return best


def title_element(tree: HtmlElement, leaves: Sequence[Leaf], title: str) -> HtmlElement | None:
    """The element that shows `title`: a heading or a part of one, else the first h1, else a line of the page."""
    heads = [h for h in islice(tree.iter("h1", "h2"), MAX_HEADINGS) if not _IN_BREADCRUMB(h)]
    titled = (h for h in heads for part in islice(h.iter(etree.Element), MAX_PARTS) if _says(part, title))
    key = letters(title)
    lines = (leaf.element for leaf in leaves if key and leaf.key == key and not _IN_BREADCRUMB(leaf.element))
    shown = (  # on pages without a heading
        next((part for part in islice(line.iter(etree.Element), MAX_LINE_PARTS) if _says(part, title)), line)
        for line in lines
    )
    return next(titled, next((h for h in heads if h.tag == "h1"), next(shown, None)))


def last_part(page_title: str) -> str:
    """What stands behind the last bar or dash of a page's ``<title>``: mostly the site's name."""
    return _TITLE_SPLIT.split(page_title)[-1]


def _says(element: HtmlElement, title: str) -> bool:
    return same_text(title, clean_line(element.text_content()))


def _is_section(leaves: Sequence[Leaf], title: str) -> bool:
    """Whether `title` is a word or two that the page's menu has too: "News"."""
    key = letters(title)
    return len(words(title)) <= 2 and any(leaf.key == key and leaf.linked > 0.85 for leaf in leaves)


_CUT_OFF = re.compile(r"\s*(?:…|\.\.+)\s*$")


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


_FRONT_PAGE = re.compile(r"(?:https?://[^/]+)?/?(?:index\.\w+)?")
_LINKED = etree.XPath("boolean(ancestor::a or .//a)")


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


def _alike(one: str, other: str) -> bool:
    a, b = set(words(one)), set(words(other))
    return bool(a and b) and len(a & b) >= 0.5 * min(len(a), len(b)) and len(a & b) >= 0.34 * max(len(a), len(b))


_KICKER = re.compile(r"(?::|\s[|–—•·»›-])\s+$")
_SEPARATED = re.compile(r"\s+[|–—•·»«›‹*/\\-]\s|\s*\|")


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
        title = _without_site(title, site)
    parts = _TITLE_SPLIT.split(title)
    if section and len(parts) > 1 and same_text(parts[-1], section):
        return _shortened(title[: -len(parts[-1])]) or title
    return title


def _shortened(rest: str) -> str:
    """`rest` of a title without the separators at its ends; empty where it is too short to be one."""
    shorter = clean_line(_SEPARATOR.sub("", rest))
    return shorter if len(words(shorter)) >= 2 else ""


def _without_site(title: str, site: str) -> str:
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
                shorter = _shortened(title[: -len(part)] if index == -1 else title[len(part) :])
                if shorter:
                    title = shorter
                    break
        else:
            return title
    return title
