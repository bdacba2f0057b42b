"""When to look again: the interval follows the yield, failures wait longer, nothing is ever given up."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.schedule import (
    DAY_S,
    JITTER,
    LONGEST_BACK_OFF_S,
    LONGEST_RETRY_AFTER,
    Decision,
    cache_max_age,
    is_due,
    next_due,
    next_try,
    retry_after,
)
from store.records import Outcome, SourceState

NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
QUARTER = 900


def source(**known: object) -> SourceState:
    return SourceState(id="dawn", url="https://dawn.example/feed", kind="feed", **known)  # type: ignore[arg-type]


def decide(outcome: Outcome = Outcome.NEW, **more: object) -> Decision:
    arguments: dict[str, object] = {
        "now": NOW, "every_s": QUARTER, "state": source(), "outcome": outcome, "status": 200, "overlap": None,
        "seen": 0, "ttl_s": None, "cache_max_age_s": None, "retry_after": None, "random": Random(1),
    }  # fmt: skip
    return next_due(**(arguments | more))  # type: ignore[arg-type]


def wait_s(decision: Decision) -> float:
    return (decision.next_due_at - NOW).total_seconds()


def visits(outcome: Outcome, count: int, **more: object) -> list[Decision]:
    """A source that comes to the same thing every time."""
    state, decisions = source(), []
    for _ in range(count):
        decision = decide(outcome, state=state, **more)
        state = source(interval_s=decision.interval_s, consecutive_failures=decision.consecutive_failures)
        decisions.append(decision)
    return decisions


def test_mostly_new_items_halve_the_interval() -> None:
    assert decide(state=source(interval_s=4 * QUARTER), overlap=3, seen=20).interval_s == 2 * QUARTER


def test_an_interval_never_falls_under_every() -> None:
    assert decide(state=source(interval_s=QUARTER), overlap=0, seen=20).interval_s == QUARTER


def test_half_known_keeps_the_interval() -> None:
    assert decide(state=source(interval_s=4 * QUARTER), overlap=10, seen=20).interval_s == 4 * QUARTER


def test_nothing_new_slows_down_up_to_a_day() -> None:
    intervals = [d.interval_s for d in visits(Outcome.UNCHANGED, 40, status=304)]
    assert intervals == sorted(intervals)
    assert intervals[0] > QUARTER
    assert intervals[-1] == DAY_S


def test_quiet_source_is_visited_about_every_fifth_of_its_silence() -> None:
    intervals = [d.interval_s for d in visits(Outcome.UNCHANGED, 12, status=304)]
    assert intervals[-1] == pytest.approx(0.2 * sum(intervals), rel=0.25)


def test_busy_source_settles_where_visits_find_something() -> None:
    """An item every two hours, a feed of thirty: between half an hour and four hours, not at a day."""
    state, at, known = source(), 0.0, 0
    for _ in range(400):
        published = int(at // 7200)
        new = min(published - known, 30)
        decision = decide(Outcome.NEW if new else Outcome.UNCHANGED, state=state, overlap=30 - new, seen=30)
        known, at = published, at + decision.interval_s
        state = source(interval_s=decision.interval_s)
    assert 1800 <= decision.interval_s <= 4 * 3600


def test_stale_source_slows_down_faster() -> None:
    assert decide(Outcome.STALE, overlap=20, seen=20).interval_s == 1.5 * QUARTER


@pytest.mark.parametrize(("asked", "least"), [(3600, 3600), (10 * DAY_S, DAY_S), (60, QUARTER)])
def test_ttl_and_cache_control_are_lower_bounds_capped_at_a_day(asked: int, least: int) -> None:
    for key in ("ttl_s", "cache_max_age_s"):
        decision = decide(overlap=0, seen=20, **{key: asked})
        assert least <= wait_s(decision) <= 1.2 * least


def test_failures_weigh_hard_soft_and_temporary() -> None:
    def weight(outcome: Outcome, status: int | None) -> float:
        return decide(outcome, status=status).consecutive_failures

    assert weight(Outcome.GONE, 410) == weight(Outcome.BLOCKED, 403) == weight(Outcome.NOT_A_FEED, 200) == 1
    assert weight(Outcome.GONE, 404) == weight(Outcome.FAILED, 500) == weight(Outcome.THROTTLED, 429) == 0.5
    assert weight(Outcome.FAILED, None) == 0.25


def test_skipping_a_resting_host_charges_nothing() -> None:
    until = NOW + timedelta(hours=2)
    decision = decide(Outcome.THROTTLED, status=None, state=source(consecutive_failures=2.5), retry_after=until)
    assert decision.consecutive_failures == 2.5
    assert until < decision.next_due_at <= until + timedelta(minutes=1)


def test_failures_wait_linearly_longer_and_end_at_a_month() -> None:
    waits = [wait_s(d) for d in visits(Outcome.BLOCKED, 80, status=403)]
    assert waits[0] < 2.3 * QUARTER
    assert waits[9] == pytest.approx(11 * QUARTER, rel=0.11)
    assert waits[28] < DAY_S
    assert waits[30] > DAY_S
    assert waits[-1] == pytest.approx(LONGEST_BACK_OFF_S, rel=0.11)


def test_one_success_forgets_the_failures_and_keeps_the_habit() -> None:
    state = source(consecutive_failures=7.5, interval_s=4 * QUARTER)
    failed = decide(Outcome.FAILED, status=503, state=state)
    assert failed.interval_s == 4 * QUARTER
    good = decide(Outcome.NEW, state=source(consecutive_failures=8, interval_s=failed.interval_s), overlap=10, seen=20)
    assert good.consecutive_failures == 0
    assert good.interval_s == 4 * QUARTER


def test_gone_for_good_is_looked_at_once_a_week() -> None:
    assert wait_s(decide(Outcome.GONE, status=410)) == pytest.approx(7 * DAY_S, rel=0.11)
    assert wait_s(decide(Outcome.GONE, status=404)) < 3600


OUTCOMES = st.sampled_from(list(Outcome))
BIG = st.one_of(st.none(), st.integers(-(10**6), 10**12))


@given(
    every=st.floats(0.001, 10**8),
    interval=st.one_of(st.none(), st.integers(0, 10**9)),
    failures=st.floats(0, 10**6),
    outcome=OUTCOMES,
    status=st.one_of(st.none(), st.integers(100, 599)),
    seen=st.integers(0, 20000),
    overlap=st.one_of(st.none(), st.integers(0, 20000)),
    ttl=BIG,
    cache=BIG,
    rest=st.one_of(st.none(), st.integers(-(10**6), 10**8)),
    seed=st.integers(0, 99),
)
def test_next_due_stays_in_its_bounds(
    every: float, interval: int | None, failures: float, outcome: Outcome, status: int | None, seen: int,
    overlap: int | None, ttl: int | None, cache: int | None, rest: int | None, seed: int,
) -> None:  # fmt: skip
    until = None if rest is None else NOW + timedelta(seconds=rest)
    decision = decide(
        outcome, every_s=every, state=source(interval_s=interval, consecutive_failures=failures), status=status,
        seen=seen, overlap=overlap, ttl_s=ttl, cache_max_age_s=cache, retry_after=until, random=Random(seed),
    )  # fmt: skip
    shortest = min(max(1, round(every)), DAY_S)
    assert shortest <= decision.interval_s <= DAY_S
    assert shortest <= wait_s(decision) <= LONGEST_BACK_OFF_S * (1 + JITTER) + 60
    if until is not None and until <= NOW + LONGEST_RETRY_AFTER:
        assert decision.next_due_at > until
    assert decision.consecutive_failures >= 0
    if outcome in (Outcome.NEW, Outcome.UNCHANGED, Outcome.MOVED):
        assert decision.consecutive_failures == 0
        assert wait_s(decision) <= DAY_S * (1 + JITTER) + max(0, min(rest or 0, DAY_S)) + 60


def test_a_clock_set_back_does_not_silence_a_source() -> None:
    ahead = source(next_due_at=NOW + timedelta(days=400), last_visit_at=NOW + timedelta(days=399))
    assert is_due(ahead, NOW)
    assert not is_due(source(next_due_at=NOW + timedelta(hours=1), last_visit_at=NOW - timedelta(hours=1)), NOW)
    assert is_due(source(next_due_at=NOW - timedelta(days=9), last_visit_at=NOW - timedelta(days=10)), NOW)
    assert is_due(source(), NOW)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", timedelta(seconds=120)),
        (" 3600 ", timedelta(hours=1)),
        (format_datetime(NOW + timedelta(minutes=30), usegmt=True), timedelta(minutes=30)),
        ("Wed, 25-Nov-26 08:00:00 GMT", timedelta(hours=1)),
        ("99999999999999999999", LONGEST_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER),
        ("0", None),
        ("-5", None),
        ("", None),
        (None, None),
        ("soon", None),
        ("1e9", None),
        ("٣", None),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_reads_seconds_and_dates(header: str | None, expected: timedelta | None) -> None:
    until = retry_after(header, now=NOW)
    assert until == (None if expected is None else NOW + expected)


@given(st.text(max_size=60))
def test_retry_after_survives_anything(header: str) -> None:
    until = retry_after(header, now=NOW)
    assert until is None or NOW < until <= NOW + LONGEST_RETRY_AFTER


@pytest.mark.parametrize(
    ("control", "expires", "expected"),
    [
        ("max-age=600", None, 600),
        ('public, Max-Age="1800"', None, 1800),
        ("max-age=31536000", None, DAY_S),
        ("no-cache, max-age=600", None, None),
        ("max-age=-1", None, None),
        (None, "Wed, 25 Nov 2026 07:10:00 GMT", 600),
        ("max-age=60", "Wed, 25 Nov 2026 07:10:00 GMT", 60),
        (None, "0", None),
        (None, "Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("max-age=" + "9" * 400, None, DAY_S),
        (None, None, None),
    ],
)
def test_cache_headers(control: str | None, expires: str | None, expected: int | None) -> None:
    assert cache_max_age(control, expires, now=NOW) == expected


def test_a_failed_page_returns_at_ten_minutes_to_three_days_then_rests() -> None:
    waits = []
    for tries in range(5):
        at = next_try(tries, NOW, Random(tries))
        assert at is not None
        waits.append((at - NOW).total_seconds())
    expected = [600, 3600, 6 * 3600, DAY_S, 3 * DAY_S]
    assert all(e <= w <= 1.1 * e for w, e in zip(waits, expected, strict=True))
    assert next_try(5, NOW, Random(1)) is None
