"""Encodings: declared, mislabelled, undeclared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.charset import decode

RUSSIAN = "Министры России и Пакистана обсудили поставки пшеницы и прямое авиасообщение между столицами. " * 3
URDU = "پاکستان اور روس کے درمیان معاہدے پر دستخط ہو گئے ہیں، وزارت خارجہ نے تصدیق کر دی۔ " * 3
FRENCH = "Le président a été reçu à l’Élysée après un déjeuner très animé. " * 3


def page(text: str, encoding: str, declared: str = "") -> bytes:
    meta = f'<meta charset="{declared}">' if declared else ""
    return f"<html><head>{meta}<title>t</title></head><body><p>{text}</p></body></html>".encode(encoding, "replace")


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "header"),
    [
        (RUSSIAN, "windows-1251", "windows-1251", ""),
        (RUSSIAN, "windows-1251", "", "text/html; charset=windows-1251"),
        (RUSSIAN, "windows-1251", "", ""),
        (RUSSIAN, "windows-1251", "utf-8", "text/html; charset=UTF-8"),
        (RUSSIAN, "windows-1251", "iso-8859-1", ""),
        (RUSSIAN, "windows-1251", "koi8-r", ""),
        (RUSSIAN, "koi8-r", "", ""),
        (RUSSIAN, "koi8-r", "windows-1251", ""),
        (RUSSIAN, "cp866", "", ""),
        (RUSSIAN, "utf-8", "windows-1251", "text/html; charset=windows-1251"),
        (RUSSIAN, "utf-16", "", ""),
        (RUSSIAN, "utf-16-le", "", ""),
        (URDU, "windows-1256", "windows-1256", ""),
        (URDU, "windows-1256", "", ""),
        (URDU, "windows-1256", "iso-8859-1", ""),
        (URDU, "utf-8", "windows-1256", ""),
        (URDU, "utf-16", "", ""),
        (FRENCH, "iso-8859-1", "iso-8859-1", ""),
        (FRENCH, "windows-1252", "", ""),
        (FRENCH, "utf-8", "iso-8859-1", ""),
    ],
)
def test_text_is_read_whatever_the_page_declares(text: str, encoding: str, declared: str, header: str) -> None:
    expected = text.encode(encoding, "replace").decode(encoding)
    assert expected.strip() in decode(page(text, encoding, declared), header)[0]


def test_cut_or_spoiled_characters_do_not_change_the_encoding() -> None:
    body = page(URDU, "utf-8")
    for spoiled in (body[:-60] + b"\xd9", body.replace("روس".encode(), b"\xff\xfe", 1)):
        text, encoding = decode(spoiled)
        assert encoding == "utf-8"
        assert "دستخط" in text


@given(st.binary(max_size=400), st.sampled_from(["", "text/html; charset=hex", "charset=x-unknown", "charset=utf-7"]))
def test_any_bytes_are_read(body: bytes, header: str) -> None:
    text, encoding = decode(body, header)
    assert isinstance(text, str)
    assert encoding
