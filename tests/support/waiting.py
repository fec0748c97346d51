"""Waiting for something real to happen, with a deadline and a sentence about what was awaited."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class OverdueError(AssertionError):
    """What was awaited did not happen in time."""


def until(probe: Callable[[], T | None], awaited: str, seconds: float = 10.0, every: float = 0.05) -> T:
    """The first true answer of `probe`.

    Args:
        probe: asked again and again; its last answer is told when time runs out.
        awaited: ends the sentence "waited for …".
        seconds: the deadline.
        every: seconds between two questions.

    Raises:
        OverdueError: no true answer within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise OverdueError(f"waited {seconds:g} s for {awaited}; the last answer was {answer!r}")
        time.sleep(every)
