"""What an administrator does with the corrections that people ask for."""

import json
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from server.accounts.invitations import follow_person
from server.audit import log
from server.core.errors import Refused
from server.data_subject.details import is_taken
from server.data_subject.models import CorrectionRequest
from server.directory import corrections
from server.directory.models import Company, Person

ANSWER_WITHIN = timedelta(days=30)
"""Of a person's wish: GDPR article 12(3) says a month."""


def waiting(company: Company) -> QuerySet[CorrectionRequest]:
    """The corrections that wait for a decision, oldest first."""
    # Few wait, and the company has many people: each of the few is looked up.
    own = Person.objects.filter(pk=OuterRef("person"), company=company)
    found = CorrectionRequest.objects.filter(Exists(own))
    return found.select_related("person").order_by("requested_at", "pk")


def accept(company: Company, number: int, actor: str, *, seen: str | None = None) -> CorrectionRequest:
    """Do as the person asks; imports leave that until the directory says something new.

    `seen`: the value that was looked at, as JSON, where somebody looked.

    Raises `Refused` when there is no such correction, it asks for something else by now, or it cannot be done any more.
    """
    with transaction.atomic():
        request = _locked(company, number, seen)
        person = request.person
        if request.field == "email" and is_taken(company, person, request.value):
            raise Refused(
                _("{email} is somebody else's address by now").format(email=request.value),
                _("Decline the correction, or change the other person or account first."),
            )
        if request.field == "email":
            follow_person(company, person.email, request.value)
        corrections.keep(person, request.field, request.value)
        setattr(person, request.field, request.value)
        person.save(update_fields=[request.field])
        request.delete()
        log.record(company, actor, "accept-correction", person.pk, {"field": request.field})
    return request


def decline(company: Company, number: int, actor: str, *, seen: str | None = None) -> CorrectionRequest:
    """Leave things as they are. `seen`: as in `accept`.

    Raises `Refused` when there is no such correction, or it asks for something else by now.
    """
    with transaction.atomic():
        request = _locked(company, number, seen)
        request.delete()
        log.record(company, actor, "decline-correction", request.person_id, {"field": request.field})
    return request


def _locked(company: Company, number: int, seen: str | None) -> CorrectionRequest:
    """In the order in which the person's own correction locks: company, person, request."""
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    found = (
        CorrectionRequest.objects.filter(person__company=company, pk=number).select_related("person").first()
    )
    if found is None:
        raise Refused(
            _("There is no correction {number}").format(number=number),
            _("tidings-server corrections list shows those that wait."),
        )
    if seen is not None and seen != json.dumps(found.value):
        raise Refused(
            _("The person asks for something else by now"), _("Nothing was changed. Look at it once more.")
        )
    found.person = Person.objects.select_for_update(no_key=True).get(pk=found.person_id)
    return found
