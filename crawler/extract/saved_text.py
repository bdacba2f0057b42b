"""A page that somebody saved as text: menus above, a second article and the page's foot below, all in plain lines.

There is no markup to go by, so the shape of the lines decides. The article is the longest run of prose; it begins
under its title (which often stands two or three times) and ends at the first sign of the page's foot, or where
another article begins, with a headline and a line of its own date.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from crawler import dates, language, urls
from crawler.extract.boilerplate import PUBLISHED_IN, cut, is_sentence, starts_foot
from crawler.extract.bylines import people
from crawler.extract.credit import letterhead, take_credits
from crawler.extract.plain import clean_line, same_text, words
from crawler.types import Document, Entry, Moment

MIN_PROSE = 200  # characters
PARAGRAPH = 120  # characters from which a line counts as a paragraph of prose
HEADLINE = (4, 30)  # words of a title, from and to
MAX_LINES = 20_000

_SHARED = re.compile(r"^(?:reading|now\s+reading)\s*:\s*(.+)$", re.I)
_STAMP_WORD = re.compile(r"published|updated|posted|опубликован|обновлен|شائع|اپ\s*ڈیٹ|تاریخ", re.I)
_REFERENCE = re.compile(
    r"^\W*(?:reference|source|original|source\s+url|url)\s*(?:link)?\s*[:\-–]+\s*(https?://\S+)$", re.I
)
_HAS_NUMBER = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    text: str
    prose: bool  # a paragraph of the article, or of some article
    title: bool  # could be a headline
    stamp: Moment | None  # a line that only gives a time of publication


def read_saved_text(
    text: str,
    *,
    url: str,
    zone: ZoneInfo | None,
    now: datetime | None,
    entry: Entry | None,
    title: str = "",
) -> Document:
    """`title`: what a better source than the text (a PDF's metadata) says; used if the text bears it out."""
    raw = [clean_line(line) for line in text.splitlines()[:MAX_LINES]]
    if not url:
        url = next((match.group(1) for line in raw if (match := _REFERENCE.match(line))), "")
    lines = [_line(line, zone=zone, now=now) for line in raw if line]
    first, last = _span(lines)
    headline = _headline(lines, first, entry=entry, given=title)
    stamps = [line.stamp for line in lines[max(0, first - 12) : last + 8] if line.stamp and line.stamp.instant]
    if entry and entry.published and entry.published.instant:
        stamps.append(entry.published)
    published = dates.best(stamps, now=now or dates.NO_LIMIT) if stamps else None
    author = _author(lines, first)
    body = cut([line.text for line in lines[first:last] if line.stamp is None], title=headline)
    body = [line for n, line in enumerate(body) if n > 3 or not same_text(line, headline)]
    body = _without_contents(body)
    head = letterhead([line.text for line in lines[:first]])
    credits = take_credits(body, author=author, site=urls.site(url) if url else "", beside=head)
    article = "\n".join(credits.lines)
    prose = sum(len(line) for line in credits.lines if is_sentence(line))
    return Document(
        url=url,
        canonical_url=url,
        outcome="article" if prose >= MIN_PROSE else "teaser" if prose else "unreadable",
        title=headline,
        text=article,
        author=author or ", ".join(people(credits.byline)),
        published=published,
        language=language.detect(f"{headline}\n{article}"),
        site=urls.site(url) if url else "",
        origin=credits.origin,
        dateline=credits.dateline,
        problems=() if prose >= MIN_PROSE else ("short: no more than a few words of prose",),
    )


def _line(text: str, *, zone: ZoneInfo | None, now: datetime | None) -> _Line:
    count = len(words(text))
    stamp = None
    if len(text) <= 120 and _HAS_NUMBER.search(text) and (PUBLISHED_IN.match(text) or count <= 8):
        moment = dates.read(_date_part(text), zone=zone, now=now, origin="text")
        if moment.instant is not None and (_STAMP_WORD.search(text) or count <= 8):
            stamp = moment
    return _Line(
        text=text,
        prose=len(text) >= PARAGRAPH and is_sentence(text),
        title=HEADLINE[0] <= count <= HEADLINE[1] and not is_sentence(text) and stamp is None,
        stamp=stamp,
    )


_STAMP_LABEL = re.compile(
    r"^\W*(?:last\s+|first\s+)?(?:published|updated|posted|опубликовано|обновлено|дата\s+публикации)\b\s*"
    r"(?:on|at)?[\s:]*(?:in\s+[^,]{2,60},\s*)?",
    re.I,
)


def _date_part(text: str) -> str:
    """What follows the words of a stamp: ``Published in The Paper, October 19th, 2025`` -> ``October 19th, 2025``."""
    return _STAMP_LABEL.sub("", text)


def _span(lines: Sequence[_Line]) -> tuple[int, int]:
    """The first and one past the last line of the article."""
    if not lines:
        return 0, 0
    proses = [n for n, line in enumerate(lines) if line.prose]
    if not proses:
        return 0, _foot(lines, 0)
    first = proses[0]
    # A lone early paragraph (a description, a slogan) above the real beginning is kept only if prose follows soon.
    for here, after in pairwise(proses):
        if after - here <= 12:
            first = here
            break
    last = _foot(lines, first)
    return _beginning(lines, first), last


def _beginning(lines: Sequence[_Line], first: int) -> int:
    """Up over summary points and short paragraphs that belong to the article, not over its title or stamps."""
    start = first
    for n in range(first - 1, max(-1, first - 8), -1):
        line = lines[n]
        if line.stamp is not None or not (is_sentence(line.text) or re.match(r"^[•*·\-–]\s", line.text)):
            break
        start = n
    return start


def _foot(lines: Sequence[_Line], first: int) -> int:
    prose = 0
    for n in range(first, len(lines)):
        line = lines[n]
        if prose >= MIN_PROSE and starts_foot(line.text):
            return n
        if prose >= MIN_PROSE and line.title and _another(lines, n):
            return n
        if line.prose:
            prose += len(line.text)
    return len(lines)


def _another(lines: Sequence[_Line], n: int) -> bool:
    """Whether the headline at n opens another article: its own stamp follows, or it stands twice before prose."""
    ahead = lines[n + 1 : n + 5]
    for step, line in enumerate(ahead):
        if line.stamp is not None:
            return True
        if line.prose and step < 3:
            return False
    return False


def _headline(lines: Sequence[_Line], first: int, *, entry: Entry | None, given: str) -> str:
    above = lines[:first]
    texts = [line.text for line in above]
    for text in texts:
        shared = _SHARED.match(text)
        if shared and any(same_text(shared.group(1), other) for other in texts):
            return shared.group(1)
    if given and any(same_text(given, text) for text in texts):
        return given
    if entry and entry.title:
        return entry.title
    titles = [line.text for line in above if line.title]
    for text in titles:
        if sum(same_text(text, other) for other in texts) > 1:
            return text
    return titles[-1] if titles else given


def _author(lines: Sequence[_Line], first: int) -> str:
    """A short line that stands next to the stamp, twice, or begins with "By"."""
    near = [line.text for line in lines[max(0, first - 10) : first]]
    for text in near:
        by = re.match(r"^(?:by|автор:?|تحریر:?)\s+(.{3,80})$", text, re.I)
        if by:
            return ", ".join(people(by.group(1)))
    for n, line in enumerate(lines[:first]):
        if line.stamp is None or n < first - 10:
            continue
        for other in (n - 1, n + 1):
            if 0 <= other < first and 2 <= len(words(lines[other].text)) <= 4 and not lines[other].title:
                names = people(lines[other].text)
                if names and sum(text == lines[other].text for text in near) > 1:
                    return ", ".join(names)
    return ""


def _without_contents(body: Sequence[str]) -> list[str]:
    """Without a table of contents: one line that strings together the headings that follow."""
    kept = []
    for n, line in enumerate(body):
        below = [other for other in body[n + 1 :] if 8 <= len(other) <= 120 and other in line]
        if len(below) >= 3 and len(line) >= 60:
            continue
        kept.append(line)
    return kept
