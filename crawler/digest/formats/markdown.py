"""Markdown for a reader, a mail or a wiki. Everything from outside is escaped; right-to-left text is isolated."""

import re
from typing import Any
from urllib.parse import quote

from crawler.digest.formats import words

Json = dict[str, Any]

_SPECIAL = re.compile(r"([\\`*_\[\]<>~|&])")
_OPENS = re.compile(r"^(\s*)([-+#=]|\d{1,9}(?=[.)]))")  # what would open a list, a heading or a rule


def render(edition: Json) -> str:
    lines = [f"# {words.title(edition)}", "", f"_{_escape(words.span(edition))}_", "", words.day_in_words(edition), ""]
    lines += [f"- {_escape(line)}" for line in words.watched(edition)]
    for heading, items in words.sections(edition):
        lines += ["", f"## {_escape(heading)}"]
        for item in items:
            lines += ["", *_item(item)]
    if edition["changed"]:
        lines += ["", "## Changed since", ""]
        lines += [_change(change) for change in edition["changed"]]
    lines += [
        "",
        "---",
        "",
        f"_Edition {edition['date']} ({edition['timezone']}), made {edition['created_at']} by pakrus._",
    ]
    return "\n".join(lines) + "\n"


def _item(item: Json) -> list[str]:
    code = item["headline_language"]
    mark = f" _({_escape(words.news(item))})_" if item["update"] else ""
    named = "" if code == "en" else f" _({words.language(code)})_"
    out = [f"### {_text(item['headline'], code)}{named}{mark}", ""]
    if item["gloss"]:
        out += [f"In English: {_escape(', '.join(item['gloss']))}", ""]
    if item["sentences"]:
        for sentence in item["sentences"]:
            out += [f"> {_text(sentence['text'], sentence['language'])}", ">"]
        sources = dict.fromkeys(_name(s["source"]) for s in item["sentences"])
        out += [f"> — {', '.join(sources)}", ""]
    for figure in item["figures"]:
        values = [
            f"{_text(v['said'][0]['quote'], v['said'][0]['language'])} ({_name(words.said(v))})"
            for v in figure["values"]
        ]
        out += [f"Figures differ: {'; '.join(values)}", ""]
    sectors = ", ".join(_escape(s["name"]) for s in item["sectors"])
    out.append(f"{sectors or 'no sector'} · {_escape(words.carriers(item))}")
    out.append(f"· first: {_name(item['first']['source'])}, {_escape(words.first_seen(item))}")
    out.append("")
    for article in words.originals(item):
        facts = words.language(article["language"])
        if article["origin"]:
            facts += f", from {_name(article['origin'])}"
        link = f"[{_text(article['title'], article['language'])}]({_url(article['url'])})"
        out.append(f"- {_name(article['source'])}: {link} ({facts})")
    if words.copies(item):
        links = [f"[{_name(a['source'])}]({_url(a['url'])})" for a in words.copies(item)]
        out.append(f"- Copies: {', '.join(links)}")
    return out


def _change(change: Json) -> str:
    link = f"[{_text(change['title'], change['language'])}]({_url(change['url'])})"
    was = f", was: {_text(change['old_title'], change['language'])}" if change["old_title"] != change["title"] else ""
    said = "".join(
        f"; {word} “{_text(change[key], change['language'])}”"
        for key, word in (("before", "before"), ("after", "now"))
        if change[key]
    )
    return f"- {words.change(change)}, {words.capitals(change['at'])}: {_name(change['source'])}: {link}{was}{said}"


def _name(text: str) -> str:
    """A name from outside, in whatever script, isolated from the words around it (FSI and PDI)."""
    escaped = _escape(words.visible(text))
    return escaped if escaped.isascii() else f"\u2068{escaped}\u2069"


def _escape(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", words.seen(text))
    return _OPENS.sub(lambda m: f"{m[1]}\\{m[2]}" if not m[2].isdigit() else f"{m[1]}{m[2]}\u2060", escaped)


def _text(text: str, language: str) -> str:
    """Text from outside, escaped; in a right-to-left script between isolates (Unicode TR9, RLI and PDI)."""
    escaped = _escape(words.visible(text))
    return f"\u2067{escaped}\u2069" if words.direction(language) == "rtl" else escaped


def _url(url: str) -> str:
    """A link target without blanks, brackets or a scheme that is not http."""
    return quote(words.seen(url)[:2000], safe="/:?#@!$&'*+,;=%-._~") if url.startswith(("http://", "https://")) else "#"
