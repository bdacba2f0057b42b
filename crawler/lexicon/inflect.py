"""Surface forms of a term: Russian case forms by pymorphy3, English plurals, joined Urdu words. Compile time only."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crawler.lexicon.slices import Term
from crawler.text import fold

_CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_ADJECTIVE = re.compile(r"(ая|яя|ий|ый|ой|ое|ее|ие|ые)$", re.IGNORECASE)
_SURNAME = re.compile(r"(?<=[а-я]{2})(ов|ев|ин|ын)$")
_HER_SURNAME = re.compile(r"(?<=[а-я]{2})(ова|ева|ина|ына)$")
_CONSONANT = re.compile(r"[бвгджзклмнпрстфхцчшщ]$", re.IGNORECASE)
_PLURAL = re.compile(r"[a-z]{3,}$", re.IGNORECASE)
# Urdu letters that do not join to the left: after one of these, people leave the blank out.
_MOST_SPELLINGS = 12  # of one term
_NON_JOINERS = frozenset("اڈدذرڑزژوےں")


@functools.cache
def _morph() -> Any:
    import pymorphy3

    return pymorphy3.MorphAnalyzer(lang="ru")


def forms(term: Term, language: str, kind: str) -> tuple[str, ...]:
    """Folded surface forms, the term itself first. Prefix, exact and frozen terms have one."""
    base = fold(term.text).text.strip()
    if term.prefix or term.exact or term.frozen:
        return (base,)
    if language == "ru" and _CYRILLIC.search(base):
        return tuple(dict.fromkeys([base, *(fold(form).text for form in russian(term.text, kind))]))
    if language == "ur":
        return tuple(dict.fromkeys([base, *_joined(base)]))
    if language == "en" and kind != "person" and base.isascii() and _PLURAL.search(base):
        return (base, _plural(base))
    return (base,)


def spelt(term: Term, kind: str, spellings: Mapping[str, tuple[str, ...]]) -> list[Term]:
    """The term, and a name of several words with each of them, and each two, spelt in another way.

    ``spellings`` leads from a word to all its spellings (Sergey: Sergey, Sergei). Left as they are: exact, frozen and
    prefix terms, words of dealing and lures.
    """
    words = fold(term.text).text.split(" ")
    if term.exact or term.frozen or term.prefix or len(words) < 2 or kind in ("word", "lure", "topic", "bridge"):
        return [term]
    as_written = term.text.split(" ")
    if len(as_written) != len(words):
        return [term]
    choices = [(at, other) for at, word in enumerate(words) for other in spellings.get(word, ()) if other != word]
    found = [term, *_rewritten(term)]
    for changes in [(), *([c] for c in choices), *itertools.combinations(choices, 2)]:
        if changes and len({at for at, _ in changes}) == len(changes) and len(found) < _MOST_SPELLINGS:
            row = list(as_written)
            for at, other in changes:
                row[at] = other.capitalize() if row[at][:1].isupper() else other
            found.append(replace(term, text=" ".join(row)))
    return found


def _rewritten(term: Term) -> list[Term]:
    """English names as others write them: Inter-State as Inter State and Interstate, & as and, Sindh University as
    University of Sindh and back."""
    if not term.text.isascii():
        return []
    text, found = term.text, []
    if re.search(r"[A-Za-z]-[A-Za-z]", text) and not any(c.isdigit() for c in text):
        found.append(re.sub(r"(?<=[A-Za-z])-(?=[A-Za-z])", " ", text))
    if " & " in text or " and " in text:
        found.append(text.replace(" & ", " and ") if "&" in text else text.replace(" and ", " & "))
    if match := re.fullmatch(r"University of ([A-Z]\w+)", text):
        found.append(f"{match[1]} University")
    elif match := re.fullmatch(r"([A-Z]\w+) University", text):
        found.append(f"University of {match[1]}")
    return [replace(term, text=form) for form in found]


def _plural(base: str) -> str:
    if base.endswith(("s", "x", "z", "ch", "sh")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


def _joined(base: str) -> list[str]:
    words = base.split(" ")
    everywhere = words[0]
    for previous, word in itertools.pairwise(words):
        everywhere += ("" if previous[-1:] in _NON_JOINERS else " ") + word
    return [
        everywhere,
        *(
            " ".join([*words[: i - 1], words[i - 1] + words[i], *words[i + 1 :]])
            for i in range(1, len(words))
            if words[i - 1][-1:] in _NON_JOINERS
        ),
    ]


def russian(text: str, kind: str) -> list[str]:
    """Case forms of a phrase in the nominative: adjectives before the head agree with it, what follows it is frozen.

    Names of persons are inflected word by word. Plural forms are made for common nouns and for peoples.
    """
    plain = text.replace("«", '"').replace("»", '"')
    if len(plain) > 2 and plain[0] == plain[-1] == '"' and '"' not in plain[1:-1]:  # inflected inside its quotes
        return [f'"{form}"' for form in russian(plain[1:-1], kind)]
    tokens = plain.split(" ")
    if kind == "person":
        return _person(tokens)
    regular = _regular(tokens[0]) if len(tokens) == 1 and not _morph().word_is_known(plain) else []
    return [*regular, *_phrase(tokens, kind)]


def _phrase(tokens: list[str], kind: str) -> list[str]:
    head = _head(tokens)
    if head is None:
        return _before_abbreviation(tokens)
    index, noun, modifiers = head
    own = noun.tag.number or "sing"
    common = tokens[index][:1].islower()
    numbers = (
        [own] if own == "plur" or "Sgtm" in noun.tag or not (common or kind in ("side", "word")) else [own, "plur"]
    )
    found = []
    if noun.tag.POS in ("ADJF", "PRTF") and len(tokens) == 1:  # all genders
        return [form.word for form in noun.lexeme if form.tag.POS in ("ADJF", "PRTF")]
    for number in numbers:
        for case in _CASES:
            inflected = noun.inflect({case, number})
            if inflected is None:
                continue
            row = list(tokens)
            row[index] = _case_like(tokens[index], inflected.word)
            for position, modifier in modifiers:
                wanted = {case, number} | ({noun.tag.gender} if number == "sing" and noun.tag.gender else set())
                if case == "accs" and (number == "plur" or noun.tag.gender == "masc") and noun.tag.animacy:
                    wanted.add(noun.tag.animacy)
                agreed = modifier.inflect(wanted)
                if agreed is not None:
                    row[position] = _case_like(tokens[position], agreed.word)
            found.append(" ".join(row))
    return found


def _head(tokens: list[str]) -> tuple[int, Any, list[tuple[int, Any]]] | None:
    """(index, parse of the head, [(index, parse of an agreeing word before it)])."""
    modifiers: list[tuple[int, Any]] = []
    for index, token in enumerate(tokens):
        if not _CYRILLIC.search(token) or '"' in token or (token.isupper() and len(token) > 1):
            return None
        parses = _morph().parse(token.strip(".,"))
        adjectives = [p for p in parses if p.tag.POS in ("ADJF", "PRTF") and "nomn" in p.tag]
        nouns = [p for p in parses if p.tag.POS == "NOUN" and "nomn" in p.tag]
        later = index + 1 < len(tokens) and _CYRILLIC.search(tokens[index + 1]) and '"' not in tokens[index + 1]
        # "Карачинская верфь": an unknown adjective of a place looks like a surname
        named = bool(nouns) and nouns[0].score > 4 * adjectives[0].score if adjectives else False
        if adjectives and (later or not nouns) and not (named and not (later and _ADJECTIVE.search(token))):
            if not later:
                return index, adjectives[0], modifiers
            modifiers.append((index, adjectives[0]))
            continue
        if nouns:
            noun = nouns[0]
            if modifiers:
                agreeing = [n for n in nouns if _agrees(n, modifiers[-1][1])]
                noun = agreeing[0] if agreeing else noun
            return index, noun, modifiers
        return None
    if modifiers:
        index, adjective = modifiers.pop()
        return index, adjective, modifiers
    return None


def _agrees(noun: Any, adjective: Any) -> bool:
    if noun.tag.number != adjective.tag.number:
        return False
    return bool(noun.tag.number == "plur" or noun.tag.gender == adjective.tag.gender)


def _before_abbreviation(tokens: list[str]) -> list[str]:
    """«пакистанские ВМС»: the adjectives before an abbreviation agree with each other."""
    if len(tokens) < 2 or not (tokens[-1].isupper() and len(tokens[-1]) > 1):
        return []
    found = []
    options = [[p for p in _morph().parse(t) if p.tag.POS in ("ADJF", "PRTF") and "nomn" in p.tag] for t in tokens[:-1]]
    if not all(options):
        return []
    for case in _CASES:
        row = [adjective[0].inflect({case}) for adjective in options]
        if all(row):
            found.append(" ".join([*(_case_like(t, w.word) for t, w in zip(tokens, row, strict=False)), tokens[-1]]))
    return found


def _regular(token: str) -> list[str]:
    """Case forms by the rules of the school book, in the order of _CASES, for a name that no dictionary holds."""
    word = token.lower().replace("ё", "е")
    if _SURNAME.search(word):
        return [word + ending for ending in ("", "а", "у", "а", "ым", "е")]
    if _HER_SURNAME.search(word):
        return [word[:-1] + ending for ending in ("а", "ой", "ой", "у", "ой", "ой")]
    if re.search(r"[бвгджзклмнпрстфхцчшщ]$", word):
        return [word + ending for ending in ("", "а", "у", "а", "ем" if word[-1] in "жцчшщ" else "ом", "е")]
    if re.search(r"[аеоу]й$", word):
        return [word[:-1] + ending for ending in ("й", "я", "ю", "я", "ем", "е")]
    if re.search(r"[бвгджзклмнпрстфхцчшщ]а$", word):
        soft = word[-2] in "гкхжчшщ"
        oblique = "ей" if word[-2] in "жцчшщ" else "ой"
        return [word[:-1] + ending for ending in ("а", "и" if soft else "ы", "е", "у", oblique, "е")]
    if re.search(r"[бвгджзклмнпрстфхцчшщи]я$", word):
        dative = "и" if word[-2] == "и" else "е"
        return [word[:-1] + ending for ending in ("я", "и", dative, "ю", "ей", dative)]
    return [word] * len(_CASES)


def _person(tokens: list[str]) -> list[str]:
    parses = [_name_parses(token) for token in tokens]
    feminine = sum(1 for options in parses for p in options[:1] if p.tag.gender == "femn")
    masculine = sum(1 for options in parses for p in options[:1] if p.tag.gender == "masc")
    gender = "femn" if feminine > masculine else "masc"
    columns = [_name_forms(token, options, gender) for token, options in zip(tokens, parses, strict=True)]
    found = [" ".join(row) for row in zip(*columns, strict=True)]
    if feminine:  # her surname stays as it is where it ends in a consonant: Амны Балоч
        kept = [[t.lower()] * len(_CASES) if _CONSONANT.search(t) else c for t, c in zip(tokens, columns, strict=True)]
        found += [" ".join(row) for row in zip(*kept, strict=True)]
    return found


def _name_forms(token: str, options: list[Any], gender: str) -> list[str]:
    if not _CYRILLIC.search(token) or token[:1].islower() or token.isupper():
        return [token] * len(_CASES)
    if not options or not _morph().word_is_known(token):
        return _regular(token)
    fitting = [p for p in options if p.tag.gender == gender] or options
    inflected = [fitting[0].inflect({case, "sing"}) for case in _CASES]
    return [form.word if form else token for form in inflected]


def _name_parses(token: str) -> list[Any]:
    if not _CYRILLIC.search(token) or len(token.strip(".")) < 2 or token.isupper():
        return []
    if token[:1].islower():  # the particles of a name: уль, ад-, бин
        return []
    parses = [
        p for p in _morph().parse(token) if p.tag.POS in ("NOUN", "ADJF") and "nomn" in p.tag and "plur" not in p.tag
    ]
    named = [p for p in parses if {"Surn"} in p.tag or {"Name"} in p.tag or {"Patr"} in p.tag]
    return named or parses


def _case_like(model: str, word: str) -> str:
    return word.capitalize() if model[:1].isupper() and "-" not in word else word
