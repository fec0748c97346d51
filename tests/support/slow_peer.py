"""A peer on the loopback address that says what a test gives it, byte by byte, and never comes to an end."""

import itertools
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

PAUSE_S = 0.02


class SlowPeer:
    """Says `first` at once, then `then` one byte at a time, again and again, to everybody who connects."""

    def __init__(self, first: bytes, then: bytes, listener: socket.socket) -> None:
        self._first = first
        self._then = then
        self._listener = listener
        self.port: int = listener.getsockname()[1]
        self.said = threading.Event()
        """Set when somebody has heard the first slow byte."""
        self.left = threading.Event()
        """Set when somebody has gone away in the middle of it."""
        self._closing = threading.Event()

    def serve(self) -> None:
        """Until `close`; each connection on a thread of its own."""
        with suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                threading.Thread(target=self._say, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Falls silent."""
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _say(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65_536)
                connection.sendall(self._first)
                for byte in self._slowly():
                    connection.sendall(byte)
                    self.said.set()
            except OSError:
                self.left.set()

    def _slowly(self) -> Iterable[bytes]:
        for byte in itertools.cycle(self._then):
            if self._closing.wait(PAUSE_S):
                return
            yield bytes([byte])


@contextmanager
def slow_peer(first: bytes, then: bytes) -> Iterator[SlowPeer]:
    """A slow peer for the length of a block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = SlowPeer(first, then, listener)
        thread = threading.Thread(target=peer.serve, daemon=True)
        thread.start()
        try:
            yield peer
        finally:
            peer.close()
            thread.join()


@contextmanager
def deaf_peer() -> Iterator[int]:
    """The port of somebody who takes no connection: those that wait for it are as many as the system lets wait."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            yield port
        finally:
            for each in waiting:
                each.close()
