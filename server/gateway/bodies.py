"""Bodies of requests, received whole and in time, or not at all.

A refusal that an agent takes for final is only made of a body that was read whole: whatever else happens to a body on
its way is answered as `unreadable-request`, and the agent sends it again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from server.core import problems

RECEIVE_WITHIN_S = 10.0
"""How long any body may take."""
SHORT_WITHIN_S = 5.0
"""How long one of a few short fields may take: three times the wait for a lost packet (RFC 6298, section 2)."""
LEAST_BYTES_PER_S = 8 * 1024
"""What a longer one has to bring for each further second."""

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Unread:
    """In place of a body that was not received: whoever reads it would take it for an empty one."""

    def __init__(self, why: str) -> None:
        self._why = why

    def put_into(self, environ: dict[str, Any]) -> None:
        """Make it the request's body. Of a body without a length nobody would read anything."""
        environ |= {"wsgi.input": self, "CONTENT_LENGTH": "1"}

    def read(self, _size: int = -1) -> bytes:
        """Raises `Problem` (400)."""
        raise problems.unreadable(self._why)

    readline = read


async def receive_body(
    receive: Receive, environ: Mapping[str, Any], most_bytes: int, within_s: float = RECEIVE_WITHIN_S
) -> bytes:
    """The body, in memory. As `receive_into`."""
    body = bytearray()
    await receive_into(body.extend, receive, environ, most_bytes, within_s)
    return bytes(body)


async def receive_into(
    take: Callable[[bytes], object],
    receive: Receive,
    environ: Mapping[str, Any],
    most_bytes: int,
    within_s: float = RECEIVE_WITHIN_S,
) -> int:
    """Hand over the body, piece by piece, whether its length is declared or it comes in chunks (RFC 9112, section 7.1).

    It may take `within_s` seconds, and one more for each `LEAST_BYTES_PER_S` that came. Answers its length in bytes.

    Raises `Problem`: 400 when it ends before its time, 408 when it takes too long, 413 when it is too large, 415 when it
    is encoded.
    """
    _require_plain(environ)
    _require_size(_declared(environ), most_bytes)
    size = 0
    began = asyncio.get_running_loop().time()
    more = True
    try:
        while more:
            async with asyncio.timeout_at(began + within_s + size / LEAST_BYTES_PER_S):
                message = await receive()
            if message["type"] == "http.disconnect":
                raise problems.unreadable("The body ended before its time.")
            piece = message.get("body", b"")
            size += len(piece)
            _require_size(size, most_bytes)
            take(piece)
            more = message.get("more_body", False)
    except TimeoutError as error:
        raise problems.unreadable("The body did not come in time.", HTTPStatus.REQUEST_TIMEOUT) from error
    if "CONTENT_LENGTH" in environ and size != _declared(environ):
        raise problems.unreadable("The body is not as long as it was said to be.")
    return size


def _require_plain(environ: Mapping[str, Any]) -> None:
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        detail = "No content coding is understood here (RFC 9110, section 8.4)."
    elif environ.get("HTTP_TRANSFER_ENCODING", "chunked").strip().lower() != "chunked":
        detail = "No transfer coding but chunked is understood here (RFC 9112, section 7)."
    else:
        return
    raise problems.unreadable(detail, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _declared(environ: Mapping[str, Any]) -> int:
    """What `Content-Length` says; the runner has refused one that is no number."""
    return int(environ.get("CONTENT_LENGTH", 0))


def _require_size(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise problems.unreadable(
            f"At most {most_bytes} bytes are taken here.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        )
