"""A person's own details, and how they correct them (GDPR article 16)."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from uuid import UUID

from django.db import transaction
from django.utils import translation

from server.accounts.models import Account
from server.audit import log
from server.core import clock, problems
from server.data_subject.models import DETAILS, CorrectionRequest, DetailName
from server.directory.addresses import canonical
from server.directory.models import Company, Person
from server.people_files.cells import (
    MAX_ADDRESS_CHARACTERS,
    email_objection,
    limit_of,
    text_objection,
    without_invisible,
)
from server.signals.queries import lock_person

Value: TypeAlias = str | list[str]
PHONES = frozenset({"work_landline", "work_cell"})
Status = Literal["changed", "requested", "unchanged"]


@dataclass(frozen=True)
class Corrected:
    """What became of the correction of one field."""

    field: DetailName
    status: Status


def correct(person_id: UUID, company_id: str, wanted: Mapping[str, Value]) -> list[Corrected]:
    """Change what the person owns, and ask the administrator for the rest. Answers in the order of `DETAILS`.

    Raises `Problem`: 422 when a value cannot be right, and nothing is changed; 401 when the person is gone.
    """
    values = {field: checked(field, wanted[field]) for field in DETAILS if field in wanted}
    with transaction.atomic():
        # In the order in which an import locks: it must not write back what it has read before.
        company = Company.objects.select_for_update(no_key=True).get(pk=company_id)
        lock_person(person_id)
        person = Person.objects.get(pk=person_id)
        results = [
            Corrected(field, _correct(company, person, field, value)) for field, value in values.items()
        ]
        person.save(update_fields=[*DETAILS, "own_fields"])
        fields = [result.field for result in results if result.status != "unchanged"]
        log.record(company, "agent", "correct-own-data", person_id, {"fields": fields})
    return results


def _correct(company: Company, person: Person, field: DetailName, value: Value) -> Status:
    waiting = CorrectionRequest.objects.filter(person=person, field=field)
    if getattr(person, field) == value:
        waiting.delete()
        return "unchanged"
    if field in company.directory_fields:
        CorrectionRequest.objects.update_or_create(
            person=person, field=field, defaults={"value": value, "requested_at": clock.now()}
        )
        return "requested"
    if field == "email" and is_taken(company, person, value):
        raise problems.invalid("email: somebody else has this address")
    waiting.delete()
    setattr(person, field, value)
    person.own_fields = sorted({*person.own_fields, field})
    return "changed"


def is_taken(company: Company, person: Person, email: Any) -> bool:
    """Whether somebody else in the company has this address, in the directory or for an account of the console."""
    others = Person.objects.filter(company=company, email=email).exclude(pk=person.pk)
    accounts = Account.objects.filter(company=company, email=email).exclude(email=person.email)
    return others.exists() or accounts.exists()


def checked(field: str, value: Value) -> Value:
    """The value as it is stored. Raises `Problem` (422) for one that cannot be right."""
    if isinstance(value, list):
        return [_checked_line(field, line, MAX_ADDRESS_CHARACTERS) for line in value if line.strip()]
    return _checked_line(field, value, limit_of(Person, field))


def _checked_line(field: str, value: str, limit: int) -> str:
    text = unicodedata.normalize("NFC", value).strip()
    text = without_invisible(text) if field in PHONES else text
    with translation.override("en"):
        objection = email_objection(text) if field == "email" else text_objection(text, limit)
    if objection:
        raise problems.invalid(f"{field}: {objection[0]}; {objection[1]}")
    return canonical(text) if field == "email" else text
