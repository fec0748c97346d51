"""A network in which every packet that leaves the machine is counted: a namespace of its own with one route out.

Needs Linux and root (`ip netns`).
"""

import ctypes
import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
OUTSIDE, NOWHERE = "outside", "nowhere"
FOLDER = Path("/run/netns")


class OneRoute:
    """The namespace. Its loopback works; everything else goes into an interface that leads nowhere and counts."""

    def __init__(self, name: str) -> None:
        self._name = name

    def run(self, act: Callable[[], None]) -> None:
        """Do something within, on a thread of its own; threads and processes that it starts are within, too.

        Raises what `act` raises.
        """

        def inside() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with (FOLDER / self._name).open() as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            act()

        with ThreadPoolExecutor(1) as thread:
            thread.submit(inside).result()

    def strays(self) -> int:
        """How many packets have left so far."""
        (link,) = json.loads(_ip("-n", self._name, "-j", "-s", "link", "show", OUTSIDE))
        return int(link["stats64"]["tx"]["packets"])


@contextmanager
def one_route() -> Iterator[OneRoute]:
    """Makes the namespace, and removes it afterwards."""
    name = f"tidings-{os.getpid()}-{secrets.token_hex(3)}"
    _ip("netns", "add", name)
    try:
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "link", "add", OUTSIDE, "type", "veth", "peer", "name", NOWHERE)
        for end in (OUTSIDE, NOWHERE):
            # Without an IPv6 address the kernel announces nothing by itself.
            _ip("-n", name, "link", "set", end, "addrgenmode", "none")
            _ip("-n", name, "link", "set", end, "up")
        _ip("-n", name, "addr", "add", "192.0.2.1/32", "dev", OUTSIDE)
        _ip("-n", name, "route", "add", "default", "dev", OUTSIDE)
        yield OneRoute(name)
    finally:
        _ip("netns", "del", name)


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout
