"""YAML slices -> the lexicon's table: merged, checked, every mistake with its place. Format: docs/lexicon.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from crawler.errors import LexiconError
from crawler.text import fold

HOME = Path(__file__).parent
FOLDERS = ("languages", "sides", "sectors", "topics")
KINDS = ("side", "person", "body", "place", "project", "bridge", "lure", "topic")
LANGUAGES = ("en", "ru", "ur")
_SCALARS = ("kind", "side", "role", "note", "since", "until")
_LISTS = ("sides", "sectors", "rivals", "capitals", "past", "locales")
_PATTERNS = ("lines", "tags", "credits")  # regular expressions of a language file
_JOINED = ("joined_before", "joined_after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A surface form as somebody wrote it, with its marks read: see `Term.parse`."""

    text: str
    exact: bool = False  # this letter case and exactly this form
    weak: bool = False  # counts only beside a strong term
    prefix: bool = False  # any letters may follow
    frozen: bool = False  # no case forms, no plural
    place: str = ""

    @staticmethod
    def parse(raw: str, place: str) -> Term:
        rest, marks = raw.strip(), ""
        while rest[:1] in ("=", "?", "!"):
            marks, rest = marks + rest[0], rest[1:]
        prefix = rest.endswith("*")
        return Term(
            text=rest.rstrip("*").strip(), exact="=" in marks, weak="?" in marks, frozen="!" in marks, prefix=prefix,
            place=place,
        )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Thing:
    """One identity over all scripts."""

    name: str
    place: str
    values: dict[str, str] = field(default_factory=dict)
    sides: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()  # of a topic: other countries that a side is named beside in their own matter
    capitals: tuple[str, ...] = ()  # of a topic: things that stand for a side as its own name does
    past: tuple[str, ...] = ()  # of a topic: states that are no more
    locales: tuple[str, ...] = ()  # of a topic: "ru-RU", whose paper one in this language is where nothing says so
    terms: dict[str, list[Term]] = field(default_factory=dict)  # language -> terms

    @property
    def kind(self) -> str:
        return self.values.get("kind", "")


@dataclass(slots=True, kw_only=True)
class Sector:
    name: str
    place: str
    names: dict[str, str] = field(default_factory=dict)
    iptc: tuple[str, ...] = ()
    terms: dict[str, dict[str, list[Term]]] = field(default_factory=dict)  # language -> "1" "2" "3" "not" -> terms


@dataclass(slots=True, kw_only=True)
class Language:
    name: str
    place: str
    words: dict[str, list[Term]] = field(default_factory=dict)  # class (deal, vote, ...) -> terms
    patterns: dict[str, list[str]] = field(default_factory=dict)
    joined: dict[str, list[str]] = field(default_factory=dict)
    spellings: list[tuple[str, ...]] = field(default_factory=list)  # words of a name that are written in several ways
    heard: list[str] = field(default_factory=list)  # sides whose names are written by ear


@dataclass(slots=True, kw_only=True)
class Slices:
    """All slices, merged."""

    things: dict[str, Thing] = field(default_factory=dict)
    sectors: dict[str, Sector] = field(default_factory=dict)
    languages: dict[str, Language] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)


def paths(roots: Iterable[Path]) -> list[Path]:
    """Every slice under the roots, in the order in which they are merged."""
    return [path for root in roots for folder in FOLDERS for path in sorted((root / folder).glob("*.yaml"))]


def digest(files: Iterable[Path]) -> str:
    """sha256 over names and bytes of the slices: what a compiled lexicon is compared with."""
    whole = hashlib.sha256()
    for path in files:
        whole.update(f"{path.parent.name}/{path.name}\0".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def read(files: Iterable[Path]) -> Slices:
    """Merge the slices. Raises LexiconError with all mistakes, each with its place (and the other place)."""
    out = Slices()
    for path in files:
        _read_file(path, out)
    _check(out)
    if out.mistakes:
        raise LexiconError(out.mistakes)
    return out


def _read_file(path: Path, out: Slices) -> None:
    where = f"{path.parent.name}/{path.name}"
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        root = yaml.compose(path.read_text("utf-8"), Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        out.mistakes.append(f"{where}:{line}: not YAML: {getattr(error, 'problem', error)}")
        return
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        out.mistakes.append(f"{where}:1: a slice is a mapping of things, write `name: {{...}}`")
        return
    reader = _Reader(where=where, out=out)
    for key, value in root.value:
        name, place = str(key.value), f"{where}:{key.start_mark.line + 1}"
        if not isinstance(value, yaml.MappingNode):
            out.mistakes.append(f"{place}: {name}: expected a mapping of its fields")
        elif path.parent.name == "sectors":
            reader.sector(name, place, value)
        elif path.parent.name == "languages":
            reader.language(name, place, value)
        else:
            reader.thing(name, place, value)


@dataclass(slots=True, kw_only=True)
class _Reader:
    where: str
    out: Slices

    def wrong(self, node: yaml.Node, text: str) -> None:
        self.out.mistakes.append(f"{self.where}:{node.start_mark.line + 1}: {text}")

    def pairs(self, node: Any) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                self.wrong(key, f"{key.value}: given twice in one mapping")
            seen.add(key.value)
            yield str(key.value), value

    def strings(self, node: Any, key: str) -> list[tuple[str, str]]:
        """[(text, place)] of a list of scalars; a lone scalar is a list of one."""
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found = []
        for item in items:
            if not isinstance(item, yaml.ScalarNode) or not str(item.value).strip():
                self.wrong(item, f"{key}: expected a list of words, write [one, two]")
                continue
            found.append((str(item.value), f"{self.where}:{item.start_mark.line + 1}"))
        return found

    def terms(self, node: Any, key: str) -> list[Term]:
        found = []
        for text, place in self.strings(node, key):
            term = Term.parse(text, place)
            if "*" in term.text:
                self.wrong(node, f"{key}: {text!r}: a star may stand at the end alone")
            elif fold(term.text).text.strip():
                found.append(term)
            else:
                self.wrong(node, f"{key}: {text!r} holds no letters")
        return found

    def thing(self, name: str, place: str, node: Any) -> None:
        thing = self.out.things.setdefault(name, Thing(name=name, place=place))
        for key, value in self.pairs(node):
            if key in _SCALARS:
                text = str(value.value)
                old = thing.values.setdefault(key, text)
                if old != text and key != "note":
                    self.wrong(value, f"{name}: {key} is {text}, but {old} is already given at {thing.place}")
                if key == "kind" and text not in KINDS:
                    self.wrong(value, f"{name}: kind {text!r} is unknown, write one of {', '.join(KINDS)}")
            elif key in _LISTS:
                given = tuple(text for text, _ in self.strings(value, key))
                setattr(thing, key, tuple(dict.fromkeys((*getattr(thing, key), *given))))
            elif key in LANGUAGES:
                thing.terms.setdefault(key, []).extend(self.terms(value, key))
            elif key != "name":
                self.wrong(value, f"{name}: unknown key {key!r}")

    def sector(self, name: str, place: str, node: Any) -> None:
        sector = self.out.sectors.setdefault(name, Sector(name=name, place=place))
        for key, value in self.pairs(node):
            if key == "name":
                sector.names.update({k: str(v.value) for k, v in self.pairs(value)})
            elif key == "iptc":
                sector.iptc = (*sector.iptc, *(text for text, _ in self.strings(value, key)))
            elif key in LANGUAGES and isinstance(value, yaml.MappingNode):
                for weight, terms in self.pairs(value):
                    if weight not in ("1", "2", "3", "not"):
                        self.wrong(terms, f"{name}: weight {weight!r}, write 1, 2, 3 or not")
                        continue
                    sector.terms.setdefault(key, {}).setdefault(weight, []).extend(self.terms(terms, key))
            elif key != "note":
                self.wrong(value, f"{name}: unknown key {key!r}")

    def language(self, name: str, place: str, node: Any) -> None:
        language = self.out.languages.setdefault(name, Language(name=name, place=place))
        for key, value in self.pairs(node):
            if key == "words" and isinstance(value, yaml.MappingNode):
                for label, terms in self.pairs(value):
                    language.words.setdefault(label, []).extend(self.terms(terms, label))
            elif key in _PATTERNS:
                language.patterns.setdefault(key, []).extend(text for text, _ in self.strings(value, key))
            elif key == "spellings" and isinstance(value, yaml.SequenceNode):
                for row in value.value:
                    words = [fold(text).text for text, _ in self.strings(row, key)]
                    language.spellings.append(tuple(dict.fromkeys(words)))
            elif key == "heard":
                language.heard.extend(text for text, _ in self.strings(value, key))
            elif key in _JOINED:
                language.joined.setdefault(key, []).extend(fold(t).text for t, _ in self.strings(value, key))
            else:
                self.wrong(value, f"{name}: unknown key {key!r}")


def _check(out: Slices) -> None:
    """Contradictions over the whole table."""
    strong: dict[tuple[str, str], tuple[Thing, Term]] = {}
    for thing in out.things.values():
        if not thing.kind:
            out.mistakes.append(f"{thing.place}: {thing.name}: kind is missing, write one of {', '.join(KINDS)}")
        if thing.kind == "topic" and len(thing.sides) != 2:
            out.mistakes.append(f"{thing.place}: {thing.name}: a topic has two sides, write sides: [PK, RU]")
        for locale in thing.locales:
            if locale[2:3] != "-" or locale[3:] not in thing.sides:
                out.mistakes.append(
                    f"{thing.place}: {thing.name}: locale {locale!r}, write a language and a side: ru-RU"
                )
        for sector in thing.sectors:
            if out.sectors and sector not in out.sectors:
                out.mistakes.append(f"{thing.place}: {thing.name}: sector {sector!r} has no file in sectors/")
        for terms in thing.terms.values():
            for term in terms:
                if term.weak:
                    continue
                folded = fold(term.text)
                key = (folded.text, folded.cased if term.exact else "")
                other, first = strong.setdefault(key, (thing, term))
                if other is not thing:
                    out.mistakes.append(
                        f"{term.place}: {term.text!r} of {thing.name} is already given at {first.place} for "
                        f"{other.name}; mark both weak, or drop one"
                    )
    for tongue in out.languages.values():
        rows: dict[str, tuple[str, ...]] = {}
        for row in tongue.spellings:
            for word in row:
                if rows.setdefault(word, row) is not row:
                    out.mistakes.append(f"{tongue.place}: spellings: {word!r} stands in two rows, join them")
    given: dict[str, tuple[str, str]] = {}
    for topic in out.sectors.values():
        for by_weight in topic.terms.values():
            for weight, terms in by_weight.items():
                for term in terms:
                    key2 = fold(term.text).text + ("*" if term.prefix else "") + ("!" if weight == "not" else "")
                    old, place = given.setdefault(f"{topic.name} {key2}", (weight, term.place))
                    if old != weight:
                        out.mistakes.append(f"{term.place}: {term.text!r} is already given at {place} as {old}")
