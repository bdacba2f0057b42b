"""One rule of reading a page at a time."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crawler import urls
from crawler.extract import extract
from crawler.types import Document, Entry, Moment

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://www.paper.example/news/berths"
TITLE = "Karachi port signs berth-sharing plan with Novorossiysk"
PROSE = [
    "The Karachi Port Trust and the harbour authority of Novorossiysk agreed to share berths for a container loop.",
    "Under the plan, four vessels will call at both ports between January and June, carrying citrus and rice westward.",
    "The Russian side will waive storage charges for the first ten days, and a joint desk will clear the papers.",
    "Freight forwarders reacted with caution and pointed to insurance premiums and to the number of plugs.",
]


def page(head: str = "", *, title: str = TITLE, body: str = "", h1: str = TITLE, foot: str = "") -> str:
    text = body or "".join(f"<p>{line}</p>" for line in PROSE)
    return (
        f"<html><head><title>{title}</title>{head}</head><body><h1>{h1}</h1><div class='text'>{text}</div>{foot}"
        "</body></html>"
    )


def read(html: str, *, url: str = URL, zone: str = "UTC", **more: object) -> Document:
    return extract(html, url=url, zone=ZoneInfo(zone), now=NOW, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("href", "believed"),
    [
        ("https://paper.example/news/berths-2", True),
        ("https://m.paper.example/news/berths-2", True),
        ("/news/berths-2", True),
        ("https://other.example/news/berths-2", False),
        ("https://paper.example/", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_canonical_url_is_believed_on_the_pages_own_site_only(href: str, believed: bool) -> None:
    document = read(page(f'<link rel="canonical" href="{href}">'))
    assert urls.canonical(document.canonical_url) == (
        "https://paper.example/news/berths-2" if believed else "https://paper.example/news/berths"
    )


@pytest.mark.parametrize(
    ("title", "site"),
    [
        (f"{TITLE} - The Paper", "The Paper"),
        (f"{TITLE} | World | The Paper", "The Paper"),
        (f"The Paper: {TITLE}", "The Paper"),
        (f"{TITLE} » paper.example", ""),
        (f"{TITLE} — Газета «Порт»", "Газета «Порт»"),
        (f"{TITLE} | روزنامہ ساحل", "روزنامہ ساحل"),
        (f"{TITLE} :: The Paper", "The Paper"),
    ],
)
def test_title_comes_without_the_sites_name(title: str, site: str) -> None:
    head = f'<meta property="og:site_name" content="{site}">' if site else ""
    assert read(page(head, title=title, h1="")).title.removesuffix(" | World") == TITLE


def declared(headline: str, shared: str) -> str:
    return (
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "headline": headline})}</script>'
        f'<meta property="og:title" content="{shared}"><meta property="article:section" content="Business">'
    )


@pytest.mark.parametrize(
    ("headline", "shared", "listed", "h1"),
    [
        (
            TITLE,
            f"{TITLE} * The Paper * by Bilal Anjum",
            f"{TITLE} * The Paper",
            TITLE,
        ),  # no longer form of a cut title
        (f"Shipping: {TITLE}", TITLE, f"Shipping: {TITLE}", f"Shipping: {TITLE}"),  # a kicker
        (f"{TITLE} | Sea trade", TITLE, f"{TITLE} | Sea trade", TITLE),
        (f"{TITLE} - Business - paper.example", TITLE, "", ""),  # the section, and the site by its address
        (f"{TITLE} : 14.03.2025, 10.19", f"{TITLE} : 14.03.2025, 10.19", "", TITLE),  # a time that the heading lacks
        ("Karachi port and Novorossiysk: berths", TITLE, "Karachi port and Novorossiysk: berths", TITLE),
    ],
)
def test_title_is_what_readers_are_shown(headline: str, shared: str, listed: str, h1: str) -> None:
    assert read(page(declared(headline, shared), title=listed, h1=h1)).title == TITLE


@pytest.mark.parametrize(
    ("kicker", "title"),
    [
        ("Порты", "Карачи и Новороссийск поделят причалы для контейнерной линии"),
        ("بندرگاہیں", "کراچی اور نوووروسیسک کی بندرگاہیں برتھیں بانٹیں گی"),
    ],
)
def test_kicker_inside_the_heading_is_not_the_title(kicker: str, title: str) -> None:
    html = page(declared(f"{kicker}: {title}", title), title=title, h1=f"<span>{kicker}</span> {title}")
    assert read(html).title == title


WORDINGS = [  # for readers, for search engines
    (TITLE, "Karachi port, Novorossiysk: berths in brief"),
    ("Карачи и Новороссийск поделят причалы", "Порт Карачи: новости о причалах"),
    ("کراچی اور نوووروسیسک کی بندرگاہیں برتھیں بانٹیں گی", "کراچی بندرگاہ: برتھ کی تازہ خبر"),
]


@pytest.mark.parametrize(("title", "other"), WORDINGS)
@pytest.mark.parametrize(
    "trail",
    ["<nav><a href='/'>Home</a>{}</nav>", "<ol><li>{}</li></ol>", "<div class='site-crumbs breadcrumb'>{}</div>"],
)
def test_heading_in_a_breadcrumb_is_for_search_engines(title: str, other: str, trail: str) -> None:
    html = page(declared(other, title), title=other, h1="")
    above = f"<header><h2><span>Shipping</span> <span>{title}</span></h2></header>"
    assert read(html.replace("<h1></h1>", trail.format(f"<h1>{other}</h1>") + above)).title == title


@pytest.mark.parametrize(("title", "other"), WORDINGS)
def test_of_two_declared_headings_the_one_unlike_the_pages_title_is_for_readers(title: str, other: str) -> None:
    html = page(declared(other, title), title=f"{other} | The Paper", h1=other)
    assert read(html.replace("<div class", f"<h2>{title}</h2><div class", 1)).title == title


def test_second_heading_that_links_is_a_teaser() -> None:
    other = "One berth, two flags: what the ports agreed"
    html = page(declared(TITLE, other), foot=f"<div><h2><a href='/news/berths'>{other}</a></h2></div>")
    assert read(html).title == TITLE


@pytest.mark.parametrize(("title", "other"), WORDINGS)
def test_title_that_no_reader_sees_gives_way_to_the_one_of_the_heading(title: str, other: str) -> None:
    assert read(page(declared(other, other), title=title, h1=title)).title == title
    assert read(page(declared(title, other), title=other, h1="")).title == title


@pytest.mark.parametrize(("title", "other"), WORDINGS)
def test_feed_decides_between_titles_where_no_heading_does(title: str, other: str) -> None:
    entry = Entry(id="1", url=URL, title=title)
    assert read(page(declared(other, title), title=other, h1=""), entry=entry).title == title
    assert read(page(declared(other, other), title=other, h1=title), entry=entry).title == title


@pytest.mark.parametrize(
    ("byline", "author"),
    [
        ("<p>By <a href='/authors/12/hina-soomro'>Hina Soomro</a>, ports correspondent</p>", "Hina Soomro"),
        ("<div>By Hina Soomro - Published October 21, 2025</div>", "Hina Soomro"),
        ("<div class='story__author-name'>Hina Soomro October 21, 2025</div>", "Hina Soomro"),
        ("<ul class='authors'><li><a href='/a'>Hina Soomro</a></li><li><a href='/b'>Adeel Baig</a></li></ul>",
         "Hina Soomro, Adeel Baig"),
        ("<div class='meta'><a href='/avtory/7'>Ольга Рябинина</a> 21.10.2025</div>", "Ольга Рябинина"),
        ("<p>Автор: Ольга Рябинина</p>", "Ольга Рябинина"),
        ("<span class='by'>شیر باز علی</span>", "شیر باز علی"),
        ("<p>تحریر: شیر باز علی</p>", "شیر باز علی"),
        ("<div>By the numbers</div>", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("signs", ["", "The Paper"])
def test_byline_below_the_heading_is_the_author(byline: str, author: str, signs: str) -> None:
    declared = {"@type": "NewsArticle", "headline": TITLE, "author": {"@type": "Organization", "name": signs}}
    head = f'<script type="application/ld+json">{json.dumps(declared)}</script>' if signs else ""
    other = "<a href='/authors/9/other'>Somebody Else</a>"
    body = byline + "".join(f"<p>{line}</p>" for line in PROSE) + other
    assert read(page(head, body=body)).author == (author or signs)


def test_heading_with_the_sites_name_above_the_articles_own_is_no_title() -> None:
    html = page(title=f"{TITLE} | A paper of the port", h1="A paper of the port", body="")
    assert read(html.replace("<div class", f"<h1>{TITLE}</h1><div class", 1)).title == TITLE


@pytest.mark.parametrize(
    "title",
    [
        "Delhi - Moscow - Islamabad: who gains from the corridor",
        "В Карачи прибыл балкер «Волга»",
        "«Поток» — что дальше?",
    ],
)
def test_title_keeps_its_own_dashes_colons_and_quotes(title: str) -> None:
    assert read(page('<meta property="og:site_name" content="The Paper">', title=title, h1=title)).title == title


@pytest.mark.parametrize("zone", ["Asia/Karachi", "Europe/Moscow", "UTC"])
def test_time_without_a_zone_is_in_the_zone_of_the_source(zone: str) -> None:
    document = read(page('<meta property="article:published_time" content="2025-10-21T14:05:00">'), zone=zone)
    assert document.published is not None
    assert document.published.instant == datetime(2025, 10, 21, 14, 5, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_json_ld_is_better_evidence_than_the_feed_and_the_feed_than_the_text() -> None:
    entry = Entry(
        id="1", url=URL, published=Moment(instant=datetime(2025, 10, 20, 8, 0, tzinfo=UTC), precision="exact")
    )
    ld = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"x","datePublished":"%s"}</script>'
    by_json = read(page(ld % "2025-10-21T09:00:00Z"), entry=entry).published
    by_feed = read(page(), entry=entry).published
    assert by_json is not None
    assert by_json.instant == datetime(2025, 10, 21, 9, 0, tzinfo=UTC)
    assert by_feed is not None
    assert by_feed.instant == datetime(2025, 10, 20, 8, 0, tzinfo=UTC)


def test_url_gives_the_day_when_nothing_else_does() -> None:
    published = read(page(), url="https://paper.example/2025/10/21/berths").published
    assert published is not None
    assert published.instant == datetime(2025, 10, 21, tzinfo=UTC)
    assert published.precision == "day"


def test_broken_json_ld_still_gives_its_date() -> None:
    head = (
        '<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2025-10-21T09:00:00Z",}}</script>'
    )
    published = read(page(head)).published
    assert published is not None
    assert published.instant == datetime(2025, 10, 21, 9, 0, tzinfo=UTC)


def test_selectors_of_the_source_come_first() -> None:
    html = page(foot=f"<section id='real'><h2>Another heading of the page</h2><p>{PROSE[0]}</p></section>", title="x")
    document = read(html, body_selector="#real p", title_selector="#real h2")
    assert document.text == PROSE[0]
    assert document.title == "Another heading of the page"
    assert document.outcome == "article"


def test_selector_that_finds_nothing_falls_back() -> None:
    assert read(page(), body_selector=".gone", title_selector=".gone").text == "\n".join(PROSE)


def test_images_are_absolute_http_and_at_most_ten() -> None:
    images = ",".join(f'"/i/{n}.jpg"' for n in range(30))
    head = (
        '<meta property="og:image" content="data:image/png;base64,AAAA">'
        '<meta name="twitter:image" content="//cdn.example/t.jpg">'
        f'<script type="application/ld+json">{{"@type":"NewsArticle","headline":"x","image":[{images}]}}</script>'
    )
    found = read(page(head)).images
    assert found[0] == "https://cdn.example/t.jpg"
    assert len(found) == 10
    assert all(image.startswith("https://") for image in found)


def test_declared_language_is_a_hint_only() -> None:
    russian = "".join(
        f"<p>{line}</p>" for line in ["Министры обсудили поставки пшеницы и нефти на встрече в столице."] * 4
    )
    assert read(page(body=russian).replace("<html>", '<html lang="en">')).language == "ru"


def test_links_and_labels_inside_the_text_go() -> None:
    body = (
        f"<p>{PROSE[0]}</p><p>{PROSE[1]}</p>"
        "<p><strong>Also read: <a href='/x'>Rupee gains eleven paisa in trade</a></strong></p>"
        f"<h3>More on this</h3><ul><li><a href='/y'>Court adjourns hearing in sugar case</a></li></ul>"
        f"<p>{PROSE[2]}</p><p>{PROSE[3]}</p>"
    )
    assert read(page(body=body)).text == "\n".join(PROSE)


def test_paragraphs_with_links_stay() -> None:
    body = "".join(f"<p>{line.replace('Novorossiysk', '<a href=/n>Novorossiysk</a>')}</p>" for line in PROSE)
    assert read(page(body=body)).text == "\n".join(PROSE)


def test_paragraph_that_is_mostly_link_stays_among_its_like() -> None:
    linked = PROSE[2].replace("waive", "<a href='/n'>waive").replace(" will clear", "</a> will clear")
    body = "".join(f"<p class='par'>{line}</p>" for line in (PROSE[0], PROSE[1], linked, PROSE[3]))
    assert read(page(body=body)).text == "\n".join(PROSE)


@pytest.mark.parametrize(
    "line",
    [
        "File photo: Bilal Anjum/The Paper",
        "This is a developing story, more to follow",
        "Фото: пресс-служба порта Новороссийска",
        "Новость дополняется",
        "Подробности позже",
        "تصویر: کراچی پورٹ ٹرسٹ",
        "مزید تفصیلات شامل کی جا رہی ہیں۔",
        "Log in or create an account to continue",
        "Стр. 2 из 3",
        "* * *",
    ],
)
def test_newsrooms_notes_to_their_readers_are_not_the_text(line: str) -> None:
    body = "".join(f"<p>{line}</p>" for line in (*PROSE, line))
    assert read(page(body=body)).text == "\n".join(PROSE)


def test_caption_in_a_block_with_the_picture_is_not_the_text() -> None:
    caption = "A crane lifts a box of kinnows at the east wharf of Karachi on Monday, the last day of the sale."
    picture = f"<div class='top-image_x7'><img src='/i.jpg'><p>{caption}</p></div>"
    body = picture + "".join(f"<p>{line}</p>" for line in PROSE)
    assert read(page(body=body)).text == "\n".join(PROSE)


def test_layout_called_like_furniture_holds_its_article() -> None:
    body = f"<div class='popup'><h1>{TITLE}</h1>" + "".join(f"<p>{line}</p>" for line in PROSE) + "</div>"
    assert read(page(body=body, h1="")).text == "\n".join(PROSE)


@pytest.mark.parametrize(
    ("author", "bio"),
    [
        ("Hina Soomro, Adeel Baig", "Adeel Baig is a lecturer at the University of Sindh and writes on ports."),
        ("", "Hina Soomro is a Karachi-based journalist who writes about shipping."),
    ],
)
def test_what_is_said_of_the_authors_below_is_not_the_text(author: str, bio: str) -> None:
    html = page(f'<meta name="author" content="{author}">', body="".join(f"<p>{line}</p>" for line in (*PROSE, bio)))
    assert read(html).text == "\n".join(PROSE)


def test_invisible_marks_and_controls_are_gone() -> None:
    body = (
        "".join(f"<p>{line}</p>" for line in PROSE)
        .replace("harbour", "har\u00adb\u200bour")
        .replace("Karachi", "Kar\0achi")
    )
    assert read(page(body=body)).text == "\n".join(PROSE)


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"\x89PNG\r\n\x1a\n" + bytes(200), b"just words", b"<", b"<html></html>", b"\0" * 50]
)
def test_what_is_no_page_is_unreadable(body: bytes) -> None:
    assert extract(body, url=URL).outcome in ("unreadable", "script_only")


def test_page_over_the_size_limit_is_unreadable() -> None:
    assert extract("<p>" + "x" * 10_000_001, url=URL).outcome == "unreadable"


def test_tens_of_thousands_of_attributes_cost_little() -> None:
    many = " ".join(f"a{n}={n}" for n in range(60_000))
    document = read(page(body=f"<p {many}>{PROSE[0]}</p>" + "".join(f"<p>{line}</p>" for line in PROSE[1:])))
    assert document.outcome == "article"


def test_broken_pages_give_a_document() -> None:
    dice = random.Random(7)
    pages = sorted((Path(__file__).parent / "cases" / "pages").glob("*.html"))
    for _ in range(25):
        body = bytearray(dice.choice(pages).read_bytes())
        for _ in range(dice.randrange(1, 60)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        start = dice.randrange(len(body))
        document = extract(bytes(body[:start] + body[start + dice.randrange(600) :]), url=URL, now=NOW)
        assert document.outcome
        assert "\0" not in document.text + document.title


OTHER = [
    "Schools in four districts of upper Sindh will stay closed until Monday because of a heatwave, officials said.",
    "Temperatures reached 48 degrees in Jacobabad, where hospitals opened wards for patients with sunstroke.",
    "The meteorological office expects some relief by the weekend, though not before Sunday evening, it said.",
    "Water tankers were sent to the worst affected villages, and the bazaars will open only after sunset.",
]
SECOND = "".join(f"<p>{line}</p>" for line in OTHER)


@pytest.mark.parametrize(
    "second",
    [
        f"<div class='single-post'><h1>Heatwave shuts Sindh schools</h1><div class='text'>{SECOND}</div></div>",
        f"<div class='single-post'><h2><a href='/h'>Heatwave shuts schools</a></h2><span>5 December 2025</span>"
        f"<div class='text'>{SECOND}</div></div>",
        f"<article><header><h2>Heatwave shuts Sindh schools</h2><time>05.12.2025</time></header>{SECOND}</article>",
        f"<div class='infinite'><div class='news'><h1>Heatwave shuts schools</h1>{SECOND}</div></div>",
        f"<h1>Heatwave shuts schools in upper Sindh</h1>{SECOND}",
        f"<h2>Heatwave shuts schools in upper Sindh</h2><p>Updated 05 December 2025</p>{SECOND}",
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_second_article_below_is_not_read(second: str, wrapped: bool) -> None:
    first = f"<h1>{TITLE}</h1><div class='text'>" + "".join(f"<p>{line}</p>" for line in PROSE) + "</div>"
    if wrapped:
        first = f"<div class='single-post'>{first}</div>"
    head = f"<title>{TITLE}</title><meta property='og:title' content='{TITLE}'>"
    document = read(f"<html><head>{head}</head><body><main>{first}{second}</main></body></html>")
    assert "Jacobabad" not in document.text
    assert "Heatwave" not in document.text
    assert document.text == "\n".join(PROSE)


def test_row_of_a_table_is_a_line_of_the_text() -> None:
    rows = "".join(f"<tr><td>{name}</td><td>{tons} t</td></tr>" for name, tons in (("Wheat", 120), ("Rice", 45)))
    body = "".join(f"<p>{line}</p>" for line in PROSE[:3]) + f"<table>{rows}</table><p>{PROSE[3]}</p>"
    assert {"Wheat 120 t", "Rice 45 t"} <= set(read(page(body=body)).text.split("\n"))


@pytest.mark.parametrize("first", ["Background: ", "Лавров: ", "Analysis: "])
def test_word_before_a_colon_that_is_no_city_stays_in_the_text(first: str) -> None:
    document = read(page(body="".join(f"<p>{line}</p>" for line in (first + PROSE[0], *PROSE[1:]))))
    assert document.text.startswith(first.strip())
    assert document.dateline == ""


def test_city_before_a_colon_is_a_dateline() -> None:
    document = read(page(body="".join(f"<p>{line}</p>" for line in ("Karachi: " + PROSE[0], *PROSE[1:]))))
    assert (document.dateline, document.text.split("\n")[0]) == ("Karachi", PROSE[0])


def test_urdu_sentence_before_a_colon_is_no_dateline() -> None:
    said = "وزیر خارجہ نے کہا: روس کے ساتھ گندم کی تجارت بڑھائی جائے گی اور بندرگاہوں پر سہولتیں دی جائیں گی۔"
    more = [f"کراچی بندرگاہ پر {n} جہاز روسی گندم لے کر آئے اور ان سے سامان اتارا گیا۔" for n in (12, 15, 18, 21)]
    document = read(page(body="".join(f"<p>{line}</p>" for line in (said, *more)), h1="", title="روسی گندم"))
    assert document.text.startswith("وزیر خارجہ نے کہا")


def test_note_about_the_author_and_offers_of_newsletters_are_left_out() -> None:
    note = "Bilal Anjum is a correspondent of this paper and covers shipping, ports and trade from Karachi."
    offer = "Get the day's shipping news delivered to your inbox every morning, and never miss a berth."
    lines = (*PROSE[:2], offer, *PROSE[2:], note)
    document = read(page('<meta name="author" content="Bilal Anjum">', body="".join(f"<p>{x}</p>" for x in lines)))
    assert document.text == "\n".join(PROSE)
