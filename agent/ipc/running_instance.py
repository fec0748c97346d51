"""Where the agent of a data folder runs, written there by itself, so that a command of any login finds it.

The record stays on this disk: nothing of it is ever sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import socket
from pathlib import Path

import msgspec
from msgspec import Struct

from agent.domain import errors
from agent.domain.msgspec_warmup import decode_json, resolve
from agent.system import mounts, private_files

log = logging.getLogger(__name__)

NAME = "agent.place"
_MOST_BYTES = 8 * 1024


class Place(Struct, frozen=True):
    """``display``: where its windows are, empty for none. ``instance`` differs after each start.

    ``sockets`` are the bytes of a folder's name, which need not be UTF-8; empty for none. ``computer`` tells it from others
    of the same name, empty where nothing does.
    """

    instance: str
    host: str
    pid: int
    display: str
    sockets: bytes
    computer: str = ""

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is on another computer, over the same home."""
        return self.host != this_host() or (
            bool(self.computer and this_computer()) and self.computer != this_computer()
        )

    @property
    def socket_folder(self) -> Path | None:
        """Where its sockets are."""
        return Path(os.fsdecode(self.sockets)) if self.sockets else None


def data_mark(data: Path) -> str:
    """What tells this data folder from any other of the computer, however its path is spelt; empty where there is none."""
    try:
        found = data.stat()
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}"


def this_computer() -> str:
    """What tells this computer from another of the same name, as copies of one image have; empty where it has no such number.

    The system's own number is to be kept secret (machine-id(5)): this is made of it for Tidings alone.
    """
    try:
        number = Path("/etc/machine-id").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    return hashlib.sha256(f"tidings computer {number}".encode()).hexdigest()[:32] if number else ""


def this_host() -> str:
    """The name of this computer, for people to read."""
    return socket.gethostname().encode(errors="replace").decode()


def read(data: Path) -> Place | None:
    """What the agent of this data folder wrote; None where it wrote nothing. It may have died since.

    Anybody of the person's can write it: what cannot be true counts as nothing.
    """
    path = data / NAME
    try:
        if path.is_symlink():
            return None
        place = decode_json(private_files.read(path, _MOST_BYTES), Place)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    if place.is_elsewhere and mounts.is_of_one_computer(data):
        log.info("Another computer cannot have written %s: it is no network's.", NAME)
        return None
    return place


def write(data: Path, place: Place) -> None:
    """Put it there whole. Raises OSError."""
    fresh = data / f"{NAME}.{place.instance}"
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(place))
        fresh.replace(data / NAME)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def already_running(place: Place | None, detail: str) -> errors.AlreadyRunning:
    """The fault that says where the agent runs."""
    if place is None:
        return errors.AlreadyRunning(detail)
    host = place.host if place.is_elsewhere else ""
    return errors.AlreadyRunning(detail, host=host, pid=place.pid, display=place.display)


resolve(Place)
