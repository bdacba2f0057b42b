"""The visible text of a page as a list of leaves: a leaf is the text of one block, with what its markup says of it."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from lxml.html import HtmlElement

from crawler.extract.plain import clean_line, letters

MAX_LEAVES = 20_000
MAX_DEPTH = 200

_BLOCKS = frozenset(
    "address article aside blockquote body br center dd details dialog div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody tfoot thead tr ul".split()
)
_UNSEEN = frozenset(
    "audio button canvas embed head iframe input link math meta noscript object option script select style svg "
    "template textarea title video".split()
)
_FURNITURE_TAGS = frozenset("aside dialog figcaption figure footer form menu nav".split())
_FURNITURE_ROLES = frozenset("banner complementary contentinfo dialog alertdialog navigation search".split())
# What their authors call blocks that are not the article. Whole words only: "share" is a toolbar, "shareholders" not.
_FURNITURE_NAME = re.compile(
    r"(?:^|[-_\s])(?:related(?:[-_]?(?:posts?|articles?|stories|news|content|links?))?|jp[-_]relatedposts|yarpp|"
    r"read[-_]?(?:more|also|next)|also[-_]?read|more[-_]?(?:stories|news|from|on)|recommend(?:ed|s|ations?)?|"
    r"newsletters?|subscribe|subscription|sign[-_]?up|mc4wp|share|share[-_]?\w+|sharing|sharedaddy|addtoany|"
    r"addthis|social|wp[-_]polls?|poll[-_](?:box|block|form|widget|container|question|answers?)|"
    r"social[-_]?\w+|comments?|comment[-_]?\w+|disqus\w*|respond|promo(?:tion)?|outbrain|taboola|mgid|"
    r"sponsor(?:ed|s)?(?:[-_]\w+)?|advertorial|"
    r"adv(?:ert\w*)?|ads?|"
    r"ad[-_]?(?:slot|box|container|wrapper|unit|banner)|banners?|cookies?|cookie[-_]?\w+|consent|gdpr|breadcrumbs?|"
    r"tags?[-_]?(?:list|links|cloud)|author[-_]?(?:box|bio|info|card|details)|about[-_]?(?:the[-_]?)?author|"
    r"bio(?:[-_]?box)?|"
    r"infinite[-_]?scroll|(?:next|prev|previous)[-_]?(?:article|post|story|news)|post[-_]?navigation|trending|popular|"
    r"most[-_]?(?:read|popular|viewed)|sidebar|widget[-_](?:area|recent|categor|archive|tag|search|nav|popular|related|social|subscr)\w*|menu|nav(?:bar|igation)?|footer|caption|wp-caption-text|credits?|"
    r"copyright|disclaimer|toc|table[-_]?of[-_]?contents|ez-toc\w*|paywall|modal|popup|overlay|login|hidden|"
    r"visually-hidden|sr-only|screen-reader-text|print-only)(?:$|[-_\s])",
    re.I,
)
_PICTURE_NAME = re.compile(r"(?:^|[-_\s])(?:images?|img|photos?|pictures?|pic|thumb(?:nail)?|media)(?:$|[-_\s])", re.I)
_MAX_CAPTION = 300  # characters
_LEAD_NAME = re.compile(
    r"(?:^|[-_\s])(?:lead|lede|standfirst|dek|deck|sub-?(?:title|heading|headline|head)|strap(?:line)?|intro|summary|"
    r"excerpt|sapo|announce|anons|description|article__(?:lead|announce|summary|intro|subtitle)|chapo|"
    r"kicker-text|teaser-text)(?:$|[-_\s]|__)",
    re.I,
)
_INVISIBLE_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """`path` numbers its ancestors from the root down; `kinds` names them, by tag and class."""

    text: str
    key: str  # its words, run together: to compare with other renderings
    tag: str  # of the block that holds it
    linked: float  # share of the text inside links
    depth: int
    path: tuple[int, ...]
    kinds: tuple[str, ...]
    furniture: int  # index in `path` of the innermost ancestor that is no part of an article, 0 where there is none
    lead: bool  # called a standfirst by its markup
    element: HtmlElement = field(repr=False, compare=False)  # the block


def read_leaves(tree: HtmlElement) -> list[Leaf]:
    """Leaves in the order of the page; O(size of the page)."""
    root = tree.find(".//body")
    walk = _Walk(boxes=_form_boxes(tree))
    walk.block(root if root is not None else tree, (), (), 0, 0, False, False)
    return walk.leaves


_MAX_FIELDS = 40
_MAX_BOX = 240  # characters
_TYPED = frozenset(("", "text", "email", "tel", "search"))


def _form_boxes(tree: HtmlElement) -> set[HtmlElement]:
    """The boxes that ask the reader for a line of text (a newsletter, a search), however they are called."""
    boxes = set()
    for item in islice(tree.iter("input"), _MAX_FIELDS):
        if (item.get("type") or "").lower() not in _TYPED:
            continue
        for above in islice(item.iterancestors(), 4):
            if above.tag in ("body", "main", "article") or above.find(".//h1") is not None:
                break
            if len(clean_line(above.text_content())) > _MAX_BOX:
                break
            boxes.add(above)
    return boxes


class _Walk:
    def __init__(self, *, boxes: set[HtmlElement]) -> None:
        self.leaves: list[Leaf] = []
        self._boxes = boxes
        self._parts: list[tuple[str, bool]] = []
        self._number = 0

    def block(
        self,
        element: HtmlElement,
        path: tuple[int, ...],
        kinds: tuple[str, ...],
        depth: int,
        furniture: int,
        lead: bool,
        linked: bool,
    ) -> None:
        self._number += 1
        path = (*path, self._number)
        tag = element.tag
        kinds = (*kinds, f"{tag}.{element.get('class') or ''}"[:200])
        if len(path) > 1 and (element in self._boxes or _is_furniture(element)):
            furniture = len(path) - 1
        lead = lead or _is_lead(element)
        self._inline(element, element, path, kinds, depth, furniture, lead, linked)
        self._end(element, path, kinds, depth, furniture, lead)

    def _inline(
        self,
        element: HtmlElement,
        block: HtmlElement,
        path: tuple[int, ...],
        kinds: tuple[str, ...],
        depth: int,
        furniture: int,
        lead: bool,
        linked: bool,
    ) -> None:
        if element.text:
            self._parts.append((element.text, linked))
        for child in element:
            name = child.tag
            if isinstance(name, str) and name not in _UNSEEN and depth < MAX_DEPTH and not _is_invisible(child):
                if name in _BLOCKS:
                    self._end(block, path, kinds, depth, furniture, lead)
                    if name != "br" and len(self.leaves) < MAX_LEAVES:
                        self.block(child, path, kinds, depth + 1, furniture, lead, linked)
                elif name == "a":
                    self._inline(child, block, path, kinds, depth + 1, furniture, lead, True)
                else:
                    inner = len(path) if name != "span" and _is_furniture(child) else furniture
                    self._inline(child, block, path, kinds, depth + 1, inner, lead, linked)
            if name in ("td", "th"):
                self._parts.append((" ", linked))  # a row is one leaf, its cells are words of it
            if child.tail:
                self._parts.append((child.tail, linked))

    def _end(
        self, block: HtmlElement, path: tuple[int, ...], kinds: tuple[str, ...], depth: int, furniture: int, lead: bool
    ) -> None:
        parts, self._parts = self._parts, []
        if not parts:
            return
        text = clean_line("".join(part for part, _ in parts))
        if not text:
            return
        linked = sum(len(part.strip()) for part, inside in parts if inside)
        self.leaves.append(
            Leaf(
                text=text,
                key=letters(text),
                tag=block.tag,
                linked=min(1.0, linked / len(text)),
                depth=depth,
                path=path,
                kinds=kinds,
                furniture=furniture,
                lead=lead,
                element=block,
            )
        )


def _called(element: HtmlElement, pattern: re.Pattern[str]) -> bool:
    """Whether an element's class or id is of a kind."""
    return any(
        _matches(pattern, value)
        for attribute in ("class", "id")
        if (value := element.get(attribute)) and len(value) < _LONGEST_NAME
    )


_LONGEST_NAME = 500  # characters


@lru_cache(maxsize=4_096)  # a page has few names for many elements
def _matches(pattern: re.Pattern[str], name: str) -> bool:
    return pattern.search(name) is not None


def _is_furniture(element: HtmlElement) -> bool:
    if element.tag in _FURNITURE_TAGS or element.get("role") in _FURNITURE_ROLES:
        return True
    if element.tag in ("p", "h1", "main", "article", "b", "strong", "em", "i"):
        return False
    if _called(element, _FURNITURE_NAME):
        return not _holds_article(element)
    return _called(element, _PICTURE_NAME) and _is_captioned(element)


def _is_captioned(element: HtmlElement) -> bool:
    """Whether `element` is a picture with what is written below it."""
    return next(element.iter("img", "picture"), None) is not None and len(element.text_content()) <= _MAX_CAPTION


def _holds_article(element: HtmlElement) -> bool:
    """Whether the page's title and prose are in `element`, whatever it is called: some layouts are all "popup"."""
    return next(element.iter("h1"), None) is not None and sum(1 for _ in islice(element.iter("p"), 2)) == 2


def _is_lead(element: HtmlElement) -> bool:
    if (element.get("itemprop") or "") in ("description", "alternativeHeadline"):
        return True
    return element.tag in ("p", "div", "h2", "h3", "span", "section") and _called(element, _LEAD_NAME)


def _is_invisible(element: HtmlElement) -> bool:
    style = element.get("style")
    if style and _INVISIBLE_STYLE.search(style):
        return True
    return element.get("hidden") is not None or element.get("aria-hidden") == "true"
