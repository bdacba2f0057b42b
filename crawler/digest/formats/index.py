"""All editions on one page, and as an Atom feed (RFC 4287): an entry an edition. Pure.

An edition here is a mapping: date, timezone, period, created_at, provisional, summary, headline, language (of the
headline), sha256, and `stem`, the name of its files without their ending.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from crawler.digest.formats import html, words
from crawler.digest.formats.atom import NAMESPACE, child

Edition = Mapping[str, Any]
MOST = 60  # editions in the feed; the page has all


def page(editions: Sequence[Edition], language: str) -> str:
    months = [(month, list(group)) for month, group in groupby(editions, key=lambda e: e["date"][:7])]
    return html.template("index.html.j2").render(months=months, newest=editions[0], w=html.Words.of(language)) + "\n"


def feed(editions: Sequence[Edition], language: str) -> str:
    w = words.Words.of(language)
    root = Element("feed", {"xmlns": NAMESPACE, "xml:lang": w.code})
    child(root, "id", "tag:pakrus,2026:editions")
    child(root, "title", w.say("editions_title"))
    child(root, "updated", max(e["created_at"] for e in editions))
    child(SubElement(root, "author"), "name", "pakrus")
    child(root, "generator", "pakrus")
    SubElement(root, "link", {"rel": "self", "href": "feed.atom"})
    SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": "index.html"})
    for edition in editions[:MOST]:
        entry = SubElement(root, "entry")
        child(entry, "id", f"tag:pakrus,{edition['date']}:{edition['period']}/{edition['timezone']}")
        child(entry, "title", w.title(dict(edition)))
        child(entry, "updated", edition["created_at"])
        SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": f"{edition['stem']}.html"})
        told = [w.tally(edition["summary"])]
        if edition["headline"]:
            told.append(w.say("first_headline", headline=words.visible(edition["headline"])))
        child(entry, "summary", " ".join(told))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"
