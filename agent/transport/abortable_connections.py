"""The open connections of an HTTP client, so that a request can be ended: by a deadline, or from another thread."""

from __future__ import annotations

import io
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from typing import Any

import urllib3

from agent.domain import errors
from agent.system import threads

_PAUSE_S = 0.0003


class _PausingReader(io.RawIOBase):
    """Reads from another stream, with a short pause after each piece.

    A read that is answered at once gives Python's lock away and takes it back before the windows' thread has woken up to
    take it. Reading piece after piece, as from a server that floods, held windows up for a second.
    """

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        """As of the other stream."""
        count = self._stream.readinto(buffer)
        time.sleep(_PAUSE_S)
        return count

    def close(self) -> None:
        """Closes the other stream, too."""
        self._stream.close()
        super().close()


class _GentleResponse(HTTPResponse):
    """Read on a worker, whatever the size of the pieces in which it comes."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self.fp = io.BufferedReader(_PausingReader(self.fp.detach()))


class Lines:
    """The connections of a client, from the look-up of a name on. They can be cut from another thread at any time.

    A client serves one thread at a time, so that at most one connection is being opened.
    """

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._opening: Future[socket.socket] | None = None
        self._lock = threading.Lock()
        self._cut = False
        self._cut_for_good = False

    def pool(self, kind: type[urllib3.HTTPConnectionPool]) -> type[urllib3.HTTPConnectionPool]:
        """A kind of connection pool whose connections are known here."""
        connection: Any = kind.ConnectionCls
        lines = self

        class Known(connection):  # type: ignore[misc]
            """A connection whose socket is known from its first byte on.

            TLS puts another socket in place of the first, and urllib3 gives that away only after its handshake: until then a
            duplicate of the first stands for the connection.
            """

            response_class = _GentleResponse
            _stand_in: socket.socket | None = None

            def _new_conn(self) -> socket.socket:
                line = lines._open(super()._new_conn)
                self._stand_in = line.dup()
                lines._know(self._stand_in)
                return line

            def _tunnel(self) -> None:
                try:
                    super()._tunnel()
                    lines._go_on()  # the beginning of a proxy's answer that was cut off looks like a whole one
                except (OSError, HTTPException) as error:
                    raise urllib3.exceptions.ProxyError("it lets nobody through", error) from error

            def connect(self) -> None:
                try:
                    super().connect()
                    lines._know(_innermost(self.sock))
                finally:
                    if self._stand_in is not None:
                        self._stand_in.close()
                        self._stand_in = None

        return type(kind.__name__, (kind,), {"ConnectionCls": Known})

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Cut after a time. An answer that was cut off can look complete, so this raises in any case."""
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
                raise errors.ServerUnreachable(f"no whole answer within {seconds:g} s")

    @property
    def cut(self) -> bool:
        """Whether the request under way was ended."""
        return self._cut

    @property
    def overdue(self) -> bool:
        """Whether it was ended by its deadline."""
        return self._cut and not self._cut_for_good

    def cut_for_good(self) -> None:
        self._cut_for_good = True
        self._cut_now()

    def _cut_now(self) -> None:
        with self._lock:
            self._cut = True
            if self._opening is not None:
                self._opening.cancel()
            for line in self._sockets:
                _shut_down(line)

    def _open(self, connect: Callable[[], socket.socket]) -> socket.socket:
        """Connect on a thread of its own: nothing can end a name look-up that waits. Raises as ``connect``, OSError."""
        opening: Future[socket.socket] = Future()
        with self._lock:
            self._go_on()
            self._opening = opening
        threads.start("connect", _fulfil, opening, connect)
        try:
            return opening.result()
        except CancelledError as error:
            raise ConnectionAbortedError("cut while it was opened") from error
        finally:
            self._opening = None

    def _go_on(self) -> None:
        if self._cut:
            raise ConnectionAbortedError("cut")

    def _know(self, line: socket.socket) -> None:
        with self._lock:
            self._sockets.add(line)
            if self._cut:
                _shut_down(line)


def _fulfil(opening: Future[socket.socket], connect: Callable[[], socket.socket]) -> None:
    """Connect for whoever waits. Where nobody does any more, what was opened is closed."""
    try:
        line = connect()
    except (OSError, urllib3.exceptions.HTTPError) as error:
        with suppress(InvalidStateError):
            opening.set_exception(error)
        return
    try:
        opening.set_result(line)
    except InvalidStateError:
        line.close()


def _innermost(line: Any) -> socket.socket:
    """The socket below TLS within TLS, as to a server behind a proxy that is spoken to over TLS itself."""
    while not isinstance(line, socket.socket):
        line = line.socket
    return line


def _shut_down(line: socket.socket) -> None:
    """End a connection below its TLS layer, which belongs to the thread that reads."""
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
