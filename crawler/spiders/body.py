"""Bodies of bounded size: what arrives is decompressed piece by piece, never past the limit. Pure.

We ask for gzip and deflate alone, because zlib lets us say how much it may give out; other codings are refused.
"""

import zlib
from typing import Final

ACCEPT_ENCODING = "gzip, deflate"
MAX_CODINGS = 2
MAX_MEMBERS = 1_000  # of one gzip stream; each costs a new decompressor, and 20 bytes make an empty one
MAX_RATIO = 200  # text of the web compresses 3 to 30 times
RATIO_FROM = 1_000_000  # bytes; below, any ratio is harmless


class BadBody(Exception):
    """The body cannot or must not be read; the message says why."""


class Body:
    """Collects a body. `codings` is the value of Content-Encoding, `limit` the most bytes after decompression.

    `cut`: a body that is too long is cut instead of refused (robots.txt).
    """

    def __init__(self, codings: str, *, limit: int, cut: bool = False) -> None:
        self._limit = limit
        self._cut = cut
        self._parts: list[bytes] = []
        self._decoders = [_Zlib(coding) for coding in reversed(_names(codings))]
        self.wire_bytes = 0
        self.size = 0
        self.full = False  # cut: nothing more is wanted

    def feed(self, piece: bytes) -> None:
        """Takes the next bytes from the wire. Raises BadBody."""
        self.wire_bytes += len(piece)
        room = self._limit + 1 - self.size
        if self.wire_bytes > self._limit and not self._decoders:
            piece = piece[:room]
        elif self.wire_bytes > self._limit:
            raise BadBody(f"more than {self._limit} bytes, compressed")
        for i, decoder in enumerate(self._decoders):
            piece = decoder.feed(piece, room)
            if len(piece) >= room and i + 1 < len(self._decoders):
                raise BadBody(f"more than {self._limit} bytes between two content codings")
        self.size += len(piece)
        self._parts.append(piece)
        if self.size > max(RATIO_FROM, self.wire_bytes * MAX_RATIO) and self._decoders:
            raise BadBody(f"{self.size} bytes out of {self.wire_bytes}: a decompression bomb")
        if self.size > self._limit:
            if not self._cut:
                raise BadBody(f"more than {self._limit} bytes")
            self.full = True

    def finish(self) -> bytes:
        """The whole body. Raises BadBody where the compressed data ended early."""
        if not self.full and self.wire_bytes and not all(decoder.complete for decoder in self._decoders):
            raise BadBody("the compressed body ended early")
        return b"".join(self._parts)[: self._limit]


def _names(codings: str) -> list[str]:
    names = [name.strip().lower() for name in codings.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > MAX_CODINGS:
        raise BadBody(f"{len(names)} content codings on one another")
    for name in names:
        if name not in ("gzip", "x-gzip", "deflate"):
            raise BadBody(f"content coding {name[:20]!r}, which we did not ask for")
    return names


class _Zlib:
    """One layer of gzip or deflate."""

    GZIP: Final = 16 + zlib.MAX_WBITS

    def __init__(self, coding: str) -> None:
        self._gzip = coding != "deflate"
        self._head = b""  # deflate: what came before two bytes were there to tell its two forms apart
        self._z = zlib.decompressobj(self.GZIP) if self._gzip else None
        self._members = 1

    @property
    def complete(self) -> bool:
        return self._z is not None and self._z.eof

    def feed(self, data: bytes, most: int) -> bytes:
        """At most `most` bytes; whoever gets so many has had too many."""
        if self._z is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return b""
            self._z = zlib.decompressobj(_deflate_bits(data))
        out: list[bytes] = []
        size = 0
        while data and size < most:
            if self._z.eof:
                if not self._gzip or not data.startswith(b"\x1f"):
                    break  # padding after the end
                self._members += 1
                if self._members > MAX_MEMBERS:
                    raise BadBody(f"more than {MAX_MEMBERS} gzip members")
                self._z = zlib.decompressobj(self.GZIP)
            try:
                piece = self._z.decompress(data, most - size)
            except zlib.error as error:
                raise BadBody(f"cannot be decompressed: {error}") from None
            out.append(piece)
            size += len(piece)
            data = self._z.unused_data if self._z.eof else self._z.unconsumed_tail
        return b"".join(out)


def _deflate_bits(head: bytes) -> int:
    """With the zlib wrapper, as RFC 9110 (8.4.1.2) has it, or without, as half of the web sends it."""
    wrapped = head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
