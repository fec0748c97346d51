"""Whose signals and consents are whose, and which consents are in force: what reports, rights and erasures ask."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from server.core import problems
from server.directory.models import Company, Person
from server.signals.keys import keys_of
from server.signals.models import Consent, Signal

GIVEN, WITHDRAWN = Consent.Status.GIVEN, Consent.Status.WITHDRAWN


def lock_person(person_id: UUID) -> None:
    """Wait until nobody else changes this person's signals or consents. Within a transaction.

    A withdrawal and a batch that arrive together must not pass each other: the batch would store
    what the withdrawal has just erased. SQLite locks the whole database when the transaction begins.
    Raises `Problem` (401) when the person is gone.
    """
    if not Person.objects.select_for_update(no_key=True).filter(pk=person_id).values_list("pk").first():
        raise problems.unauthorized()


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
        | Q(taken_back_after(OuterRef("time")), signal=OuterRef("signal"))
    )
    return consents.filter(~Exists(withdrawn), status=GIVEN)


def taken_back_after(given: datetime | OuterRef) -> Q:
    """A withdrawal's own time, but not later than it came: a clock that is ahead must not forbid sharing for months."""
    return Q(time__gt=given, received_at__gt=given)
