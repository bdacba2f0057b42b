"""Folding, words and sentences in three scripts."""

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text import fold, sentences, words

ALPHABET = st.text(
    alphabet=st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(
            "аеоруёйиРоссияПакистанRussiaPakistanروسپاکستانيكىةئ\u00ad\u200c\u0301\u0306\u064e \n.!?۔«»—'’"
        ),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Пётр", "Петр"),
        ("Росси\u0301я", "россия"),
        (unicodedata.normalize("NFD", "российский"), "российский"),
        ("Рoccия", "россия"),  # Latin o, c, c
        ("Рakistan", "pakistan"),  # Cyrillic Р
        ("پاكستان", "پاکستان"),
        ("روسي", "روسی"),
        ("رُوس", "روس"),
        ("مذاكرة", "مذاکرہ"),
        ("وزراء", "وزرا"),
        ("می\u200cکند", "میکند"),
        ("Paki\u00adstan", "pakistan"),
        ("Paki\u200bstan", "pakistan"),
        ("Türkiye", "turkiye"),
        ("۲۰۲۵", "2025"),
        ("Pakistan–Russia", "pakistan-russia"),
        ("Moscow’s", "moscow's"),
        ("two\u00a0 \u2009words", "two words"),
        ("ﭘﺎﮐﺴﺘﺎﻥ", "پاکستان"),
        ("ＲＵＳＳＩＡ", "russia"),
        ("İstanbul", "istanbul"),
    ],
)
def test_spellings_of_one_word_fold_to_the_same(one: str, other: str) -> None:
    assert fold(one).text == fold(other).text


@pytest.mark.parametrize(("one", "other"), [("мой", "мои"), ("روس", "سروس"), ("Russia", "Rusia"), ("کل", "گل")])
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert fold(one).text != fold(other).text


@given(ALPHABET)
def test_offsets_lead_back_into_the_input(s: str) -> None:
    folded = fold(s)
    assert len(folded.offsets) == len(folded.text) + 1 == len(folded.cased) + 1
    assert list(folded.offsets) == sorted(folded.offsets)
    assert folded.offsets[len(folded.text)] == len(s)
    for i in range(len(folded.text)):
        start, end = folded.span(i, i + 1)
        assert 0 <= start < end <= len(s)


@given(ALPHABET)
def test_folding_twice_changes_nothing_more(s: str) -> None:
    once = fold(s).text
    assert fold(once).text == once


def test_a_span_leaves_the_marks_after_it_out() -> None:
    s = "Рос\u00adсия\u00ad и"
    folded = fold(s)
    start, end = folded.span(0, len("россия"))
    assert s[start:end] == "Рос\u00adсия"


def test_words_are_folded_and_keep_their_apostrophe() -> None:
    assert words("Russia’s гость: پاکستان-روس!") == ["russia's", "гость", "پاکستان", "روس"]


@pytest.mark.parametrize(
    ("s", "expected"),
    [
        ("One here. Two there! Three?", ["One here.", "Two there!", "Three?"]),
        ("Mr. Lavrov met Gen. Munir. They spoke.", ["Mr. Lavrov met Gen. Munir.", "They spoke."]),
        ("The U.S. envoy left. A. Khorev stayed.", ["The U.S. envoy left.", "A. Khorev stayed."]),
        (
            "В 2024 г. Россия поставила 1 млн. тонн. А. Новак прилетел.",
            ["В 2024 г. Россия поставила 1 млн. тонн.", "А. Новак прилетел."],
        ),
        ("«Да». Он ушел… Она пришла.", ["«Да».", "Он ушел…", "Она пришла."]),
        ("یہ پہلا جملہ ہے۔ کیا یہ دوسرا ہے؟ ہاں", ["یہ پہلا جملہ ہے۔", "کیا یہ دوسرا ہے؟", "ہاں"]),
        ("Heading\n\nBody line\r\nNext", ["Heading", "Body line", "Next"]),
        ("It rose 2.5 percent. Then fell.", ["It rose 2.5 percent.", "Then fell."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(s: str, expected: list[str]) -> None:
    assert [s[a:b] for a, b in sentences(s)] == expected


@given(ALPHABET)
def test_sentences_hold_every_letter_once(s: str) -> None:
    spans = sentences(s)
    assert all(a < b for a, b in spans)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(spans))
    inside = "".join(s[a:b] for a, b in spans)
    assert "".join(inside.split()) == "".join(s.split())


@pytest.mark.parametrize("letter", ["a", "я", "aя", "1"])
def test_a_word_of_any_length_is_folded(letter: str) -> None:
    """In one look: begun again from each of its letters it would take minutes."""
    word = letter * 200_000
    assert len(fold(f"{word} Рoccия").text) == len(word) + len(" россия")
