"""The pages of one archive file: WARC by FastWARC, Parquet by pyarrow. The home of both readers.

A file that is not whole is an error, never a shorter archive. Readers of WARC are silent there: FastWARC 2.0 and
warcio give the records before the cut and end (webrecorder/warcio#138), because gzip members and WARC records follow
each other without a count. So gzip is undone here, member by member, and the last record is measured.
"""

import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from crawler.errors import UsageError
from crawler.spiders.body import BadBody, Body

MAX_BODY = 10_000_000  # bytes of a page, decompressed; a longer one is no article
PIECE = 65_536
ROWS = 1_000  # of a Parquet file at a time
SUFFIXES = (".warc", ".warc.gz", ".parquet")
_END = b"\r\n\r\n"

# What the column of a Parquet file may be called, the most telling first (Stanford's CC-NEWS, news-please, our own).
COLUMNS: Mapping[str, Sequence[str]] = {
    "url": ("responded_url", "url", "canonical_url", "requested_url", "link", "source_url"),
    "text": ("plain_text", "text", "maintext", "article_text", "content", "body"),
    "title": ("title", "headline"),
    "published": ("published_date", "published_at", "published", "date_publish", "publish_date", "date"),
    "seen": ("crawl_date", "date_download", "first_seen_at", "warc_date", "fetch_time"),
    "author": ("author", "authors", "byline"),
    "language": ("language", "lang"),
}


class BadArchive(Exception):
    """The file cannot be read to its end; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A page of an archive. `body` is raw bytes (HTML) for a WARC; for Parquet the UTF-8 of `text`, read already."""

    url: str
    body: bytes
    content_type: str
    seen_at: datetime | None  # when the archive fetched it
    text: str | None = None
    title: str = ""
    published: str = ""
    author: str = ""
    language: str = ""


def records(stream: BinaryIO, *, name: str, size: int | None) -> Iterator[Record]:
    """The pages of an archive; `size` is what the file should have in bytes, where that is known.

    Raises BadArchive for one that is empty, cut, damaged or of another kind, after what could be read before that.
    """
    if name.endswith(".parquet"):
        yield from _parquet(stream, size)
    else:
        yield from _warc(stream, size)


# --- WARC ---------------------------------------------------------------------------------------------------------


class _Whole:
    """The bytes of a WARC file, out of its gzip members where it has any. Raises BadArchive at a cut.

    It offers what FastWARC asks of a stream: `read` and `tell`. `tail` is its last bytes, `length` their count so far.
    """

    def __init__(self, stream: BinaryIO, size: int | None) -> None:
        self._stream = stream
        self._size = size
        self._taken = 0
        self._rest = self._take()
        self._z = zlib.decompressobj(16 + zlib.MAX_WBITS) if self._rest.startswith(b"\x1f\x8b") else None
        self.length = 0
        self.tail = b""
        if not self._rest:
            raise BadArchive("the file is empty")

    def tell(self) -> int:
        return self.length

    def read(self, most: int = -1) -> bytes:
        most = PIECE if most < 0 else most
        piece = self._plain(most) if self._z is None else self._member(most)
        self.length += len(piece)
        self.tail = (self.tail + piece[-4:])[-4:]
        return piece

    def _take(self) -> bytes:
        data = self._stream.read(PIECE)
        self._taken += len(data)
        if not data and self._size is not None and self._taken < self._size:
            raise BadArchive(f"the file ends after {self._taken} of {self._size} bytes")
        return data

    def _plain(self, most: int) -> bytes:
        if not self._rest:
            self._rest = self._take()
        piece, self._rest = self._rest[:most], self._rest[most:]
        return piece

    def _member(self, most: int) -> bytes:
        assert self._z is not None
        while True:
            if self._z.eof:
                rest = self._z.unused_data or self._take()
                if not rest:
                    return b""
                if not rest.startswith(b"\x1f"):
                    raise BadArchive(f"no gzip member before byte {self._taken}")
                self._z, self._rest = zlib.decompressobj(16 + zlib.MAX_WBITS), rest
            if not self._rest:
                self._rest = self._take()
                if not self._rest:
                    raise BadArchive(f"the file is cut: it ends inside a gzip member, after {self._taken} bytes")
            try:
                piece = self._z.decompress(self._rest, most)
            except zlib.error as error:
                raise BadArchive(f"damaged before byte {self._taken}: {error}") from None
            self._rest = self._z.unconsumed_tail
            if piece:
                return piece


def _warc(stream: BinaryIO, size: int | None) -> Iterator[Record]:
    try:
        from fastwarc.warc import ArchiveIterator, WarcRecordType
    except ImportError as error:
        raise UsageError(f"reading WARC files needs the extra: pip install 'pakrus[backfill]' ({error})") from None
    whole = _Whole(stream, size)
    last = None
    try:
        # All kinds of records: the last one, whatever it is, shows whether the file is whole.
        for record in ArchiveIterator(
            cast(BinaryIO, whole),
            record_types=WarcRecordType.any_type,
            parse_http=False,
            stream_detect=False,
            fsspec_args=False,
        ):
            last = (record.stream_pos, record.content_length, _header_bytes(record))
            if record.record_type == WarcRecordType.response and record.content_length <= 2 * MAX_BODY:
                page = _page(record)
                if page is not None:
                    yield page
    except BadArchive:
        raise
    except OSError as error:
        raise BadArchive(f"damaged before byte {whole.length}: {error}") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what an error of FastWARC's own Rust code looks like here
            raise
        raise BadArchive(f"damaged before byte {whole.length}: {error}") from None
    if last is None:
        raise BadArchive("no WARC record in the file")
    begin, length, header = last
    if whole.tail != _END or whole.length - begin < header + length + len(_END):
        raise BadArchive(f"the file is cut: it ends inside its last record, after {whole.length} bytes, decompressed")


def _header_bytes(record: Any) -> int:
    """The least bytes that the record's own header can have taken."""
    return sum(len(k) + len(v) + 3 for k, v in record.headers.items()) + len("WARC/1.0\n\n")


def _page(record: Any) -> Record | None:
    """A response that may be a page: 200, HTML or not said, of bounded size."""
    url = record.headers.get("WARC-Target-URI", "").strip("<> ")
    try:
        record.parse_http()
        headers = record.http_headers
        if headers is None or headers.status_code not in (200, 203):
            return None
        content_type = headers.get("Content-Type", "") or ""
        if content_type and not any(kind in content_type.lower() for kind in ("html", "xml", "text/plain")):
            return None
        raw = record.reader.read(2 * MAX_BODY)
    except (OSError, ValueError):
        return None  # a record whose HTTP part is nonsense is no page; the archive goes on behind it
    if "chunked" in (headers.get("Transfer-Encoding", "") or "").lower():
        raw = _unchunked(raw)
    body = _decoded(raw, headers.get("Content-Encoding", "") or "")
    return None if body is None else Record(url=url, body=body, content_type=content_type, seen_at=_date(record))


def _date(record: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(record.headers.get("WARC-Date", ""))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unchunked(raw: bytes) -> bytes:
    """RFC 9112 (7.1) undone; a body that is not chunked whatever its header says stays as it is."""
    parts: list[bytes] = []
    at = 0
    while True:
        end = raw.find(b"\r\n", at, at + 64)
        try:
            length = int(raw[at:end].split(b";", 1)[0], 16) if end > 0 else -1
        except ValueError:
            length = -1
        if length < 0 or end + 2 + length > len(raw):
            return raw if at == 0 else b"".join(parts)
        if length == 0:
            return b"".join(parts)
        parts.append(raw[end + 2 : end + 2 + length])
        at = end + 2 + length + 2


def _decoded(raw: bytes, codings: str) -> bytes | None:
    """Archives often store the decoded body under the old header, so a body that cannot be decoded stays as it is."""
    try:
        body = Body(codings, limit=MAX_BODY)
        body.feed(raw)
        return body.finish()
    except BadBody:
        return raw if len(raw) <= MAX_BODY and not raw.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")) else None


# --- Parquet ------------------------------------------------------------------------------------------------------


def _parquet(stream: BinaryIO, size: int | None) -> Iterator[Record]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(f"reading Parquet files needs the extra: pip install 'pakrus[backfill]' ({error})") from None
    have = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if not have:
        raise BadArchive("the file is empty")
    if size is not None and have < size:
        raise BadArchive(f"the file ends after {have} of {size} bytes")
    try:
        # Pages carry checksums where their writer put them; a flipped bit is then an error and not another letter.
        file = pq.ParquetFile(stream, page_checksum_verification=True)
        columns = _columns(file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=ROWS, columns=sorted(set(columns.values()))):
            for row in batch.to_pylist():
                record = _row({ours: row[theirs] for ours, theirs in columns.items()})
                if record is not None:
                    yield record
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadArchive(f"cannot be read: {' '.join(str(error).split())[:300]}") from None


def _columns(names: Sequence[str]) -> dict[str, str]:
    """Our name -> the file's column. Raises BadArchive without a column for the URL or the text."""
    by_name = {name.lower(): name for name in names}
    found = {
        ours: by_name[theirs]
        for ours, known in COLUMNS.items()
        if (theirs := next((name for name in known if name in by_name), None))
    }
    for need in ("url", "text"):
        if need not in found:
            raise BadArchive(f"no column for the {need} (one of {', '.join(COLUMNS[need])}); it has {', '.join(names)}")
    return found


def _row(row: Mapping[str, Any]) -> Record | None:
    url, text = row["url"], row["text"]
    if not isinstance(url, str) or not isinstance(text, str) or not text.strip():
        return None
    title = _plain(row.get("title"))
    return Record(
        url=url,
        body=f"{title}\n{text}".encode("utf-8", "replace")[:MAX_BODY],
        content_type="text/plain; charset=utf-8",
        seen_at=_instant(row.get("seen")),
        text=text[:MAX_BODY],
        title=title,
        published=_plain(row.get("published")),
        author=_plain(row.get("author")),
        language=_plain(row.get("language"))[:2].lower(),
    )


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return ", ".join(_plain(v) for v in value[:20])
    return "" if value is None else str(value)


def _instant(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
