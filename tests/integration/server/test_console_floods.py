"""Strangers who flood the console keep nobody from it who is signed in."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import requests
from django.test import override_settings

from server.access.roles import Role
from server.accounts.models import Account
from server.console.known_sessions import MOST_KNOWN, SIGNED_IN, KnownSessions
from server.core.concurrency import Holder
from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import (
    RunningConsole,
    account_of,
    client_of,
    console_settings,
    running_console,
)
from tests.support.waiting import PATIENCE_S

STRANGERS = 90
"""More than there are places for them."""
SESSION = "tidings-session"
LEA = Holder(-7, "northwind")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    home = ServerHome(tmp_path_factory.mktemp("console") / "server")
    home.init()
    with running_console(home) as running:
        yield running


@pytest.fixture(scope="module")
def cookie(console: RunningConsole) -> str:
    with console.home.opened(), console_settings():
        return str(client_of(account_of("lea@northwind.example", Role.COMMUNICATOR)).cookies[SESSION].value)


@pytest.mark.parametrize("cookie_of_strangers", ["", "a" * 32])
def test_a_flood_of_strangers_keeps_nobody_out_who_is_signed_in(
    console: RunningConsole, cookie: str, cookie_of_strangers: str
) -> None:
    def status(session: str) -> int:
        cookies = {SESSION: session} if session else {}
        found = requests.get(
            f"{console.url}/account", cookies=cookies, timeout=PATIENCE_S, allow_redirects=False
        )
        return found.status_code

    done = Event()

    def flood(_number: int) -> None:
        while not done.is_set():
            assert status(cookie_of_strangers) in (302, 503)

    assert status(cookie) == 200
    with ThreadPoolExecutor(STRANGERS) as strangers:
        flooding = [strangers.submit(flood, number) for number in range(STRANGERS)]
        try:
            assert [status(cookie) for _time in range(5)] == [200] * 5
        finally:
            done.set()
    for one in flooding:
        one.result()


@pytest.fixture
def known() -> Iterator[KnownSessions]:
    with override_settings(SESSION_COOKIE_NAME=SESSION):
        yield KnownSessions()


def test_a_session_that_ended_is_a_strangers(known: KnownSessions) -> None:
    environ = {"HTTP_COOKIE": f"{SESSION}={'b' * 32}"}
    assert known.holder(environ) is None
    known.note(environ | {SIGNED_IN: LEA})
    assert known.holder(environ) == LEA
    known.note(environ)
    assert known.holder(environ) is None


def test_so_many_sessions_are_known_and_the_oldest_are_forgotten_first(known: KnownSessions) -> None:
    cookies = [{"HTTP_COOKIE": f"{SESSION}={number:032}"} for number in range(MOST_KNOWN + 1)]
    for each in cookies:
        known.note(each | {SIGNED_IN: LEA})
    assert known.holder(cookies[0]) is None
    assert {known.holder(each) for each in cookies[1:]} == {LEA}, "all her sessions share her places"


def test_a_second_sign_in_has_no_places_of_its_own(northwind: ServerHome) -> None:
    with console_settings():
        lea, paul = (account_of(f"{name}@northwind.example", Role.COMMUNICATOR) for name in ("lea", "paul"))
        holders = [
            client_of(account).get("/account").wsgi_request.META[SIGNED_IN] for account in (lea, lea, paul)
        ]
    assert holders == [Holder(-one.pk, "northwind") for one in (lea, lea, paul)]
    Account.objects.all().delete()
