"""The compiled lexicon: everything the matcher needs, as one JSON value, and the file that keeps it.

A term's forms share their beginning, so the automaton holds that beginning once and an entry lists the endings:
1,500 things in three languages are some ten thousand patterns instead of eighty thousand. The file is made by
``python -m crawler.lexicon`` and committed; it holds the hash of the slices it was made from.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from crawler.lexicon.slices import Slices, Term, digest
from crawler.lexicon.transliterate import english, heard
from crawler.text import fold

VERSION = 8  # of the layout below; a file of another version is made anew
FILE = Path(__file__).parent / "compiled.json.gz"

EXACT, WEAK, PREFIX = 1, 2, 4

Table = dict[str, Any]


class _Patterns:
    """pattern -> entries [reference, flags, endings number, exact spelling or None]."""

    def __init__(self, endings: dict[tuple[str, ...], int], spellings: dict[str, list[tuple[str, ...]]]) -> None:
        self.endings = endings
        self.spellings = {language: {word: row for row in rows for word in row} for language, rows in spellings.items()}
        self.rows: dict[str, list[list[Any]]] = defaultdict(list)

    def add(self, term: Term, language: str, kind: str, reference: int) -> None:
        from crawler.lexicon.inflect import forms, spelt

        flags = EXACT * term.exact | WEAK * term.weak | PREFIX * term.prefix
        exact = fold(term.text).cased if term.exact else None
        written = [
            form for each in spelt(term, kind, self.spellings.get(language, {})) for form in forms(each, language, kind)
        ]
        for pattern, endings in _factored(written):
            number = self.endings.setdefault(endings, len(self.endings))
            row = [reference, flags, number, exact] if exact else [reference, flags, number]
            if row not in self.rows[pattern]:
                self.rows[pattern].append(row)

    def table(self) -> Table:
        order = sorted(self.rows)
        return {"patterns": order, "entries": [self.rows[p] for p in order]}


def _factored(forms: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Groups of forms as (common beginning, endings longest first); a beginning is at least half of a form."""
    groups: list[tuple[str, list[str]]] = []
    for form in sorted(set(forms)):
        if groups:
            beginning, members = groups[-1]
            common = _common(beginning, form)
            if len(common) >= 3 and 2 * len(common) >= len(min(members[0], form, key=len)):
                groups[-1] = (common, [*members, form])
                continue
        groups.append((form, [form]))
    return [
        (beginning, tuple(sorted((m[len(beginning) :] for m in members), key=lambda e: (-len(e), e))))
        for beginning, members in groups
    ]


def _common(a: str, b: str) -> str:
    size = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        size += 1
    return a[:size]


def compile_slices(slices: Slices, files: list[Path]) -> Table:
    """Slices -> table. Needs pymorphy3 where Russian terms are among them; some seconds."""
    endings: dict[tuple[str, ...], int] = {}
    names = _Patterns(endings, {tongue.name: tongue.spellings for tongue in slices.languages.values()})
    labels = _Patterns(endings, {})
    things: list[list[Any]] = []
    heard_sides = {side for tongue in slices.languages.values() for side in tongue.heard}
    topics: dict[str, dict[str, list[str]]] = {}
    for thing in slices.things.values():
        if thing.kind == "topic":
            keys = ("sides", "rivals", "capitals", "past", "locales")
            topics[thing.name] = {key: list(getattr(thing, key)) for key in keys}
            continue
        sides = thing.sides or ((thing.values["side"],) if thing.values.get("side") else ())
        titles = {code: terms[0].text for code, terms in sorted(thing.terms.items()) if terms}
        things.append([thing.name, thing.kind, list(sides), list(thing.sectors), titles])
        for language, terms in thing.terms.items():
            for term in terms:
                names.add(term, language, thing.kind, len(things) - 1)
                if language == "ru" and thing.kind == "person" and heard_sides & set(sides) and _full_name(term):
                    for latin in english(term.text):
                        names.add(replace(term, text=latin), "en", thing.kind, len(things) - 1)
    sounds = _sounds(slices, [row[0] for row in things], heard_sides)
    label_rows: list[list[Any]] = []  # ["word", class] | ["sector", name, weight] (weight 0: looks like it and is none)

    def label(row: list[Any]) -> int:
        if row not in label_rows:
            label_rows.append(row)
        return label_rows.index(row)

    for tongue in slices.languages.values():
        for word_class, terms in tongue.words.items():
            for term in terms:
                labels.add(term, tongue.name, "word", label(["word", word_class]))
    for sector in slices.sectors.values():
        for code, by_weight in sector.terms.items():
            for weight, terms in by_weight.items():
                reference = label(["sector", sector.name, 0 if weight == "not" else int(weight)])
                for term in terms:
                    labels.add(term, code, "word", reference)
    patterns: dict[str, list[str]] = defaultdict(list)
    joined: dict[str, list[str]] = defaultdict(list)
    for tongue in slices.languages.values():
        for key, found in tongue.patterns.items():
            patterns[key].extend(found)
        for key, found in tongue.joined.items():
            joined[key].extend(found)
    return {
        "version": VERSION,
        "hash": digest(files),
        "topics": topics,
        "things": things,
        "labels": label_rows,
        "sectors": {s.name: {"name": s.names, "iptc": list(s.iptc)} for s in slices.sectors.values()},
        "regexes": dict(patterns),
        "joined": dict(joined),
        "endings": [list(e) for e in endings],
        "sounds": sounds,
        "names": names.table(),
        "words": labels.table(),
    }


def _full_name(term: Term) -> bool:
    """Two words in Cyrillic: a given name and a surname."""
    return not (term.exact or term.frozen or term.prefix) and bool(re.fullmatch("[А-Яа-яЁё-]+ [А-Яа-яЁё-]+", term.text))


def _sounds(slices: Slices, names: list[str], sides: set[str]) -> dict[str, int]:
    """skeleton -> thing, of the sides whose names Urdu papers write by ear. One that two things share names neither."""
    found: dict[str, set[str]] = defaultdict(set)
    for thing in slices.things.values():
        if thing.values.get("side") in sides and thing.kind in ("person", "place", "body"):
            for language in ("ru", "ur"):
                for term in thing.terms.get(language, ()):
                    if not (term.weak or term.exact or term.prefix):
                        found[heard(fold(term.text).text)].add(thing.name)
    number = {name: at for at, name in enumerate(names)}
    return {key: number[next(iter(of))] for key, of in sorted(found.items()) if key and len(of) == 1}


def write(table: Table, file: Path = FILE) -> None:
    """The same table gives the same bytes."""
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    part = file.with_name(file.name + ".part")
    part.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    part.replace(file)


def stored(file: Path = FILE) -> Table | None:
    """What the file holds, or None where there is none of this version."""
    if not file.is_file():
        return None
    table: Table = json.loads(gzip.decompress(file.read_bytes()))
    return table if table.get("version") == VERSION else None
