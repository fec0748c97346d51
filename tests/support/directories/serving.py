"""What both directories share: an HTTP server with faults in a process of its own, which the test's process steers."""

import contextlib
import json
import multiprocessing
import os
import threading
import time
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.managers import BaseManager
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.directories.faults import Fault, Script, without

Json = dict[str, Any]
JSON_TYPE = "application/json; charset=UTF-8"
POLL_S = 0.02
PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Request:
    """One request as it arrived. Names of headers are in lower case."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def line(self) -> str:
        """What faults are searched in."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.method} {self.host}{self.path}{'?' if query else ''}{query}"

    @property
    def form(self) -> dict[str, str]:
        """The body of a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def bearer(self) -> str:
        """The token that it brings, or nothing."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""


@dataclass(frozen=True)
class Answer:
    """One answer; `content` is sent as JSON unless it is bytes."""

    content: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The bytes that are sent."""
        return self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()


class Listing:
    """Objects in the order of their ids, from which pages are cut."""

    def __init__(self, found: Mapping[str, Json]) -> None:
        self._found = found
        self._keys = sorted(found)

    def __len__(self) -> int:
        return len(self._keys)

    def page(self, after: str, count: int) -> tuple[list[Json], str]:
        """So many objects after that id, and the last one's id if more follow, else nothing."""
        start = bisect_right(self._keys, after)
        keys = self._keys[start : start + count]
        return [self._found[key] for key in keys], keys[-1] if start + count < len(self._keys) else ""


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Directory:
    """A directory's server. Its public methods are what a test calls, through `directory_process`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._script = Script()
        self._requests: list[Request] = []
        self._clock_is_off_s = 0.0
        self._listings: dict[object, Listing] = {}
        self._begin()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"directory": self}))
        threading.Thread(target=self._server.serve_forever, args=(POLL_S,), daemon=True).start()

    def empty(self) -> None:
        """Back to how it began: nobody in it, no faults, no permission, and the right time; the port and the key stay."""
        with self._changing():
            self._script.clear()
            self._requests.clear()
            self._clock_is_off_s = 0.0
            self._begin()

    def _begin(self) -> None:
        """An empty directory."""
        raise NotImplementedError

    def port(self) -> int:
        """The loopback port that all the vendor's hosts have here."""
        return int(self._server.server_address[1])

    def add_fault(self, fault: Fault) -> None:
        """From now on."""
        with self._lock:
            self._script.add(fault)

    def clear_faults(self) -> None:
        """From now on the truth."""
        with self._lock:
            self._script.clear()

    def requests(self) -> list[Request]:
        """All that was asked since the start or `forget_requests`, faults included."""
        with self._lock:
            return list(self._requests)

    def forget_requests(self) -> None:
        """Begins the record anew."""
        with self._lock:
            self._requests.clear()

    def move_clock(self, seconds: float) -> None:
        """Moves the directory's clock: tokens and links end, or its time is not ours."""
        with self._changing():
            self._clock_is_off_s += seconds

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Around every change of what the directory holds."""
        with self._lock:
            self._listings.clear()
            yield

    def _listing(self, key: object, found: Callable[[], Mapping[str, Json]]) -> Listing:
        """A list that is kept until something changes, so that reading page after page of many people stays quick."""
        if key not in self._listings:
            self._listings[key] = Listing(found())
        return self._listings[key]

    def _now(self) -> float:
        return time.time() + self._clock_is_off_s

    def _true_answer(self, request: Request) -> Answer:
        """What the vendor answers.

        Raises:
            Refusal: an error.
        """
        raise NotImplementedError

    def _error(self, name: str) -> Answer:
        """The vendor's error of this name."""
        raise NotImplementedError

    def _looped(self, request: Request, content: Json) -> None:
        """Lets a page name itself as the next one."""
        raise NotImplementedError

    def _answer(self, request: Request) -> tuple[Answer, Fault]:
        """The answer, and how its bytes go wrong."""
        with self._lock:
            self._requests.append(request)
            fault = self._script.fault_for(request.line)
            if fault is None:
                return self._refused_or_true(request), Fault("")
            return self._faulty(request, fault), fault

    def _refused_or_true(self, request: Request) -> Answer:
        try:
            return self._true_answer(request)
        except Refusal as refusal:
            return refusal.answer

    def _faulty(self, request: Request, fault: Fault) -> Answer:
        if fault.error:
            answer = self._error(fault.error)
        elif fault.status:
            answer = Answer(fault.body, fault.status, {"Content-Type": "text/plain"})
        else:
            answer = self._refused_or_true(request)
            if isinstance(answer.content, dict) and answer.status == HTTPStatus.OK:
                answer = Answer(self._edited(request, answer.content, fault), 200, answer.headers)
        if fault.inflates_to:
            answer = Answer(_bomb(fault.inflates_to), 200, {"Content-Encoding": "gzip"})
        return Answer(answer.content, answer.status, {**answer.headers, **fault.headers})

    def _edited(self, request: Request, content: Json, fault: Fault) -> Json:
        content = deepcopy(content)
        if fault.loops:
            self._looped(request, content)
        for path in fault.without:
            without(content, path)
        return content | dict(fault.replaced)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    directory: Directory

    def _handle(self) -> None:
        target = urlsplit(self.path)
        answer, fault = self.directory._answer(
            Request(
                self.command,
                self.headers.get("Host", ""),
                unquote(target.path),
                dict(parse_qsl(target.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
        )
        if fault.loses_connection:
            self.close_connection = True
            return
        if fault.pause_s:
            time.sleep(fault.pause_s)
        body = answer.body
        self.send_response_only(answer.status)
        date = formatdate(self.directory._now(), usegmt=True)
        for name, value in {"Date": date, "Content-Type": JSON_TYPE, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._send_body(body, fault)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _send_body(self, body: bytes, fault: Fault) -> None:
        if 0 <= fault.cut_at < len(body):
            body = body[: fault.cut_at]
            self.close_connection = True
        step = 1 if fault.pause_s else len(body) or 1
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()
            if fault.pause_s:
                time.sleep(fault.pause_s)

    def log_message(self, format: str, *args: object) -> None:
        """The requests are the record."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of the game."""


def _bomb(size: int) -> bytes:
    """A gzip body that unpacks to so many spaces, which JSON allows before a value."""
    packer = zlib.compressobj(9, wbits=31)
    piece = b" " * PIECE_BYTES
    packed = [packer.compress(piece[: min(PIECE_BYTES, size - at)]) for at in range(0, size, PIECE_BYTES)]
    return b"".join([*packed, packer.flush()])


D = TypeVar("D", bound=Directory)


def _made(kind: type[D], arguments: tuple[str, ...]) -> D:
    return kind(*arguments)


class _Manager(BaseManager):
    """Keeps the directory in its process."""


_Manager.register("directory", _made)


def _end_with_the_parent() -> None:
    """A process that nobody steers any more ends, however its parent ended."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def directory_process(kind: type[D], *arguments: str) -> Iterator[D]:
    """A directory in a process of its own for the length of a block; calls of public methods reach it there."""
    manager = _Manager(ctx=multiprocessing.get_context("spawn"))
    manager.start(_end_with_the_parent)
    try:
        yield cast(D, manager.directory(kind, arguments))  # type: ignore[attr-defined]
    finally:
        manager.shutdown()
