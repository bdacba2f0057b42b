"""The demo: the bundled newsroom crawled twice, the digest written, a summary that says where everything is."""

import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from crawler.app import App, open_app, wall_clock
from crawler.config import DigestConfig, read_config
from crawler.daemon import crawl_once
from crawler.demo.newsroom import Newsroom
from crawler.digest.build import closed_edition, open_edition, window
from crawler.digest.deliver import deliver
from crawler.errors import UsageError
from crawler.files import write_file
from crawler.reports import audit, courtesy
from crawler.terminal import table

MARK = "# The demo's own sources"
BEFORE_CLOSE = timedelta(minutes=30)  # of the edition: when the demo plays, unless --now says otherwise
FORMATS = ("md", "html", "json", "atom")


def show(out: Path, *, now: datetime | None) -> dict[str, Any]:
    """Runs the demo in `out` (emptied of an earlier demo first) and returns its summary.

    Raises UsageError where `out` holds a database that is not the demo's.
    """
    _make_room(out)
    started = time.monotonic()
    config_path = out / "feeds.yaml"
    # Half an hour before the last seven o'clock in Islamabad, so that the edition closes with the demo.
    with Newsroom(now=now or _morning(wall_clock())) as newsroom:
        write_file(config_path, newsroom.config_text())
        config = read_config(config_path, out)
        begin = newsroom.now

        def clock() -> datetime:
            return begin + timedelta(seconds=time.monotonic() - started)

        passes = []
        with open_app(config, database=config.database_path, mode="write", holder="demo", clock=clock) as app:
            for number in (1, 2):
                if number == 2:
                    newsroom.advance()
                    _wait_for_hosts(app, clock)
                newsroom.forget()
                summary = crawl_once(app, everything=True)
                statuses = [hit.status for hit in newsroom.hits()]
                passes.append(
                    {
                        "pass": number,
                        "requests": len(statuses),
                        "not_modified": statuses.count(304),
                        "sources": summary.lines(),
                        **summary.totals(),
                    }
                )
            day = open_edition(begin, config.timezone, config.digest.at)
            close = window(day, config.timezone, config.digest.at).until
            done = deliver(
                app,
                day,
                zone=config.timezone,
                period="day",
                formats=FORMATS,
                directory=config.digest_directory,
                now=max(close, clock()),
            )
            return {
                "directory": str(out),
                "config": str(config_path),
                "database": str(config.database_path),
                "digest": [str(f) for f in done.files],
                "passes": passes,
                "edition": {"date": day.isoformat(), **done.edition["summary"]},
                "seconds": round(time.monotonic() - started, 1),
                **_counts(app),
            }


def _morning(now: datetime) -> datetime:
    """Half an hour before the last close of an edition in Islamabad."""
    zone, at = ZoneInfo("Asia/Karachi"), DigestConfig().at
    return window(closed_edition(now, zone, at), zone, at).until - BEFORE_CLOSE


def _make_room(out: Path) -> None:
    """Empties the folder of an earlier demo; anything else in its way is a mistake of the caller."""
    config, database = out / "feeds.yaml", out / "news.db"
    ours = config.is_file() and config.read_text("utf-8").startswith(MARK)
    if (config.exists() or database.exists()) and not ours:
        raise UsageError(f"{out}: holds a feeds.yaml or news.db that is not the demo's, name another folder with --out")
    if ours:
        for path in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm", ".lock"))):
            path.unlink(missing_ok=True)
        shutil.rmtree(out / "digests", ignore_errors=True)
        config.unlink()


def _wait_for_hosts(app: App, clock: Callable[[], datetime]) -> None:
    """Until the Retry-After of the throttled paper is over: the demo shows patience, not a violation."""
    row = app.store.connection.execute("SELECT max(retry_after) FROM hosts").fetchone()
    if row[0] is not None:
        wait = (datetime.fromisoformat(row[0]) - clock()).total_seconds()
        time.sleep(max(0.0, min(wait + 0.1, 10.0)))


def _counts(app: App) -> dict[str, Any]:
    run = app.store.connection.execute
    ledger = audit.report(app.store, day=None, zone=app.config.timezone)
    manners = courtesy.report(app.store, app.config, since=None)
    return {
        "entries": dict(app.store.frontier.counts()),
        "audit_unexplained": ledger["unexplained"],
        "courtesy_violations": manners["violations"],
        "articles": run("SELECT count(*) FROM articles").fetchone()[0],
        "copies": run("SELECT count(*) FROM articles WHERE duplicate_of IS NOT NULL").fetchone()[0],
        "revisions": run("SELECT count(*) FROM revisions").fetchone()[0],
        "stories": app.store.stories.count(),
        "stories_in_several_languages": run(
            "SELECT count(*) FROM (SELECT story_id FROM articles GROUP BY story_id HAVING count(DISTINCT language) > 1)"
        ).fetchone()[0],
    }


def lines(value: dict[str, Any]) -> str:
    first, second = value["passes"]
    ledger = value["entries"]
    rows = [
        (f"pass {p['pass']}", str(p["requests"]), str(p["not_modified"]), str(p["new"]), str(p["pages"]))
        for p in (first, second)
    ]
    out = [
        table(rows, head=("", "requests", "304", "new items", "pages read")),
        "",
        f"ledger    {sum(ledger.values())} items: " + ", ".join(f"{n} {s}" for s, n in sorted(ledger.items())),
        f"articles  {value['articles']} kept, {value['copies']} of them copies, {value['revisions']} edited",
        f"stories   {value['stories']}, {value['stories_in_several_languages']} of them in several languages",
        f"audit     {value['audit_unexplained']} unexplained; courtesy: {value['courtesy_violations']} violations",
        "",
        f"database  {value['database']}",
        *(f"digest    {path}" for path in value["digest"] if "latest" not in path),
        f"done in {value['seconds']} s. Ask it something:",
        f"  pakrus --config {value['config']} search Россия",
        f"  sqlite3 {value['database']} 'select day, headline, sectors from daily'",  # noqa: S608 - for a person
    ]
    return "\n".join(out)
