"""The faulty proxy fails the way it says; otherwise the tests of faults would show nothing."""

import http.client
import http.server
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.proxy import (
    CAPTIVE_PORTAL,
    AlterAnswer,
    CutAnswer,
    DropAnswer,
    FaultyProxy,
    busy,
    faulty_proxy,
)
from tests.support.waiting import PATIENCE_S

HELLO = b"hello, world"


class Greeter(http.server.BaseHTTPRequestHandler):
    heard: list[bytes]

    def do_POST(self) -> None:
        self.heard.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", str(len(HELLO)))
        self.end_headers()
        self.wfile.write(HELLO)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def proxy(heard: list[bytes]) -> Iterator[FaultyProxy]:
    server = http.server.HTTPServer(("127.0.0.1", 0), type("Greeter", (Greeter,), {"heard": heard}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    with faulty_proxy(f"http://127.0.0.1:{server.server_address[1]}") as running:
        yield running
    server.shutdown()
    thread.join()
    server.server_close()


def post(proxy: FaultyProxy, body: bytes = b"hi") -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=PATIENCE_S)
    try:
        connection.request("POST", "/greeting", body)
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def test_what_passes_is_recorded_byte_for_byte(proxy: FaultyProxy) -> None:
    assert post(proxy)[:2] == (200, HELLO)
    (exchange,) = proxy.requests("^POST /greeting$")
    assert (exchange.body, exchange.status, exchange.answer) == (b"hi", 200, HELLO)


def test_a_lost_answer_reaches_the_server_and_not_the_client(proxy: FaultyProxy, heard: list[bytes]) -> None:
    proxy.fail(DropAnswer(), times=1)
    with pytest.raises(ConnectionError):
        post(proxy)
    assert heard == [b"hi"]
    assert post(proxy)[0] == 200


def test_a_cut_answer_ends_early(proxy: FaultyProxy) -> None:
    proxy.fail(CutAnswer(keep=5))
    with pytest.raises(http.client.IncompleteRead) as cut:
        post(proxy)
    assert cut.value.partial == b"hello"


def test_an_altered_answer_keeps_its_length(proxy: FaultyProxy) -> None:
    proxy.fail(AlterAnswer())
    assert post(proxy)[1] == bytes(len(HELLO))


def test_a_portal_or_a_busy_server_answers_without_the_server(proxy: FaultyProxy, heard: list[bytes]) -> None:
    proxy.fail(CAPTIVE_PORTAL, "greeting")
    assert post(proxy)[1].startswith(b"<!DOCTYPE html>")
    proxy.heal()
    proxy.fail(busy(429, 7))
    status, _, headers = post(proxy)
    assert (status, headers["Retry-After"]) == (429, "7")
    assert heard == []
