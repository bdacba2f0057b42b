"""The invented newsroom: its dialects over real sockets, its passes, and that its own expectations agree."""

import gzip
import http.client
import json
import re
import socket
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest

from crawler.config import parse_config
from crawler.demo.newsroom import Newsroom
from crawler.demo.newsroom.content import fill_dates, pieces
from crawler.demo.newsroom.pages import INVENTED
from crawler.demo.newsroom.server import Request, conditional
from crawler.demo.newsroom.sites import BY_ID, SITES, Site
from tests.newsroom import Answer, article, item
from tests.newsroom import Newsroom as Sites

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
SECTORS = set(
    "energy trade finance agriculture industry transport technology defence security diplomacy education culture sport"
    " tourism media health disaster regulation labour".split()
)
UP = [site for site in SITES if not site.down]


@pytest.fixture(scope="module")
def first():
    """The newsroom in its first pass, past the 429."""
    with Newsroom(now=NOW) as newsroom:
        for site in UP:
            newsroom.answer(Request(host=site.host, path=site.feed))
        yield newsroom


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def get(port: int, url: str, **headers: str):
    """status, headers, body of one GET; redirects are not followed."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": parts.netloc, **names})
    try:
        with OPENER.open(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers, answer.read()


def listed(site: Site, newsroom: Newsroom) -> list[str]:
    """The titles that a source lists, read by no code of ours."""
    status, headers, body = get(newsroom.port, f"http://{site.host}{site.feed}")
    assert status == 200
    if site.dialect == "json":
        return [entry["title"] for entry in json.loads(body)["items"]]
    if site.dialect == "listing":
        text = body.decode(headers.get_content_charset())
        return [unescape(title) for title in re.findall(r'class="news-list__title"[^>]*>([^<]+)<', text)]
    if site.dialect == "sitemap-index":
        child = ET.fromstring(body)[0][0].text
        body = gzip.decompress(get(newsroom.port, child)[2])
    if site.declares == "header":
        body = body.decode(headers.get_content_charset()).encode()
    entries = [e for e in ET.fromstring(body).iter() if e.tag.rsplit("}", 1)[-1] in {"item", "entry", "url"}]
    return [next(e.text for e in entry.iter() if e.tag.endswith("title")) for entry in entries]


def title_of(piece) -> str:
    at = piece.published(NOW) or NOW
    return piece.dated(at.astimezone(BY_ID[piece.site].zone).date()).title


@pytest.mark.parametrize("site", [s for s in UP if s.role == "source"], ids=lambda s: s.id)
def test_source_lists_its_articles_in_its_own_dialect(site, first):
    assert sorted(listed(site, first)) == sorted(title_of(p) for p in pieces() if p.site == site.id and p.seen == 1)


def test_search_feed_lists_two_items_that_no_source_has(first):
    titles = listed(BY_ID["news-search"], first)
    ours = {title_of(piece) for piece in pieces()}
    assert len([title for title in titles if title.rsplit(" - ", 1)[0] not in ours]) == 2


def test_every_article_is_served_with_its_text_and_says_that_it_is_invented(first):
    for piece in (p for p in pieces() if p.seen == 1 and not BY_ID[p.site].down):
        site = BY_ID[piece.site]
        status, headers, body = get(first.port, first.url(piece))
        assert status == 200, piece.id
        page = unescape(body.decode(headers.get_content_charset()))
        day = (piece.published(NOW) or NOW).astimezone(site.zone).date()
        for paragraph in piece.dated(day).body:
            assert paragraph in page, piece.id
        assert INVENTED[site.language] in page
        assert "{" not in "".join(piece.dated(day).body), piece.id


def every_answer(newsroom: Newsroom) -> dict[str, Answer]:
    answers = {}
    for site in UP:
        for path in (site.feed, site.feed, "/", "/robots.txt"):  # twice: the first may be a 429
            answers[site.host + path] = newsroom.answer(Request(host=site.host, path=path))
    for expectation in newsroom.expected(number=3):
        parts = urlsplit(expectation.url)
        answers[expectation.url] = newsroom.answer(Request(host=parts.netloc, path=parts.path))
    return answers


def test_same_now_gives_the_same_bytes_in_every_pass():
    one, other = Newsroom(now=NOW), Newsroom(now=NOW.astimezone(BY_ID["volga-telegraph"].zone))
    try:
        assert every_answer(one) == every_answer(other)
        for number in (2, 3):
            assert (one.advance(), other.advance()) == (number, number)
            assert every_answer(one) == every_answer(other)
    finally:
        one.stop()
        other.stop()


def test_now_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        Newsroom(now=datetime(2026, 11, 25))


def test_nothing_is_dated_after_the_clock_of_its_pass():
    newsroom = Newsroom(now=NOW)
    newsroom.stop()
    for piece in pieces():
        assert piece.hours is None or piece.published(NOW) <= newsroom.clock(piece.seen), piece.id


@pytest.mark.parametrize("number", [2, 3])
def test_later_pass_answers_304_except_where_something_changed(number):
    with Newsroom(now=NOW) as newsroom:
        while newsroom.number < number - 1:
            newsroom.advance()
        before = every_answer(newsroom)
        newsroom.advance()
        expected = newsroom.expected()
        changed = {e.source for e in expected if number in (e.seen, e.edited, e.withdrawn)}
        assert 0 < len(changed) < len(UP)
        for site in UP:
            old = before[site.host + site.feed]
            headers = {}
            if "ETag" in old.headers:
                headers["If_None_Match"] = old.headers["ETag"]
            if "Last-Modified" in old.headers:
                headers["If_Modified_Since"] = old.headers["Last-Modified"]
            if not headers:  # sibir-segodnya: only the bytes tell
                now = get(newsroom.port, f"http://{site.host}{site.feed}")[2]
                assert (now == old.body) == (site.id not in changed)
                continue
            status, _, body = get(newsroom.port, f"http://{site.host}{site.feed}", **headers)
            assert (status, body == b"") == ((200, False) if site.id in changed else (304, True)), site.id


@pytest.mark.parametrize("number", [2, 3])
def test_later_pass_edits_adds_and_withdraws(number):
    with Newsroom(now=NOW) as newsroom:
        while newsroom.number < number - 1:
            newsroom.advance()
        edited = [p for p in pieces() if p.edit and p.edit.seen == number]
        new = [p for p in pieces() if p.seen == number]
        gone = [p for p in pieces() if p.until == number - 1]
        assert {p.language for p in edited} == {p.language for p in new} == {"en", "ru", "ur"}
        urls = {p.id: newsroom.url(p) for p in pieces()}
        before = {p.id: get(newsroom.port, urls[p.id]) for p in edited + new + gone}
        newsroom.advance()
        after = {p.id: get(newsroom.port, urls[p.id]) for p in edited + new + gone}
        for piece in edited:
            charset = BY_ID[piece.site].charset
            assert piece.edit.title not in before[piece.id][2].decode(charset), piece.id
            assert piece.edit.title in after[piece.id][2].decode(charset), piece.id
        assert {(before[p.id][0], after[p.id][0]) for p in new} == {(404, 200)}
        assert {(before[p.id][0], after[p.id][0]) for p in gone} == {(200, 410)}
        for piece in gone:
            assert title_of(piece) not in listed(BY_ID[piece.site], newsroom)


def test_throttled_source_says_retry_after_once():
    site = BY_ID["don-gazette"]
    with Newsroom(now=NOW) as newsroom:
        status, headers, _ = get(newsroom.port, site.source_url)
        assert (status, headers["Retry-After"]) == (429, "2")
        assert get(newsroom.port, site.source_url)[0] == 200


def test_moved_source_redirects_permanently(first):
    site = BY_ID["khyber-monitor"]
    status, headers, _ = get(first.port, site.source_url)
    assert (status, headers["Location"]) == (301, f"http://{site.host}{site.feed}")


def test_source_that_is_down_refuses_connections(first):
    host, port = first.resolve()["gwadar-bulletin.example"].split(":")
    with pytest.raises(ConnectionRefusedError), socket.create_connection((host, int(port)), timeout=5):
        pass


def test_robots_txt_forbids_the_articles_of_one_site_only(first):
    assert b"Disallow: /story/" in get(first.port, "http://chenab-mirror.example/robots.txt")[2]
    assert get(first.port, "http://ural-delo.example/robots.txt")[0] == 404
    blocked = [e for e in first.expected() if e.state == "blocked"]
    assert {e.source for e in blocked} == {"chenab-mirror"}
    assert all(urlsplit(e.url).path.startswith("/story/") for e in blocked)


def test_two_feeds_are_windows_1251_and_one_says_so_only_in_the_header(first):
    _, headers, body = get(first.port, BY_ID["volga-telegraph"].source_url)
    assert b'encoding="windows-1251"' in body and headers.get_content_charset() == "windows-1251"
    _, headers, body = get(first.port, BY_ID["neva-vestnik"].source_url)
    assert b"encoding" not in body.split(b"\n")[0] and headers.get_content_charset() == "windows-1251"
    assert "Пакистан" in body.decode("windows-1251")


def test_config_of_the_demo_is_valid(first):
    config = parse_config(first.config_text(database="x.db", directory="out"))
    assert [source.id for source in config.sources] == [site.id for site in SITES]
    assert {source.role for source in config.sources} == {"source", "witness"}
    assert config.crawl.resolve["indus-courier.example"] == ("127.0.0.1", first.port)


# What the content promises


def test_content_is_large_and_varied_enough():
    own = [piece for piece in pieces() if not piece.copy_of]
    languages, grades = Counter(p.language for p in own), Counter(p.grade for p in own)
    assert len(own) >= 120 and min(languages.values()) >= 20
    assert grades[2] + grades[1] >= 60 and grades[0] >= 25
    assert all(any(p.language == lang and p.grade == g for p in own) for lang in languages for g in (0, 1, 2))


def test_every_sector_is_the_first_of_some_article():
    assert {p.sectors[0] for p in pieces() if p.sectors} == SECTORS
    for piece in pieces():
        assert set(piece.sectors) | set(piece.optional) <= SECTORS, piece.id
        assert bool(piece.sectors) == (piece.grade > 0), piece.id
        assert not set(piece.sectors) & set(piece.optional), piece.id


def test_six_stories_are_told_in_three_languages():
    told: dict[str, set[str]] = {}
    for piece in pieces():
        if piece.story:
            told.setdefault(piece.story, set()).add(piece.language)
    assert len([story for story, languages in told.items() if len(languages) == 3]) >= 6


def test_pieces_of_one_story_have_one_grade_and_a_common_sector():
    stories: dict[str, list] = {}
    for piece in pieces():
        stories.setdefault(piece.story or piece.copy_of or piece.id, []).append(piece)
    for story, told in stories.items():
        assert len({p.grade for p in told}) == 1, story
        assert told[0].grade == 0 or set.intersection(*(set(p.sectors) for p in told)), story


def test_pieces_stand_on_sites_of_their_language_and_in_sensible_time():
    for piece in pieces():
        assert BY_ID[piece.site].language == piece.language, piece.id
        assert piece.hours is None or -500 < piece.hours < 24, piece.id
    hours = [piece.hours for piece in pieces()]
    assert None in hours and any(h < -48 for h in hours if h) and any(h < -14 * 24 for h in hours if h)


def test_page_with_a_second_article_below_names_one_of_its_own_site():
    by_id = {piece.id: piece for piece in pieces()}
    below = [piece for piece in pieces() if piece.below]
    assert {p.language for p in below} == {"en", "ru", "ur"}
    assert all(by_id[p.below].site == p.site for p in below)


def test_copies_are_nearly_their_originals():
    by_id = {piece.id: piece for piece in pieces()}
    copies = [piece for piece in pieces() if piece.copy_of]
    assert len(copies) >= 10
    for copy in copies:
        original = by_id[copy.copy_of]
        assert original.site != copy.site
        mine, theirs = (set(" ".join(p.body).split()) for p in (copy, original))
        assert len(mine & theirs) / len(mine) > 0.8, copy.id
        assert copy.title != original.title


@pytest.mark.parametrize(
    ("language", "text", "filled"),
    [
        ("en", "{date}, {weekday}, {date+10}, {year-1}", "Nov 25, Wednesday, Dec 5, 2025"),
        ("ru", "{date}, {weekday}, {date-25}", "25 ноября, в среду, 31 октября"),
        ("ur", "{date} {weekday} {month+2}", "25 نومبر بدھ جنوری"),
    ],
)
def test_dates_in_the_text_follow_the_day(language, text, filled):
    assert fill_dates(text, NOW.date(), language) == filled


# The tests' own sites (newsroom.py)


def test_site_answers_differently_at_each_visit_and_keeps_the_last():
    with Sites() as newsroom:
        url = newsroom.site("dawn.test").answers("/x", [Answer(429, {"Retry-After": "5"}), Answer(200, {}, b"now")])
        assert [get(newsroom.port, url)[0] for _ in range(3)] == [429, 200, 200]
        assert [hit.status for hit in newsroom.hits("dawn.test", "/x")] == [429, 200, 200]


def test_site_redirects_answers_304_and_keeps_hosts_apart():
    with Sites() as newsroom:
        dawn, tass = newsroom.site("dawn.test"), newsroom.site("tass.test")
        feed = dawn.feed("/rss", [item("Talks open", "/a", "Wed, 25 Nov 2026 07:00:00 +0500")])
        dawn.page("/a", article("Talks open", ["Pakistan and Russia."]))
        dawn.redirect("/old", "/rss")
        tass.down()
        assert get(newsroom.port, dawn.url("/old"))[1]["Location"] == feed
        _, headers, body = get(newsroom.port, feed)
        assert b"http://dawn.test/a" in body
        assert get(newsroom.port, feed, If_None_Match=headers["ETag"])[0] == 304
        assert get(newsroom.port, "http://tass.test/rss")[0] == 404
        assert newsroom.resolve()["tass.test"] != newsroom.resolve()["dawn.test"] == newsroom.address
        assert [hit.conditional for hit in dawn.hits("/rss")] == [False, True]


def test_site_breaks_off_lies_and_drips():
    with Sites() as newsroom:
        site = newsroom.site("bad.test")
        site.page("/cut", b"x" * 1000, cut_after=10)
        site.page("/short", b"x" * 10, length=1000)
        site.page("/raw", b"", raw=b"no http at all\r\n")
        site.page("/slow", b"abc", drip=(1, 0.01))
        for path in ("/cut", "/short", "/raw"):
            with pytest.raises((OSError, http.client.HTTPException)):
                get(newsroom.port, site.url(path))
        assert get(newsroom.port, site.url("/slow"))[2] == b"abc"


def test_server_stops_at_once_while_answers_are_outstanding():
    newsroom = Sites()
    with newsroom:
        newsroom.site("slow.test").page("/", b"x", delay_s=60)
        with socket.create_connection(("127.0.0.1", newsroom.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n")
            while not newsroom.hits():
                time.sleep(0.005)
            started = time.monotonic()
            newsroom.__exit__()
            assert time.monotonic() - started < 2
            assert client.recv(100) == b""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": '"a"'}, 304),
        ({"if-none-match": 'W/"a", "b"'}, 304),
        ({"if-none-match": '"b"', "if-modified-since": "Wed, 25 Nov 2026 02:00:00 GMT"}, 200),
        ({"if-modified-since": "Wed, 25 Nov 2026 02:00:00 GMT"}, 304),
        ({"if-modified-since": "Wed, 25 Nov 2026 01:59:59 GMT"}, 200),
        ({"if-modified-since": "yesterday"}, 200),
    ],
)
def test_condition_of_a_request(headers, status):
    at = "Wed, 25 Nov 2026 02:00:00 GMT"
    answer = Answer(200, {"ETag": '"a"', "Last-Modified": at}, b"x")
    assert conditional(Request(host="a.test", path="/", headers=headers), answer).status == status


def test_pieces_appear_relative_to_now():
    piece = next(p for p in pieces() if p.hours == -6)
    assert piece.published(NOW) == NOW - timedelta(hours=6)
