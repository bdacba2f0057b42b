"""Only what is new in a feed is read: whatever a feed does from visit to visit, the database is as if all was read."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.app import App
from crawler.readers import blocks, read
from crawler.spiders.fetch import Line
from crawler.spiders.shared import Shared
from crawler.spiders.visits import SourceVisit
from crawler.types import Fetched, Reading
from tests.builders import NOON, Clock, world

URL = "http://courier.test/rss"
CASES = Path(__file__).parent / "cases/feeds"
TITLES = (
    "Pakistan and Russia sign a wheat agreement",
    "Пакистан и Россия подписали соглашение",
    "پاکستان اور روس کا معاہدہ",
    "Rain stops the cricket in Lahore",
    "A database based on rss.xml &amp; more",
)


# --- the reader -------------------------------------------------------------------------------------------------------


def listed(body: str | bytes, known: Any = (), **more: Any) -> Reading:
    data = body.encode() if isinstance(body, str) else body
    return read("feed", data, **{"url": URL, "now": NOON, "known": known} | more)


def rss(*items: str, head: str = "", tail: str = "", root: str = "<rss version='2.0'>") -> str:
    return f"{root}<channel><title>Courier</title>{head}{''.join(items)}{tail}</channel></rss>"


def item(number: int, *, title: str = "", more: str = "") -> str:
    at = format_datetime(NOON - timedelta(hours=number), usegmt=True)
    return (
        f"<item><title>{title or f'{TITLES[number % 5]} {number}'}</title><link>http://courier.test/{number}</link>"
        f"<guid>{number}</guid><pubDate>{at}</pubDate>{more}</item>"
    )


def marks(reading: Reading) -> set[str]:
    return {entry.block for entry in reading.entries if entry.block}


def test_what_stood_there_is_left_out_and_what_is_new_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first = listed(rss(item(2), item(3), item(4), head="<lastBuildDate>Wed, 25 Nov 2026 10:00</lastBuildDate>"))
    assert len(marks(first)) == 3
    given: list[bytes] = []
    parse = feedparser.parse

    def noting(stream: Any, **how: Any) -> Any:
        given.append(stream.getvalue())
        return parse(stream, **how)

    monkeypatch.setattr("feedparser.parse", noting)
    now = rss(item(1), item(2), item(3, more="<category>x</category>"), head="<lastBuildDate>later</lastBuildDate>")
    second = listed(now, marks(first))
    assert [entry.id for entry in second.entries] == ["1", "3"]
    assert set(second.same) == {first.entries[0].block}
    assert [data.count(b"<item>") for data in given] == [2]
    assert listed(now).entries[0] == second.entries[0]


def test_a_list_that_only_counts_on_is_no_empty_one() -> None:
    first = listed(rss(item(1), item(2), head="<pubDate>then</pubDate>"))
    again = listed(rss(item(1), item(2), head="<pubDate>now</pubDate>"), marks(first))
    assert (again.entries, again.readable, again.problems) == ((), True, ())
    assert set(again.same) == marks(first)


def test_nothing_is_marked_where_nobody_asks() -> None:
    assert not marks(listed(rss(item(1)), None))


@pytest.mark.parametrize(
    "now",
    [
        rss(item(1), item(2), head="<link>http://elsewhere.test/</link>"),
        rss(item(1), item(2), root="<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'>"),
        rss(item(1), item(2), root="<rss version='0.91'>"),
        rss(item(1), item(2), tail="<link>http://elsewhere.test/</link>"),
        rss(item(1), "<!-- advertisement -->", item(2)),
        rss("<item><title>Around</title>", item(1), item(2), "</item>"),
        rss(item(1), item(2), "<item><title>Open"),
        rss(item(1), item(2), "<item><title>Not & closed</item>"),
    ],
)
def test_what_could_bear_upon_the_items_makes_all_be_read(now: str) -> None:
    assert not listed(now, marks(listed(rss(item(1), item(2))))).same


@pytest.mark.parametrize("other", [{"url": "http://mirror.test/rss"}, {"zone": SimpleNamespace(key="x")}])
def test_an_item_from_elsewhere_is_another(other: dict[str, Any]) -> None:
    assert not marks(listed(rss(item(1)))) & marks(listed(rss(item(1)), **other))


@pytest.mark.parametrize(
    "more",
    [
        "<dc:creator xmlns:dc='http://purl.org/dc/elements/1.1/'>A</dc:creator>",
        "<description xml:base='http://a.test/'>x</description>",
        "<description base = 'http://a.test/'>x</description>",
    ],
)
def test_an_item_that_declares_something_makes_all_be_read(more: str) -> None:
    assert not marks(listed(rss(item(1), item(2, more=more))))
    assert not listed(rss(item(1), item(2, more=more)), marks(listed(rss(item(1))))).same


def test_markup_in_words_is_no_markup() -> None:
    told = "<description><![CDATA[an </item><item> in words]]></description><!-- </item> --><?php </item> ?>"
    first = listed(rss(item(1, more=told), item(2)))
    assert len(marks(first)) == 2
    assert len(listed(rss(item(0), item(1, more=told), item(2)), marks(first)).entries) == 1


@pytest.mark.parametrize("link", ["", "http://courier.test/"])
def test_an_item_without_a_page_of_its_own_is_read_each_time(link: str) -> None:
    odd = f"<item><title>Odd</title><link>{link}</link></item>"
    assert [bool(entry.block) for entry in listed(rss(odd, item(1))).entries] == [False, True]


def test_an_item_of_the_future_is_read_until_its_time_has_come() -> None:
    assert [bool(entry.block) for entry in listed(rss(item(-60), item(1))).entries] == [False, True]


@given(st.text(alphabet="<>/!?-[]ACDT item entry\"'='x:\n", max_size=200) | st.lists(
    st.sampled_from(["<item>", "</item>", "<entry/>", "<![CDATA[", "]]>", "<!--", "-->", "<?", "?>", "x", " "]), max_size=12
).map("".join))  # fmt: skip
def test_the_pieces_are_the_document(text: str) -> None:
    found = blocks.split(text, "")
    if found is not None:
        assert found.text.replace(" ", "").replace("\n", "") == text.replace(" ", "").replace("\n", "")
        assert found.without(set(found.marks)).items == ()


@pytest.mark.parametrize("document", [*CASES.glob("*.xml")], ids=lambda p: p.name)
def test_of_every_kind_of_feed_the_entries_are_the_same(document: Path) -> None:
    body = document.read_bytes()
    whole, first = listed(body, None), listed(body)
    assert replace(first, entries=tuple(replace(e, block="") for e in first.entries)) == whole
    again = listed(body, marks(first))
    assert {*again.same} == marks(first)
    assert not marks(again) & marks(first)


# --- the database -----------------------------------------------------------------------------------------------------


class Newsroom:
    """One database; `visit` is what the crawl does with an answer, the readers in this process."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.left_out = 0
        self.wholes = 0

    async def run(self, _: str, *args: Any, **named: Any) -> Reading:
        reading = read(*args, **named)
        self.left_out += len(reading.same)
        self.wholes += not named["known"]
        return reading

    def visit(self, body: bytes, *, full: bool, source: str = "courier") -> None:
        found = self.app.config.source(source)
        room: Any = self  # stands in for the workers
        fetcher: Any = SimpleNamespace(now=self.app.clock)
        shared = Shared(
            app=self.app,
            pool=room,
            fetcher=fetcher,
            line=Line(),
            stop=asyncio.Event(),
            progress=lambda: None,
            began=0.0,
        )
        at = self.app.clock()
        fetched = Fetched(
            requested_url=found.url, url=found.url, status=200, headers={}, body=body, at=at, duration_ms=1
        )
        visit = SourceVisit(shared, found, self.app.store.sources.get(source), since=None)
        asyncio.run(visit._read_source(fetched, full=full))

    def told(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that visits write, but the lists themselves and how often all was read."""
        run = self.app.store.connection.execute
        tables = ("entries", "visits", "gaps", "source_moves")
        found = {table: [tuple(row) for row in run(f"SELECT * FROM {table}")] for table in tables}
        rows = run("SELECT * FROM sources").fetchall()
        return found | {"sources": [tuple(row[k] for k in row.keys() if k != "visits_since_full") for row in rows]}  # noqa: SIM118

    def forget(self) -> None:
        with self.app.store.transaction():
            for table in ("lists", "gaps", "entries", "visits", "source_moves", "sources"):
                self.app.store.connection.execute(f"DELETE FROM {table}")
        self.app.sync_sources()
        self.app.random.seed(1)


@dataclass(frozen=True)
class Two:
    cut: Newsroom
    whole: Newsroom
    clock: Clock

    def visit(self, body: bytes) -> None:
        self.cut.visit(body, full=False)
        self.whole.visit(body, full=True)
        assert self.cut.told() == self.whole.told()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    clock = Clock()
    folders = [tmp_path_factory.mktemp(name) for name in ("cut", "whole")]
    with world(folders[0], text=SOURCES, clock=clock) as cut, world(folders[1], text=SOURCES, clock=clock) as whole:
        yield Two(cut=Newsroom(cut), whole=Newsroom(whole), clock=clock)


SOURCES = f"""
sources:
  - {{id: courier, url: "{URL}", kind: feed, country: PK, language: en, every: 15m, fetch_pages: candidates}}
"""
JUNK = (
    "<description>{words}</description>",
    "<description><![CDATA[<p>{words}</p><item>]]></description><description>twice</description>",
    "<content:encoded><![CDATA[{words}]]></content:encoded>",
    "<dc:creator>Staff</dc:creator><author>a@b.test (A)</author>",
    "<media:content url='http://courier.test/a.jpg'><media:title>a photo</media:title></media:content>",
    "<category xmlns='x'>own</category>",
    "<description xml:base='http://b.test/'>{words}</description>",
    "<image><url>http://courier.test/i.png</url></image><textInput><title>t</title></textInput>",
    "<source url='http://s.test/'>Another</source><language>ur</language>",
    "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>{words}</p></div></content>",
    "<content type='text/html'><div>{words}</div></content><summary type='xhtml'><div>{words}</div></summary>",
    "<foo:bar>{words}</foo:bar><unknown a='b'/>",
    "<svg><title>{words}</title></svg>",
    "<!-- </item> --><comments>http://courier.test/c</comments>",
    "<link rel='alternate' href='/other'/>",
)
BROKEN = (
    "",
    "",
    "",
    "",
    "<item><title>open",
    "<title>open</item>",
    "&nosuch;",
    "<![CDATA[",
    "<!-- ",
    "]]>",
    "\x01",
    "<x:y/>",
)
HEADS = (
    "<link>http://courier.test/</link>",
    "<link>http://courier.test/</link><language>en</language><ttl>30</ttl>",
    "<link>http://other.test/news/</link><image><title>i</title><link>http://courier.test/x</link></image>",
    "<link><![CDATA[http://courier.test/]]></link><atom:link href='http://courier.test/rss' rel='self'/>",
)
ROOTS = {
    "rss": ("<rss version='2.0' {ns}><channel>", "item", "</channel></rss>"),
    "old": ("<rss><channel>", "item", "</channel></rss>"),
    "atom": ("<feed xmlns='http://www.w3.org/2005/Atom' {ns}>", "entry", "</feed>"),
    "base": ("<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://base.test/a/' {ns}>", "entry", "</feed>"),
    "rdf": (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' {ns}>"
        "<channel><title>c</title></channel>", "item", "</rdf:RDF>",
    ),
}  # fmt: skip
NAMESPACES = (
    "xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:content='http://purl.org/rss/1.0/modules/content/'"
    " xmlns:media='http://search.yahoo.com/mrss/' xmlns:foo='http://foo.test/' xmlns:atom='http://www.w3.org/2005/Atom'"
)
Item = dict[str, Any]
ITEM = st.fixed_dictionaries(
    {
        "link": st.sampled_from(
            ("http://courier.test/{n}", "http://courier.test/{n}", "/{n}", "{n}.html", "http://courier.test/", "", "http://courier.test/1")
        ),
        "title": st.sampled_from(TITLES),
        "age": st.sampled_from((1, 5, 50, 400, 5000, -3)),
        "junk": st.lists(st.sampled_from(JUNK), max_size=2),
    }
)  # fmt: skip
VISIT = st.fixed_dictionaries(
    {
        "new": st.lists(ITEM, max_size=3),
        "drop": st.integers(0, 3),
        "again": st.lists(
            st.tuples(st.integers(0, 9), st.sampled_from(("title", "junk", "double", "age"))), max_size=2
        ),
        "head": st.sampled_from(HEADS),
        "between": st.sampled_from(("\n", "", "", "\n", "<!-- ad -->", "<cloud/>")),
        "broken": st.sampled_from(BROKEN),
        "at": st.integers(0, 5),
        "hours": st.sampled_from((0, 1, 30, 400)),
        "encoding": st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-16", "cp1251", "koi8-r")),
    }
)
FEED = st.fixed_dictionaries(
    {
        "root": st.sampled_from(sorted(ROOTS)),
        "head": st.sampled_from(HEADS),
        "first": st.lists(ITEM, min_size=2, max_size=6),
        "visits": st.lists(VISIT, min_size=1, max_size=4),
        "calm": st.booleans(),  # of the head, encoding and markup nothing changes, as is the rule
    }
)


def document(
    kind: str, head: str, items: list[tuple[int, Item]], *, between: str, broken: str, at: int, built: str
) -> str:
    opening, name, closing = ROOTS[kind]
    told = []
    for number, values in items:
        link = values["link"].format(n=number)
        when = NOON - timedelta(hours=values["age"])
        junk = "".join(values["junk"]).format(words=f"{values['title']} {number % 3}")
        linked = f"<link href='{link}'/>" if name == "entry" else f"<link>{link}</link>"
        dated = (
            f"<published>{when.isoformat()}</published>"
            if name == "entry"
            else f"<pubDate>{format_datetime(when)}</pubDate>"
        )
        guid = f"<id>tag:{number}</id>" if name == "entry" else f"<guid isPermaLink='false'>{number}</guid>"
        told.append(f"<{name}><title>{values['title']}</title>{linked if link else ''}{guid}{dated}{junk}</{name}>")
    told.insert(min(at, len(told)), broken)
    dated = f"<updated>{built}</updated>" if name == "entry" else f"<lastBuildDate>{built}</lastBuildDate>"
    body = between.join(told)
    return f"{opening.format(ns=NAMESPACES)}<title>Courier</title>{head}{dated}{body}{closing}"


def play(two: Two, feed: dict[str, Any]) -> None:
    two.cut.forget()
    two.whole.forget()
    two.clock.now = NOON
    items = list(enumerate(feed["first"], 10))
    number = 100
    calm = {"head": feed["head"], "between": "\n", "broken": "", "encoding": "utf-8"}
    visits = [{"new": [], "drop": 0, "again": [], "at": 0, "hours": 0} | calm, *feed["visits"]]
    for n, visit in enumerate(visits):
        if feed["calm"]:
            visit = visit | calm
        fresh = [(number + i, values) for i, values in enumerate(visit["new"])]
        number += len(fresh)
        items = [*fresh, *items[: max(1, len(items) - visit["drop"])]]
        for at, what in visit["again"]:
            id_, values = items[at % len(items)]
            if what == "double":
                items.append((id_, values | {"title": TITLES[at % 5]}))
            else:
                new = {"title": TITLES[at % 5], "junk": [JUNK[at % len(JUNK)]], "age": 2}[what]
                items[at % len(items)] = (id_, values | {what: new})
        text = document(
            feed["root"], visit["head"], items,
            between=visit["between"], broken=visit["broken"], at=visit["at"], built=f"Wed, 25 Nov 2026 10:0{n}:00 GMT",
        )  # fmt: skip
        declared = f"<?xml version='1.0' encoding='{visit['encoding']}'?>{text}"
        two.clock.wind(hours=visit["hours"], minutes=15)
        two.visit(declared.encode(visit["encoding"], "xmlcharrefreplace"))


@settings(max_examples=60, deadline=None)
@given(FEED)
def test_the_database_is_as_if_all_was_read(two: Two, feed: dict[str, Any]) -> None:
    play(two, feed)


def test_what_papers_do_is_cut(two: Two) -> None:
    """The property holds not for want of anything left out."""
    plain = {"link": "http://courier.test/{n}", "title": TITLES[0], "age": 5, "junk": [JUNK[0], JUNK[3]]}
    visit = {"new": [plain], "drop": 1, "again": [], "at": 0, "hours": 0, "encoding": "utf-8"}
    before = two.cut.left_out
    feed = {"root": "rss", "head": HEADS[1], "first": [plain] * 6, "visits": [visit] * 3, "calm": True}
    play(two, feed)
    assert two.cut.left_out - before == 3 * 5
    assert two.whole.left_out == 0


def test_an_item_listed_again_in_other_words_makes_all_be_read(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        room = Newsroom(app)
        room.visit(rss(item(1), item(2)).encode(), full=False)
        room.visit(rss(item(1, title="Another title"), item(1), item(2)).encode(), full=False)
        assert room.left_out == 2
        assert room.wholes == 2
        rows = app.store.connection.execute("SELECT url, title FROM entries ORDER BY url").fetchall()
        assert [tuple(row) for row in rows] == [
            ("http://courier.test/1", f"{TITLES[1]} 1"),
            ("http://courier.test/2", f"{TITLES[2]} 2"),
        ]


@pytest.mark.parametrize("change", ["lexicon", "country: PK", "fetch_pages: candidates"])
def test_items_are_judged_anew_where_they_would_be_judged_otherwise(tmp_path: Path, change: str) -> None:
    body = rss(item(3), item(8)).encode()  # cricket
    with world(tmp_path, text=SOURCES) as app:
        Newsroom(app).visit(body, full=False)
        assert {row[0] for row in app.store.connection.execute("SELECT state FROM entries")} == {"rejected"}
    text = SOURCES if change == "lexicon" else SOURCES.replace(change, "timezone: Asia/Karachi")
    with world(tmp_path, text=text) as app:
        if change == "lexicon":
            app.lexicon.hash, kept = "another", app.lexicon.hash
        room = Newsroom(app)
        room.visit(body + b"\n", full=False)
        if change == "lexicon":
            app.lexicon.hash = kept
        assert (room.left_out, room.wholes) == (0, 1)
        states = {row[0] for row in app.store.connection.execute("SELECT state FROM entries")}
        assert states == ({"pending"} if change.startswith("fetch") else {"rejected"})


def test_items_that_the_ledger_has_lost_are_read(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        room = Newsroom(app)
        room.visit(rss(item(1), item(2)).encode(), full=False)
        with app.store.transaction():
            app.store.connection.execute("DELETE FROM entries WHERE url LIKE '%/1'")
        room.visit(rss(item(0), item(1), item(2)).encode(), full=False)
        assert room.left_out == 0
        assert app.store.connection.execute("SELECT count(*) FROM entries").fetchone()[0] == 3


def test_the_list_is_kept_as_the_schema_says(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        Newsroom(app).visit(rss(item(1)).encode(), full=True)
        row = app.store.connection.execute("SELECT * FROM lists").fetchone()
        assert list(json.loads(row["items"]).values()) == [[1, int((NOON - timedelta(hours=1)).timestamp())]]
        assert row["source_id"] == "courier"


def test_only_feeds_have_lists(tmp_path: Path) -> None:
    with world(tmp_path, text=SOURCES.replace("kind: feed", "kind: sitemap")) as app:
        day = datetime(2026, 11, 25, tzinfo=UTC)
        site = f"<urlset><url><loc>http://courier.test/1</loc><lastmod>{day.isoformat()}</lastmod></url></urlset>"
        Newsroom(app).visit(site.encode(), full=False)
        assert app.store.connection.execute("SELECT count(*) FROM entries").fetchone()[0] == 1
        assert app.store.connection.execute("SELECT count(*) FROM lists").fetchone()[0] == 0
