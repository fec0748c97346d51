"""Consents and withdrawals, each answered by a signed receipt in the shape of ISO/IEC TS 27560."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from server import problems
from server.clock import utc_text
from server.delivery.callers import Caller
from server.directory.models import Company, Notice, Person
from server.signals.keys import keys_of
from server.signals.models import Consent, Signal
from server.signing.digests import notice_digest
from server.signing.documents import sign_receipt
from server.signing.signers import load_signer

GIVEN, WITHDRAWN = Consent.Status.GIVEN, Consent.Status.WITHDRAWN


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


def lock_person(person_id: UUID) -> None:
    """Wait until nobody else changes this person's signals or consents. Within a transaction.

    A withdrawal and a batch that arrive together must not pass each other: the batch would store
    what the withdrawal has just erased. SQLite locks the whole database when the transaction begins.
    Raises `Problem` (401) when the person is gone.
    """
    if not Person.objects.select_for_update(no_key=True).filter(pk=person_id).values_list("pk").first():
        raise problems.unauthorized()


@transaction.atomic
def decide(caller: Caller, decision: Decision) -> str:
    """Store the decision once and answer its receipt (JWS). A withdrawal erases what it covers in the same transaction.

    Raises `Problem`: 409 for a consent to an outdated notice.
    """
    lock_person(caller.person_id)
    stored = Consent.objects.filter(person_id=caller.person_id, receipt_id=decision.receipt_id)
    known = {consent.status: consent for consent in stored}
    answered = known.get(WITHDRAWN) or known.get(decision.status)
    if answered is not None:
        return answered.receipt
    company = Company.objects.get(pk=caller.company_id)
    notice = company.current_notice()
    if decision.status == GIVEN:
        if decision.notice_version != notice.version:
            raise problems.notice_changed(notice.version)
        erased = 0
    else:
        signals = {decision.signal} | {consent.signal for consent in known.values()}
        erased = signals_of(caller.person_id, caller.company_id).filter(signal__in=signals).delete()[0]
    receipt = _receipt(company, decision, erased)
    Consent.objects.create(
        person_id=caller.person_id,
        receipt_id=decision.receipt_id,
        signal=decision.signal,
        status=decision.status,
        notice_version=decision.notice_version,
        time=decision.time,
        language=decision.language,
        agent_version=decision.agent_version,
        receipt=receipt,
    )
    return receipt


def signals_of(person_id: UUID, company_id: str) -> QuerySet[Signal]:
    """The raw rows of one person, in all campaigns whose key still exists."""
    return Signal.objects.filter(person_key__in=keys_of(person_id, company_id).values())


def in_force(company: Company) -> QuerySet[Consent]:
    """The consents under which signals may be stored: given to the notice of today and not withdrawn."""
    return not_withdrawn(company).filter(notice_version=company.notice_version())


def not_withdrawn(company: Company) -> QuerySet[Consent]:
    """The consents given in this company, to any version of its notice, that were not taken back."""
    given = Consent.objects.filter(person__company=company, status=GIVEN, signal__in=company.signals)
    # Of the same person: nobody else's withdrawal, whatever receipt it names, ends a consent.
    withdrawn = Consent.objects.filter(
        person=OuterRef("person"), receipt_id=OuterRef("receipt_id"), status=WITHDRAWN
    )
    return given.filter(~Exists(withdrawn))


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
    return sign_receipt(load_signer(company.id, "receipt"), company.id, str(decision.receipt_id), content)


def _purpose(language: str) -> str:
    with translation.override(language.lower()):
        return _("Count how announcements are received")
