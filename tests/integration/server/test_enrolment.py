"""Connecting a computer: codes, tokens, and their end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import requests

from server import clock
from server.delivery.enrolment import invite
from server.delivery.models import Device
from tests.support import server_data
from tests.support.campaign_server import RunningServer, ServerHome
from tests.support.wire import verified


def _enrol(server: RunningServer, code: str) -> requests.Response:
    body = {"code": code, "agent_version": "0.1.0", "platform": "linux"}
    return requests.post(f"{server.url}/api/v1/enrolments", json=body, timeout=30)


def test_a_code_gives_a_token_the_keys_and_the_company(northwind: ServerHome, serving: RunningServer) -> None:
    person = server_data.add_people(1)[0]
    answer = _enrol(serving, invite(person, timedelta(days=1)))
    assert answer.status_code == 201
    enrolment = answer.json()
    assert enrolment["company_id"] == "northwind"
    assert enrolment["person"] == {"email": person.email, "first_name": person.first_name}
    company = verified(enrolment["company"], enrolment["keys"], "campaign")
    assert company["content"]["notice"]["version"] == 3
    assert (company["iss"], company["sub"]) == ("northwind", "northwind")


def test_a_code_is_understood_as_people_type_it(northwind: ServerHome, serving: RunningServer) -> None:
    code = invite(server_data.add_people(1)[0], timedelta(days=1))
    assert _enrol(serving, f" {code.lower().replace('-', ' ')}").status_code == 201


def test_unknown_used_and_expired_codes_get_the_same_answer(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = server_data.add_people(1)[0]
    used = invite(person, timedelta(days=1))
    assert _enrol(serving, used).status_code == 201
    with clock.using(lambda: datetime.now(UTC) - timedelta(days=2)):
        expired = invite(person, timedelta(days=1))
    answers = [_enrol(serving, code) for code in ("0000-0000-0000", used, expired)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["type"] == "tidings:invalid-code"


def test_of_many_computers_with_one_code_one_is_connected(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = server_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    with ThreadPoolExecutor(4) as together:
        statuses = sorted(
            answer.status_code for answer in together.map(lambda _: _enrol(serving, code), range(4))
        )
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 404, 503}
    assert person.devices.count() == 1


def test_neither_code_nor_token_is_stored(northwind: ServerHome, serving: RunningServer) -> None:
    person = server_data.add_people(1)[0]
    code = invite(person, timedelta(days=1))
    token = _enrol(serving, code).json()["device_token"]
    device, invitation = person.devices.get(), person.invitations.get()
    assert token not in str(vars(device))
    assert code.replace("-", "") not in str(vars(invitation))


def test_a_computer_that_disconnects_is_not_let_in_again(
    northwind: ServerHome, serving: RunningServer
) -> None:
    person = server_data.add_people(1)[0]
    computer = serving.enrol(invite(person, timedelta(days=1)))
    assert computer.get("/feed").status_code == 200
    assert computer.delete("/device").status_code == 204
    refused = computer.get("/feed")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert refused.json()["type"] == "tidings:unauthorized"
    assert computer.delete("/device").status_code == 401


def test_an_administrator_revokes_one_computer_or_all(northwind: ServerHome, serving: RunningServer) -> None:
    person = server_data.add_people(1)[0]
    desk, lap = (serving.enrol(invite(person, timedelta(days=1))) for _ in range(2))
    first = Device.objects.filter(person=person).order_by("pk").values_list("pk", flat=True)[0]
    northwind.succeed("device", "revoke", person.email, "--id", str(first))
    assert (desk.get("/feed").status_code, lap.get("/feed").status_code) == (401, 200)
    northwind.succeed("device", "revoke", person.email)
    assert lap.get("/feed").status_code == 401
    assert northwind.command("device", "revoke", person.email).returncode == 1


def test_everybody_without_a_computer_is_invited_at_once(
    northwind: ServerHome, serving: RunningServer
) -> None:
    people = server_data.add_people(3)
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
