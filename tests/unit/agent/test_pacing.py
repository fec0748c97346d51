"""When a task asks the server again: within bounds, and spread over the whole of them."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.background.pacing import Pace
from agent.domain import limits

INTERVALS = st.integers(limits.POLL_INTERVAL_MIN_S, limits.POLL_INTERVAL_MAX_S)


def first_bound(interval: float) -> float:
    return min(limits.BACKOFF_FIRST_INTERVALS * interval, limits.BACKOFF_MAX_S)


@given(st.integers(1, 200), INTERVALS)
def test_a_back_off_stays_within_bounds_that_double(failures: int, interval: int) -> None:
    pace = Pace()
    for number in range(failures):
        assert 1 <= pace.failed(interval) <= min(first_bound(interval) * 2.0**number, limits.BACKOFF_MAX_S)
    pace.succeeded(interval)
    assert pace.failed(interval) <= first_bound(interval)


@given(INTERVALS)
def test_a_poll_interval_is_jittered_by_a_tenth(interval: int) -> None:
    assert 0.9 * interval <= Pace().succeeded(interval) <= 1.1 * interval


@given(INTERVALS, st.floats(0, limits.RETRY_AFTER_MAX_S))
def test_a_busy_server_is_left_alone_for_as_long_as_it_says(interval: int, retry_after: float) -> None:
    assert Pace().busy(retry_after, interval) > retry_after


@pytest.mark.parametrize(
    ("wait", "most"),
    [
        (lambda pace: pace.failed(60), 120.0),
        (lambda pace: pace.busy(0, 60), 120.0),
        (lambda pace: pace.woken(60), 60.0),
        (lambda pace: pace.woken(86_400), 600.0),
    ],
    ids=["failed", "busy", "woken", "woken, rare polls"],
)
def test_what_happens_to_many_at_once_is_spread_evenly(wait: Callable[[Pace], float], most: float) -> None:
    chance = random.Random(15)
    waits = [wait(Pace(chance)) for _ in range(4_000)]
    tenths = [sum(most * n / 10 <= each < most * (n + 1) / 10 for each in waits) for n in range(10)]
    assert sum(tenths) == len(waits)
    assert min(tenths) > 320
    assert max(tenths) < 480
