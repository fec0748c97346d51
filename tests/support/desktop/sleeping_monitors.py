"""Monitors that can sleep: a go-between that adds the DPMS extension to an X server without one, as Xvfb is.

Sources: the X protocol's encoding, and "X Display Power Management Signaling (DPMS) Extension Protocol".
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

_HEAD_BYTES = 32
_REPLY, _GENERIC_EVENT = 1, 35
_GET_INPUT_FOCUS, _QUERY_EXTENSION = 43, 98
_SOCKETS = Path("/tmp/.X11-unix")
_BEYOND = 20_000
"""Between the display's number and that of its go-between, which no X server takes by itself."""
_FREE_OPCODE = 250
"""Xvfb's own extensions have lower ones."""


class Power(IntEnum):
    """How much of it the monitors have."""

    ON = 0
    STANDBY = 1
    SUSPEND = 2
    OFF = 3


class SleepingMonitors:
    """Listens on a socket for programs whose DISPLAY is `display`, and passes on what they say to the X server."""

    def __init__(self, x_server: str) -> None:
        self.power = Power.ON
        number = int(x_server.removeprefix(":"))
        self._x_socket = _SOCKETS / f"X{number}"
        self.display = f":{number + _BEYOND}"
        self._own_socket = _SOCKETS / f"X{number + _BEYOND}"
        self._own_socket.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._own_socket))
        self._listener.listen()

    def serve(self) -> None:
        """Until the listening socket is closed and the last program has gone."""
        between = []
        with contextlib.suppress(OSError):
            while True:
                program, _ = self._listener.accept()
                between.append(threading.Thread(target=self._stand_between, args=(program,)))
                between[-1].start()
        for each in between:
            each.join()

    def close(self) -> None:
        """Take no further program."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._own_socket.unlink()

    def _stand_between(self, program: socket.socket) -> None:
        with program, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._x_socket))
            changed: dict[int, bytes] = {}
            back = threading.Thread(target=_to_program, args=(program, server, changed))
            back.start()
            self._to_server(program, server, changed)
            back.join()

    def _to_server(self, program: socket.socket, server: socket.socket, changed: dict[int, bytes]) -> None:
        """Passes on requests; each that is about DPMS is one whose reply can be changed, so that none is left out."""
        with contextlib.suppress(EOFError, OSError), program.makefile("rb") as incoming:
            head = _read(incoming, 12)
            name, data = struct.unpack_from("=6xHH", head)
            server.sendall(head + _read(incoming, (name + 3) // 4 * 4 + (data + 3) // 4 * 4))
            sequence = 0
            while True:
                head = _read(incoming, 4)
                sequence = (sequence + 1) & 0xFFFF
                opcode, minor, words = struct.unpack("=BBH", head)
                request = head + _read(incoming, 4 * words - 4)
                if opcode == _QUERY_EXTENSION and request[8:12] == b"DPMS":
                    changed[sequence] = struct.pack("=BB", True, _FREE_OPCODE)
                if opcode == _FREE_OPCODE:
                    changed[sequence] = self._answer(minor)
                    request = struct.pack("=BxH", _GET_INPUT_FOCUS, 1)
                server.sendall(request)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _answer(self, minor: int) -> bytes:
        """What follows the reply's length, of DPMSGetVersion, DPMSCapable, DPMSGetTimeouts and DPMSInfo."""
        return {
            0: struct.pack("=HH", 1, 1),
            1: struct.pack("=B", True),
            2: struct.pack("=HHH", 600, 900, 1200),
            7: struct.pack("=HB", self.power, True),
        }[minor]


def _to_program(program: socket.socket, server: socket.socket, changed: dict[int, bytes]) -> None:
    with contextlib.suppress(EOFError, OSError), server.makefile("rb") as incoming:
        head = _read(incoming, 8)
        program.sendall(head + _read(incoming, 4 * struct.unpack_from("=6xH", head)[0]))
        while True:
            message = _read(incoming, _HEAD_BYTES)
            kind, sequence, words = struct.unpack_from("=BxHI", message)
            if kind == _REPLY and (new := changed.pop(sequence, b"")):
                message = message[:8] + new + message[8 + len(new) :]
            if kind in (_REPLY, _GENERIC_EVENT):
                message += _read(incoming, 4 * words)
            program.sendall(message)


def _read(incoming: BinaryIO, count: int) -> bytes:
    found = incoming.read(count)
    if len(found) < count:
        raise EOFError
    return found


@contextlib.contextmanager
def sleeping_monitors(x_server: str) -> Iterator[SleepingMonitors]:
    """Monitors that are on, until told otherwise.

    Args:
        x_server: the DISPLAY of the real one.
    """
    monitors = SleepingMonitors(x_server)
    serving = threading.Thread(target=monitors.serve, daemon=True)
    serving.start()
    try:
        yield monitors
    finally:
        monitors.close()
        serving.join()
