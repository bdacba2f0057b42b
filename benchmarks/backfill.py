#!/usr/bin/env python3
"""The backfill, measured on archives of its own making.

    python benchmarks/backfill.py [GOLD] [--files 24] [--records 1250] [--only prefilter,speed,same]

prefilter  is every labelled record of grade 1 and 2 let through, in UTF-8, windows-1251, koi8-r and with entities?
speed      the scan of all files against their decompression with extraction of the same survivors alone, in turns
same       serial, two local workers, a Dask cluster of two processes, and after kill -9 of a worker, of the scheduler
           and of the driver: the same hash over articles and stories; the peak memory of the workers
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from crawler.app import open_app
from crawler.backfill import run as backfill
from crawler.backfill.archives import records
from crawler.backfill.scan import scan
from crawler.classify.prefilter import may_concern
from crawler.config import parse_config
from crawler.errors import Unreachable
from crawler.extract import extract
from crawler.lexicon import load
from store.connection import open_store
from tests.archives import Page, write_warc

LANGUAGES = ("en", "ru", "ur")
CONFIG = "topic: pakistan-russia\ntimezone: Asia/Karachi\nsources: []\n"
WORDS = """harvest valley council road school market river bridge teacher budget winter festival museum library
garden doctor village train station concert player season coach match stadium village price wheat cotton summer plan
minister speech parliament court judge case police fire storm rain snow mountain hotel tourist film actor singer book
""".split()


def gold(folder: Path) -> list[dict[str, Any]]:
    rows = []
    for language in LANGUAGES:
        with (folder / f"{language}.jsonl").open(encoding="utf-8") as file:
            rows += [{**json.loads(line), "language": language} for line in file]
    return rows


def page(row: dict[str, Any], number: int, *, charset: str = "utf-8", entities: bool = False) -> Page:
    day = str(row.get("published") or "2024-03-05")[:10]
    return Page(
        url=f"http://site{number % 40}.test/news/{number}",
        title=row["title"],
        text=row["text"],
        language=row["language"],
        published=f"{day}T{number % 24:02d}:00:00Z",
        seen="2026-01-05T12:00:00Z",
        charset=charset,
        entities=entities,
    )


def filler(rng: random.Random, number: int) -> Page:
    """A page of ordinary news, 10 to 60 kB with what stands around it."""
    paragraphs = [" ".join(rng.choices(WORDS, k=60)).capitalize() + "." for _ in range(rng.randint(20, 150))]
    title = " ".join(rng.choices(WORDS, k=8)).capitalize()
    return Page(f"http://local{number % 300}.test/{number}", title, "\n".join(paragraphs))


def make(folder: Path, rows: list[dict[str, Any]], *, files: int, per_file: int, share: float) -> list[Path]:
    """Archives in which a labelled record (of any grade) stands now and then, the rest filler."""
    rng = random.Random(1)
    number, turn = 0, 0
    paths = []
    for index in range(files):
        pages = []
        for _ in range(per_file):
            number += 1
            if rng.random() < share:
                row = rows[turn % len(rows)]
                turn += 1
                charset = "windows-1251" if row["language"] == "ru" and turn % 3 == 0 else "utf-8"
                pages.append(page(row, number, charset=charset, entities=turn % 7 == 0))
            else:
                pages.append(filler(rng, number))
        paths.append(write_warc(folder / f"{index:02d}.warc.gz", pages))
    return paths


# --- prefilter ----------------------------------------------------------------------------------------------------


def prefilter(rows: list[dict[str, Any]]) -> dict[str, Any]:
    lexicon = load()
    relevant = [row for row in rows if row["grade"] >= 1]
    through: dict[str, str] = {}
    for name, charset, entities in (
        ("utf-8", "utf-8", False),
        ("windows-1251", "windows-1251", False),
        ("koi8-r", "koi8-r", False),
        ("entities", "utf-8", True),
    ):
        chosen = [r for r in relevant if not (name in ("windows-1251", "koi8-r") and r["language"] == "ur")]
        let = sum(
            may_concern(
                page(row, 1, charset=charset, entities=entities).body(),
                country=row.get("publisher_country") or "",
                lexicon=lexicon,
            )
            for row in chosen
        )
        through[name] = f"{let} of {len(chosen)}"
    return through


# --- speed --------------------------------------------------------------------------------------------------------


def speed(paths: list[Path]) -> dict[str, Any]:
    lexicon = load()

    def whole() -> set[str]:
        found: set[str] = set()
        survivors.clear()

        def read(body: bytes, **words: Any) -> Any:
            survivors.add(words["url"])
            return extract(body, **words)

        for path in paths:
            with path.open("rb") as stream:
                result = scan(stream, path.name, path.stat().st_size, lexicon, LANGUAGES, read=read)
            found |= {find.url for find in result.finds}
        return found

    def limit() -> None:
        for path in paths:
            with path.open("rb") as stream:
                for record in records(stream, name=path.name, size=path.stat().st_size):
                    if record.url in survivors:
                        extract(record.body, url=record.url, content_type=record.content_type, now=record.seen_at)

    survivors: set[str] = set()
    whole()  # warm: the lexicon, the extractor
    ours, least = [], []
    for _ in range(3):
        ours.append(_cpu(whole))
        least.append(_cpu(limit))
    size = sum(path.stat().st_size for path in paths)
    return {
        "survivors": len(survivors),
        "scan CPU-s": round(statistics.median(ours), 2),
        "decompression and extraction of survivors CPU-s": round(statistics.median(least), 2),
        "throughput kept": round(statistics.median(b / a for a, b in zip(ours, least, strict=True)), 2),
        "compressed MB/s": round(size / 1e6 / statistics.median(ours), 1),
    }


def _cpu(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


# --- the same rows ------------------------------------------------------------------------------------------------


def rows_of(folder: Path) -> str:
    with open_store(folder / "news.db", mode="read") as store:
        rows = [
            tuple(row)
            for row in store.connection.execute(
                "SELECT id, canonical_url, text_hash, grade, day, story_id, duplicate_of FROM articles ORDER BY id"
            )
        ]
    return f"{len(rows)} articles {hashlib.sha256(repr(rows).encode()).hexdigest()[:16]}"


def go(folder: Path, paths: list[Path], **options: Any) -> backfill.Report:
    folder.mkdir(exist_ok=True)
    with open_app(parse_config(CONFIG, base=folder), database=folder / "news.db", mode="write", holder="bench") as app:
        return backfill.run(app, backfill.files([str(p) for p in paths]), languages=LANGUAGES, **options)


class Cluster:
    """A scheduler and two workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / f"scheduler-{time.monotonic_ns()}.json"
        self.quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        self.words = [sys.executable, "-m", "dask"]
        self.scheduler = subprocess.Popen(
            [*self.words, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file",
             self.file], **self.quiet,
        )  # fmt: skip
        self.workers = [self.worker(), self.worker()]
        while not (self.file.exists() and self.file.stat().st_size):
            time.sleep(0.1)
        time.sleep(3)
        self.address = json.loads(self.file.read_text("utf-8"))["address"]
        self.peak = 0

    def worker(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self.words, "worker", "--scheduler-file", self.file, "--nthreads", "1", "--no-dashboard", "--no-nanny"],
            **self.quiet,
        )

    def look(self) -> None:
        """Notes the most resident memory that a worker had so far, in MB."""
        for worker in self.workers:
            try:
                status = Path(f"/proc/{worker.pid}/status").read_text("ascii")
            except OSError:
                continue
            peak = [int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")]
            self.peak = max([self.peak, *peak])

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()


def same(folder: Path, paths: list[Path]) -> Iterator[tuple[str, str]]:
    go(folder / "serial", paths)
    yield "serial", rows_of(folder / "serial")
    go(folder / "local", paths, workers=2)
    yield "two local workers", rows_of(folder / "local")
    with Cluster(folder) as cluster:
        go(folder / "cluster", paths, scheduler=cluster.address, progress=lambda report: cluster.look())
        yield "a cluster of two processes", rows_of(folder / "cluster")
        yield "peak memory of a worker, MB", str(cluster.peak)
    with Cluster(folder) as cluster:

        def kill_worker(report: backfill.Report) -> None:
            if report.done == len(paths) // 3:
                cluster.workers[0].kill()
                cluster.workers.append(cluster.worker())

        report = go(folder / "worker", paths, scheduler=cluster.address, progress=kill_worker)
        yield "a worker killed", f"{rows_of(folder / 'worker')} ({len(report.pending)} pending)"
    with Cluster(folder) as cluster:

        def kill_scheduler(report: backfill.Report) -> None:
            if report.done == len(paths) // 3:
                cluster.scheduler.kill()

        try:
            go(folder / "scheduler", paths, scheduler=cluster.address, progress=kill_scheduler)
            yield "the scheduler killed", "was not noticed"
        except Unreachable as error:
            yield "the scheduler killed", f"exit {error.exit_code}: {error}"
    report = go(folder / "scheduler", paths)
    yield "  and run again", f"{rows_of(folder / 'scheduler')} ({report.before} files read before)"

    def die(report: backfill.Report) -> None:
        if report.done == len(paths) // 3:
            os.kill(os.getpid(), signal.SIGKILL)

    driver = multiprocessing.get_context("fork").Process(
        target=go, args=(folder / "driver", paths), kwargs={"progress": die}
    )
    driver.start()
    driver.join()
    report = go(folder / "driver", paths)
    yield "the driver killed, and run again", f"{rows_of(folder / 'driver')} ({report.before} files read before)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path, nargs="?", default=Path(__file__).parent / "gold")
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--records", type=int, default=1250)
    parser.add_argument("--gold-share", type=float, default=0.02, help="of the records; they are of any grade")
    parser.add_argument("--only", default="prefilter,speed,same")
    options = parser.parse_args()
    rows = gold(options.gold)
    parts = options.only.split(",")
    if "prefilter" in parts:
        for name, value in prefilter(rows).items():
            print(f"prefilter, {name}: {value} let through")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make(folder, rows, files=options.files, per_file=options.records, share=options.gold_share)
        print(f"{len(paths)} files of {options.records} records, {sum(p.stat().st_size for p in paths) / 1e6:.0f} MB")
        if "speed" in parts:
            for name, value in speed(paths[:4]).items():
                print(f"speed, {name}: {value}")
        if "same" in parts:
            for name, value in same(folder, paths):
                print(f"same, {name}: {value}", flush=True)
    print(f"peak memory here: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
