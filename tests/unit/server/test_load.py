"""What one computer may ask, and what the server takes on at once."""

import threading
import time

import pytest

from server.core import concurrency
from server.core.concurrency import NOBODY, Holder, RequestRate, Slots, WriteTurns
from server.core.problems import Problem, overloaded
from tests.support.waiting import PATIENCE_S


class Seconds:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def _refusal(rate: RequestRate, computer: int) -> Problem:
    with pytest.raises(Problem) as raised:
        rate.take(computer)
    return raised.value


def test_a_share_that_is_used_up_grows_again_with_time(seconds: Seconds) -> None:
    rate = RequestRate(per_minute=6)
    for _ in range(6):
        rate.take(1)
    refusal = _refusal(rate, 1)
    assert (refusal.status, refusal.retry_after_s) == (429, 10)
    assert refusal.response()["Retry-After"] == "10"
    seconds.now += 10
    rate.take(1)
    assert _refusal(rate, 1).status == 429


def test_each_computer_has_a_share_of_its_own(seconds: Seconds) -> None:
    rate = RequestRate(per_minute=1)
    rate.take(1)
    rate.take(2)
    assert _refusal(rate, 1).status == 429


def test_a_share_never_grows_beyond_one_minutes(seconds: Seconds) -> None:
    rate = RequestRate(per_minute=2)
    rate.take(1)
    seconds.now += 3600
    rate.take(1)
    rate.take(1)
    assert _refusal(rate, 1).status == 429


def test_no_limit_is_no_limit(seconds: Seconds) -> None:
    rate = RequestRate(per_minute=0)
    for _ in range(1000):
        rate.take(1)


def test_remembered_computers_are_bounded(seconds: Seconds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "REMEMBERED_COMPUTERS", 3)
    rate = RequestRate(per_minute=1)
    for computer in range(4):
        rate.take(computer)
    rate.take(0)


def _refused_by(slots: Slots, holder: Holder = NOBODY) -> Problem:
    with pytest.raises(Problem) as raised, slots.held(holder):
        pytest.fail("there was a place")
    return raised.value


@pytest.mark.expected_logs("503, ")
def test_who_finds_no_place_is_sent_away_until_one_is_free() -> None:
    slots = Slots("writes", limit=1)
    with slots.held():
        assert _refused_by(slots).status == 503
    with slots.held():
        pass


def test_a_place_is_freed_by_an_error_too() -> None:
    slots = Slots("writes", limit=1)
    for _ in range(2):
        with pytest.raises(ValueError, match="inside"), slots.held():
            raise ValueError("inside")


@pytest.mark.expected_logs("503, ")
def test_one_token_has_its_share_of_the_places_and_no_more() -> None:
    slots = Slots("downloads", limit=10, of_token=2)
    first, second = Holder(1, "northwind"), Holder(2, "northwind")
    with slots.held(first), slots.held(first):
        assert _refused_by(slots, first).status == 503
        with slots.held(second):
            pass
    with slots.held(first):
        pass


@pytest.mark.expected_logs("503, ")
def test_one_company_has_its_share_of_the_places_and_no_more() -> None:
    slots = Slots("downloads", limit=10, of_company=2)
    with slots.held(Holder(1, "northwind")), slots.held(Holder(2, "northwind")):
        assert _refused_by(slots, Holder(3, "northwind")).status == 503
        with slots.held(Holder(4, "southwind")):
            pass


@pytest.mark.expected_logs("503, ")
def test_the_log_says_once_which_limit_was_reached_and_names_nobody(
    caplog: pytest.LogCaptureFixture, seconds: Seconds
) -> None:
    slots = Slots("writes", limit=2, of_token=1)
    with slots.held(Holder(4711, "northwind")), slots.held(Holder(4712, "northwind")):
        for _ in range(50):
            _refused_by(slots, Holder(4713, "northwind"))
        (line,) = [record.getMessage() for record in caplog.records]
        seconds.now += 60
        _refused_by(slots)
    assert line.startswith("503, writes: all 2 places are taken. Held by 2 tokens (northwind 2)")
    assert "471" not in line
    assert caplog.records[-1].getMessage().endswith("(50 since it was said last)")


def test_who_is_sent_away_is_told_to_come_back_at_different_times() -> None:
    told = {overloaded(60).response()["Retry-After"] for _ in range(200)}
    assert len(told) > 60
    assert all(60 <= int(seconds) <= 180 for seconds in told)


def test_a_turn_can_be_taken_again_by_who_has_it_and_by_nobody_else() -> None:
    turns = WriteTurns(1)
    order: list[str] = []

    def other() -> None:
        with turns:
            order.append("other")

    thread = threading.Thread(target=other)
    with turns:
        with turns:
            thread.start()
        order.append("first")
    thread.join(PATIENCE_S)
    assert order == ["first", "other"]
