"""OPML 2.0 (http://opml.org/spec2.opml), the subscription lists that feed readers exchange. Pure.

What a feed reader has no word for (our kind, role, id, country, time zone) stands in a namespace of its own, so that
what `render` writes, `parse` reads back whole.
"""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from crawler.config import SourceConfig
from crawler.errors import UsageError

MAX_BYTES = 5_000_000
MAX_OUTLINES = 20_000
MAX_DEPTH = 50
OURS = "urn:pakrus:opml"
_KEYS = ("id", "kind", "role", "country", "timezone", "selector", "spider")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One subscription: its line in the file, what it is called, where it is, and what else it says of itself."""

    line: int
    name: str
    url: str
    language: str = ""
    ours: Mapping[str, str]


def parse(raw: bytes, *, name: str) -> list[Outline]:
    """The subscriptions of an OPML file at any depth, in order; groups and links without an address are left out.

    Raises UsageError with the line: no XML, no OPML, a DOCTYPE (entities can blow a small file up to any size), too
    large, too deep.
    """
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{name}:1: larger than {MAX_BYTES} bytes, split it")
    events = etree.iterparse(
        io.BytesIO(raw),
        events=("start",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    found: list[Outline] = []
    count = 0
    try:
        for _, element in events:
            line = element.sourceline or 1
            if count == 0:
                if element.getroottree().docinfo.doctype:
                    raise UsageError(f"{name}:1: has a DOCTYPE, which OPML does not need, take it out")
                if etree.QName(element).localname.lower() != "opml":
                    raise UsageError(f"{name}:{line}: is no OPML but <{etree.QName(element).localname[:40]}>")
            count += 1
            if count > MAX_OUTLINES:
                raise UsageError(f"{name}:{line}: more than {MAX_OUTLINES} elements, split it")
            if sum(1 for _ in element.iterancestors()) > MAX_DEPTH:
                raise UsageError(f"{name}:{line}: nested deeper than {MAX_DEPTH}")
            if element.tag == "outline" and (outline := _outline(element, line)) is not None:
                found.append(outline)
    except etree.XMLSyntaxError as error:
        raise UsageError(f"{name}:{error.lineno or 1}: is no XML: {' '.join(str(error.msg).split())[:200]}") from None
    return found


def _outline(element: etree._Element, line: int) -> Outline | None:
    given = {str(key).lower(): str(value).strip() for key, value in element.attrib.items()}
    ours = {key: value for key in _KEYS if (value := given.get(f"{{{OURS}}}{key}"))}
    url = given.get("xmlurl", "") or (given.get("url", "") if ours else "")
    if not url and given.get("type", "").lower() not in ("rss", "atom"):
        return None
    return Outline(
        line=line,
        name=given.get("title") or given.get("text", ""),
        url=url,
        language=given.get("language", ""),
        ours=ours,
    )


def render(sources: Iterable[SourceConfig], *, title: str, now: datetime) -> str:
    """OPML of sources, grouped by country; a feed is ``type="rss"``, what feed readers cannot read ``type="link"``."""
    root = etree.Element("opml", {"version": "2.0"}, nsmap={"pakrus": OURS})
    head, body = etree.SubElement(root, "head"), etree.SubElement(root, "body")
    etree.SubElement(head, "title").text = title
    etree.SubElement(head, "dateCreated").text = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    groups: dict[str, etree._Element] = {}
    for source in sources:
        group = groups.get(source.country)
        if group is None:
            name = source.country or "no country"
            group = groups[source.country] = etree.SubElement(body, "outline", {"text": name})
        values = {"text": source.name, "title": source.name}
        if source.kind == "feed":
            values |= {"type": "rss", "xmlUrl": source.url}
        else:
            values |= {"type": "link", "url": source.url}
        if source.language:
            values["language"] = source.language
        own = {
            "id": source.id, "kind": source.kind, "role": source.role if source.role != "source" else "",
            "country": source.country, "timezone": str(source.zone or ""), "selector": source.selector or "",
            "spider": source.spider or "",
        }  # fmt: skip
        values |= {f"{{{OURS}}}{key}": value for key, value in own.items() if value}
        etree.SubElement(group, "outline", values)
    text: str = etree.tostring(root, encoding="unicode", pretty_print=True)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text
