"""Nobody is kept from taking back what they gave: not by a thief of their token, nor by those who have none."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.support.raw_http import answer, connect, head, lines
from tests.support.server import bulk_data
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.wire import consent

JSON = {"Content-Type": "application/json"}
NO_TOKEN = "tdt_" + "x" * 43
MORE_THAN_A_SHARE = 80
"""Of a minute: 60 requests, and 60 withdrawals that end nothing."""


@dataclass
class Attacked:
    """A server with one worker, and a person with two computers, of one of which somebody else has the token too."""

    server: RunningServer
    stolen: str
    other: str

    def post(self, token: str, message: dict[str, Any]) -> requests.Response:
        return requests.post(
            f"{self.server.url}/api/v1/consents", json=message, headers=as_(token), timeout=60
        )

    def give(self, token: str, signal: str = "seen") -> dict[str, Any]:
        """Share something. Gives the message."""
        message = consent(signal)
        given = self.post(token, message)
        assert given.status_code == 200, given.text
        return message

    def withdraws(self, token: str, given: dict[str, Any]) -> bool:
        """Whether a withdrawal is taken at the first try."""
        return self.post(token, given | {"status": "withdrawn"}).status_code == 200


def as_(token: str) -> dict[str, str]:
    return JSON | {"Authorization": f"Bearer {token}"}


def whole(token: str, message: dict[str, Any]) -> bytes:
    """A request with all of its body."""
    body = json.dumps(message).encode()
    return head("POST", "/api/v1/consents", as_(token) | {"Content-Length": str(len(body))}) + body


def withdrawal_of_nothing(signal: str = "seen") -> dict[str, Any]:
    return consent(signal, "withdrawn")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    home = ServerHome(tmp_path_factory.mktemp("attacked") / "server")
    home.init()
    with home.running("--requests-per-minute", "60") as server:
        yield server


@pytest.fixture
def attacked(server: RunningServer) -> Attacked:
    with server.home.opened():
        (person,) = bulk_data.add_people(1)
        stolen, other = bulk_data.add_computers([person, person])
    return Attacked(server, stolen, other)


@contextmanager
def repeating(url: str, request: bytes, count: int) -> Iterator[None]:
    """So many lines that send the same request again as soon as it is answered, for the length of a block."""
    over = threading.Event()
    with ExitStack() as open_ones:

        def repeat(line: Any) -> None:
            while not over.is_set():
                line.sendall(request)
                answer(line)

        threads = [
            threading.Thread(target=repeat, args=(open_ones.enter_context(connect(url)),))
            for _ in range(count)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()


@pytest.mark.parametrize("count", [24, 200])
def test_slow_bodies_with_ones_own_token_hold_no_withdrawal_back(attacked: Attacked, count: int) -> None:
    given = {
        token: attacked.give(token, signal)
        for token, signal in ((attacked.stolen, "seen"), (attacked.other, "like"))
    }
    with lines(attacked.server.url, count) as slow:
        for line in slow:
            declared = {"Content-Length": "5000"}
            line.sendall(head("POST", "/api/v1/consents", as_(attacked.stolen) | declared) + b"{")
        assert [attacked.withdraws(token, message) for token, message in given.items()] == [True, True]


def test_withdrawals_that_end_nothing_use_nothing_up(attacked: Attacked) -> None:
    given = attacked.give(attacked.stolen)
    statuses = {
        attacked.post(attacked.stolen, withdrawal_of_nothing("like")).status_code
        for _ in range(MORE_THAN_A_SHARE)
    }
    assert statuses == {200, 429}
    assert attacked.withdraws(attacked.stolen, given)


@pytest.mark.parametrize(
    "changed",
    [
        {"receipt_id": "0d9b6c1e-3f2a-4c5d-8e7f-000000000001"},
        {"receipt_id": "no receipt"},
        {"notice_version": "3"},
        {"more": 1},
    ],
    ids=["ended-before", "no-receipt", "no-version", "unknown-field"],
)
def test_what_only_looks_like_a_withdrawal_uses_nothing_up(
    attacked: Attacked, changed: dict[str, Any]
) -> None:
    ended_before = {"receipt_id": "0d9b6c1e-3f2a-4c5d-8e7f-000000000001"}
    assert attacked.withdraws(attacked.stolen, attacked.give(attacked.stolen) | ended_before)
    given = attacked.give(attacked.stolen)
    alike = given | {"status": "withdrawn"} | changed
    statuses = [attacked.post(attacked.stolen, alike).status_code for _ in range(MORE_THAN_A_SHARE)]
    assert statuses[-1] == 429
    assert attacked.withdraws(attacked.stolen, given)


def test_floods_of_withdrawals_with_ones_own_token_hold_none_back(attacked: Attacked) -> None:
    flood = whole(attacked.stolen, withdrawal_of_nothing("like"))
    with repeating(attacked.server.url, flood, 30):
        for _ in range(10):
            given = attacked.give(attacked.other)
            assert attacked.withdraws(attacked.stolen, given)


def test_floods_without_a_token_hold_no_withdrawal_back(attacked: Attacked) -> None:
    flood = whole(NO_TOKEN, withdrawal_of_nothing())
    with repeating(attacked.server.url, flood, 30):
        for _ in range(10):
            assert attacked.withdraws(attacked.stolen, attacked.give(attacked.stolen))


def test_a_disconnection_is_taken_however_often_something_else_was_asked(attacked: Attacked) -> None:
    for _ in range(MORE_THAN_A_SHARE):
        attacked.post(attacked.stolen, withdrawal_of_nothing())
    url = f"{attacked.server.url}/api/v1/device"
    assert requests.delete(url, headers=as_(attacked.stolen), timeout=60).status_code == 204
    assert requests.delete(url, headers=as_(attacked.stolen), timeout=60).status_code == 401


def test_a_withdrawal_that_is_repeated_is_answered_by_the_same_receipt(attacked: Attacked) -> None:
    given = attacked.give(attacked.stolen)
    ended = [attacked.post(attacked.stolen, given | {"status": "withdrawn"}).json() for _ in range(2)]
    assert ended[0] == ended[1]
    assert attacked.withdraws(attacked.stolen, given | {"receipt_id": str(uuid4())})
