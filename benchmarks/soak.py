"""How the daemon does over hours: `pakrus run` on papers that go on publishing, watched from outside.

    python benchmarks/soak.py [--hours 1] [--papers 60] [--out soak.tsv]

A line every half minute: resident memory of the daemon and of its workers (MB), open files, the write-ahead log and
the database (MB), passes, requests. At the end the slope of the daemon's memory after a quarter of the time, and how
it stopped. Each paper publishes every 2 to 10 minutes and is asked every 15 s at the most.
"""

import argparse
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from papers import Papers

ROOT = Path(__file__).parent.parent
SAMPLE_S = 30.0
COLUMNS = ("minutes", "rss_mb", "workers_mb", "files", "wal_mb", "db_mb", "passes", "requests", "articles")


def rss_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except FileNotFoundError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def children(pid: int) -> list[int]:
    """The child processes of all threads of a process."""
    return [int(c) for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]


def size_mb(path: Path) -> float:
    return path.stat().st_size / 2**20 if path.exists() else 0.0


def sample(pid: int, database: Path, began: float) -> tuple[float, ...]:
    passes = requests = articles = 0
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        passes = connection.execute("SELECT count(*) FROM runs WHERE ended_at IS NOT NULL").fetchone()[0]
        requests = connection.execute("SELECT count(*) FROM requests").fetchone()[0]
        articles = connection.execute("SELECT count(*) FROM articles").fetchone()[0]
    return (
        round((time.monotonic() - began) / 60, 2),
        round(rss_mb(pid), 1),
        round(sum(map(rss_mb, children(pid))), 1),
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
        round(size_mb(database.with_name("news.db-wal")), 2),
        round(size_mb(database), 2),
        passes,
        requests,
        articles,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--papers", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("soak.tsv"))
    given = parser.parse_args()
    rows: list[tuple[float, ...]] = []
    with tempfile.TemporaryDirectory() as name, Papers(given.papers, every_s=(120, 600)) as papers:
        folder = Path(name)
        (folder / "feeds.yaml").write_text(papers.config_text(every="15s", more="database: news.db\n"), "utf-8")
        with (folder / "log").open("wb") as log:
            daemon = subprocess.Popen(
                [sys.executable, "-m", "crawler", "run", "--config", str(folder / "feeds.yaml")],
                cwd=folder, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        try:
            began = time.monotonic()
            with given.out.open("w") as out:
                print(*COLUMNS, sep="\t", file=out)
                while (time.monotonic() - began) / 3600 < given.hours:
                    time.sleep(SAMPLE_S)
                    if daemon.poll() is not None:
                        break
                    if not (folder / "news.db").exists():
                        continue  # a busy machine: it is still starting
                    rows.append(sample(daemon.pid, folder / "news.db", began))
                    print(*rows[-1], sep="\t", file=out, flush=True)
            stopping = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            code = daemon.wait(timeout=60)
            stopped_s = time.monotonic() - stopping
        finally:
            if daemon.poll() is None:
                daemon.kill()
        tail = (folder / "log").read_text().splitlines()[-3:]
        counts = papers.counts()
    warm = rows[len(rows) // 4 :]
    slope = statistics.linear_regression([r[0] / 60 for r in warm], [r[1] for r in warm]).slope
    print(
        json.dumps(
            {
                "hours": round(rows[-1][0] / 60, 2),
                "passes": rows[-1][6],
                "requests": rows[-1][7],
                "articles": rows[-1][8],
                "rss_mb_at_a_quarter": warm[0][1],
                "rss_mb_at_the_end": warm[-1][1],
                "slope_mb_an_hour": round(slope, 2),
                "files": [min(r[3] for r in warm), max(r[3] for r in warm)],
                "wal_mb_most": max(r[4] for r in rows),
                "db_mb": rows[-1][5],
                "exit": code,
                "stopped_s": round(stopped_s, 1),
                "server": counts,
            }
        )
    )
    print(*tail, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    main()
