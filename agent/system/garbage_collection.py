"""When Python looks for garbage."""

from __future__ import annotations

import gc


def settle() -> None:
    """Keep what was made at the start out of the garbage collector's sight.

    It stays for good, and looking through it took 30 ms each time, in which windows stood still.
    """
    gc.collect()
    gc.freeze()
