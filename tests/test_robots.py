"""robots.txt: who may go where, and how long an answer holds."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler import robots
from store.records import HostState

NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
AGENT = "pakrus/0.1 (+https://example.org/bot)"


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /news/\nAllow: /news/world/", "/news/world/1", True),
        ("User-agent: *\nDisallow: /news/\nAllow: /news/world/", "/news/sport/1", False),
        ("User-agent: *\nAllow: /p\nDisallow: /", "/page", True),
        ("User-agent: *\nDisallow: /*.php$", "/x.php", False),
        ("User-agent: *\nDisallow: /*.php$", "/x.php?a", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: pakrus\nDisallow: /private", "/a", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Pakrus\nDisallow: /private", "/private/a", False),
        ("User-agent: bot\nDisallow: /", "/a", True),
        ("User-agent: pak\nDisallow: /", "/a", True),
        ("User-agent: rus\nDisallow: /", "/a", True),
        ("User-agent: pakrus-news\nDisallow: /", "/a", True),
        ("User-agent: pakrus/0.2 (x) # we\rDisallow: /", "/a", False),
        ("User-agent: pakrus*\nDisallow: /", "/a", False),
        ("user agent : PAKRUS\nDisallow: /", "/a", False),
        ("User-agent: pakrus\nDisallow: /a\n\nUser-agent: pakrus\nDisallow: /b", "/a", False),
        ("User-agent: pakrus\nDisallow: /a\n\nUser-agent: pakrus\nDisallow: /b", "/b", False),
        ("User-agent: other\nUser-agent: pakrus\nDisallow: /a", "/a", False),
        ("\ufeffUser-agent: *\nDisallow: /новости", "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/1", False),
        ("<html><body>404</body></html>", "/a", True),
        ("User-agent: *\nDisallow: /a", "/robots.txt", True),
    ],
)
def test_rules(text: str, path: str, allowed: bool) -> None:
    assert robots.allows(text.lstrip("\ufeff"), f"https://dawn.example{path}", AGENT) is allowed


@pytest.mark.parametrize(("line", "delay"), [("5", 5.0), ("0.5", 0.5), ("86400", 60.0), ("-1", None), ("nan", None)])
def test_crawl_delay_is_capped_at_a_minute(line: str, delay: float | None) -> None:
    assert robots.delay_s(f"User-agent: *\nCrawl-delay: {line}", AGENT) == delay


def test_own_group_decides_on_the_delay() -> None:
    text = "User-agent: *\nCrawl-delay: 30\n\nUser-agent: pakrus\nCrawl-delay: 2\nDisallow: /x"
    assert robots.delay_s(text, AGENT) == 2


@pytest.mark.parametrize(
    ("status", "settles"),
    [(200, True), (204, True), (404, True), (401, True), (403, True), (429, False), (500, False), (503, False)],
)
def test_what_settles_the_question(status: int, settles: bool) -> None:
    assert robots.answered(status) is settles


def had(*, asked: timedelta, good: timedelta | None, text: str | None = "") -> HostState:
    return HostState(
        host="dawn.example", robots=text, robots_at=NOW - asked, robots_good_at=None if good is None else NOW - good
    )


def test_a_good_copy_holds_a_day() -> None:
    assert not robots.is_stale(had(asked=timedelta(hours=23), good=timedelta(hours=23)), NOW)
    assert robots.is_stale(had(asked=timedelta(hours=24), good=timedelta(hours=24)), NOW)


def test_after_a_failure_it_is_asked_for_again_soon() -> None:
    failed = had(asked=timedelta(minutes=2), good=timedelta(hours=5))
    assert robots.is_stale(failed, NOW)
    assert not robots.is_stale(had(asked=timedelta(seconds=20), good=None, text=None), NOW)


def test_never_asked_and_asked_in_the_future_are_stale() -> None:
    assert robots.is_stale(HostState(host="dawn.example"), NOW)
    assert robots.is_stale(had(asked=-timedelta(days=300), good=-timedelta(days=300)), NOW)


def test_half_a_megabyte_of_rules_is_read_quickly() -> None:
    text = "User-agent: *\n" + "".join(f"Disallow: /a{i}/*/b$\n" for i in range(20_000))
    assert robots.allows(text[: robots.MAX_BYTES], "https://dawn.example/" + "a/" * 500, AGENT)
