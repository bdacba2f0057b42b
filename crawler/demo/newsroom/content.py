"""The articles of the newsroom: Markdown files with a front matter, read into `Piece`s.

::

    ---
    id: igc-tenth                     # also the slug of its URL
    site: indus-courier               # the site that carries it (sites.py)
    title: ...
    summary: ...
    author: ...
    hours: -5.5                       # published so many hours after the demo's now; absent: undated
    grade: 2                          # what is expected of it: grade, sectors (first one first), story
    sectors: [trade, energy]
    optional: [finance]               # sectors that count neither way
    story: igc-tenth                  # pieces on one event share it
    copies:                           # the same text elsewhere, edited
      - {site: margalla-post, title: ..., hours: -4, replace: {old: new}, cut: 1, add: ...}
    seen: 2                           # the pass in which it appears (1); 3 is the next day
    until: 1                          # the last pass in which it stands
    edit: {seen: 2, title: ..., summary: ..., replace: {old: new}, add: ...}     # from that pass on
    below: other-id                   # another piece of the same site that its page shows underneath
    ---
    Paragraphs, separated by blank lines.

``{date}``, ``{weekday}``, ``{month}`` and ``{year}`` in title, summary and body are set from the day of publication in
the zone of the site; ``{date+10}`` is ten days later, ``{year-1}`` the year before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

FOLDER = Path(__file__).parent / "content"


def _words(line: str) -> list[str]:
    return line.split()


MONTHS = {
    "en": _words("January February March April May June July August September October November December"),
    "ru": _words("января февраля марта апреля мая июня июля августа сентября октября ноября декабря"),
    "ur": _words("جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر"),
}
WEEKDAYS = {
    "en": _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "ru": ["в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу", "в воскресенье"],
    "ur": _words("پیر منگل بدھ جمعرات جمعہ ہفتہ اتوار"),
}
_SLOT = re.compile(r"\{(date|weekday|month|year)([+-]\d+)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What changes in a piece from the pass `seen` on."""

    seen: int = 2
    title: str = ""
    summary: str = ""
    replace: Mapping[str, str] = field(default_factory=dict)
    add: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One article on one site, with what is expected of it. `hours` is relative to the demo's now; None: undated."""

    id: str
    site: str
    language: str
    title: str
    summary: str
    body: tuple[str, ...]
    author: str = ""
    hours: float | None = None
    grade: int = 0
    sectors: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    story: str = ""
    copy_of: str = ""
    seen: int = 1
    until: int | None = None
    edit: Edit | None = None
    below: str = ""

    def stands_in(self, number: int) -> bool:
        """Whether the site shows it in this pass (1, 2, ...)."""
        return self.seen <= number and (self.until is None or number <= self.until)

    def published(self, now: datetime) -> datetime | None:
        """Its instant, on the whole minute, relative to the demo's `now` (aware)."""
        if self.hours is None:
            return None
        return (now + timedelta(hours=self.hours)).replace(second=0, microsecond=0)

    def in_pass(self, number: int) -> "Piece":
        """The piece as it reads in that pass."""
        if self.edit is None or number < self.edit.seen:
            return self
        body = tuple(_replaced(p, self.edit.replace) for p in self.body)
        body += (self.edit.add,) if self.edit.add else ()
        return replace(self, title=self.edit.title or self.title, summary=self.edit.summary or self.summary, body=body)

    def dated(self, day: date) -> "Piece":
        """The piece with its ``{date}`` slots filled for that local day of publication."""

        def fill(text: str) -> str:
            return fill_dates(text, day, self.language)

        body = tuple(fill(paragraph) for paragraph in self.body)
        return replace(self, title=fill(self.title), summary=fill(self.summary), body=body)


def fill_dates(text: str, day: date, language: str) -> str:
    """``{date-1}`` and its like, in words of the language."""

    def word(match: re.Match[str]) -> str:
        name, shift = match[1], int(match[2] or 0)
        if name == "year":
            return str(day.year + shift)
        if name == "month":
            return MONTHS[language][(day.month - 1 + shift) % 12]
        then = day + timedelta(days=shift)
        if name == "weekday":
            return WEEKDAYS[language][then.weekday()]
        month = MONTHS[language][then.month - 1]
        return f"{month[:3]} {then.day}" if language == "en" else f"{then.day} {month}"

    return _SLOT.sub(word, text)


@cache
def pieces() -> tuple[Piece, ...]:
    """All pieces, copies after their originals, in the order of the file names. A mistake in a file is a ValueError."""
    found = [piece for path in sorted(FOLDER.glob("*/*.md")) for piece in read_file(path)]
    names = [piece.id for piece in found]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ValueError(f"pieces with one id: {sorted(doubled)}")
    return tuple(found)


def read_file(path: Path) -> list[Piece]:
    """The piece of one file and its copies. The folder's name is the language."""
    _, front, text = path.read_text(encoding="utf-8").split("---\n", 2)
    meta = yaml.load(front, Loader=_Loader)
    body = tuple(" ".join(p.split()) for p in text.strip().split("\n\n"))
    copies = meta.pop("copies", [])
    try:
        piece = _piece(meta, language=path.parent.name, body=body)
        return [piece, *(_copy(piece, copy) for copy in copies)]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _piece(meta: dict[str, Any], *, language: str, body: tuple[str, ...]) -> Piece:
    fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in meta.items()}
    edit = fields.pop("edit", None)
    piece = Piece(**fields, language=language, body=body, edit=Edit(**edit) if edit else None)
    for old in piece.edit.replace if piece.edit else ():
        _must_stand(old, body)
    return piece


def _copy(original: Piece, meta: dict[str, Any]) -> Piece:
    changes = dict(meta)
    replacements = changes.pop("replace", {})
    for old in replacements:
        _must_stand(old, original.body)
    body = tuple(_replaced(p, replacements) for p in original.body)
    body = body[: len(body) - changes.pop("cut", 0)]
    if added := changes.pop("add", ""):
        body += (added,)
    plain = replace(original, copy_of=original.id, edit=None, until=None, below="", author="", body=body)
    return replace(plain, **{"id": f"{original.id}-{changes['site']}", **changes})


def _replaced(text: str, replacements: Mapping[str, str]) -> str:
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text


def _must_stand(old: str, body: tuple[str, ...]) -> None:
    if not any(old in paragraph for paragraph in body):
        raise ValueError(f"{old!r} is to be replaced and does not stand in the text")
