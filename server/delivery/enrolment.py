"""Invite a person, exchange the code for a device token once, and revoke it."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from server import clock, problems
from server.delivery.models import Device, Invitation
from server.delivery.tokens import code_hash, code_region, new_code, new_token, token_hash
from server.directory.models import Person
from server.privacy import ledger
from server.tenants.region import folder_region


@dataclass(frozen=True)
class Enrolled:
    """A computer that was just enrolled. The token is nowhere else: it is not stored."""

    token: str
    person: Person


def invite(person: Person, valid_for: timedelta) -> str:
    """A new invitation code for the person, as it is shown. It works once, until the time is up."""
    code = new_code(person.company.region)
    Invitation.objects.create(person=person, code_hash=code_hash(code), expires_at=clock.now() + valid_for)
    return code


def enrol(code: str, platform: str, agent_version: str) -> Enrolled:
    """Use up the code and answer a device token.

    Raises `Problem`: 404 for a code that cannot be used, 421 for one of another region, which is not even looked up.
    """
    theirs, own = code_region(code), folder_region()
    if theirs is not None and own is not None and theirs != own:
        raise problems.wrong_region(theirs, own)
    return _use_up(code, platform, agent_version)


@transaction.atomic
def _use_up(code: str, platform: str, agent_version: str) -> Enrolled:
    now = clock.now()
    usable = Invitation.objects.filter(code_hash=code_hash(code), used_at=None, expires_at__gt=now)
    # One statement decides who used the code, so that of two requests at once one only succeeds.
    if not usable.update(used_at=now):
        raise problems.invalid_code()
    invitation = Invitation.objects.select_related("person").get(code_hash=code_hash(code))
    token = new_token()
    Device.objects.create(
        person=invitation.person,
        token_hash=token_hash(token),
        platform=platform,
        agent_version=agent_version,
    )
    return Enrolled(token, invitation.person)


@transaction.atomic
def revoke(devices: list[int]) -> int:
    """End the enrolment of these devices, from their next request on. Answers how many were still enrolled.

    Raises `EnvironmentFault` when the erasure ledger cannot be written; nothing has changed then.
    """
    enrolled = Device.objects.select_for_update(of=("self",)).filter(pk__in=devices, revoked_at=None)
    # Whole rows: Django locks the joined tables too where single values are asked for.
    ended = list(enrolled.select_related("person").order_by("pk"))
    Device.objects.filter(pk__in=[device.pk for device in ended]).update(revoked_at=clock.now())
    if ended:
        ledger.write(
            ledger.Fact(
                "device-revoked", device.person.company_id, token=ledger.token_digest(device.token_hash)
            )
            for device in ended
        )
    return len(ended)
