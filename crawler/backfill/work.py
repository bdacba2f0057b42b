"""One archive in a worker, wherever that runs: opened or fetched, scanned, and answered with a value.

What goes wrong with the file is a `Failed`, so that a worker is lost only where its process is.
"""

import asyncio
import atexit
import functools
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from crawler.backfill.archives import BadArchive
from crawler.backfill.scan import Scan, scan
from crawler.config import Config
from crawler.errors import UsageError
from crawler.lexicon import load
from crawler.sites import Sites
from crawler.types import Document
from crawler.workers import Pool

MOST = 20_000_000_000  # bytes of one archive file; those of Common Crawl have one


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An archive to read. `name` is a path, on every worker the same, or a URL."""

    name: str
    size: int | None  # bytes, where that is known beforehand
    config: Config
    languages: tuple[str, ...]
    lexicon: str  # the hash of the lexicon that the verdicts must come from


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Why an archive could not be read. `lost`: through no fault of the file, which stays pending."""

    name: str
    reason: str
    lost: bool = False


def work(job: Job, slot: AbstractContextManager[Any] | None = None) -> Scan | Failed:
    """Reads one archive. `slot` is entered while it is downloaded: the cluster's cap."""
    lexicon = load(job.config.topic)
    if lexicon.hash != job.lexicon:
        reason = "this worker has another lexicon: install the same pakrus on all machines of the cluster"
        return Failed(name=job.name, reason=reason, lost=True)
    try:
        with _opened(job, slot) as (stream, size):
            return scan(stream, job.name, size, lexicon, job.languages, sites=Sites.of(job.config), read=_read)
    except BadArchive as error:
        return Failed(name=job.name, reason=str(error))
    except UsageError as error:
        return Failed(name=job.name, reason=str(error), lost=True)
    except OSError as error:
        return Failed(name=job.name, reason=f"{error.strerror or error}")


def is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


@contextmanager
def _opened(job: Job, slot: AbstractContextManager[Any] | None) -> Iterator[tuple[BinaryIO, int | None]]:
    if not is_url(job.name):
        with Path(job.name).open("rb") as file:
            yield file, job.size
        return
    with cast(BinaryIO, tempfile.TemporaryFile(prefix="pakrus-archive-")) as copy:
        if slot is None:
            size = _download(job, copy)
        else:
            with slot:
                size = _download(job, copy)
        copy.seek(0)
        yield copy, size


def _download(job: Job, file: BinaryIO) -> int:
    from crawler.spiders.wire import NoAnswer, Wire

    async def fetch() -> int:
        wire = Wire(job.config.crawl, base=job.config.base)
        try:
            return await wire.save(job.name, file, limit=MOST)
        finally:
            await wire.close()

    try:
        return asyncio.run(fetch())
    except NoAnswer as error:
        raise BadArchive(f"could not be downloaded: {error}") from None


@functools.cache
def _pool() -> Pool:
    """One child for all pages that this process reads: a hostile page costs itself, not the archive."""
    pool = Pool(1)
    atexit.register(pool.close)
    return pool


def close() -> None:
    """Ends the child of this process, where there is one."""
    if _pool.cache_info().currsize:
        _pool().close()
        _pool.cache_clear()


def _read(body: bytes, **words: Any) -> Document:
    document: Document = _pool().call("extract", body, **words)
    return document
