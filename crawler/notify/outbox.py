"""What is in line for the channels: put there once, claimed before it is sent, tried again after a failure.

A message is claimed in the database before its first byte goes out. A sender that is killed between sending and writing
leaves it as `sending`: nobody knows whether it arrived, `status` says so, and it is not sent again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from sqlite3 import Row
from typing import Any
from zoneinfo import ZoneInfo

from crawler import schedule
from crawler.app import App
from crawler.digest.build import closed_edition, current
from crawler.digest.formats import render
from crawler.digest.formats.words import Words
from crawler.errors import UsageError
from crawler.notify import channels
from crawler.notify.channels import Message, NotSent
from crawler.terminal import plain

Send = Callable[[str, Message, Mapping[str, str]], None]
MOST_HEADLINES = 12  # of an edition, in a channel that takes no page


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one message on one channel."""

    channel: str  # place and scheme of its line in feeds.yaml
    key: str
    state: str  # sent | pending (to be tried again) | failed | sending (another does, or nobody knows)
    now: bool  # it was sent by this very call
    error: str = ""
    next_try_at: str | None = None


# --- putting in line --------------------------------------------------------------------------------------------------


def edition_key(day: str, zone: str, period: str) -> str:
    return f"{day} {zone} {period}"


def queue_edition(app: App, day: date, *, zone: ZoneInfo, period: str, now: datetime) -> str | None:
    """Puts an edition in line for every channel that never had it; its key. None: it is not made, or still open."""
    stored = app.store.digests.get(day.isoformat(), str(zone), period)
    if stored is None or json.loads(stored["content"])["provisional"]:
        return None
    key = edition_key(day.isoformat(), str(zone), period)
    _queue(app, "edition", key, now=now)
    return key


def queue_todays(app: App) -> None:
    """The edition that the daemon has made last; called again and again, so that no crash in between loses it."""
    now = app.clock()
    day = closed_edition(now, app.config.timezone, app.config.digest.at)
    key = edition_key(day.isoformat(), str(app.config.timezone), "day")
    if {row["channel"] for row in app.store.deliveries.of("edition", key)} < _channels(app).keys():
        queue_edition(app, day, zone=app.config.timezone, period="day", now=now)


def queue_alert(app: App, key: str, *, subject: str, body: str, now: datetime) -> None:
    _queue(app, "alert", key, subject=subject, body=body, now=now)


def _queue(app: App, kind: str, key: str, *, now: datetime, subject: str = "", body: str = "") -> None:
    send = app.config.digest.send
    with app.store.transaction():
        for channel in send:
            app.store.deliveries.queue(
                channel=channels.identity(channel), label=channels.label(channel, send), kind=kind, key=key,
                subject=subject, body=body, now=now,
            )  # fmt: skip


# --- sending ----------------------------------------------------------------------------------------------------------


def send_edition(
    app: App, day: date, *, zone: ZoneInfo, period: str, environment: Mapping[str, str], send: Send = channels.send
) -> list[Result]:
    """An edition to every channel that has not had it, at once. Raises UsageError where there is nothing to send to."""
    key = queue_edition(app, day, zone=zone, period=period, now=app.clock())
    if key is None:
        raise UsageError(f"--send: the {period} edition of {day} is still open, and is sent once it is whole")
    return [
        flush_one(app, row, environment, send) if row["state"] == "pending" else _result(row)
        for row in app.store.deliveries.of("edition", key)
        if row["channel"] in _channels(app)
    ]


def flush(app: App, environment: Mapping[str, str], send: Send = channels.send) -> list[Result]:
    """Sends all that is due."""
    return [flush_one(app, row, environment, send) for row in app.store.deliveries.due(app.clock())]


def flush_one(app: App, row: Row, environment: Mapping[str, str], send: Send = channels.send) -> Result:
    taken = take(app, row)
    if taken is None:
        return _again(app, row)
    error = None
    try:
        send(*taken, environment)
    except NotSent as failure:
        error = str(failure)
    return settle(app, row, error)


def take(app: App, row: Row) -> tuple[str, Message] | None:
    """Claims a message: (channel, message). None where another sender has it, or its channel is gone."""
    channel = _channels(app).get(row["channel"])
    if channel is None:
        app.store.deliveries.failed(row["id"], "this line is not in feeds.yaml any more", next_try_at=None)
        return None
    message = _message(app, row)
    if message is None:
        app.store.deliveries.failed(row["id"], "this edition is not stored any more", next_try_at=None)
        return None
    return (channel, message) if app.store.deliveries.claim(row["id"], now=app.clock()) else None


def settle(app: App, row: Row, error: str | None) -> Result:
    """Writes what became of a claimed message. `error`: why it was not taken."""
    now = app.clock()
    if error is None:
        app.store.deliveries.sent(row["id"], now=now)
    else:
        app.store.deliveries.failed(row["id"], error, next_try_at=schedule.next_try(row["tries"], now, app.random))
    return _again(app, row, now=error is None)


def _channels(app: App) -> dict[str, str]:
    return {channels.identity(channel): channel for channel in app.config.digest.send}


def _again(app: App, row: Row, *, now: bool = False) -> Result:
    rows = app.store.deliveries.of(row["kind"], row["key"])
    return _result(next(r for r in rows if r["id"] == row["id"]), now=now)


def _result(row: Row, *, now: bool = False) -> Result:
    return Result(
        channel=row["label"], key=row["key"], state=row["state"], now=now, error=row["error"],
        next_try_at=row["next_try_at"],
    )  # fmt: skip


def line(result: Result) -> str:
    """A result as a person reads it."""
    told = {
        "sent": "sent" if result.now else "was sent before, not again",
        "pending": f"not sent: {result.error}; tried again at {result.next_try_at}",
        "failed": f"not sent: {result.error}; given up",
        "sending": "is being sent, or a stop came in between: nobody knows whether it arrived, not sent again",
    }[result.state]
    return f"{result.channel}: {told}"


# --- what is said -----------------------------------------------------------------------------------------------------


def _message(app: App, row: Row) -> Message | None:
    if row["kind"] == "alert":
        return Message(subject=row["subject"], text=row["body"])
    day, zone, period = row["key"].split(" ")
    stored = app.store.digests.get(day, zone, period)
    if stored is None:
        return None
    edition = current(json.loads(stored["content"]))
    return Message(subject=_subject(edition), text=_brief(edition), html=render(edition, "html"))


def _subject(edition: Mapping[str, Any]) -> str:
    w, day = Words.of(edition["language"]), date.fromisoformat(edition["date"])
    stories = w.say("stories", edition["summary"]["stories"])
    return w.say(f"subject_{edition['period']}", date=w.day(day, "date_plain"), stories=stories)


def _brief(edition: Mapping[str, Any]) -> str:
    """An edition as a message of a few lines: its headlines, the lead first."""
    sectors = [item for sector in edition["sectors"] for item in sector["items"]]
    items = {item["story_id"]: item for item in [*edition["lead"], *sectors]}
    out = [
        f"{plain(i['headline'])}\n  {plain(i['first']['source'])} {plain(i['articles'][0]['url'])}"
        for i in items.values()
    ]
    w, left = Words.of(edition["language"]), len(out) - MOST_HEADLINES
    more = [w.say("brief_more", left)] if left > 0 else []
    return "\n".join([*out[:MOST_HEADLINES], *more]) or w.say("brief_nothing")
