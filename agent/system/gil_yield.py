"""Long work on a worker that leaves the windows' thread its turns."""

from __future__ import annotations

import gc
import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

_AT_ONCE = 40
_PAUSE_S = 0.0003


def settle() -> None:
    """Keep what was made at the start out of the garbage collector's sight.

    It stays for good, and looking through it took 30 ms each time, in which windows stood still.
    """
    gc.collect()
    gc.freeze()


def each(act: Callable[[A], B], things: Sequence[A]) -> Iterator[B]:
    """``act`` of each; on a worker with a short pause now and then where there are many.

    Python's lock changes hands by itself only after 5 ms (sys.getswitchinterval), and a window that is drawn wants it a
    hundred times: without pauses it would stand still for half a second.
    """
    pausing = len(things) > 10 * _AT_ONCE and threading.current_thread() is not threading.main_thread()
    for place, thing in enumerate(things, 1):
        yield act(thing)
        if pausing and place % _AT_ONCE == 0:
            time.sleep(_PAUSE_S)


class Reader(io.RawIOBase):
    """Reads from another stream, with a short pause after each piece.

    A read that is answered at once gives Python's lock away and takes it back before the windows' thread has woken up to
    take it. Reading piece after piece, as from a server that floods, held windows up for a second.
    """

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        """As of the other stream."""
        count = self._stream.readinto(buffer)
        time.sleep(_PAUSE_S)
        return count

    def close(self) -> None:
        """Closes the other stream, too."""
        self._stream.close()
        super().close()
