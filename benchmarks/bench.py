"""`./run bench`: how fast, beside whom. Ratios of two things in one run; writes docs/benchmarks.md and docs/growth.svg.

    ./run bench [--only SECTION[,SECTION]] [--quick]

Each client runs in a process and an environment of its own: the peers' are made under var/bench/peers on first use,
pinned, from the package index; the rows of a peer that cannot be installed say so. CPU time counts, that of children
too, without the start of the process; medians. What a section found is kept in var/bench/results.json, so that the
sections can be run one by one; the page holds the last of each. BENCH_BUSY=1 is for a machine that has other work: as
many runs, of a third of the feeds, a fifth of the pages and a fourth of the verbs. `--quick` makes small runs and
leaves the page alone.
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SPEED = ROOT / "benchmarks" / "speed"
sys.path.insert(0, str(SPEED))

from page import Row, machine, plot, table  # noqa: E402 - beside the scripts that it serves

VAR = ROOT / "var" / "bench"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "growth.svg"
BEGIN, END = "<!-- made by ./run bench -->", "<!-- end -->"
PEERS = {
    "reader": ["reader==3.26", "sgmllib3k==1.0.0"],  # the last one for Python 3.11
    "news-please": ["news-please==1.6.16"],
    "newspaper4k": ["newspaper4k==0.9.6"],
}


def python_of(peer: str) -> Path | None:
    """The interpreter of a peer's environment, made if need be; None if it cannot be."""
    home = VAR / "peers" / peer
    python = home / "bin" / "python"
    stamp = home / ".installed"
    wanted = " ".join(PEERS[peer])
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv")
    make = [uv, "venv", "-q", "-p", sys.executable, home] if uv else [sys.executable, "-m", "venv", home]
    pip = [uv, "pip", "install", "-q", "--python", python] if uv else [python, "-m", "pip", "install", "-q"]
    for command in (make, [*pip, *PEERS[peer]]):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
        if done.returncode:
            print(f"{peer} cannot be installed: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return None
    stamp.write_text(wanted)
    return python


def measured(script: str, *words: Any, python: Path | str | None = sys.executable) -> list[dict[str, Any]]:
    """The JSON lines of one of the scripts; none where its environment could not be made."""
    if python is None:
        return []
    done = subprocess.run(
        [str(python), str(SPEED / script), *map(str, words)], capture_output=True, text=True, cwd=ROOT, timeout=3600
    )
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(map(str, words))} failed:\n{done.stderr[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@contextmanager
def newsroom() -> Iterator[str]:
    server = subprocess.Popen([sys.executable, str(SPEED / "newsroom.py")], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def beside(what: str, one: float | None, other: float | None, unit: str, **wanted: float) -> Row:
    """`one` to `other`; either may be missing."""
    if one is None or other is None:
        return Row(what=what, ratio=None, figures="the peer could not be installed", **wanted)
    return Row(what=what, ratio=one / other, figures=f"{one:.3g} to {other:.3g} {unit}", **wanted)


# --- sections ---------------------------------------------------------------------------------------------------------


BUSY = "BENCH_BUSY" in os.environ
CLIENTS = {
    "reader": "lemon24/reader",
    "scrapy": "bare Scrapy, its defaults",
    "scrapy-ours": "bare Scrapy, our settings",
    "aiohttp": "bare aiohttp",
}


def polling(quick: bool) -> list[Row]:
    feeds, turns = (10, 1) if quick else (100 if BUSY else 300, 5)
    spent: dict[tuple[str, int], list[float]] = {}
    with newsroom() as port:
        for _ in range(turns):
            for client in ("pakrus", *CLIENTS):
                python = python_of(client) if client in PEERS else sys.executable
                for found in measured("polling.py", client, port, "--feeds", feeds, python=python):
                    spent.setdefault((client, found["round"]), []).append(found["ms"])
    loads = {"unchanged": (1, 3), "39 of 40 entries new": (2,), "2 of 40 entries new": (4,)}
    wanted = {(load, "reader"): {"most": 0.7 if load == "unchanged" else 0.5} for load in loads}
    rows = []
    for load, rounds in loads.items():
        ms = {
            client: _median([x for r in rounds for x in spent.get((client, r), [])]) for client in ("pakrus", *CLIENTS)
        }
        for client, name in CLIENTS.items():
            what = f"polling, {load}: pakrus to {name}"
            unit = f"CPU-ms a feed, of {feeds}"
            rows.append(beside(what, ms["pakrus"], ms[client], unit, **wanted.get((load, client), {})))
    return rows


def _median(found: list[float]) -> float | None:
    return statistics.median(found) if found else None


LOADS = {"all of both sides": 0, "one of ten of both sides": 99}  # the first feed of each


def articles(quick: bool) -> list[Row]:
    """Two loads: every page concerns both sides; one of ten does, nearer to what papers print."""
    clients = ("pakrus", "extract", "trafilatura", "news-please", "newspaper4k")
    rows = []
    with newsroom() as port:
        for load, first in LOADS.items():
            spent = {}
            for client in clients:
                python = python_of(client) if client in PEERS else sys.executable
                size = ("--batches", 1 if quick else 5, "--feeds", 1 if quick or BUSY else 5)
                told = measured("articles.py", client, port, "--first", first, *size, python=python)
                spent[client] = [row["ms"] for row in told]
            ms = {client: _median(found) for client, found in spent.items()}
            unit = f"CPU-ms an article, of {100 if BUSY else 500}"
            mixed = first > 0
            for client, what, wanted in (
                ("extract", "our extraction alone, of the pages that need it", {"least": 0.85}),
                ("trafilatura", "trafilatura alone, of the pages that need it", {}),
                ("news-please", "news-please", {"least": 5.0} if mixed else {}),
                ("newspaper4k", "newspaper4k", {}),
            ):
                rows.append(
                    beside(
                        f"feed to stored article, {load}: {what} to pakrus", ms[client], ms["pakrus"], unit, **wanted
                    )
                )
    return rows


def judging(quick: bool) -> list[Row]:
    (ms,) = measured("judging.py", "--rounds", 1 if quick else 5)
    loads = {
        "that concern nobody": ms["others"],
        "one of ten of both sides": 0.9 * ms["others"] + 0.1 * ms["judge"],
        "that all concern both sides": ms["judge"],
    }
    rows = [
        Row(
            what=f"documents judged in the time of one extraction, {load}",
            ratio=ms["extract"] / judged,
            figures=f"{ms['extract']:.3g} to {judged:.3g} CPU-ms; trafilatura alone {ms['trafilatura']:.3g};"
            f" {1000 / judged:.0f} documents a CPU-second",
            least=20 if load.startswith("one of ten") else None,
        )
        for load, judged in loads.items()
    ]
    rows.append(beside("a judgement to the automata alone", ms["judge"], ms["automaton"], "CPU-ms a document"))
    return rows


def growth(quick: bool) -> list[Row]:
    sizes = "200,2000" if quick else "1000,10000,100000"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(SPEED / "growth.py"), "--sizes", sizes, "--folder", folder],
            check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        words = ["--config", f"{folder}/feeds.yaml", "--db", f"{folder}/news.db", "--date", "2010-01-04"]
        _, digest = spent_by([sys.executable, "-m", "crawler", "digest", *words, "--out", folder])
    costs: dict[str, dict[str, float]] = json.loads(done.stdout)
    if not quick:
        PLOT.write_text(plot(costs), "utf-8")
    rows = []
    for question, by_size in costs.items():
        *_, before, last = by_size
        unit = "MB" if question.endswith("MB") else "CPU-ms"
        wanted = {"most": 3.0} if question.startswith(("daily", "search", "an edition")) else {}
        what = f"{question.removesuffix(', MB')}: at {int(last):,} to {int(before):,}"
        rows.append(beside(what, by_size[last], by_size[before], unit, **wanted))
    rows.append(Row(what=f"`digest` on {int(last):,} articles: peak memory, MB", ratio=digest))
    return rows


def ledger(quick: bool) -> list[Row]:
    sizes = (20_000, 40_000) if quick else (20_000, 2_000_000)
    (found,) = measured("ledger.py", "--sizes", ",".join(map(str, sizes)))
    ((what, by_size),) = found.items()
    small, large = by_size.values()
    return [beside(f"the ledger, {what}: at {sizes[1]:,} to {sizes[0]:,} entries", large, small, "CPU-ms")]


def spent_by(words: list[str]) -> tuple[float, float]:
    """CPU-ms and peak MB of a process with the children that it waited for."""
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0  # it has been waited for
    return 1000 * (used.ru_utime + used.ru_stime), used.ru_maxrss / 1024


def start(quick: bool) -> list[Row]:
    """Each verb with --help, which imports what its command line needs; and three with an empty database."""
    from click.testing import CliRunner

    from crawler.cli import cli

    with tempfile.TemporaryDirectory() as folder:
        base = ["--db", f"{folder}/news.db"]
        CliRunner().invoke(cli, ["ingest", *base, "-"], input="")
        verbs = [[name, "--help"] for name in sorted(cli.commands)][:: 10 if quick else 4 if BUSY else 1]
        verbs += [["status", *base], ["search", "Russia", *base], ["explain", "1", *base]]
        ran = {"": [sys.executable, "-c", ""]}
        ran |= {
            " ".join(w for w in words if w not in base): [sys.executable, "-m", "crawler", *words] for words in verbs
        }
        spent: dict[str, list[float]] = {name: [] for name in ran}
        for _ in range(1 if quick else 5):
            for name, words in ran.items():
                spent[name].append(spent_by(words)[0])
    ms = {name: statistics.median(found) for name, found in spent.items()}
    bare = ms.pop("")
    rows = []
    for name, value in sorted(ms.items(), key=lambda item: item[1]):
        where = "" if name.endswith("--help") else " on an empty database"
        rows.append(beside(f"start, `{name}`{where} to a bare interpreter", value, bare, "CPU-ms"))
    return rows


def daemon(quick: bool) -> list[Row]:
    """With all of feeds.yaml and nothing due."""
    seconds = 5 if quick else 60
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copy(ROOT / "feeds.yaml", home / "feeds.yaml")
        from crawler.app import App
        from crawler.config import read_config
        from store.connection import open_store

        config = read_config(home / "feeds.yaml", home)
        with open_store(home / "news.db", mode="write") as store:
            App(config, store).sync_sources()
        with sqlite3.connect(home / "news.db") as database:
            database.execute("UPDATE sources SET next_due_at = '2099-01-01T00:00:00Z'")
        words = [sys.executable, "-m", "crawler", "run", "--config", f"{home}/feeds.yaml", "--db", f"{home}/news.db"]
        log = home / "log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            before = _settled(process.pid, log)
            began = time.monotonic()
            time.sleep(seconds)
            (after, memory), lasted = usage(process.pid), time.monotonic() - began
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    share = (after - before) / lasted
    about = f"{len(config.sources)} sources in feeds.yaml, nothing due"
    return [
        Row(
            what=f"the daemon, {about}: share of a core",
            ratio=share,
            most=0.01,
            share=True,
            figures=f"over {seconds} s",
        ),
        Row(what=f"the daemon, {about}: memory of it and its workers, MB", ratio=memory, most=200, figures="Pss"),
    ]


def _settled(pid: int, log: Path) -> float:
    """The CPU seconds of a daemon once it has started, and has written the edition of the day."""
    for _ in range(300):
        time.sleep(1)
        if "edition" in log.read_text("utf-8"):
            break
    else:
        raise SystemExit(f"the daemon wrote no edition:\n{log.read_text('utf-8')}")
    time.sleep(10)
    return usage(pid)[0]


def usage(pid: int) -> tuple[float, float]:
    """CPU seconds and memory (MB, shared pages counted once) of a process and its children."""
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        pids += map(int, (task / "children").read_text().split())
    cpu = memory = 0.0
    for one in pids:
        cpu += sum(map(int, Path(f"/proc/{one}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]))
        memory += int(Path(f"/proc/{one}/smaps_rollup").read_text().split("Pss:")[1].split()[0]) / 1024
    return cpu / os.sysconf("SC_CLK_TCK"), memory


SECTIONS: dict[str, Callable[[bool], list[Row]]] = {
    "polling": polling, "articles": articles, "judging": judging, "growth": growth, "ledger": ledger, "start": start,
    "daemon": daemon,
}  # fmt: skip


def write_page(results: dict[str, Any]) -> None:
    rows = [Row(**row) for section in SECTIONS if section in results for row in results[section]["rows"]]
    dates = sorted({results[section]["date"] for section in SECTIONS if section in results})
    made = f"Measured {' and '.join(dates)}. {machine(PEERS.values())}\n\n{table(rows)}"
    head, rest = PAGE.read_text("utf-8").split(BEGIN, 1)
    PAGE.write_text(f"{head}{BEGIN}\n\n{made}\n\n{END}{rest.split(END, 1)[1]}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    VAR.mkdir(parents=True, exist_ok=True)
    kept = VAR / "results.json"
    for section in given.only.split(","):
        began = time.monotonic()
        rows = SECTIONS[section](given.quick)
        print(f"\n{section}: {time.monotonic() - began:.0f} s", flush=True)
        for row in rows:
            about = "; ".join(x for x in (row.figures, row.wanted and f"wanted {row.wanted}: {row.holds}") if x)
            print(f"  {row.shown:>8}  {row.what} ({about})", flush=True)
        if not given.quick:
            results = json.loads(kept.read_text()) if kept.exists() else {}
            results[section] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "rows": [asdict(row) for row in rows]}
            kept.write_text(json.dumps(results, indent=1), "utf-8")
            write_page(results)


if __name__ == "__main__":
    main()
