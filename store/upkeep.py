"""What keeps a database fit for years: retention by class, a tidy full text, copies each night, checks of them.

Each part runs by itself: one that fails is remembered (table `meta`), `status` names it, and the others go on.
"""

import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from store.backup import Copy, backup, check
from store.connection import translate
from store.errors import StoreError, StoreUnwritable
from store.records import utc_text, utc_time

if TYPE_CHECKING:
    from store.connection import Store

log = logging.getLogger("pakrus")

BATCH = 5000  # rows that one transaction deletes: other writers wait no longer than that takes
MERGE_PAGES = 500  # of the full-text index, that one step of its nightly merge works on
MERGE_STEPS = 40
COPIES = {"daily": 7, "weekly": 4, "monthly": 6}  # of each kind so many periods keep their newest copy
CHECK_EVERY = timedelta(days=7)
GROWTH_SEEN = timedelta(days=35)
LEAST_GROWTH_DAYS = 3
SPARE = 1.2  # times the database must be free on the disk before it is copied
PARTS = ("retention", "full text", "statistics", "checkpoint", "backup", "integrity")


# --- retention --------------------------------------------------------------------------------------------------------


def sweep(
    store: "Store", *, now: datetime, requests_s: float, rejected_text_s: float, rejected_entries_s: float
) -> Mapping[str, int]:
    """Deletes what its class no longer keeps, and tidies; kept articles, their pages and stories stay for ever.

    A rejected entry goes only when its source has not listed it for so long: else it would come back as new. Its number
    stays, by source and month, so that the ledger adds up. What a person has marked or was asked to judge stays. The
    totals of passes (`runs`) stay as long as rejected entries; visits for ever: past editions are verified by them.
    """
    run = store.connection.execute
    counts = {"requests": 0, "rejected_texts": 0, "rejected_entries": 0, "runs": 0}

    def before(seconds: float) -> str:
        return utc_text(now - timedelta(seconds=seconds))

    with _part(store, "retention", now):
        counts["requests"] = _in_batches(
            store, "requests", "SELECT rowid FROM requests WHERE at < ? ORDER BY at LIMIT ?", before(requests_s)
        )
        counts["rejected_texts"] = _in_batches(
            store,
            "documents",
            "SELECT d.entry_id FROM documents d INDEXED BY documents_fetched CROSS JOIN entries e ON e.id = d.entry_id"
            " WHERE d.fetched_at < ? AND e.state = 'rejected' AND e.article_id IS NULL LIMIT ?",
            before(rejected_text_s),
        )
        counts["rejected_entries"] = _compact(store, before(rejected_entries_s))
        # The oldest are the first; the look-up ends at the first that stays, and no index is needed.
        counts["runs"] = _in_batches(
            store,
            "runs",
            "SELECT id FROM runs WHERE id < coalesce("
            " (SELECT id FROM runs WHERE started_at >= ?1 ORDER BY id LIMIT 1), 9223372036854775807)"
            " ORDER BY id LIMIT ?2",
            before(rejected_entries_s),
        )
    with _part(store, "full text", now):
        run("INSERT INTO article_search (article_search, rank) VALUES ('merge', 200)")
    with _part(store, "statistics", now):
        run("PRAGMA analysis_limit = 400")  # rows of an index that are enough for the planner
        run("PRAGMA optimize")
    with _part(store, "checkpoint", now):
        run("PRAGMA wal_checkpoint(TRUNCATE)")
    return counts


def _in_batches(store: "Store", table: str, chosen: str, bound: str) -> int:
    """Deletes the rows that `chosen` selects (parameters: bound, most), so many a transaction."""
    count = 0
    while True:
        with store.transaction():
            gone = store.connection.execute(f"DELETE FROM {table} WHERE rowid IN ({chosen})", (bound, BATCH)).rowcount  # noqa: S608
        count += gone
        if gone < BATCH:
            return count


def _compact(store: "Store", bound: str) -> int:
    """Turns rows of rejected items that no source has listed since `bound` into numbers; returns how many."""
    run = store.connection.execute
    count, last = 0, ("", 0)
    while True:
        rows = run(
            "SELECT id, first_seen_at FROM entries INDEXED BY entries_rejected"
            " WHERE state = 'rejected' AND article_id IS NULL AND first_seen_at < ? AND (first_seen_at, id) > (?, ?)"
            " AND last_seen_at < ? AND id NOT IN (SELECT entry_id FROM marks WHERE entry_id IS NOT NULL)"
            " AND id NOT IN (SELECT entry_id FROM samples) ORDER BY first_seen_at, id LIMIT ?",
            (bound, *last, bound, BATCH),
        ).fetchall()
        if not rows:
            return count
        last = (rows[-1]["first_seen_at"], rows[-1]["id"])
        ids = [(row["id"],) for row in rows]
        with store.transaction():
            store.connection.executemany(
                "INSERT INTO compacted_entries (source_id, month, state, entries)"
                " SELECT source_id, substr(first_seen_at, 1, 7), state, 1 FROM entries WHERE id = ?"
                " ON CONFLICT DO UPDATE SET entries = entries + 1",
                ids,
            )
            store.connection.executemany("DELETE FROM documents WHERE entry_id = ?", ids)
            store.connection.executemany("DELETE FROM entries WHERE id = ?", ids)
            store.note("compacted_until", max(last[0], store.noted("compacted_until") or ""))
        count += len(ids)


# --- each night -------------------------------------------------------------------------------------------------------


def night(store: "Store", *, now: datetime, today: date) -> bool:
    """Is a nightly round due: none has been tried on this local day, or the last one failed an hour ago or more?"""
    tried = store.noted("night")
    return tried is None or tried != today.isoformat() or (_failed(store, "backup") and _stale(store, now))


def merge_full_text(store: "Store", *, now: datetime) -> None:
    """Brings the segments of the full text together, in bounded steps; what is left is done on another night."""
    run = store.connection.execute
    with _part(store, "full text", now):
        run("INSERT INTO article_search (article_search, rank) VALUES ('merge', ?)", (-MERGE_PAGES,))
        for _ in range(MERGE_STEPS):
            before = store.connection.total_changes
            run("INSERT INTO article_search (article_search, rank) VALUES ('merge', ?)", (MERGE_PAGES,))
            if store.connection.total_changes - before < 2:  # FTS5's sign that nothing was left to do
                return


def copies_folder(path: Path) -> Path:
    return path.parent / "backups"


def copy_name(path: Path, day: date) -> Path:
    """``backups/news-2026-11-25.db`` beside the database."""
    return copies_folder(path) / f"{path.stem}-{day.isoformat()}{path.suffix}"


def copy_and_check(path: Path, day: date, *, full: bool) -> Copy:
    """Copies the database of `path` for a day and throws away the copies that nobody needs any more.

    Opens connections of its own, so that it may run in another thread. `full`: the copy is checked index by index, too;
    that is the check of the database itself, on a file that nobody waits for. Raises StoreError; then no copy goes.
    """
    target = copy_name(path, day)
    folder = target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free, size = shutil.disk_usage(folder).free, path.stat().st_size
        for part in folder.glob(f".{path.stem}-*.part"):  # of a copy that was killed
            part.unlink()
    except OSError as error:
        raise StoreUnwritable(f"{folder}: cannot be written: {error.strerror}") from None
    if free < size * SPARE:
        raise StoreUnwritable(f"{folder}: {free / 1e6:.0f} MB are free, a copy needs {size * SPARE / 1e6:.0f} MB")
    made = backup(path, target)
    if full:
        try:
            check(target, "integrity_check", of=path)
        except StoreError:
            target.unlink()  # a copy of a damaged database would push out a sound one
            raise
    days = {copy_name(path, d): d for d in _days(path)}
    wanted = keepers(days.values())
    for copy, of in days.items():
        if of not in wanted:
            copy.unlink(missing_ok=True)
    return made


def keepers(days: Iterable[date]) -> set[date]:
    """Which copies stay: the newest of each of the last 7 days, 4 weeks and 6 months that have one."""
    period: dict[str, Callable[[date], tuple[int, ...]]] = {
        "daily": lambda d: (d.toordinal(),),
        "weekly": lambda d: d.isocalendar()[:2],
        "monthly": lambda d: (d.year, d.month),
    }
    newest = sorted(set(days), reverse=True)
    out = set()
    for kind, number in COPIES.items():
        seen: dict[tuple[int, ...], date] = {}
        for day in newest:
            seen.setdefault(period[kind](day), day)
        out.update(list(seen.values())[:number])
    return out


def _days(path: Path) -> Iterator[date]:
    for copy in copies_folder(path).glob(f"{path.stem}-*{path.suffix}"):
        try:
            yield date.fromisoformat(copy.name.removeprefix(f"{path.stem}-").removesuffix(path.suffix))
        except ValueError:
            continue  # somebody's own


def growth(path: Path, today: date) -> tuple[float, int] | None:
    """(bytes a day by which the database grows, days over which that was seen), told by the copies of the last five
    weeks; None where they span less than three days."""
    sizes = {}
    for day in _days(path):
        try:
            if timedelta() <= today - day <= GROWTH_SEEN:
                sizes[day] = copy_name(path, day).stat().st_size
        except OSError:
            continue  # thrown away meanwhile
    if not sizes or (span := (max(sizes) - min(sizes)).days) < LEAST_GROWTH_DAYS:
        return None
    return (sizes[max(sizes)] - sizes[min(sizes)]) / span, span


def check_due(store: "Store", now: datetime) -> bool:
    """Is it a week since the database was last found sound?"""
    at = store.noted("checked_at")
    return at is None or not timedelta() <= now - utc_time(at) < CHECK_EVERY


# --- what came of it --------------------------------------------------------------------------------------------------


Part = Literal["retention", "full text", "statistics", "checkpoint", "backup", "integrity"]


def remember(store: "Store", part: Part, now: datetime, error: str = "") -> None:
    """Writes down what came of a part; `error` is empty where it went well."""
    store.note(f"upkeep:{part}", f"{utc_text(now)} {error}".strip())


def failures(store: "Store") -> list[tuple[str, str, str]]:
    """(part, time, error) of each part that failed when it was last tried."""
    told = [(part, *(store.noted(f"upkeep:{part}") or "").partition(" ")[::2]) for part in PARTS]
    return [(part, at, error) for part, at, error in told if error]


def _failed(store: "Store", part: Part) -> bool:
    return any(name == part for name, _, _ in failures(store))


def _stale(store: "Store", now: datetime) -> bool:
    at = (store.noted("upkeep:backup") or "").partition(" ")[0]
    return not at or abs(now - utc_time(at)) >= timedelta(minutes=50)


@contextmanager
def _part(store: "Store", part: Part, now: datetime) -> Iterator[None]:
    error = ""
    try:
        yield
    except (sqlite3.Error, StoreError) as failure:
        error = str(translate(failure, store.path) if isinstance(failure, sqlite3.Error) else failure)
        log.error("upkeep, %s: %s", part, error)
    try:
        remember(store, part, now, error)
    except sqlite3.Error as failure:
        log.error("upkeep, %s: cannot be noted: %s", part, translate(failure, store.path))
