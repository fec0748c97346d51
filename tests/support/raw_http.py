"""HTTP spoken by hand, for what a well-behaved client never sends."""

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE_S


def head(
    method: str, path: str, headers: Mapping[str, str] | None = None, host: str = "tidings.example"
) -> bytes:
    """The head of a request, with its empty line."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode()


def connect(url: str, source: str = "") -> socket.socket:
    """A line to the server, from another loopback address if one is named."""
    address = urlsplit(url)
    bound = (source, 0) if source else None
    return socket.create_connection((str(address.hostname), address.port or 80), PATIENCE_S, bound)


@contextlib.contextmanager
def lines(url: str, count: int) -> Iterator[list[socket.socket]]:
    """So many lines, which say nothing by themselves."""
    with contextlib.ExitStack() as all_of_them:
        yield [all_of_them.enter_context(connect(url)) for _ in range(count)]


@dataclass(frozen=True)
class Answer:
    """What the server said, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as JSON."""
        content: dict[str, Any] = json.loads(self.body)
        return content


def answer(line: socket.socket, *, to_head: bool = False) -> Answer:
    """The next answer on the line. Raises `http.client.HTTPException` and `OSError` when there is none."""
    with contextlib.closing(HTTPResponse(line, method="HEAD" if to_head else None)) as response:
        response.begin()
        return Answer(response.status, dict(response.headers.items()), response.read())


def chunked(*pieces: bytes) -> bytes:
    """A body in chunks (RFC 9112, section 7.1)."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def is_closed(line: socket.socket, seconds: float) -> bool:
    """Whether the other end closes the line within so many seconds."""
    line.settimeout(seconds)
    try:
        while line.recv(64 * 1024):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True
