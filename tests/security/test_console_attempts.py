"""What is tried at the console is counted, also by a flood, and forgotten in time."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import requests
from django.db import connection
from django.test.utils import CaptureQueriesContext

from server.access.roles import Role
from server.accounts.attempts import delete_expired_attempts
from server.accounts.models import Attempt
from server.core import clock
from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import (
    PASSWORD,
    account_of,
    client_of,
    code,
    running_console,
    secret_of,
)
from tests.support.server.signing_in import EMAIL, is_in, type_wrong_passwords
from tests.support.waiting import PATIENCE_S


def flood() -> None:
    """Empty forms from more networks than a cache of Django's holds entries."""
    for number in range(320):
        client_of().post("/sign-in", {}, REMOTE_ADDR=f"2001:db8:{number:x}::1")


def test_a_flood_of_attempts_from_other_networks_makes_no_limit_forgotten(console: ServerHome) -> None:
    account_of(EMAIL, Role.ADMINISTRATOR)
    type_wrong_passwords(EMAIL)
    flood()
    answer = client_of().post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    assert "Too many attempts" in answer.content.decode()


def test_a_flood_of_attempts_from_other_networks_makes_no_used_code_good_again(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    shown = code(secret_of(account), steps=1)  # which is taken for a minute still
    first, second = client_of(), client_of()
    for client in (first, second):
        client.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    first.post("/sign-in/second-step", {"code": shown})
    flood()
    second.post("/sign-in/second-step", {"code": shown})
    assert [is_in(first), is_in(second)] == [True, False]


def test_the_port_in_the_name_of_the_host_gives_no_further_attempts(console: ServerHome) -> None:
    account_of(EMAIL, Role.ADMINISTRATOR)
    type_wrong_passwords(EMAIL)
    for host in ("testserver:1", "testserver:2", "TESTSERVER", "testserver."):
        answer = client_of(host=host).post("/sign-in", {"login": EMAIL, "password": PASSWORD})
        assert "Too many attempts" in answer.content.decode(), host


def test_a_restart_makes_no_limit_forgotten(made_console: ServerHome) -> None:
    for before in (True, False):
        with running_console(made_console) as console:
            session = requests.Session()
            page = session.get(f"{console.url}/sign-in", timeout=PATIENCE_S).text
            found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
            assert found
            words = {"login": "ada@northwind.example", "password": "wrong", "csrfmiddlewaretoken": found[1]}
            send = partial(session.post, f"{console.url}/sign-in", words, timeout=PATIENCE_S)
            if before:
                assert "Too many attempts" not in [send() for _time in range(5)][-1].text
            assert "Too many attempts" in send().text


def test_of_attempts_the_database_holds_neither_networks_nor_names(console: ServerHome) -> None:
    client_of().post("/sign-in", {}, REMOTE_ADDR="192.0.2.78")
    assert not Attempt.objects.exists()
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    client = client_of()
    client.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    client.post("/sign-in/second-step", {"code": code(secret_of(account))})
    type_wrong_passwords("other@northwind.example")
    stored = str(list(Attempt.objects.values()))
    plain = hashlib.sha256(b"other@northwind.example").hexdigest()
    assert Attempt.objects.exists()
    said = (EMAIL, "other@", plain, "127.0.0.1", "192.0.2.", "code=")
    assert not [word for word in said if word in stored]


def test_attempts_count_for_minutes_and_are_then_deleted(console: ServerHome) -> None:
    type_wrong_passwords("ada@northwind.example")
    type_wrong_passwords("bob@northwind.example", network="192.0.2.79")
    assert delete_expired_attempts(dry_run=False) == 0
    with clock.using(lambda: datetime.now(UTC) + timedelta(minutes=5, seconds=1)):
        answer = client_of().post("/sign-in", {"login": "ada@northwind.example", "password": PASSWORD})
        assert "do not belong together" in answer.content.decode()
        assert Attempt.objects.count() == 1
    with clock.using(lambda: datetime.now(UTC) + timedelta(hours=1)):
        assert delete_expired_attempts(dry_run=True) == 1
        assert delete_expired_attempts(dry_run=False) == 1


def test_looking_at_the_form_to_sign_in_writes_nothing(console: ServerHome) -> None:
    type_wrong_passwords(EMAIL)
    with CaptureQueriesContext(connection) as asked:
        assert client_of().get("/sign-in").status_code == 200
    assert [query["sql"] for query in asked if not query["sql"].startswith("SELECT")] == []
