"""A PDF with text, as ministries hand out their releases. Needs pypdf (``pip install pakrus[pdf]``)."""

import io
from datetime import datetime
from zoneinfo import ZoneInfo

from crawler.extract.saved_text import read_saved_text
from crawler.types import Document, Entry

MAX_PAGES = 200
MAX_TEXT = 400_000  # characters


def read_pdf(
    body: bytes | str, *, url: str, zone: ZoneInfo | None, now: datetime | None, entry: Entry | None
) -> Document:
    """The text of the pages, read like a saved text. Unreadable where there is none, or where pypdf is missing."""

    def unreadable(problem: str) -> Document:
        return Document(url=url, canonical_url=url, outcome="unreadable", problems=(problem,))

    if isinstance(body, str):
        return unreadable("not_pdf: text was given, not bytes")
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ModuleNotFoundError:
        return unreadable("no_pypdf: to read PDF files, pip install 'pakrus[pdf]'")
    try:
        reader = PdfReader(io.BytesIO(body))
        pages = [reader.pages[n].extract_text() for n in range(min(len(reader.pages), MAX_PAGES))]
        title = ((reader.metadata.title if reader.metadata else "") or "").strip()
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        return unreadable(f"not_pdf: {type(error).__name__}: {error}"[:300])
    text = "\n\n".join(unwrap(page) for page in pages)[:MAX_TEXT]
    if not text.strip():
        return unreadable("no_text: the PDF holds images only")
    return read_saved_text(text, url=url, zone=zone, now=now, entry=entry, title=title)


def unwrap(page: str) -> str:
    """Lines that were only wrapped to the width of the page, joined."""
    joined: list[str] = []
    lines = [line.strip() for line in page.splitlines()]
    width = max((len(line) for line in lines), default=0)
    open_line = False
    for line in lines:
        if not line:
            open_line = False
            continue
        if open_line:
            joined[-1] = (
                joined[-1][:-1] + line if joined[-1].endswith("-") and line[:1].islower() else f"{joined[-1]} {line}"
            )
        else:
            joined.append(line)
        open_line = len(line) > 0.75 * width and line[-1] not in ".!?۔؟:"
    return "\n\n".join(joined)
