"""Datelines and credits as wires, papers and ministries write them."""

import pytest

from crawler.extract.credit import take_credits

SENTENCE = {
    "en": "The ministers agreed to meet again before the end of the year, a statement said.",
    "ru": "Министры договорились провести следующую встречу до конца года, говорится в сообщении.",
    "ur": "وزرائے خارجہ نے سال کے اختتام سے پہلے دوبارہ ملاقات پر اتفاق کیا ہے۔",
}
DATELINES = [
    ("en", "ISLAMABAD, Mar 23 (APP): ", "ISLAMABAD, Mar 23 (APP)", "APP"),
    ("en", "ISLAMABAD, Sept 11, 2025 (APP):", "ISLAMABAD, Sept 11, 2025 (APP)", "APP"),
    ("en", "MOSCOW, October 26. /TASS/. ", "MOSCOW, October 26. /TASS/", "TASS"),
    ("en", "MOSCOW (Sputnik) - ", "MOSCOW (Sputnik)", "Sputnik"),
    ("en", "BEIJING, Aug. 31 (Xinhua) -- ", "BEIJING, Aug. 31 (Xinhua)", "Xinhua"),
    ("en", "MOSCOW (UrduPoint / Sputnik - 4th Nov, 2025) ", "MOSCOW (UrduPoint / Sputnik - 4th Nov, 2025)", "Sputnik"),
    (
        "en",
        "ISLAMABAD (UrduPoint / APP - UrduPoint / Pakistan Point News - 4th Nov, 2025): ",
        "ISLAMABAD (UrduPoint / APP - UrduPoint / Pakistan Point News - 4th Nov, 2025)",
        "APP",
    ),
    ("en", "ANKARA (AA) – ", "ANKARA (AA)", "Anadolu"),
    ("en", "(Reuters) - ", "(Reuters)", "Reuters"),
    ("en", "NEW DELHI (AFP) — ", "NEW DELHI (AFP)", "AFP"),
    ("en", "ISLAMABAD: ", "ISLAMABAD", ""),
    ("en", "Islamabad: ", "Islamabad", ""),
    ("en", "MOSCOW. Oct 26 (Interfax) - ", "MOSCOW. Oct 26 (Interfax)", "Interfax"),
    ("ru", "МОСКВА, 26 окт. /ТАСС/. ", "МОСКВА, 26 окт. /ТАСС/", "TASS"),
    (
        "ru",
        "ИСЛАМАБАД, 26 октября. /Корр. ТАСС Иван Орлов/. ",
        "ИСЛАМАБАД, 26 октября. /Корр. ТАСС Иван Орлов/",
        "TASS",
    ),
    ("ru", "МОСКВА, 26 окт — РИА Новости. ", "МОСКВА, 26 окт — РИА Новости", "RIA Novosti"),
    ("ru", "НЬЮ-ДЕЛИ, 3 мая - РИА Новости, Пётр Сомов. ", "НЬЮ-ДЕЛИ, 3 мая - РИА Новости, Пётр Сомов", "RIA Novosti"),
    ("ru", "Москва. 26 октября. INTERFAX.RU - ", "Москва. 26 октября. INTERFAX.RU", "Interfax"),
    ("ru", "26 октября. Interfax-Russia.ru - ", "26 октября. Interfax-Russia.ru", "Interfax"),
    ("ur", "اسلام آباد (اے پی پی): ", "اسلام آباد (اے پی پی)", "APP"),
    ("ur", "ماسکو (آئی این پی) ", "ماسکو (آئی این پی)", "INP"),
    ("ur", "لاہور(نیوز ڈیسک) ", "لاہور(نیوز ڈیسک)", ""),
    ("ur", "کراچی: ", "کراچی", ""),
    (
        "ur",
        "اسلام آباد (اُردو پوائنٹ اخبارتازہ ترین - این این آئی۔ 23 مارچ2025ء) ",
        "اسلام آباد (اُردو پوائنٹ اخبارتازہ ترین - این این آئی۔ 23 مارچ2025ء)",
        "NNI",
    ),
]


@pytest.mark.parametrize(("language", "written", "dateline", "origin"), DATELINES)
def test_dateline_is_taken_off_the_first_sentence(language: str, written: str, dateline: str, origin: str) -> None:
    credits = take_credits([written + SENTENCE[language], SENTENCE[language]], author="", site="paper.example")
    assert credits.dateline == dateline
    assert credits.origin == origin
    assert credits.lines[0] == SENTENCE[language]


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Here is the plan: the two ministers meet, sign and leave, all within a single day of talks."),
        ("en", "Economic cooperation: Both countries can explore new areas of trade and investment this year."),
        ("en", "Pakistan, Russia and China (the three hosts) said that the forum would be held again next year."),
        ("ru", "Вопрос прост: договорятся ли стороны о цене до начала зимы, когда спрос на газ вырастет."),
        ("ru", "Россия (как и Пакистан) выступает за мирное решение, подчеркнул министр на встрече с прессой."),
    ],
)
def test_ordinary_beginnings_stay(language: str, line: str) -> None:
    credits = take_credits([line, SENTENCE[language]], author="", site="paper.example")
    assert credits.dateline == ""
    assert credits.lines[0] == line


@pytest.mark.parametrize(
    ("credit", "origin"),
    [
        ("— APP", "APP"),
        ("(Reuters)", "Reuters"),
        ("Source: TASS", "TASS"),
        ("Источник: РИА Новости", "RIA Novosti"),
        ("-AFP", "AFP"),
        ("ماخذ: اے پی پی", "APP"),
    ],
)
def test_credit_line_at_the_end_is_taken_off(credit: str, origin: str) -> None:
    credits = take_credits([SENTENCE["en"], SENTENCE["en"], credit], author="", site="paper.example")
    assert credits.origin == origin
    assert credits.lines == (SENTENCE["en"], SENTENCE["en"])


def test_credit_at_the_end_of_the_last_sentence_is_taken_off() -> None:
    credits = take_credits([SENTENCE["en"], SENTENCE["en"] + " –AFP"], author="", site="paper.example")
    assert credits.origin == "AFP"
    assert credits.lines[-1] == SENTENCE["en"]


@pytest.mark.parametrize(
    ("sentence", "origin"),
    [
        ("Поезд выйдет в апреле, сообщает ТАСС.", "TASS"),
        ("Об этом передаёт РИА Новости со ссылкой на министерство.", "RIA Novosti"),
        ("Стороны подпишут план, сообщило агентство «Интерфакс».", "Interfax"),
        ("Стороны подпишут план, сообщили в министерстве.", ""),
    ],
)
def test_rewritten_wire_is_its_origin(sentence: str, origin: str) -> None:
    assert take_credits([sentence, SENTENCE["ru"]], author="", site="gorod.example").origin == origin


@pytest.mark.parametrize(
    ("site", "author", "origin"),
    [
        ("tass.ru", "", "TASS"),
        ("app.com.pk", "", "APP"),
        ("mid.ru", "", "Foreign Ministry of Russia"),
        ("paper.example", "Reuters", "Reuters"),
        ("paper.example", "Ali Raza", ""),
        ("notass.ru", "", ""),
    ],
)
def test_wire_and_ministry_are_the_origin_of_their_own_pages(site: str, author: str, origin: str) -> None:
    assert take_credits([SENTENCE["en"]], author=author, site=site).origin == origin


def test_words_that_only_contain_an_agency_name_are_none() -> None:
    lines = [SENTENCE["en"], "The mobile app was downloaded by the rapper and the map was redrawn (apps)."]
    assert take_credits(lines, author="", site="paper.example").origin == ""


def test_byline_is_told_from_the_text() -> None:
    credits = take_credits(["By Amna Shah and Timur Orlov", SENTENCE["en"]], author="", site="paper.example")
    assert credits.byline == "Amna Shah and Timur Orlov"
    assert credits.lines == (SENTENCE["en"],)
