"""What a command prints, where nobody reads it any more or where there is no room for it."""

import contextlib
import errno
import io
import os
import signal
import sys

CLOSED_OUTPUT = 128 + signal.Signals(13).value
"""The exit status of a command whose reader is gone: what a shell shows of a program that SIGPIPE ended."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Of a disk or a device. Python would tell of them only after the command's end, as a trace."""


def flush() -> None:
    """Write what was kept back. Raises `BrokenPipeError` when the reader is gone, and other `OSError`s."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # which is how Python has one that was closed before the start
            stream.flush()


def discard() -> None:
    """Drop what an output does not take, so that Python's end does not try again. The other output goes on."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(io.UnsupportedOperation), open(os.devnull, "w") as nothing:  # noqa: PTH123
                os.dup2(nothing.fileno(), stream.fileno())
