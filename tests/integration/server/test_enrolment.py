"""Connecting a computer: codes, tokens, and their end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from server.core import clock
from server.devices.enrolment import invite, revoke
from server.devices.models import Device
from server.signing.signers import key_file
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.wire import verified

SECRET, ANOTHER_SECRET = "s" * 43, "t" * 43


def _enrol(server: RunningServer, code: str, **more: str) -> requests.Response:
    body = {"code": code, "agent_version": "0.1.0", "platform": "linux"} | more
    return requests.post(f"{server.url}/api/v1/enrolments", json=body, timeout=30)


def test_a_code_gives_a_token_the_keys_and_the_company(northwind: ServerHome, serving: RunningServer) -> None:
    person = bulk_data.add_people(1)[0]
    answer = _enrol(serving, invite(person, timedelta(days=1)))
    assert answer.status_code == 201
    enrolment = answer.json()
    assert enrolment["company_id"] == "northwind"
    assert enrolment["person"] == {"email": person.email, "first_name": person.first_name}
    company = verified(enrolment["company"], enrolment["keys"], "campaign")
    assert company["content"]["notice"]["version"] == 3
    assert (company["iss"], company["sub"]) == ("northwind", "northwind")


def test_a_code_is_understood_as_people_type_it(northwind: ServerHome, serving: RunningServer) -> None:
    code = invite(bulk_data.add_people(1)[0], timedelta(days=1))
    assert _enrol(serving, f" {code.lower().replace('-', ' ')}").status_code == 201


def test_unknown_used_and_expired_codes_get_the_same_answer(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = bulk_data.add_people(1)[0]
    used = invite(person, timedelta(days=1))
    assert _enrol(serving, used).status_code == 201
    with clock.using(lambda: datetime.now(UTC) - timedelta(days=2)):
        expired = invite(person, timedelta(days=1))
    answers = [_enrol(serving, code) for code in ("0000-0000-0000", used, expired)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["type"] == "tidings:invalid-code"


@pytest.mark.both_databases
def test_of_many_computers_with_one_code_one_is_connected(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = bulk_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    with ThreadPoolExecutor(4) as together:
        statuses = sorted(
            answer.status_code for answer in together.map(lambda _: _enrol(serving, code), range(4))
        )
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 404, 503}
    assert person.devices.count() == 1


def _feed_status(server: RunningServer, enrolled: requests.Response) -> int:
    return Computer(server.url, enrolled.json()).get("/feed").status_code


@pytest.mark.both_databases
def test_a_lost_answer_can_be_asked_for_again_by_the_agent_that_lost_it(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = bulk_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    lost, again, once_more = (_enrol(serving, code, retry_secret=SECRET) for _ in range(3))
    assert (lost.status_code, again.status_code, once_more.status_code) == (201, 201, 201)
    assert [_feed_status(serving, each) for each in (lost, again, once_more)] == [401, 401, 200]
    assert person.devices.count() == 1, "nobody sees a computer that does not exist"


def test_a_used_code_is_of_no_use_to_anybody_else(northwind: ServerHome, serving: RunningServer) -> None:
    person = bulk_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    first = _enrol(serving, code, retry_secret=SECRET)
    assert _enrol(serving, code, retry_secret=ANOTHER_SECRET).json()["type"] == "tidings:invalid-code"
    assert _enrol(serving, code).json()["type"] == "tidings:invalid-code"
    assert (_feed_status(serving, first), person.devices.count()) == (200, 1)


def test_a_code_that_was_used_without_a_secret_is_used_up(
    northwind: ServerHome, serving: RunningServer
) -> None:
    code = invite(bulk_data.add_people(1)[0], timedelta(days=1))
    assert [
        _enrol(serving, code).status_code,
        _enrol(serving, code).status_code,
        _enrol(serving, code, retry_secret=SECRET).status_code,
    ] == [201, 404, 404]


def test_after_ten_minutes_a_used_code_is_used_up(northwind: ServerHome, serving: RunningServer) -> None:
    person = bulk_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    first = _enrol(serving, code, retry_secret=SECRET)
    person.invitations.update(used_at=clock.now() - timedelta(minutes=10, seconds=1))
    assert _enrol(serving, code, retry_secret=SECRET).status_code == 404
    assert (_feed_status(serving, first), person.devices.count()) == (200, 1)


def test_a_code_that_expires_meanwhile_can_still_be_asked_again(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = bulk_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    _enrol(serving, code, retry_secret=SECRET)
    person.invitations.update(expires_at=clock.now() - timedelta(seconds=1))
    assert _enrol(serving, code, retry_secret=SECRET).status_code == 201


def test_a_computer_that_was_disconnected_meanwhile_does_not_come_back_by_its_used_code(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = bulk_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    _enrol(serving, code, retry_secret=SECRET)
    revoke(list(person.devices.values_list("pk", flat=True)))
    assert _enrol(serving, code, retry_secret=SECRET).status_code == 404


def test_a_key_that_cannot_be_read_does_not_use_the_code_up(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = bulk_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    key = key_file("northwind", "receipt")
    aside = key.rename(key.with_suffix(".aside"))
    try:
        assert _enrol(serving, code, retry_secret=SECRET).status_code >= 500
    finally:
        aside.rename(key)
    assert person.devices.count() == 0
    assert _enrol(serving, code, retry_secret=ANOTHER_SECRET).status_code == 201


@pytest.mark.both_databases
def test_of_many_requests_of_one_agent_one_token_is_left(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = bulk_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    with ThreadPoolExecutor(4) as together:
        answers = list(together.map(lambda _: _enrol(serving, code, retry_secret=SECRET), range(4)))
    enrolled = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert sorted(_feed_status(serving, each) for each in enrolled) == [200] + [401] * (len(enrolled) - 1)
    assert person.devices.count() == 1


def test_neither_code_nor_token_is_stored(northwind: ServerHome, serving: RunningServer) -> None:
    person = bulk_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    token = _enrol(serving, code, retry_secret=SECRET).json()["device_token"]
    device, invitation = person.devices.get(), person.invitations.get()
    assert token not in str(vars(device)) + str(vars(invitation))
    assert SECRET not in str(vars(invitation))
    assert code.replace("-", "") not in str(vars(invitation))


def test_a_computer_that_disconnects_is_not_let_in_again(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = bulk_data.add_people(1)[0]
    computer = serving.enrol(invite(person, timedelta(days=1)))
    assert computer.get("/feed").status_code == 200
    assert computer.delete("/device").status_code == 204
    refused = computer.get("/feed")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert refused.json()["type"] == "tidings:unauthorized"
    assert computer.delete("/device").status_code == 401


def test_an_administrator_revokes_one_computer_or_all(northwind: ServerHome, serving: RunningServer) -> None:
    person = bulk_data.add_people(1)[0]
    desk, lap = (serving.enrol(invite(person, timedelta(days=1))) for _ in range(2))
    first = Device.objects.filter(person=person).order_by("pk").values_list("pk", flat=True)[0]
    northwind.succeed("device", "revoke", person.email, "--id", str(first))
    assert (desk.get("/feed").status_code, lap.get("/feed").status_code) == (401, 200)
    northwind.succeed("device", "revoke", person.email)
    assert lap.get("/feed").status_code == 401
    assert northwind.command("device", "revoke", person.email).returncode == 1


@pytest.mark.both_databases
def test_everybody_without_a_computer_is_invited_at_once(
    northwind: ServerHome, serving: RunningServer
) -> None:
    people = bulk_data.add_people(3)
    serving.enrol(invite(people[0], timedelta(days=1)))
    lines = [line.split("\t") for line in northwind.succeed("invite", "--all").splitlines()]
    assert [email for email, _ in lines] == [people[1].email, people[2].email]
    assert _enrol(serving, lines[1][1]).json()["person"]["email"] == people[2].email


def test_a_token_of_another_shape_is_refused(serving: RunningServer) -> None:
    for value in ("", "Bearer", "Bearer x", "Basic dGR0Og==", f"Bearer tdt_{'x' * 200}", "Bearer tdt_\xff"):
        answer = requests.get(
            f"{serving.url}/api/v1/feed", headers={"Authorization": value.encode("latin-1")}, timeout=30
        )
        assert answer.status_code == 401, value
