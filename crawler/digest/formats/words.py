"""The digest's own sentences and small formattings, shared by the formats, so that they cannot disagree."""

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


def language(code: str) -> str:
    return LANGUAGES.get(code, code or "unknown language")


def direction(code: str) -> str:
    return "rtl" if code in RTL else "ltr"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def title(edition: Json) -> str:
    day = date.fromisoformat(edition["date"])
    named = f"{day:%A}, {day.day} {day:%B %Y}"
    if edition["period"] == "week":
        return f"Pakistan and Russia: the week to {named}"
    if edition["period"] == "month":
        return f"Pakistan and Russia: the month to {named}"
    return f"Pakistan and Russia: {named}"


def span(edition: Json) -> str:
    """What the edition covers, in its own zone."""
    zone = ZoneInfo(edition["timezone"])
    since, until = (datetime.fromisoformat(edition[k]).astimezone(zone) for k in ("from", "to"))
    return f"first seen from {since:%a %d %b, %H:%M} to {until:%a %d %b, %H:%M} ({edition['timezone']})"


def capitals(utc: str, *, dated: bool = True) -> str:
    """An instant in both capitals: ``25 Nov, 14:05 Islamabad / 12:05 Moscow``; the date again where it differs."""
    instant = datetime.fromisoformat(utc)
    (name_a, zone_a), (name_b, zone_b) = CAPITALS
    a, b = instant.astimezone(zone_a), instant.astimezone(zone_b)
    second = f"{b:%H:%M}" if a.date() == b.date() else f"{b.day} {b:%b, %H:%M}"
    text = f"{a.day} {a:%b, %H:%M} {name_a} / {second} {name_b}"
    return text if dated else f"undated, seen {text}"


def day_in_words(edition: Json) -> str:
    """The day in one or two sentences and figures."""
    s = edition["summary"]
    if not s["stories"]:
        looked = plural(s["entries"], "item was", "items were")
        return (
            f"Nothing on Pakistan and Russia was found: {looked} looked at from {plural(s['sources_heard'], 'source')}."
        )
    told = plural(s["stories"], "story", "stories")
    sides = f"{s['pakistani']} Pakistani, {s['russian']} Russian, {s['other']} third-country"
    text = f"{told} in {plural(s['articles'], 'article')} ({sides}; {plural(s['copies'], 'copy', 'copies')})"
    if s["languages"]:
        text += " in " + ", ".join(language(code) for code in s["languages"])
    updates = s["stories"] - s["new_stories"]
    if updates:
        text += f"; {plural(updates, 'is an update', 'are updates')} of earlier stories"
    return text + "."


def watched(edition: Json) -> list[str]:
    """What was watched and what failed, a sentence each."""
    s = edition["summary"]
    if not s["sources"]:
        return ["No source is polled here: the articles were ingested."]
    heard = f"{s['sources_heard']} of {plural(s['sources'], 'source')} answered well"
    out = [f"{heard}; {plural(s['entries'], 'item')} looked at."]
    for key, verb in (("sources_down", "Down"), ("sources_silent", "Silent or stale")):
        if s[key]:
            out.append(f"{verb}: " + "; ".join(_source(h) for h in s[key]) + ".")
    if s["sources_unvisited"]:
        out.append(f"Not visited in this span: {plural(s['sources_unvisited'], 'source')}.")
    if s["gaps"]:
        out.append(f"{plural(s['gaps'], 'gap')} between visits: items may be missing.")
    if edition["provisional"]:
        out.append("Provisional: the span of this edition was still open when it was made.")
    return out


def _source(health: Json) -> str:
    last = (
        f"last good {health['last_good_at'][:16].replace('T', ' ')} UTC" if health["last_good_at"] else "never good yet"
    )
    return f"{health['name']} ({health['state']}, {last})"


def carriers(item: Json) -> str:
    """Who carries a story."""
    articles = len(item["articles"])
    parts = [plural(articles, "article"), plural(item["independent_origins"], "independent origin")]
    if item["copies"]:
        parts.append(plural(item["copies"], "copy", "copies"))
    sides = [
        f"{item[k]} {name}"
        for k, name in (("pakistani", "Pakistani"), ("russian", "Russian"), ("other", "third-country"))
        if item[k]
    ]
    return ", ".join(parts) + " (" + ", ".join(sides) + ")"


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
