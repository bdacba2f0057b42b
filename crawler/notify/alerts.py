"""Rules of feeds.yaml against what a crawl has just brought: a story is reported once a rule, a spike once a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crawler.app import App
from crawler.config import AlertRule
from crawler.digest.formats.words import Words
from crawler.notify.outbox import queue_alert
from crawler.shadow import query
from crawler.terminal import plain
from store.records import utc_time

FRESH = timedelta(hours=6)  # an alert is for what was first seen so lately: a new rule does not tell last week
RECENT = timedelta(hours=48)  # and published: what comes late stands in the digest
PAST_DAYS = 14  # that a sector's day is held against
LEAST_DAYS = 7  # of history, without which nobody knows what is usual
LEAST_STORIES = 4  # of a day, under which no multiple is news
MOST_TITLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    rule: str
    about: str  # what is told once: a story, or a sector's day
    subject: str
    body: str
    story_id: int | None = None
    article_id: int | None = None


def queue_alerts(app: App) -> list[Alert]:
    """Finds what the rules wait for and puts it in line for every channel; in one transaction, so that it is once."""
    if not app.config.alerts:
        return []
    now = app.clock()
    with app.store.transaction():
        found = [alert for rule in app.config.alerts for alert in _found(app, rule, now)]
        for alert in found:
            app.store.alerts.add(alert.rule, alert.about, now=now, story_id=alert.story_id, article_id=alert.article_id)
            queue_alert(app, f"{alert.rule} {alert.about}", subject=alert.subject, body=alert.body, now=now)
    return found


def _found(app: App, rule: AlertRule, now: datetime) -> Iterator[Alert]:
    return _spikes(app, rule, rule.spike, now) if rule.spike else _stories(app, rule, now)


def _stories(app: App, rule: AlertRule, now: datetime) -> Iterator[Alert]:
    rows = app.store.alerts.fresh(
        rule.name,
        seen_since=now - FRESH,
        published_since=now - RECENT,
        sectors=rule.sectors,
        names=rule.names,
        match=query(rule.query) if rule.query else None,
    )
    w = Words.of(app.config.digest.language)
    for row in rows:
        title = plain(row["title"])[:MOST_TITLE]
        at = w.moment(utc_time(row["at"]).astimezone(app.config.timezone))
        language, zone = w.language(row["language"]), w.zone(str(app.config.timezone))
        source = w.say("alert_source", source=plain(row["source"]), language=language, moment=at, zone=zone)
        yield Alert(
            rule=rule.name,
            about=f"story {row['story_id']}",
            subject=f"{rule.name}: {title}",
            body=f"{title}\n{source}\n{plain(row['url'])}\n",
            story_id=row["story_id"],
            article_id=row["id"],
        )


def _spikes(app: App, rule: AlertRule, factor: float, now: datetime) -> Iterator[Alert]:
    """Sectors whose stories of this day are `factor` times the mean of the fourteen days before, or more."""
    today = now.astimezone(app.config.timezone).date()
    first = app.store.alerts.first_day()
    past_days = min(PAST_DAYS, (today - date.fromisoformat(first)).days) if first else 0
    if past_days < LEAST_DAYS:
        return
    rows = app.store.alerts.days((today - timedelta(days=past_days)).isoformat())
    w = Words.of(app.config.digest.language)
    names = app.lexicon.sector_names(w.code)
    day = w.day(today, "date_short")
    for sector in rule.sectors or names:
        counts = {row["day"]: row["stories"] for row in rows if row["sector"] == sector}
        stories = counts.pop(today.isoformat(), 0)
        usual = sum(n for past, n in counts.items() if past < today.isoformat()) / past_days
        about = f"spike {sector} {today}"
        if stories >= max(LEAST_STORIES, factor * usual) and not app.store.alerts.reported(rule.name, about):
            called, told = names.get(sector, sector), w.say("stories", stories)
            body = w.say("alert_spike_usual", past_days, sector=called, stories=told, date=day, usual=round(usual, 1))
            yield Alert(
                rule=rule.name,
                about=about,
                subject=f"{rule.name}: {w.say('alert_spike', sector=called, stories=told, date=day)}",
                body=f"{body}\n",
            )
