"""Accepted corrections of what the directory says: they hold until it says something new.

What it said before is kept as a keyed digest alone, since it was wrong about the person (GDPR article 5(1)(c) and (d)).
"""

import json
from collections.abc import Mapping
from uuid import UUID

from django.utils.crypto import salted_hmac

from server.directory.models import Company, KeptCorrection, Person

Value = str | list[str]


def digest_of(company_id: str, field: str, value: Value) -> str:
    """A value of a field, so that it can be known again and not read."""
    text = json.dumps([company_id, field, value], ensure_ascii=False)
    return salted_hmac("tidings.kept-correction", text, algorithm="sha256").hexdigest()


def keep(person: Person, field: str, value: Value) -> None:
    """Note that the person's field becomes this value, which is not the directory's. Call it before it does."""
    kept = KeptCorrection.objects.filter(person=person, field=field).first()
    said = kept.replaced if kept else digest_of(person.company_id, field, getattr(person, field))
    if said == digest_of(person.company_id, field, value):
        KeptCorrection.objects.filter(person=person, field=field).delete()
    elif kept is None:
        KeptCorrection.objects.create(person=person, field=field, replaced=said)


def old_addresses(company: Company) -> Mapping[str, tuple[UUID, str]]:
    """Digests of the addresses by which the directory still calls people, with who that is and their address of now."""
    found = KeptCorrection.objects.filter(person__company=company, field="email")
    return {
        replaced: (person, email)
        for replaced, person, email in found.values_list("replaced", "person_id", "person__email")
    }
