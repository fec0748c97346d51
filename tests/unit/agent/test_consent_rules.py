"""The rules of docs/privacy.md: every transition, and that the gate is open only under all conditions at once."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.consent import rules
from agent.consent.rules import Consent
from agent.domain import limits
from agent.domain.model import ConsentMessage, ConsentState, FeedbackSignal

NOW = datetime(2026, 11, 23, 9, 12, tzinfo=UTC)
RECEIPT, OTHER = "6f1f0a52-6c1e-4a7b-9d3e-0c2b7a1d4e10", "0b7c0e0c-4b7c-4a55-8a3c-6c3a9d0f1e2d"
S = ConsentState


def a_consent(state: ConsentState, version: int = 3) -> Consent:
    receipt = RECEIPT if state in (S.GIVEN, S.EXPIRED) else ""
    time = None if state is S.NOT_ASKED else NOW
    return Consent(FeedbackSignal.CLICK, state, receipt, version, time, "en", announced=bool(receipt))


def after(act: str, consent: Consent) -> Consent:
    if act == "give":
        return rules.give(consent, receipt_id=OTHER, notice_version=3, now=NOW, language="en")
    if act == "refuse":
        return rules.refuse(consent, notice_version=3, now=NOW, language="en")
    if act == "defer":
        return rules.defer(consent, notice_version=3, now=NOW)
    return rules.expire(consent, notice_version=4)


@pytest.mark.parametrize(
    ("state", "give", "refuse", "defer", "expire"),
    [
        (S.NOT_ASKED, S.GIVEN, S.REFUSED, S.DEFERRED, S.NOT_ASKED),
        (S.DEFERRED, S.GIVEN, S.REFUSED, S.DEFERRED, S.DEFERRED),
        (S.REFUSED, S.GIVEN, S.REFUSED, S.REFUSED, S.REFUSED),
        (S.GIVEN, S.GIVEN, S.WITHDRAWN, S.GIVEN, S.EXPIRED),
        (S.WITHDRAWN, S.GIVEN, S.WITHDRAWN, S.WITHDRAWN, S.WITHDRAWN),
        (S.EXPIRED, S.GIVEN, S.WITHDRAWN, S.DEFERRED, S.EXPIRED),
    ],
)
def test_each_act_leads_from_each_state_where_the_table_says(
    state: S, give: S, refuse: S, defer: S, expire: S
) -> None:
    acts = {"give": give, "refuse": refuse, "defer": defer, "expire": expire}
    assert {act: after(act, a_consent(state)).state for act in acts} == acts


def test_the_gate_is_open_only_if_company_device_and_person_agree_on_the_present_notice() -> None:
    for state, company, device, version, receipt in itertools.product(
        S, (True, False), (True, False), (2, 3, 4), (RECEIPT, "")
    ):
        consent = Consent(FeedbackSignal.SEEN, state, receipt, version)
        opened = rules.allowed(
            consent,
            company=[FeedbackSignal.SEEN] if company else [FeedbackSignal.CLICK, FeedbackSignal.LIKE],
            device=[FeedbackSignal.SEEN] if device else [],
            notice_version=3,
        )
        assert opened == (state is S.GIVEN and company and device and version == 3 and receipt == RECEIPT)


def test_giving_what_is_given_opens_no_new_receipt() -> None:
    given_once = a_consent(S.GIVEN)
    assert after("give", given_once) is given_once


def test_giving_again_after_a_withdrawal_opens_a_new_receipt_and_still_owes_the_withdrawal() -> None:
    again = after("give", after("refuse", a_consent(S.GIVEN)))
    assert again.receipt_id == OTHER
    assert not again.announced
    assert again.owed == ConsentMessage(RECEIPT, FeedbackSignal.CLICK, "withdrawn", 3, NOW, "en")
    assert rules.next_message(again) == again.owed, "the withdrawal leaves before the new consent"


def test_a_refusal_is_never_told_to_the_server() -> None:
    for state in (S.NOT_ASKED, S.DEFERRED, S.REFUSED):
        assert rules.next_message(after("refuse", a_consent(state))) is None


def test_only_the_very_message_that_was_acknowledged_is_no_longer_owed() -> None:
    withdrawn = after("refuse", a_consent(S.GIVEN))
    owed = rules.next_message(withdrawn)
    assert owed is not None
    other = ConsentMessage(OTHER, FeedbackSignal.CLICK, "withdrawn", 3, NOW, "en")
    assert rules.announce(withdrawn, other, NOW) == withdrawn
    assert rules.next_message(rules.announce(withdrawn, owed, NOW)) is None


def test_a_question_is_due_when_never_asked_expired_or_put_off_a_while_ago() -> None:
    later = NOW + timedelta(days=limits.ASK_AGAIN_AFTER_DEFERRAL_DAYS)
    for state, moment, due in [
        (S.NOT_ASKED, NOW, True),
        (S.EXPIRED, NOW, True),
        (S.DEFERRED, NOW, False),
        (S.DEFERRED, later, True),
        (S.REFUSED, NOW + timedelta(days=5000), False),
        (S.WITHDRAWN, NOW + timedelta(days=5000), False),
        (S.GIVEN, later, False),
    ]:
        assert rules.must_ask([a_consent(state)], notice_version=3, now=moment) is due, state


@given(st.lists(st.sampled_from(["give", "refuse", "defer", "expire"]), max_size=30))
def test_no_series_of_acts_opens_the_gate_but_a_gift_for_the_present_notice(acts: list[str]) -> None:
    consent = Consent(FeedbackSignal.CLICK)
    given_now = False
    for act in acts:
        consent = after(act, consent)
        given_now = {"give": True, "refuse": False, "defer": given_now, "expire": False}[act]
        opened = rules.allowed(
            consent, company=[FeedbackSignal.CLICK], device=[FeedbackSignal.CLICK], notice_version=3
        )
        assert opened == given_now
        assert not rules.allowed(
            consent, company=[FeedbackSignal.CLICK], device=[FeedbackSignal.CLICK], notice_version=4
        )
