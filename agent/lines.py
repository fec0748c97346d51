"""The open connections of an HTTP client, so that a request can be ended: by a deadline, or from another thread."""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from agent import errors

if TYPE_CHECKING:
    import urllib3


class Lines:
    """The open connections of a client. They can be cut from another thread, which a blocked read notices at once."""

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._cut = False
        self._cut_for_good = False

    def pool(self, kind: type[urllib3.HTTPConnectionPool]) -> type[urllib3.HTTPConnectionPool]:
        """A kind of connection pool whose connections are known here."""
        connection: Any = kind.ConnectionCls
        lines = self

        class Known(connection):  # type: ignore[misc]
            def connect(self) -> None:
                super().connect()
                lines._opened(self.sock)

        return type(kind.__name__, (kind,), {"ConnectionCls": Known})

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Cut after a time. What is cut off may look like a proper end, so it is an error in any case."""
        self._cut = self._cut_for_good
        timer = threading.Timer(seconds, self._cut_now)
        timer.daemon = True
        timer.start()
        try:
            if not self._cut:
                yield
        finally:
            timer.cancel()
            if self._cut_for_good:
                raise errors.Interrupted("ended by us")
            if self._cut:
                raise errors.ServerUnreachable("an answer without end")

    def cut_for_good(self) -> None:
        self._cut_for_good = True
        self._cut_now()

    def _cut_now(self) -> None:
        with self._lock:
            self._cut = True
            for line in self._sockets:
                _shut_down(line)

    def _opened(self, line: socket.socket) -> None:
        with self._lock:
            self._sockets.add(line)
            if self._cut:
                _shut_down(line)


def _shut_down(line: socket.socket) -> None:
    """End a connection below its TLS layer, which belongs to the thread that reads."""
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
