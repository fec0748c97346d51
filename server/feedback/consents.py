"""Consents and withdrawals, each answered by a signed receipt in the shape of ISO/IEC TS 27560."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from server.core import clock, problems
from server.core.clock import utc_text
from server.devices.auth import Caller
from server.directory.models import Company, Notice
from server.erasure_ledger import ledger
from server.reports import blocks
from server.signals.models import Consent
from server.signals.queries import GIVEN, WITHDRAWN, lock_person, signals_of, taken_back_after
from server.signing.checking import own_signer
from server.signing.digests import notice_digest
from server.signing.documents import content_of, sign_receipt

CLOCK_AHEAD_MAX = timedelta(hours=1)
"""A consent from a clock that is further ahead may be older than any withdrawal that is here."""


@dataclass(frozen=True)
class Decision:
    """What a person chose for one signal, as their agent says it."""

    receipt_id: UUID
    signal: str
    status: str
    notice_version: int
    time: datetime
    language: str
    agent_version: str


@transaction.atomic
def decide(caller: Caller, decision: Decision, *, names_consent: bool = False) -> str:
    """Store the decision once and answer its receipt (JWS). A withdrawal erases what it covers in the same transaction.

    A consent that was given before a withdrawal which is here already, or for which nobody can tell whether it was,
    changes nothing and is answered like it; with ``names_consent``, by a receipt that also names that consent.
    Raises `Problem`: 409 for a consent to an outdated notice. Raises `EnvironmentFault` when the erasure ledger cannot be
    written; the agent then tries again.
    """
    lock_person(caller.person_id)
    own = Consent.objects.filter(person_id=caller.person_id)
    answered = _answered(own, decision)
    if answered is not None:
        is_anothers = answered.receipt_id != decision.receipt_id
        return _answering(answered, caller, decision) if names_consent and is_anothers else answered.receipt
    company = Company.objects.get(pk=caller.company_id)
    if decision.status == GIVEN:
        version = company.notice_version()
        if decision.notice_version != version:
            raise problems.notice_changed(version)
        return _stored(company, caller.person_id, decision, erased=0)
    receipt = withdraw(company, caller.person_id, decision)
    ledger.write([_fact(company, caller.person_id, decision)])
    return receipt


def _answered(own: QuerySet[Consent], decision: Decision) -> Consent | None:
    """What has been decided already, if that settles it: this very decision, or a withdrawal that ends it."""
    same = {consent.status: consent for consent in own.filter(receipt_id=decision.receipt_id)}
    if decision.status == WITHDRAWN or WITHDRAWN in same:
        return same.get(WITHDRAWN)
    withdrawals = own.filter(status=WITHDRAWN, signal=decision.signal)
    given = same.get(GIVEN)
    if given is not None:  # told again: whatever came after it has ended it
        return withdrawals.filter(pk__gt=given.pk).order_by("pk").last() or given
    if decision.time <= clock.now() + CLOCK_AHEAD_MAX:
        withdrawals = withdrawals.filter(taken_back_after(decision.time))
    return withdrawals.order_by("pk").last()


@dataclass(frozen=True)
class Endable:
    """What withdrawals of a person would end now, and not only repeat that there is none."""

    given: Mapping[str, UUID]
    """The receipt of the newest decision about a signal, where that is to share it."""
    withdrawn: frozenset[UUID]

    def is_ended_by(self, receipt_id: UUID, signal: str) -> bool:
        """Whether a withdrawal of this receipt and signal would end something."""
        newest = self.given.get(signal)
        return newest is not None and self.withdrawn.isdisjoint((receipt_id, newest))


def endable_by(device_id: int) -> Endable:
    """What the person of this computer could end now."""
    given: dict[str, UUID] = {}
    withdrawn: set[UUID] = set()
    decisions = Consent.objects.filter(person__devices=device_id).order_by("pk")
    for signal, status, receipt_id in decisions.values_list("signal", "status", "receipt_id"):
        if status == WITHDRAWN:
            given.pop(signal, None)
            withdrawn.add(receipt_id)
        else:
            given[signal] = receipt_id
    return Endable(given, frozenset(withdrawn))


def withdraw(company: Company, person_id: UUID, decision: Decision) -> str:
    """Erase what the withdrawal covers and keep it as a tombstone. Answers its receipt (JWS).

    Call it within a transaction, under `lock_person`; the ledger is told by `decide`. Withdrawing is of the person, not
    of a computer: the rows of that signal go, whatever receipt they came under (GDPR article 7(3)).
    """
    own = Consent.objects.filter(person_id=person_id, receipt_id=decision.receipt_id)
    signals = {decision.signal} | set(own.values_list("signal", flat=True))
    # Its rows are figures about at least five people: they are no part of the signals that a receipt counts as erased.
    blocks.leave([person_id], company.pk, signals)
    erased = signals_of(person_id, company.pk).filter(signal__in=signals).delete()[0]
    return _stored(company, person_id, decision, erased)


def _fact(company: Company, person_id: UUID, decision: Decision) -> ledger.Fact:
    return ledger.Fact(
        "consent-withdrawn",
        company.pk,
        person=ledger.person_hash(person_id),
        signal=decision.signal,
        receipt_id=str(decision.receipt_id),
        time=utc_text(decision.time),
    )


def _stored(company: Company, person_id: UUID, decision: Decision, erased: int) -> str:
    receipt = _receipt(company, decision, erased)
    Consent.objects.create(
        person_id=person_id,
        receipt_id=decision.receipt_id,
        signal=decision.signal,
        status=decision.status,
        notice_version=decision.notice_version,
        time=decision.time,
        received_at=clock.now(),
        language=decision.language,
        agent_version=decision.agent_version,
        receipt=receipt,
    )
    return receipt


def _receipt(company: Company, decision: Decision, erased: int) -> str:
    notice = Notice.objects.filter(company=company, version=decision.notice_version).first()
    content = {
        "receipt_id": str(decision.receipt_id),
        "controller": company.legal_name,
        "dpo_email": company.dpo_email,
        "region": company.region,
        "purpose": _purpose(decision.language),
        "signal": decision.signal,
        "notice_version": decision.notice_version,
        "notice_sha256": notice_digest(notice.text) if notice else "",
        "language": decision.language,
        "status": str(decision.status),
        "time": utc_text(decision.time),
        "method": "tidings-agent",
        "agent_version": decision.agent_version,
        "policy": company.signals,
        "erased": erased,
    }
    return sign_receipt(own_signer(company.id, "receipt"), company.id, str(decision.receipt_id), content)


def _answering(withdrawal: Consent, caller: Caller, decision: Decision) -> str:
    """The receipt of a withdrawal, signed anew with the consent that it ends."""
    content = content_of(withdrawal.receipt) | {"answers": str(decision.receipt_id)}
    company_id = caller.company_id
    return sign_receipt(own_signer(company_id, "receipt"), company_id, str(withdrawal.receipt_id), content)


def _purpose(language: str) -> str:
    with translation.override(language.lower()):
        return _("Count how announcements are received")
