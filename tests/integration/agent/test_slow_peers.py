"""A request ends at its deadline, and at once when it is aborted, wherever a peer is slow."""

from __future__ import annotations

import gc
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from agent.domain import errors, limits
from agent.transport.http_client import ApiClient
from tests.support.agent.scripted_server import Reply, loopback_server
from tests.support.slow_peer import deaf_peer, slow_peer
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""CPython (3.11) leaves a socket to its collector that was cut just before TLS begins, which warns of that."""

"""Much longer than the deadlines here, and shorter than what a test of ours may take."""

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
TLS_RECORD = (
    b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"  # RFC 8446, sections 5.1 and 4: a long ServerHello
)

SLOW_ANSWERS = {
    "status line": (b"", b"HTTP/1.1 200 " + b"O" * 60_000),
    "headers": (OK, b"X-More: 1\r\n"),
    "a header without end": (OK + b"X-Long: ", b"x"),
    "one interim answer after the other": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (OK + b"Content-Length: 60000\r\n\r\n", b" "),
    "body until the connection ends": (OK + b"Connection: close\r\n\r\n", b" "),
    "size of a chunk": (CHUNKED, b"0"),
    "extension of a chunk": (CHUNKED + b"1;", b"x"),
    "chunks of one byte": (CHUNKED, b"1\r\n \r\n"),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: 1\r\n"),
    "redirection": (b"HTTP/1.1 302 Found\r\n", b"Location: /\r\n"),
}
SLOW_PROXIES = {
    "status line": (b"", b"HTTP/1.1 200 " + b"O" * 60_000),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "TLS behind it": (b"HTTP/1.1 200 OK\r\n\r\n" + TLS_RECORD, b"\0"),
}


@dataclass
class Slow:
    """The address of a slow server, and whether one can be in the middle of it now."""

    url: str
    reached: Callable[[], bool]


Make = Callable[[ExitStack, pytest.MonkeyPatch], Slow]


def answering(first: bytes, then: bytes, scheme: str = "http") -> Make:
    def make(open_ones: ExitStack, _patch: pytest.MonkeyPatch) -> Slow:
        peer = open_ones.enter_context(slow_peer(first, then))
        return Slow(f"{scheme}://127.0.0.1:{peer.port}", peer.said.is_set)

    return make


def behind(first: bytes, then: bytes, proxy: str = "http") -> Make:
    def make(open_ones: ExitStack, patch: pytest.MonkeyPatch) -> Slow:
        peer = open_ones.enter_context(slow_peer(first, then))
        patch.setenv("https_proxy", f"{proxy}://127.0.0.1:{peer.port}")
        patch.setenv("no_proxy", "")
        return Slow("https://news.example", peer.said.is_set)

    return make


def deaf(open_ones: ExitStack, _patch: pytest.MonkeyPatch) -> Slow:
    port = open_ones.enter_context(deaf_peer())
    return Slow(f"http://127.0.0.1:{port}", lambda: connecting() == 1)


def unresolved(open_ones: ExitStack, patch: pytest.MonkeyPatch) -> Slow:
    asked, answered = threading.Event(), threading.Event()
    open_ones.callback(answered.set)

    def wait(*_: object, **__: object) -> list[object]:
        asked.set()
        answered.wait(PATIENCE_S)
        raise socket.gaierror("no such name")

    patch.setattr(socket, "getaddrinfo", wait)
    return Slow("https://news.example", asked.is_set)


def connecting() -> int:
    return sum(thread.name == "connect" for thread in threading.enumerate())


PLACES: dict[str, Make] = {
    "name": unresolved,
    "connection": deaf,
    "TLS": answering(TLS_RECORD, b"\0", "https"),
    "TLS to the proxy": behind(TLS_RECORD, b"\0", "https"),
    **{f"proxy: {name}": behind(*said) for name, said in SLOW_PROXIES.items()},
    **{f"answer: {name}": answering(*said) for name, said in SLOW_ANSWERS.items()},
}


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(params=PLACES)
def slow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    with ExitStack() as open_ones:
        yield PLACES[request.param](open_ones, monkeypatch)


class Asking:
    """A request on a thread of its own, and the fault in which it ends."""

    def __init__(self, url: str) -> None:
        self.client = ApiClient(url)
        self.fault: errors.TidingsError | None = None
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        try:
            self.client.request("GET", "/api/v1/feed")
        except errors.TidingsError as error:
            self.fault = error

    def ends_in(self, kind: type[errors.TidingsError]) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the request goes on and on"
        assert isinstance(self.fault, kind), self.fault


def test_a_request_ends_at_its_deadline_wherever_the_peer_is_slow(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_DEADLINE_S", 0.4)
    asking = Asking(slow.url)
    with closing(asking.client):
        asking.ends_in(errors.ServerUnreachable)


def test_a_request_is_aborted_wherever_the_peer_is_slow(slow: Slow) -> None:
    asking = Asking(slow.url)
    with closing(asking.client):
        until(slow.reached, "the slow place")
        asking.client.abort()
        asking.ends_in(errors.Interrupted)


def test_an_abort_before_a_request_keeps_it_from_connecting() -> None:
    with slow_peer(b"", b"x") as peer, closing(ApiClient(f"http://127.0.0.1:{peer.port}")) as client:
        client.abort()
        with pytest.raises(errors.Interrupted):
            client.request("GET", "/api/v1/feed")
        assert not peer.said.is_set()


def test_what_was_cut_is_closed_towards_the_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_DEADLINE_S", 0.4)
    with slow_peer(TLS_RECORD, b"\0") as peer, closing(ApiClient(f"https://127.0.0.1:{peer.port}")) as client:
        with pytest.raises(errors.ServerUnreachable):
            client.request("GET", "/api/v1/feed")
        until(peer.left.is_set, "the peer to notice")


def test_a_redirection_without_end_is_not_read_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_DEADLINE_S", PATIENCE_S)
    with loopback_server(lambda _: Reply()) as server, closing(ApiClient(server.url)) as client:
        server.answer = lambda _: Reply(302, headers={"Location": "/"}, pieces=server.endless())
        with pytest.raises(errors.NotOurServer):
            client.request("GET", "/api/v1/feed")
