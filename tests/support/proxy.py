"""A loopback reverse proxy that records what passes, and fails on purpose the ways networks fail."""

import http.client
import random
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}  # RFC 9110, 7.6.1


@dataclass(frozen=True)
class Answer:
    """The proxy answers by itself; the server never hears of the request."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DropAnswer:
    """The server gets the request, and its answer is lost: the connection is reset."""


@dataclass(frozen=True)
class CutAnswer:
    """The answer promises its full length and ends after `keep` bytes of its body."""

    keep: int


@dataclass(frozen=True)
class AlterAnswer:
    """The answer's body is exchanged for another of the same length, as by a faulty cache."""

    byte: bytes = b"\0"


Fault = Answer | DropAnswer | CutAnswer | AlterAnswer

CAPTIVE_PORTAL = Answer(
    200,
    b"<!DOCTYPE html><title>Welcome to Hotel Wi-Fi</title><form>Accept our terms to go online</form>",
    {"Content-Type": "text/html; charset=utf-8"},
)


def busy(status: int, retry_after_s: int) -> Answer:
    """429 or 503 with Retry-After (RFC 9110, 10.2.3)."""
    return Answer(status, headers={"Retry-After": str(retry_after_s)})


@dataclass(frozen=True)
class Exchange:
    """One request and what the client got for it; status 0 where the answer was lost."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes


class FaultyProxy:
    """Passes requests on to `upstream`, an http address without a path. Made by `faulty_proxy`."""

    def __init__(self, upstream: str, server: ThreadingHTTPServer) -> None:
        self._upstream = urlsplit(upstream).netloc
        self._faults: list[tuple[re.Pattern[str], Fault, float, float]] = []
        self._chance = random.Random(2)
        self._lock = threading.Lock()
        self.exchanges: list[Exchange] = []
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def fail(self, fault: Fault, path: str = "", times: float = float("inf"), share: float = 1.0) -> Self:
        """From now on, a share of the requests whose "METHOD /path" matches meet this fault, so many times."""
        with self._lock:
            self._faults.append((re.compile(path), fault, times, share))
        return self

    def heal(self) -> None:
        """Ends all faults."""
        with self._lock:
            self._faults.clear()

    def requests(self, path: str = "") -> list[Exchange]:
        """What passed so far, of requests whose "METHOD /path" matches the expression."""
        with self._lock:
            return [each for each in self.exchanges if re.search(path, f"{each.method} {each.path}")]

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The newest fault that is due for a request; counted as met."""
        with self._lock:
            for index in reversed(range(len(self._faults))):
                expression, fault, times, share = self._faults[index]
                if expression.search(f"{method} {path}") and self._chance.random() < share:
                    self._faults[index : index + 1] = (
                        [(expression, fault, times - 1, share)] if times > 1 else []
                    )
                    return fault
        return None

    def ask_upstream(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The server's own answer; 502 where there is no server."""
        passed = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection(self._upstream, timeout=PATIENCE_S)
        try:
            path_only = urlsplit(path)._replace(scheme="", netloc="").geturl()  # RFC 9112, 3.2.2
            connection.request(method, path_only, body or None, passed)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
            return Answer(answer.status, answer.read(), kept)
        except (OSError, http.client.HTTPException):
            return Answer(502)
        finally:
            connection.close()

    def remember(self, exchange: Exchange) -> None:
        """Adds to what passed."""
        with self._lock:
            self.exchanges.append(exchange)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = dict(self.headers.items())
        fault = self.proxy.fault_for(self.command, self.path)
        upstream = self.proxy.ask_upstream
        answer = fault if isinstance(fault, Answer) else upstream(self.command, self.path, headers, body)
        lost = isinstance(fault, DropAnswer)
        sent = b"" if lost else self._altered(answer.body, fault)
        status = 0 if lost else answer.status
        self.proxy.remember(Exchange(self.command, self.path, headers, body, status, sent))
        if lost:
            self._reset()
            return
        self._send(answer, sent)
        if len(sent) < len(answer.body):
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = _handle

    def _altered(self, body: bytes, fault: Fault | None) -> bytes:
        if isinstance(fault, CutAnswer):
            return body[: fault.keep]
        if isinstance(fault, AlterAnswer):
            return fault.byte * len(body)
        return body

    def _send(self, answer: Answer, body: bytes) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "date", "server"):
                self.send_header(name, value)
        if answer.status != http.HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        # Linger of zero seconds: the client sees a reset, not an orderly end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """The exchanges are the record; standard error stays quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away in the middle is part of the game."""


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """Runs a proxy on a free loopback port before the server at `upstream`."""
    server = _Server(("127.0.0.1", free_port()), type("Handler", (_Handler,), {}))
    proxy = FaultyProxy(upstream, server)
    server.RequestHandlerClass.proxy = proxy  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
