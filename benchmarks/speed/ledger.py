"""What a visit of 40 items costs the ledger at 20,000 and at 2,000,000 entries: CPU-ms as JSON.

    python benchmarks/speed/ledger.py [--sizes 20000,2000000]

The entries belong to 500 sources. A visit looks its 40 items up and adds the two that are new, in one transaction.
"""

import argparse
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store.connection import open_store
from store.frontier import NewEntry
from store.records import State
from store.sources import SourceLine

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOURCES = 500


def url(number: int) -> str:
    return f"https://paper{number % SOURCES}.test/news/2026/01/story-{number}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="20000,2000000")
    out: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as name, open_store(Path(name) / "news.db", mode="write") as store:
        lines = [
            SourceLine(id=f"s{n}", name="", url="", kind="none", role="source", country="", language="", enabled=True)
            for n in range(SOURCES)
        ]
        store.sources.sync(lines, now=NOW)
        written = 0
        for size in map(int, parser.parse_args().sizes.split(",")):
            while written < size:
                with store.transaction():
                    for n in range(written, min(size, written + 5_000)):
                        entry = NewEntry(
                            key=url(n), url=url(n), canonical_url=url(n), title="Wheat and water", state=State.REJECTED
                        )
                        store.frontier.add(f"s{n % SOURCES}", entry, now=NOW + timedelta(minutes=n // 40))
                    written = min(size, written + 5_000)
            spent = []
            for visit in range(300):
                source = visit % SOURCES
                known = [source + SOURCES * (i + visit // SOURCES) for i in range(38)]
                fresh = [f"{url(source)}-{size}-{visit}-{i}" for i in (1, 2)]
                began = time.process_time()
                with store.transaction():
                    found = store.frontier.known(f"s{source}", [*map(url, known), *fresh])
                    for key in fresh:
                        entry = NewEntry(key=key, url=key, canonical_url=key, title="New", state=State.REJECTED)
                        store.frontier.add(f"s{source}", entry, now=NOW)
                    store.frontier.seen([k.id for k in found.values()], now=NOW)
                spent.append(1000 * (time.process_time() - began))
                assert len(found) == 38
            out[size] = round(statistics.median(spent), 3)
    print(json.dumps({"a visit of 40 items, 2 of them new": out}))


if __name__ == "__main__":
    main()
