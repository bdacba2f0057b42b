"""The article's text out of a page's tree.

The source's own selector first, then trafilatura's precision mode, refined by the page's own markup: paragraphs that
it lost between two that it found come back, links and named furniture that it kept go. A gate asks whether the result
can be the article; if not, other methods give second opinions and the best judged one is taken.
"""

import logging
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import accumulate, islice

import trafilatura
from lxml import html
from lxml.cssselect import CSSSelector
from lxml.etree import LxmlError, XPath
from lxml.html import HtmlElement
from trafilatura.meta import reset_caches as _reset_caches

from crawler.extract.boilerplate import cut, is_sentence, is_stamp, starts_foot
from crawler.extract.leaves import Leaf, read_leaves
from crawler.extract.plain import clean_lines, letters, overlap, stems, words

MAX_TEXT = 400_000  # characters
MAX_ELEMENTS = 25_000  # real pages have fewer; trafilatura's cost is quadratic in places
GOOD = 0.6  # the verdict from which no second opinion is asked
MARGIN = 0.25  # by which another method's verdict must exceed that of the precision mode
_CLOCK = re.compile(r"^\W*\d{1,2}[:.]\d\d\W*(?:\w+\W*){0,3}$")
_HEADINGS = frozenset(("h2", "h3", "h4", "h5"))

logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)
logging.getLogger("htmldate").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    lines: tuple[str, ...] = ()
    method: str = ""  # selector, precision, markup, blocks, json-ld, balanced
    verdict: float = 0.0  # 0 not an article, 1 surely

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def reset_caches() -> None:
    """Frees what trafilatura and its libraries keep; they never do so themselves."""
    _reset_caches()


_TITLES = frozenset(("h1", "h2", "h3"))
_BEFORE_ANOTHER = 200  # characters of prose that the first article must have had


def without_second_article(leaves: Sequence[Leaf], *, title: str) -> Sequence[Leaf]:
    """The leaves above the heading of another article, if one stands below the first; its elements leave the tree."""
    key = letters(title)
    head = next((n for n, leaf in enumerate(leaves) if leaf.tag == "h1" or (key and leaf.key == key)), None)
    home = leaves[head].path[:-1] if head is not None else ()
    prose = 0
    around: tuple[int, ...] = ()
    for n in range((head or 0) + (head is not None), len(leaves)):
        leaf = leaves[n]
        if leaf.furniture:
            continue
        opens = prose >= _BEFORE_ANOTHER and leaf.key != key
        if opens and (_opens_article(leaves, n, home=home, around=around) or _outside(leaves, head, n)):
            _cut_tree(leaf.element)
            return leaves[:n]
        if _is_prose(leaf):
            prose += len(leaf.text)
            around = leaf.path[:-1]
    return leaves


def _opens_article(leaves: Sequence[Leaf], n: int, *, home: tuple[int, ...], around: tuple[int, ...]) -> bool:
    """Whether leaf n is the title of an article: prose follows, and it has a time of its own or is an h1.

    An h1 between paragraphs, as some newsrooms write subheadings, is none: it stands beside the last paragraph
    (`around`) and not beside the page's first title (`home`).
    """
    leaf = leaves[n]
    if leaf.tag not in _TITLES or len(words(leaf.text)) < 3 or is_sentence(leaf.text):
        return False
    ahead = leaves[n + 1 : n + 9]
    if sum(len(other.text) for other in ahead if _is_prose(other)) < 100:
        return False
    if leaf.path[:-1] != around and any(other.path[:-1] == around and _is_prose(other) for other in leaves[n + 1 :]):
        return False  # a card inside the article, which goes on below it
    for other in ahead[:3]:
        if _is_prose(other):
            break
        if is_stamp(other.text):
            return True
    return leaf.tag == "h1" and (leaf.path[:-1] == home or leaf.path[:-1] != around)


def _outside(leaves: Sequence[Leaf], head: int | None, n: int) -> bool:
    """Whether leaf n is a title with prose behind it, outside the <article> in which the page's first title and its
    text stand: what the site shows below its article."""
    leaf = leaves[n]
    if head is None or leaf.tag not in _TITLES or len(words(leaf.text)) < 3 or is_sentence(leaf.text):
        return False
    article = next(leaves[head].element.iterancestors("article"), None)
    if article is None or article in leaf.element.iterancestors("article"):
        return False
    inside = (o for o in leaves[head:n] if _is_prose(o) and article in o.element.iterancestors("article"))
    if sum(len(other.text) for other in inside) < _BEFORE_ANOTHER:
        return False
    return sum(len(other.text) for other in leaves[n + 1 : n + 9] if _is_prose(other)) >= 100


def _cut_tree(element: HtmlElement) -> None:
    """Removes `element` and all that follows it on the page."""
    here: HtmlElement | None = element
    while here is not None and here.tag != "body":
        parent = here.getparent()
        if parent is None:
            return
        for later in list(here.itersiblings()):
            parent.remove(later)
        if here is element:
            parent.remove(here)
        here = parent


def read_body(
    tree: HtmlElement,
    leaves: Sequence[Leaf],
    *,
    url: str,
    title: str,
    summary: str,
    json_body: str,
    selector: str | None,
) -> Body:
    """The best reading of the article's text, which may be none at all (verdict 0)."""
    if selector:
        chosen = [leaf for element in CSSSelector(selector)(tree)[:50] for leaf in read_leaves(element)]
        lines = [leaf.text for leaf in chosen if not leaf.furniture]
        if lines:
            return Body(lines=tuple(cut(lines, title=title)), method="selector", verdict=1.0)
    judge = _Judge(leaves, title=title, summary=summary, json_body=json_body)
    best = Body()
    for method, lines in _opinions(tree, leaves, url=url, title=title, summary=summary, json_body=json_body):
        kept = cut(lines, title=title)
        body = Body(lines=tuple(kept), method=method, verdict=judge.verdict(kept))
        if body.verdict > best.verdict + (MARGIN if best.method == "precision" else 0.05) or not best.method:
            best = body
        if method == "precision" and best.verdict >= GOOD:
            break
    return best


def _opinions(
    tree: HtmlElement, leaves: Sequence[Leaf], *, url: str, title: str, summary: str, json_body: str
) -> Iterator[tuple[str, list[str]]]:
    small = sum(1 for _ in tree.iter()) <= MAX_ELEMENTS
    lines = _trafilatura(tree, url=url, precision=True) if small else []
    yield "precision", _refine(lines, leaves, title=title, summary=summary)
    markup = _marked(tree)
    if markup is not None:
        yield "markup", [leaf.text for leaf in read_leaves(markup) if _belongs(leaf)]
    yield "blocks", _densest(leaves, title=title, summary=summary)
    if json_body:
        yield "json-ld", _lines(json_body)
    if small:
        lines = _trafilatura(tree, url=url, precision=False)
        yield "balanced", _refine(lines, leaves, title=title, summary=summary)


def _lines(text: str) -> list[str]:
    """The lines of plain text, or the blocks of HTML."""
    if "<" not in text:
        return clean_lines(text)
    try:
        return [
            leaf.text for leaf in read_leaves(html.fragment_fromstring(text, create_parent="div")) if _belongs(leaf)
        ]
    except (LxmlError, ValueError, AssertionError):
        return clean_lines(re.sub(r"<[^>]{1,500}>", "\n", text))


def _trafilatura(tree: HtmlElement, *, url: str, precision: bool) -> list[str]:
    try:
        document = trafilatura.bare_extraction(
            deepcopy(tree), url=url, favor_precision=precision, include_comments=False, with_metadata=False
        )
    except (ValueError, TypeError, AttributeError, AssertionError, RecursionError):  # spoiled markup
        return []
    text = getattr(document, "text", None) or ""
    return [line.removeprefix("- ") for line in clean_lines(text[:MAX_TEXT])]


_MARKED = XPath(
    'descendant-or-self::*[@itemprop="articleBody" or @property="articleBody"] | descendant-or-self::*[@class]['
    + " or ".join(
        f'contains(concat(" ", normalize-space(@class), " "), " {name} ")'
        for name in ("entry-content", "article-body", "article__text", "story__content")
    )
    + "]"
)


def _marked(tree: HtmlElement) -> HtmlElement | None:
    """The element that the page itself marks as the article's body, the largest if there are several."""
    found: list[HtmlElement] = list(_MARKED(tree))
    return max(found, key=lambda e: len(e.text_content()), default=None)


def _is_pointer(leaf: Leaf) -> bool:
    """A line that is a link to something else, with a label at most."""
    if leaf.linked > 0.85:
        return len(leaf.text) < 200 or not is_sentence(leaf.text)
    return leaf.linked > 0.35 and len(leaf.text) < 200 and leaf.tag != "tr" and not is_sentence(leaf.text)


def _is_prose(leaf: Leaf) -> bool:
    return leaf.linked < 0.5 and is_sentence(leaf.text)


def _belongs(leaf: Leaf) -> bool:
    return not leaf.furniture and not _is_pointer(leaf)


def _refine(lines: Sequence[str], leaves: Sequence[Leaf], *, title: str, summary: str) -> list[str]:
    """`lines` as an extractor gave them, corrected by the leaves that they are; as they are where they do not match."""
    wanted = {key for line in lines if (key := letters(line))}
    positions = [n for n, leaf in enumerate(leaves) if leaf.key in wanted]
    total = sum(map(len, wanted))
    if sum(map(len, {leaves[n].key for n in positions})) < 0.7 * total:
        positions = _holders(wanted, leaves)
    if not positions or sum(map(len, {leaves[n].key for n in positions})) < 0.7 * total:
        return list(lines)
    home = _home(leaves, positions)
    proses = [
        n for n in positions if home in leaves[n].path and is_sentence(leaves[n].text) and not _is_pointer(leaves[n])
    ]
    if not proses:
        return list(lines)
    first, last = proses[0], proses[-1]
    level = leaves[first].path.index(home)
    own = [n for n, leaf in enumerate(leaves) if home in leaf.path and _is_prose(leaf) and leaf.furniture <= level]
    if sum(len(leaves[n].text) for n in proses) < 0.4 * sum(len(leaves[n].text) for n in own):
        first, last = own[0], own[-1]  # the extractor found the foot of the article, or one chapter
    else:
        first, last = _to_the_beginning(leaves, first, home, level), _to_the_end(leaves, last, home, level)
    known = set(positions)
    # Names can mislead (a page builder calls every block a widget): what is furniture must be the smaller part.
    named = {n for n in positions if leaves[n].furniture > (level if home in leaves[n].path else 0)}
    if 2 * sum(len(leaves[n].text) for n in named) > sum(len(leaves[n].text) for n in positions):
        named.clear()
    alike = {leaves[n].kinds[-2:] for n in proses}
    kept = []
    for n in range(min(first, positions[0]), max(last, positions[-1]) + 1):
        leaf = leaves[n]
        at_home = home in leaf.path
        if _is_pointer(leaf) or n in named or (n not in known and leaf.furniture > level):
            continue
        # A paragraph like the others that is nearly all link is a sentence still.
        prose = is_sentence(leaf.text) and leaf.linked < (0.85 if leaf.tag == "p" and leaf.kinds[-2:] in alike else 0.5)
        below = leaves[n + 1] if n < last else leaf
        heading = leaf.tag in _HEADINGS and leaf.linked < 0.5 and is_sentence(below.text) and below.linked < 0.5
        if n in known or (at_home and first <= n <= last and (prose or heading)):
            if not prose and len(leaf.text) < 80 and _is_pointer(below):
                continue  # the label over links
            if not prose and leaf.tag not in _HEADINGS and len(leaf.text) < _LABEL and _is_below_picture(leaf.element):
                continue
            kept.append(n)
    return [*_standfirst(leaves, kept, title=title, summary=summary), *(leaves[n].text for n in kept)]


_LABEL = 200  # characters below a picture
_PICTURES = ("img", "picture", "figure", "video")


def _is_below_picture(element: HtmlElement) -> bool:
    """Whether `element` is a block of its own beside a picture, and nothing else stands there."""
    above, parent = element.getprevious(), element.getparent()
    if element.tag != "div" or above is None or parent is None or len(parent) > 3 or above.text_content().strip():
        return False
    return above.tag in _PICTURES or next(above.iter(*_PICTURES), None) is not None


_MOST_PIECES = 500
_PIECE = 20  # characters; shorter ones are found anywhere


def _holders(wanted: set[str], leaves: Sequence[Leaf]) -> list[int]:
    """The leaves of which `wanted` are the whole or pieces, since some sites break their lines inside a paragraph, and
    those that are pieces of `wanted`, since extractors run together the blocks of a list's item."""
    keys = [leaf.key for leaf in leaves]
    held = {n for n, key in enumerate(keys) if key in wanted}
    ends = list(accumulate(len(key) + 1 for key in keys))
    text = "\n".join(keys)
    for piece in islice((key for key in wanted if len(key) >= _PIECE), _MOST_PIECES):
        found = text.find(piece)
        if found >= 0:
            held.add(bisect_right(ends, found))
    run = "\n".join(key for key in wanted if len(key) >= 2 * _PIECE)
    blocks = (
        n
        for n, leaf in enumerate(leaves)
        if n not in held and (is_sentence(leaf.text) or (leaf.tag in _HEADINGS and len(leaf.key) >= _PIECE // 2))
    )
    held.update(n for n in islice(blocks, _MOST_PIECES) if keys[n] in run)
    return sorted(held)


def _to_the_beginning(leaves: Sequence[Leaf], first: int, home: int, level: int) -> int:
    """The first leaf of the unbroken prose that leads up to `first` inside `home`."""
    for n in range(first - 1, max(-1, first - 6), -1):
        leaf = leaves[n]
        if home not in leaf.path:
            break
        if leaf.furniture > level or _is_pointer(leaf):
            continue
        if not is_sentence(leaf.text) or len(leaf.text) < 60 or leaf.linked >= 0.5:
            break
        first = n
    return first


def _to_the_end(leaves: Sequence[Leaf], last: int, home: int, level: int) -> int:
    """The last leaf of the unbroken prose that follows `last` inside `home`."""
    for n in range(last + 1, len(leaves)):
        leaf = leaves[n]
        if home not in leaf.path or starts_foot(leaf.text):
            break
        if leaf.furniture > level or _is_pointer(leaf):
            continue
        if leaf.tag in _HEADINGS or _CLOCK.match(leaf.text):  # the head of a live blog's older update
            continue
        if not is_sentence(leaf.text) or leaf.linked >= 0.5:
            break
        last = n
    return last


def _densest(leaves: Sequence[Leaf], *, title: str, summary: str) -> list[str]:
    """The prose of the element that holds most of it directly (as Arc90's readability weighs it)."""
    weights: Counter[int] = Counter()
    for leaf in leaves:
        if is_sentence(leaf.text) and leaf.linked < 0.3 and not leaf.furniture:
            for share, number in enumerate(reversed(leaf.path[-3:]), 1):
                weights[number] += len(leaf.text) // share
    if not weights:
        return []
    home = max(weights, key=lambda number: weights[number])
    return _refine(
        [leaf.text for leaf in leaves if home in leaf.path and _belongs(leaf)], leaves, title=title, summary=summary
    )


def _home(leaves: Sequence[Leaf], positions: Sequence[int]) -> int:
    """The smallest element that holds nine tenths of what was found, or its parent if the article goes on beside it."""
    weights: Counter[int] = Counter()
    for n in positions:
        for number in leaves[n].path:
            weights[number] += len(leaves[n].text)
    total = sum(len(leaves[n].text) for n in positions)
    home = max(number for number, weight in weights.items() if weight >= 0.9 * total)
    path, kinds = next((leaves[n].path, leaves[n].kinds) for n in positions if home in leaves[n].path)
    level = path.index(home)
    # Chunks of one article between advertisements are elements of one class; a second article has a heading.
    for here in range(level, max(1, level - 4), -1):
        if kinds[here].startswith("article."):
            break
        if not kinds[here].endswith(".") and _goes_on_beside(leaves, path, here, kinds[here]):
            return path[here - 1]
    return home


def _goes_on_beside(leaves: Sequence[Leaf], path: tuple[int, ...], level: int, kind: str) -> bool:
    """Whether a sibling of the element at ``path[level]``, of the same kind, holds prose and nothing like a title."""
    beside: dict[int, list[Leaf]] = {}
    for leaf in leaves:
        if (
            len(leaf.path) > level
            and leaf.path[level - 1] == path[level - 1]
            and leaf.path[level] != path[level]
            and leaf.kinds[level] == kind
            and leaf.furniture < level
        ):
            beside.setdefault(leaf.path[level], []).append(leaf)
    for chunk in beside.values():
        prose = sum(len(leaf.text) for leaf in chunk if is_sentence(leaf.text) and leaf.linked < 0.5)
        if prose >= 200 and is_sentence(chunk[0].text) and not any(leaf.tag == "h1" for leaf in chunk):
            return True
    return False


def _standfirst(leaves: Sequence[Leaf], kept: Sequence[int], *, title: str, summary: str) -> list[str]:
    """The lines between the heading and the body that the page calls its summary, or that its feed repeats."""
    if not kept:
        return []
    present = {leaves[n].key for n in kept}
    key = letters(title)
    heads = [n for n in range(kept[0]) if leaves[n].tag == "h1" or (key and leaves[n].key == key)]
    start = heads[-1] + 1 if heads else max(0, kept[0] - 6)
    about = stems(summary)
    found = []
    for n in range(start, kept[0]):
        leaf = leaves[n]
        if leaf.key in present or leaf.linked > 0.5 or not 40 <= len(leaf.text) <= 700 or starts_foot(leaf.text):
            continue
        told = len(about) >= 4 and overlap(leaf.text, about) > 0.8
        below = heads and n == start and leaf.tag in _HEADINGS and is_sentence(leaf.text)
        if (told or leaf.lead or below) and leaf.furniture in (0, leaves[kept[0]].furniture):
            found.append(leaf.text)
            present.add(leaf.key)
    return found[:3]


class _Judge:
    """Whether lines can be the article of this page."""

    def __init__(self, leaves: Sequence[Leaf], *, title: str, summary: str, json_body: str) -> None:
        self._title, self._summary, self._json = title, summary, json_body
        self._links = {leaf.text for leaf in leaves if leaf.linked > 0.85}
        self._prose = sum(
            len(leaf.text) for leaf in leaves if not leaf.furniture and leaf.linked < 0.3 and is_sentence(leaf.text)
        )

    def verdict(self, lines: Sequence[str]) -> float:
        text = "\n".join(lines)
        if not text:
            return 0.0
        prose = sum(len(line) for line in lines if is_sentence(line))
        linked = sum(len(line) for line in lines if line in self._links)
        known = stems(text)
        length = min(1.0, prose / 400)
        form = max(0.0, prose / len(text) - linked / len(text))
        about = max(overlap(self._title, known), overlap(self._summary, known) if self._summary else 0.0)
        verdict = (0.4 + 0.6 * about) * (0.3 + 0.7 * length) * (0.4 + 0.6 * form)
        if self._prose > 1_000:  # less if most of what reads like an article lies elsewhere
            verdict *= 0.5 + 0.5 * min(1.0, prose / (0.4 * self._prose))
        if self._json:
            shared = overlap(self._json, known)
            verdict *= 0.4 + 0.6 * shared
        return verdict
