"""Long work on a worker that leaves the windows' thread its turns. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

_AT_ONCE = 40
_PAUSE_S = 0.0003


def each(act: Callable[[A], B], things: Sequence[A]) -> Iterator[B]:
    """``act`` of each, with a short pause now and then where there are many.

    Python's lock changes hands by itself only after 5 ms (sys.getswitchinterval), and a window that is drawn wants it a
    hundred times: without pauses it would stand still for half a second.
    """
    for place, thing in enumerate(things, 1):
        yield act(thing)
        if place % _AT_ONCE == 0 and len(things) > 10 * _AT_ONCE:
            time.sleep(_PAUSE_S)
