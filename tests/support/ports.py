"""Ports of the loopback address."""

import random
import socket
from contextlib import suppress

NOBODY_GETS = range(20_000, 32_768)
"""Below those that a system gives to connections: Linux from 32,768 on, others from 49,152 (RFC 6335, section 6)."""


def free_port() -> int:
    """A TCP port that nobody listens on, and that no connection of somebody else gets before whoever asked takes it."""
    while True:
        port = random.choice(NOBODY_GETS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
