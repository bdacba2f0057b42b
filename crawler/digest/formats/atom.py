"""One edition as an Atom feed (RFC 4287): an entry a story."""

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from crawler.digest.formats import words

Json = dict[str, Any]

NAMESPACE = "http://www.w3.org/2005/Atom"
# What XML 1.0 cannot hold (its production 2, Char).
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(edition: Json) -> str:
    w = words.Words.of(edition["language"])
    feed = Element("feed", {"xmlns": NAMESPACE, "xml:lang": w.code})
    tag = f"tag:pakrus,{edition['date']}:{edition['period']}/{edition['timezone']}"
    child(feed, "id", tag)
    child(feed, "title", w.title(edition))
    child(feed, "subtitle", w.day_in_words(edition))
    child(feed, "updated", edition["created_at"])
    child(feed, "generator", "pakrus")
    child(SubElement(feed, "author"), "name", "pakrus")
    for section, items in w.sections(edition):
        for item in items:
            entry = SubElement(feed, "entry")
            child(entry, "id", f"{tag}/story/{item['story_id']}")
            update = f" ({w.news(item)})" if item["update"] else ""
            title = child(entry, "title", words.visible(item["headline"]) + update)
            title.set("xml:lang", item["headline_language"])
            child(entry, "updated", edition["created_at"])
            child(entry, "published", item["first"]["at"])
            link = next(
                (a["url"] for a in item["articles"] if a["title"] == item["headline"]), item["articles"][0]["url"]
            )
            if link.startswith(("http://", "https://")):
                SubElement(entry, "link", {"rel": "alternate", "href": _UNFIT.sub("", words.seen(link))[:2000]})
            for name in [section, *(s["name"] for s in item["sectors"])]:
                SubElement(entry, "category", {"term": name})
            quoted = [f"{words.visible(s['text'])} ({words.visible(s['source'])})" for s in item["sentences"]]
            child(entry, "summary", "\n".join([*quoted, w.carriers(item), w.first(item)]))
    indent(feed)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(feed, encoding="unicode") + "\n"


def child(parent: Element, name: str, text: str) -> Element:
    """A new element with a text, without what XML cannot hold."""
    made = SubElement(parent, name)
    made.text = _UNFIT.sub("", words.seen(text))
    return made
