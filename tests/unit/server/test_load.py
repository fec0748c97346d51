"""What one computer may ask, and what the server takes on at once."""

import pytest

from server import load
from server.load import RequestRate, Slots
from server.problems import Problem


class Seconds:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr(load.time, "monotonic", clock)
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
    monkeypatch.setattr(load, "REMEMBERED_COMPUTERS", 3)
    rate = RequestRate(per_minute=1)
    for computer in range(4):
        rate.take(computer)
    rate.take(0)


def test_who_finds_no_slot_is_sent_away_until_one_is_free() -> None:
    slots = Slots(limit=1, retry_after_s=2)
    with slots.held():
        with pytest.raises(Problem) as raised, slots.held():
            pytest.fail("there was a second slot")
        assert (raised.value.status, raised.value.retry_after_s) == (503, 2)
    with slots.held():
        pass


def test_a_slot_is_freed_by_an_error_too() -> None:
    slots = Slots(limit=1)
    for _ in range(2):
        with pytest.raises(ValueError, match="inside"), slots.held():
            raise ValueError("inside")
