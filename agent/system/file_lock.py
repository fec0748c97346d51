"""A lock on an open file that its writers share, whatever process they are of. It ends when the descriptor is closed."""

from __future__ import annotations

import errno
import os
import sys
import time

_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)
"""What a system says of a lock that another one holds; msvcrt.locking says EACCES or EDEADLOCK."""
_LOOK_AGAIN_S = 0.01

if sys.platform == "win32":
    import msvcrt

    _PLACE = 1 << 30
    """Far behind the end: others may not read there (Microsoft, "_locking")."""

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_taken_within(descriptor: int, seconds: float) -> bool:
    """Whether nobody else holds it; also on a file system that has no locks, where nobody can hold one.

    The descriptor must be open for writing, and nobody may have its own for long (flock(2)).
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno not in _HELD:
                return True
        else:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_AGAIN_S)
