"""`tidings-server` in the test's own process: the same command without the second that a new process takes.

Use within `ServerHome.opened()`.
"""

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def tidings_server(*words: str | Path) -> Done:
    """Run a command of the server to its end."""
    from django.utils import translation

    from server.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    with (
        _process_as_it_is(),
        translation.override("en"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            status = main([str(word) for word in words])
        except SystemExit as ended:  # argparse: misused, or help was asked for
            status = int(ended.code or 0)
    return Done(status, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _process_as_it_is() -> Iterator[None]:
    """A command sets what is its process's own to set: what this one starts later does not inherit it."""
    mask, safe = os.umask(0o077), os.environ.get("PYTHONSAFEPATH")
    try:
        yield
    finally:
        os.umask(mask)
        if safe is None:
            os.environ.pop("PYTHONSAFEPATH", None)


def succeeded(*words: str | Path) -> str:
    """Run a command that must succeed in silence on stderr, and give what it printed."""
    done = tidings_server(*words)
    assert (done.returncode, done.stderr) == (0, ""), f"{words}: {done}"
    return done.stdout
