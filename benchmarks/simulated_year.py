"""A year of a hundred sources in minutes: how large the database gets, how long things take, what retention does.

    python benchmarks/simulated_year.py [--sources 100] [--items 10] [--days 395] [--out year.tsv]

See tests/year.py for what comes in. The sweep runs and an edition is made every day, a nightly round every tenth. At
the end: the database by table; the times of the view `daily`, of an edition, of status, audit, sweep and nightly round;
whether every promise of `keep` holds; whether each kept article and edition is there as it was written; and whether a
copy taken while others write restores to the same hashes of all tables. Exit code 1 where something does not hold.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from simulated_week import tables

from crawler.reports import audit, search, status
from store.upkeep import copy_and_check, merge_full_text
from tests.year import DAY, Year


def milliseconds(work: Callable[[], Any], *, times: int = 3) -> float:
    """Of processor time, the least of so many: others may use the machine meanwhile."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - began))
    return round(min(spent), 1)


def year(it: Year, folder: Path, days: int, out: Path) -> dict[str, Any]:
    began = time.monotonic()
    sweeps, editions = [], []
    with it.open() as store, out.open("w") as log:
        app, zone, run = it.app(store), it.config.timezone, store.connection.execute

        def night(*, full: bool) -> None:
            merge_full_text(store, now=it.now)
            copy_and_check(it.path, it.now.date(), full=full)

        print("day", "seconds", "db_mb", "entries", "compacted", "sweep_ms", "edition_ms", sep="\t", file=log)
        for number in range(1, days + 1):
            it.day(app)
            editions.append(milliseconds(lambda: it.edition(app, folder), times=1))
            sweeps.append(milliseconds(lambda: it.sweep(store), times=1))
            if number % 10 == 0:
                night(full=False)
                entries = run("SELECT count(*) FROM entries").fetchone()[0]
                size = round(it.path.stat().st_size / 1e6, 1)
                row = (number, round(time.monotonic() - began), size, entries, store.frontier.compacted())
                print(*row, sweeps[-1], editions[-1], sep="\t", file=log, flush=True)
        day = (it.now - 2 * DAY).date().isoformat()
        ledger = audit.report(store, day=None, zone=zone)
        return {
            "days": days,
            "seconds": round(time.monotonic() - began),
            "seen": it.number,
            "db_mb": round(it.path.stat().st_size / 1e6, 1),
            "ms": {
                "daily": milliseconds(lambda: run("SELECT * FROM daily WHERE day = ?", (day,)).fetchall()),
                "edition, of the last ten days": max(editions[-10:]),
                "search": milliseconds(
                    lambda: search.report(
                        store, it.vocabulary["ru"][7], since=None, until=None, sector=None, language=None, limit=20
                    )
                ),
                "status": milliseconds(lambda: status.report(app)),
                "audit": milliseconds(lambda: audit.report(store, day=None, zone=zone)),
                "sweep, of the last ten days": max(sweeps[-10:]),
                "sweep, the longest": max(sweeps),
                "night, with a copy and its full check": milliseconds(lambda: night(full=True), times=1),
            },
            "audit": {k: ledger[k] for k in ("seen", "kept", "rejected", "compacted", "unexplained")},
            "there longer than promised": it.overdue(store),
            "kept and lost": len(it.lost(it.path)),
            "editions that verify otherwise": it.edited(app, 20),
            "copy under load": it.copied_under_load(app, folder),
        }


def holds(found: dict[str, Any]) -> bool:
    copy = found["copy under load"]
    wrong = (
        found["audit"]["unexplained"], any(found["there longer than promised"].values()), found["kept and lost"],
        found["editions that verify otherwise"], copy["tables that differ"], copy["unexplained"], copy["kept and lost"],
    )  # fmt: skip
    return not any(wrong)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=100)
    parser.add_argument("--items", type=int, default=10)
    parser.add_argument("--days", type=int, default=395)
    parser.add_argument("--out", type=Path, default=Path("year.tsv"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        it = Year(folder, sources=given.sources, items=given.items)
        found = year(it, folder, given.days, given.out)
        print(json.dumps(found, indent=1))
        for table, size, count in tables(it.path)[:14]:
            print(f"{size / 1e6:9.1f} MB  {table:28} {count or ''}")
    sys.exit(0 if holds(found) else 1)


if __name__ == "__main__":
    main()
