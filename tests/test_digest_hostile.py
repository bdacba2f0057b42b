"""Hostile titles, sources, addresses and texts: the page, the note and the feed keep the form that harmless ones give."""

import csv
import io
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import feedparser
import lxml.etree
import lxml.html
import pytest

from crawler.digest.build import Change, FactArticle, Facts, Figure, Health, Past, build, canonical, window
from crawler.digest.formats import glance, index, render
from crawler.ingest.lines import settle_line
from crawler.reports import explain, export, search
from tests.builders import NOON, world
from tests.test_ingest import BARTER, _line

LINES = (Path(__file__).parent / "cases" / "digest" / "hostile.txt").read_text("utf-8").splitlines()
HOSTILE = [
    *(line.encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
      for line in LINES),
    "x" * 100_000, "Пакистан " * 10_000, "پاکستان" * 15_000, "<b>" * 30_000, "", " ", "\n\n\n",
]  # fmt: skip
ADDRESSES = [
    "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "//evil.test",
    " http://evil.test", "http://a.test/\"onmouseover=\"alert(1)", "http://a.test/'><script>alert(1)</script>",
    "http://a.test/) [x](javascript:alert(1)", "http://a.test/\u202egnp.exe", "http://a.test/\x00\x1b[31m\n<x>",
    "http://a.test/" + "a" * 100_000, "file:///etc/passwd", "", "http://user:pass@a.test/", "https://a.test/?q=%3Cscript%3E",
]  # fmt: skip
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")


def edition(text: str, url: str = "http://paper.test/1", language: str = "en", reader: str = "en") -> dict[str, object]:
    """An edition in which all that comes from outside is the text, and all addresses are `url`."""
    span = window(date(2026, 11, 26), ZoneInfo("Asia/Karachi"), time(7))
    two = [
        FactArticle(
            id=n, story_id=1, url=url, title=text, text=f"{text}. Pakistan and Russia agreed.", language=language,
            source_id=f"s{n}", source=text, country=("PK", "RU")[n - 1], published_at=NOON, published_precision="exact",
            first_seen_at=NOON, grade=2, score=1.0, duplicate_of=None, origin=text, sectors=[("trade", 1.0)],
            evidence=[], names=["Sergey Lavrov"],
        )
        for n in (1, 2)
    ]  # fmt: skip
    change = Change(
        kind="edited", at=NOON, edition=date(2026, 11, 25), article_id=9, story_id=9, title=text, text=f"Now {text}.",
        old_title="Before", old_text=f"Before {text}.", url=url, source=text, language=language,
    )  # fmt: skip
    figures = {1: [[Figure(unit="tonnes", value=str(n), quote=text, article_id=n) for n in (1, 2)]]}
    down = Health(id="s", name=text, state="failing", since=None, visits=1, error=text)
    facts = Facts(
        window=span, language=reader, created_at=datetime(2026, 11, 26, 2, tzinfo=UTC),
        known_to=datetime(2026, 11, 26, 2, tzinfo=UTC), articles=two, shown_before={}, figures=figures,
        past=Past(days=[(span.date, 1)], sectors=[("trade", 1, 0.5)]), changes=[change], sources=[down], gaps=0,
        entries=2, sector_names={"trade": "Trade"},
    )  # fmt: skip
    return build(facts)


HARMLESS = edition("Barter desk agreed")


def form_of_page(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Elements with the names of their attributes; what a text alone decides is left out."""
    tree = lxml.html.fromstring(text)
    return [(n.tag, tuple(sorted(n.attrib))) for n in tree.iter() if isinstance(n.tag, str) and n.tag not in _LOOSE]


_LOOSE = ("del", "ins", "bdi", "p", "blockquote")  # an empty or repeated sentence is not quoted
ALLOWED = {
    "a", "article", "b", "bdi", "blockquote", "body", "br", "del", "details", "div", "figcaption", "figure", "footer",
    "h1", "h2", "h3", "head", "header", "html", "ins", "li", "main", "meta", "p", "rect", "section", "span", "style",
    "summary", "svg", "table", "tbody", "td", "th", "title", "tr", "ul",
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ur"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_stays_text_in_every_format(text: str, language: str) -> None:
    made = edition(text, language=language)
    page = render(made, "html")
    assert form_of_page(page) == form_of_page(render(edition("Barter desk agreed", language=language), "html"))
    assert {n.tag for n in lxml.html.fromstring(page).iter() if isinstance(n.tag, str)} <= ALLOWED
    assert "<!--" not in page.replace("<!doctype", "")
    assert not CONTROL.search(page)
    assert not re.search("[\u2066-\u2069\u200e\u200f]", page), "isolation is the markup's, not the text's"
    assert len(page) < 60_000, "a long text does not drown the page"
    assert not CONTROL.search(glance.lines(made))
    _assert_note(render(made, "md"))
    _assert_feed(render(made, "atom"))
    assert json.loads(render(made, "json")) == made
    assert json.loads(canonical(made)[0]) == made


@pytest.mark.parametrize("url", ADDRESSES, ids=range(len(ADDRESSES)))
def test_links_lead_only_to_the_web(url: str) -> None:
    made = edition("Barter desk agreed", url=url)
    page = render(made, "html")
    assert form_of_page(page) == form_of_page(render(HARMLESS, "html"))
    links = list(lxml.html.fromstring(page).iter("a"))
    assert links
    for link in links:
        assert re.match(r"(https?://|#$)", link.get("href"))
        assert link.get("rel") == "noopener nofollow"
    for target in re.findall(r"(?<!\\)\]\(([^)]*)\)", render(made, "md")):
        assert re.fullmatch(r"https?://[^\s()<>\"]*|#", target)
    for entry in _assert_feed(render(made, "atom")):
        assert all(link.href.startswith(("http://", "https://")) for link in entry.get("links", ()))


def _marks(text: str) -> Counter[str]:
    """What of Markdown's signs stands unescaped."""
    return Counter(re.findall(r"[\[\]`*<|]", re.sub(r"\\.", "", text)))


def _assert_note(text: str) -> None:
    assert not CONTROL.search(text)
    assert _marks(text) - _marks(render(HARMLESS, "md")) == Counter()
    starts = Counter(re.match(r"#{1,6} |> ?|- |\t| {4}|={3}|\d+[.)] |---$|", line).group() for line in text.split("\n"))  # type: ignore[union-attr]
    known = Counter(
        re.match(r"#{1,6} |> ?|- |---$|", line).group()  # type: ignore[union-attr]
        for line in render(HARMLESS, "md").split("\n")
    )
    assert starts.keys() <= known.keys() and starts["# "] == 1 and starts["---"] == 1


def _assert_feed(text: str) -> list[feedparser.FeedParserDict]:
    parsed = feedparser.parse(text)
    assert not parsed.bozo, parsed.bozo_exception
    tree = lxml.etree.fromstring(text.encode())
    assert {lxml.etree.QName(n).localname for n in tree.iter()} <= {
        "feed", "id", "title", "subtitle", "updated", "author", "name", "entry", "published", "link", "category",
        "summary", "generator",
    }  # fmt: skip
    assert not CONTROL.search(text)
    return list(parsed.entries)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_index_and_its_feed_keep_their_form(text: str) -> None:
    row = {
        "date": "2026-11-26", "timezone": "Asia/Karachi", "period": "day", "sha256": "", "language": "ur",
        "created_at": "2026-11-26T02:00:00Z", "provisional": False, "summary": HARMLESS["summary"], "headline": text,
        "stem": "2026-11-26",
    }  # fmt: skip
    page = index.page([row], "en")
    assert {n.tag for n in lxml.html.fromstring(page).iter() if isinstance(n.tag, str)} <= ALLOWED | {"link"}
    assert not CONTROL.search(page)
    parsed = feedparser.parse(index.feed([row], "en"))
    assert not parsed.bozo
    assert len(parsed.entries) == 1


def test_stored_hostile_articles_come_out_harmless_everywhere(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        for n, text in enumerate(HOSTILE):
            body = BARTER.replace("120", str(120 + n)) + f" Russia told Pakistan {text[:5000]}."
            at = NOON + timedelta(seconds=n)
            settle_line(app, _line(f"http://s.test/{n}", f"Barter {text[:5000]}", body, source=f"s{n}", at=at), now=at)
        rows = list(csv.reader(io.StringIO("".join(export.texts(app.store, "csv", export.Choice())), newline="")))
        assert len(rows) == len(HOSTILE) + 1
        assert {len(row) for row in rows} == {len(rows[0])}
        assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r＝＋－＠" and cell]
        found = search.lines(search.report(app.store, "barter", limit=500))
        assert found.count("\n") == 4 * len(HOSTILE) - 1, "each article has its four lines"
        told = "\n".join(explain.lines(explain.report(app.store, str(n + 1))) for n in range(len(HOSTILE)))
        for printed in (found, told):
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", printed)
