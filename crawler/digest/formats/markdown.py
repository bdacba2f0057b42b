"""Markdown for a reader, a mail or a wiki. Everything from outside is escaped; text of the other direction isolated."""

import re
from typing import Any
from urllib.parse import quote

from crawler.digest.formats import words

Json = dict[str, Any]

_SPECIAL = re.compile(r"([\\`*_\[\]<>~|&])")
_OPENS = re.compile(r"^(\s*)([-+#=]|\d{1,9}(?=[.)]))")  # what would open a list, a heading or a rule
_ISOLATES = {"rtl": "\u2067", "ltr": "\u2066"}  # RLI, LRI (Unicode TR9)


class Words(words.Words):
    def name(self, text: str) -> str:
        """A name from outside, in whatever script, isolated from the words around it (FSI and PDI)."""
        escaped = _escape(words.visible(text))
        return escaped if escaped.isascii() and self.direction == "ltr" else f"\u2068{escaped}\u2069"

    def text(self, text: str, language: str) -> str:
        """Text from outside, escaped; one that runs against the edition's direction between isolates."""
        escaped, direction = _escape(words.visible(text)), words.direction(language)
        return escaped if direction == self.direction else f"{_ISOLATES[direction]}{escaped}\u2069"


def render(edition: Json) -> str:
    w = Words.of(edition["language"])
    lines = [f"# {w.title(edition)}", "", f"_{w.span(edition)}_", "", w.day_in_words(edition), ""]
    lines += [f"- {line}" for line in w.watched(edition)]
    for heading, items in w.sections(edition):
        lines += ["", f"## {_escape(heading)}"]
        for item in items:
            lines += ["", *_item(w, item)]
    if edition["changed"]:
        lines += ["", f"## {w.say('section_changed')}", ""]
        lines += [_change(w, change) for change in edition["changed"]]
    lines += ["", "---", "", f"_{w.made(edition)}_"]
    if w.direction == "rtl":  # Markdown has no sign for it
        lines = [f'<div lang="{w.code}" dir="rtl">', "", *lines, "", "</div>"]
    return "\n".join(lines) + "\n"


def _item(w: Words, item: Json) -> list[str]:
    code = item["headline_language"]
    note = w.note(item, code)
    out = [f"### {w.text(item['headline'], code)}{f' _({note})_' if note else ''}", ""]
    if item["gloss"]:
        out += [f"{w.say('gloss')} {_escape(w.join(item['gloss']))}", ""]
    if item["sentences"]:
        for sentence in item["sentences"]:
            out += [f"> {w.text(sentence['text'], sentence['language'])}", ">"]
        out += [f"> — {w.join(dict.fromkeys(w.name(s['source']) for s in item['sentences']))}", ""]
    for figure in item["figures"]:
        values = (f"{w.text(v['said'][0]['quote'], v['said'][0]['language'])} ({w.said(v)})" for v in figure["values"])
        out += [f"{w.say('figures_differ')} {w.join(values, 'semicolon')}", ""]
    sectors = w.join(_escape(s["name"]) for s in item["sectors"]) or w.say("no_sector")
    out += [f"{sectors} · {w.carriers(item)}", f"· {w.first(item)}", ""]
    for article in words.originals(item):
        link = f"[{w.text(article['title'], article['language'])}]({_url(article['url'])})"
        out.append(f"- {w.name(article['source'])}: {link} ({w.facts(article, update=item['update'])})")
    if words.copies(item):
        links = (f"[{w.name(a['source'])}]({_url(a['url'])})" for a in words.copies(item))
        out.append(f"- {w.say('copies_are')} {w.join(links)}")
    return out


def _change(w: Words, change: Json) -> str:
    parts = [f"[{w.text(change['title'], change['language'])}]({_url(change['url'])})"]
    if change["old_title"] != change["title"]:
        parts.append(w.say("was", title=w.text(change["old_title"], change["language"])))
    for key, phrase in (("before", "before"), ("after", "now")):
        if change[key]:
            parts.append(w.say(phrase, quote=w.say("quoted", text=w.text(change[key], change["language"]))))
    told = w.join(parts, "semicolon")
    return f"- {w.change(change)}{w.join(['', w.capitals(change['at'])])}: {w.name(change['source'])}: {told}"


def _escape(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", words.seen(text))
    return _OPENS.sub(lambda m: f"{m[1]}\\{m[2]}" if not m[2].isdigit() else f"{m[1]}{m[2]}\u2060", escaped)


def _url(url: str) -> str:
    """A link target without blanks, brackets or a scheme that is not http."""
    return quote(words.seen(url)[:2000], safe="/:?#@!$&'*+,;=%-._~") if url.startswith(("http://", "https://")) else "#"
