"""The digest's own sentences and small formattings, shared by the formats, so that they cannot disagree."""

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

LANGUAGES = {
    "en": "English", "ru": "Russian", "ur": "Urdu", "ar": "Arabic", "fa": "Persian", "hi": "Hindi", "ps": "Pashto",
    "uk": "Ukrainian", "be": "Belarusian", "kk": "Kazakh", "tr": "Turkish", "zh": "Chinese", "de": "German",
    "fr": "French",
}  # fmt: skip
RTL = frozenset({"ur", "ar", "fa", "ps", "sd", "he"})
CAPITALS = (("Islamabad", ZoneInfo("Asia/Karachi")), ("Moscow", ZoneInfo("Europe/Moscow")))

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


def language(code: str) -> str:
    return LANGUAGES.get(code, code or "unknown language")


def direction(code: str) -> str:
    return "rtl" if code in RTL else "ltr"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def title(edition: Json) -> str:
    head = heading(edition)
    return f"Pakistan and Russia: {head[0].lower() + head[1:] if edition['period'] != 'day' else head}"


def heading(edition: Json) -> str:
    """The edition's day, week or month: ``Wednesday, 25 November 2026``."""
    day = date.fromisoformat(edition["date"])
    named = f"{day:%A}, {day.day} {day:%B %Y}"
    return named if edition["period"] == "day" else f"The {edition['period']} to {named}"


def month(iso: str) -> str:
    """``2026-11`` as ``November 2026``."""
    return f"{date.fromisoformat(iso + '-01'):%B %Y}"


def span(edition: Json) -> str:
    """What the edition covers, in its own zone."""
    zone = ZoneInfo(edition["timezone"])
    since, until = (datetime.fromisoformat(edition[k]).astimezone(zone) for k in ("from", "to"))
    return f"First seen from {since:%a %d %b, %H:%M} to {until:%a %d %b, %H:%M} ({edition['timezone']})"


def capitals(utc: str, *, dated: bool = True) -> str:
    """An instant in both capitals: ``25 Nov, 14:05 Islamabad / 12:05 Moscow``; the date again where it differs."""
    instant = datetime.fromisoformat(utc)
    (name_a, zone_a), (name_b, zone_b) = CAPITALS
    a, b = instant.astimezone(zone_a), instant.astimezone(zone_b)
    second = f"{b:%H:%M}" if a.date() == b.date() else f"{b.day} {b:%b, %H:%M}"
    text = f"{a.day} {a:%b, %H:%M} {name_a} / {second} {name_b}"
    return text if dated else f"undated, seen {text}"


def day_in_words(edition: Json) -> str:
    """The day in one or two sentences and figures; a day when half of the sources were down says so first."""
    s = edition["summary"]
    missing = len(s["sources_down"]) + len(s["sources_late"]) + s["sources_unvisited"]
    if s["sources"] and missing * 2 >= s["sources"]:
        warning = f"{missing} of {plural(s['sources'], 'source')} could not be heard: much may be missing. "
        return warning + _day(edition)
    return _day(edition)


def _day(edition: Json) -> str:
    s = edition["summary"]
    if not s["stories"]:
        looked = plural(s["entries"], "item was", "items were")
        return (
            f"Nothing on Pakistan and Russia was found: {looked} looked at from {plural(s['sources_heard'], 'source')}."
        )
    told = plural(s["stories"], "story", "stories")
    text = f"{told} in {plural(s['articles'], 'article')} ({_sides(s)}"
    text += f"; {plural(s['copies'], 'copy', 'copies')})" if s["copies"] else ")"
    if s["languages"]:
        named = [language(code) for code in s["languages"]]
        text += " in " + " and ".join([", ".join(named[:-1]), named[-1]] if named[1:] else named)
    updates = s["stories"] - s["new_stories"]
    if updates:
        text += f"; {plural(updates, 'is an update', 'are updates')} of earlier stories"
    return text + "."


def tally(summary: Json) -> str:
    """An edition in a few words, for lists."""
    if not summary["stories"]:
        return "Nothing was found."
    return f"{plural(summary['stories'], 'story', 'stories')} in {plural(summary['articles'], 'article')}."


def watched(edition: Json) -> list[str]:
    """What was watched and what failed, a sentence each."""
    s = edition["summary"]
    if not s["sources"]:
        return ["No source is polled here: the articles were ingested."]
    heard = f"{s['sources_heard']} of {plural(s['sources'], 'source')} answered well"
    out = [f"{heard}; {plural(s['entries'], 'item')} looked at."]
    for key, verb in (("sources_down", "Down"), ("sources_silent", "Silent or stale"), ("sources_late", "Late")):
        if s[key]:
            out.append(f"{verb}: " + "; ".join(_source(h) for h in s[key]) + ".")
    if s["sources_unvisited"]:
        out.append(f"Never visited yet: {plural(s['sources_unvisited'], 'source')}.")
    if s["gaps"]:
        out.append(f"{plural(s['gaps'], 'gap')} between visits: items may be missing.")
    if edition["provisional"]:
        out.append("Provisional: the span of this edition was still open when it was made.")
    return out


def _source(health: Json) -> str:
    last = (
        f"last good {health['last_good_at'][:16].replace('T', ' ')} UTC" if health["last_good_at"] else "never good yet"
    )
    return f"{visible(health['name'])} ({health['state']}, {last})"


def carriers(item: Json) -> str:
    """Who carries a story."""
    articles = len(item["articles"])
    parts = [plural(articles, "article"), plural(item["independent_origins"], "independent origin")]
    if item["copies"]:
        parts.append(plural(item["copies"], "copy", "copies"))
    return f"{', '.join(parts)} ({_sides(item)})"


def _sides(counts: Json) -> str:
    """``4 Pakistani, 1 Russian``: of which countries' papers, those that there are."""
    named = (("pakistani", "Pakistani"), ("russian", "Russian"), ("other", "third-country"))
    return ", ".join(f"{counts[key]} {name}" for key, name in named if counts[key])


def news(item: Json) -> str:
    """What an update brings, in a line."""
    new = item["news"]
    if not new:
        return "Update of an earlier story"
    more = plural(new["articles"], "new article")
    copied = f", {plural(new['copies'], 'copy', 'copies')} among them" if new["copies"] else ""
    return f"Update since the edition of {short_day(new['edition'])}: {more}{copied}"


def short_day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%b}"


def change(item: Json) -> str:
    """The kind of a change and the edition it concerns."""
    verb = {"edited": "Edited", "withdrawn": "Withdrawn"}[item["kind"]]
    return f"{verb} since the edition of {short_day(item['edition'])}" if item["edition"] else verb


def said(value: Json) -> str:
    """The sources of one of several figures."""
    return ", ".join(dict.fromkeys(visible(s["source"]) for s in value["said"]))


def first_seen(item: Json) -> str:
    """When the first of a story's articles came out, in both capitals."""
    return capitals(item["first"]["at"], dated=item["first"]["dated"])


def originals(item: Json) -> list[Json]:
    return [a for a in item["articles"] if not a["copy"]]


def copies(item: Json) -> list[Json]:
    return [a for a in item["articles"] if a["copy"]]


def sections(edition: Json) -> list[tuple[str, list[Json]]]:
    """(heading, items) of every section that has items, in order."""
    out = []
    if edition["lead"]:
        out.append(("Lead", edition["lead"]))
    out += [(s["name"], s["items"]) for s in edition["sectors"]]
    if edition["passing"]:
        out.append(("In passing", edition["passing"]))
    if edition["late"]:
        out.append(("Late", edition["late"]))
    return out
