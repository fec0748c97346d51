"""`tidings-server` in the test's own process: the same command without the second that a new process takes.

Use within `ServerHome.opened()`.
"""

import contextlib
import io
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
    with translation.override("en"), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(word) for word in words])
    return Done(status, out.getvalue(), err.getvalue())


def succeeded(*words: str | Path) -> str:
    """Run a command that must succeed in silence on stderr, and give what it printed."""
    done = tidings_server(*words)
    assert (done.returncode, done.stderr) == (0, ""), f"{words}: {done}"
    return done.stdout
