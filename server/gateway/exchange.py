"""One request and its answer, between ASGI and Django, which is asked by way of WSGI.

Not Django's own ASGI handler: with the same views, workers and load it answered an eighth of the polls.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse

from server.core import concurrency
from server.gateway.bodies import Receive

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

START_WITHIN_S = 30.0
"""How long somebody may take over any answer."""
LEAST_BYTES_PER_S = 8 * 1024
"""What a longer answer must be read at."""
FILE_THREADS = 2

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_files = ThreadPoolExecutor(FILE_THREADS, thread_name_prefix="files")


@dataclass
class Answer:
    """What Django answers: `body`, or the chunks of `stream`, which is closed in the end."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    stream: Iterator[bytes] | None = None
    close: Callable[[], object] = field(default=lambda: None)


def size_of_head(scope: Mapping[str, Any]) -> int:
    """Of a request's line and headers as they are sent with one space after each colon, in bytes (RFC 9112, section 2.1)."""
    query = scope["query_string"]
    line = len(f"{scope['method']}  HTTP/1.1\r\n") + len(scope["raw_path"]) + (len(query) + 1 if query else 0)
    return line + sum(len(name) + len(value) + 4 for name, value in scope["headers"]) + 2


def environ_of(scope: Mapping[str, Any]) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333), without its body."""
    server, client = scope.get("server") or ("", 0), scope.get("client") or ("", 0)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").upper()
        if "_" in name:
            continue  # which would pass for a hyphen
        key = name.replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        value = raw_value.decode("latin-1")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def ask(django: "WSGIApplication", environ: dict[str, Any]) -> Answer:
    """Let Django answer, or what is in front of it, in this thread."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: object = None
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda _data: None  # PEP 3333 asks for it, and Django does not use it

    response = django(environ, start_response)
    status, headers = started[0]
    answer = Answer(int(status[:3]), _encoded(headers))
    close = getattr(response, "close", lambda: None)  # not every iterable has one (PEP 3333)
    if getattr(response, "streaming", True):
        answer.stream, answer.close = iter(response), close
    else:
        answer.body = b"".join(response)
        close()
    return answer


def answer_of(response: HttpResponse) -> Answer:
    """An answer that was made without Django's views."""
    return Answer(response.status_code, _encoded(list(response.items())), response.content)


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def deliver(answer: Answer, receive: Receive, send: Send, *, head_only: bool) -> None:
    """Send an answer; of a long one, as fast as its reader takes it, but not slower than `LEAST_BYTES_PER_S`.

    One that is cut off is not ended: the reader's line breaks, and part of a file does not look like all of it.
    """
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    if answer.stream is None or head_only:
        await asyncio.get_running_loop().run_in_executor(_files, answer.close) if answer.stream else None
        await send({"type": "http.response.body", "body": b"" if head_only else answer.body})
        return
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await _stream(answer.stream, send, gone)
    except TimeoutError:
        concurrency.say_slow_reader()
    else:
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        await asyncio.get_running_loop().run_in_executor(_files, answer.close)


async def _stream(chunks: Iterator[bytes], send: Send, gone: "asyncio.Future[None]") -> None:
    """Raises `TimeoutError` when the reader is too slow. Ends when it is gone."""
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    while not gone.done():
        chunk = await loop.run_in_executor(_files, next, chunks, b"")
        if not chunk:
            return
        async with asyncio.timeout_at(began + START_WITHIN_S + sent / LEAST_BYTES_PER_S):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        sent += len(chunk)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
