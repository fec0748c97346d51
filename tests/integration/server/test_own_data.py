"""One's own data: what `/me` answers, and what becomes of a correction."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from server.audit.models import Entry
from server.core.errors import Refused
from server.data_subject import api as rights_api
from server.data_subject.models import CorrectionRequest
from server.directory.models import Company, Person
from server.people_files.cells import PersonRow
from server.people_files.upsert import import_people
from server.signals.models import Consent
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago, event, give, send


@pytest.fixture
def camille(northwind: ServerHome, serving: RunningServer) -> Computer:
    """The computer of a person who is in one group."""
    person = bulk_data.add_people(1, "Paris")[0]
    Person.objects.filter(pk=person.pk).update(last_name="Roy", site_addresses=["1 rue de la Paix"])
    return bulk_data.connect(serving, person.email)


def _me(computer: Computer) -> dict[str, Any]:
    answer = computer.get("/me")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    content: dict[str, Any] = answer.json()
    return content


def _details(computer: Computer) -> dict[str, Any]:
    return {detail["field"]: detail for detail in _me(computer)["details"]}


def test_a_person_sees_what_is_held_about_them(camille: Computer) -> None:
    bulk_data.publish("c-video", starts=an_hour_ago(), groups=["Paris"])
    receipt = give(camille, "seen")
    assert send(camille, event("seen", "c-video", receipt)) == ["stored"]
    me = _me(camille)
    assert me["controller"]["dpo_email"] == "dpo@northwind.example"
    assert {detail["field"]: detail["value"] for detail in me["details"]}["site_addresses"] == [
        "1 rue de la Paix"
    ]
    assert me["groups"] == ["Paris"]
    assert [computer["this"] for computer in me["computers"]] == [True]
    assert [(one["receipt_id"], one["status"]) for one in me["consents"]] == [(receipt, "given")]
    assert [(one["campaign_id"], one["signal"]) for one in me["signals"]] == [("c-video", "seen")]
    assert me["campaigns"] == [{"campaign_id": "c-video", "title": "About c-video", "addressed": "group"}]
    assert me["other"]["delivery.invitation"][0]["used_at"]


def test_a_person_sees_nothing_of_somebody_else(camille: Computer, serving: RunningServer) -> None:
    other = bulk_data.add_people(1, "Lyon")[0]
    computer = bulk_data.connect(serving, other.email)
    bulk_data.publish("c-lyon", starts=an_hour_ago(), groups=["Lyon"])
    assert send(computer, event("seen", "c-lyon", give(computer, "seen"))) == ["stored"]
    text = camille.get("/me").text
    assert not [needle for needle in (other.email, "Lyon", "c-lyon", str(other.pk)) if needle in text]


def test_an_announcement_that_has_not_begun_keeps_its_title(camille: Computer) -> None:
    bulk_data.publish("c-later", starts=datetime(2040, 1, 1, tzinfo=UTC))
    assert _me(camille)["campaigns"] == [{"campaign_id": "c-later", "title": "", "addressed": "everyone"}]


def test_what_the_person_owns_changes_at_once_and_arrives_with_the_next_poll(camille: Computer) -> None:
    tag = camille.get("/feed").headers["ETag"]
    answer = camille.patch("/me", {"details": {"first_name": " Zoé ", "last_name": "Roy"}})
    assert answer.json() == {
        "results": [
            {"field": "first_name", "status": "changed"},
            {"field": "last_name", "status": "unchanged"},
        ]
    }
    polled = camille.get("/feed", If_None_Match=tag)
    assert polled.status_code == 200
    assert polled.json()["person"]["first_name"] == "Zoé"


def test_what_the_directory_owns_becomes_a_request_and_a_later_one_replaces_it(camille: Computer) -> None:
    for address in ("a@northwind.example", "B@northwind.example"):
        answer = camille.patch("/me", {"details": {"email": address}})
        assert answer.json()["results"] == [{"field": "email", "status": "requested"}]
    email = _details(camille)["email"]
    assert (email["owner"], email["requested"]) == ("directory", "b@northwind.example")
    assert email["value"] != "b@northwind.example"
    camille.patch("/me", {"details": {"email": email["value"]}})
    assert _details(camille)["email"]["requested"] is None


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("first_name", "Zoé\u202e"),
        ("title", "two\nlines"),
        ("last_name", "D\ufffdsir\ufffde"),
        ("site_addresses", ["fine", "bell\u0007"]),
        ("first_name", "nul\x00"),
    ],
)
def test_a_value_that_cannot_be_right_changes_nothing(camille: Computer, field: str, value: Any) -> None:
    before = _details(camille)
    answer = camille.patch("/me", {"details": {"work_cell": "123", field: value}})
    assert answer.status_code == 422
    assert field in answer.json()["detail"]
    assert _details(camille) == before


@pytest.mark.both_databases
def test_nobody_can_take_the_address_of_somebody_else(camille: Computer) -> None:
    other = bulk_data.add_people(1)[0]
    Company.objects.update(directory_fields=[])
    try:
        answer = camille.patch("/me", {"details": {"email": other.email}})
    finally:
        Company.objects.update(directory_fields=["email"])
    assert answer.status_code == 422
    assert not CorrectionRequest.objects.exists()


def test_reading_and_correcting_ones_own_data_is_on_record_without_a_name(camille: Computer) -> None:
    start = Entry.objects.count()
    camille.get("/me")
    camille.patch("/me", {"details": {"first_name": "Zoé"}})
    entries = list(Entry.objects.order_by("number"))[start:]
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("agent", "read-own-data"),
        ("agent", "correct-own-data"),
    ]
    assert len({entry.subject for entry in entries} - {""}) == 2, "nobody can tell that they are one person's"
    shown = [row["action"] for row in camille.get("/me").json()["other"]["audit.entry"]]
    assert shown == ["read-own-data", "correct-own-data", "read-own-data"]
    assert "Zoé" not in "".join(entry.detail for entry in entries)


def test_an_answer_over_the_limit_says_whom_to_ask(
    camille: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights_api, "LARGEST_ANSWER_BYTES", 100)
    token = camille.headers["Authorization"]
    answer = Client().get("/api/v1/me", headers={"Authorization": token})
    assert answer.status_code == 413
    assert "dpo@northwind.example" in answer.json()["detail"]


@pytest.mark.both_databases
def test_an_import_at_the_same_time_does_not_take_a_correction_back(
    camille: Computer, northwind: ServerHome
) -> None:
    company, email = bulk_data.company(), Person.objects.get().email
    rows = [PersonRow(2, email, {"first_name": "Old name"}, None)]

    def bring_in() -> None:
        try:
            import_people(company, rows, dry_run=False)
        finally:
            connection.close()

    for number in range(10):
        Person.objects.update(own_fields=[], first_name="Before")
        with ThreadPoolExecutor(4) as together:
            imports = [together.submit(bring_in) for _ in range(3)]
            answer = together.submit(
                camille.patch, "/me", {"details": {"first_name": f"Zoé {number}"}}
            ).result()
        assert answer.json()["results"] == [{"field": "first_name", "status": "changed"}]
        faults = [one.exception() for one in imports]
        assert None in faults
        # One import at a time: another that comes meanwhile is told so.
        assert all(fault is None or isinstance(fault, Refused) for fault in faults)
        assert Person.objects.get().first_name == f"Zoé {number}"


@pytest.mark.both_databases
def test_reading_ones_own_data_locks_nobody_out(
    camille: Computer, northwind: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry in the audit log is written before the answer is put together."""
    seen: list[tuple[bool, str | None]] = []

    def look(*_: object) -> dict[str, object]:
        last = Entry.objects.order_by("number").last()
        seen.append((connection.in_atomic_block, last.action if last else None))
        return held_by_heart(*_)

    held_by_heart = rights_api.held
    monkeypatch.setattr(rights_api, "held", look)
    assert Client().get("/api/v1/me", headers=camille.headers).status_code == 200
    assert seen == [(False, "read-own-data")]


@pytest.mark.both_databases
def test_more_signals_than_one_answer_holds_are_a_413_that_says_whom_to_ask(
    camille: Computer, northwind: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk_data.publish("c-one", starts=an_hour_ago())
    bulk_data.publish("c-two", starts=an_hour_ago())
    receipt = give(camille, "seen")
    assert send(camille, event("seen", "c-one", receipt), event("seen", "c-two", receipt)) == ["stored"] * 2
    monkeypatch.setattr(rights_api, "MOST_SIGNALS", 1)
    answer = Client().get("/api/v1/me", headers=camille.headers)
    assert (answer.status_code, answer.json()["type"]) == (413, "tidings:too-large")
    assert "dpo@northwind.example" in answer.json()["detail"]


def test_what_is_held_is_put_together_without_the_campaigns_documents(
    camille: Computer, northwind: ServerHome
) -> None:
    """They are a hundred times as long as what is told of a campaign, and there may be 20,000."""
    bulk_data.publish("c-video", starts=an_hour_ago(), groups=["Paris"])
    with CaptureQueriesContext(connection) as captured:
        answer = Client().get("/api/v1/me", headers=camille.headers)
    assert [one["title"] for one in answer.json()["campaigns"]] == ["About c-video"]
    assert len(captured) > 5
    assert [query["sql"] for query in captured if '"campaigns_campaign"."document"' in query["sql"]] == []


@pytest.mark.expected_logs("Internal Server Error")
def test_what_is_held_stays_out_of_the_log_when_it_cannot_be_told(
    camille: Computer, northwind: ServerHome, caplog: pytest.LogCaptureFixture
) -> None:
    """A row that somebody edited in the database makes the answer a fault, which is logged."""
    give(camille, "seen")
    Consent.objects.update(receipt="canary receipt")
    client = Client(raise_request_exception=False)
    answer = client.get("/api/v1/me", headers=camille.headers)
    assert answer.status_code == 500
    told = "".join(logging.Formatter().format(record) for record in caplog.records)
    assert "consents.0.receipt" in told
    assert "canary" not in told
