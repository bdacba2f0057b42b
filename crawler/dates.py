"""Times as feeds and pages write them, read into instants.

Own rules, because the parsers at hand are quietly wrong here: feedparser takes PKT and MSK for UTC and gives up on
Russian months and "GMT+5"; dateutil drops zone names that it does not know. A time that names no zone is in the zone
of its source. A date alone is the start of that day in its zone. What lies in the future, or before 1990, is capped
by the time of the visit and says so.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crawler.types import Moment

TOLERANCE = timedelta(hours=1)  # by how much a server's clock may be ahead of ours
NO_LIMIT = datetime(9999, 1, 1, tzinfo=UTC)  # `now` where the time of the visit is not known
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # no web page is older; 1970 and year 1 are empty database fields
_MAX_LENGTH = 250  # characters; a longer text is no date
_MIDNIGHT = timedelta(0)
_FINE = ("exact", "minute")
_EVIDENCE = ("json-ld", "meta", "time", "feed", "text", "url")

# Hours ahead of UTC. A name that two zones share is settled by the zone of the source, see _named_zone.
_HOURS: dict[str, float] = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "wet": 0, "pkt": 5, "msk": 3, "мск": 3, "msd": 4, "ist": 5.5, "npt": 5.75,
    "aft": 4.5, "irst": 3.5, "trt": 3, "gst": 4, "uzt": 5, "almt": 5, "yekt": 5, "samt": 4, "omst": 6, "novt": 7,
    "krat": 7, "irkt": 8, "yakt": 9, "vlat": 10, "magt": 11, "pett": 12, "bst": 1, "west": 1, "cet": 1, "cest": 2,
    "eet": 2, "eest": 3, "hkt": 8, "sgt": 8, "jst": 9, "kst": 9, "acst": 9.5, "aest": 10, "aedt": 11, "awst": 8,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "hst": -10,
    "пкт": 5, "гмт": 0, "екб": 5,
}  # fmt: skip
_NAMED_ZONES: dict[str, str] = {
    "et": "America/New_York",
    "ct": "America/Chicago",
    "pt": "America/Los_Angeles",
    "moscow time": "Europe/Moscow",
    "moscow standard time": "Europe/Moscow",
    "по московскому времени": "Europe/Moscow",
    "по москве": "Europe/Moscow",
    "московского времени": "Europe/Moscow",
    "московское время": "Europe/Moscow",
    "pakistan time": "Asia/Karachi",
    "pakistan standard time": "Asia/Karachi",
    "по пакистанскому времени": "Asia/Karachi",
    "پاکستانی وقت": "Asia/Karachi",
    "پاکستان کے معیاری وقت": "Asia/Karachi",
    "ماسکو کے وقت": "Europe/Moscow",
    "india standard time": "Asia/Kolkata",
    "eastern standard time": "America/New_York",
    "greenwich mean time": "UTC",
    "coordinated universal time": "UTC",
}
_LOCAL_MEANINGS: dict[tuple[str, str], float] = {
    ("pst", "Asia/Karachi"): 5,  # Pakistan Standard Time
    ("cst", "Asia/Shanghai"): 8,
    ("ist", "Europe/Dublin"): 1,
    ("bst", "Asia/Dhaka"): 6,
    ("gst", "Asia/Tbilisi"): 4,
    ("ast", "Asia/Riyadh"): 3,
}

_MONTH_NAMES = (
    "january jan январь января янв جنوری يناير січня",
    "february feb февраль февраля фев февр فروری فبراير лютого",
    "march mar март марта мар مارچ مارس березня",
    "april apr апрель апреля апр اپریل ابریل أبريل إبريل ابريل квітня",
    "may май мая مئی مي مايو травня",
    "june jun июнь июня июн جون يونيو червня",
    "july jul июль июля июл جولائی جولائ يوليو липня",
    "august aug август августа авг اگست أغسطس اغسطس серпня",
    "september sept sep сентябрь сентября сен сент ستمبر سبتمبر вересня",
    "october oct октябрь октября окт اکتوبر أكتوبر اكتوبر жовтня",
    "november nov ноябрь ноября ноя нояб نومبر نوفمبر листопада",
    "december dec декабрь декабря дек دسمبر ديسمبر грудня",
)
# Weak and strong digits of three scripts, letters that Urdu keyboards confuse, marks without width, dashes.
_FOLDING = str.maketrans(
    {
        **{chr(0x660 + d): str(d) for d in range(10)},
        **{chr(0x6F0 + d): str(d) for d in range(10)},
        **{chr(0x966 + d): str(d) for d in range(10)},
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\xad\u061c"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\xa0\u2009\u202f\u2007", " "),
        "ي": "ی", "ى": "ی", "ك": "ک", "ە": "ہ", "ه": "ہ", "أ": "ا", "إ": "ا", "ئ": "ئ",
        "،": ",", "؛": ",", "٬": ",", "ё": "е", "’": "'",
    }
)  # fmt: skip


def _fold(text: str) -> str:
    text = text.lower()
    return text if text.isascii() else text.translate(_FOLDING)


_MONTHS = {_fold(name): number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_MONTH = "(?P<month>" + "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True)) + r")(?![^\W\d_])\.?"

_AM = ("am", "a.m", "a.m.", "a. m.", "утра", "صبح", "اے ایم", "قبل دوپہر", "ص")
_PM = ("pm", "p.m", "p.m.", "p. m.", "вечера", "дня", "شام", "سہ پہر", "سہ پہر", "پی ایم", "بعد دوپہر", "م")
_NIGHT = ("رات", "ночи")  # before and after midnight
_NOON = ("دوپہر", "noon")
_HALF = "|".join(sorted((re.escape(_fold(w)) for w in (*_AM, *_PM, *_NIGHT, *_NOON)), key=len, reverse=True))
_HALVES = {
    _fold(w): kind for kind, words in (("am", _AM), ("pm", _PM), ("night", _NIGHT), ("noon", _NOON)) for w in words
}

_OFFSET = r"(?P<sign>[+-])(?P<oh>\d{1,2})(?::?(?P<om>\d\d))?(?!\d)"

# The two forms in which nearly every feed writes; all else goes the long way.
_RFC822 = re.compile(
    r"(?:[A-Za-z]{3}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)"
    r" (?:([+-])(\d\d):?(\d\d)|(GMT|UTC|Z|PKT|MSK))"
)
_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:([+-])(\d\d):?(\d\d)|(Z))")
_ENGLISH = {name: number for name, number in _MONTHS.items() if len(name) == 3 and name.isascii()}

_EPOCH = re.compile(r"@?(-?\d{1,10})(?:\.\d+)?|@?(\d{12,13})|(\d{16})|/date\((-?\d{1,13})(?:[+-]\d{4})?\)/")
_COMPACT = re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)(?:[t ]?(\d\d)(\d\d)(\d\d)?)?(?!\d)")
_YEAR_WORD = r"(?:\s*(?:г\.?|года|год|ء))?(?![^\W\d_])"
# Two digits are a year at the end, or before a time: not in "9 May 25 killed".
_YEAR = r"(?P<year>\d{4}|'?\d\d(?![\d:])(?=\s*$|\s*[,|)\]]|[\s\-]+\d{1,2}:?\d\d))" + _YEAR_WORD
_FULL_YEAR = r"(?P<year>\d{4})" + _YEAR_WORD
_DAY = r"(?<![\d:.])(?P<day>\d{1,2})(?:st|nd|rd|th|-?го|-?е)?"
_GAP = r"[\s,.\-/|]*(?:of\s+)?"
_DATES: tuple[re.Pattern[str], ...] = tuple(
    re.compile(p)
    for p in (
        r"(?<!\d)(?P<year>\d{4})\s?(?P<sep>[-/.])\s?(?P<m>\d{1,2})\s?(?P=sep)\s?(?P<day>\d{1,2})(?!\d)",
        r"(?<!\d)(?P<year>\d{4})-w(?P<week>\d\d)-(?P<weekday>[1-7])(?!\d)",
        rf"{_DAY}{_GAP}{_MONTH}{_GAP}{_YEAR}",
        rf"(?<![^\W\d_]){_MONTH}{_GAP}{_DAY}(?!\d){_GAP}{_YEAR}",
        rf"(?<!\d)(?P<year>\d{{4}}){_GAP}{_MONTH}{_GAP}{_DAY}(?!\d)",
        r"(?<![\d.+])(?P<a>\d{1,2})\s?(?P<sep>[-/.])\s?(?P<b>\d{1,2})\s?(?P=sep)\s?(?P<year>\d{4}|\d\d)(?!\d)",
        rf"{_DAY}{_GAP}{_MONTH}",
        rf"(?<![^\W\d_]){_MONTH}{_GAP}{_FULL_YEAR}",
        rf"(?<![^\W\d_]){_MONTH}{_GAP}{_DAY}(?!\d)",
    )
)
_ORDINAL = re.compile(r"(\d{4})-(\d{3})")
_YEAR_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})")
# "Wed Nov  5 14:30:00 PKT 2025": the year comes last, behind the time.
_CTIME = re.compile(
    rf"(?<![^\W\d_]){_MONTH}\s+(?P<day>\d{{1,2}})\s+(?P<time>\d\d?:\d\d(?::\d\d)?)\s+"
    r"(?P<zone>(?:\S{1,9}\s+){0,2})(?P<year>(?:19|20)\d\d)(?!\d)"
)

_TIME = re.compile(
    rf"(?:(?P<before>{_HALF})\s+)?(?<![\d.:])(?P<hour>\d{{1,2}})"
    r"(?:(?P<sep>[:.]|-(?=\d\d-\d\d)|\s?بج کر\s)(?P<minute>\d\d)"
    r"(?:[:.\-](?P<second>\d\d)(?:[.,:]\d+)?)?)(?!\d)"
    rf"(?:\s*منٹ)?(?:\s*(?P<after>{_HALF})(?![^\W\d_]))?"
)
_BARE_HOUR = re.compile(
    rf"(?<![\d.:])(?P<hour>\d{{1,2}})\s*(?P<after>{_HALF})(?![^\W\d_])|(?:(?P<before>{_HALF})\s+)(?P<bare>\d{{1,2}})\s+بجے"
)
# "03 Apr 02 1500 GMT", "1500 hrs": four digits are a time only before a word that says so.
_MILITARY = re.compile(
    r"(?<![\d:.+-])(?P<hour>[01]\d|2[0-4])(?P<minute>[0-5]\d)\s*(?=gmt|utc|pkt|msk|мск|hrs|hours|h\b|[+-]\d{4})"
)
_ZONE_OFFSET = re.compile(rf"(?:(?<![^\W\d_])(?:utc|gmt|msk|мск|z)\s?)?{_OFFSET}")
_ZONE_MSK = re.compile(r"(?<![^\W\d_])(?:msk|мск)\s?(?P<sign>[+-])(?P<oh>\d{1,2})(?![\d:])")
_ZONE_LOST_PLUS = re.compile(r"^ (?P<oh>\d\d):(?P<om>\d\d)$")  # "+" became a blank on its way through a URL
_ZONE_IANA = re.compile(
    r"(?:africa|america|asia|atlantic|australia|europe|indian|pacific|etc)/[a-z_+\-0-9]+(?:/[a-z_]+)?"
)
_ZONE_PHRASE = re.compile(
    "|".join(sorted((re.escape(_fold(n)) for n in _NAMED_ZONES if len(n) > 2), key=len, reverse=True))
)
_ZONE_WORD = re.compile(
    r"(?<![^\W_])(" + "|".join(sorted((*_HOURS, "ast", "et", "ct", "pt"), key=len, reverse=True)) + r")(?![^\W_])"
)
_NAMED_ZONES_FOLDED = {_fold(name): zone for name, zone in _NAMED_ZONES.items()}

_UNITS: dict[str, timedelta] = {}
for _words, _unit in (
    ("second seconds sec secs s секунд секунды секунду сек سیکنڈ سیکنڈز", timedelta(seconds=1)),
    ("minute minutes min mins m минут минуты минуту мин منٹ منٹس", timedelta(minutes=1)),
    ("hour hours hr hrs h час часа часов ч گھنٹہ گھنٹے گھنٹوں", timedelta(hours=1)),
    ("day days d день дня дней сутки суток دن روز دنوں", timedelta(days=1)),
    ("week weeks w неделю недели недель нед ہفتہ ہفتے ہفتوں", timedelta(weeks=1)),
    ("month months месяц месяца месяцев мес ماہ مہینہ مہینے", timedelta(days=30)),
):
    _UNITS.update(dict.fromkeys(map(_fold, _words.split()), _unit))
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_ONE = ("a", "an", "one", "один", "одну", "ایک")
_AMOUNT = rf"(?:(?P<n>\d{{1,4}}|{'|'.join(_ONE)})\s*)?(?P<unit>{_UNIT})\.?"
_AGO = re.compile(
    rf"(?<![^\W_]){_AMOUNT}(?:[\s,]*(?:and|и|اور)?\s*(?P<n2>\d{{1,4}})\s*(?P<unit2>{_UNIT})\.?)?\s+(?:ago|назад|پہلے|قبل)(?![^\W_])"
)
# Words that may stand around a date without a year or a "today".
_LABEL_WORDS = (
    r"published|updated|posted|modified|last|date|time|on|at|by|the|am|pm|a\.m|p\.m"
    r"|mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
    r"|опубликовано|обновлено|дата|время|в|от|утра|дня|вечера|ночи|г|года"
    r"|понедельник|вторник|сред[ау]|четверг|пятниц[ау]|суббот[ау]|воскресенье|пн|вт|ср|чт|пт|сб|вс"
    "|شائع|اپ ڈیٹ|تاریخ|وقت|بوقت|بجے|منٹ|بج کر|پیر|منگل|بدھ|جمعرات|جمعہ|ہفتہ|اتوار|کو|شام|صبح|رات|دوپہر|سہ"
)
_ZONE_NAMES = "|".join(map(re.escape, (*_HOURS, *map(_fold, _NAMED_ZONES))))
_LABELS = re.compile(rf"(?<![^\W\d_])(?:{_fold(_LABEL_WORDS)}|{_ZONE_NAMES})(?![^\W\d_])")
_JUST_NOW = re.compile(
    r"(?<![^\W_])(?:just now|moments? ago|только что|ابھی(?: ابھی)?|چند لمحے (?:پہلے|قبل))(?![^\W_])"
)
_DAYS_BACK: dict[str, int] = {
    _fold(word): days
    for words, days in (
        ("today|сегодня|آج|اليوم", 0),
        ("yesterday|вчера|گزشتہ روز|گذشتہ روز|گزشتہ کل|أمس", 1),
        ("позавчера", 2),
    )
    for word in words.split("|")
}
_DAY_WORD = re.compile(
    r"(?<![^\W_])(" + "|".join(sorted(map(re.escape, _DAYS_BACK), key=len, reverse=True)) + r")(?![^\W_])"
)


class _Parsed(NamedTuple):
    """A time as written: local clock, zone if named."""

    day: date
    clock: timedelta  # since midnight
    precision: str
    zone: tzinfo | None  # None: the text names none
    second_reading: date | None = None  # the month first, where a date can be read both ways


def read(
    raw: str | int | float | None, *, zone: ZoneInfo | None, now: datetime | None = None, origin: str = "feed"
) -> Moment:
    """The instant (UTC) that `raw` means for a source in `zone` at a visit at `now` (aware); instant None if none.

    `raw` is text or seconds or milliseconds since 1970. Without `zone` a time that names none is taken as UTC and says
    "assumed"; without `now` nothing is capped by the visit, and relative times and dates without a year give None.
    The precision "day" is of a date alone (its instant is the day's start) and of "2 hours ago".
    """
    text = "" if raw is None or isinstance(raw, bool) else str(raw) if not isinstance(raw, str) else raw.strip()
    if not text or len(text) > _MAX_LENGTH:
        return Moment(instant=None, origin=origin, raw=text[:_MAX_LENGTH])
    try:
        fast = _fast(text)
        if fast is not None:
            return _moment(fast, "exact", "given", origin, text, now)
        return _read(text, zone, now, origin)
    except (ValueError, OverflowError):  # the 31st of November, a year that is none
        return Moment(instant=None, origin=origin, raw=text)


def best(candidates: Sequence[Moment], *, now: datetime) -> Moment:
    """The most trustworthy of several times of one article: by kind of evidence (JSON-LD, meta, ``<time>``, feed,
    visible text, URL), earlier ones first among equals, a capped one only when there is nothing else.

    Compared as instants: a day gives way to an exact time within that day, and a time without a zone to the same
    clock time that names one. Without any candidate the instant is None.
    """
    order = {name: rank for rank, name in enumerate(_EVIDENCE)}
    known = [c for c in candidates if c.instant is not None]
    sound = [c for c in known if not c.capped and c.instant is not None and c.instant <= now + TOLERANCE]
    if not sound:
        if not known:
            return Moment(instant=None)
        first = min(known, key=lambda c: order.get(c.origin, 9))
        return Moment(instant=now, zone=first.zone, origin=first.origin, raw=first.raw, capped=True)
    ranked = sorted(sound, key=lambda c: order.get(c.origin, 9))
    first = ranked[0]
    for other in ranked[1:]:
        if _refines(other, first):
            return other
    return first


def _refines(other: Moment, first: Moment) -> bool:
    """Whether `other` says the same as `first`, only better."""
    if first.instant is None or other.instant is None or other.precision not in _FINE:
        return False
    apart = other.instant - first.instant
    if first.precision in ("day", "month", "unknown"):
        slack = timedelta(hours=14)  # the start of a day assumed in the wrong zone
        length = timedelta(days=31) if first.precision == "month" else timedelta(days=1)
        return -slack <= apart < length + (slack if first.zone != "given" else timedelta(0))
    if first.zone == "given" or other.zone != "given":
        return False
    return abs(apart) <= timedelta(hours=14) and abs(apart).seconds % 900 < 60


def _fast(text: str) -> datetime | None:
    if match := _RFC822.fullmatch(text):
        day, name, year, hour, minute, second, sign, oh, om, word = match.groups()
        month = _ENGLISH.get(name.lower())
        if month is None or (word == "MSK" and year < "2015"):  # before, Moscow changed its clock
            return None
        if word in ("PKT", "MSK"):
            sign, oh, om = "+", "05" if word == "PKT" else "03", "00"
    elif match := _RFC3339.fullmatch(text):
        year, month_digits, day, hour, minute, second, sign, oh, om, _ = match.groups()
        month = int(month_digits)
    else:
        return None
    if hour > "23" or second > "59":
        return None
    instant = datetime(int(year), month, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    if sign:
        offset = timedelta(hours=int(oh), minutes=int(om))
        if offset > timedelta(hours=15):
            return None
        instant = instant - offset if sign == "+" else instant + offset
    return instant


def _read(text: str, zone: ZoneInfo | None, now: datetime | None, origin: str) -> Moment:
    folded = " ".join(_fold(text).split())
    seconds = _epoch(folded)
    if seconds is not None:
        return _moment(datetime.fromtimestamp(seconds, UTC), "exact", "given", origin, text, now)
    default: tzinfo = zone or UTC
    zone_origin = "source" if zone is not None else "assumed"
    local_now = now.astimezone(default) if now is not None else None
    if now is not None:
        relative = _relative(folded, now, default)
        if relative is not None:
            instant, precision, counted = relative
            return _moment(instant, precision, "given" if counted else zone_origin, origin, text, now)
    parsed = _parsed(folded, zone.key if zone else "", local_now.date() if local_now else None)
    if parsed is None:
        return Moment(instant=None, origin=origin, raw=text)
    instant = _instant(parsed.day, parsed.clock, parsed.zone or default)
    if parsed.second_reading is not None:
        other = _instant(parsed.second_reading, parsed.clock, parsed.zone or default)
        if now is not None and instant > now + TOLERANCE >= other:
            instant = other
    return _moment(instant, parsed.precision, "given" if parsed.zone else zone_origin, origin, text, now)


def _instant(day: date, clock: timedelta, zone: tzinfo) -> datetime:
    if day.year <= 1:
        zone = UTC  # no room for an offset; capped as absurd in any case
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight + clock).astimezone(UTC)  # within a zone the sum is by the clock on the wall


def _moment(instant: datetime, precision: str, zone_origin: str, origin: str, raw: str, now: datetime | None) -> Moment:
    if instant < _EARLIEST or (now is not None and instant > now + TOLERANCE):
        return Moment(
            instant=now.astimezone(UTC).replace(microsecond=0) if now is not None else None,
            zone=zone_origin,
            origin=origin,
            raw=raw,
            capped=True,
        )
    if now is not None and instant > now:
        instant = now.astimezone(UTC)
    return Moment(instant=instant.replace(microsecond=0), precision=precision, zone=zone_origin, origin=origin, raw=raw)


def _epoch(text: str) -> float | None:
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    seconds, millis, micros, net = match.groups()
    if seconds is not None:
        # Eight digits are a date, and a few digits are a number of something else.
        return float(seconds) if len(seconds.lstrip("-")) >= 9 or seconds == "0" else None
    if millis is not None:
        # 202511051430 is a date, not a millisecond of 1976.
        return int(millis) / 1000 if len(millis) == 13 else None
    return int(micros) / 1e6 if micros is not None else int(net) / 1000


def _relative(text: str, now: datetime, zone: tzinfo) -> tuple[datetime, str, bool] | None:
    """Instant, precision, whether it was counted back from now (no zone needed)."""
    if len(text) <= 100 and (match := _AGO.search(text)):
        unit = _UNITS[match["unit"]]
        back = unit * (int(match["n"]) if (match["n"] or "").isdigit() else 1)
        finest = unit
        if match["n2"]:
            finest = _UNITS[match["unit2"]]
            back += finest * int(match["n2"])
        if finest < timedelta(hours=1):
            return now - back, "minute", True
        if finest == timedelta(hours=1):
            return now - back, "day", True
        day = (now.astimezone(zone) - back).date()
        precision = "day" if finest < timedelta(days=30) else "month"
        return _instant(day, _MIDNIGHT, zone), precision, False
    if len(text) <= 40 and _JUST_NOW.search(text):
        return now, "minute", True
    if match := _DAY_WORD.search(text):
        day = now.astimezone(zone).date() - timedelta(days=_DAYS_BACK[match[1]])
        rest = text[: match.start()] + " " + text[match.end() :]
        if not _is_label(rest):
            return None  # "Pakistan Today", "Today's paper | 5 November 2025"
        clock = _clock(rest)
        if clock is None:
            return _instant(day, _MIDNIGHT, zone), "day", False
        named = _zone(rest[clock[2] :], getattr(zone, "key", ""))
        if named is not None:  # "сегодня, 08:00 МСК": the day is that zone's too
            zone, day = named, now.astimezone(named).date() - timedelta(days=_DAYS_BACK[match[1]])
        return _instant(day, clock[0], zone), clock[1], named is not None
    return None


@lru_cache(maxsize=4096)
def _parsed(text: str, zone_name: str, today: date | None) -> _Parsed | None:
    """`text` is folded. `today` gives a date without a year its year."""
    if match := _CTIME.search(text):
        clock = _clock(match["time"])
        if clock is None:
            return None
        day = date(int(match["year"]), _MONTHS[match["month"]], int(match["day"]))
        return _Parsed(day, clock[0], clock[1], _zone(match["zone"] + text[match.end() :], zone_name))
    if match := _COMPACT.search(text):
        compact = _compact(match, text, zone_name)
        if compact is not None:
            return compact
    if match := _ORDINAL.fullmatch(text):
        return _Parsed(date(int(match[1]), 1, 1) + timedelta(days=int(match[2]) - 1), _MIDNIGHT, "day", None)
    if match := _YEAR_MONTH.fullmatch(text):
        return _Parsed(date(int(match[1]), int(match[2]), 1), _MIDNIGHT, "month", None)
    for pattern in _DATES:
        match = pattern.search(text)
        if match is None:
            continue
        days = _days(match, today, zone_name)
        if not days:
            continue
        before, after = text[: match.start()], text[match.end() :]
        if not match.groupdict().get("year") and not _is_label(f"{before} {after}"):
            continue  # "the May 9 riots"
        if match.groupdict().get("day") is None and "a" not in match.groupdict() and "week" not in match.groupdict():
            return _Parsed(days[0].replace(day=1), _MIDNIGHT, "month", None)
        after = after.removeprefix("t")
        bare_zone = _is_zone(after)
        clock = None if bare_zone else _clock(after)
        rest = after[clock[2] :] if clock else after
        if clock is None:  # "14:30 05.11.2025 (GMT+3)" names its zone after the date
            clock = _clock(before)
            rest = f"{before} {after}"
        zone = _zone(rest, zone_name) if clock or bare_zone else None
        elapsed, precision = clock[:2] if clock else (_MIDNIGHT, "day")
        return _Parsed(days[0], elapsed, precision, zone, days[1] if len(days) > 1 else None)
    return None


def _compact(match: re.Match[str], text: str, zone_name: str) -> _Parsed | None:
    year, month, day, hour, minute, second = match.groups()
    if text[: match.start()].strip() or not 1900 <= int(year) <= 2100:
        return None
    start = date(int(year), int(month), int(day))
    if hour is None:
        return _Parsed(start, _MIDNIGHT, "day", None) if not text[match.end() :].strip() else None
    clock = timedelta(hours=int(hour), minutes=int(minute), seconds=int(second or 0))
    if clock > timedelta(hours=24):
        return None
    return _Parsed(start, clock, "exact" if second else "minute", _zone(text[match.end() :], zone_name))


def _days(match: re.Match[str], today: date | None, zone_name: str) -> list[date]:
    """The day that a match of _DATES means; two if it is ambiguous, the likelier first; none if it cannot be."""
    parts = match.groupdict()
    try:
        if parts.get("week"):
            return [date.fromisocalendar(int(parts["year"]), int(parts["week"]), int(parts["weekday"]))]
        if parts.get("a"):
            return _numeric(int(parts["a"]), int(parts["b"]), parts["year"], parts["sep"], today, zone_name)
        month = int(parts["m"]) if parts.get("m") else _MONTHS[parts["month"]]
        day = int(parts["day"]) if parts.get("day") else 1
        if parts.get("year"):
            return [date(_full_year(parts["year"]), month, day)]
        if today is None:
            return []
        # The latest such day that is not ahead: on the 2nd of January, "30 December" was last week.
        this_year = date(today.year, month, day)
        return [this_year if this_year <= today + timedelta(days=2) else date(today.year - 1, month, day)]
    except ValueError:
        return []


def _numeric(a: int, b: int, year: str, separator: str, today: date | None, zone_name: str) -> list[date]:
    """Day first, as Pakistan and Russia write; month first if it cannot be otherwise, or in America."""
    found: list[date] = []
    orders: list[tuple[int, int, int]] = [(_full_year(year), b, a), (_full_year(year), a, b)]
    if separator == ".":
        orders = orders[:1]
    elif zone_name.startswith("America/"):
        orders.reverse()
    if len(year) == 2 and today is not None and a > 12 and abs(_full_year(year) - today.year) > 10:
        orders.insert(0, (2000 + a, b, int(year)))  # 25-11-05: the year first
    for y, m, d in orders:
        if 1 <= m <= 12 and 1 <= d <= 31:
            try:
                day = date(y, m, d)
            except ValueError:
                continue
            if day not in found:
                found.append(day)
    return found[:2]


def _full_year(digits: str) -> int:
    number = int(digits.lstrip("'"))
    if len(digits.lstrip("'")) > 2:
        return number
    return 2000 + number if number < 69 else 1900 + number


def _clock(text: str) -> tuple[timedelta, str, int] | None:
    """Time of day since midnight, its precision, where it ends in `text`."""
    match = _TIME.search(text)
    if match is not None:
        hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    else:
        match = _BARE_HOUR.search(text)
        if match is None:
            match = _MILITARY.search(text)
            if match is None:
                return None
            clock = timedelta(hours=int(match["hour"]), minutes=int(match["minute"]))
            return (clock, "minute", match.end()) if clock <= timedelta(hours=24) else None
        hour, minute, second = int(match["hour"] or match["bare"]), 0, 0
    half = _HALVES.get(match["after"] or match["before"] or "", "")
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    elif half == "night":
        hour = 0 if hour == 12 else hour + 12 if 6 <= hour < 12 else hour
    elif half == "noon" and hour < 6:
        hour += 12
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        return None
    exact = "second" in match.groupdict() and match["second"] is not None
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59)), "exact" if exact else "minute", match.end()


def _is_label(text: str) -> bool:
    """Whether what stands around a date is a word like "published", a weekday, a clock time; no other words."""
    return not any(c.isalpha() for c in _LABELS.sub(" ", text))


def _is_zone(text: str) -> bool:
    """Whether the text behind a date is a zone and nothing more: ``2025-11-05+03:00``."""
    rest = text.strip(" ()[]")
    return bool(rest) and bool(_ZONE_OFFSET.fullmatch(rest) or _ZONE_WORD.fullmatch(rest) or _ZONE_IANA.fullmatch(rest))


def _zone(text: str, source_zone: str) -> tzinfo | None:
    """The zone that the text behind (or around) a time names."""
    if not text:
        return None
    if match := _ZONE_MSK.search(text):  # "MSK+2" counts from Moscow
        hours = 3 + int(match["oh"]) * (1 if match["sign"] == "+" else -1)
        return _fixed(timedelta(hours=hours))
    if match := _ZONE_IANA.search(text):
        zone = _iana(match[0])
        if zone is not None:
            return zone
    if match := _ZONE_OFFSET.search(text):
        offset = timedelta(hours=int(match["oh"]), minutes=int(match["om"] or 0))
        return _fixed(offset if match["sign"] == "+" else -offset)
    if match := _ZONE_LOST_PLUS.match(text):
        return _fixed(timedelta(hours=int(match["oh"]), minutes=int(match["om"])))
    if match := _ZONE_PHRASE.search(text):
        return _iana(_NAMED_ZONES_FOLDED[match[0]])
    for match in _ZONE_WORD.finditer(text):
        word = match[1]
        local = _LOCAL_MEANINGS.get((word, source_zone))
        if local is not None:
            return _fixed(timedelta(hours=local))
        if word in _NAMED_ZONES_FOLDED:
            return _iana(_NAMED_ZONES_FOLDED[word])
        if word in ("msk", "мск"):
            return _iana("Europe/Moscow")  # UTC+4 from 2011 to 2014
        if word in _HOURS:
            return _fixed(timedelta(hours=_HOURS[word]))
    return None


def _fixed(offset: timedelta) -> tzinfo | None:
    if abs(offset) > timedelta(hours=15):
        return None
    return timezone(offset) if offset else UTC


@lru_cache(maxsize=256)
def _iana(name: str) -> tzinfo | None:
    spelled = "/".join("_".join(word.capitalize() for word in part.split("_")) for part in name.split("/"))
    for candidate in (name, spelled, name.upper()):
        try:
            return ZoneInfo(candidate)
        except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
            continue
        except KeyError:
            continue
    return None
