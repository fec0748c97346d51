"""Consents and withdrawals, each answered by a signed receipt in the shape of ISO/IEC TS 27560."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from server import clock, problems
from server.clock import utc_text
from server.delivery.callers import Caller
from server.directory.models import Company, Notice, Person
from server.privacy import ledger
from server.signals import changes
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

    A consent that was given before a withdrawal which is here already changes nothing, and is answered like it.
    Raises `Problem`: 409 for a consent to an outdated notice. Raises `EnvironmentFault` when the erasure ledger cannot be
    written; the agent then tries again.
    """
    lock_person(caller.person_id)
    own = Consent.objects.filter(person_id=caller.person_id)
    answered = _answered(own, decision)
    if answered is not None:
        return answered.receipt
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
    later = withdrawals.filter(_taken_back_after(decision.time)).order_by("pk").last()
    return later or same.get(GIVEN)


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


def _taken_back_after(given: datetime | OuterRef) -> Q:
    """A withdrawal's own time, but not later than it came: a clock that is ahead must not forbid sharing for months."""
    return Q(time__gt=given, received_at__gt=given)


def withdraw(company: Company, person_id: UUID, decision: Decision) -> str:
    """Erase what the withdrawal covers and keep it as a tombstone. Answers its receipt (JWS).

    Call it within a transaction, under `lock_person`; the ledger is told by `decide`. Withdrawing is of the person, not
    of a computer: the rows of that signal go, whatever receipt they came under (GDPR article 7(3)).
    """
    own = Consent.objects.filter(person_id=person_id, receipt_id=decision.receipt_id)
    signals = {decision.signal} | set(own.values_list("signal", flat=True))
    changes.leave([person_id], company.pk, signals)
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


def signals_of(person_id: UUID, company_id: str) -> QuerySet[Signal]:
    """The raw rows of one person, in all campaigns whose key still exists."""
    return Signal.objects.filter(person_key__among=keys_of(person_id, company_id).values())


def in_force(company: Company) -> QuerySet[Consent]:
    """The consents under which signals may be stored: given to the notice of today and not withdrawn."""
    return not_withdrawn(company).filter(notice_version=company.notice_version())


def not_withdrawn(company: Company) -> QuerySet[Consent]:
    """The consents given in this company, to any version of its notice, that were not taken back.

    Only for signals that the company allows.
    """
    return standing(company.pk).filter(signal__in=company.signals)


def standing(company_id: str) -> QuerySet[Consent]:
    """The same, also for signals that the company does not allow at present."""
    return not_ended(Consent.objects.filter(person__company=company_id))


def not_ended(consents: QuerySet[Consent]) -> QuerySet[Consent]:
    """Those of them that were given and that no withdrawal ended.

    A withdrawal ends those of the same person and signal that came before it, or were given before it.
    """
    # Of the same person: nobody else's withdrawal, whatever receipt it names, ends a consent.
    withdrawn = Consent.objects.filter(person=OuterRef("person"), status=WITHDRAWN).filter(
        Q(receipt_id=OuterRef("receipt_id"))
        | Q(signal=OuterRef("signal"), pk__gt=OuterRef("pk"))
        | Q(_taken_back_after(OuterRef("time")), signal=OuterRef("signal"))
    )
    return consents.filter(~Exists(withdrawn), status=GIVEN)


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
