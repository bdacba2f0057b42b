"""What an article says of its event that does not depend on its language: concepts, names by their consonants,
numbers, days and ordinals. Each function takes a text and gives a set of short strings that three scripts share.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cache, lru_cache
from itertools import pairwise, product
from pathlib import Path
from typing import NamedTuple

from crawler.shadow import key_of, shadow
from crawler.text import Folded, fold

# --- concepts -----------------------------------------------------------------------------------------------------


@cache
def _concepts() -> dict[str, tuple[str, ...]]:
    """Key, or two keys joined by +, -> concepts; from concepts.txt."""
    table: dict[str, list[str]] = {}
    for line in (Path(__file__).with_name("concepts.txt")).read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, *languages = line.split("|")
        for term in " ".join(languages).split():
            key = shadow(term.replace("+", " ")).replace(" ", "+")
            table.setdefault(key, []).append(name.strip())
    return {key: tuple(names) for key, names in table.items()}


def concepts(keys: Sequence[str]) -> set[str]:
    """Concepts that a text names, from the keys of its words in order (`crawler.shadow.keys_of`)."""
    table = _concepts()
    found = {name for key in keys for name in table.get(key, ())}
    found.update(name for a, b in pairwise(keys) for name in table.get(f"{a}+{b}", ()))
    return found


# --- names that no lexicon knows ------------------------------------------------------------------------------------

_LATIN = [("shch", "S"), ("sch", "S"), ("sh", "S"), ("ch", "C"), ("zh", "J"), ("kh", ""), ("gh", "g"), ("ph", "v"),
          ("ck", "k"), ("x", "ks")]  # fmt: skip
_LATIN_LETTERS = {**{c: c for c in "bdgjklmnprstvz"}, "c": "k", "f": "v", "q": "k", "w": "v"}
_CYRILLIC = {
    "б": "b", "в": "v", "г": "g", "д": "d", "ж": "J", "з": "z", "к": "k", "л": "l", "м": "m", "н": "n", "п": "p",
    "р": "r", "с": "s", "т": "t", "ф": "v", "ц": "ts", "ч": "C", "ш": "S", "щ": "S",
}  # fmt: skip
_ARABIC = {
    "ب": "b", "پ": "p", "ت": "t", "ٹ": "t", "ث": "s", "ج": "j", "چ": "C", "د": "d", "ڈ": "d", "ذ": "z", "ر": "r",
    "ڑ": "r", "ز": "z", "ژ": "J", "س": "s", "ش": "S", "ص": "s", "ض": "z", "ط": "t", "ظ": "z", "غ": "g", "ف": "v",
    "ق": "k", "ک": "k", "گ": "g", "ل": "l", "م": "m", "ن": "n", "ں": "n",
}  # fmt: skip
_DOUBLED = re.compile(r"([^\W\d_])\1+")
_RUSSIAN_CASE = re.compile(
    r"(?:ого|ому|ыми|ими|ами|ями|ах|ях|ым|им|ом|ем|ой|ей|ою|ую|ая|ый|ий|ые|ие|ых|их|ам|ям|[аеиоуыюяьй])$"
)


@lru_cache(maxsize=8_192)
def consonants(word: str) -> frozenset[str]:
    """The consonants of a folded word, as three scripts write them: Миронов, Mironov and میرونوف share one.

    Urdu و is a vowel or a v: both are given, eight spellings at most. h and kh count as silent: scripts disagree.
    """
    word = _DOUBLED.sub(r"\1", word)
    first = word[0]
    if "a" <= first <= "z":
        for letters, sound in _LATIN:
            word = word.replace(letters, sound)
        return frozenset({"".join(c if c in "SCJ" else _LATIN_LETTERS.get(c, "") for c in word)})
    if "а" <= first <= "я":
        return frozenset({"".join(_CYRILLIC.get(c, c if c == "j" else "") for c in word.replace("дж", "j"))})
    if "\u0600" <= first <= "\u06ff":
        spots = [i for i, c in enumerate(word) if c == "و"][:3]
        spellings = set()
        for choice in product(("", "v"), repeat=len(spots)):
            sounds = dict(zip(spots, choice, strict=True))
            spellings.add("".join(sounds.get(i, _ARABIC.get(c, "")) for i, c in enumerate(word)))
        return frozenset(spellings)
    return frozenset()


_WORD = re.compile(r"[^\W\d_]+")
_STARTS = re.compile(r"(?:^|[.!?…:۔؟\n\"(\[•*/|–-])\s*\"?$")
# Capitalised in English, or like a name in Urdu, and no name of an event.
_NO_NAME = """
monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
october november december russia russian russians pakistan pakistani pakistanis moscow islamabad kremlin federation
islamic republic president prime minister ministry foreign office ambassador embassy government federal general chief
senator secretary deputy chairman speaker director national international assembly council committee commission
department agency news press service army force forces staff defence defense state states united nations organisation
organization association party house court university institute company limited bank city province district region
northern southern eastern western north south east west asia asian europe european india indian china chinese iran
afghanistan afghan ukraine ukrainian american america british read more photo image credit file source published
the and for with from this that after before about their his her said also new first second
пакистан россия москва исламабад российская федерация исламская республика министерство президент премьер министр
иностранных дел государственная дума совет федерации центральный национальный международный государственный
"""


@cache
def _no_names() -> frozenset[str]:
    return frozenset(_NO_NAME.split())


def spelled_names(folded: Folded, taken: Sequence[tuple[int, int]]) -> set[str]:
    """Consonants of the names in a text: capitalised words inside a sentence; in Urdu, which has no capitals, any
    word. Three consonants or more (Urdu four). `taken` are spans [a, b) of the input that are names already known.
    """
    inside: dict[str, set[str]] = {}
    common: set[str] = set()
    for match in _WORD.finditer(folded.cased):
        cased = match.group()
        word = cased.lower()
        if len(word) < 4 or word in _no_names():
            continue
        arabic = "\u0600" <= word[0] <= "\u06ff"
        if not arabic and cased[0].islower():
            common.add(word)
            continue
        start, end = folded.span(match.start(), match.end())
        if any(a < end and start < b for a, b in taken):
            continue
        if not arabic:
            if _STARTS.search(folded.cased, max(0, match.start() - 4), match.start()):
                continue
            if "а" <= word[0] <= "я":
                word = _RUSSIAN_CASE.sub("", word)
        found = {c for c in consonants(word) if len(c) >= (4 if arabic else 3)} if word else set()
        if found:
            inside[cased.lower()] = found
    return {c for word, found in inside.items() if word not in common for c in found}


# --- numbers ----------------------------------------------------------------------------------------------------------

MULTIPLIERS = {
    **dict.fromkeys(("thousand", "тыс", "тысяч", "тысячи", "тысяча", "ہزار"), 1e3),
    **dict.fromkeys(("lakh", "lakhs", "лакх", "لاکھ"), 1e5),
    **dict.fromkeys(("million", "millions", "mln", "mn", "m", "млн", "миллион", "миллиона", "миллионов", "ملین"), 1e6),
    **dict.fromkeys(("crore", "crores", "کروڑ"), 1e7),
    **dict.fromkeys(("billion", "billions", "bln", "bn", "млрд", "миллиард", "миллиарда", "миллиардов"), 1e9),
    **dict.fromkeys(("ارب", "بلین"), 1e9),
    **dict.fromkeys(("trillion", "трлн", "триллион", "کھرب", "ٹریلین"), 1e12),
}  # fmt: skip
SMALL = """
ten:10 eleven:11 twelve:12 thirteen:13 fourteen:14 fifteen:15 sixteen:16 seventeen:17 eighteen:18 nineteen:19 twenty:20
thirty:30 forty:40 fifty:50 sixty:60 seventy:70 eighty:80 ninety:90 двадцать:20 тридцать:30 сорок:40 пятьдесят:50
шестьдесят:60 семьдесят:70 восемьдесят:80 девяносто:90 پینتالیس:45 پچاس:50 چھپن:56 ساٹھ:60 ستر:70 اسی:80 نوے:90
پچیس:25 تیس:30 پینتیس:35 چالیس:40 پچپن:55
"""
FEW = """
two:2 three:3 four:4 five:5 six:6 seven:7 eight:8 nine:9 два:2 две:2 двух:2 двое:2 двоих:2 три:3 трех:3 трое:3 троих:3
четыре:4 четырех:4 четверо:4 четверых:4 пять:5 пяти:5 пятеро:5 пятерых:5 шесть:6 шести:6 семь:7 семи:7 восемь:8 восьми:8
девять:9 девяти:9 دو:2 تین:3 چار:4 پانچ:5 چھ:6 سات:7 آٹھ:8 نو:9 دس:10
"""
_UNITS = {w: n for n, w in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), 1)} | {
    w: n for n, w in enumerate(("один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"), 1)
}
_NUMBER = re.compile(
    r"(?<![\d.,a-z])(?<![^\W\d_][-–])"  # not of JF-17, Ту-154
    r"(\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+(?:[.,]\d{1,2})?)(?![\d])\s*-?\s*([^\W\d_]*)"
)


@cache
def _small() -> dict[str, int]:
    return {word: int(value) for word, value in (pair.split(":") for pair in fold(SMALL).text.split())}


def numbers(text: str) -> set[str]:
    """Quantities in a folded text, 10 and over, to three digits (60,000; 60 тыс.; 3 لاکھ); years and days are none."""
    found: set[float] = set()
    for match in _NUMBER.finditer(text):
        raw, unit = match.groups()
        digits = re.sub(r"[, ](?=\d{3})", "", raw).replace(",", ".")
        value = float(digits)
        multiplier = MULTIPLIERS.get(unit, 1.0)
        before = text[max(0, match.start() - 8) : match.start()]
        if "ساڑھے" in before:
            value += 0.5
        if multiplier == 1.0 and (month_of(unit) or month_of(_last_word(before))):
            continue
        if multiplier == 1.0 and len(raw) == 4 and raw.isdecimal() and 1900 <= value <= 2100:
            continue
        found.add(value * multiplier)
    tokens = _WORD.findall(text)
    small = _small()
    for a, b in pairwise([*tokens, ""]):
        if a in small:
            value = float(small[a] + (_UNITS.get(b, 0) if small[a] >= 20 else 0))
            found.add(value * MULTIPLIERS.get(b, 1.0))
    return {f"{value:.3g}" for value in found if 10 <= value < 1e15}


def _last_word(text: str) -> str:
    words = _WORD.findall(text)
    return words[-1] if words else ""


# --- days -------------------------------------------------------------------------------------------------------------

_MONTHS = (
    ("january", "jan", "января", "январе", "جنوری"), ("february", "feb", "февраля", "феврале", "فروری"),
    ("march", "mar", "марта", "марте", "مارچ"), ("april", "apr", "апреля", "апреле", "اپریل"),
    ("may", "мая", "مئی"), ("june", "jun", "июня", "июне", "جون"),
    ("july", "jul", "июля", "июле", "جولائی"), ("august", "aug", "августа", "августе", "اگست"),
    ("september", "sep", "sept", "сентября", "сентябре", "ستمبر"), ("october", "oct", "октября", "октябре", "اکتوبر"),
    ("november", "nov", "ноября", "ноябре", "نومبر"), ("december", "dec", "декабря", "декабре", "دسمبر"),
)  # fmt: skip


@cache
def _months() -> dict[str, int]:
    return {fold(word).text: number for number, words in enumerate(_MONTHS, 1) for word in words}


def month_of(word: str) -> int | None:
    return _months().get(word)


_DAY_MONTH = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?\s*(?:of\s+)?([^\W\d_]+)\.?,?\s*(\d{4})?")
_MONTH_DAY = re.compile(r"(?<![^\W\d_])([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?!\d|:)(?:,?\s+(\d{4}))?")


def days(text: str, at: date) -> set[str]:
    """Days that a folded text names, as ISO dates, within a month of `at`; a day without a year is the nearest one."""
    found: set[str] = set()
    for day, month, year in _named(text):
        years = (year,) if year else (at.year - 1, at.year, at.year + 1)
        for y in years:
            try:
                named = date(y, month, day)
            except ValueError:
                continue
            if abs(named - at) <= timedelta(days=31):
                found.add(named.isoformat())
    return found


def _named(text: str) -> Iterator[tuple[int, int, int | None]]:
    for match in _DAY_MONTH.finditer(text):
        if month := month_of(match[2]):
            yield int(match[1]), month, int(match[3]) if match[3] else None
    for match in _MONTH_DAY.finditer(text):
        if month := month_of(match[1]):
            yield int(match[2]), month, int(match[3]) if match[3] else None


# --- ordinals ---------------------------------------------------------------------------------------------------------

_ORDINALS = (
    ("first", "maiden", "перв", "پہلا", "پہلی", "پہلے"), ("second", "another", "втор", "دوسرا", "دوسری", "دوسرے"),
    ("third", "трет", "تیسرا", "تیسری", "تیسرے"), ("fourth", "четверт", "چوتھا", "چوتھی", "چوتھے"),
    ("fifth", "пят", "پانچواں", "پانچویں"), ("sixth", "шест", "چھٹا", "چھٹی", "چھٹے"),
    ("seventh", "седьм", "ساتواں", "ساتویں"),
    ("eighth", "восьм", "آٹھواں", "آٹھویں"), ("ninth", "девят", "نواں", "نویں"), ("tenth", "десят", "دسواں", "دسویں"),
    ("eleventh", "одиннадцат", "گیارہواں", "گیارہویں"), ("twelfth", "двенадцат", "بارہواں", "بارہویں"),
)  # fmt: skip
_ROMAN = {r: n for n, r in enumerate(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"), 1)}
_SERIES = {  # concept -> the series it counts in
    "cargo": "cargo", "ship": "cargo", "tanker": "cargo", "exercise": "exercise", "druzhba": "exercise",
    "session": "session", "meet": "session", "workinggroup": "session", "commission": "session", "summit": "session",
    "forum": "forum", "format": "session", "talks": "session", "council": "session", "truck": "cargo", "rail": "train",
}  # fmt: skip
_TALK = 3  # "their third meeting this year", "the first talks since 2012": no number of a session
_RUSSIAN_ORDINAL = re.compile(r"(?:ый|ий|ой|ая|ья|ое|ье|ого|ьего|ому|ьему|ом|ьем|ую|ью|ым|ьим|ей|ой|ые|ых|ьи)$")
_TOKEN = re.compile(r"\d+|[^\W\d_]+")


@cache
def _ordinals() -> dict[str, int]:
    return {fold(word).text: number for number, words in enumerate(_ORDINALS, 1) for word in words}


def ordinals(text: str) -> set[str]:
    """Places in a series that a folded text names: ``session:10``, ``cargo:2``, ``exercise:5``.

    An ordinal counts when a thing that comes in series follows within four words; so does a number or a Roman numeral
    straight after one ("Druzhba-VI", «Дружба-5»). Years are left out.
    """
    tokens = _TOKEN.findall(text)
    table = _concepts()
    series: list[str | None] = []
    for token in tokens:
        names = table.get(key_of(token), ())
        series.append(next((_SERIES[n] for n in names if n in _SERIES), None))
    found: set[str] = set()
    for i, token in enumerate(tokens):
        number = _ordinal(token, tokens[i + 1] if i + 1 < len(tokens) else "")
        if number is not None:
            following = next((s for s in series[i + 1 : i + 6] if s), None)
            if following and (following != "session" or number > _TALK):
                found.add(f"{following}:{number}")
        counted = series[i]
        if counted in ("exercise", "session") and i + 1 < len(tokens):
            after = tokens[i + 1]
            value = int(after) if after.isdecimal() and len(after) <= 2 else _ROMAN.get(after)
            if value is not None:
                found.add(f"{counted}:{value}")
    return found


def _ordinal(token: str, following: str) -> int | None:
    if token.isdecimal():
        marked = following in ("th", "st", "nd", "rd", "й", "я", "е", "го", "му", "м", "ой", "ого", "ый", "واں", "ویں")
        return int(token) if marked and len(token) <= 2 else None
    known = _ordinals()
    if token in known:
        return known[token]
    if "а" <= token[0] <= "я":
        return known.get(_RUSSIAN_ORDINAL.sub("", token))
    return None


# --- what fills a form in ---------------------------------------------------------------------------------------------

# Words with another meaning (среда: surroundings, پیر: saint, ہفتہ: week, may) are left out.
_WEEKDAYS = (
    ("monday", "понедельник"), ("tuesday", "вторник", "منگل"), ("wednesday", "среду", "بدھ"),
    ("thursday", "четверг", "جمعرات"), ("friday", "пятница", "пятницу", "جمعہ"),
    ("saturday", "суббота", "субботу"), ("sunday", "воскресенье", "اتوار"),
)  # fmt: skip
_FILLED_NUMBER = re.compile(r"(?:rs|us)?(\d+)[^\W\d_]*")


class Filling(NamedTuple):
    """What a form is filled in with: kind is ``number``, ``weekday`` or ``month``."""

    kind: str
    value: str


@cache
def _fillings() -> dict[str, Filling]:
    numbers = dict(pair.split(":", 1) for pair in fold(f"{FEW} {SMALL}").text.split())
    numbers |= {word: str(number) for word, number in _ordinals().items() if number > 1 and word != "another"}
    weekdays = {fold(word).text: str(number) for number, words in enumerate(_WEEKDAYS, 1) for word in words}
    months = {word: str(number) for word, number in _months().items() if word != "may"}
    kinds = ("number", numbers), ("weekday", weekdays), ("month", months)
    return {word: Filling(kind, value) for kind, table in kinds for word, value in table.items()}


@lru_cache(maxsize=4_096)
def filling(word: str) -> Filling | None:
    """The number, weekday or month that a folded word is (70, 70pc, 4th, six, второй, دس), None for any other."""
    if match := _FILLED_NUMBER.fullmatch(word):
        return Filling("number", match[1].lstrip("0") or "0")
    known = _fillings()
    if "а" <= word[:1] <= "я" and word not in known:
        word = _RUSSIAN_ORDINAL.sub("", word)
        return known.get(word) if word in _ordinals() else None
    return known.get(word)
