"""A loopback HTTP server that answers what a test says, byte for byte, and remembers what it was asked."""

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.ports import free_port

POLL_S = 0.02
LOST = -1
"""A status that stands for no answer at all: the connection ends."""


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """A header's value, empty where it was not sent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def names(self) -> set[str]:
        """The names of all headers, in lower case."""
        return {key.lower() for key, _ in self.headers}


@dataclass(frozen=True)
class Reply:
    """One answer. `pieces` is a body without a promised length, which may never end."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] | None = None


def json_reply(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """JSON."""
    return Reply(
        status, json.dumps(content).encode(), {"Content-Type": "application/json"} | dict(headers or {})
    )


def problem(status: int, code: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A problem document (RFC 9457)."""
    content = {"type": f"tidings:{code}", "title": code, "detail": "", "status": status}
    return json_reply(content, status, dict(headers or {}) | {"Content-Type": "application/problem+json"})


def html(status: int = 200) -> Reply:
    """What a captive portal or a proxy answers."""
    return Reply(status, b"<!DOCTYPE html><title>Welcome</title>", {"Content-Type": "text/html"})


Answering = Callable[[Request], Reply]


class LoopbackServer:
    """Running. `answer` may be exchanged at any time."""

    def __init__(self, answer: Answering, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", free_port()), type("Handler", (_Handler,), {"loopback": self}))
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "https" if tls else "http"
        self.port = self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_S,))
        self._thread.start()

    def close(self) -> None:
        """End it, and what it still sends."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def drip(self, piece: bytes = b"x") -> Iterator[bytes]:
        """A body that never ends and comes slowly."""
        while not self.closing.wait(POLL_S):
            yield piece

    def endless(self) -> Iterator[bytes]:
        """A body that never ends and comes fast."""
        while not self.closing.is_set():
            yield b"x" * 65_536


@contextmanager
def loopback_server(answer: Answering, tls: ssl.SSLContext | None = None) -> Iterator[LoopbackServer]:
    """A server on a free loopback port for the length of a block."""
    server = LoopbackServer(answer, tls)
    try:
        yield server
    finally:
        server.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    loopback: LoopbackServer

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, tuple(self.headers.items()), body)
        self.loopback.requests.append(request)
        reply = self.loopback.answer(request)
        if reply.status == LOST:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.pieces is not None:
            self._stream(reply.pieces)
            return
        if reply.status != 304 and "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        promised = reply.headers.get("Content-Length")
        if promised is not None and int(promised) != len(reply.body):
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = _handle

    def _stream(self, pieces: Iterable[bytes]) -> None:
        self.close_connection = True
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """The requests are the record."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of the game."""
