"""A process that has no file descriptor left (getrlimit(2), RLIMIT_NOFILE)."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

OPEN_ALREADY = 3
"""Standard input and output, which every process has: no further one can be opened."""


@contextmanager
def none_left(pid: int = 0) -> Iterator[None]:
    """Lets a process (0: this one) open nothing within. What is open stays so."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (OPEN_ALREADY, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
