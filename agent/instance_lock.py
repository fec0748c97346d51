"""One agent for each user: a lock on a file in the user's own runtime folder. The system frees it when a process ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from agent import errors


class InstanceLock:
    """Held until ``release`` or the end of the process. Raises AlreadyRunning, DiskFault."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file: IO[bytes] = (folder / "agent.lock").open("ab")
        except OSError as error:
            raise errors.DiskFault(f"lock: {error}") from error
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise errors.AlreadyRunning("the lock is held") from error

    def release(self) -> None:
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.set_inheritable(file.fileno(), False)
