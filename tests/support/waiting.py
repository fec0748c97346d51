"""Waiting for something real to happen, with a deadline and a sentence about what was awaited."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
"""For whatever must come. A busy machine is no fault, and where it comes sooner the wait ends sooner."""


class OverdueError(AssertionError):
    """What was awaited did not happen in time."""


def until(probe: Callable[[], T | None], awaited: str, seconds: float = PATIENCE_S, every: float = 0.05) -> T:
    """The first true answer of `probe`.

    Args:
        probe: asked again and again; its last answer is told when time runs out.
        awaited: ends the sentence "waited for …".
        seconds: the deadline; shorter only where to come late would be wrong.
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
