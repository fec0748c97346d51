"""What the gateway does with lines that are slow or gone."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from server.core.problems import Problem
from server.gateway import bodies, exchange
from server.gateway.bodies import receive_body
from server.gateway.exchange import Answer, deliver


class Line:
    """An ASGI line: what comes in is given; what goes out is kept, and blocks from `takes` messages on."""

    def __init__(self, *incoming: Mapping[str, Any], takes: int = 1_000) -> None:
        self._incoming = list(incoming)
        self._takes = takes
        self.sent: list[Mapping[str, Any]] = []

    async def receive(self) -> Mapping[str, Any]:
        if not self._incoming:
            await asyncio.Event().wait()
        return self._incoming.pop(0)

    async def send(self, message: Mapping[str, Any]) -> None:
        if message.get("more_body") and len(self.sent) >= self._takes:
            await asyncio.Event().wait()
        self.sent.append(message)


class Download:
    """An endless file that knows how much of it was read and whether it was closed."""

    def __init__(self) -> None:
        self.pieces = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.pieces += 1
            yield b"x" * 1024

    def close(self) -> None:
        self.closed = True

    def answer(self) -> Answer:
        return Answer(200, [], stream=iter(self), close=self.close)


def _part(body: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


GONE = {"type": "http.disconnect"}


def _refusal(line: Line, **environ: str) -> Problem:
    with pytest.raises(Problem) as raised:
        asyncio.run(receive_body(line.receive, environ, 100))
    assert raised.value.code == "unreadable-request"
    return raised.value


def test_a_body_in_pieces_is_put_together() -> None:
    line = Line(_part(b"a", True), _part(b"", True), _part(b"bc", False))
    assert asyncio.run(receive_body(line.receive, {"CONTENT_LENGTH": "3"}, 100)) == b"abc"


@pytest.mark.slow
def test_a_body_that_stops_coming_is_a_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "RECEIVE_WITHIN_S", 0.05)
    assert _refusal(Line(_part(b"a", True))).status == 408


def test_a_body_that_is_cut_or_of_another_length_is_a_400() -> None:
    assert _refusal(Line(_part(b"a", True), GONE)).status == 400
    assert _refusal(Line(_part(b"abc", False)), CONTENT_LENGTH="5").status == 400


def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole() -> None:
    unread = _part(b"", False)
    assert _refusal(Line(), CONTENT_LENGTH="101").status == 413
    assert _refusal(Line(_part(b"x" * 101, True), unread)).status == 413


@pytest.mark.expected_logs("read too slowly")
def test_a_reader_that_takes_nothing_any_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "START_WITHIN_S", 0.05)
    download, line = Download(), Line(_part(b"", False), takes=3)
    asyncio.run(deliver(download.answer(), line.receive, line.send, head_only=False))
    assert download.closed
    assert download.pieces <= 4
    assert all(message.get("more_body") for message in line.sent[1:]), "what is cut off does not look whole"


def test_a_reader_that_is_gone_is_not_read_for() -> None:
    download, line = Download(), Line(_part(b"", False), GONE)
    asyncio.run(deliver(download.answer(), line.receive, line.send, head_only=False))
    assert download.closed
    assert download.pieces < 100


def test_head_reads_nothing_of_a_file_and_closes_it() -> None:
    download, line = Download(), Line()
    asyncio.run(deliver(download.answer(), line.receive, line.send, head_only=True))
    assert (download.closed, download.pieces) == (True, 0)
    assert [message.get("body", b"") for message in line.sent] == [b"", b""]
