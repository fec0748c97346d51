"""Threads that end with the process."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable


def start(name: str, target: Callable[..., None], *arguments: object) -> None:
    """Run ``target`` on a thread of its own. Raises OSError (EAGAIN, as pthread_create(3)) where none can be started now.

    Python raises RuntimeError for that, which elsewhere means a bug.
    """
    try:
        threading.Thread(target=target, args=arguments, name=name, daemon=True).start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from error
