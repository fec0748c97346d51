"""What a process gives back to the system after work that takes much memory."""

import ctypes
import gc
import sys
from functools import cache


def give_back() -> None:
    """Let the system have what was freed: the C library keeps hundreds of megabytes for later else (malloc_trim(3))."""
    gc.collect()
    if trim := _trim():
        trim(0)


@cache
def _trim() -> "ctypes._NamedFuncPointer | None":
    """Only glibc has it."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
