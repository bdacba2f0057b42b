"""Times of three scripts and two zones, one case a line in cases/dates/dates.jsonl."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import dates
from crawler.types import Moment

NOW = datetime(2025, 11, 6, 12, 0, tzinfo=UTC)
KARACHI, MOSCOW = ZoneInfo("Asia/Karachi"), ZoneInfo("Europe/Moscow")
BOUNDS = datetime(1990, 1, 3), datetime(2025, 11, 1)
CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases/dates/dates.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['raw'][:60]} | {c['zone']}")
def test_dates_as_sites_write_them(case: dict[str, Any]) -> None:
    now = datetime.fromisoformat(case["now"]) if "now" in case else NOW
    zone = ZoneInfo(case["zone"]) if case["zone"] else None
    moment = dates.read(case["raw"], zone=zone, now=now)
    instant = moment.instant.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.instant else None
    found = {"instant": instant, "precision": moment.precision}
    expected = {"instant": case["instant"], "precision": case["precision"]}
    if case["instant"]:
        found["zone_origin"] = moment.zone
        expected["zone_origin"] = case["zone_origin"]
    assert found == expected
    assert moment.raw == case["raw"].strip()


def test_the_case_file_holds_two_hundred() -> None:
    assert len(CASES) >= 200
    assert len({(case["raw"], case["zone"]) for case in CASES}) == len(CASES)


def test_same_clock_time_is_two_instants_in_two_zones() -> None:
    here, there = (dates.read("5 ноября 2025, 14:30", zone=zone, now=NOW).instant for zone in (KARACHI, MOSCOW))
    assert here and there
    assert there - here == timedelta(hours=2)


def test_numbers_are_seconds_or_milliseconds() -> None:
    for raw in (1762353000, 1762353000.5, 1762353000000):
        assert dates.read(raw, zone=KARACHI, now=NOW).instant == datetime(2025, 11, 5, 14, 30, tzinfo=UTC)
    for nothing in (True, float("nan"), float("inf"), 7):
        assert dates.read(nothing, zone=KARACHI, now=NOW).instant is None


def test_a_capped_time_is_the_visit_and_says_so() -> None:
    moment = dates.read("Wed, 05 Nov 2036 14:30:00 +0300", zone=None, now=NOW)
    assert (moment.instant, moment.capped, moment.precision) == (NOW, True, "unknown")
    assert dates.read("Wed, 05 Nov 2025 14:30:00 +0300", zone=None, now=NOW).capped is False


def test_without_a_visit_nothing_is_capped_and_nothing_is_counted_back() -> None:
    assert dates.read("2036-11-05T00:00:00Z", zone=None).instant == datetime(2036, 11, 5, tzinfo=UTC)
    assert dates.read("2 hours ago", zone=KARACHI).instant is None
    assert dates.read("5 ноября", zone=MOSCOW).instant is None


def _moment(hour: float, **more: Any) -> Moment:
    more.setdefault("precision", "exact")
    more.setdefault("zone", "given")
    return Moment(instant=datetime(2025, 11, 5, tzinfo=UTC) + timedelta(hours=hour), **more)


def test_json_ld_goes_before_the_feed_and_the_feed_before_the_url() -> None:
    structured, feed, url = _moment(10, origin="json-ld"), _moment(11, origin="feed"), _moment(9, origin="url")
    assert dates.best([url, feed, structured], now=NOW) is structured
    assert dates.best([url, feed], now=NOW) is feed


def test_a_day_gives_way_to_a_time_within_it() -> None:
    day = _moment(0, origin="json-ld", precision="day")
    assert dates.best([day, _moment(13, origin="feed")], now=NOW).origin == "feed"
    assert dates.best([day, _moment(-60, origin="feed")], now=NOW) is day


def test_a_clock_time_without_zone_gives_way_to_the_same_one_with_its_zone() -> None:
    bare = _moment(14.5, origin="meta", zone="assumed")
    assert dates.best([bare, _moment(9.5, origin="feed")], now=NOW).origin == "feed"
    assert dates.best([bare, _moment(9.6, origin="feed")], now=NOW) is bare


def test_a_capped_time_is_taken_only_when_there_is_nothing_else() -> None:
    capped = Moment(instant=NOW, origin="json-ld", capped=True)
    assert dates.best([capped, _moment(3, origin="url")], now=NOW).origin == "url"
    assert dates.best([capped], now=NOW).capped
    assert dates.best([_moment(99, origin="meta")], now=NOW).capped
    assert dates.best([], now=NOW).instant is None


@given(st.text(max_size=80))
def test_any_text_is_read_without_an_error(text: str) -> None:
    moment = dates.read(text, zone=KARACHI, now=NOW)
    assert moment.instant is None or moment.instant <= NOW


@given(
    st.lists(
        st.sampled_from([*"0123456789-/:., +", *"TZ", "Nov", "ноября", "نومبر", "ago", "PM", "рат", "вчера", "GMT"]),
        max_size=30,
    )
)
def test_any_heap_of_date_parts_is_read_without_an_error(parts: list[str]) -> None:
    for zone in (KARACHI, MOSCOW, None):
        moment = dates.read("".join(parts), zone=zone, now=NOW)
        assert moment.instant is None or moment.instant <= NOW


@given(st.datetimes(*BOUNDS), st.sampled_from([KARACHI, MOSCOW]))
def test_a_written_time_is_read_back(local: datetime, zone: ZoneInfo) -> None:
    expected = local.replace(tzinfo=zone, microsecond=0)
    for form in ("%Y-%m-%dT%H:%M:%S%z", "%a, %d %b %Y %H:%M:%S %z", "%d.%m.%Y %H:%M:%S %z", "%B %d, %Y %I:%M:%S %p %z"):
        found = dates.read(expected.strftime(form), zone=None, now=NOW).instant
        assert found == expected.astimezone(UTC)


def test_three_hundred_dates_of_a_feed_cost_little() -> None:
    raws = [f"Wed, 05 Nov 2025 14:{m:02d}:{s:02d} +0500" for m in range(60) for s in range(5)]
    started = time.process_time()
    for raw in raws:
        dates.read(raw, zone=KARACHI, now=NOW)
    assert time.process_time() - started < 0.1  # measured: 0.002; a busy machine must not fail this


def test_hostile_texts_cost_little() -> None:
    started = time.process_time()
    for raw in (
        "1" * 249,
        "1 " * 124,
        "1:" * 124,
        "a" * 249,
        "5 ноября " * 27,
        "-/." * 80,
        "1.1." * 60,
        " " * 249 + "x",
        "x" * 10**6,
    ):
        dates.read(raw, zone=KARACHI, now=NOW)
    assert time.process_time() - started < 0.5
