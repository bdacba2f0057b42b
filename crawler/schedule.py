"""When to look again. Pure: the clock, the randomness and all that a visit taught are arguments.

The interval of a source moves between its `every` and a day, after what its visits yield. A third of the items known
or less: we come late and lose items soon, so twice as fast. Nothing new: a quarter slower, which makes the interval a
fifth of the time for which the source has been quiet. Something new among what is known: a little faster, so that a
source settles where about every visit finds something.

Failures do not touch that interval. They wait linearly longer, up to a day, and from thirty on up to thirty days; no
source is ever given up (of feeds that answer 404, many come back).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random

from store.records import Outcome, SourceState

DAY_S = 86_400
LONGEST_BACK_OFF_S = 30 * DAY_S
MANY_FAILURES = 30  # weighed; from here on the wait passes a day
GONE_REST_S = 7 * DAY_S  # 410 says "for good": looked at once a week
LONGEST_RETRY_AFTER = timedelta(days=1)  # what a server may ask for; more is a mistake or an insult
FEW_KNOWN, MOST_KNOWN = 1 / 3, 2 / 3  # shares of known items between which an interval is right
JITTER = 0.1
CLOCK_SLACK = timedelta(minutes=1)
# A page that could not be read comes back after these, then rests as failed.
TRIES = (
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=3),
)

_FAILURES = (Outcome.GONE, Outcome.THROTTLED, Outcome.BLOCKED, Outcome.NOT_A_FEED, Outcome.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """When a source is due again. `interval_s` is its habit, without jitter and back-off: what the next visit starts
    from. `consecutive_failures` is weighed: hard 1, soft 0.5, temporary 0.25."""

    next_due_at: datetime
    interval_s: int
    consecutive_failures: float


def next_due(
    *,
    now: datetime,
    every_s: float,
    state: SourceState,
    outcome: Outcome,
    status: int | None,
    overlap: int | None,
    seen: int,
    ttl_s: int | None,
    cache_max_age_s: int | None,
    retry_after: datetime | None,
    random: Random,
) -> Decision:
    """Decides after a visit. `seen` items were listed, `overlap` of them known before (None: nothing was read);
    `ttl_s` and `cache_max_age_s` are what feed and server ask for, at most a day of either; `retry_after` binds."""
    shortest = min(max(1, round(every_s)), DAY_S)
    habit = min(max(state.interval_s or shortest, shortest), DAY_S)
    failures = state.consecutive_failures
    if outcome in _FAILURES:
        failures += _weight(outcome, status)
        wait = _back_off(shortest, failures, status)
    else:
        failures = 0.0
        wait = habit = min(max(round(habit * _pace(outcome, overlap, seen)), shortest), DAY_S)
    asked = max(min(asked or 0, DAY_S) for asked in (ttl_s, cache_max_age_s, 0))
    least = max(shortest, asked)
    wait = max(round(wait * random.uniform(1 - JITTER, 1 + JITTER)), least)
    due = now + timedelta(seconds=wait)
    if retry_after is not None:
        # Not on the minute, together with everybody else who was told to wait.
        retry_after = min(retry_after, now + LONGEST_RETRY_AFTER)
        due = max(due, retry_after + timedelta(seconds=random.uniform(1, 60)))
    return Decision(next_due_at=due, interval_s=habit, consecutive_failures=failures)


def _pace(outcome: Outcome, overlap: int | None, seen: int) -> float:
    """What the interval is multiplied with."""
    if outcome is Outcome.STALE:
        return 1.5
    if overlap is None or seen <= 0 or overlap >= seen:
        return 1.25
    known = overlap / seen
    if known < FEW_KNOWN:
        return 0.5
    return 1.0 if known <= MOST_KNOWN else 0.9


def _weight(outcome: Outcome, status: int | None) -> float:
    """How much a failure says about the source. Weights of mediacloud/rss-fetcher: hard 1, soft 0.5, temporary 0.25."""
    if outcome is Outcome.THROTTLED:
        return 0.0 if status is None else 0.5  # None: we did not even ask, the host is resting
    if outcome is Outcome.GONE:
        return 1.0 if status == 410 else 0.5
    if outcome in (Outcome.BLOCKED, Outcome.NOT_A_FEED):
        return 1.0
    return 0.25 if status is None else 0.5


def _back_off(shortest: int, failures: float, status: int | None) -> int:
    if failures >= MANY_FAILURES:
        wait = min(DAY_S * (1 + failures - MANY_FAILURES), LONGEST_BACK_OFF_S)
    else:
        wait = min(shortest * (1 + failures), DAY_S)
    return round(max(wait, GONE_REST_S) if status == 410 else wait)


def is_due(state: SourceState, now: datetime) -> bool:
    """Whether a source's time has come. A last visit in the future means that the clock was set back since: then
    `next_due_at` is worth nothing, and waiting for it could take years."""
    if state.last_visit_at is not None and state.last_visit_at > now + CLOCK_SLACK:
        return True
    return state.next_due_at is None or state.next_due_at <= now


def retry_after(header: str | None, *, now: datetime) -> datetime | None:
    """The instant that a Retry-After header names (RFC 9110, 10.2.3: seconds or an HTTP date), at most a day ahead.
    None where it names no time, or one that has passed."""
    text = (header or "").strip()
    if not text:
        return None
    latest = now + LONGEST_RETRY_AFTER
    if text.isascii() and text.isdigit():
        # More than six digits is over a day by far, and over what timedelta holds before long.
        at = latest if len(text) > 6 else now + timedelta(seconds=int(text))
    else:
        try:
            at = parsedate_to_datetime(text[:100])
        except (ValueError, OverflowError, IndexError, TypeError):
            return None
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
    at = min(at, latest)
    return at.astimezone(UTC) if at > now else None


def cache_max_age(cache_control: str | None, expires: str | None, *, now: datetime) -> int | None:
    """For how many seconds a server says that an answer stays fresh: max-age before Expires, at most a day (RFC 9111,
    5.2.2.1 and 5.3). None where it does not say, or forbids to keep it."""
    directives = [d.strip().lower() for d in (cache_control or "")[:1000].split(",")]
    if "no-store" in directives or "no-cache" in directives:
        return None
    for directive in directives:
        name, _, value = directive.partition("=")
        value = value.strip().strip('"')
        if name.strip() == "max-age" and value.isascii() and value.isdigit():
            return min(int(value[:9]), DAY_S)
    at = retry_after(expires, now=now) if expires and not expires.strip().isdigit() else None
    return None if at is None else min(int((at - now).total_seconds()), DAY_S)


def next_try(tries: int, now: datetime, random: Random) -> datetime | None:
    """When a page that has failed `tries` times before, and now again, is read once more; None: it rests as failed."""
    if tries >= len(TRIES):
        return None
    return now + TRIES[tries] * random.uniform(1.0, 1 + JITTER)
