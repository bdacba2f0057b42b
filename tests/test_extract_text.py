"""Pages saved as text, and PDF files: what is not the article is cut."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from crawler.extract import document_json, extract
from crawler.types import Document

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KARACHI = ZoneInfo("Asia/Karachi")

PROSE = [
    "The Karachi Port Trust and the harbour authority of Novorossiysk agreed on Tuesday to share berths for a monthly "
    "container loop, officials from both sides said after a video conference.",
    "Under the plan, four vessels of about 1,200 boxes each will call at both ports between January and June, carrying "
    "citrus, rice and surgical goods westward and pulses and fertiliser on the way back.",
    "The Russian side will waive storage charges for the first ten days. A joint desk will clear phytosanitary papers "
    "electronically, which traders say is worth more than any discount.",
    "Freight forwarders reacted with caution. They pointed to insurance premiums in the Black Sea and to the limited "
    "number of refrigerated plugs at the eastern terminal.",
]
TITLE = "Karachi port signs berth-sharing plan with Novorossiysk"
OTHER = [
    "Schools in four districts of upper Sindh will stay closed until Monday because of a heatwave, the education "
    "department announced in a circular that was sent to all heads of schools.",
    "Temperatures reached 48 degrees in Jacobabad, where hospitals opened additional wards for patients with sunstroke "
    "and asked families to keep children indoors during the afternoon.",
]


def saved(*lines: str) -> Document:
    return extract("\n\n".join(lines), url="https://paper.example/1", kind="text", zone=KARACHI, now=NOW)


def test_menus_above_and_the_foot_below_are_cut() -> None:
    document = saved(
        "Harbour Post\n  • Home\n  • Research\n  • About\n    • Board",
        f"Reading: {TITLE}\nShare",
        f"Articles\n\n{TITLE}\n\nAmna Shah\nLast updated: June 23, 2025 11:13 am\nAmna Shah\nShare\nSHARE",
        *PROSE,
        "Subscribe to Our Newsletter\nSubscribe to our newsletter to get our newest articles instantly!",
        "Share This Article\nEmail Copy Link Print\nPrevious Article A Truth About Something Else\nLeave a Comment",
        "Recent Articles\n\nA heatwave closes schools in upper Sindh this week\nJune 26, 2025\n" + OTHER[0],
        "© 2025 Harbour Post. All rights reserved.",
    )
    assert document.outcome == "article"
    assert document.text == "\n".join(PROSE)
    assert document.title == TITLE
    assert document.author == "Amna Shah"
    assert document.published is not None
    assert document.published.instant == datetime(2025, 6, 23, 6, 13, tzinfo=UTC)


def test_second_article_below_ends_the_first() -> None:
    document = saved(
        TITLE,
        "A file picture shows vessels in the harbour on November 28, 2025. (PID)",
        "Short Url\nUpdated 28 November 2025\nFollow",
        TITLE,
        "  • The two harbours will trial a monthly loop before the winter season",
        "  • Insurers want clarity on premiums",
        f"KARACHI: {PROSE[0]}",
        *PROSE[1:],
        "Heatwave shuts schools in upper Sindh districts until Monday",
        "Updated 05 December 2025\nFollow",
        "Heatwave shuts schools in upper Sindh districts until Monday",
        f"SUKKUR: {OTHER[0]}",
        OTHER[1],
    )
    assert "Jacobabad" not in document.text
    assert "Heatwave" not in document.text
    assert document.text.endswith(PROSE[-1])
    assert "monthly loop before the winter season" in document.text
    assert document.dateline == "KARACHI"
    assert document.title == TITLE
    assert document.published is not None
    assert document.published.instant is not None
    assert document.published.instant.astimezone(KARACHI).date().isoformat() == "2025-11-28"


@pytest.mark.parametrize(
    "pointer",
    [
        "Read more: Rupee gains eleven paisa in interbank trade",
        "Also Read | Rupee gains eleven paisa in interbank trade",
        "Читайте также: Rupee gains eleven paisa in interbank trade",
        "مزید پڑھیں: Rupee gains eleven paisa in interbank trade",
        "یہ بھی پڑھیں\nRupee gains eleven paisa in interbank trade",
    ],
)
def test_pointer_to_another_article_is_no_text(pointer: str) -> None:
    document = saved(TITLE, *PROSE[:2], pointer, *PROSE[2:])
    assert document.text == "\n".join(PROSE)


def test_printed_in_line_dates_the_text_and_is_no_part_of_it() -> None:
    document = saved(
        *PROSE, "Published in Harbour Post, October 19th, 2025", "Follow Harbour Post on X and Facebook for more."
    )
    assert document.text == "\n".join(PROSE)
    assert document.published is not None
    assert document.published.precision == "day"
    assert document.published.instant is not None
    assert document.published.instant.astimezone(KARACHI).date().isoformat() == "2025-10-19"


def test_contents_and_hashtags_are_no_text() -> None:
    headings = ["From rivals to partners", "Trade by sea and by rail", "What comes next for the ports"]
    document = saved(
        TITLE,
        PROSE[0],
        "Contents\n" + "".join(headings),
        *(line for heading, prose in zip(headings, PROSE[1:], strict=True) for line in (heading, prose)),
        "#PakRussia, #Ports, #Trade",
    )
    assert "".join(headings) not in document.text
    assert headings[1] in document.text.split("\n")
    assert "#" not in document.text


def test_reference_link_names_an_unnamed_page() -> None:
    document = extract(
        "\n\n".join([TITLE, *PROSE, "Reference Link:- https://www.paper.example/berths/"]), url="", kind="text"
    )
    assert document.url == "https://www.paper.example/berths/"
    assert document.text == "\n".join(PROSE)


@pytest.mark.parametrize("text", ["", "   \n\n", "\0\0", "Home\nAbout\nContact"])
def test_text_without_an_article_is_none(text: str) -> None:
    assert extract(text, url="https://paper.example/", kind="text").outcome != "article"


def test_json_object_has_what_the_interface_promises() -> None:
    found = document_json(saved(TITLE, "June 23, 2025 11:13 am", *PROSE))
    assert list(found) == [
        "url", "canonical_url", "outcome", "title", "text", "author", "published", "published_precision", "language",
        "site", "origin", "dateline", "images", "problems",
    ]  # fmt: skip
    assert found["published"] == "2025-06-23T06:13:00Z"
    assert found["published_precision"] == "minute"


def test_broken_pdf_is_unreadable() -> None:
    document = extract(b"%PDF-1.4 broken", url="https://ministry.example/a.pdf", kind="pdf")
    assert document.outcome == "unreadable"
    assert document.problems


def test_pdf_with_text_is_read() -> None:
    pytest.importorskip("pypdf")
    document = extract(
        pdf([TITLE, "June 23, 2025", *PROSE]), url="https://ministry.example/a.pdf", zone=KARACHI, now=NOW
    )
    assert document.outcome == "article"
    assert document.title == TITLE
    assert document.text.replace("\n", " ") == " ".join(PROSE)


def pdf(paragraphs: list[str]) -> bytes:
    """A PDF of one page, its lines wrapped at 90 characters, a blank line between paragraphs."""
    import textwrap

    drawn = []
    for paragraph in paragraphs:
        drawn += [f"({line}) Tj T*" for line in textwrap.wrap(paragraph, 90)] + ["T*"]
    stream = ("BT /F1 10 Tf 14 TL 40 800 Td " + " ".join(drawn) + " ET").encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
