"""Full screen as sway tells it, the one Wayland compositor of the common ones that does (sway-ipc(7): GET_TREE)."""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

import msgspec

from agent.domain.model import Tristate
from agent.domain.msgspec_warmup import decode_json

log = logging.getLogger(__name__)

TIMEOUT_S = 0.4
TREE_MAX_BYTES = 16 * 1024 * 1024
_MAGIC = b"i3-ipc"
_HEADER = struct.Struct("=6sII")
_GET_TREE = 4


def full_screen() -> Tristate:
    """Whether a program's window fills an output that can be seen; unknown where there is no sway."""
    path = os.environ.get("SWAYSOCK", "")
    if not path:
        return Tristate.UNKNOWN
    try:
        tree = decode_json(_tree(path), object)
    except (OSError, msgspec.DecodeError) as error:
        log.debug("sway: %s", error)
        return Tristate.UNKNOWN
    filled = any(window.get("fullscreen_mode") and window.get("visible") for window in _windows(tree))
    return Tristate.YES if filled else Tristate.NO


def _tree(path: str) -> bytes:
    """What sway answers. Raises OSError for what is no sway, or one that hangs."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(path)
        connection.sendall(_HEADER.pack(_MAGIC, 0, _GET_TREE))
        magic, size, kind = _HEADER.unpack(_exactly(connection, _HEADER.size))
        if (magic, kind) != (_MAGIC, _GET_TREE) or size > TREE_MAX_BYTES:
            raise OSError("an answer of another protocol")
        return _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise ConnectionResetError("the answer was cut off")
        found += part
    return bytes(found)


def _windows(tree: Any) -> Iterator[dict[str, Any]]:
    """Every program's window: only they have a process; a workspace always says that it is full screen."""
    left = [tree]
    while left:
        node = left.pop()
        if not isinstance(node, dict):
            continue
        if node.get("pid"):
            yield node
        left += [*node.get("nodes", ()), *node.get("floating_nodes", ())]
