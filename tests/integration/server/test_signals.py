"""Seen, click and like: stored once, with consent only, and without a name."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from server.campaigns.models import Campaign, Media
from server.signals.keys import keys_of
from server.signals.models import CampaignKey, Signal
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago, consent, event, give, send

pytestmark = pytest.mark.both_databases


@pytest.fixture
def campaign(northwind: ServerHome) -> Campaign:
    """A video for everybody, one of three people."""
    bulk_data.add_people(3)
    video = bulk_data.add_media(b"video", Media.Type.MP4)
    return bulk_data.publish("c-video", starts=an_hour_ago(), media=[video], links=["l1", "l2"])


@pytest.fixture
def computer(campaign: Campaign, serving: RunningServer) -> Computer:
    return bulk_data.connect(serving, "p0@northwind.example")


def test_each_signal_is_stored_with_its_own_consent(campaign: Campaign, computer: Computer) -> None:
    receipts = {signal: give(computer, signal) for signal in ("seen", "click", "like")}
    events = [event(signal, "c-video", receipt) for signal, receipt in receipts.items()]
    events.append(event("click", "c-video", receipts["click"], link_id="video"))
    assert send(computer, *events) == ["stored"] * 4
    assert Signal.objects.filter(campaign=campaign).count() == 4
    like = Signal.objects.get(signal="like")
    assert (like.value, like.seq, like.link_id) == (1, 1, "")


def test_a_batch_sent_again_changes_nothing(campaign: Campaign, computer: Computer) -> None:
    receipts = {signal: give(computer, signal) for signal in ("seen", "click", "like")}
    events = [event(signal, "c-video", receipt) for signal, receipt in receipts.items()]
    assert send(computer, *events) == ["stored"] * 3
    assert send(computer, *events) == ["duplicate"] * 3
    assert send(
        computer, events[0], event("click", "c-video", receipts["click"], link_id="l2"), events[0]
    ) == [
        "duplicate",
        "stored",
        "duplicate",
    ]
    assert Signal.objects.count() == 4


def test_one_person_cannot_fill_the_database(campaign: Campaign, computer: Computer) -> None:
    receipts = {signal: give(computer, signal) for signal in ("seen", "click", "like")}
    today = event("seen", "c-video", "")["date"]
    for number in range(5):
        events = [event("seen", "c-video", receipts["seen"]) for _ in range(30)]
        events += [event("click", "c-video", receipts["click"], link_id=f"l{1 + n % 2}") for n in range(30)]
        events += [
            event("like", "c-video", receipts["like"], seq=number * 100 + n + 1, value=n % 2)
            for n in range(30)
        ]
        assert set(send(computer, *events)) <= {"stored", "duplicate"}
    held = sorted(Signal.objects.values_list("signal", "link_id"))
    assert held == [("click", "l1"), ("click", "l2"), ("like", ""), ("seen", "")]
    like = Signal.objects.get(signal="like")
    assert (like.seq, like.value) == (430, 1)
    assert {row.date.isoformat() for row in Signal.objects.all()} == {today}


def test_of_likes_the_highest_number_stays_in_whatever_order_they_come(
    campaign: Campaign, computer: Computer
) -> None:
    receipt = give(computer, "like")
    likes = {seq: event("like", "c-video", receipt, seq=seq, value=seq % 2) for seq in range(1, 6)}
    assert send(computer, likes[2]) == ["stored"]
    assert send(computer, likes[3], likes[5], likes[4]) == ["stored", "stored", "duplicate"]
    assert send(computer, likes[1], likes[2], likes[3], likes[5]) == ["duplicate"] * 4
    assert list(Signal.objects.values_list("seq", "value")) == [(5, 1)]


def test_the_earlier_day_stays_when_another_computer_tells_of_it_later(
    northwind: ServerHome, serving: RunningServer
) -> None:
    bulk_data.add_people(1)
    bulk_data.publish("c-long", starts=an_hour_ago() - timedelta(days=3))
    computer = bulk_data.connect(serving, "p0@northwind.example")
    receipt = give(computer, "seen")
    today = an_hour_ago().date()
    for days, status in ((1, "stored"), (0, "duplicate"), (2, "stored"), (1, "duplicate")):
        day = (today - timedelta(days=days)).isoformat()
        assert send(computer, event("seen", "c-long", receipt, date=day)) == [status]
    assert [row.date for row in Signal.objects.all()] == [today - timedelta(days=2)]


def test_the_same_event_twice_in_one_batch_is_stored_once(campaign: Campaign, computer: Computer) -> None:
    seen = event("seen", "c-video", give(computer, "seen"))
    assert send(computer, seen, seen) == ["stored", "duplicate"]
    assert Signal.objects.count() == 1


def test_retries_that_arrive_together_store_each_event_once(
    campaign: Campaign, serving: RunningServer
) -> None:
    for number in range(50):
        bulk_data.publish(f"c-{number}", starts=an_hour_ago())
    for email in ("p1@northwind.example", "p2@northwind.example"):
        computer = bulk_data.connect(serving, email)
        receipt = give(computer, "seen")
        events = [event("seen", f"c-{number}", receipt) for number in range(50)]
        with ThreadPoolExecutor(6) as together:
            answers = list(
                together.map(lambda _: computer.post("/signals", {"events": events}), range(6))  # noqa: B023
            )
        done = [answer.json()["results"] for answer in answers if answer.status_code == 200]
        assert {answer.status_code for answer in answers} <= {200, 503}
        stored = [
            result["event_id"] for results in done for result in results if result["status"] == "stored"
        ]
        assert sorted(stored) == sorted(sent["event_id"] for sent in events)
    assert Signal.objects.count() == 100


def test_without_a_consent_in_force_nothing_is_kept(campaign: Campaign, computer: Computer) -> None:
    receipt = give(computer, "seen")
    assert (
        send(
            computer,
            event("seen", "c-video", str(uuid4())),
            event("click", "c-video", receipt),
            event("like", "c-video", receipt),
        )
        == ["dropped_consent"] * 3
    )
    assert not Signal.objects.exists()


def test_another_persons_receipt_allows_nothing(
    campaign: Campaign, serving: RunningServer, computer: Computer
) -> None:
    theirs = give(bulk_data.connect(serving, "p1@northwind.example"), "seen")
    assert send(computer, event("seen", "c-video", theirs)) == ["dropped_consent"]


def test_what_the_company_does_not_allow_is_not_kept(campaign: Campaign, computer: Computer) -> None:
    receipt = give(computer, "like")
    company = bulk_data.company()
    company.signals = ["seen", "click"]
    company.save()
    try:
        assert send(computer, event("like", "c-video", receipt)) == ["dropped_consent"]
    finally:
        company.signals = ["seen", "click", "like"]
        company.save()


def test_an_item_that_can_never_be_stored_is_refused_with_a_reason(
    campaign: Campaign, computer: Computer
) -> None:
    other = bulk_data.add_people(1, group="Works")
    bulk_data.publish("c-works", starts=an_hour_ago(), people=other)
    receipt = give(computer, "click")
    early = (campaign.starts - timedelta(days=1)).date().isoformat()
    late = (campaign.ends + timedelta(days=1)).date().isoformat()
    events = [
        event("click", "c-nothing", receipt),
        event("click", "c-works", receipt),
        event("click", "c-video", receipt, link_id="l3"),
        event("click", "c-video", receipt, date=early),
        event("click", "c-video", receipt, date=late),
        event("click", "c-video", receipt, link_id="l2"),
    ]
    results = computer.post("/signals", {"events": events}).json()["results"]
    assert [result["status"] for result in results] == ["refused"] * 5 + ["stored"]
    assert all(result["reason"].endswith(".") for result in results[:5])
    assert [result["reason"] for result in results[5:]] == [""]


def test_nothing_is_taken_of_a_campaign_that_has_not_begun(campaign: Campaign, computer: Computer) -> None:
    starts = datetime.now(UTC) + timedelta(days=3)
    bulk_data.publish("c-later", starts=starts)
    early = event("seen", "c-later", give(computer, "seen"), date=starts.date().isoformat())
    assert send(computer, early) == ["refused"]
    assert not Signal.objects.exists()


def test_a_clock_that_is_days_ahead_puts_nothing_into_the_future_and_loses_nothing(
    campaign: Campaign, computer: Computer
) -> None:
    today = datetime.now(UTC).date()
    receipt = give(computer, "click")
    for days, link in ((3, "l1"), (1, "l2")):
        ahead = event(
            "click", "c-video", receipt, link_id=link, date=(today + timedelta(days=days)).isoformat()
        )
        assert send(computer, ahead) == ["stored"]
    stored = dict(Signal.objects.values_list("link_id", "date"))
    assert stored["l1"] in (today, datetime.now(UTC).date())
    assert stored["l2"] == today + timedelta(days=1), "as where it is tomorrow already"


def test_a_closed_campaign_takes_no_more_signals(campaign: Campaign, computer: Computer) -> None:
    receipt = give(computer, "seen")
    CampaignKey.objects.filter(campaign=campaign).delete()
    assert send(computer, event("seen", "c-video", receipt)) == ["refused"]


@pytest.mark.parametrize(
    "change",
    [
        {"host_name": "laptop-7"},
        {"date": "2026-02-30"},
        {"event_id": "1"},
        {"link_id": "l1"},
        {"signal": "screen"},
    ],
)
def test_one_malformed_event_stores_nothing_of_the_batch(
    campaign: Campaign, computer: Computer, change: dict[str, str]
) -> None:
    receipt = give(computer, "seen")
    batch = [event("seen", "c-video", receipt), event("seen", "c-video", receipt) | change]
    answer = computer.post("/signals", {"events": batch})
    assert answer.status_code == 422
    assert answer.json()["type"] == "tidings:invalid-request"
    assert not Signal.objects.exists()


def test_a_stored_signal_names_neither_the_person_nor_the_receipt(
    campaign: Campaign, computer: Computer
) -> None:
    receipt = give(computer, "seen")
    send(computer, event("seen", "c-video", receipt))
    person = bulk_data.company().people.get(email="p0@northwind.example")
    row = {name: str(value) for name, value in Signal.objects.values()[0].items()}
    for needle in (str(person.id), person.id.hex, person.email, receipt, UUID(receipt).hex):
        assert all(needle not in value for value in row.values())
    assert row["person_key"] == keys_of(person.id, "northwind")[campaign.pk]


def test_one_person_has_unrelated_keys_in_two_campaigns(campaign: Campaign, computer: Computer) -> None:
    bulk_data.publish("c-second", starts=an_hour_ago())
    receipt = give(computer, "seen")
    send(computer, event("seen", "c-video", receipt), event("seen", "c-second", receipt))
    assert len(set(Signal.objects.values_list("person_key", flat=True))) == 2


def test_a_withdrawal_and_batches_that_arrive_together_leave_nothing(
    campaign: Campaign, serving: RunningServer, computer: Computer
) -> None:
    for _ in range(5):
        receipt = give(computer, "seen")
        batches = [{"events": [event("seen", "c-video", receipt) for _ in range(20)]} for _ in range(3)]
        withdrawal = consent("seen", "withdrawn", receipt_id=receipt)
        with ThreadPoolExecutor(4) as together:
            sent = [together.submit(computer.post, "/signals", batch) for batch in batches]
            withdrawn = together.submit(computer.post, "/consents", withdrawal)
            assert {answer.result().status_code for answer in sent} <= {200, 503}
        if withdrawn.result().status_code == 503:
            assert computer.post("/consents", withdrawal).status_code == 200
        assert not Signal.objects.exists()
