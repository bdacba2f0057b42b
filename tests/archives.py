"""WARC and Parquet files of our own making, for the tests and the benchmark of the backfill."""

import gzip
import html
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Page:
    """A page in an archive. `charset` is what it is written in; `entities`: all beyond ASCII as character references."""

    url: str
    title: str
    text: str
    language: str = "en"
    published: str = "2024-03-05T09:00:00+05:00"
    seen: str = "2024-03-05T12:00:00Z"
    charset: str = "utf-8"
    entities: bool = False
    declared: bool = True

    def body(self) -> bytes:
        paragraphs = "".join(f"<p>{html.escape(p)}</p>\n" for p in self.text.split("\n") if p.strip())
        meta = f'<meta charset="{self.charset}">' if self.declared else ""
        page = (
            f'<!DOCTYPE html><html lang="{self.language}"><head>{meta}<title>{html.escape(self.title)}</title>'
            f'<meta property="article:published_time" content="{self.published}"></head>\n'
            f'<body><nav><a href="/">Home</a> <a href="/world">World</a></nav><article><h1>{html.escape(self.title)}'
            f"</h1>\n{paragraphs}</article><footer>All rights reserved</footer></body></html>"
        )
        if self.entities:
            return page.encode("ascii", "xmlcharrefreplace")
        return page.encode(self.charset, "xmlcharrefreplace")


def record(page: Page, number: int, *, kind: str = "response") -> bytes:
    """A WARC/1.0 record (ISO 28500) that holds the answer to a request for a page."""
    body = page.body()
    charset = f"; charset={page.charset}" if page.declared else ""
    http = f"HTTP/1.1 200 OK\r\nContent-Type: text/html{charset}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {page.url}\r\nWARC-Date: {page.seen}\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    ).encode()
    return head + http + b"\r\n\r\n"


def warcinfo() -> bytes:
    """The record that a WARC file begins with."""
    body = b"software: the tests\r\n"
    head = (
        "WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Date: 2024-03-05T00:00:00Z\r\n"
        "WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-ffffffffffff>\r\n"
        f"Content-Type: application/warc-fields\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    return head + body + b"\r\n\r\n"


def write_warc(path: Path, pages: Iterable[Page]) -> Path:
    """A WARC file; gzip members a record where the name ends in .gz."""
    parts = [warcinfo(), *(record(page, number) for number, page in enumerate(pages))]
    if path.suffix == ".gz":
        parts = [gzip.compress(part, 6, mtime=0) for part in parts]
    path.write_bytes(b"".join(parts))
    return path


def write_parquet(path: Path, pages: Iterable[Page]) -> Path:
    """Extracted articles under the column names of Stanford's CC-NEWS."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {
            "requested_url": page.url,
            "responded_url": page.url,
            "title": page.title,
            "plain_text": page.text,
            "published_date": page.published[:10],
            "crawl_date": page.seen,
            "language": page.language,
            "author": None,
        }
        for page in pages
    ]
    pq.write_table(pa.Table.from_pylist(rows), path, write_page_checksum=True)
    return path
