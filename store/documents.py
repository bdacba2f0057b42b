"""What was read: title and text of kept and rejected entries alike, and the page of kept ones as proof."""

import gzip
import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from store.records import utc_text

if TYPE_CHECKING:
    from store.connection import Store


class Documents:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def put(self, entry_id: int, *, title: str, text: str, fetched_at: datetime, page: bytes | None = None) -> None:
        """Keeps the last reading of an entry; the page, where given, compressed with its sha256."""
        packed = gzip.compress(page, 6, mtime=0) if page is not None else None
        digest = hashlib.sha256(page).hexdigest() if page is not None else None
        self._run(
            "INSERT INTO documents (entry_id, title, text, fetched_at, page_gz, page_sha256) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (entry_id) DO UPDATE SET title = excluded.title, text = excluded.text,"
            " fetched_at = excluded.fetched_at, page_gz = coalesce(excluded.page_gz, page_gz),"
            " page_sha256 = coalesce(excluded.page_sha256, page_sha256)",
            (entry_id, title, text, utc_text(fetched_at), packed, digest),
        )

    def get(self, entry_id: int) -> tuple[str, str] | None:
        """(title, text) as last read, or None."""
        row = self._run("SELECT title, text FROM documents WHERE entry_id = ?", (entry_id,)).fetchone()
        return None if row is None else (row["title"], row["text"])
