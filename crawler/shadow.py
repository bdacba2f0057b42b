"""The shadow that full text search reads, and queries against it.

`shadow` turns a text into stems that are the same for every form of a word: Snowball for Russian and
English, light suffix rules for Urdu, and families of names (Россия, российский, россиянин). FTS5
(unicode61, remove_diacritics 0) indexes the shadow; `query` puts a person's words through the same mill.
Languages stay apart: Russia does not find Россия, the lexicon's mentions are there for that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import islice, product
from typing import Protocol

import snowballstemmer

from crawler.errors import UsageError
from crawler.text import fold

# One family a line: what a person means by any of them. The first word's stem stands for all. Only words
# whose forms the stemmers do not join by themselves; all case forms of each follow.
_FAMILIES = """
russia russian russians
pakistan pakistani pakistanis
moscow muscovite muscovites
kremlin kremlins
india indian indians
china chinese
iran iranian iranians
afghanistan afghan afghans afghani
ukraine ukrainian ukrainians
belarus belarusian belarusians belarussian
kazakhstan kazakh kazakhs kazakhstani
uzbekistan uzbek uzbeks
turkey turkiye turkish turk turks
america american americans
europe european europeans
asia asian asians
britain british briton britons
germany german germans
tatarstan tatar tatars
punjab punjabi punjabis
sindh sindhi sindhis sind
baluchistan balochistan baloch baluch
kashmir kashmiri kashmiris
karachi karachiite karachiites
islam islamic islamist
diplomat diplomacy diplomatic
ambassador ambassadors ambassadorial
muhammad mohammad mohammed muhammed mohamed
shehbaz shahbaz
sergei sergey
andrei andrey
dmitry dmitri dmitriy
alexei alexey aleksei aleksey
alexander aleksandr alexandr
mikhail michail
yuri yury yuriy
valentina valentyna
matviyenko matvienko
qureshi quraishi kureshi
hussain hussein husain husein
peskov peskoff
putin putins
fertiliser fertilizer fertilisers fertilizers
programme program programmes programs
parliament parliamentary parliaments
president presidential presidents
economy economic economies
industry industrial industries
agriculture agricultural
finance financial finances
terror terrorist terrorism terrorists
culture cultural
defence defense
tonne ton tonnes tons
россия российский россиянин россиянка россияне россиян россиянам россиянами рф
пакистан пакистанский пакистанец пакистанцы пакистанка
москва московский москвич москвичи
петербург петербургский петербуржец
кремль кремлевский
индия индийский индиец индийцы
китай китайский китаец китайцы кнр
иран иранский иранец иранцы
афганистан афганский афганец афганцы
украина украинский украинец украинцы
белоруссия белорусский белорус белорусы беларусь
казахстан казахстанский казах казахи казахстанец казахстанцы
узбекистан узбекский узбек узбеки узбекистанец
турция турецкий турок турки
америка американский американец американцы
европа европейский европеец европейцы
азия азиатский
британия британский британец британцы
германия немецкий германский немец немцы
татарстан татарстанский татарский татарин татары
дагестан дагестанский дагестанец
исламабад исламабадский
карачи карачинский
лахор лахорский
пенджаб пенджабский
белуджистан белуджский белуджи
кашмир кашмирский кашмирец кашмирцы
гвадар гвадарский
урал уральский
сибирь сибирский сибиряк
каспий каспийский
дипломат дипломатия дипломатический
посол послы посла послу послом посольский
посольство посольства
шахбаз шехбаз
мухаммад мохаммад мухаммед магомед
сергей сергея
алексей алексея
андрей андрея
матвей матвея
николай николая
максим максима
вадим вадима
ибрагим ибрагима
артем артема
газпром газпрома
рахим рахима
карим карима
ислам ислама исламский исламист
пшеница пшеничный
нефть нефтяной
газ газовый
рис рисовый
уголь угольный
порт портовый
банк банковский
ракета ракетный
импорт импортный
экспорт экспортный
армия армейский
флот флотский
виза визовый
текстиль текстильный
хлопок хлопковый
зерно зерновой
тариф тарифный
налог налоговый
бюджет бюджетный
кредит кредитный
инвестиция инвестиционный
санкция санкционный
парламент парламентский
студент студенческий
университет университетский
экономика экономический
энергетика энергетический
логистика логистический
транспорт транспортный
авиация авиационный
терроризм террористический террорист террористы
ташкент ташкентский
пешавар пешаварский
кветта кветтинский
ядерный ядерное
железная железный железнодорожный
روس روسی روسیوں
پاکستان پاکستانی پاکستانیوں
ماسکو مسکو
بھارت بھارتی بھارتیوں
ہندوستان ہندوستانی انڈیا انڈین
چین چینی
ایران ایرانی ایرانیوں
افغانستان افغان افغانی افغانوں
یوکرین یوکرینی یوکرائن یوکرائنی
بیلاروس بیلاروسی
قازقستان قازق قازقستانی
ازبکستان ازبک
ترکی ترکیہ ترک
امریکہ امریکا امریکی امریکیوں
یورپ یورپی
برطانیہ برطانوی
پنجاب پنجابی
سندھ سندھی
بلوچستان بلوچ بلوچی
کشمیر کشمیری کشمیریوں
کراچی کراچیوی
پوتن پوٹن پیوٹن پیوتن پوتین
لاوروف لاروف لاوروو لیوروف
ولادیمیر ولادی ولادمیر
شہباز شھباز
دورہ دورے دوروں
حملہ حملے حملوں
شعبہ شعبے شعبوں
صوبہ صوبے صوبوں صوبائی
جلسہ جلسے جلسوں
وزیر وزرا وزراء وزیروں وزراے
سفیر سفرا سفراء سفیروں
سفارت سفارتی سفارتکار سفارتکاروں
ملک ممالک ملکوں ملکی
وفد وفود
فوج افواج فوجی فوجیوں فوجوں
تاجر تاجروں تجار
تجارت تجارتی
خبر خبریں خبروں
دہشتگرد دہشتگردی دہشتگردوں
شہر شہروں شہری شہریوں
معاہدہ معاہدے معاہدوں معاہدات
یونیورسٹی یونیورسٹیاں یونیورسٹیوں جامعہ جامعات
طلبا طلبہ طلباء طالبعلم
بندرگاہ بندرگاہوں بندرگاہیں
پارلیمان پارلیمنٹ پارلیمانی
معیشت معاشی معیشتوں
گیس گیسی
گندم گندمی
"""


# Nouns whose bare form looks to Snowball like a verb or a plural: визит, визита; канал, канала. Kept as they are.
_WHOLE = """
автовокзал автомобиль автопром адмирал актив альбом анализ аппетит архив астроном атом аудиозапись аудит аэродром банан
бандит барабан бензин бокал бюллетень ветеран видеозапись визит водоем вокзал вулкан вызов генерал госорган дефицит
диплом дистрибутив долг завал залив запах запись идеал интервал ипподром канал капитал капитан карман катамаран квартал
кинжал клан коллектив композит корпоратив кредит кризис крокодил летопись лимит маршал массив материал металл минерал
минздрав мотив надпись наплыв негатив обман обмен обогрев обрыв объектив объем океан опыт орган оригинал остров отдых
отзыв отрыв память паразит перевал перелом перерыв персонал печать план подвал подпись подрыв подъем покров портал порыв
потенциал прием призыв прибыль примитив пристав провал пролив прорыв профессионал разрыв режим резерв реквизит ресторан
рецидив роман рукав саммит седан сериал сигнал симптом синдром синоним скандал смесь состав спортзал стан стройматериал
телеграм телеканал терминал титан транзит туман турнир ураган уран утилит фаворит февраль фестиваль филиал финал фонтан
функционал хулиган чемодан экзамен экран экипаж деталь модель цель отель роль связь область сталь медаль госпиталь
визирь спектакль корабль рубль апрель июль октябрь ноябрь декабрь сентябрь январь лидер арсенал трибунал криминал
протокол импорт экспорт арбитраж гимн крен терроризм механизм туризм алюминий хром никель уголь кремль
"""


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...


@cache
def _snowball(language: str) -> _Stemmer:
    stemmer: _Stemmer = snowballstemmer.stemmer(language)
    return stemmer


_URDU_ENDINGS = (  # ending, what stands for it; the longest first; a stem keeps three letters
    ("یوں", "ی"), ("یاں", "ی"), ("ات", ""), ("وں", ""), ("یں", ""), ("ہ", ""), ("ے", ""), ("ا", ""),
)  # fmt: skip


def _urdu_stem(word: str) -> str:
    """Plural and oblique endings off: معاہدے, معاہدوں, معاہدہ; کمپنیاں, کمپنیوں, کمپنی; ملاقاتیں, ملاقات."""
    for _ in range(2):  # ملاقاتوں: وں, then ات
        for ending, instead in _URDU_ENDINGS:
            stem = word[: len(word) - len(ending)] + instead
            if word.endswith(ending) and len(stem) >= (4 if len(ending) == 1 else 3):
                word = stem
                break
        else:
            break
    return word


_FLEETING = re.compile(r"([^аеиоуыэюя])[ое]([кцнлр])$")  # рынок, рынка; поставка, поставок; конец, конца


def _steady(stem: str) -> str:
    return _FLEETING.sub(r"\1\2", stem) if len(stem) > 4 else stem


@cache
def _whole() -> dict[str, str]:
    """Every case form of the nouns of _WHOLE -> their key."""
    table: dict[str, str] = {}
    for noun in _WHOLE.split():
        stem = noun.removesuffix("ь")
        endings = _HARD if stem == noun else _SOFT
        table.update(dict.fromkeys((stem + ending for ending in endings), _steady(stem)))
    table.update(dict.fromkeys(("угл" + ending for ending in _SOFT[1:]), table["уголь"]))  # угля; угла is a corner's
    return table


_HARD = ("", "а", "у", "ом", "е", "ы", "ов", "ам", "ами", "ах")
_SOFT = ("ь", "я", "ю", "ем", "ём", "е", "и", "ью", "ей", "ям", "ями", "ях")


def _stem(word: str) -> str:
    """The stem of one folded word by the rules of its script; families not yet joined."""
    if "а" <= word[0] <= "ӿ":
        return _steady(_snowball("russian").stemWord(word))
    if "a" <= word[0] <= "z":
        return _snowball("english").stemWord(word.removesuffix("'s")).replace("'", "")
    if "\u0600" <= word[0] <= "\u06ff":
        return _urdu_stem(word)
    return word.replace("'", "")


@cache
def _family() -> dict[str, str]:
    """Key of every word of a family -> the stem of its first."""
    table: dict[str, str] = {}
    for line in fold(_FAMILIES).text.split("\n"):
        members = line.split()
        for member in members:
            table[_stem(member)] = table[_bare(member) or _stem(member)] = _stem(members[0])
    return table


_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# A name with such an end looks to Snowball like a verb or a plural: Лавров, Имран, Имрана, Николай.
_VERB_LIKE = re.compile(r"([а-я]+(?:[аи][влнт]|е[влнт]|о[вн]|у[т]|я[лт]|а(?=й)))(?:й|а|у|ом|ым|е|ы)?$")


def _bare(word: str) -> str | None:
    """The stem of a name that the stemmer would cut too short in some of its cases."""
    match = _VERB_LIKE.match(word)
    return _steady(match[1]) if match and len(match[1]) > 3 else None


_LONGEST_WORD = 64  # letters; what is longer is no word, and its beginning stands for it


@lru_cache(maxsize=8_192)  # 300 bytes each; seven words of eight are found, and the daemon has them within days
def key_of(cased: str) -> str:
    """What stands in the shadow for one folded word, given with its letter case: a capital tells a name from a verb."""
    word = cased.lower()
    if len(word) > _LONGEST_WORD:
        return word[:_LONGEST_WORD].replace("'", "")
    if word in _whole():
        key: str | None = _whole()[word]
    else:
        key = _bare(word) if cased[0].isupper() else None
    key = key or _stem(word)
    return _family().get(key, key) or word


def keys_of(s: str) -> Iterator[tuple[str, int, int]]:
    """Every word's key with the word's span [a, b) in code points of `s`."""
    folded = fold(s)
    for match in _WORD.finditer(folded.cased):
        yield key_of(match.group()), *folded.span(match.start(), match.end())


def shadow(text: str) -> str:
    """What FTS5 indexes for a text: the keys of its words, joined by blanks, in the order of the text."""
    return " ".join(map(key_of, _WORD.findall(fold(text).cased)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    """One word, phrase or prefix. Each position holds the keys that would do there."""

    positions: tuple[tuple[str, ...], ...]
    prefix: bool = False

    def fts(self) -> str:
        """The FTS5 expression; where a position has a choice, the phrases are spelled out (eight at most)."""
        phrases = islice(product(*self.positions), _MOST_PHRASES)
        spelled = [f'"{" ".join(phrase)}"' for phrase in phrases]
        if self.prefix:
            spelled[-1] += " *"
        return spelled[0] if len(spelled) == 1 else f"({' OR '.join(spelled)})"

    def at(self, keys: list[str], start: int) -> bool:
        """Whether the term stands at `keys[start:]`."""
        here = keys[start : start + len(self.positions)]
        return len(here) == len(self.positions) and all(
            key in wanted or (self.prefix and i == len(here) - 1 and key.startswith(wanted[-1]))
            for i, (key, wanted) in enumerate(zip(here, self.positions, strict=True))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    fts: str
    wanted: tuple[_Term, ...]  # terms that a hit shows: not those behind NOT


LONGEST = 1_000  # characters of a query
_MOST_TERMS = 64
_MOST_PHRASES = 8
_DEEPEST = 16
_LEX = re.compile(r'\s*(?:(?P<quoted>"[^"]*")|(?P<mark>[()])|(?P<word>[^\s()"]+)|(?P<open>"))')
_OPERATORS = {"AND": "AND", "OR": "OR", "NOT": "NOT", "И": "AND", "ИЛИ": "OR", "НЕ": "NOT"}

# Written as one word or as two, and across the Atlantic: what a query in the one spelling finds in the other, too.
_GROUPED = re.compile(r"(?<!\S)(\d{1,3}(?: \d{3})+)(?!\S)")  # 60 000
_HEADED = re.compile(r"(?<!\S)(وز[یي]ر|دہشت)\s+(?=[\u0600-\u06ff])")  # وزیر اعظم, وزیراعظم
_PARTS = re.compile(
    r"(وز[یي]ر|دہشت|counter|anti|cyber|non|co|pre|анти|контр|вице|экс)(?=\w{4})(\w+)|([^\W\d_]+)(\d+\w*)", re.I
)
_ATLANTIC = tuple(
    (re.compile(one), other)
    for one, other in (
        (r"is(?=(?:e[ds]?|ers?|ing|ations?)$)", "iz"),
        (r"iz(?=(?:e[ds]?|ers?|ing|ations?)$)", "is"),
        ("^(labo|harbo|neighbo)ur", r"\1r"),
        ("^(labo|harbo|neighbo)r", r"\1ur"),
        ("^(cent|theat)re", r"\1er"),
        ("^(cent|theat)er", r"\1re"),
        ("^rouble", "ruble"),
        ("^ruble", "rouble"),
    )
)


def _spellings(word: str) -> list[str]:
    """A word of a query as others write it: counterterrorism, counter-terrorism; 1000, 1,000; JF17, JF-17; center."""
    found = [re.sub(r"(?<=\w)[-‐‑](?=\w)|(?<=\d),(?=\d{3})", "", word)]
    if word.isdecimal() and len(word) > 3:
        found.append(f"{int(word):,}")
    elif match := _PARTS.fullmatch(word):
        found.append("-".join(part for part in match.groups() if part))
    found += [pattern.sub(other, word.lower()) for pattern, other in _ATLANTIC]
    return [spelled for spelled in dict.fromkeys(found) if spelled not in (word, word.lower())]


def _term(raw: str, *, phrase: bool) -> _Term:
    prefix = not phrase and raw.endswith("*")
    positions: list[tuple[str, ...]] = []
    found = list(_WORD.finditer(fold(raw).cased))
    for number, match in enumerate(found):
        word, key = match.group().lower(), key_of(match.group())
        last = number == len(found) - 1
        if prefix and last:
            positions.append(tuple(dict.fromkeys((key, word))))
        else:  # лавров without its capital: the name, or many laurels
            positions.append(tuple(dict.fromkeys((key, key_of(word), key_of(word.capitalize())))))
    if not positions:
        raise UsageError(f"search: there is no word in {raw!r}; write a word, or leave it out")
    return _Term(positions=tuple(positions), prefix=prefix)


class _Parser:
    """Words (all must stand in the text), "phrases", AND, OR, NOT, parentheses, a trailing * for a prefix."""

    def __init__(self, q: str) -> None:
        if len(q) > LONGEST:
            raise UsageError(f"search: the query has {len(q)} characters; at most {LONGEST} are read")
        self.tokens: list[tuple[str, str]] = []
        straight = re.sub("[“”„‟«»″]", '"', q.replace("\x00", " ")).strip()
        straight = _HEADED.sub(r"\1-", _GROUPED.sub(lambda match: match[1].replace(" ", ","), straight))
        position = 0
        while position < len(straight):
            match = _LEX.match(straight, position)
            assert match is not None, "every character but a blank starts a token"
            if match["open"]:
                rest = straight[match.end() :][:30]
                raise UsageError(f"search: the quotation mark before {rest!r} is not closed")
            kind = match.lastgroup or ""
            self.tokens.append((kind, _OPERATORS.get(match[kind], match[kind])))
            position = match.end()
        if not self.tokens:
            raise UsageError("search: the query is empty; write a word, for example: pakrus search Россия")
        if len(self.tokens) > 2 * _MOST_TERMS:
            raise UsageError(f"search: the query has over {_MOST_TERMS} terms; write fewer")
        self.next = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.next] if self.next < len(self.tokens) else ("end", "")

    def parse(self) -> _Parsed:
        parsed = self.either(0)
        if self.peek() == ("mark", ")"):
            raise UsageError("search: a closing parenthesis has no opening one")
        return parsed

    def either(self, depth: int) -> _Parsed:
        """A OR B OR ..."""
        if depth > _DEEPEST:
            raise UsageError(f"search: parentheses go deeper than {_DEEPEST}; write it flatter")
        parts = [self.together(depth)]
        while self.peek() == ("word", "OR"):
            self.next += 1
            parts.append(self.together(depth))
        if len(parts) == 1:
            return parts[0]
        wanted = tuple(term for part in parts for term in part.wanted)
        return _Parsed(fts="(" + " OR ".join(part.fts for part in parts) + ")", wanted=wanted)

    def together(self, depth: int) -> _Parsed:
        """A AND B, A B, A NOT B, A -B."""
        kept: list[_Parsed] = []
        left_out: list[_Parsed] = []
        while True:
            kind, item = self.peek()
            if kind == "end" or item == ")" or ((kind, item) == ("word", "OR")):
                break
            negated = False
            while kind == "word" and item in ("AND", "NOT"):
                doubled = self.next > 0 and self.tokens[self.next - 1] == ("word", "AND")
                if item == "AND" and (negated or doubled or not (kept or left_out)):
                    raise UsageError("search: AND stands between two terms, for example: Россия AND газ")
                negated = negated or item == "NOT"
                self.next += 1
                kind, item = self.peek()
                if kind == "end" or item == ")" or ((kind, item) == ("word", "OR")):
                    raise UsageError(f"search: a term is missing after {self.tokens[self.next - 1][1]}")
            if kind == "word" and len(item) > 1 and item[0] in "-−–":
                negated = True
                self.tokens[self.next] = (kind, item[1:])
            (left_out if negated else kept).append(self.single(depth))
        if not kept:
            if left_out:
                raise UsageError("search: NOT leaves out of something; write it after a term: газ NOT Индия")
            raise UsageError("search: a term is missing beside OR or inside parentheses")
        fts = " AND ".join(part.fts for part in kept)
        wanted = tuple(term for part in kept for term in part.wanted)
        if left_out:
            fts = f"({fts}) NOT ({' OR '.join(part.fts for part in left_out)})"
        return _Parsed(fts=f"({fts})" if len(kept) + len(left_out) > 1 else fts, wanted=wanted)

    def single(self, depth: int) -> _Parsed:
        kind, item = self.peek()
        self.next += 1
        if (kind, item) == ("mark", "("):
            inner = self.either(depth + 1)
            if self.peek() != ("mark", ")"):
                raise UsageError("search: an opening parenthesis is not closed")
            self.next += 1
            return inner
        terms = [_term(item, phrase=kind == "quoted")]
        if kind == "word":
            terms += map(partial(_term, phrase=False), _spellings(item))
        fts = " OR ".join(term.fts() for term in terms)
        return _Parsed(fts=f"({fts})" if len(terms) > 1 else fts, wanted=tuple(terms))


def query(q: str) -> str:
    """A person's query as an FTS5 expression over the shadow.

    Words must all stand in the text, in any form; "quoted words" one after another; AND, OR and NOT (И, ИЛИ, НЕ; or
    a minus before the word) in capitals; parentheses; ``word*`` for a beginning. A malformed query is a
    UsageError that says what to write instead. The result names no column and holds no text of the query
    but keys in quotes.
    """
    return _Parser(q).parse().fts


def highlight(text: str, q: str) -> list[tuple[int, int]]:
    """Spans [a, b) in code points of `text` of the words that `q` is about, in order, without overlap."""
    wanted = _Parser(q).parse().wanted
    found = list(keys_of(text))
    keys = [key for key, _, _ in found]
    hits: set[int] = set()
    for start in range(len(keys)):
        for term in wanted:
            if term.at(keys, start):
                hits.update(range(start, start + len(term.positions)))
    return [found[i][1:] for i in sorted(hits)]
