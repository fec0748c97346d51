"""How many connections `tidings-server serve` holds, and the descriptors that they take. ADR 22 has the figures."""

import os
import sys

PROMISED = 10_000
"""Connections at once, over all workers."""
MOST_DESCRIPTORS = 65_536
RESERVED_DESCRIPTORS = 200
"""Of each worker: for the database, files, logs and libraries."""
UNEVEN = 1.2
"""The kernel spreads connections over workers by chance."""
BACKLOG = 4096
"""Connections that wait to be accepted, of each worker. The kernel allows `net.core.somaxconn`, 4,096 on today's."""
SILENT_S = 15
"""How long a line may say nothing, or take over its headers. Agents poll once in a minute: a line kept for the next poll
would be held sixty times as long as it is used."""
MOST_HEADER_BYTES = 32 * 1024
"""Of a request's line and headers together. The runner, told the same, refuses from 48 KiB on, and more than 100 headers."""
MOST_WORKERS = 4


def default_workers() -> int:
    """As many as there are processors, up to `MOST_WORKERS`."""
    return min(MOST_WORKERS, os.cpu_count() or 1)


def descriptors() -> int:
    """How many descriptors a worker may come to have: the hard limit (RLIMIT_NOFILE)."""
    if sys.platform == "win32":
        return MOST_DESCRIPTORS
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)


def raise_descriptors() -> None:
    """Let this process and those that it starts have as many descriptors as they may."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors(), hard))


def of_worker() -> int:
    """Connections that a worker accepts: fewer than it has descriptors, so that these never run out."""
    return max(1, descriptors() - RESERVED_DESCRIPTORS)


def keeps_promise(workers: int) -> bool:
    """Whether so many workers can hold the connections that are promised."""
    return workers * of_worker() >= PROMISED * UNEVEN
