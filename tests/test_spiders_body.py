"""Bodies: decompressed piece by piece, never past the limit."""

import gzip
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.spiders.body import BadBody, Body

TEXT = "Пакистан и Россия обсудили поставки. پاکستان اور روس۔ ".encode() * 200
LIMIT = 1_000_000


def read(data: bytes, codings: str, *, limit: int = LIMIT, piece: int = 1000, cut: bool = False) -> bytes:
    body = Body(codings, limit=limit, cut=cut)
    for start in range(0, len(data), piece):
        body.feed(data[start : start + piece])
        if body.full:
            break
    return body.finish()


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("codings", "data"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("X-GZip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:])),
        ("gzip", gzip.compress(TEXT) + b"\0" * 512),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT))),
        ("deflate, gzip", gzip.compress(zlib.compress(TEXT))),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1000, 10**6])
def test_bodies_come_out_whole(codings: str, data: bytes, piece: int) -> None:
    assert read(data, codings, piece=piece) == TEXT


@given(st.binary(max_size=3000), st.integers(1, 500), st.sampled_from(["", "gzip", "deflate"]))
def test_any_bytes_any_pieces(data: bytes, piece: int, codings: str) -> None:
    packed = {"": data, "gzip": gzip.compress(data), "deflate": raw_deflate(data)}[codings]
    assert read(packed, codings, piece=piece) == data


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate", "gzip, deflate"]))
def test_spoiled_bytes_are_refused_or_read(data: bytes, codings: str) -> None:
    try:
        read(data, codings)
    except BadBody as error:
        assert str(error)


def test_a_body_over_the_limit_is_refused() -> None:
    with pytest.raises(BadBody, match="more than 5000 bytes"):
        read(TEXT, "", limit=5000)
    with pytest.raises(BadBody, match="more than 5000 bytes"):
        read(gzip.compress(TEXT), "gzip", limit=5000)


def test_robots_txt_over_the_limit_is_cut() -> None:
    assert read(TEXT, "", limit=5000, cut=True) == TEXT[:5000]
    assert read(gzip.compress(TEXT), "gzip", limit=5000, cut=True) == TEXT[:5000]


def test_a_body_of_just_the_limit_passes() -> None:
    assert read(TEXT, "", limit=len(TEXT)) == TEXT
    assert read(gzip.compress(TEXT), "gzip", limit=len(TEXT)) == TEXT


@pytest.mark.parametrize("layers", [1, 2])
def test_bombs_are_refused_at_once(layers: int) -> None:
    bomb = b"\0" * 50_000_000
    for _ in range(layers):
        bomb = gzip.compress(bomb)
    began = time.monotonic()
    with pytest.raises(BadBody):
        read(bomb, ", ".join(["gzip"] * layers), limit=10_000_000, piece=65_536)
    assert time.monotonic() - began < 1


def test_a_ratio_that_no_text_has_is_a_bomb_below_the_limit_too() -> None:
    with pytest.raises(BadBody, match="bomb"):
        read(gzip.compress(b"\0" * 5_000_000), "gzip", limit=10_000_000)


def test_a_stream_of_empty_members_is_refused_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(BadBody, match="members"):
        read(gzip.compress(b"") * 100_000, "gzip", piece=65_536)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("codings", ["br", "zstd", "gzip, br", "compress", "gzip, gzip, gzip", "\x00"])
def test_codings_that_we_did_not_ask_for_are_refused(codings: str) -> None:
    with pytest.raises(BadBody):
        Body(codings, limit=LIMIT)


@pytest.mark.parametrize("codings", ["gzip", "deflate"])
def test_a_compressed_body_that_ends_early_is_no_body(codings: str) -> None:
    whole = gzip.compress(TEXT) if codings == "gzip" else zlib.compress(TEXT)
    with pytest.raises(BadBody, match="early"):
        read(whole[:-40], codings)


def test_an_empty_body_is_empty_whatever_its_coding() -> None:
    assert read(b"", "gzip") == b""
