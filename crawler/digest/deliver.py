"""Editions to disk: made once, stored, rendered from what is stored, written by rename."""

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from sqlite3 import Row
from typing import Any
from zoneinfo import ZoneInfo

from crawler.app import App
from crawler.config import Config
from crawler.digest.build import SCHEMA, Window, build, canonical, closed_edition, items_of, open_edition, window
from crawler.digest.formats import index, render
from crawler.digest.gather import gather
from crawler.files import write_file
from store.errors import NotStored
from store.records import utc_text, utc_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    edition: dict[str, Any]
    sha256: str
    made: bool  # False: it was stored already, and rendered again
    files: tuple[Path, ...]


def deliver(
    app: App, day: date, *, zone: ZoneInfo, period: str, formats: Sequence[str], directory: Path, now: datetime
) -> Delivered:
    """Makes the edition of a day unless it is stored, and writes its files. A provisional one is made anew."""
    span = window(day, zone, app.config.digest.at, period)
    now = now.replace(microsecond=0)  # as it is stored: a rebuild must see the same rows
    made = False
    with app.store.transaction():
        stored = app.store.digests.get(day.isoformat(), str(zone), period)
        if stored is None or json.loads(stored["content"])["provisional"]:
            edition = build(gather(app, span, created_at=now, language=app.config.digest.language))
            text, sha256 = canonical(edition)
            app.store.digests.put(
                date=day.isoformat(),
                timezone=str(zone),
                period=period,
                content=text,
                sha256=sha256,
                created_at=now,
                items=items_of(edition),
            )
            made = True
        else:
            edition, sha256 = json.loads(stored["content"]), stored["sha256"]
    stem = file_stem(span, home=app.config.timezone)
    texts = {f: render(edition, f) for f in formats}
    files = [write_file(directory / f"{stem}.{f}", text) for f, text in texts.items()]
    if period == "day" and zone == app.config.timezone and _is_newest(app, day, zone, now):
        files += [write_file(directory / f"latest.{f}", text) for f, text in texts.items()]
    stored_editions = [_listed(row, app.config) for row in app.store.digests.index()]
    stored_editions = [e for e in stored_editions if (directory / f"{e['stem']}.html").is_file()]
    if stored_editions:
        language = app.config.digest.language
        files.append(write_file(directory / "index.html", index.page(stored_editions, language)))
        files.append(write_file(directory / "feed.atom", index.feed(stored_editions, language)))
    return Delivered(edition=edition, sha256=sha256, made=made, files=tuple(files))


def _is_newest(app: App, day: date, zone: ZoneInfo, now: datetime) -> bool:
    """Whether no later edition has been made; one of days to come, made by hand, does not count."""
    open_day = open_edition(now, zone, app.config.digest.at)
    newest = app.store.connection.execute(
        "SELECT max(date) FROM digests WHERE timezone = ? AND period = 'day' AND date <= ?",
        (str(zone), open_day.isoformat()),
    ).fetchone()[0]
    return bool(newest == day.isoformat())


def current(app: App, zone: ZoneInfo, now: datetime) -> date:
    """The edition that is meant when none is named: the last one that has closed; on the first day, when all was seen
    since, the one that is still open."""
    at = app.config.digest.at
    closed = closed_edition(now, zone, at)
    first = app.store.connection.execute("SELECT min(first_seen_at) FROM entries").fetchone()[0]
    if first is not None and utc_time(first) >= window(closed, zone, at).until:
        return open_edition(now, zone, at)
    return closed


def verify(app: App, day: date, *, zone: ZoneInfo, period: str) -> list[str]:
    """Rebuilds a stored edition from the rows as of its making; returns what differs, a line each.

    One of an older form (`older_form`) cannot be built again by this version: of it the hash is checked.
    """
    stored = app.store.digests.get(day.isoformat(), str(zone), period)
    if stored is None:
        how = f"--date {day} --period {period} --tz {zone}"
        raise NotStored(f"no {period} edition of {day} in {zone} is stored; `pakrus digest {how}` makes it")
    if hashlib.sha256(stored["content"].encode()).hexdigest() != stored["sha256"]:
        return ["the stored text is not the one that was hashed"]
    if older_form(app, day, zone=zone, period=period):
        return []
    span = window(day, zone, app.config.digest.at, period)
    content = json.loads(stored["content"])
    created_at = utc_time(stored["created_at"])
    known_to = utc_time(content.get("known_to") or stored["created_at"])
    facts = gather(app, span, created_at=created_at, known_to=known_to, language=content["language"])
    if utc_text(span.since) <= (app.store.noted("compacted_until") or ""):
        # Rows of rejects of those days are gone: how many there were is known from the edition alone.
        facts = replace(facts, entries=content["summary"]["entries"])
    again = build(facts)
    text, sha256 = canonical(again)
    if sha256 == stored["sha256"]:
        return []
    was, now = (
        json.dumps(json.loads(t), ensure_ascii=False, indent=1, sort_keys=True).splitlines()
        for t in (stored["content"], text)
    )
    return [
        line
        for line in difflib.unified_diff(was, now, "stored", "rebuilt", n=0, lineterm="")
        if not line.startswith("@@")
    ]


def older_form(app: App, day: date, *, zone: ZoneInfo, period: str) -> int | None:
    """The form (`schema`) of a stored edition where it is an older one than this version makes."""
    stored = app.store.digests.get(day.isoformat(), str(zone), period)
    form = int(json.loads(stored["content"])["schema"]) if stored is not None else SCHEMA
    return form if form < SCHEMA else None


def _listed(row: Row, home: Config) -> dict[str, Any]:
    """What the index of editions says of one."""
    day, zone = date.fromisoformat(row["date"]), ZoneInfo(row["timezone"])
    span = window(day, zone, home.digest.at, row["period"])
    return {**dict(row), "summary": json.loads(row["summary"]), "stem": file_stem(span, home=home.timezone)}


def file_stem(span: Window, *, home: ZoneInfo) -> str:
    """``2026-11-25``, ``2026-11-25.week``, ``2026-11-25.Europe-Moscow``: the name of an edition's files."""
    parts = [span.date.isoformat()]
    if span.period != "day":
        parts.append(span.period)
    if span.zone != home:
        parts.append(str(span.zone).replace("/", "-"))
    return ".".join(parts)
