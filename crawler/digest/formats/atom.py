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
    feed = Element("feed", {"xmlns": NAMESPACE, "xml:lang": "en"})
    tag = f"tag:pakrus,{edition['date']}:{edition['period']}/{edition['timezone']}"
    _child(feed, "id", tag)
    _child(feed, "title", words.title(edition))
    _child(feed, "subtitle", words.day_in_words(edition))
    _child(feed, "updated", edition["created_at"])
    _child(SubElement(feed, "author"), "name", "pakrus")
    for section, items in words.sections(edition):
        for item in items:
            entry = SubElement(feed, "entry")
            _child(entry, "id", f"{tag}/story/{item['story_id']}")
            title = _child(entry, "title", item["headline"])
            title.set("xml:lang", item["headline_language"])
            _child(entry, "updated", edition["created_at"])
            _child(entry, "published", item["first"]["at"])
            link = next(
                (a["url"] for a in item["articles"] if a["title"] == item["headline"]), item["articles"][0]["url"]
            )
            if link.startswith(("http://", "https://")):
                SubElement(entry, "link", {"rel": "alternate", "href": _UNFIT.sub("", link)})
            for name in [section, *(s["name"] for s in item["sectors"])]:
                SubElement(entry, "category", {"term": name})
            quoted = [f"{s['text']} ({s['source']})" for s in item["sentences"]]
            _child(
                entry,
                "summary",
                "\n".join(
                    [*quoted, words.carriers(item), f"first: {item['first']['source']}, {words.first_seen(item)}"]
                ),
            )
    indent(feed)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(feed, encoding="unicode") + "\n"


def _child(parent: Element, name: str, text: str) -> Element:
    child = SubElement(parent, name)
    child.text = _UNFIT.sub("", text)
    return child
