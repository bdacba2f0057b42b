"""Datelines and credits: where a text was filed, and the wire or ministry that it comes from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

# How each origin signs, in any script. Names are matched as whole words; those in _LOUD only in this case.
_NAMES: dict[str, tuple[str, ...]] = {
    "APP": ("=APP", "Associated Press of Pakistan", "اے پی پی", "АПП"),
    "TASS": ("TASS", "ITAR-TASS", "ТАСС", "ИТАР-ТАСС", "تاس"),
    "RIA Novosti": ("RIA Novosti", "=RIA", "РИА Новости", "ریا نووستی", "آر آئی اے نووستی"),
    "Sputnik": ("Sputnik", "Спутник", "سپوتنک", "اسپوتنک", "سپتنک"),
    "Interfax": ("Interfax", "INTERFAX.RU", "Интерфакс", "انٹرفیکس"),
    "Reuters": ("Reuters", "Рейтер", "Рейтерс", "رائٹرز", "روئٹرز"),
    "AFP": ("=AFP", "Agence France-Presse", "АФП", "اے ایف پی"),
    "AP": ("=AP", "The Associated Press", "Associated Press", "=АП", "اے پی"),
    "Xinhua": ("Xinhua", "Синьхуа", "شنہوا", "ژنہوا"),
    "Anadolu": ("Anadolu Agency", "Anadolu", "=AA", "Анадолу", "انادولو", "اناطولو", "اناطولیہ"),
    "UrduPoint": ("UrduPoint", "Urdu Point", "Pakistan Point News", "اردو پوائنٹ", "اُردو پوائنٹ"),
    "INP": ("=INP", "آئی این پی"),
    "NNI": ("=NNI", "این این آئی"),
    "PPI": ("=PPI", "پی پی آئی"),
    "Online": ("=Online", "آن لائن"),
    "Sabah": ("صباح نیوز",),
    "IRNA": ("=IRNA", "ИРНА", "ارنا"),
    "ANI": ("=ANI",),
    "PTI": ("=PTI",),
    "IANS": ("=IANS",),
    "DPA": ("=dpa", "=DPA"),
    "Bloomberg": ("Bloomberg", "Блумберг", "بلومبرگ"),
    "RT": ("=RT", "آر ٹی"),
    "Prime": ("ПРАЙМ", "Прайм"),
    "Rosbalt": ("Росбалт",),
    "Regnum": ("REGNUM", "Регнум"),
    "Belta": ("БЕЛТА", "BelTA"),
    "PID": ("=PID", "Press Information Department", "پی آئی ڈی"),
    "ISPR": ("=ISPR", "Inter-Services Public Relations", "آئی ایس پی آر"),
}
# Sites that publish what they write themselves: the origin of their own pages.
_SITES = MappingProxyType(
    {
        "app.com.pk": "APP",
        "tass.ru": "TASS",
        "tass.com": "TASS",
        "ria.ru": "RIA Novosti",
        "sputniknews.com": "Sputnik",
        "sputnikglobe.com": "Sputnik",
        "sputniknews.ru": "Sputnik",
        "interfax.ru": "Interfax",
        "interfax.com": "Interfax",
        "interfax-russia.ru": "Interfax",
        "reuters.com": "Reuters",
        "afp.com": "AFP",
        "apnews.com": "AP",
        "xinhuanet.com": "Xinhua",
        "news.cn": "Xinhua",
        "aa.com.tr": "Anadolu",
        "pid.gov.pk": "PID",
        "ispr.gov.pk": "ISPR",
        "mofa.gov.pk": "Foreign Office of Pakistan",
        "mid.ru": "Foreign Ministry of Russia",
        "kremlin.ru": "Kremlin",
        "government.ru": "Government of Russia",
        "economy.gov.ru": "Ministry of Economic Development of Russia",
        "minenergo.gov.ru": "Ministry of Energy of Russia",
        "minpromtorg.gov.ru": "Ministry of Industry and Trade of Russia",
        "mil.ru": "Ministry of Defence of Russia",
        "pmo.gov.pk": "Prime Minister's Office of Pakistan",
        "finance.gov.pk": "Ministry of Finance of Pakistan",
        "commerce.gov.pk": "Ministry of Commerce of Pakistan",
    }
)


def _names(*, loud: bool) -> str:
    names = [n for group in _NAMES.values() for n in group]
    chosen = [n[1:] for n in names if n.startswith("=")] if loud else [n for n in names if not n.startswith("=")]
    return "|".join(re.escape(n).replace(r"\ ", r"\s+") for n in sorted(chosen, key=len, reverse=True))


_BY_NAME = {
    re.sub(r"\s+", " ", name.removeprefix("=")).casefold(): origin for origin, group in _NAMES.items() for name in group
}
_AGENCY = rf"(?:(?<!\w)(?:{_names(loud=True)})(?!\w)|(?i:(?<!\w)(?:{_names(loud=False)})(?!\w)))"
_FIND = re.compile(_AGENCY)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?|янв\w*|фев\w*|мар\w*|апр\w*|мая|май|июн\w*|июл\w*|авг\w*|сен\w*|окт\w*|ноя\w*|дек\w*|"
    r"جنوری|فروری|مارچ|اپریل|مئی|جون|جولائی|اگست|ستمبر|اکتوبر|نومبر|دسمبر)"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = rf"(?:(?i:{_MONTH})\.?\s+{_DAY}(?:,?\s+\d{{4}})?|{_DAY}\s+(?i:{_MONTH})\.?(?:,?\s+\d{{4}})?)"
_PLACE = r"[A-ZÀ-ÞĞİŞА-ЯЁ][A-ZÀ-ÞĞİŞА-ЯЁ.'’\- ]{2,40}(?:\s*[/,]\s*[A-ZÀ-ÞА-ЯЁ][\wÀ-ÿА-Яа-яё.'’\- ]{2,30}){0,2}"
_TITLE_PLACE = r"[A-ZА-ЯЁ][a-zа-яё'’\-]{2,25}(?:[ \-][A-ZА-ЯЁ][a-zа-яё'’\-]{2,20}){0,2}"
_URDU_PLACE = r"[\u0620-\u06d3]{2,15}(?:\s[\u0620-\u06d3]{1,15}){0,3}"
_URDU_NO_PLACE = r"(?!(?:[\u0620-\u06d3]+\s)*(?:نے|کا|کی|کے|کو|میں|سے|پر|اور|ہے|کہ|کہا|تحریر|رپورٹ|نوٹ)(?:\s|\s*[:：]))"
_CITY = (
    r"(?:Islamabad|Karachi|Lahore|Rawalpindi|Peshawar|Quetta|Multan|Faisalabad|Hyderabad|Sialkot|Gwadar|Muzaffarabad|"
    r"Gilgit|Sukkur|Moscow|St\.?\s+Petersburg|Kazan|Vladivostok|Sochi|Kabul|Tehran|Delhi|New\s+Delhi|Beijing|Dubai|"
    r"London|Washington|New\s+York|Geneva|Brussels|Ankara|Istanbul|Riyadh|Doha|Astana|Tashkent|Minsk|Kyiv|Kiev|"
    r"Исламабад|Карачи|Лахор|Равалпинди|Пешавар|Кветта|Москва|Санкт-Петербург|Казань|Владивосток|Сочи|Кабул|Тегеран|"
    r"Дели|Нью-Дели|Пекин|Дубай|Лондон|Вашингтон|Нью-Йорк|Женева|Брюссель|Анкара|Стамбул|Эр-Рияд|Доха|Астана|Ташкент|"
    r"Минск|Киев)"
)
_DASH = r"[-–—―]{1,2}"
_PAREN = r"\([^()]{2,90}\)"
_SLASH = r"/[^/\n]{2,60}/"

_DATELINES = (
    # MOSCOW, October 26. /TASS/.   МОСКВА, 26 окт. /ТАСС/.   МОСКВА, 26 октября. /Корр. ТАСС/.
    re.compile(rf"^(?:{_PLACE}|{_TITLE_PLACE})[,.]?\s+{_DATE}\.?,?\s*{_SLASH}\s*[.:]?\s*(?:{_DASH})?\s*"),
    # МОСКВА, 26 окт — РИА Новости.
    re.compile(rf"^(?:{_PLACE}|{_TITLE_PLACE}),?\s+{_DATE}\.?\s*{_DASH}\s*{_AGENCY}(?:,\s*[\w. ]{{3,40}})?\s*[.:]\s*"),
    # Москва. 26 октября. INTERFAX.RU -   MOSCOW. Oct 26 (Interfax) -   26 октября. Interfax-Russia.ru -
    re.compile(
        rf"^(?:(?:{_PLACE}|{_TITLE_PLACE})[.,]\s+)?{_DATE}\.?\s*(?:\({_AGENCY}[^()]{{0,40}}\)|"
        rf"{_AGENCY}\S*)\s*{_DASH}\s*"
    ),
    # ISLAMABAD, Mar 23 (APP):   BEIJING, Aug. 31 (Xinhua) --
    re.compile(rf"^(?:{_PLACE}|{_TITLE_PLACE}),?\s+{_DATE}\.?,?\s*{_PAREN}\s*(?::|{_DASH})?\s*"),
    # ISLAMABAD (UrduPoint / Pakistan Point News - 11th Sep, 2023):   MOSCOW (Sputnik) -
    re.compile(rf"^(?:{_PLACE}|{_TITLE_PLACE})\s*\([^()]*{_AGENCY}[^()]{{0,60}}\)\s*(?::|{_DASH})?\s*"),
    # (Reuters) -
    re.compile(rf"^\({_AGENCY}\)\s*(?::|{_DASH})\s*"),
    # اسلام آباد (اے پی پی):   لاہور (نیوز ڈیسک)   کراچی(اسٹاف رپورٹر)
    # اسلام آباد۔13اکتوبر (اے پی پی):
    re.compile(
        rf"^{_URDU_PLACE}\s*(?:[،,]|[،,۔]?\s*\d{{1,2}}\s*{_MONTH}\s*[،,۔]?)?\s*\([^()]{{2,90}}\)\s*[:۔،]?\s*"
        rf"(?:{_DASH})?\s*"
    ),
    # ISLAMABAD:   ISLAMABAD, Mar 23:   ISLAMABAD —
    re.compile(rf"^{_PLACE}(?:,?\s+{_DATE})?\s*(?::|\s{_DASH}\s)\s*"),
    # اسلام آباد:
    re.compile(rf"^{_URDU_NO_PLACE}{_URDU_PLACE}\s*[:：]\s*(?=\S)"),
    # Москва, 6 ноября. —
    re.compile(rf"^(?:{_PLACE}|{_TITLE_PLACE}),?\s+{_DATE}\.?\s*{_DASH}\s+"),
    # Islamabad:  a place that is known, or one with a date; "Background:" and "Lavrov:" look the same
    re.compile(rf"^(?:{_CITY}|{_TITLE_PLACE},\s+{_DATE}):\s+(?=[A-ZА-ЯЁ“\"«])"),
)
_CREDIT_LINE = re.compile(
    rf"^\W*(?:(?i:source|credit|courtesy|agency|agencies|with\s+agencies|источник|по\s+материалам|фото|ماخذ|"
    rf"بشکریہ)\s*[:–—-]?\s*)?"
    rf"({_AGENCY})\W*$"
)
_LABEL = r"(?i:source|via|credit|courtesy|issued\s+by|источник|по\s+материалам|ماخذ|بشکریہ|ذریعہ)"
_SOURCE_LINE = re.compile(rf"^\W*{_LABEL}\s*[:：–—-]?\s*({_AGENCY})\W*$")
_LETTERHEAD = re.compile(rf"^\W*({_AGENCY})\W*$")
_CREDIT_END = re.compile(rf"(?:[-–—―]{{1,2}}\s*|\(\s*|\[\s*)({_AGENCY})(?:\s*[)\]])?\s*\.?$")
# Russian papers rewrite a wire and say so in the first sentences.
_REPORTED = re.compile(
    rf"(?i:сообщ\w+|переда[её]т|пишет|информирует|об\s+этом\s+(?:сообщ\w+|переда[её]т|пишет)|со\s+ссылкой\s+на|"
    rf"цитирует)"
    rf"\s+(?:(?i:об\s+этом|агентств\w+|информагентств\w+|корреспондент\w*|корр\.)\s+)*[«\"]?({_AGENCY})"
)
_BYLINE = re.compile(
    r"^\W*(?:(?i:by|автор\s*:|текст\s*:|تحریر\s*[:：]|رپورٹ\s*[:：]))\s+((?:[^\W\d_][\w.'’\-]*[ ,&]*){1,8})$"
)
_MAX_DATELINE = 140
_MAX_CREDIT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    lines: tuple[str, ...]
    dateline: str = ""
    origin: str = ""
    byline: str = ""


def own_origin(site: str) -> str:
    """The origin of a page on `site` that names none, "" for other sites."""
    return next((name for host, name in _SITES.items() if site == host or site.endswith("." + host)), "")


def source_beside(lines: Sequence[str]) -> str:
    """The origin that a page names in a field of its own: a label and an agency, on a line or two."""
    for n, line in enumerate(lines):
        both = f"{line}: {lines[n + 1]}" if n + 1 < len(lines) and len(line) < _MAX_CREDIT else line
        for text in (line, both):
            if len(text) <= 2 * _MAX_CREDIT and (match := _SOURCE_LINE.match(text)):
                return _origin(match.group(1))
    return ""


def letterhead(lines: Sequence[str]) -> str:
    """The origin that a release names above its title, on a line of its own."""
    return next(
        (_origin(m.group(1)) for line in lines if len(line) <= _MAX_CREDIT and (m := _LETTERHEAD.match(line))), ""
    )


def take_credits(lines: Sequence[str], *, author: str, site: str, beside: str = "") -> Credits:
    """What signs a text, taken out of its lines: dateline, byline, credits.

    `author`, `site`, `beside` (an origin): what the page says.
    """
    kept = list(lines)
    named = [line for line in kept if len(line) < _MAX_CREDIT and _SOURCE_LINE.match(line)]
    kept = [line for line in kept if line not in named]
    byline = ""
    for n, line in enumerate(kept[:3]):
        if len(line) <= 120 and (match := _BYLINE.match(line)):
            byline = match.group(1).strip()
            del kept[n]
            break
    dateline = ""
    for n, line in enumerate(kept[:5]):  # summary points may stand above the first sentence
        match = next((m for pattern in _DATELINES if (m := pattern.match(line[: 2 * _MAX_DATELINE]))), None)
        if match and match.end() <= _MAX_DATELINE and len(line) - match.end() > 20:
            dateline = line[: match.end()].strip()
            kept[n] = line[match.end() :]
            break
    while len(kept) > 3 and author and _is_about(author, kept[-1]):
        kept.pop()
    credited = source_beside(named)
    while len(kept) > 1 and len(kept[-1]) < _MAX_CREDIT and (match := _CREDIT_LINE.match(kept[-1])):
        credited = credited or _origin(match.group(1))
        kept.pop()
    tail = kept[-1][-_MAX_CREDIT:] if kept else ""
    if not credited and (match := _CREDIT_END.search(tail)):
        credited = _origin(match.group(1))
        kept[-1] = kept[-1][: len(kept[-1]) - len(tail) + match.start()].rstrip()
    reported = _REPORTED.search(" ".join(kept)[:700])
    origin = (
        _origin(dateline)
        or credited
        or beside
        or _origin(author)
        or _origin(byline)
        or own_origin(site)
        or (_origin(reported.group(1)) if reported else "")
    )
    return Credits(lines=tuple(kept), dateline=dateline.rstrip(" .:–—-"), origin=origin, byline=byline)


_ABOUT = re.compile(
    r"\s*,?\s*(?:is|was|has\s+been|works|writes|covers|reports|joined|ist|является|работает|пишет|—|–)\s", re.I
)
_MAX_ABOUT = 700


def _is_about(author: str, line: str) -> bool:
    """Whether `line` tells who the author is."""
    names = (name.strip() for name in author.split(","))
    return len(line) <= _MAX_ABOUT and any(n and line.startswith(n) and _ABOUT.match(line, len(n)) for n in names)


def _origin(text: str) -> str:
    """The first agency that `text` names; UrduPoint, which only carries others, is the last choice."""
    found = [_BY_NAME[re.sub(r"\s+", " ", m.group()).casefold()] for m in _FIND.finditer(text)]
    return next((name for name in found if name != "UrduPoint"), found[0] if found else "")
