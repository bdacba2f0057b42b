"""The digest's own sentences in the reader's language, shared by the formats, so that they cannot disagree.

The words themselves are data, a file a language in crawler/digest/languages; here is what is said when.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cache
from gettext import c2py
from importlib import resources
from typing import Any, Self
from zoneinfo import ZoneInfo

import yaml

RTL = frozenset({"ur", "ar", "fa", "ps", "sd", "he"})
CAPITALS = (ZoneInfo("Asia/Karachi"), ZoneInfo("Europe/Moscow"))
SIDES = ("pakistani", "russian", "other")

Json = dict[str, Any]


# What would reorder, hide or break a line: controls, bidi overrides and isolates, zero-widths, lone surrogates. The
# isolation of a right-to-left text is ours; ZWNJ and ZWJ are letters of Urdu.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)
MOST = 500  # characters of any text from outside


def seen(text: str) -> str:
    """Text from outside without what is not to be seen in it."""
    return _UNSEEN.sub("", text)


def visible(text: str) -> str:
    """Text from outside on one line, without what is not to be seen in it, of a bearable length."""
    text = " ".join(seen(text[: 4 * MOST]).split())
    return text if len(text) <= MOST else text[:MOST].rstrip() + " …"


def direction(code: str) -> str:
    return "rtl" if code in RTL else "ltr"


def originals(item: Json) -> list[Json]:
    return [a for a in item["articles"] if not a["copy"]]


def copies(item: Json) -> list[Json]:
    return [a for a in item["articles"] if a["copy"]]


@cache
def told(code: str) -> tuple[Mapping[str, Any], Callable[[int], int]]:
    """(the words of a language, which of a word's forms a number takes)."""
    text = resources.files("crawler.digest").joinpath("languages", f"{code}.yaml").read_text("utf-8")
    found = yaml.safe_load(text)
    return found, c2py(found["plural"])


class Words:
    """What is said in one language. A format that has its own ways with text from outside overrides `kind` (the type of
    what is said, whose `format` may escape) and `name`."""

    kind: type[str] = str

    def __init__(self, code: str) -> None:
        self.code = code
        self.direction = direction(code)
        self._told, self._form = told(code)

    @classmethod
    @cache
    def of(cls, code: str) -> Self:
        return cls(code)

    def name(self, text: str) -> str:
        """A name from outside, fit to stand among our words."""
        return visible(text)

    def say(self, key: str, n: int | None = None, **fill: Any) -> str:
        """A phrase with its blanks filled in; `n` chooses the form."""
        phrase = self._told[key] if n is None else self._told[key][self._form(n)]
        given = {"n": n, **fill} if n is not None else fill
        return self.kind(phrase).format(
            **{k: self.number(v) if isinstance(v, (int, float)) else v for k, v in given.items()}
        )

    def join(self, parts: Iterable[str], by: str = "comma") -> str:
        return self.kind(self._told[by]).join(parts)

    def listed(self, parts: list[str]) -> str:
        """``Urdu``, ``English and Urdu``, ``English, Russian and Urdu``."""
        return self.join([self.join(parts[:-1]), parts[-1]], "and") if parts[1:] else self.join(parts)

    def number(self, value: float) -> str:
        text = f"{value:,}" if isinstance(value, int) else f"{value:,g}"
        return text.translate({ord(","): self._told["thousands"], ord("."): self._told["decimal"]})

    # --- names of things

    def language(self, code: str) -> str:
        return str(self._told["languages"].get(code, code or self._told["language_unknown"]))

    def zone(self, name: str) -> str:
        return str(self._told["zones"].get(name) or self.name(name))

    # --- days and hours

    def day(self, day: date, form: str = "date") -> str:
        """A day as `form` has it: date, date_plain, date_short, date_month."""
        called = {
            key: self._told[key][number]
            for key, number in (("months", day.month - 1), ("months_alone", day.month - 1),
                                ("months_short", day.month - 1), ("weekdays", day.weekday()),
                                ("weekdays_short", day.weekday()))
        }  # fmt: skip
        return self.say(
            form, day=str(day.day), year=str(day.year), month=called["months"], month_alone=called["months_alone"],
            month_short=called["months_short"], weekday=called["weekdays"], weekday_short=called["weekdays_short"],
        )  # fmt: skip

    def short_day(self, iso: str) -> str:
        return self.day(date.fromisoformat(iso), "date_short")

    def month(self, iso: str) -> str:
        """``2026-11`` as ``November 2026``."""
        return _capital(self.day(date.fromisoformat(iso + "-01"), "date_month"))

    def moment(self, at: datetime) -> str:
        """``25 Nov, 14:05``."""
        return self.say("moment", date=self.day(at.date(), "date_short"), time=f"{at:%H:%M}")

    def capitals(self, utc: str, *, dated: bool = True) -> str:
        """An instant in both capitals: ``25 Nov, 14:05 Islamabad / 12:05 Moscow``; the date again where it differs."""
        a, b = (datetime.fromisoformat(utc).astimezone(zone) for zone in CAPITALS)
        second = f"{b:%H:%M}" if a.date() == b.date() else self.moment(b)
        text = self.say("capitals", first=self.moment(a), second=second)
        return text if dated else self.say("undated", moment=text)

    # --- the edition

    def heading(self, edition: Json) -> str:
        """The edition's day, week or month: ``Wednesday, 25 November 2026``."""
        return self._named("heading", edition)

    def title(self, edition: Json) -> str:
        return self._named("title", edition)

    def _named(self, what: str, edition: Json) -> str:
        day = date.fromisoformat(edition["date"])
        return _capital(self.say(f"{what}_{edition['period']}", date=self.day(day), plain=self.day(day, "date_plain")))

    def span(self, edition: Json) -> str:
        """What the edition covers, in its own zone."""
        zone = ZoneInfo(edition["timezone"])
        since, until = (self._weekday(datetime.fromisoformat(edition[k]).astimezone(zone)) for k in ("from", "to"))
        return self.say("span", since=since, until=until, zone=self.zone(edition["timezone"]))

    def _weekday(self, at: datetime) -> str:
        return self.say(
            "moment_weekday", weekday_short=self._told["weekdays_short"][at.weekday()],
            date=self.day(at.date(), "date_short"), time=f"{at:%H:%M}",
        )  # fmt: skip

    def made(self, edition: Json) -> str:
        at = datetime.fromisoformat(edition["created_at"]).astimezone(ZoneInfo(edition["timezone"]))
        day = self.day(date.fromisoformat(edition["date"]), "date_plain")
        return self.say("made", date=day, zone=self.zone(edition["timezone"]), moment=self.moment(at))

    def day_in_words(self, edition: Json) -> str:
        """The day in one or two sentences and figures; a day when half of the sources were down says so first."""
        s = edition["summary"]
        missing = len(s["sources_down"]) + len(s["sources_late"]) + s["sources_unvisited"]
        if s["sources"] and missing * 2 >= s["sources"]:
            return self.kind(" ").join([self.say("missing", s["sources"], missing=missing), self._day(s)])
        return self._day(s)

    def _day(self, s: Json) -> str:
        if not s["stories"]:
            return self.say("nothing", s["sources_heard"], looked=self.say("looked", s["entries"]))
        counts = [self.counts(s), *([self.say("copies", s["copies"])] if s["copies"] else [])]
        named = self.listed([self.language(code) for code in s["languages"]])
        updates = s["stories"] - s["new_stories"]
        return self.say(
            "day",
            stories=self.say("stories", s["stories"]),
            articles=self.say("articles", s["articles"]),
            counts=self.join(counts, "semicolon"),
            languages=self.say("day_languages", languages=named) if s["languages"] else "",
            updates=self.say("day_updates", updates) if updates else "",
        )

    def tally(self, summary: Json) -> str:
        """An edition in a few words, for lists."""
        if not summary["stories"]:
            return self.say("tally_nothing")
        stories, articles = (self.say(key, summary[key]) for key in ("stories", "articles"))
        return self.say("tally", stories=stories, articles=articles)

    def watched(self, edition: Json) -> list[str]:
        """What was watched and what failed, a sentence each."""
        s, zone = edition["summary"], ZoneInfo(edition["timezone"])
        if not s["sources"]:
            return [self.say("no_sources")]
        looked = self.say("looked", s["entries"])
        out = [self.say("heard", s["sources"], heard=s["sources_heard"], looked=looked)]
        for key, phrase in (("sources_down", "down"), ("sources_silent", "silent"), ("sources_late", "late")):
            if s[key]:
                out.append(self.say(phrase, sources=self.join((self._source(h, zone) for h in s[key]), "semicolon")))
        out += [self.say(key, s[of]) for key, of in (("unvisited", "sources_unvisited"), ("gaps", "gaps")) if s[of]]
        return [*out, self.say("provisional")] if edition["provisional"] else out

    def _source(self, health: Json, zone: ZoneInfo) -> str:
        last = self.say("never_good")
        if health["last_good_at"]:
            last = self.say(
                "last_good", moment=self.moment(datetime.fromisoformat(health["last_good_at"]).astimezone(zone))
            )
        state = self._told["states"].get(health["state"], health["state"])
        return self.say("source", name=self.name(health["name"]), state=state, last=last)

    def sections(self, edition: Json) -> list[tuple[str, list[Json]]]:
        """(heading, items) of every section that has items, in order."""
        named = [(self.say(f"section_{key}"), edition[key]) for key in ("lead", "passing", "late")]
        sectors = [(s["name"], s["items"]) for s in edition["sectors"]]
        return [(heading, items) for heading, items in [*named[:1], *sectors, *named[1:]] if items]

    # --- a story

    def carriers(self, item: Json, *, sides: bool = True) -> str:
        """Who carries a story; with `sides` also of which countries they are."""
        copied = item["copies"]
        return self.say(
            "carriers" if sides else "carriers_alone",
            articles=self.say("articles", len(item["articles"])),
            origins=self.say("origins", item["independent_origins"]),
            copies=self.join(["", self.say("copies", copied)]) if copied else "",
            sides=self.counts(item) if sides else "",
        )

    def counts(self, counts: Json) -> str:
        """``4 Pakistani, 1 Russian``: of which countries' papers, those that there are."""
        return self.join(self.say(key, counts[key]) for key in SIDES if counts[key])

    def sides(self, item: Json) -> str:
        return self.say("chart_sides", sides=self.counts(item))

    def news(self, item: Json) -> str:
        """What an update brings, in a line."""
        new = item["news"]
        if not new:
            return self.say("update")
        more = self.say("new_articles", new["articles"])
        if new["copies"]:
            more = self.kind("").join([more, self.say("copies_among", new["copies"])])
        return self.say("update_since", date=self.short_day(new["edition"]), articles=more)

    def note(self, item: Json, language: str) -> str:
        """What stands above a headline: an update, another language than the reader's; "" where neither."""
        parts = [self.news(item)] if item["update"] else []
        if language != self.code:
            parts.append(self.say("in_language", language=self.language(language)))
        return self.kind(" · ").join(parts)

    def first(self, item: Json) -> str:
        """Who was first, and when in both capitals."""
        first = item["first"]
        moment = self.capitals(first["at"], dated=first["dated"])
        return self.say("first", source=self.name(first["source"]), moment=moment)

    def facts(self, article: Json, *, update: bool) -> str:
        """Of an article: its language, where it has it from, whether it is new and still there."""
        parts = [self.language(article["language"])]
        if article["origin"]:
            parts.append(self.say("from", origin=self.name(article["origin"])))
        if article["new"] and update:
            parts.append(self.say("new"))
        if article.get("withdrawn"):
            parts.append(self.say("withdrawn"))
        return self.join(parts)

    def said(self, value: Json) -> str:
        """The sources of one of several figures."""
        return self.join(dict.fromkeys(self.name(s["source"]) for s in value["said"]))

    def change(self, item: Json) -> str:
        """The kind of a change and the edition it concerns."""
        if not item["edition"]:
            return self.say(f"changed_{item['kind']}")
        return self.say(f"changed_{item['kind']}_since", date=self.short_day(item["edition"]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
