"""An edition in a few lines for a terminal: the day in words, and a line a story. Pure."""

from typing import Any

from crawler.digest.build import current
from crawler.digest.formats.words import Words
from crawler.terminal import plain

MOST = 12  # stories of a section


def lines(edition: dict[str, Any]) -> str:
    edition = current(edition)
    w = Words.of(edition["language"])
    out = [w.heading(edition), f"  {plain(w.day_in_words(edition))}", *(f"  {plain(s)}" for s in w.watched(edition))]
    for heading, items in w.sections(edition):
        out.append(f"{plain(heading)}:")
        out += [f"  {plain(item['headline'])} ({plain(w.counts(item))})" for item in items[:MOST]]
        if items[MOST:]:
            out.append(f"  {w.say('brief_more', len(items) - MOST)}")
    if edition["changed"]:
        out.append(f"{w.say('section_changed')}:")
        out += [f"  {w.change(c)}: {plain(c['title'])}" for c in edition["changed"][:MOST]]
    return "\n".join([*out, ""])
