"""The administration API: each role may do exactly what the table says, and nobody else anything."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from django.test import Client

from server.access.models import AccessToken
from server.access.roles import RIGHTS, TOKEN_ROLES, Right
from server.audit.models import Entry
from server.core import concurrency
from server.data_subject.models import CorrectionRequest
from server.directory.models import Company, Person
from tests.support.server import bulk_data
from tests.support.server.administration import ADMIN, Call, Examples, token_for
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.run_command import run_command
from tests.support.server.wire import an_hour_ago

NOW_HERE = {"email": "nobody@northwind.example", "campaign_id": "c-none", "number": "7"}
Output = pytest.CaptureFixture[str]


@pytest.fixture
def url(northwind: ServerHome, serving: RunningServer) -> Iterator[str]:
    """Where the server answers."""
    yield serving.url
    AccessToken.objects.all().delete()


OF_PAGES = {
    Right.APPROVE_CAMPAIGNS,
    Right.BIND_ACCOUNTS,
    Right.DRAFT_CAMPAIGNS,
    Right.MANAGE_PEOPLE,
    Right.READ_CAMPAIGNS,
    Right.READ_GROUPS,
    Right.EDIT_NOTICE,
    Right.EDIT_RECORD,
    Right.EDIT_TEMPLATES,
    Right.READ_HEALTH,
    Right.READ_OVERSIGHT,
    Right.READ_PEOPLE,
    Right.REVIEW_ACCESS,
    Right.SET_BUDGET,
}
"""What nothing of the API asks for: the console does."""


def _calls(url: str) -> list[Call]:
    return [call for call in Examples().calls(url) if call.path.startswith(ADMIN)]


def test_each_role_may_do_exactly_what_the_table_says(url: str) -> None:
    found = {}
    calls = _calls(url)
    for role in TOKEN_ROLES:
        token = token_for(role)
        for call in calls:
            found[role, call.right] = call.send(url, token, **NOW_HERE).status_code not in (401, 403)
    asked = {Right(right) for _role, right in found}
    assert set(Right) - asked == OF_PAGES
    assert found == {(role, str(right)): right in RIGHTS[role] for role in TOKEN_ROLES for right in asked}


def test_every_call_needs_a_right(url: str) -> None:
    assert all(call.right in set(Right) for call in _calls(url))


def test_nobody_is_let_in_without_a_token_that_is_valid_now(url: str) -> None:
    person = bulk_data.add_people(1)[0]
    (device,) = bulk_data.add_computers([person])
    expired = token_for("administrator", timedelta(seconds=-1))
    run_command("token", "revoke", (revoked := AccessToken.objects.order_by("-pk")[0]).pk)
    assert not AccessToken.objects.filter(pk=revoked.pk).exists()
    for call in _calls(url):
        for token in (None, device, expired, "tat_" + 43 * "x", "tat_" + 500 * "x"):
            assert call.send(url, token, **NOW_HERE).status_code == 401


def test_a_token_opens_nothing_that_is_for_computers(url: str) -> None:
    token = token_for("administrator")
    for call in Examples().calls(url):
        if call.path.startswith(ADMIN) or call.path.endswith(("/health", "/enrolments")):
            continue
        answer = call.send(url, token, sha256=64 * "0")
        assert answer.status_code in (400, 401, 415, 422), call


def test_a_company_sees_nothing_of_another(url: str) -> None:
    other = Company.objects.create(
        id="southwind", name="Southwind", legal_name="S", region="eu", dpo_name="D"
    )
    try:
        stranger = Person.objects.create(company=other, email="p@southwind.example")
        request = CorrectionRequest.objects.create(
            person=stranger, field="email", value="q@southwind.example", requested_at=an_hour_ago()
        )
        names = {"email": stranger.email, "campaign_id": "c-none", "number": str(request.pk)}
        token = token_for("administrator")
        answers = [call.send(url, token, **names) for call in _calls(url)]
        assert "southwind" not in "".join(answer.text for answer in answers if answer.request.method == "GET")
        assert Person.objects.filter(pk=stranger.pk).exists()
        assert CorrectionRequest.objects.filter(pk=request.pk).exists()
    finally:
        other.delete()


def test_people_are_erased_all_or_none(url: str) -> None:
    people, token = bulk_data.add_people(3), token_for("dpo")
    emails = [person.email for person in people]
    with_unknown = _post(url, token, "erasures", {"emails": [*emails, "x@northwind.example"]})
    assert with_unknown.status_code == 404
    assert "x@northwind.example" in with_unknown.json()["detail"]
    assert Person.objects.count() == 3
    assert _post(url, token, "erasures", {"emails": [emails[0].upper(), *emails[1:]]}).json() == {"people": 3}
    assert not Person.objects.exists()


def test_a_correction_is_decided(url: str) -> None:
    person, token = bulk_data.add_people(1)[0], token_for("administrator")
    wanted = CorrectionRequest.objects.create(
        person=person, field="email", value="new@northwind.example", requested_at=an_hour_ago()
    )
    (listed,) = _get(url, token, "corrections").json()["corrections"]
    assert (listed["email"], listed["requested"]) == (person.email, "new@northwind.example")
    assert _post(url, token, f"corrections/{wanted.pk}", {"decision": "accept"}).json() == {
        "decision": "accept"
    }
    person.refresh_from_db()
    assert person.email == "new@northwind.example"
    assert _post(url, token, f"corrections/{wanted.pk}", {"decision": "accept"}).status_code == 404


def test_a_report_is_the_commands(url: str, capsys: Output) -> None:
    bulk_data.add_people(6)
    bulk_data.publish("c-video", starts=an_hour_ago())
    told = _get(url, token_for("communicator"), "reports/c-video").json()
    capsys.readouterr()
    run_command("report", "c-video", "--json")
    assert json.loads(capsys.readouterr().out) == told
    assert told["assigned"] == 6
    assert told["made"] is None, "nobody who is counted did anything"


def test_a_campaign_is_recalled_once(url: str) -> None:
    bulk_data.publish("c-video", starts=an_hour_ago())
    token = token_for("communicator")
    answers = [_post(url, token, "recalls", {"campaign_id": "c-video"}).json() for _ in range(2)]
    assert [answer["recalled_before"] for answer in answers] == [False, True]
    assert _post(url, token, "recalls", {"campaign_id": "c-none"}).status_code == 404


def test_what_is_read_done_and_denied_is_on_record(url: str) -> None:
    start = max(Entry.objects.values_list("number", flat=True), default=0)
    token = token_for("communicator")
    _get(url, token, "reports/c-none")
    _get(url, token, "audit")
    entries = _get(url, token_for("dpo"), f"audit?after={start}").json()["entries"]
    assert [entry["action"] for entry in entries] == [
        "make-token",
        "read-reports",
        "denied",
        "make-token",
        "read-audit-log",
    ]
    assert entries[1]["actor"].endswith("(communicator)")


def test_the_token_is_shown_once_and_nothing_of_it_is_kept(url: str, capsys: Output) -> None:
    capsys.readouterr()
    run_command("token", "create", "--role", "dpo", "--name", "Inès")
    token = capsys.readouterr().out.splitlines()[0].removeprefix("Token: ")
    assert _get(url, token, "audit").status_code == 200
    run_command("token", "list")
    listed = capsys.readouterr().out
    assert "Inès" in listed
    stored = str(list(AccessToken.objects.values())) + str(list(Entry.objects.values_list("detail")))
    assert token not in listed + stored


def _get(url: str, token: str, path: str) -> requests.Response:
    return requests.get(f"{url}{ADMIN}/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def _post(url: str, token: str, path: str, body: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(f"{url}{ADMIN}/{path}", json=body, headers=headers, timeout=30)


def test_a_token_may_not_ask_without_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "request_rate", concurrency.RequestRate(2))
    headers = {"Authorization": f"Bearer {token_for('dpo')}"}
    answers = [Client().get(f"{ADMIN}/audit", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0


def test_the_record_of_processing_is_told_in_two_languages(url: str) -> None:
    token = token_for("dpo")
    english, french = (
        _get(url, token, f"record-of-processing?language={language}").json() for language in ("en", "fr")
    )
    assert english["controller"] == french["controller"] == "Northwind SAS"
    assert english["activities"] != french["activities"]
    assert len(english["activities"]) == len(french["activities"]) > 0
