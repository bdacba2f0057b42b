"""Small decisions of the fetcher: whose fault it is, when a host rests, what may be sent."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler.spiders.fetch import Line, _resting, _sendable
from crawler.spiders.wire import NoAnswer
from store.records import HostState

NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)


def play(*events: str, up: bool = False) -> tuple[list[str], int]:
    """``a``: host a could not be reached; ``ok``: somebody answered; ``up``: a connection was made; `up`: the witness
    can still be connected to. (who was charged, how many were forgiven)."""
    line, charged = Line(), []
    for event in events:
        if event == "ok":
            line.answered()
        elif event == "up":
            line.stands("http://w.test/")
            assert line.witness == "http://w.test/"
        else:
            line.failed(event, lambda event=event: charged.append(event))  # type: ignore[misc]
    return charged, line.end(up=up)


def test_nobody_answers_and_nobody_is_charged() -> None:
    assert play("a", "b", "c") == ([], 3)
    assert play("a") == ([], 1)


def test_who_failed_before_an_answer_is_charged() -> None:
    assert play("a", "b", "ok") == (["a", "b"], 0)


def test_one_or_two_at_the_end_are_charged_and_three_hosts_are_our_line() -> None:
    assert play("ok", "a", "b") == (["a", "b"], 0)
    assert play("ok", "a", "a", "a") == (["a", "a", "a"], 0)
    assert play("ok", "a", "b", "c", "c") == ([], 4)


def test_of_many_hosts_at_the_end_the_witness_tells_whose_fault_it_is() -> None:
    assert play("up", "a", "b", "c", up=True) == (["a", "b", "c"], 0)
    assert play("up", "a", "b", "c", up=False) == ([], 3)
    assert play("a", "b", "c", "up") == (["a", "b", "c"], 0)
    assert play("a", "b", "c", up=True) == ([], 3)


def test_the_line_is_down_after_many_hosts_and_no_answer() -> None:
    line = Line()
    for i in range(Line.DOWN):
        assert not line.is_down
        line.failed(f"h{i}", lambda: None)
    assert line.is_down
    line.answered()
    assert not line.is_down


@pytest.mark.parametrize(
    ("until", "rests"), [(-1, False), (0, False), (1, True), (86_400, True), (100_000, False), (10**8, False)]
)
def test_a_rest_ends_and_one_from_a_clock_set_back_never_began(until: int, rests: bool) -> None:
    state = HostState(host="dawn.example", retry_after=NOW + timedelta(seconds=until))
    assert (_resting(state, NOW) is not None) is rests


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://dawn.example/a b?c=ж#top", "http://dawn.example/a%20b?c=%D0%B6"),
        ("http://خبر.example/اردو", "http://xn--ngblk.example/%D8%A7%D8%B1%D8%AF%D9%88"),
        ("http://пакистан.рф/%D1%80", "http://xn--80aaxhrhri.xn--p1ai/%D1%80"),
        ("http://dawn.example/a\r\nHost: evil", "http://dawn.example/aHost:%20evil"),
    ],
)
def test_what_goes_over_the_wire_is_ascii_and_one_line(url: str, sent: str) -> None:
    assert _sendable(url) == sent
    assert _sendable(sent) == sent


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(NoAnswer):
        _sendable("http://[::1/")
