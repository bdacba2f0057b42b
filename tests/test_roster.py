"""The verbs that tend the list of sources, against sites of our own on loopback: three languages, two zones."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crawler.cli import cli
from crawler.config import read_config
from crawler.errors import PakrusError
from crawler.spiders.discover import rewritten
from tests.newsroom import HTML, Answer, Newsroom, article, item

NOW = "2026-11-25T12:00:00Z"
DAY = "Wed, 25 Nov 2026 0{hour}:00:00 {zone}"
TITLES = {
    "en": ["Wheat tender opens in Karachi", "Ministers meet in Islamabad", "Port workers return to their work",
           "Gas pipeline talks go on this week", "Rupee gains against the dollar", "Rain expected in the north"],
    "ru": ["Пакистан закупит российскую пшеницу", "Министры встретились в Исламабаде", "Порт возобновил работу",
           "Переговоры о газопроводе продолжаются", "Рубль укрепился к доллару", "На севере ожидаются дожди"],
    "ur": ["کراچی میں گندم کا ٹینڈر کھل گیا", "اسلام آباد میں وزراء کی ملاقات", "بندرگاہ پر کام دوبارہ شروع ہو گیا",
           "گیس پائپ لائن پر مذاکرات جاری ہیں", "ڈالر کے مقابلے میں روپیہ مضبوط ہوا", "شمالی علاقوں میں بارش کا امکان"],
}  # fmt: skip
ZONES = {"en": "+0500", "ru": "+0300", "ur": "+0500"}
PLAIN = "# ours\nsources:\n  - {id: old, name: Old, url: 'http://old.test/rss', kind: feed} # the first\n"


class Desk:
    """A folder with a feeds.yaml, and a web of our own to look for sources in."""

    def __init__(self, newsroom: Newsroom, folder: Path) -> None:
        self.newsroom, self.folder, self.path = newsroom, folder, folder / "feeds.yaml"
        self.path.write_text(PLAIN, "utf-8")

    def write(self, sources: str = PLAIN) -> str:
        """A feeds.yaml that knows where the sites are; what stands in it."""
        crawl = {
            "per_host_delay": "0s", "timeout": "5s", "allow_private_addresses": ["127.0.0.0/8"],
            "resolve": self.newsroom.resolve(),
        }  # fmt: skip
        self.path.write_text(f"crawl: {json.dumps(crawl)}\n{sources}", "utf-8")
        return self.path.read_text("utf-8")

    def run(self, *words: str, text: str | None = None) -> Result:
        arguments = ["--config", str(self.path), "--now", NOW, "sources", *words]
        done = CliRunner().invoke(cli, arguments, input=text)
        if isinstance(done.exception, PakrusError):  # `main` turns it into a line and its exit code
            done.exit_code = done.exception.exit_code
        return done

    def add(self, *words: str) -> dict[str, Any]:
        done = self.run("add", *words, "--json")
        value: dict[str, Any] = json.loads(done.stdout)
        return value

    def ids(self) -> list[str]:
        return [s.id for s in read_config(self.path, self.folder).sources]


@pytest.fixture(scope="module")
def web() -> Iterator[Newsroom]:
    with Newsroom() as newsroom:
        yield newsroom


@pytest.fixture
def desk(web: Newsroom, tmp_path: Path) -> Desk:
    return Desk(web, tmp_path)


def items(language: str) -> list[Any]:
    return [
        item(title, f"/{language}/{number}", DAY.format(hour=number, zone=ZONES[language]))
        for number, title in enumerate(TITLES[language])
    ]


def front_page(language: str, head: str = "", body: str = "") -> str:
    return f"<!doctype html><html lang='{language}'><head><title>Front</title>{head}</head><body>{body}</body></html>"


@pytest.mark.parametrize(
    ("language", "host", "country", "zone"),
    [
        ("en", "courier.com.pk", "PK", "Asia/Karachi"),
        ("ru", "vestnik.ru", "RU", "Europe/Moscow"),
        ("ur", "subh.pk", "PK", "Asia/Karachi"),
    ],
)
def test_the_feed_that_a_front_page_names_is_written(
    desk: Desk, language: str, host: str, country: str, zone: str
) -> None:
    site = desk.newsroom.site(host)
    link = '<link rel="alternate" type="application/rss+xml" href="/comments/feed"><link rel="alternate" '
    site.page("/", front_page(language, link + 'type="application/rss+xml" href="/world/feed">'))
    site.feed("/world/feed", items(language), title=f"{host}: {TITLES[language][0]}", language=language)
    before = desk.write()
    value = desk.add(site.url("/"))
    source = value["source"]
    assert (source["url"], source["kind"]) == (site.url("/world/feed"), "feed")
    assert (source["language"], source["country"], source["timezone"]) == (language, country, zone)
    assert [e["title"] for e in value["entries"]] == TITLES[language][:5]
    assert value["newest"].startswith("2026-11-25")
    assert len(site.hits("/world/feed")) == 1
    after = desk.path.read_text("utf-8")
    assert after.startswith(before)
    written = read_config(desk.path, desk.folder).sources[-1]
    assert (written.id, written.name) == (source["id"], f"{host}: {TITLES[language][0]}")


def test_a_robots_file_names_the_news_sitemap(desk: Desk) -> None:
    site = desk.newsroom.site("mapped.test")
    site.robots(f"User-agent: *\nDisallow: /feed\nSitemap: {site.url('/map/news.xml')}\n")
    site.page("/", front_page("ru"))
    urls = "".join(
        f"<url><loc>{site.url(f'/n/{n}')}</loc><news:news><news:publication><news:name>Карта</news:name><news:language>"
        f"ru</news:language></news:publication><news:publication_date>2026-11-25T0{n}:00:00+03:00"
        f"</news:publication_date><news:title>{title}</news:title></news:news></url>"
        for n, title in enumerate(TITLES["ru"])
    )
    site.page("/map/news.xml", '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news='
              f'"http://www.google.com/schemas/sitemap-news/0.9">{urls}</urlset>', {"Content-Type": "text/xml"})  # fmt: skip
    desk.write()
    source = desk.add(site.url("/"), "--country", "RU")["source"]
    assert (source["kind"], source["url"], source["language"]) == ("sitemap", site.url("/map/news.xml"), "ru")
    assert not site.hits("/feed")


def test_a_feed_where_feeds_usually_are_is_found_without_a_word_of_the_page(desk: Desk) -> None:
    site = desk.newsroom.site("usual.test")
    site.page("/urdu/", front_page("ur"))
    site.feed("/rss.xml", items("ur"), language="ur")
    desk.write()
    source = desk.add(site.url("/urdu/"))["source"]
    assert (source["url"], source["language"], source["country"]) == (site.url("/rss.xml"), "ur", "PK")


@pytest.mark.parametrize("language", ["en", "ru", "ur"])
def test_a_page_that_lists_articles_is_a_listing(desk: Desk, language: str) -> None:
    site = desk.newsroom.site(f"list-{language}.test")
    links = "".join(
        f"<div class='card'><h3><a href='/2026/11/25/story-{n}-{n}{n}{n}{n}{n}'>{t}</a></h3></div>"
        for n, t in enumerate(TITLES[language])
    )
    site.page("/news", front_page(language, body=links))
    desk.write()
    value = desk.add(site.url("/news"))
    assert (value["source"]["kind"], value["source"]["language"]) == ("listing", language)
    assert value["entries_seen"] == 6
    assert value["requests"] <= 26


def test_the_address_of_a_feed_and_of_a_sitemap_are_taken_as_they_are(desk: Desk) -> None:
    site = desk.newsroom.site("direct.test")
    site.feed("/a.xml", items("en"))
    site.page("/s.xml", "<urlset><url><loc>http://direct.test/1</loc><lastmod>2026-11-25</lastmod></url></urlset>")
    desk.write()
    assert desk.add(site.url("/a.xml"))["source"]["id"] == "direct"
    assert desk.add(site.url("/s.xml"))["source"] == {
        "id": "direct-2", "name": "direct.test", "url": site.url("/s.xml"), "kind": "sitemap",
    }  # fmt: skip
    assert desk.ids() == ["old", "direct", "direct-2"]


def test_a_feed_that_has_moved_is_written_where_it_is(desk: Desk) -> None:
    site = desk.newsroom.site("moved.test")
    site.redirect("/old", "/new")
    site.feed("/new", items("en"))
    desk.write()
    assert desk.add(site.url("/old"))["source"]["url"] == site.url("/new")


def test_a_stale_feed_gives_way_to_a_fresh_one_and_is_taken_with_a_warning_alone(desk: Desk) -> None:
    site = desk.newsroom.site("stale.test")
    old = [item("Long ago", "/x", "Wed, 01 Jan 2025 00:00:00 +0000")]
    site.page("/", front_page("en", '<link rel="alternate" type="application/rss+xml" href="/dead">'))
    site.feed("/dead", old)
    desk.write()
    value = desk.add(site.url("/"), "--dry-run")
    assert (value["source"]["url"], value["written"]) == (site.url("/dead"), False)
    assert "old items only" in value["remark"]
    site.feed("/feed", items("en"))
    assert desk.add(site.url("/"))["source"]["url"] == site.url("/feed")


def test_options_overrule_the_guesses(desk: Desk) -> None:
    site = desk.newsroom.site("chosen.test")
    site.feed("/rss", items("en"))
    desk.write()
    words = ["--id", "mine", "--name", "Моя: лента", "--country", "none", "--language", "ru"]
    desk.add(site.url("/rss"), *words)
    source = read_config(desk.path, desk.folder).sources[-1]
    assert (source.id, source.name, source.country, source.language) == ("mine", "Моя: лента", "", "ru")


def test_a_hostile_title_reaches_neither_the_terminal_nor_another_key(desk: Desk) -> None:
    site = desk.newsroom.site("hostile.test")
    title = "x\u2028  role: witness # '\" \u202e: {[&*!"
    site.feed("/rss", [item("\u202e\u009b31mevil\u0085", "/1", DAY.format(hour=1, zone="+0500"))], title=title)
    desk.write()
    done = desk.run("add", site.url("/rss"))
    assert done.exit_code == 0, done.output
    assert not {"\u202e", "\u009b", "\u0085", "\u2028"} & set(done.output + desk.path.read_text("utf-8"))
    source = read_config(desk.path, desk.folder).sources[-1]
    assert (source.role, source.name.startswith("x role: witness #")) == ("source", True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["http://old.test/rss"], "is there already, as old"),
        (["https://www.old.test/rss"], "is there already, as old"),
        (["http://fresh.test/rss", "--id", "old"], "the id 'old' is taken"),
        (["http://fresh.test/rss", "--id", "No Id"], "is no id"),
        (["http://fresh.test/rss", "--country", "Pakistan"], "two capitals"),
        (["http://fresh.test/rss", "--language", "urdu!"], "is no language"),
        (["ftp://fresh.test/rss"], "is no address"),
        (["javascript://fresh.test/%0aalert(1)"], "is no address"),
        (["http://user:secret@fresh.test/rss"], "is no address"),
        (["http://fresh.test:6667/rss"], "is no address"),
    ],
)
def test_what_cannot_be_added_changes_nothing_and_asks_nobody(desk: Desk, words: list[str], says: str) -> None:
    site = desk.newsroom.site("fresh.test")
    site.feed("/rss", items("en"))
    before = desk.write()
    desk.newsroom.forget()
    done = desk.run("add", *words)
    assert done.exit_code == 2
    assert says in str(done.exception or done.output) + done.output
    assert "secret" not in done.output
    assert desk.path.read_text("utf-8") == before
    assert not desk.newsroom.hits()


def test_a_site_that_names_a_feed_we_have_is_there_already(desk: Desk) -> None:
    site = desk.newsroom.site("old.test")
    site.page("/", front_page("en", '<link rel="alternate" type="application/rss+xml" href="/rss">'))
    site.feed("/rss", items("en"))
    before = desk.write()
    done = desk.run("add", site.url("/"))
    assert (done.exit_code, desk.path.read_text("utf-8")) == (2, before)


def test_a_private_address_a_forbidding_robots_file_and_a_silent_host_are_respected(desk: Desk) -> None:
    closed = desk.newsroom.site("closed.test")
    closed.robots("User-agent: *\nDisallow: /\n")
    closed.feed("/rss", items("en"))
    rest = desk.newsroom.site("rest.test")
    rest.answers("/", [Answer(429, {"Retry-After": "600"})])
    broken = desk.newsroom.site("broken.test")
    broken.robots("no", status=503)
    desk.newsroom.site("down.test").down()
    before = desk.write().replace('"127.0.0.0/8"', "")
    assert desk.add(closed.url("/rss"))["source"] is None
    assert not closed.hits("/rss")
    assert desk.add(rest.url("/"))["source"] is None
    assert [h.path for h in rest.hits()] == ["/robots.txt", "/"]
    assert desk.add(broken.url("/"))["source"] is None
    assert not broken.hits("/")
    assert desk.run("add", "http://down.test/").exit_code == 3
    desk.path.write_text(before, "utf-8")
    desk.newsroom.forget()
    done = desk.run("add", "http://fresh.test/rss")
    assert done.exit_code == 1
    assert not desk.newsroom.hits()
    assert desk.path.read_text("utf-8") == before


def test_a_site_without_any_list_is_left_after_few_requests(desk: Desk) -> None:
    site = desk.newsroom.site("empty.test")
    site.page("/", article("Only this", ["One page."]))
    site.otherwise(Answer(200, HTML, b"<html><body><h1>Not found</h1></body></html>"))
    before = desk.write()
    done = desk.run("add", site.url("/"))
    assert done.exit_code == 1
    assert "nothing was written" in done.output
    assert len(site.hits()) <= 26
    assert desk.path.read_text("utf-8") == before


CHECKED = """
sources:
  - {id: fine, url: "http://fine.test/rss", kind: feed, language: ur}
  - {id: spare, url: "http://fine.test/rss?b", kind: feed, language: ru, enabled: false}
  - {id: moved, url: "http://went.test/rss", kind: feed}
  - {id: dusty, url: "http://dusty.test/rss", kind: feed}
  - {id: bare, url: "http://bare.test/rss", kind: feed}
  - {id: front, url: "http://front.test/", kind: feed}
  - {id: gone, url: "http://gone.test/rss", kind: feed}
  - {id: wall, url: "http://wall.test/rss", kind: feed}
  - {id: barred, url: "http://barred.test/rss", kind: feed}
  - {id: hurt, url: "http://hurt.test/rss", kind: feed}
"""


def test_check_says_of_each_source_in_words_what_to_do(desk: Desk) -> None:
    site = desk.newsroom.site
    site("fine.test").feed("/rss", items("ur"))
    site("fine.test").feed("/rss?b", items("ru"))
    site("went.test").redirect("/rss", "/now")
    site("went.test").feed("/now", items("en"))
    site("dusty.test").feed("/rss", [item("Long ago", "/x", "Wed, 01 Jan 2025 00:00:00 +0000")])
    site("bare.test").feed("/rss", [])
    site("front.test").page("/", front_page("en", '<link rel="alternate" type="application/rss+xml" href="/f">'))
    site("gone.test")
    site("wall.test").page("/rss", "no", status=403)
    site("barred.test").robots("User-agent: *\nDisallow: /\n")
    site("hurt.test").page("/rss", "oh", status=500)
    desk.write(CHECKED)
    done = desk.run("check", "--all", "--json")
    rows = {row["id"]: row for row in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert {id_: row["outcome"] for id_, row in rows.items()} == {
        "fine": "new", "spare": "new", "moved": "moved", "dusty": "stale", "bare": "empty", "front": "not_a_feed",
        "gone": "gone", "wall": "blocked", "barred": "blocked", "hurt": "failed",
    }  # fmt: skip
    says = {
        "fine": "", "spare": "take `enabled: false` away", "moved": "write `url: http://went.test/now`",
        "dusty": "sources add http://dusty.test/", "bare": "look at it in a browser",
        "front": "write `url: http://front.test/f`", "gone": "`enabled: false`", "wall": "ask the site",
        "barred": "keep to it", "hurt": "out of order (status 500)",
    }  # fmt: skip
    for id_, words in says.items():
        assert words in rows[id_]["advice"], id_
    table = desk.run("check", "--all").output
    assert "10 sources: 2 alive, 1 moved, 1 stale, 1 empty, 1 no feed, 2 blocked, 1 gone, 1 failed" in table


def test_a_rest_that_a_host_has_asked_for_holds_for_check_and_add(desk: Desk) -> None:
    site = desk.newsroom.site("tired.test")
    site.answers("/rss", [Answer(429, {"Retry-After": "6000"})])
    desk.write('sources:\n  - {id: tired, url: "http://tired.test/rss", kind: feed}\n')
    arguments = ["--config", str(desk.path), "--now", NOW, "crawl", "--all"]
    CliRunner().invoke(cli, arguments)
    assert len(site.hits("/rss")) == 1
    assert json.loads(desk.run("check", "--json").stdout)[0]["outcome"] == "throttled"
    desk.add(site.url("/other"))
    assert [h.path for h in site.hits()] == ["/robots.txt", "/rss"]


def test_import_and_export_by_the_command_line(desk: Desk) -> None:
    desk.write()
    done = desk.run("export")
    assert done.exit_code == 0
    assert done.output.startswith("<?xml")
    again = desk.run("import", "-", "--json", text=done.output)
    assert (again.exit_code, json.loads(again.stdout)["skipped"][0]["id"]) == (0, "old")
    bad = '<opml version="2.0"><body><outline text="x" xmlUrl="nowhere"/><outline text="новое" xmlUrl="http://n.ru/"/></body></opml>'
    dry = desk.run("import", "-", "--dry-run", text=bad)
    assert (dry.exit_code, desk.ids()) == (1, ["old"])
    done = desk.run("import", "-", text=bad)
    assert (done.exit_code, desk.ids()) == (1, ["old", "n"])
    assert "-:1: refused" in done.output


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://t.me/mid_russia", ("https://t.me/s/mid_russia", "listing")),
        ("https://t.me/s/mid_russia?before=9", ("https://t.me/s/mid_russia", "listing")),
        (
            "https://www.youtube.com/channel/UCa_b",
            ("https://www.youtube.com/feeds/videos.xml?channel_id=UCa_b", "feed"),
        ),
        ("https://m.youtube.com/user/dw", ("https://www.youtube.com/feeds/videos.xml?user=dw", "feed")),
        ("https://youtube.com/playlist?list=PL1", ("https://www.youtube.com/feeds/videos.xml?playlist_id=PL1", "feed")),
        ("https://www.youtube.com/@dw", None),
        ("https://t.me/", None),
        ("https://t.me.evil.test/x", None),
    ],
)
def test_channels_are_known_by_their_address(url: str, known: tuple[str, str] | None) -> None:
    assert rewritten(url) == known


def test_a_telegram_channel_is_read_from_its_public_preview_and_a_youtube_page_names_its_feed(desk: Desk) -> None:
    messages = "".join(
        f'<div class="tgme_widget_message" data-post="volna/{n}"><div class="tgme_widget_message_text">{title}</div>'
        f'<a class="tgme_widget_message_date" href="https://t.me/volna/{n}"><time datetime="2026-11-25T0{n}:00:00+03:00">'
        "</time></a></div>"
        for n, title in enumerate(TITLES["ru"])
    )
    desk.newsroom.site("t.me").page("/s/volna", front_page("ru", body=messages))
    tube = desk.newsroom.site("www.youtube.com")
    feed = "/feeds/videos.xml?channel_id=UCx"
    tube.page("/@subh", front_page("ur", f'<link rel="alternate" type="application/rss+xml" href="{feed}">'))
    tube.feed(feed, items("ur"), title="صبح")
    desk.write()
    channel = desk.add("http://t.me/volna")
    assert (channel["source"]["id"], channel["source"]["kind"]) == ("telegram-volna", "listing")
    assert channel["source"]["language"] == "ru"
    assert {entry["title"] for entry in channel["entries"]} <= set(TITLES["ru"])
    source = desk.add("http://www.youtube.com/@subh")["source"]
    assert (source["id"], source["url"], source["language"]) == ("youtube-ucx", tube.url(feed), "ur")


def test_the_neighbours_of_a_page_that_redirects_are_asked_where_it_is(desk: Desk) -> None:
    site, real = desk.newsroom.site("short.test"), desk.newsroom.site("www.long.test")
    site.redirect("/", real.url("/home/"), status=302)
    real.page("/home/", front_page("en", '<link rel="alternate" type="application/atom+xml" href="world.xml">'))
    real.feed("/home/world.xml", items("en"))
    desk.write()
    assert desk.add(site.url("/"))["source"]["url"] == real.url("/home/world.xml")


def test_an_index_of_sitemaps_is_a_source_by_what_it_leads_to(desk: Desk) -> None:
    site = desk.newsroom.site("index.test")
    days = "".join(f"<url><loc>{site.url(f'/n/{n}')}</loc><lastmod>2026-11-2{n}</lastmod></url>" for n in range(1, 6))
    site.page("/sitemap.xml", f"<sitemapindex><sitemap><loc>{site.url('/one.xml')}</loc></sitemap></sitemapindex>")
    site.page("/one.xml", f"<urlset>{days}</urlset>")
    site.page("/", front_page("en"))
    desk.write()
    value = desk.add(site.url("/"))
    assert (value["source"]["url"], value["entries_seen"]) == (site.url("/sitemap.xml"), 5)


def test_the_packaged_file_is_refused_before_anybody_is_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    done = CliRunner().invoke(cli, ["sources", "add", "http://fresh.test/rss"])
    assert isinstance(done.exception, PakrusError)
    assert "pakrus init" in str(done.exception)
