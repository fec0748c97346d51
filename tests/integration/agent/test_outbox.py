"""The outbox over a real network and a real disk, one thing at a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.domain import errors, limits
from agent.domain.model import ConsentState, FeedbackSignal
from tests.support.agent.company_in_memory import Company, instead
from tests.support.agent.parts import Sending, SettableClock, a_company, notice, sending_parts
from tests.support.agent.scripted_server import LoopbackServer, Reply, Request, problem


def test_a_consent_leaves_before_its_events_and_a_withdrawal_alone(
    sending: Sending, server: LoopbackServer
) -> None:
    sending.gate.choose({FeedbackSignal.LIKE: True}, "en")
    sending.outbox.make(FeedbackSignal.LIKE, "c-one", value=1, seq=1)
    sending.outbox.send(sending.client)
    sending.outbox.make(FeedbackSignal.LIKE, "c-one", value=0, seq=2)
    sending.gate.choose({FeedbackSignal.LIKE: False}, "en")
    sending.outbox.withdraw([FeedbackSignal.LIKE])
    sending.outbox.send(sending.client)
    paths = [request.path.rsplit("/")[-1] for request in server.requests]
    assert paths == ["consents", "signals", "consents"]
    assert [json.loads(request.body).get("status") for request in server.requests] == [
        "given",
        None,
        "withdrawn",
    ]


def test_more_than_a_hundred_events_leave_in_batches_of_a_hundred(
    sending: Sending, server: LoopbackServer, company: Company
) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    for _ in range(230):
        sending.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1")
    sending.outbox.send(sending.client)
    sizes = [len(json.loads(r.body)["events"]) for r in server.requests if r.path.endswith("signals")]
    assert sizes == [100, 100, 30]
    assert len(company.events) == 230


@pytest.mark.expected_logs("does not understand a click")
def test_one_event_that_the_server_cannot_understand_does_not_hold_up_the_others(
    sending: Sending, server: LoopbackServer, company: Company
) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    for number in range(7):
        sending.outbox.make(FeedbackSignal.CLICK, "c-bad" if number == 3 else "c-good", link_id="l1")

    def picky(request: Request) -> Reply:
        return problem(422, "invalid-request") if b"c-bad" in request.body else company(request)

    server.answer = picky
    sending.outbox.send(sending.client)
    assert len(company.events) == 6
    assert sending.outbox.waiting() == 0


def test_a_server_without_that_address_makes_no_event_disappear(sending: Sending, company: Company) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    sending.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1")
    sending.outbox.send(sending.client)
    sending.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1")
    company.faults.append(instead(problem(404, "not-found")))
    with pytest.raises(errors.Refused):
        sending.outbox.send(sending.client)
    assert sending.outbox.waiting() == 1


def test_a_newer_notice_at_the_server_closes_the_gate_and_removes_what_waits(
    sending: Sending, company: Company, tmp_path: Path
) -> None:
    company.sign_company(notice=company.content["notice"] | {"version": 4})
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    sending.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1")
    sending.outbox.send(sending.client)
    assert sending.gate.receipt(FeedbackSignal.CLICK) is None
    assert sending.gate.must_ask()
    assert list(tmp_path.glob("outbox-*")) == []


@pytest.mark.parametrize("change", [{"legal_name": "Contoso SA"}, {"named_reporting": True}])
def test_another_controller_or_purpose_ends_a_consent_also_under_the_same_notice(
    sending: Sending, change: dict[str, object]
) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True, FeedbackSignal.LIKE: False}, "en")
    assert sending.gate.use_company(a_company(**change))
    assert sending.gate.receipt(FeedbackSignal.CLICK) is None
    states = {choice.signal: choice.state for choice in sending.gate.choices()}
    assert states[FeedbackSignal.CLICK] is ConsentState.EXPIRED
    assert states[FeedbackSignal.LIKE] is ConsentState.REFUSED, "what was refused stays so"
    assert sending.gate.must_ask()
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    assert not sending.gate.use_company(a_company(**change)), "the same company says nothing new"
    assert sending.gate.receipt(FeedbackSignal.CLICK) is not None
    assert sending.gate.use_company(a_company(**change, name="Nordwind")), "another name for the same one"
    assert sending.gate.receipt(FeedbackSignal.CLICK) is not None


def test_a_withdrawal_that_the_server_will_not_hear_ends_in_no_loop(
    sending: Sending, server: LoopbackServer
) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    sending.outbox.send(sending.client)
    sending.gate.choose({FeedbackSignal.CLICK: False}, "en")
    server.answer = lambda _: problem(409, "notice-changed")
    with pytest.raises(errors.NoticeChanged):
        sending.outbox.send(sending.client)
    assert len(server.requests) == 2
    assert sending.outbox.waiting() == 1


def test_a_full_outbox_drops_the_oldest(
    sending: Sending, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OUTBOX_MAX_EVENTS", 5)
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    for number in range(9):
        sending.outbox.make(FeedbackSignal.CLICK, f"c-{number}", link_id="l1")
    sending.outbox.send(sending.client)
    assert [event["campaign_id"] for event in company.events.values()] == [f"c-{n}" for n in range(4, 9)]


@pytest.mark.expected_logs("was damaged and is set aside")
def test_a_damaged_outbox_is_set_aside_and_the_next_event_is_kept(
    sending: Sending, company: Company, tmp_path: Path
) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    sending.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1")
    file = tmp_path / "outbox-click.sqlite3"
    file.write_bytes(b"no database at all " * 500)
    assert sending.outbox.make(FeedbackSignal.CLICK, "c-two", link_id="l1")
    sending.outbox.send(sending.client)
    assert [event["campaign_id"] for event in company.events.values()] == ["c-two"]
    sending.gate.choose({FeedbackSignal.CLICK: False}, "en")
    sending.outbox.withdraw([FeedbackSignal.CLICK])
    assert list(tmp_path.glob("outbox-*")) == [], "what was set aside goes with a withdrawal too"


def test_a_withdrawal_removes_one_signals_file_and_its_journal_only(sending: Sending, tmp_path: Path) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True, FeedbackSignal.SEEN: True}, "en")
    for signal in (FeedbackSignal.CLICK, FeedbackSignal.SEEN):
        sending.outbox.make(signal, "c-one")
    (tmp_path / "outbox-click.sqlite3-journal").write_bytes(b"left by a crash")
    sending.outbox.withdraw([FeedbackSignal.CLICK])
    assert [path.name for path in tmp_path.glob("outbox-*")] == ["outbox-seen.sqlite3"]


@pytest.mark.parametrize("restarted", [False, True])
def test_what_waited_under_an_expired_consent_is_not_sent_under_a_later_one(
    tmp_path: Path, server: LoopbackServer, company: Company, restarted: bool
) -> None:
    clock, new = SettableClock(), a_company(notice=notice(4))
    sending = sending_parts(tmp_path, server.url, clock)
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    sending.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1")
    sending.gate.use_company(new)
    if restarted:  # killed before the queue could be removed
        sending.close()
        sending = sending_parts(tmp_path, server.url, clock, new)
    else:
        sending.outbox.drop_ended()
    company.sign_company(notice=company.content["notice"] | {"version": 4})
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    sending.outbox.send(sending.client)
    sending.close()
    assert [request.path for request in server.requests if request.path.endswith("signals")] == []
