"""Consents and withdrawals, their receipts, and what they erase."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from server.campaigns.models import Campaign
from server.directory.models import Notice
from server.signals.models import Consent, Signal
from server.signing.digests import notice_digest
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago, consent, event, give, send, verified

pytestmark = pytest.mark.both_databases


@pytest.fixture
def campaign(northwind: ServerHome) -> Campaign:
    bulk_data.add_people(2)
    for number in range(5):
        bulk_data.publish(f"c-{number}", starts=an_hour_ago())
    return bulk_data.publish("c-news", starts=an_hour_ago())


@pytest.fixture
def computer(campaign: Campaign, serving: RunningServer) -> Computer:
    return bulk_data.connect(serving, "p0@northwind.example")


def _receipt(computer: Computer, message: dict[str, object]) -> dict[str, object]:
    answer = computer.post("/consents", message)
    assert answer.status_code == 200, answer.text
    document = verified(answer.json()["receipt"], computer.enrolment["keys"], "receipt")
    assert (document["iss"], document["sub"], document["ctr"]) == ("northwind", message["receipt_id"], 0)
    content: dict[str, object] = document["content"]
    return content


def test_a_consent_is_answered_by_a_receipt_that_says_to_what(computer: Computer) -> None:
    message = consent("click", language="fr")
    receipt = _receipt(computer, message)
    notice = bulk_data.company().current_notice()
    assert receipt == {
        **message,
        "controller": "Northwind SAS",
        "dpo_email": "dpo@northwind.example",
        "region": "eu",
        "purpose": receipt["purpose"],
        "notice_sha256": notice_digest(notice.text),
        "method": "tidings-agent",
        "agent_version": "0.1.0",
        "policy": ["seen", "click", "like"],
        "erased": 0,
    }


def test_the_same_consent_twice_has_one_receipt(computer: Computer) -> None:
    message = consent("seen")
    first, second = (computer.post("/consents", message).json() for _ in range(2))
    assert first == second
    assert Consent.objects.count() == 1


def test_a_withdrawal_erases_that_signal_and_says_how_much(computer: Computer) -> None:
    seen, click = give(computer, "seen"), give(computer, "click")
    send(
        computer,
        *(event("seen", f"c-{number}", seen) for number in range(3)),
        event("click", "c-news", click),
    )
    receipt = _receipt(computer, consent("seen", "withdrawn", receipt_id=seen))
    assert (receipt["status"], receipt["erased"]) == ("withdrawn", 3)
    assert list(Signal.objects.values_list("signal", flat=True)) == ["click"]


def test_a_withdrawal_leaves_other_people_alone(
    campaign: Campaign, computer: Computer, serving: RunningServer
) -> None:
    other = bulk_data.connect(serving, "p1@northwind.example")
    send(other, event("seen", "c-news", give(other, "seen")))
    mine = give(computer, "seen")
    assert _receipt(computer, consent("seen", "withdrawn", receipt_id=mine))["erased"] == 0
    assert Signal.objects.count() == 1


def test_nobody_elses_withdrawal_ends_a_consent(
    campaign: Campaign, computer: Computer, serving: RunningServer
) -> None:
    mine = give(computer, "seen")
    send(computer, event("seen", "c-news", mine))
    other = bulk_data.connect(serving, "p1@northwind.example")
    assert _receipt(other, consent("seen", "withdrawn", receipt_id=mine))["erased"] == 0
    assert send(computer, event("seen", "c-1", mine)) == ["stored"]
    assert Signal.objects.count() == 2


def test_events_that_come_after_the_withdrawal_leave_nothing(computer: Computer) -> None:
    receipt = give(computer, "seen")
    events = [event("seen", f"c-{number}", receipt) for number in range(5)]
    assert send(computer, *events[:2]) == ["stored"] * 2
    withdrawal = consent("seen", "withdrawn", receipt_id=receipt)
    assert _receipt(computer, withdrawal)["erased"] == 2
    assert send(computer, *events) == ["dropped_consent"] * 5
    assert not Signal.objects.exists()
    assert _receipt(computer, withdrawal)["erased"] == 2


def test_a_consent_that_comes_after_its_withdrawal_changes_nothing(computer: Computer) -> None:
    receipt_id = str(uuid4())
    withdrawn = computer.post("/consents", consent("seen", "withdrawn", receipt_id=receipt_id)).json()
    given = computer.post("/consents", consent("seen", receipt_id=receipt_id)).json()
    assert given == withdrawn
    assert send(computer, event("seen", "c-news", receipt_id)) == ["dropped_consent"]


def test_giving_again_needs_a_new_receipt_and_brings_nothing_back(computer: Computer) -> None:
    old = give(computer, "like")
    liked = event("like", "c-news", old)
    send(computer, liked)
    computer.post("/consents", consent("like", "withdrawn", receipt_id=old))
    give(computer, "like")
    assert not Signal.objects.exists()
    assert send(computer, liked) == ["dropped_consent"]


def test_a_withdrawal_is_of_the_person_and_ends_what_their_other_computers_gave(
    computer: Computer, serving: RunningServer
) -> None:
    laptop = bulk_data.connect(serving, "p0@northwind.example")
    here, there = give(computer, "seen"), give(laptop, "seen")
    send(computer, event("seen", "c-news", here))
    send(laptop, event("seen", "c-0", there), event("seen", "c-1", there))
    assert _receipt(computer, consent("seen", "withdrawn", receipt_id=here))["erased"] == 3
    assert send(laptop, event("seen", "c-news", there)) == ["dropped_consent"]
    assert not Signal.objects.exists()


def test_a_withdrawal_leaves_the_persons_other_signals_alone(computer: Computer) -> None:
    seen, click = give(computer, "seen"), give(computer, "click")
    computer.post("/consents", consent("seen", "withdrawn", receipt_id=seen))
    assert send(computer, event("click", "c-news", click)) == ["stored"]


def test_a_consent_given_before_a_withdrawal_and_sent_after_it_changes_nothing(
    computer: Computer, serving: RunningServer
) -> None:
    offline = bulk_data.connect(serving, "p0@northwind.example")
    withdrawal = consent("seen", "withdrawn", time="2026-11-23T10:00:00Z")
    answer = computer.post("/consents", withdrawal).json()
    late = consent("seen", time="2026-11-23T09:59:59Z")
    assert offline.post("/consents", late).json() == answer
    named = offline.post("/consents", late, headers={"Tidings-Receipts": "answering"}).json()["receipt"]
    said, before = (
        verified(each, offline.enrolment["keys"], "receipt") for each in (named, answer["receipt"])
    )
    assert said["sub"] == before["sub"]
    assert said["content"] == before["content"] | {"answers": late["receipt_id"]}
    assert send(offline, event("seen", "c-news", str(late["receipt_id"]))) == ["dropped_consent"]
    assert list(Consent.objects.values_list("status", flat=True)) == ["withdrawn"]


def test_a_consent_given_after_a_withdrawal_holds(computer: Computer) -> None:
    computer.post("/consents", consent("seen", "withdrawn", time="2026-11-23T10:00:00Z"))
    again = consent("seen", time="2026-11-23T10:00:01Z")
    first = computer.post("/consents", again).json()
    told_again = again | {"time": "2026-11-23T09:00:00Z"}
    assert computer.post("/consents", told_again).json() == first, "by the time that was told first"
    assert _receipt(computer, again)["status"] == "given"
    assert send(computer, event("seen", "c-news", str(again["receipt_id"]))) == ["stored"]


def test_a_consent_that_was_here_ends_with_a_withdrawal_that_comes_later_whatever_the_clocks_say(
    computer: Computer,
) -> None:
    ahead = consent("seen", time="2031-01-01T00:00:00Z")
    computer.post("/consents", ahead)
    ended = computer.post("/consents", consent("seen", "withdrawn", time="2026-11-23T10:00:00Z")).json()
    assert send(computer, event("seen", "c-news", str(ahead["receipt_id"]))) == ["dropped_consent"]
    assert computer.post("/consents", ahead).json() == ended, "told again, it is answered by what ended it"


def test_a_withdrawal_from_a_clock_that_is_ahead_does_not_forbid_sharing_until_then(
    computer: Computer,
) -> None:
    computer.post("/consents", consent("seen", "withdrawn", time="2036-01-01T00:00:00Z"))
    soon = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    again = consent("seen", time=soon)
    assert _receipt(computer, again)["status"] == "given"
    assert send(computer, event("seen", "c-news", str(again["receipt_id"]))) == ["stored"]


def test_a_consent_after_a_withdrawal_from_a_clock_that_was_ten_years_ahead_holds_though_both_come_at_once(
    computer: Computer,
) -> None:
    """As the agent tells it: the withdrawal that it owed is no later than the consent."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for message in (consent("seen", "withdrawn", time=now), again := consent("seen", time=now)):
        computer.post("/consents", message)
    assert send(computer, event("seen", "c-news", str(again["receipt_id"]))) == ["stored"]


@pytest.mark.parametrize("ahead", ["2036-01-01T00:00:00Z", "2099-12-31T23:59:59Z"])
def test_a_consent_from_a_clock_that_is_ahead_never_undoes_a_withdrawal_made_elsewhere(
    computer: Computer, serving: RunningServer, ahead: str
) -> None:
    offline = bulk_data.connect(serving, "p0@northwind.example")
    answer = computer.post("/consents", consent("seen", "withdrawn", time="2026-11-23T10:00:00Z")).json()
    late = consent("seen", time=ahead)
    assert offline.post("/consents", late).json() == answer
    assert send(offline, event("seen", "c-news", str(late["receipt_id"]))) == ["dropped_consent"]
    other = consent("click", time=ahead)  # of which nothing was taken back
    assert _receipt(offline, other)["status"] == "given"


def test_a_new_notice_ends_consents_to_the_old_one(computer: Computer) -> None:
    old = give(computer, "seen")
    company = bulk_data.company()
    newer = Notice.objects.create(company=company, version=4, date=date(2026, 12, 1), text={"en": "Other"})
    try:
        assert send(computer, event("seen", "c-news", old)) == ["dropped_consent"]
        refused = computer.post("/consents", consent("seen"))
        assert (refused.status_code, refused.json()["type"]) == (409, "tidings:notice-changed")
        fresh = consent("seen", notice_version=4)
        assert _receipt(computer, fresh)["notice_sha256"] == notice_digest({"en": "Other"})
        assert send(computer, event("seen", "c-news", str(fresh["receipt_id"]))) == ["stored"]
        assert _receipt(computer, consent("seen", "withdrawn", receipt_id=old))["erased"] == 1
    finally:
        newer.delete()


@pytest.mark.parametrize(
    "change", [{"status": "refused"}, {"signal": "all"}, {"time": "2026-11-23T09:12:00"}, {"why": "x"}]
)
def test_a_refusal_or_anything_else_is_not_taken(computer: Computer, change: dict[str, str]) -> None:
    answer = computer.post("/consents", consent("seen") | change)
    assert answer.status_code == 422
    assert not Consent.objects.exists()
