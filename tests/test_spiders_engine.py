"""The crawl against a server that says byte for byte what a test tells it. Readers and extractor are simple stand-ins:
a feed is a link a line, and a page is its own text; the store and what is written into it are the real ones."""

import asyncio
import contextlib
import gzip
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from crawler.app import App
from crawler.config import parse_config
from crawler.spiders import visits
from crawler.spiders.engine import crawl
from crawler.spiders.summary import Summary
from crawler.types import Document, Entry, Moment, Reading
from crawler.workers import WorkerLost
from store.connection import Store, open_store
from store.errors import StoreUnwritable
from store.records import Outcome, SourceState, Validators
from tests.crawl_site import Answer, Asked, Site, reply

NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
PAGE = "<p>Pakistan and Russia sign a wheat agreement in Islamabad, says Lavrov.</p>"
HOSTS = ("dawn.test", "app.test", "tass.test", "other.test")


class Stand:
    """The workers' stand-in, in this process; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.lost = False

    async def run(self, name: str, *args: Any, **named: Any) -> Any:
        self.asked.append((name, named))
        if self.lost:
            raise WorkerLost("crash")
        await asyncio.sleep(0)
        return self.read(*args, **named) if name == "read" else self.extract(*args, **named)

    def count(self, name: str) -> int:
        return sum(asked == name for asked, _ in self.asked)

    @staticmethod
    def read(kind: str, body: bytes, *, now: datetime, **_: Any) -> Reading:
        """``2026-11-01 http://...`` a line; with a time of day it is an item beside our beat; ``<sitemap>http://...``
        names a child; anything with <html is no feed."""
        entries, children = [], []
        if b"<html" in body:
            return Reading(readable=False, problems=("feed: an HTML page",))
        for line in body.decode().split("\n"):
            if line.startswith("<sitemap>"):
                children.append(line.removeprefix("<sitemap>"))
            elif "http" in line:
                day, _, url = line.rpartition(" ")
                at = datetime.fromisoformat(day).replace(tzinfo=UTC) if day else now
                title = "Wheat" if "T" in day else f"Pakistan, Russia: {url}"
                entries.append(Entry(id=url, url=url, title=title, published=Moment(instant=at)))
        return Reading(entries=tuple(entries), children=tuple(children))

    @staticmethod
    def extract(body: bytes, *, url: str, kind: str, **_: Any) -> Document:
        return Document(url=url, canonical_url=url, outcome="article", title="Pakistan and Russia", text=body.decode())


@dataclass
class World:
    """A server, a config, a database and a crawl over them."""

    site: Site
    path: Path
    stand: Stand
    settings: dict[str, str]
    sources: dict[str, dict[str, str]]
    clock: datetime = NOW

    def source(self, id_: str, url: str, **more: str) -> None:
        self.sources[id_] = {"url": url, "kind": "feed", "country": "PK", "every": "15m"} | more

    def says(self, url: str, answer: Answer) -> None:
        host, _, path = url.removeprefix("http://").removeprefix("https://").partition("/")
        self.site.pages[host, f"/{path}"] = answer

    def feed(self, id_: str, url: str, *links: str, **headers: str) -> None:
        self.source(id_, url)
        self.says(url, reply("\n".join(links), **headers))

    @property
    def yaml(self) -> str:
        names = ", ".join(f'{host}: "127.0.0.1:{self.site.port}"' for host in HOSTS)
        settings = {"resolve": f"{{{names}}}"} | self.settings
        crawl = "\n".join(f"  {k}: {v}" for k, v in settings.items())
        sources = "\n".join(
            f"  - id: {id_}\n" + "\n".join(f"    {k}: {v}" for k, v in source.items())
            for id_, source in self.sources.items()
        )
        return f"crawl:\n{crawl}\nsources:\n{sources}\n"

    @contextlib.contextmanager
    def app(self) -> Iterator[App]:
        config = parse_config(self.yaml, base=self.path)
        with open_store(self.path / "news.db", mode="write") as store:
            app = App(config, store, clock=lambda: self.clock, random=Random(1))
            app.sync_sources()
            yield app

    def crawl(
        self,
        *,
        only: tuple[str, ...] = (),
        everything: bool = True,
        stop_after: float | None = None,
        since: datetime | None = None,
    ) -> Summary:
        async def run(app: App) -> Summary:
            stop = asyncio.Event()
            if stop_after is not None:
                asyncio.get_running_loop().call_later(stop_after, stop.set)
            return await crawl(
                app,
                self.stand,
                only=only,
                everything=everything,
                stop=stop,
                since=since,  # type: ignore[arg-type]
            )

        with self.app() as app:
            return asyncio.run(run(app))

    def outcome(self, id_: str = "dawn", **how: Any) -> Outcome:
        return {line.id: line.outcome for line in self.crawl(**how).sources}[id_]

    @contextlib.contextmanager
    def store(self) -> Iterator[Store]:
        with open_store(self.path / "news.db", mode="read") as store:
            yield store

    def state(self, id_: str = "dawn") -> SourceState:
        with self.store() as store:
            return store.sources.get(id_)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.store() as store:
            return [tuple(row) for row in store.connection.execute(query)]

    def entries(self) -> dict[str, tuple[str, int, str]]:
        return {url: (state, tries, reason) for url, state, tries, reason in self.rows(
            "SELECT url, state, tries, reason FROM entries"
        )}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Site() as site:
        yield World(
            site=site,
            path=tmp_path,
            stand=Stand(),
            settings={"per_host_delay": "0s", "timeout": "2s", "allow_private_addresses": "[127.0.0.1/32]"},
            sources={},
        )


# --- a visit ----------------------------------------------------------------------------------------------------------


def test_new_items_and_their_pages_are_read_in_one_pass(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1", "http://dawn.test/2")
    world.says("http://dawn.test/1", reply(PAGE, Content_Type="text/html"))
    world.says("http://dawn.test/2", reply(PAGE.replace("wheat", "gas"), Content_Type="text/html"))
    summary = world.crawl()
    (line,) = summary.sources
    assert (line.outcome, line.status, line.seen, line.new) == ("new", 200, 2, 2)
    assert sum(summary.pages.values()) == 2
    assert not summary.unreachable
    assert {state for state, _, _ in world.entries().values()} <= {"kept", "duplicate"}
    assert {a.headers["user-agent"] for a in world.site.log} == {"pakrus/0.1 (+https://example.org/bot)"}


def test_both_validators_go_back_as_they_came_and_304_spares_the_reader(world: World) -> None:
    tag, date = 'W/"s-a b"', "Wed, 25 nov 2026 01:00:00 +0000"
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1", ETag=tag, Last_Modified=date)
    world.crawl()
    world.says("http://dawn.test/feed", reply(status=304))
    assert world.outcome() == "unchanged"
    last = world.site.asked("dawn.test", "/feed")[-1]
    assert (last.headers["if-none-match"], last.headers["if-modified-since"]) == (tag, date)
    assert world.stand.count("read") == 1
    assert world.state().validators.etag == tag
    rows = world.rows("SELECT status, conditional FROM requests WHERE url LIKE '%feed' ORDER BY rowid")
    assert rows == [(200, 0), (304, 1)]


def test_validators_that_were_not_given_are_not_invented(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.crawl()
    assert world.outcome() == "unchanged"  # the same bytes
    assert world.stand.count("read") == 1
    assert not {"if-none-match", "if-modified-since"} & set(world.site.asked("dawn.test", "/feed")[-1].headers)


def test_an_equal_etag_on_a_changed_body_is_a_change(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1", ETag='"a"')
    world.crawl()
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1", "http://dawn.test/2", ETag='"a"')
    assert world.outcome() == "new"
    assert len(world.entries()) == 2


def test_every_so_manieth_visit_is_unconditional(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert visits.FULL_EVERY == 20
    monkeypatch.setattr(visits, "FULL_EVERY", 5)

    async def always_304(asked: Asked, writer: asyncio.StreamWriter) -> None:
        conditional = "if-none-match" in asked.headers
        writer.write(reply(status=304) if conditional else reply("http://dawn.test/1", ETag='"a"', Connection="close"))

    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", always_304)
    for _ in range(7):
        world.crawl()
    plain = ["if-none-match" not in a.headers for a in world.site.asked("dawn.test", "/feed")]
    assert [i for i, unconditional in enumerate(plain) if unconditional] == [0, 5]


def test_304_without_being_asked_is_a_failure(world: World) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply(status=304))
    assert world.outcome() == "failed"


@pytest.mark.parametrize(
    "page",
    ["<html><title>Just a moment...</title>", "<html><script src='/TSPD/08a?a'></script>", "<html>/__qrator/x.js"],
)
def test_a_bot_wall_is_told_and_rested(world: World, page: str) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply(page))
    assert world.outcome() == "blocked"
    assert world.rows("SELECT error FROM visits") == [("a bot wall",)]


@pytest.mark.parametrize("body", ["", " \n", "no links here"])
def test_a_feed_that_gives_nothing_is_empty_and_never_unchanged(world: World, body: str) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply(body, ETag='"a"'))
    assert [world.outcome(), world.outcome()] == ["empty", "empty"]


def test_a_page_in_place_of_the_feed_is_told(world: World) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply("<html>welcome</html>"))
    assert [world.outcome(), world.outcome()] == ["not_a_feed", "not_a_feed"]


def test_old_news_only_is_stale(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "2026-11-01 http://dawn.test/1", "2026-10-01 http://dawn.test/2")
    assert world.outcome() == "stale"
    world.feed("dawn", "http://dawn.test/feed", "2026-11-01 http://dawn.test/1", "2026-11-24 http://dawn.test/3")
    assert world.outcome() == "new"


@pytest.mark.parametrize(
    ("status", "outcome", "failures"),
    [
        (404, "gone", 0.5), (410, "gone", 1), (401, "blocked", 1), (403, "blocked", 1), (451, "blocked", 1),
        (500, "failed", 0.5), (502, "failed", 0.5), (503, "failed", 0.5), (418, "failed", 0.5), (204, "empty", 0),
        (300, "failed", 0.5), (429, "throttled", 0.5),
    ],
)  # fmt: skip
def test_what_a_status_comes_to(world: World, status: int, outcome: str, failures: float) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply("http://dawn.test/1" if status != 204 else "", status))
    assert world.outcome() == outcome
    assert world.state().consecutive_failures == failures
    assert world.rows("SELECT status, outcome FROM visits") == [(status, outcome)]


def test_a_failure_keeps_the_validators(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1", ETag='"a"')
    world.crawl()
    before = world.state().validators
    world.says("http://dawn.test/feed", reply("oops", 500))
    world.crawl()
    assert world.state().validators == before == Validators(etag='"a"', body_sha256=before.body_sha256)


def test_only_what_is_due_is_visited(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    assert len(world.crawl(everything=False).sources) == 1
    assert len(world.crawl(everything=False).sources) == 0
    world.clock += timedelta(hours=1)
    assert len(world.crawl(everything=False).sources) == 1


def test_named_sources_only(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.feed("app", "http://app.test/feed", "http://app.test/1")
    assert [line.id for line in world.crawl(only=("app",), everything=False).sources] == ["app"]
    assert world.site.asked("dawn.test") == []


def test_a_reader_that_is_lost_fails_the_visit_only(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.stand.lost = True
    (line,) = world.crawl().sources
    assert line.outcome == "failed"
    assert "crash" in (line.error or "")


def test_a_sitemap_index_brings_the_items_of_its_newest_sitemaps(world: World) -> None:
    world.source("dawn", "http://dawn.test/index.xml", kind="sitemap")
    index = "\n".join(f"<sitemap>http://dawn.test/map{i}.xml" for i in range(7))
    world.says("http://dawn.test/index.xml", reply(index))
    for i in range(7):
        world.says(f"http://dawn.test/map{i}.xml", reply(f"http://dawn.test/{i}"))
    world.says("http://dawn.test/map1.xml", reply("gone", 404))
    assert world.outcome() == "new"
    assert sorted(world.entries()) == [f"http://dawn.test/{i}" for i in (0, 2, 3, 4)]
    world.says("http://dawn.test/map0.xml", reply("http://dawn.test/0\nhttp://dawn.test/new"))
    assert world.outcome() == "new"


# --- gaps -------------------------------------------------------------------------------------------------------------


def stamped(numbers: range, *, until: datetime) -> str:
    """Items 72 s apart, fifty an hour, the highest number the newest."""
    last = numbers[-1]
    at = {i: until - timedelta(seconds=72 * (last - i)) for i in numbers}
    return "\n".join(f"{at[i]:%Y-%m-%dT%H:%M:%S} http://dawn.test/{i}" for i in reversed(numbers))


def outage(world: World, **source: str) -> None:
    """A feed of 20 items, 50 new ones an hour, and three hours in which we are away."""
    world.source("dawn", "http://dawn.test/feed", fetch_pages="candidates", **source)
    world.says("http://dawn.test/feed", reply(stamped(range(80, 100), until=world.clock)))
    world.crawl()
    world.clock += timedelta(hours=3)
    world.says("http://dawn.test/feed", reply(stamped(range(230, 250), until=world.clock)))


def listed(world: World) -> set[int]:
    return {int(url.rpartition("/")[2]) for url in world.entries()}


def test_after_an_outage_the_sitemap_brings_what_the_feed_has_dropped(world: World) -> None:
    outage(world)
    world.says("http://dawn.test/robots.txt", reply("User-agent: *\nSitemap: http://dawn.test/maps/news.xml\n"))
    world.says("http://dawn.test/maps/news.xml", reply(stamped(range(20, 250), until=world.clock)))
    world.clock += timedelta(days=1)  # for robots.txt to be read again
    world.crawl()
    assert listed(world) >= set(range(80, 250))
    assert min(listed(world)) >= 99 - 20 - 50  # an hour of slack, no more
    ((backfilled, found),) = world.rows("SELECT backfilled, found FROM gaps")
    assert backfilled is not None
    assert found >= 130


def test_a_usual_sitemap_is_found_without_being_named(world: World) -> None:
    outage(world)
    world.says(
        "http://dawn.test/sitemap.xml", reply("<sitemap>http://dawn.test/m2.xml\n<sitemap>http://dawn.test/m1.xml")
    )
    world.says("http://dawn.test/m2.xml", reply(stamped(range(200, 250), until=world.clock)))
    world.says("http://dawn.test/m1.xml", reply(stamped(range(50, 200), until=world.clock - timedelta(hours=1))))
    world.crawl()
    assert listed(world) >= set(range(80, 250))


def test_an_archive_of_days_is_read_for_each_day_of_the_gap(world: World) -> None:
    outage(world, archive="http://dawn.test/day/{date}")
    world.says("http://dawn.test/day/2026-11-25", reply(stamped(range(50, 250), until=world.clock)))
    world.crawl()
    assert listed(world) >= set(range(80, 250))
    assert [a.path for a in world.site.log if "/day/" in a.path] == ["/day/2026-11-25"]


def test_a_site_without_a_way_back_closes_the_gap_with_nothing(world: World) -> None:
    outage(world)
    world.crawl()
    assert [found for (found,) in world.rows("SELECT found FROM gaps WHERE backfilled IS NOT NULL")] == [0]


def test_a_backfill_that_fails_is_done_at_the_next_visit(world: World) -> None:
    outage(world, archive="http://dawn.test/day/{date}")
    world.says("http://dawn.test/day/2026-11-25", reply("slow down", 429, Retry_After="60"))
    world.crawl()
    assert world.rows("SELECT count(*) FROM gaps WHERE backfilled IS NULL") == [(1,)]
    world.clock += timedelta(minutes=2)
    world.says("http://dawn.test/day/2026-11-25", reply(stamped(range(50, 250), until=world.clock)))
    world.crawl()
    assert listed(world) >= set(range(80, 250))
    assert world.rows("SELECT count(*) FROM gaps WHERE backfilled IS NULL") == [(0,)]


def test_since_goes_back_on_the_first_day_too_and_only_once(world: World) -> None:
    world.source("dawn", "http://dawn.test/feed", fetch_pages="candidates", archive="http://dawn.test/day/{date}")
    world.says("http://dawn.test/feed", reply(stamped(range(80, 100), until=world.clock)))
    for day in (23, 24, 25):
        world.says(f"http://dawn.test/day/2026-11-{day}", reply(f"2026-11-{day} http://dawn.test/{day}"))
    since = datetime(2026, 11, 24, tzinfo=UTC)
    world.crawl(since=since)
    assert listed(world) == {24, 25, *range(80, 100)}
    asked = len([a for a in world.site.log if "/day/" in a.path])
    world.crawl(since=since)
    assert len([a for a in world.site.log if "/day/" in a.path]) == asked == 2


# --- redirects --------------------------------------------------------------------------------------------------------


def test_a_permanent_redirect_is_stored_after_three_visits(world: World) -> None:
    world.source("dawn", "http://dawn.test/old")
    world.says("http://dawn.test/old", reply(status=301, Location="/new"))
    world.says("http://dawn.test/new", reply("http://dawn.test/1"))
    assert [world.outcome() for _ in range(3)] == ["moved", "moved", "moved"]
    assert world.state().url == "http://dawn.test/new"
    world.crawl()
    assert len(world.site.asked("dawn.test", "/old")) == 3


def test_a_temporary_redirect_is_followed_and_not_stored(world: World) -> None:
    world.source("dawn", "http://dawn.test/old")
    world.says("http://dawn.test/old", reply(status=302, Location="http://app.test/new#top"))
    world.says("http://app.test/new", reply("http://dawn.test/1"))
    assert world.outcome() == "new"
    world.crawl()
    world.crawl()
    assert world.state().url == "http://dawn.test/old"
    assert world.state().moved_count == 0


def test_only_the_unbroken_part_of_a_chain_is_permanent(world: World) -> None:
    world.source("dawn", "http://dawn.test/a")
    world.says("http://dawn.test/a", reply(status=308, Location="/b"))
    world.says("http://dawn.test/b", reply(status=302, Location="/c"))
    world.says("http://dawn.test/c", reply(status=301, Location="/d"))
    world.says("http://dawn.test/d", reply("http://dawn.test/1"))
    world.crawl()
    assert world.state().moved_to == "http://dawn.test/b"


def test_a_redirect_to_something_else_moves_nothing(world: World) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply(status=301, Location="/"))
    world.says("http://dawn.test/", reply("<html>home</html>"))
    assert world.outcome() == "not_a_feed"
    assert world.state().moved_to is None


def test_five_redirects_are_followed_and_six_are_not(world: World) -> None:
    world.source("dawn", "http://dawn.test/0")
    for i in range(6):
        world.says(f"http://dawn.test/{i}", reply(status=302, Location=f"/{i + 1}"))
    world.says("http://dawn.test/6", reply("http://dawn.test/x"))
    assert world.outcome() == "failed"
    assert world.site.asked("dawn.test", "/6") == []
    world.source("dawn", "http://dawn.test/1")
    assert world.outcome() == "new"


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd", "ftp://dawn.test/feed", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::1]/",
        "http://127.0.0.2/", "http://0x7f000002/", "http://2130706434/", "http://user:pw@dawn.test/x", "http://dawn.test:9/",
        "http://[::ffff:10.0.0.1]/", "http://100.64.0.1/",
    ],
)  # fmt: skip
def test_a_redirect_to_where_we_do_not_go_is_blocked(world: World, target: str) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply(status=302, Location=target))
    (line,) = world.crawl().sources
    assert line.outcome == "blocked", line
    assert "pw" not in (line.error or "").split("redirect from")[0]


@pytest.mark.parametrize("location", ["", "http://[", "http://", "\x01"])
def test_a_redirect_to_nowhere_fails(world: World, location: str) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply(status=302, Location=location) if location else reply(status=302))
    assert world.outcome() in ("failed", "blocked")


def test_a_name_that_leads_to_a_private_address_is_blocked(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.settings["allow_private_addresses"] = "[]"
    (line,) = world.crawl().sources
    assert line.outcome == "blocked"
    assert "127.0.0.1" in (line.error or "")
    assert world.site.log == []


def test_nothing_is_carried_from_host_to_host(world: World) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply(status=302, Location="http://app.test/feed", Set_Cookie="id=7"))
    world.says("http://app.test/feed", reply("http://dawn.test/1", Set_Cookie="id=8; Domain=test"))
    world.crawl()
    world.crawl()
    assert not any({"cookie", "referer", "origin"} & set(a.headers) for a in world.site.log)


def test_validators_go_to_the_host_alone_that_gave_them(world: World) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply(status=302, Location="http://app.test/feed"))
    world.says("http://app.test/feed", reply("http://app.test/1", ETag='"a"'))
    assert world.outcome() == "new"
    world.says("http://app.test/feed", reply(status=304))
    assert world.outcome() == "unchanged"
    world.says("http://dawn.test/feed", reply("http://app.test/1\nhttp://app.test/2", ETag='"d"'))
    assert world.outcome() == "new"
    world.says("http://dawn.test/feed", reply(status=302, Location="http://app.test/feed"))
    assert world.outcome() == "failed", "304 is no answer to whoever was not asked on condition"
    world.says("http://dawn.test/feed", reply(status=304))
    assert world.outcome() == "unchanged"
    sent = {host: [a.headers.get("if-none-match") for a in world.site.asked(host, "/feed")] for host in HOSTS[:2]}
    assert sent == {"dawn.test": [None, None, None, '"d"', '"d"'], "app.test": [None, '"a"', None]}


# --- bodies -----------------------------------------------------------------------------------------------------------


async def drip(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)


async def silence(asked: Asked, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def endless_headers(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    with contextlib.suppress(OSError):
        for i in range(100_000):
            writer.write(b"X-%d: %s\r\n" % (i, b"y" * 100))
            await writer.drain()


def raw(data: bytes) -> Answer:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


BOMB = gzip.compress(b"\0" * 20_000_000)
BAD = {
    "slow drip": drip,
    "silence": silence,
    "endless headers": endless_headers,
    "one huge header": raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"),
    "closed at once": raw(b""),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9\r\n"),
    "cut off": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhttp://dawn.test/1"),
    "bad chunks": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
    "too large, told": reply(b"http://dawn.test/1\n" * 60_000),
    "too large, untold": raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"http://dawn.test/1\n" * 60_000),
    "gzip bomb": reply(BOMB, Content_Encoding="gzip"),
    "double gzip bomb": reply(gzip.compress(BOMB), Content_Encoding="gzip, gzip"),
    "brotli, not asked for": reply(b"\x8b\x02\x80abc\x03", Content_Encoding="br"),
    "half a gzip": reply(gzip.compress(b"http://dawn.test/1" * 50)[:-20], Content_Encoding="gzip"),
    "gzip that is none": reply(b"http://dawn.test/1", Content_Encoding="gzip"),
    "status of letters": raw(b"HTTP/1.1 abc OK\r\n\r\n"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_fails_the_visit_in_time_and_no_other(world: World, name: str) -> None:
    world.settings |= {"timeout": "0.5s", "max_body": "1MB"}
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", BAD[name])
    world.feed("app", "http://app.test/feed", "http://app.test/1")
    began = time.monotonic()
    outcomes = {line.id: line.outcome for line in world.crawl().sources}
    assert outcomes == {"dawn": "failed", "app": "new"}
    assert time.monotonic() - began < 20  # a busy machine; the drip and the silence last longer
    assert 0 < world.state().consecutive_failures <= 0.5


def test_a_kept_connection_that_is_reset_is_made_anew_and_its_request_sent_once_more(world: World) -> None:
    async def once(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if len(world.site.asked("dawn.test", "/feed")) == 1:
            writer.transport.abort()
        else:
            writer.write(reply("http://dawn.test/1"))

    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", once)
    assert world.outcome() == "new"
    assert [status for (status,) in world.rows("SELECT status FROM requests WHERE url LIKE '%feed'")] == [None, 200]


def test_gzip_is_asked_for_and_read(world: World) -> None:
    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", reply(gzip.compress(b"http://dawn.test/1"), Content_Encoding="gzip"))
    assert world.outcome() == "new"
    assert world.site.log[-1].headers["accept-encoding"] in ("gzip, deflate",)


# --- manners ----------------------------------------------------------------------------------------------------------


def test_two_requests_to_a_host_are_never_closer_than_its_delay(world: World) -> None:
    world.settings |= {"per_host_delay": "0.15s", "per_host_concurrency": "4"}
    for i in range(3):
        world.feed(f"dawn{i}", f"http://dawn.test/feed{i}", f"http://dawn.test/{i}")
        world.says(f"http://dawn.test/{i}", reply(PAGE))
    world.crawl()
    world.crawl()  # a restart: another engine, other connections, the same database
    gaps = world.site.gaps("dawn.test")
    assert len(gaps) == 9  # robots.txt, 3 feeds, 3 pages, 3 feeds
    assert min(gaps) >= 0.15


def test_a_host_of_ten_sources_and_two_hundred_pages_is_asked_politely_whatever_happens(world: World) -> None:
    """Over a stop and a restart, a Retry-After and idle minutes, as the server saw it."""
    world.settings |= {"per_host_delay": "0.01s", "per_host_concurrency": "4"}
    world.says("http://dawn.test/robots.txt", reply("User-agent: *\nDisallow: /7\n"))
    for source in range(10):
        pages = [f"http://dawn.test/{source}/{page}" for page in range(20)]
        world.feed(f"dawn{source}", f"http://dawn.test/feed{source}", *pages)
        for page in pages:
            world.says(page, reply(PAGE))
    world.says("http://dawn.test/4/4", reply("slow down", 429, Retry_After="600"))
    world.crawl(stop_after=0.5)  # a stop in the middle
    while not world.site.asked("dawn.test", "/4/4"):
        world.crawl(everything=False)  # a restart: another engine, other connections
    asked = len(world.site.log)
    world.clock += timedelta(seconds=590)
    world.crawl()  # within the Retry-After, though everything is asked for
    assert len(world.site.log) == asked
    world.says("http://dawn.test/4/4", reply(PAGE))
    for _ in range(2):
        world.clock += timedelta(minutes=5)  # idle
        world.crawl()
    gaps = world.site.gaps("dawn.test")
    assert len(gaps) > 200
    assert min(gaps) >= 0.01
    assert not [a for a in world.site.log if a.path.startswith("/7/")]
    states = dict(world.rows("SELECT state, count(*) FROM entries GROUP BY state"))
    assert states.keys() <= {"kept", "duplicate", "rejected", "blocked"}
    assert (states["blocked"], sum(states.values())) == (20, 200)


def test_hosts_do_not_wait_for_one_another(world: World) -> None:
    world.settings["per_host_delay"] = "0.4s"
    for host in ("dawn", "app", "tass"):
        world.feed(host, f"http://{host}.test/feed", f"http://{host}.test/1")
    began = time.monotonic()
    world.crawl()
    assert time.monotonic() - began < 2


def test_a_source_may_ask_for_a_longer_delay(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.sources["dawn"]["delay"] = "0.3s"
    world.crawl()
    assert len(world.site.gaps("dawn.test")) == 2
    assert min(world.site.gaps("dawn.test")) >= 0.3


def test_crawl_delay_is_kept(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/robots.txt", reply("User-agent: *\nCrawl-delay: 0.3\n"))
    world.crawl()
    world.crawl()
    assert len(world.site.gaps("dawn.test")) == 3
    assert min(world.site.gaps("dawn.test")) >= 0.3


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_binds_the_whole_host_and_all_too(world: World, status: int) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1", "http://app.test/1")
    world.feed("app", "http://app.test/feed", "http://app.test/2")
    world.says("http://app.test/feed", reply("slow down", status, Retry_After="3600"))
    world.says("http://dawn.test/1", reply(PAGE))
    world.crawl(only=("app",))
    asked = len(world.site.asked("app.test"))
    assert world.outcome("app") == "throttled"
    assert world.state("app").consecutive_failures == 0.5  # for the answer, not for the rest
    assert len(world.site.asked("app.test")) == asked
    assert world.entries()["http://app.test/1"][:2] == ("pending", 0)
    world.clock += timedelta(hours=2)
    world.says("http://app.test/feed", reply("http://app.test/2"))
    assert world.outcome("app") == "new"


def test_retry_after_of_a_page_leaves_it_pending_without_a_try(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", *(f"http://dawn.test/{i}" for i in range(6)))
    for i in range(6):
        world.says(f"http://dawn.test/{i}", reply("slow down", 429, Retry_After="60"))
    world.settings["per_host_concurrency"] = "1"
    world.crawl()
    assert sum(a.path != "/feed" and a.path != "/robots.txt" for a in world.site.log) == 1
    assert {entry[:2] for entry in world.entries().values()} == {("pending", 0)}
    world.clock += timedelta(seconds=90)
    for i in range(6):
        world.says(f"http://dawn.test/{i}", reply(PAGE))
    world.crawl(everything=False)
    assert "pending" not in {state for state, _, _ in world.entries().values()}


def test_robots_txt_is_asked_for_once_and_kept_over_restarts(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/open/1", "http://dawn.test/closed/1")
    world.says("http://dawn.test/robots.txt", reply("User-agent: *\nDisallow: /closed\n"))
    world.says("http://dawn.test/open/1", reply(PAGE))
    world.crawl()
    world.crawl()
    assert len(world.site.asked("dawn.test", "/robots.txt")) == 1
    assert world.site.asked("dawn.test", "/closed/1") == []
    state, tries, reason = world.entries()["http://dawn.test/closed/1"]
    assert (state, tries) == ("blocked", 0)
    assert "robots.txt" in reason
    world.clock += timedelta(hours=25)
    world.crawl()
    assert len(world.site.asked("dawn.test", "/robots.txt")) == 2


def test_a_source_that_robots_txt_forbids_is_blocked(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/robots.txt", reply("User-agent: pakrus\nDisallow: /feed\n"))
    assert world.outcome() == "blocked"
    assert [a.path for a in world.site.log] == ["/robots.txt"]
    world.settings["obey_robots"] = "false"
    assert world.outcome() == "new"


@pytest.mark.parametrize("answer", [reply("oops", 500), reply("slow", 429), silence, raw(b"")])
def test_robots_txt_that_cannot_be_had_forbids_all(world: World, answer: Answer) -> None:
    world.settings["timeout"] = "0.4s"
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/robots.txt", answer)
    assert world.outcome() in ("failed", "throttled")
    assert {a.path for a in world.site.log} == {"/robots.txt"}


@pytest.mark.parametrize("target", ["http://10.0.0.1/robots.txt", "file:///etc/hosts", "http://dawn.test:9/robots.txt"])
def test_robots_txt_behind_a_refused_redirect_forbids_all(world: World, target: str) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/robots.txt", reply(status=301, Location=target))
    assert world.outcome() in ("failed", "blocked")
    assert {a.path for a in world.site.log} == {"/robots.txt"}


def test_robots_txt_is_followed_to_another_host(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/closed")
    world.says("http://dawn.test/robots.txt", reply(status=301, Location="http://app.test/robots.txt"))
    world.says("http://app.test/robots.txt", reply("User-agent: *\nDisallow: /closed"))
    assert world.outcome() == "new"
    assert world.entries()["http://dawn.test/closed"][0] == "blocked"


def test_an_old_robots_txt_is_kept_where_no_new_one_can_be_had(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/closed")
    world.says("http://dawn.test/robots.txt", reply("User-agent: *\nDisallow: /closed"))
    world.crawl()
    world.clock += timedelta(days=2)
    world.says("http://dawn.test/robots.txt", reply("oops", 503))
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/closed/2")
    assert world.outcome() == "new"
    assert world.site.asked("dawn.test", "/closed/2") == []


def test_a_long_robots_txt_is_read_as_far_as_the_limit(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/closed")
    rules = "User-agent: *\nDisallow: /closed\n" + "#" * 2_000_000
    world.says("http://dawn.test/robots.txt", reply(gzip.compress(rules.encode()), Content_Encoding="gzip"))
    assert world.outcome() == "new"
    assert world.entries()["http://dawn.test/closed"][0] == "blocked"


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state", "tries"),
    [
        (reply("gone", 404), "pending", 1),
        (reply("gone", 410), "pending", 1),
        (reply("oops", 500), "pending", 1),
        (reply("oops", 503), "pending", 1),
        (reply("no", 403), "blocked", 0),
        (reply("no", 401), "blocked", 0),
        (reply(status=302, Location="http://10.0.0.1/"), "blocked", 0),
        (reply(b"\xff\xd8", Content_Type="image/jpeg"), "rejected", 0),
        (reply("<p>Pakistan: wheat prices rose. http://dawn.test</p>", Content_Type="text/html"), "rejected", 0),
        (raw(b""), "pending", 1),
    ],
)
def test_what_becomes_of_a_page(world: World, answer: Answer, state: str, tries: int) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/1", answer)
    world.crawl()
    assert world.entries()["http://dawn.test/1"][:2] == (state, tries)
    assert world.stand.count("extract") == 0


def test_a_failed_page_comes_back_after_ten_minutes(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/1", reply("oops", 500))
    world.crawl()
    world.says("http://dawn.test/1", reply(PAGE))
    world.clock += timedelta(minutes=9)
    world.crawl(everything=False)
    assert world.entries()["http://dawn.test/1"][0] == "pending"
    world.clock += timedelta(minutes=3)
    world.crawl(everything=False)
    assert world.entries()["http://dawn.test/1"][0] == "kept"


def test_a_pdf_is_read_as_one(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1.pdf")
    world.says("http://dawn.test/1.pdf", reply(b"%PDF-1.4 ...", Content_Type="application/octet-pdf"))
    world.crawl()
    assert [named["kind"] for name, named in world.stand.asked if name == "extract"] == ["pdf"]


def test_a_page_that_two_sources_list_is_fetched_once(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.feed("app", "http://app.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/1", reply(PAGE))
    world.crawl()
    assert len(world.site.asked("dawn.test", "/1")) == 1
    assert world.rows("SELECT count(*) FROM entries WHERE state = 'pending'") == [(0,)]


@pytest.mark.parametrize("order", [("feedonly", "paper"), ("paper", "feedonly"), ()])
def test_a_page_is_fetched_where_one_source_fetches_and_another_never_does(
    world: World, order: tuple[str, ...]
) -> None:
    world.feed("feedonly", "http://app.test/feed", "http://dawn.test/1")
    world.sources["feedonly"]["fetch_pages"] = "never"
    world.feed("paper", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/1", reply(PAGE))
    for source in order:
        world.crawl(only=(source,))
        world.clock += timedelta(minutes=1)
    world.crawl()
    assert len(world.site.asked("dawn.test", "/1")) == 1
    assert world.rows("SELECT DISTINCT state, article_id FROM entries") == [("kept", 1)]
    assert world.rows("SELECT text FROM articles") == [(PAGE,)]


def test_the_feeds_words_stand_in_while_the_page_cannot_be_read(world: World) -> None:
    world.feed("feedonly", "http://app.test/feed", "http://dawn.test/1")
    world.sources["feedonly"]["fetch_pages"] = "never"
    world.feed("paper", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/1", reply("oops", 500))
    world.crawl()
    world.crawl()
    (entry,) = world.rows("SELECT DISTINCT state, reason FROM entries")
    assert entry == ("kept", "the feed's text stands in: the page could not be read")
    world.says("http://dawn.test/1", reply(PAGE))
    world.clock += timedelta(hours=1)
    world.crawl()
    assert world.rows("SELECT text FROM articles") == [(PAGE,)]


def test_a_page_that_may_not_be_read_leaves_the_feeds_words(world: World) -> None:
    world.feed("feedonly", "http://app.test/feed", "http://dawn.test/closed/1")
    world.sources["feedonly"]["fetch_pages"] = "never"
    world.feed("paper", "http://dawn.test/feed", "http://dawn.test/closed/1")
    world.says("http://dawn.test/robots.txt", reply("User-agent: *\nDisallow: /closed"))
    world.crawl()
    world.crawl()
    states = dict(world.rows("SELECT source_id, state FROM entries"))
    assert states == {"feedonly": "kept", "paper": "blocked"}


def test_a_kept_article_is_looked_at_again_on_condition(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/1", reply(PAGE, ETag='"v1"'))
    world.crawl()
    world.clock += timedelta(hours=2)
    world.says("http://dawn.test/1", reply(status=304))
    world.crawl(everything=False)
    world.clock += timedelta(hours=6)
    world.crawl(everything=False)
    again = world.site.asked("dawn.test", "/1")[1:]
    assert [a.headers.get("if-none-match") for a in again] == ['"v1"', '"v1"']
    assert world.stand.count("extract") == 1


def test_a_long_pass_over_pages_makes_way_for_sources(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.spiders.pages.PAGES_S", 0.3)
    monkeypatch.setattr("crawler.spiders.pages.LOOK_S", 0.1)
    world.settings["per_host_delay"] = "0.05s"
    world.feed("dawn", "http://dawn.test/feed", *(f"http://dawn.test/{i}" for i in range(40)))
    world.feed("app", "http://app.test/feed")
    world.sources["app"]["every"] = "1s"
    world.crawl(everything=False)
    states = [state for state, tries, _ in world.entries().values() if not tries]
    assert 0 < len(states) < 40
    world.settings["per_host_delay"] = "0s"
    world.crawl()
    assert len(world.site.asked("dawn.test")) >= 42


def test_where_files_are_few_a_crawl_of_many_hosts_keeps_few_connections(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (64, 64))
    opened = 0

    async def look(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened = max(opened, len(list(Path("/proc/self/fd").iterdir())))
        writer.write(reply("", Connection=asked.headers.get("connection", "keep-alive")))
        await writer.drain()
        if asked.headers.get("connection") != "close":
            await asyncio.sleep(30)

    names = [f"h{i}.test" for i in range(80)]
    world.settings["resolve"] = "{" + ", ".join(f'{n}: "127.0.0.1:{world.site.port}"' for n in names) + "}"
    world.settings["obey_robots"] = "false"
    for i, name in enumerate(names):
        world.source(f"s{i}", f"http://{name}/feed")
        world.says(f"http://{name}/feed", look)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert len(world.crawl().sources) == 80
    # Both ends of each connection are in this process, the server's twice: 8 that are kept, 16 at work; the database,
    # the loop.
    assert opened - before <= 3 * (8 + 16) + 12


def test_many_pages_of_one_host_do_not_hold_up_another(world: World) -> None:
    world.settings |= {"per_host_delay": "0.05s", "concurrency": "2"}
    world.feed("dawn", "http://dawn.test/feed", *(f"http://dawn.test/{i}" for i in range(30)))
    world.feed("app", "http://app.test/feed", "http://app.test/1")
    world.crawl()
    first = min(a.at for a in world.site.log)
    assert world.site.asked("app.test", "/1")[0].at - first < 0.7
    assert len(world.site.asked("dawn.test")) == 32


# --- our own line, the store, the stop --------------------------------------------------------------------------------


def test_when_nobody_can_be_reached_nobody_is_charged(world: World) -> None:
    for i in range(3):
        world.source(f"s{i}", f"http://s{i}.invalid/feed")
    summary = world.crawl()
    assert summary.unreachable
    assert summary.reached == 0
    assert {line.outcome for line in summary.sources} == {"failed"}
    for i in range(3):
        state = world.state(f"s{i}")
        assert (state.consecutive_failures, state.next_due_at) == (0, None)


def test_many_sources_of_an_unreachable_host_are_not_charged_either(world: World) -> None:
    for i in range(8):
        world.feed(f"dawn{i}", f"http://dawn.test/feed{i}", f"http://dawn.test/{i}")
    world.crawl()  # robots.txt is known from now on
    before = [world.state(f"dawn{i}").next_due_at for i in range(8)]
    world.settings["resolve"] = '{dawn.test: "127.0.0.1:1"}'
    world.clock += timedelta(hours=1)
    summary = world.crawl()
    assert summary.unreachable
    assert [world.state(f"dawn{i}").next_due_at for i in range(8)] == before
    assert {world.state(f"dawn{i}").consecutive_failures for i in range(8)} == {0}


def test_one_dead_host_among_living_ones_is_charged_a_little(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.source("dead", "http://dead.invalid/feed")
    summary = world.crawl()
    assert not summary.unreachable
    assert world.state("dead").consecutive_failures == 0.25
    assert [line.id for line in summary.sources] == ["dawn", "dead"]


def test_a_host_that_falls_silent_is_left_alone(world: World) -> None:
    world.settings |= {"timeout": "0.3s", "per_host_concurrency": "1"}
    world.feed("dawn", "http://dawn.test/feed", *(f"http://dawn.test/{i}" for i in range(30)))
    for i in range(30):
        world.says(f"http://dawn.test/{i}", silence)
    summary = world.crawl()
    assert len(world.site.asked("dawn.test")) == 2 + 3
    assert summary.pages == {"pending": 3, "postponed": 27}
    assert sorted(tries for _, tries, _ in world.entries().values()) == [0] * 27 + [1] * 3


def test_the_stop_comes_in_time_and_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.spiders.engine.STOP_GRACE_S", 1.5)
    world.settings |= {"timeout": "60s", "per_host_delay": "0.2s"}
    world.feed("dawn", "http://dawn.test/feed", *(f"http://dawn.test/{i}" for i in range(50)))
    for i in range(50):
        world.says(f"http://dawn.test/{i}", reply(PAGE))
    world.source("app", "http://app.test/feed")
    world.says("http://app.test/feed", silence)
    began = time.monotonic()
    summary = world.crawl(stop_after=1.0)
    assert time.monotonic() - began < 9
    assert summary.stopped
    asked = len([a for a in world.site.log if a.at > began + 1.3])
    assert asked == 0
    states = [state for state, _, _ in world.entries().values()]
    assert len(states) == 50
    assert {tries for _, tries, _ in world.entries().values()} == {0}
    assert states.count("pending") > 30
    assert world.state("app").consecutive_failures == 0


def test_a_stop_before_the_start_asks_nobody(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.crawl(stop_after=0)
    assert len(world.site.log) <= 1


def test_what_the_store_refuses_ends_the_pass(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise StoreUnwritable("the disk is full")

    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    monkeypatch.setattr("crawler.spiders.visits.settle_visit", full)
    with pytest.raises(StoreUnwritable):
        world.crawl()


def test_a_mistake_of_ours_costs_one_source(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.feed("app", "http://app.test/feed", "http://app.test/1")
    plain = Stand.read

    def read(kind: str, body: bytes, **named: Any) -> Reading:
        if b"dawn" in body:
            raise KeyError("oops")
        return plain(kind, body, **named)

    world.stand.read = read  # type: ignore[method-assign]
    outcomes = {line.id: line.outcome for line in world.crawl().sources}
    assert outcomes == {"dawn": "failed", "app": "new"}
    assert "KeyError" in caplog.text


def test_every_request_has_its_row(world: World) -> None:
    world.feed("dawn", "http://dawn.test/feed", "http://dawn.test/1")
    world.says("http://dawn.test/1", reply("oops", 500, Retry_After="5"))
    summary = world.crawl()
    rows = world.rows("SELECT source_id, host, url, status, retry_after FROM requests ORDER BY rowid")
    assert rows == [
        (None, "dawn.test", "http://dawn.test/robots.txt", 404, None),
        ("dawn", "dawn.test", "http://dawn.test/feed", 200, None),
        ("dawn", "dawn.test", "http://dawn.test/1", 500, "5"),
    ]
    assert summary.requests == summary.reached == 3


def test_no_socket_listens_and_no_reactor_is_installed(world: World) -> None:
    import sys

    listening: list[set[str]] = []

    def sockets() -> set[str]:
        tables = [Path(f"/proc/self/net/{name}").read_text().splitlines() for name in ("tcp", "tcp6")]
        lines = [line.split() for table in tables for line in table]
        mine = {link.readlink().name for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
        return {f[1] for f in lines if f[3] == "0A" and f"socket:[{f[9]}]" in mine}

    async def look(asked: Asked, writer: asyncio.StreamWriter) -> None:
        listening.append(sockets())
        writer.write(reply("http://dawn.test/1", Connection="close"))

    world.source("dawn", "http://dawn.test/feed")
    world.says("http://dawn.test/feed", look)
    before = sockets()
    assert world.outcome() == "new"
    assert listening == [before]
    assert "twisted.internet.reactor" not in sys.modules


# --- certificates and proxies -----------------------------------------------------------------------------------------


@pytest.fixture
def secure(world: World, tmp_path: Path) -> World:
    """The world over TLS, with a certificate of its own CA in ``ca.pem``."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dawn.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("dawn.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "ca.pem").write_bytes(pem)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(pem + secret)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "both.pem")
    with Site(context=context) as site:
        yield replace(world, site=site)


def test_a_certificate_of_an_unknown_authority_is_refused(secure: World) -> None:
    secure.feed("dawn", "https://dawn.test/feed", "https://dawn.test/1")
    (line,) = secure.crawl().sources
    assert line.outcome == "failed"
    assert "certificate" in (line.error or "")
    assert secure.site.log == []


def test_a_source_may_name_its_authority_and_so_may_the_crawl(secure: World) -> None:
    secure.feed("dawn", "https://dawn.test/feed", "https://dawn.test/1")
    secure.feed("app", "https://app.test/feed", "https://app.test/1")
    secure.sources["dawn"]["ca_file"] = "ca.pem"
    assert secure.outcome() == "new"
    secure.sources["dawn"].pop("ca_file")
    secure.settings["ca_file"] = "ca.pem"
    outcomes = {line.id: line.outcome for line in secure.crawl().sources}
    assert outcomes == {"dawn": "unchanged", "app": "failed"}  # the certificate is another host's


def test_a_source_may_have_its_proxy(world: World) -> None:
    world.source("dawn", "http://far.example/feed", proxy=f"http://127.0.0.1:{world.site.port}")
    world.site.pages["far.example", "http://far.example/feed"] = reply("http://far.example/1")
    world.settings["allow_private_addresses"] = "[]"
    assert world.outcome() == "new"
    assert [a.path for a in world.site.log][:2] == ["http://far.example/robots.txt", "http://far.example/feed"]
