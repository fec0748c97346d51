"""A peer on the loopback address that says what a test gives it, byte by byte or as a flood, and never comes to an end."""

import itertools
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

PAUSE_S = 0.02
FLOOD_BYTES = 256 * 1024


class SlowPeer:
    """Says `first` at once, then `then` again and again, to everybody who connects: one byte at a time, or as a flood."""

    def __init__(self, first: bytes, then: bytes, listener: socket.socket, flood: bool) -> None:
        self._flood = flood
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
                for piece in self._floods() if self._flood else self._slowly():
                    connection.sendall(piece)
                    self.said.set()
            except OSError:
                self.left.set()

    def _floods(self) -> Iterable[bytes]:
        piece = self._then * (FLOOD_BYTES // len(self._then) + 1)
        while not self._closing.is_set():
            yield piece

    def _slowly(self) -> Iterable[bytes]:
        for byte in itertools.cycle(self._then):
            if self._closing.wait(PAUSE_S):
                return
            yield bytes([byte])


@contextmanager
def slow_peer(first: bytes, then: bytes, *, port: int = 0, flood: bool = False) -> Iterator[SlowPeer]:
    """A slow peer, or a flood, for the length of a block."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        peer = SlowPeer(first, then, listener, flood)
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


class OnePeer:
    """Says one thing to everybody who connects, and hangs up."""

    def __init__(self, says: bytes, listener: socket.socket) -> None:
        self._says = says
        self._listener = listener
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.asked = 0

    def serve(self) -> None:
        """Until the listener is closed; one after the other."""
        with suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                with connection, suppress(OSError):
                    self.asked += 1
                    connection.recv(65_536)
                    connection.sendall(self._says)


@contextmanager
def answering_once(says: bytes) -> Iterator[OnePeer]:
    """Such a peer for the length of a block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = OnePeer(says, listener)
        thread = threading.Thread(target=peer.serve, daemon=True)
        thread.start()
        try:
            yield peer
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
