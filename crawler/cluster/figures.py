"""Figures with their units, and where the articles of one story disagree on them.

A figure is a number that counts something: 83 traders, 60 тыс. тонн, ساٹھ ہزار ٹن. Units have one name in three scripts
(`_UNITS`), so that 83 traders and 84 торговца meet. Two articles disagree where each gives a figure of one unit that
the other does not, the two are near enough to be meant for one thing, and neither is the other one rounded.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations, islice
from math import floor, log10
from typing import Any

from crawler.cluster.signals import FEW, MULTIPLIERS, SMALL, month_of
from crawler.shadow import key_of
from crawler.text import Folded, fold

_NEAR = 1.5  # the larger of two figures for one thing is at most so many times the smaller
_ROUNDED = 1.05  # rounding changes a figure by so much at most
_REACH = 4  # words behind a number within which its unit stands: "83 detained Pakistani traders"
_WORDS = 320  # of a text that are looked at: what follows is background, of other times
_MOST = 40  # figures of an article

# name | English | Russian | Urdu; dictionary words, every form is found.
_UNITS = """
people | people persons person individuals | человек людей | افراد لوگ
traders | traders businessmen merchants | торговец предприниматель бизнесмен коммерсант | تاجر تاجروں
citizens | citizens nationals | гражданин россиянин пакистанец | شہری شہریوں پاکستانیوں روسیوں باشندے
students | students | студент | طلبہ طلبا طالب
workers | workers labourers | рабочий работник | مزدور مزدوروں کارکن
passengers | passengers | пассажир | مسافر مسافروں
climbers | climbers mountaineers | альпинист | پیما پیماؤں
tourists | tourists visitors | турист | سیاح سیاحوں
soldiers | soldiers troops servicemen personnel | военнослужащий солдат военный | فوجی فوجیوں اہلکار اہلکاروں
militants | militants terrorists insurgents | боевик террорист | دہشت عسکریت دہشتگرد
delegates | delegates members participants | делегат участник | ارکان مندوبین شرکا
companies | companies firms | компания фирма | کمپنیاں کمپنیوں
scholarships | scholarships | стипендия квота | اسکالرشپس وظائف
killed | killed dead died | погибнуть погибли погибший убит убитый | ہلاک بحق شہید جاں
injured | injured wounded hurt | ранить раненый пострадавший пострадать | زخمی
detained | detained arrested held | задержать задержали задержаны | گرفتار
tonnes | tonnes tons tonne | тонна | ٹن
barrels | barrels | баррель | بیرل
litres | litres liters | литр | لیٹر
kilometres | kilometres kilometers km | километр км | کلومیٹر
metres | metres meters | метр | میٹر
feet | feet | фут | فٹ
megawatts | megawatts mw | мегаватт мвт | میگاواٹ
doses | doses | доза | خوراکیں خوراکوں
ships | ships vessels warships | корабль судно | جہاز جہازوں
trucks | trucks lorries | грузовик фура | ٹرک ٹرکوں
wagons | wagons | вагон | ویگن ویگنیں بوگیاں
containers | containers | контейнер | کنٹینر کنٹینرز
aircraft | aircraft planes jets | самолет истребитель | طیارے طیاروں
helicopters | helicopters | вертолет | ہیلی
documents | agreements mous documents | соглашение документ меморандум | معاہدوں یادداشتوں
countries | countries states | страна государство | ممالک ملکوں
votes | votes | голос | ووٹ
points | points | пункт | پوائنٹس پوائنٹ
dollars | dollars dollar usd | доллар | ڈالر ڈالرز
rupees | rupees rupee | рупия | روپے روپیہ
roubles | roubles rubles rouble ruble | рубль | روبل
yuan | yuan | юань | یوآن
"""
_ANYBODY = ("people", "citizens")  # a word behind them says who: "84 Pakistani traders", "84 پاکستانی تاجروں"
_CASUALTIES = ("killed", "injured", "detained")  # what befell counted people says more than that they are people
_SIGNS = {"$": "dollars", "us$": "dollars", "rs": "rupees", "rs.": "rupees", "₨": "rupees", "₽": "roubles"}
_CUT = ("тыс", "млн", "млрд", "трлн")  # written with a full stop that ends no sentence
_TOKEN = re.compile(
    r"(?P<sign>us\$|rs\.?(?=\s?\d)|[$₨₽])?\s?(?<![\d.,])(?<![^\W\d_][-–])"
    r"(?P<number>\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?)(?P<percent>\s?%)?"
    r"|(?P<word>[^\W\d_]+)|(?P<stop>[.,!?;:۔؟،\n])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of an article with what it counts; `start` and `length` are code points of title or text."""

    unit: str
    value: float
    field: str  # title | text
    start: int
    length: int

    def to_json(self) -> list[str | float | int]:
        return [self.unit, self.value, self.field, self.start, self.length]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> "Figure":
        unit, value, field, start, length = data
        return cls(unit=unit, value=float(value), field=field, start=start, length=length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A unit on which the articles of a story disagree: value -> (article, where it says so), smallest first."""

    unit: str
    sides: Mapping[float, Sequence[tuple[int, Figure]]]


def figures(title: str, text: str) -> tuple[Figure, ...]:
    """The figures of an article, of its title and the beginning of its text, each value of a unit once."""
    found: dict[tuple[str, float], Figure] = {}
    for field, whole in (("title", title), ("text", text)):
        for unit, value, start, length in _counted(fold(whole[: _WORDS * 12])):
            made = Figure(unit=unit, value=value, field=field, start=start, length=length)
            if len(found) < _MOST:
                found.setdefault((unit, value), made)
    return tuple(found.values())


def disputes(said: Mapping[int, Sequence[Figure]]) -> list[Dispute]:
    """Where articles of one story (number -> its figures) disagree; by unit."""
    by_unit: dict[str, dict[int, list[Figure]]] = defaultdict(lambda: defaultdict(list))
    for article, its in said.items():
        for figure in its:
            by_unit[figure.unit][article].append(figure)
    out = []
    for unit, articles in sorted(by_unit.items()):
        sides: dict[float, dict[int, Figure]] = defaultdict(dict)
        for (a, ours), (b, theirs) in combinations(sorted(articles.items()), 2):
            for one in ours:
                for other in theirs:
                    if _at_odds(one, other, ours, theirs):
                        sides[one.value][a] = one
                        sides[other.value][b] = other
        if sides:
            out.append(Dispute(unit=unit, sides={v: sorted(sides[v].items()) for v in sorted(sides)}))
    return out


def _at_odds(one: Figure, other: Figure, ours: Sequence[Figure], theirs: Sequence[Figure]) -> bool:
    low, high = sorted((one.value, other.value))
    if high > _NEAR * low or any(_same(one.value, t.value) for t in theirs):
        return False
    return not any(_same(other.value, o.value) for o in ours)


@lru_cache(maxsize=2_048)
def _same(a: float, b: float) -> bool:
    """Equal, or one is the other rounded: 44,980 and 45,000; but nobody rounds 450 to 500."""
    if max(a, b) > _ROUNDED * min(a, b):
        return False
    digits = min(_digits(a), _digits(b))
    return _rounded(a, digits) == _rounded(b, digits)


def _digits(value: float) -> int:
    return len(f"{value:.10g}".partition("e")[0].replace(".", "").strip("0")) or 1


def _rounded(value: float, digits: int) -> float:
    step = 10.0 ** (floor(log10(value)) - digits + 1)
    return float(f"{floor(value / step + 0.5) * step:.6g}")


def _counted(folded: Folded) -> Iterator[tuple[str, float, int, int]]:
    """(unit, value, start, length) of each figure of a folded text, from the number to its unit."""
    tokens = list(islice(_TOKEN.finditer(folded.text), 2 * _WORDS))
    words = _words()
    for i, token in enumerate(tokens):
        if not token["number"] and token["word"] not in words:
            continue
        value, behind = _value(tokens, i)
        if value is None or not 2 <= value < 1e15:
            continue
        unit, last = _unit(tokens, i, behind)
        if unit:
            start, end = folded.span(token.start("number") if token["number"] else token.start(), tokens[last].end())
            yield unit, value, start, end - start


def _value(tokens: Sequence[re.Match[str]], i: int) -> tuple[float | None, int]:
    """The number that begins at a token, and where the words behind it begin."""
    token, following = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else None
    word = following["word"] if following else None
    if token["number"]:
        value = float(re.sub(r"[, ](?=\d{3})", "", token["number"]).replace(",", "."))
        if word in MULTIPLIERS:
            point = i + 2 < len(tokens) and tokens[i + 2]["stop"] == "." and word in _CUT
            return value * MULTIPLIERS[word], i + 2 + point
        year = token["number"].isdecimal() and len(token["number"]) == 4 and 1900 <= value <= 2100
        before = tokens[i - 1]["word"] if i else None
        if month_of(word or "") or month_of(before or "") or (year and not token["sign"]):
            return None, i
        return value, i + 1
    words = _words()
    if token["word"] not in words or (i and tokens[i - 1]["number"]):
        return None, i
    value, behind = float(words[token["word"]]), i + 1
    if value >= 20 and word in words and words[word] < 10:
        value, behind = value + words[word], i + 2
    elif i and tokens[i - 1]["word"] in words and words[tokens[i - 1]["word"]] >= 20 and value < 10:
        return None, i  # the second half of "eighty-three"
    after = tokens[behind]["word"] if behind < len(tokens) else None
    if after in MULTIPLIERS:
        return value * MULTIPLIERS[after], behind + 1
    return value, behind


def _unit(tokens: Sequence[re.Match[str]], i: int, behind: int) -> tuple[str, int]:
    """What the number at token `i` counts, and the last token of the figure; "" where nothing is known."""
    token = tokens[i]
    if token["sign"]:
        return _SIGNS[token["sign"]], behind - 1
    if token["percent"]:
        return "", i  # of what, nobody knows
    units = _units()
    weak = "", i
    for last in range(behind, min(behind + _REACH, len(tokens))):
        word = tokens[last]["word"]
        if word is None:
            break
        unit = units.get(key_of(word), "")
        if unit and unit not in _ANYBODY:
            return unit, last
        if unit and not weak[0]:
            weak = unit, last
    if weak[0]:
        for at in (i - 1, i - 2, weak[1] + 1, weak[1] + 2):
            befell = tokens[at]["word"] if 0 <= at < len(tokens) else None
            if befell is None:
                continue  # the end of a clause
            if units.get(key_of(befell)) in _CASUALTIES:
                return units[key_of(befell)], weak[1]
    return weak


@cache
def _units() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in _UNITS.strip().splitlines():
        name, *languages = line.split("|")
        for term in " ".join(languages).split():
            table.setdefault(key_of(fold(term).text), name.strip())
    return table


@cache
def _words() -> dict[str, int]:
    return {word: int(value) for word, value in (p.split(":") for p in fold(f"{FEW} {SMALL}").text.split())}
