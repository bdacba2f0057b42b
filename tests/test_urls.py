"""One key a page, and links made usable: cases/urls holds pairs that are one page, pairs that are two, and links."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler import urls

CASES = Path(__file__).parent / "cases/urls"


def _rows(name: str) -> list[list[str]]:
    lines = (CASES / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


SAME, DIFFERENT = _rows("same.txt"), _rows("different.txt")
ABSOLUTE = [json.loads(line) for line in (CASES / "absolute.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("one", "other", "key"), SAME)
def test_two_addresses_of_one_page_share_a_key(one: str, other: str, key: str) -> None:
    assert (urls.canonical(one), urls.canonical(other)) == (key, key)
    assert urls.canonical(key) == key


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_pages_keep_two_keys(one: str, other: str) -> None:
    assert urls.canonical(one) != urls.canonical(other)


def test_the_case_files_hold_sixty_pairs() -> None:
    assert len(SAME) >= 60


@pytest.mark.parametrize("case", ABSOLUTE, ids=lambda c: repr(c["href"])[:50])
def test_links_are_made_usable_or_refused(case: dict[str, Any]) -> None:
    assert urls.absolute(case["href"], case["base"]) == case["url"]


_PARTS = st.sampled_from(
    "amp|index.html|m.|www.|/|//|..|.|%2e|%7E|%zz|?|&|=|#|;jsessionid=1|utm_source=x|from=rss|news|latest|story|12345678"
    "|-slug|.html|A|b|ц|خبر| |dawn.com|ria.ru|/20251105/|rt.com|s/|iz.ru|en|article|.ece|:80|:8080|doc|export".split(
        "|"
    )
)


@given(st.lists(_PARTS, max_size=12), st.sampled_from([row[2] for row in SAME]))
@example(["/amp", "/amp", "/index.html"], "https://example.com")
@example(["/%2e%2e/", "/%2561"], "https://example.com")
def test_a_key_of_a_key_is_itself(parts: list[str], start: str) -> None:
    for address in (start + "".join(parts), "https://" + "".join(parts)):
        key = urls.canonical(address)
        assert urls.canonical(key) == key


@given(st.text(max_size=60))
def test_any_text_has_a_stable_key_and_no_text_raises(text: str) -> None:
    key = urls.canonical(text)
    assert urls.canonical(key) == key
    assert isinstance(urls.host(text), str)
    assert isinstance(urls.site(text), str)
    urls.is_search_link(text)


@given(st.text(max_size=60), st.sampled_from(["https://example.com/a/b?c=d", "", "нет"]))
def test_a_usable_link_is_plain_ascii_and_stays_as_it_is(href: str, base: str) -> None:
    found = urls.absolute(href, base)
    if found is not None:
        assert found.isascii()
        assert found.startswith(("http://", "https://"))
        assert urls.absolute(found, base) == found


@given(st.from_regex(r"/[A-Za-z]{1,8}/[A-Za-z0-9]{1,8}", fullmatch=True))
def test_no_letter_case_of_a_path_is_lost(path: str) -> None:
    lower, given_key = (
        urls.canonical(f"https://site.example{path.lower()}"),
        urls.canonical(f"https://site.example{path}"),
    )
    assert path == path.lower() or lower != given_key


@pytest.mark.parametrize(
    ("url", "host", "site"),
    [
        ("https://www.Dawn.com/x", "www.dawn.com", "dawn.com"),
        ("https://m.ria.ru:443/x", "m.ria.ru", "ria.ru"),
        ("http://urdu.arynews.tv:8080/", "urdu.arynews.tv:8080", "urdu.arynews.tv:8080"),
        ("https://amp.www.example.com", "amp.www.example.com", "example.com"),
        ("https://президент.рф/", "xn--d1abbgf6aiiy.xn--p1ai", "xn--d1abbgf6aiiy.xn--p1ai"),
        ("http://127.0.0.1:5000/", "127.0.0.1:5000", "127.0.0.1:5000"),
        ("http://localhost:5000/", "localhost:5000", "localhost:5000"),
        ("http://[::1]:5000/", "[::1]:5000", "[::1]:5000"),
        ("https://m.pk/", "m.pk", "m.pk"),
        ("", "", ""),
        ("mailto:x", "", ""),
    ],
)
def test_host_and_site(url: str, host: str, site: str) -> None:
    assert (urls.host(url), urls.site(url)) == (host, site)


@pytest.mark.parametrize(
    "url",
    [
        "https://news.google.com/rss/articles/CBMiABC?oc=5",
        "http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fdawn.com%2f1",
        "https://www.google.com/url?q=https://dawn.com",
        "https://news.yandex.ru/yandsearch?cl4url=x",
        "http://feedproxy.google.com/~r/site/~3/abc/story",
        "https://t.co/abc",
    ],
)
def test_search_and_proxy_links_are_no_identity(url: str) -> None:
    assert urls.is_search_link(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.dawn.com/news/1",
        "https://blog.google/x",
        "https://example.com/?u=https://t.co/",
        "https://ria.ru/",
        "bit",
    ],
)
def test_articles_are_no_search_links(url: str) -> None:
    assert not urls.is_search_link(url)
