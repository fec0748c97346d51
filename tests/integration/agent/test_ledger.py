"""What was sent about me: the very bytes, and what the server answered."""

from __future__ import annotations

import json

import pytest

from agent.domain import errors
from agent.domain.model import FeedbackSignal
from tests.support.agent.company_in_memory import Company, instead, lost_answer
from tests.support.agent.parts import Sending
from tests.support.agent.scripted_server import LoopbackServer, problem


def test_the_ledger_keeps_the_very_bytes_that_the_server_received(
    sending: Sending, server: LoopbackServer
) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True, FeedbackSignal.LIKE: True}, "fr")
    for number in range(3):
        sending.outbox.make(FeedbackSignal.CLICK, f"c-{number}", link_id="l1")
    sending.outbox.make(FeedbackSignal.LIKE, "c-0", value=1, seq=1)
    sending.outbox.send(sending.client)
    received = [(request.method, request.path, request.body) for request in server.requests]
    kept = [(message.method, message.path, message.body) for message in sending.messages.all()]
    assert kept == received[::-1]
    assert all(message.status == 200 and message.answer for message in sending.messages.all())


def test_each_event_in_the_ledger_is_cut_out_of_the_bytes_that_left(
    sending: Sending, server: LoopbackServer, company: Company
) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    for _ in range(4):
        sending.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1")
    sending.outbox.send(sending.client)
    parts = sending.messages.parts()
    assert [json.loads(part.body) for part in parts] == list(company.events.values())
    assert [part.outcome for part in parts] == ["stored"] * 4
    assert all(part.body in server.requests[-1].body for part in parts)


def test_a_message_that_was_cut_off_stays_without_an_answer(
    sending: Sending, server: LoopbackServer, company: Company
) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    company.faults.append(lost_answer)
    with pytest.raises(errors.ServerUnreachable):
        sending.outbox.send(sending.client)
    sending.outbox.send(sending.client)
    second, first = sending.messages.all()
    assert (first.status, first.answer) == (None, None)
    assert second.status == 200
    assert first.body == second.body == server.requests[0].body


def test_a_refusal_is_kept_as_the_servers_answer(sending: Sending, company: Company) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    company.faults.append(instead(problem(401, "unauthorized")))
    with pytest.raises(errors.TokenRefused):
        sending.outbox.send(sending.client)
    (message,) = sending.messages.all()
    assert message.status == 401


def test_the_signed_receipts_are_kept(sending: Sending) -> None:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    sending.outbox.send(sending.client)
    receipt_id = sending.gate.receipt(FeedbackSignal.CLICK)
    sending.gate.choose({FeedbackSignal.CLICK: False}, "en")
    sending.outbox.send(sending.client)
    kept = [
        (receipt, status)
        for receipt, status, document in sending.messages.receipts()
        if document.count(".") == 2
    ]
    assert kept == [(receipt_id, "withdrawn"), (receipt_id, "given")]
