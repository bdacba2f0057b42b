"""The demo: the bundled newsroom over two days, an edition of each, a summary that says where everything is."""

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
from crawler.demo.newsroom import NEXT_DAY, Newsroom
from crawler.digest.build import closed_edition, open_edition, window
from crawler.digest.deliver import Delivered, deliver
from crawler.errors import PakrusError, UsageError
from crawler.files import write_file
from crawler.reports import audit, courtesy
from crawler.terminal import table

MARK = "# The demo's own sources"
BEFORE_CLOSE = timedelta(minutes=30)  # of the edition: when the demo plays, unless --now says otherwise
FORMATS = ("md", "html", "json", "atom")


def show(out: Path, *, now: datetime | None) -> dict[str, Any]:
    """Runs the demo in `out` (emptied of an earlier demo first) and returns its summary.

    Raises UsageError where `out` holds a database that is not the demo's, PakrusError where no article could be read.
    """
    _make_room(out)
    started = time.monotonic()
    config_path = out / "feeds.yaml"
    # The second day ends half an hour before the last seven o'clock in Islamabad, so that its edition closes with it.
    with Newsroom(now=now or _morning(wall_clock()) - NEXT_DAY) as newsroom:
        write_file(config_path, newsroom.config_text())
        config = read_config(config_path, out)

        def clock() -> datetime:
            return newsroom.clock() + timedelta(seconds=time.monotonic() - started)

        passes: list[dict[str, Any]] = []
        editions: list[Delivered] = []
        with open_app(config, database=config.database_path, mode="write", holder="demo", clock=clock) as app:
            for number in (1, 2, 3):
                if number > 1:
                    newsroom.advance()
                if number == 2:
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
                if number > 1:  # the second pass and the third are the last of their day
                    editions.append(_edition(app, clock()))
            counts = _counts(app)
            if not counts["articles"]:
                raise PakrusError(f"the demo could read no article; the most frequent reason: {_trouble(app)}")
            last = editions[-1]
            return {
                "directory": str(out),
                "config": str(config_path),
                "database": str(config.database_path),
                "digest": [str(f) for f in last.files],
                "passes": passes,
                "editions": [
                    {"date": e.edition["date"], "changed": len(e.edition["changed"]), **e.edition["summary"]}
                    for e in editions
                ],
                "edition": {"date": last.edition["date"], **last.edition["summary"]},
                "seconds": round(time.monotonic() - started, 1),
                **counts,
            }


def _edition(app: App, now: datetime) -> Delivered:
    """The edition that closes after `now`, made at its close."""
    zone, at = app.config.timezone, app.config.digest.at
    day = open_edition(now, zone, at)
    return deliver(
        app,
        day,
        zone=zone,
        period="day",
        formats=FORMATS,
        directory=app.config.digest_directory,
        now=max(window(day, zone, at).until, now),
    )


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


def _trouble(app: App) -> str:
    """What went wrong most often in visits."""
    row = app.store.connection.execute(
        "SELECT error FROM visits WHERE error IS NOT NULL GROUP BY error ORDER BY count(*) DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else "no source listed anything"


def lines(value: dict[str, Any]) -> str:
    ledger = value["entries"]
    rows = [
        (
            f"day {1 if p['pass'] < 3 else 2}, pass {p['pass']}",
            *(str(p[k]) for k in ("requests", "not_modified", "new")),
            str(sum(p["pages"].values())),
        )
        for p in value["passes"]
    ]
    pages = [path for path in value["digest"] if path.endswith(".html")]
    out = [
        table(rows, head=("", "requests", "304", "new items", "pages read")),
        "",
        f"ledger    {sum(ledger.values())} items: " + ", ".join(f"{n} {s}" for s, n in sorted(ledger.items())),
        f"articles  {value['articles']} kept, {value['copies']} of them copies, {value['revisions']} edited",
        f"stories   {value['stories']}, {value['stories_in_several_languages']} of them in several languages",
        *(
            f"edition   {e['date']}: {e['stories']} stories, {e['stories'] - e['new_stories']} of them updates,"
            f" {e['changed']} changed since"
            for e in value["editions"]
        ),
        f"audit     {value['audit_unexplained']} unexplained; courtesy: {value['courtesy_violations']} violations",
        "",
        f"read      {next(path for path in pages if 'latest' in path)}",
        f"all       {next(path for path in pages if path.endswith('index.html'))}",
        f"database  {value['database']}",
        f"done in {value['seconds']} s. Ask it something:",
        f"  pakrus --config {value['config']} search Россия",
        f"  sqlite3 {value['database']} 'select day, headline, sectors from daily'",  # noqa: S608 - for a person
    ]
    return "\n".join(out)
