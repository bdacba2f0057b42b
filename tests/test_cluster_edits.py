"""An edit is a revision; a counter, a link or a blank is none."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cluster import is_trivial_edit, text_diff

TITLE = {
    "en": "Moscow and Islamabad sign",
    "ru": "Москва и Исламабад подписали",
    "ur": "ماسکو اور اسلام آباد میں دستخط",
}
TEXT = {
    "en": "The ministers met on Monday.\n\nThey signed a paper on 60,000 tonnes of wheat.\n\nThe ship sails in May.",
    "ru": "Министры встретились в понедельник.\n\nОни подписали документ о 60 000 тонн пшеницы.\n\nСудно выйдет в мае.",
    "ur": "وزرا کی ملاقات پیر کو ہوئی۔\n\nانہوں نے 60 ہزار ٹن گندم کی دستاویز پر دستخط کیے۔\n\n"
    "جہاز مئی میں روانہ ہوگا۔",
}
FURNITURE = {
    "en": ["1,204 views", "Read more: Another story", "2 hours ago", "Leave a comment", "Updated 5:40pm"],
    "ru": ["1 204 просмотра", "Читайте также: другая новость", "2 часа назад", "Подписывайтесь на нас", "Поделиться"],
    "ur": ["1204 ویوز", "مزید پڑھیں: ایک اور خبر", "2 گھنٹے پہلے", "شیئر کریں", "یہ بھی پڑھیں: کچھ اور"],
}


@pytest.mark.parametrize("language", TEXT)
def test_blanks_punctuation_and_furniture_are_trivial(language: str) -> None:
    title, text = TITLE[language], TEXT[language]
    assert is_trivial_edit(title, text, f" {title} ", text.replace("\n\n", "\n") + " \n")
    assert is_trivial_edit(title, text, title, text.replace(".", "…").replace("۔", " ۔"))
    for line in FURNITURE[language]:
        assert is_trivial_edit(title, text, title, f"{text}\n{line}"), line
        assert is_trivial_edit(title, f"{line}\n{text}", title, text), line


@pytest.mark.parametrize("language", TEXT)
def test_a_word_a_number_a_paragraph_and_a_title_are_revisions(language: str) -> None:
    title, text = TITLE[language], TEXT[language]
    words = text.split(" ")
    assert not is_trivial_edit(title, text, title, text.replace("60", "70"))
    assert not is_trivial_edit(title, text, title, " ".join(words[:-1]))
    assert not is_trivial_edit(title, text, title, f"{text}\n\n{words[0]} {words[1]} {words[3]} {words[2]} {words[1]}")
    assert not is_trivial_edit(title, text, f"{title} {words[0]}", text)


def test_seeded_edits_are_judged_as_they_should_be() -> None:
    rng = random.Random(11)
    for number in range(300):
        language = rng.choice(list(TEXT))
        title, text = TITLE[language], TEXT[language]
        trivial = number % 2 == 0
        if trivial:
            changed = rng.choice([f"{text}\n{rng.choice(FURNITURE[language])}", text.replace(" ", "  "), f"\n{text}\n"])
        else:
            words = text.split(" ")
            spot = rng.randrange(1, len(words))
            words[spot : spot + rng.choice([0, 1])] = [rng.choice(["word", "слово", "لفظ", "41"])]
            changed = " ".join(words)
        assert is_trivial_edit(title, text, title, changed) is trivial, (text, changed)


def test_a_diff_shows_what_went_and_what_came() -> None:
    old = "The ministers of both countries met in Moscow and spoke of 83 traders who wait at the airport.\nA last line."
    new = old.replace("83", "84").replace("wait", "slept")
    assert "[-83-] {+84+}" in text_diff(old, new)
    assert "[-wait-] {+slept+}" in text_diff(old, new)
    assert text_diff(old, old) == ""
    assert text_diff(old, old.replace(" ", "  ")) == ""


def test_a_diff_of_long_texts_is_bounded() -> None:
    old = " ".join(f"w{i}" for i in range(60_000))
    assert text_diff(old, "x " + old).endswith("…")


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_two_texts_can_be_judged(a: str, b: str) -> None:
    assert is_trivial_edit(a, b, a, b)
    assert is_trivial_edit("", a, "", b) == is_trivial_edit("", b, "", a)
    text_diff(a, b)
