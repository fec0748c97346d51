"""“I have read this”: kept once, by name, and read by those who may, on record."""

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests

from server.access.models import AccessToken
from server.acknowledgements.models import Acknowledgement
from server.audit.models import Entry
from server.campaigns.models import Campaign
from server.core import clock
from server.core.clock import utc_text
from server.core.errors import Refused
from server.directory.models import Company, Person
from server.erasure.erasure import erase
from server.erasure_ledger import ledger
from server.publishing.recall import recall
from server.retention.campaign_closing import close
from server.signals.models import Consent, Signal
from tests.support.server import bulk_data
from tests.support.server.administration import ADMIN, token_for
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.run_command import run_command
from tests.support.server.wire import acknowledgement, an_hour_ago

Output = pytest.CaptureFixture[str]


@pytest.fixture
def campaign(northwind: ServerHome) -> Iterator[Campaign]:
    """Safety rules that everybody is asked to confirm, three people."""
    bulk_data.add_people(3)
    yield bulk_data.publish("c-safety", starts=an_hour_ago(), acknowledge=True)
    AccessToken.objects.all().delete()
    ledger.path().unlink(missing_ok=True)
    ledger.LedgerState.objects.all().delete()


@pytest.fixture
def computer(campaign: Campaign, serving: RunningServer) -> Computer:
    return bulk_data.connect(serving, "p0@northwind.example")


def message(campaign_id: str = "c-safety", **changes: Any) -> dict[str, Any]:
    return acknowledgement(campaign_id, **changes)


def confirm(computer: Computer, body: dict[str, Any]) -> tuple[str, str]:
    answer = computer.post("/acknowledgements", body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["event_id"] == body["event_id"]
    return told["status"], told["reason"]


@pytest.mark.both_databases
def test_the_first_confirmation_counts_and_is_kept_as_it_was_sent(
    computer: Computer, serving: RunningServer
) -> None:
    first = message()
    assert confirm(computer, first) == ("stored", "")
    assert confirm(computer, first) == ("duplicate", "")
    second_computer = bulk_data.connect(serving, "p0@northwind.example")
    assert confirm(second_computer, message()) == ("duplicate", "")
    assert computer.get("/me").json()["acknowledgements"] == [first]


@pytest.mark.both_databases
def test_confirmations_that_arrive_together_are_kept_once(computer: Computer) -> None:
    bodies = [message() for _ in range(6)]
    with ThreadPoolExecutor(6) as together:
        answers = list(together.map(lambda body: computer.post("/acknowledgements", body), bodies))
    statuses = [answer.json()["status"] for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert statuses.count("stored") == 1
    assert Acknowledgement.objects.count() == 1


def test_what_is_not_asked_or_not_for_the_person_or_out_of_time_is_refused(computer: Computer) -> None:
    bulk_data.publish("c-news", starts=an_hour_ago())
    others = list(Person.objects.filter(email="p1@northwind.example"))
    bulk_data.publish("c-others", starts=an_hour_ago(), people=others, acknowledge=True)
    before = utc_text(an_hour_ago() - timedelta(hours=25))
    later = utc_text(an_hour_ago() + timedelta(hours=27))
    for body, reason in (
        (message("c-none"), "no such campaign for this person"),
        (message("c-others"), "no such campaign for this person"),
        (message("c-news"), "does not ask"),
        (message(time=before), "started at"),
        (message(time=later), "in the future"),
    ):
        status, told = confirm(computer, body)
        assert status == "refused"
        assert reason in told
    assert not Acknowledgement.objects.exists()


@pytest.mark.parametrize("hours", [-23, -2, 2, 23])
def test_a_clock_that_is_hours_off_loses_no_confirmation_and_is_not_believed(
    computer: Computer, campaign: Campaign, hours: int
) -> None:
    begun = clock.now()
    assert confirm(computer, message(time=utc_text(begun + timedelta(hours=hours)))) == ("stored", "")
    kept = Acknowledgement.objects.get()
    if hours > 0:
        assert begun <= kept.time <= clock.now()
    else:
        assert kept.time == campaign.starts


def test_a_computer_that_was_away_may_confirm_what_was_recalled_since(
    computer: Computer, campaign: Campaign
) -> None:
    recall(campaign.company, campaign.campaign_id, "command-line")
    assert confirm(computer, message()) == ("stored", "")


def test_confirming_is_no_signal_and_needs_no_consent(computer: Computer) -> None:
    assert confirm(computer, message()) == ("stored", "")
    assert not Signal.objects.exists()
    assert not Consent.objects.exists()


@pytest.mark.both_databases
def test_a_confirmation_goes_with_its_person_and_stays_when_the_campaign_is_closed(
    computer: Computer, serving: RunningServer, campaign: Campaign
) -> None:
    confirm(computer, message())
    confirm(bulk_data.connect(serving, "p1@northwind.example"), message())
    close(campaign)
    assert Acknowledgement.objects.count() == 2
    leaver = Person.objects.get(email="p0@northwind.example")
    assert erase(campaign.company, [leaver.pk])["acknowledgements.Acknowledgement"] == 1
    assert [row.person.email for row in Acknowledgement.objects.all()] == ["p1@northwind.example"]


# --- Reading ------------------------------------------------------------------------------------------


@pytest.fixture
def confirmed(computer: Computer) -> dict[str, Any]:
    """One of three people has confirmed."""
    body = message()
    assert confirm(computer, body) == ("stored", "")
    return body


def _said(capsys: Output, name: str, *words: str) -> str:
    capsys.readouterr()
    assert run_command(name, *words) == 0
    return capsys.readouterr().out


def _read(serving: RunningServer, token: str, campaign_id: str = "c-safety") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{serving.url}{ADMIN}/acknowledgements/{campaign_id}", headers=headers, timeout=30)


@pytest.mark.both_databases
def test_a_communicator_reads_who_has_confirmed_and_who_has_not(
    northwind: ServerHome, capsys: Output, confirmed: dict[str, Any], serving: RunningServer
) -> None:
    told = json.loads(_said(capsys, "report", "c-safety", "--acknowledgements", "--json"))
    assert (told["confirmed"], told["missing"]) == (1, 2)
    assert [(one["email"], one["acknowledged"]) for one in told["people"]] == [
        ("p0@northwind.example", confirmed["time"]),
        ("p1@northwind.example", None),
        ("p2@northwind.example", None),
    ]
    assert _read(serving, token_for("communicator")).json() == told


def test_who_left_the_audience_after_confirming_is_still_named(
    northwind: ServerHome, capsys: Output, serving: RunningServer
) -> None:
    bulk_data.add_people(2, "Lyon")
    campaign = bulk_data.publish("c-lyon", starts=an_hour_ago(), groups=["Lyon"], acknowledge=True)
    confirm(bulk_data.connect(serving, "p0@northwind.example"), message("c-lyon"))
    campaign.audience_groups.get().people.remove(Person.objects.get(email="p0@northwind.example"))
    told = json.loads(_said(capsys, "report", "c-lyon", "--acknowledgements", "--json"))
    assert [(one["email"], bool(one["acknowledged"])) for one in told["people"]] == [
        ("p0@northwind.example", True),
        ("p1@northwind.example", False),
    ]


def test_nobody_is_listed_of_a_campaign_that_nobody_sees(
    northwind: ServerHome, campaign: Campaign, serving: RunningServer
) -> None:
    """A list of who has not confirmed is one of the members of a group."""
    token = token_for("communicator")
    Campaign.objects.update(starts=clock.now() + timedelta(days=90), ends=clock.now() + timedelta(days=91))
    early = _read(serving, token)
    assert early.status_code == 409
    assert "@" not in early.text
    Campaign.objects.update(starts=an_hour_ago())
    assert _read(serving, token).json()["missing"] == 3
    recall(campaign.company, campaign.campaign_id, "command-line")
    assert _read(serving, token).json()["people"] == []


def test_the_command_speaks_to_people_in_two_languages(
    northwind: ServerHome, capsys: Output, confirmed: dict[str, Any]
) -> None:
    words = ("report", "c-safety", "--acknowledgements")
    english = _said(capsys, *words)
    assert "Confirmations: 1 of 3." in english
    assert english.count("not yet") == 2
    french = replace(northwind, environment={"LC_ALL": "fr_FR.UTF-8"}).succeed(*words)
    assert "Confirmations\N{NO-BREAK SPACE}: 1 sur 3." in french


def test_no_name_in_the_spreadsheet_is_a_formula(
    northwind: ServerHome, capsys: Output, confirmed: dict[str, Any]
) -> None:
    Person.objects.filter(email="p0@northwind.example").update(last_name="=HYPERLINK(1)")
    text = _said(capsys, "report", "c-safety", "--acknowledgements", "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["acknowledged"] for row in rows] == [confirmed["time"], "", ""]
    assert rows[0]["last_name"] == "'=HYPERLINK(1)"


def test_reading_names_is_on_record_with_the_campaign_and_without_a_name(
    northwind: ServerHome, capsys: Output, confirmed: dict[str, Any], serving: RunningServer
) -> None:
    _said(capsys, "report", "c-safety", "--acknowledgements")
    _read(serving, token_for("communicator"))
    entries = list(Entry.objects.filter(action="read-acknowledgements").order_by("number"))[-2:]
    assert [entry.detail for entry in entries] == 2 * ['{"campaign":"c-safety"}']
    assert entries[0].actor == "command-line"
    assert entries[1].actor.endswith("(communicator)")


def test_a_data_protection_officer_is_not_shown_who_confirmed(
    confirmed: dict[str, Any], serving: RunningServer
) -> None:
    assert _read(serving, token_for("dpo")).status_code == 403


def test_a_campaign_that_does_not_ask_names_nobody(northwind: ServerHome, serving: RunningServer) -> None:
    bulk_data.add_people(1)
    bulk_data.publish("c-news", starts=an_hour_ago())
    with pytest.raises(Refused, match="c-news does not ask people to confirm"):
        run_command("report", "c-news", "--acknowledgements")
    token = token_for("communicator")
    assert _read(serving, token, "c-news").status_code == 409
    assert _read(serving, token, "c-none").status_code == 404
    AccessToken.objects.all().delete()


def test_a_company_neither_confirms_nor_reads_what_is_anothers(
    computer: Computer, confirmed: dict[str, Any], serving: RunningServer
) -> None:
    other = Company.objects.create(
        id="southwind", name="Southwind", legal_name="S", region="eu", dpo_name="D", counter=0
    )
    try:
        theirs = Campaign.objects.create(
            company=other,
            campaign_id="c-theirs",
            acknowledge=True,
            to_everyone=True,
            starts=an_hour_ago(),
            ends=an_hour_ago() + timedelta(days=1),
            content={},
            document="",
        )
        stranger = Person.objects.create(company=other, email="p@southwind.example")
        Acknowledgement.objects.create(campaign=theirs, person=stranger, event_id=uuid4(), time=an_hour_ago())
        assert confirm(computer, message("c-theirs"))[0] == "refused"
        assert _read(serving, token_for("administrator"), "c-theirs").status_code == 404
        assert "southwind" not in _read(serving, token_for("administrator")).text
    finally:
        other.delete()
