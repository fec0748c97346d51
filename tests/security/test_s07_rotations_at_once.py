"""S7: requests that meet while a token is replaced are all let in, in whatever order the database sees them."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.wire import consent

pytestmark = pytest.mark.both_databases

AT_ONCE = 6
"""Requests that come together with a token that nobody has used yet."""
LONGEST = 40
"""More statements than any of the calls here makes."""


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _new_token() -> str:
    from server.devices.tokens import new_token

    return new_token()


def _announced(token: str) -> str:
    """The next token of the computer with this one, announced."""
    from server.devices.models import Device

    following = _new_token()
    assert Device.objects.filter(token_hash=_hash(token)).update(next_hash=_hash(following)) == 1
    return following


class Meddling:
    """Does something on another connection just before statement number `at` of this one."""

    def __init__(self, at: int, act: Callable[[], object]) -> None:
        self.at, self.act, self.seen = at, act, 0

    def __call__(self, execute: Callable[..., Any], *rest: Any) -> Any:
        from django.db import connection

        if self.seen == self.at and not connection.in_atomic_block:
            thread = threading.Thread(target=self._act)
            thread.start()
            thread.join()
        self.seen += 1
        return execute(*rest)

    def _act(self) -> None:
        from django.db import connection

        try:
            self.act()
        finally:
            connection.close()


def _use(token: str) -> None:
    from server.devices.rotation import settle

    assert settle(_hash(token)) is not None


def _use_and_replace(token: str) -> None:
    _use(token)
    _use(_announced(token))


def _is_held(token: str) -> bool:
    from server.devices.auth import device_holder

    return device_holder(token) is not None


def _is_let_in(token: str) -> bool:
    from django.test import RequestFactory

    from server.devices.auth import DeviceToken

    return DeviceToken().authenticate(RequestFactory().get("/"), token) is not None


@pytest.mark.parametrize("meanwhile", [_use, _use_and_replace])
@pytest.mark.parametrize("asks", [_is_held, _is_let_in])
def test_a_token_is_known_whatever_happens_between_two_statements(
    northwind: ServerHome, asks: Callable[[str], bool], meanwhile: Callable[[str], None]
) -> None:
    from django.db import connection

    for at in range(LONGEST):
        (token,) = bulk_data.add_computers(bulk_data.add_people(1))
        following = _announced(token)
        meddling = Meddling(at, functools.partial(meanwhile, following))
        with connection.execute_wrapper(meddling):
            assert asks(following), f"not known when it is replaced before statement {at}"
        if meddling.seen <= at:
            break
    else:
        pytest.fail("the call makes more statements than were tried")
    assert at > 0


@pytest.fixture
def unlimited(server_home: ServerHome) -> Iterator[RunningServer]:
    with server_home.running("--requests-per-minute", "0") as server:
        yield server


@pytest.mark.proves("S7")
def test_requests_that_come_together_with_a_new_token_are_all_let_in(
    proof: Proof, northwind: ServerHome, unlimited: RunningServer
) -> None:
    wanted, outcomes = proof.trials(full=1_000, few=12), list[int]()
    (token,) = bulk_data.add_computers(bulk_data.add_people(1))
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in range(wanted):
            following = _new_token()
            said = {"next_sha256": _hash(following)}
            assert _asked(unlimited, "POST", "device/token", token=token, body=said) == 204
            ask = functools.partial(_asked, unlimited, token=following)
            poll = functools.partial(ask, "GET", "feed")
            withdraw = functools.partial(ask, "POST", "consents", body=consent("like", "withdrawn"))
            outcomes += threads.map(lambda call: call(), [poll, withdraw] * (AT_ONCE // 2))
            token = following
    refused = [status for status in outcomes if status not in (200, 503)]
    proof.found("requests refused while their token was taken up", len(refused), len(outcomes))
    assert refused == []


def _asked(
    server: RunningServer, method: str, path: str, *, token: str, body: dict[str, Any] | None = None
) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{server.url}/api/v1/{path}"
    return requests.request(method, url, json=body, headers=headers, timeout=60).status_code
