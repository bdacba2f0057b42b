"""Subscription lists of feed readers: read at any depth, refused when hostile, written so that they come back whole."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from crawler import opml
from crawler.config import parse_config, read_config
from crawler.errors import UsageError
from crawler.roster import import_opml

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINE = "# ours\nsources:\n  - {id: old, name: Old, url: 'http://old.test/rss', kind: feed}\n"

NESTED = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Pakistan"><outline text="Dailies">
  <outline type="rss" text="Courier &amp; Sons" xmlUrl="https://courier.com.pk/rss" htmlUrl="https://courier.com.pk/"/>
  <outline type="rss" text="صبح" xmlUrl="https://subh.pk/feed" language="ur-PK"/>
</outline></outline>
<outline text="Волга" xmlUrl="https://volga.ru/rss.xml" language="ru"/>
<outline text="A page" type="link" url="https://page.test/"/>
<outline type="rss" text="Old" xmlUrl="https://www.old.test/rss"/>
<outline type="rss" text="Again" xmlUrl="http://volga.ru/rss.xml"/>
<outline type="rss" text="Bad scheme" xmlUrl="javascript:alert(1)"/>
<outline type="rss" text="Secret" xmlUrl="https://me:secret@private.test/rss"/>
<outline type="rss" text="Nowhere"/>
</body></opml>"""


def read(text: str | bytes) -> list[opml.Outline]:
    return opml.parse(text.encode() if isinstance(text, str) else text, name="mine.opml")


def imported(folder: Path, text: str | bytes, before: str = MINE) -> dict[str, object]:
    (folder / "feeds.yaml").write_text(before, "utf-8")
    config = read_config(folder / "feeds.yaml", folder)
    return import_opml(config, text.encode() if isinstance(text, str) else text, name="mine.opml")


def test_nested_subscriptions_are_added_doubled_ones_named_and_bad_ones_refused_by_line(tmp_path: Path) -> None:
    value = imported(tmp_path, NESTED)
    text = (tmp_path / "feeds.yaml").read_text("utf-8")
    assert text.startswith(MINE)
    sources = read_config(tmp_path / "feeds.yaml", tmp_path).sources[1:]
    assert [(s.id, s.name, s.country, s.language, str(s.zone)) for s in sources] == [
        ("courier", "Courier & Sons", "PK", "", "Asia/Karachi"),
        ("subh", "صبح", "PK", "ur", "Asia/Karachi"),
        ("volga", "Волга", "RU", "ru", "Europe/Moscow"),
    ]
    assert [(s["line"], s["id"]) for s in value["skipped"]] == [(9, "old"), (10, "volga")]  # type: ignore[attr-defined]
    refused = value["refused"]
    assert [r["line"] for r in refused] == [11, 12, 13]  # type: ignore[attr-defined]
    assert "secret" not in json.dumps(value)


def test_nothing_new_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    one = '<opml version="1.0"><body><outline text="Old" xmlUrl="http://old.test/rss"/></body></opml>'
    value = imported(tmp_path, one)
    assert (value["written"], value["added"]) == (False, [])
    assert (tmp_path / "feeds.yaml").read_text("utf-8") == MINE


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
HOSTILE = {
    "a billion laughs": f'<!DOCTYPE opml [{LAUGHS}]><opml><body><outline text="&l11;" xmlUrl="http://a.test/"/></body></opml>',
    "laughs in text": f"<!DOCTYPE opml [{LAUGHS}]><opml><body>&l11;</body></opml>",
    "a file of ours": '<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><body><outline text="&x;"/></body></opml>',
    "a DTD elsewhere": '<!DOCTYPE opml SYSTEM "http://evil.test/x.dtd"><opml><body/></opml>',
    "in UTF-16": f"<!DOCTYPE opml [{LAUGHS}]><opml><body>&l11;</body></opml>".encode("utf-16"),
    "too deep": "<opml><body>" + "<outline text='a'>" * 200 + "</outline>" * 200 + "</body></opml>",
    "too many": "<opml><body>" + "<outline text='a'/>" * 21_000 + "</body></opml>",
    "too large": b"<opml><body>" + b" " * 5_000_001,
    "no XML": "not XML at all",
    "nothing": "",
    "cut off": NESTED[:600],
    "a feed": "<rss><channel/></rss>",
    "a page": "<html><body>hello</body></html>",
    "noughts": b"\x00" * 1000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_with_its_line_and_nothing_changes(case: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^mine\.opml:\d+: "):
        imported(tmp_path, HOSTILE[case])
    assert (tmp_path / "feeds.yaml").read_text("utf-8") == MINE


def test_an_export_is_opml_and_comes_back_whole(tmp_path: Path) -> None:
    config = parse_config("""
sources:
  - {id: courier, name: "Courier <&> \\"Sons\\"", url: "http://courier.test/rss?a=1&b=2", kind: feed, country: PK,
     language: en, timezone: Asia/Karachi}
  - {id: volga-map, name: Волга, url: "http://volga.test/map.xml", kind: sitemap, country: RU, language: ru,
     timezone: Europe/Moscow}
  - {id: subh, name: صبح, url: "http://subh.test/", kind: listing, country: PK, language: ur, selector: "a.t > b",
     timezone: Asia/Karachi}
  - {id: finder, name: Finder, url: "http://finder.test/rss", kind: feed, language: en, role: witness}
""")
    text = opml.render(config.sources, title="all", now=NOW)
    root = etree.fromstring(text.encode())
    assert (root.tag, root.get("version"), root.findtext("head/title")) == ("opml", "2.0", "all")
    assert root.findtext("head/dateCreated") == "Wed, 25 Nov 2026 12:00:00 GMT"
    assert all(outline.get("text") for outline in root.iter("outline"))
    assert [o.get("xmlUrl") for o in root.iter("outline") if o.get("type") == "rss"] == [
        "http://courier.test/rss?a=1&b=2", "http://finder.test/rss",
    ]  # fmt: skip
    imported(tmp_path, text, "sources: []\n")
    back = read_config(tmp_path / "feeds.yaml", tmp_path).sources

    def facts(sources: object) -> set[tuple[object, ...]]:
        return {
            (s.id, s.name, s.url, s.kind, s.role, s.country, s.language, s.zone, s.selector)
            for s in sources  # type: ignore[attr-defined]
        }

    assert facts(back) == facts(config.sources)
