"""Every document of a folder of feeds through the reader, against the expected outputs that lie beside them.

    python benchmarks/readers_corpora.py FOLDER [--verbose]

Expected outputs: ``<name>.serde.json`` of feed-rs beside the document, ``output/<name>.json`` of rss-parser. Prints one
line a deviation, then a summary as JSON.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler import readers, urls
from crawler.readers.markup import plain
from crawler.types import Reading

ADDRESS = "https://feeds.example/feed"


def expected_entries(path: Path) -> list[dict[str, Any]] | None:
    """Title, links, id and time of each expected entry, or None where there is no expected output."""
    beside = path.with_name(path.stem + ".serde.json")
    if beside.exists():
        value = json.loads(beside.read_text(encoding="utf-8"))
        return [
            {
                "id": e["id"],
                "title": (e.get("title") or {}).get("content") or "",
                "links": [link["href"] for link in e.get("links", [])],
                "published": e.get("published") or e.get("updated"),
            }
            for e in value["entries"]
        ]
    output = path.parent.parent / "output" / (path.stem + ".json")
    if path.parent.name == "input" and output.exists():
        value = json.loads(output.read_text(encoding="utf-8"))["feed"]
        return [
            {
                "id": e.get("guid") or e.get("id") or "",
                "title": e.get("title") or "",
                "links": [e["link"]] if e.get("link") else [],
                "published": e.get("isoDate") or e.get("pubDate"),
            }
            for e in value["items"]
        ]
    return None


def instant(raw: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(raw).astimezone(UTC).replace(microsecond=0) if raw else None
    except ValueError:
        return None


def words(text: str) -> list[str]:
    return plain(text).split()


def deviations(path: Path, reading: Reading) -> list[str]:
    wanted = expected_entries(path)
    if wanted is None:
        return []
    if len(wanted) != len(reading.entries):
        return [f"{len(reading.entries)} entries, expected {len(wanted)}"]
    found = []
    for number, (entry, want) in enumerate(zip(reading.entries, wanted, strict=True)):
        if entry.title.split() != words(want["title"]):
            found.append(f"[{number}] title {entry.title!r}, expected {want['title']!r}")
        links = [urls.absolute(link, ADDRESS) for link in want["links"]]
        proxied = all(link is not None and urls.is_search_link(link) for link in links)  # we take the page behind
        if any(links) and entry.url not in links and not proxied:
            found.append(f"[{number}] url {entry.url!r}, expected one of {links}")
        time_wanted = instant(want["published"])
        time_found = entry.published.instant if entry.published else None
        if time_wanted and time_found != time_wanted:
            found.append(f"[{number}] published {time_found}, expected {time_wanted}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verbose", action="store_true", help="a line for every document")
    options = parser.parse_args()
    documents = sorted(
        p
        for p in options.folder.rglob("*")
        if p.is_file() and p.name != "SOURCE.txt" and not p.name.endswith(".serde.json") and p.parent.name != "output"
    )
    counts = {"documents": 0, "exceptions": 0, "readable": 0, "entries": 0, "compared": 0, "equal": 0}
    started = time.process_time()
    for path in documents:
        counts["documents"] += 1
        try:
            reading = readers.read("feed", path.read_bytes(), url=ADDRESS)
        except Exception as error:  # noqa: BLE001 - the point of the run is to count them
            counts["exceptions"] += 1
            print(f"{path.name}: {type(error).__name__}: {error}")
            continue
        counts["readable"] += reading.readable
        counts["entries"] += len(reading.entries)
        if options.verbose:
            print(f"{path.name}: {len(reading.entries)} entries, {reading.problems}")
        if expected_entries(path) is not None:
            counts["compared"] += 1
            found = deviations(path, reading)
            counts["equal"] += not found
            for line in found[:5]:
                print(f"{path.relative_to(options.folder)}: {line}")
    print(json.dumps({**counts, "cpu_s": round(time.process_time() - started, 2)}))
    return 1 if counts["exceptions"] else 0


if __name__ == "__main__":
    sys.exit(main())
