"""Invite a person, exchange the code for a device token once, and revoke it.

An answer can be lost on its way. The agent that used a code may therefore use it again for `REPEATABLE`, by a secret that
it chose: it gets another token, and the one that nobody holds is revoked.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from server import clock, problems
from server.delivery.models import Device, Invitation
from server.delivery.tokens import code_hash, code_region, new_code, new_token, token_hash
from server.directory.models import Person
from server.privacy import ledger
from server.signing.signers import PublicKey, public_keys
from server.tenants.region import folder_region

REPEATABLE = timedelta(minutes=10)
"""How long a used code can be used again, by the agent that used it."""


@dataclass(frozen=True)
class Enrolled:
    """A computer that was just enrolled. The token is nowhere else: it is not stored."""

    token: str
    person: Person
    keys: dict[str, list[PublicKey]]


def invite(person: Person, valid_for: timedelta) -> str:
    """A new invitation code for the person, as it is shown. It works once, until the time is up."""
    code = new_code(person.company.region)
    Invitation.objects.create(person=person, code_hash=code_hash(code), expires_at=clock.now() + valid_for)
    return code


def enrol(code: str, platform: str, agent_version: str, retry_secret: str | None = None) -> Enrolled:
    """Use up the code and answer a device token.

    Raises `Problem`: 404 for a code that cannot be used, 421 for one of another region, which is not even looked up.
    Raises `EnvironmentFault` when a key cannot be read; the code can still be used then.
    """
    theirs, own = code_region(code), folder_region()
    if theirs is not None and own is not None and theirs != own:
        raise problems.wrong_region(theirs, own)
    return _use_up(code, platform, agent_version, token_hash(retry_secret) if retry_secret else "")


@transaction.atomic
def _use_up(code: str, platform: str, agent_version: str, retry_hash: str) -> Enrolled:
    """Of two requests at once the second waits for the first, and finds the code used."""
    invitation = Invitation.objects.select_for_update().filter(code_hash=code_hash(code)).first()
    if invitation is None:
        raise problems.invalid_code()
    person = Person.objects.select_related("company").get(pk=invitation.person_id)
    keys = public_keys(person.company_id)
    token, now = new_token(), clock.now()
    if invitation.used_at is not None:
        _take_back(invitation, retry_hash)
    elif invitation.expires_at <= now:
        raise problems.invalid_code()
    else:
        invitation.used_at, invitation.retry_hash = now, retry_hash
    invitation.issued_hash = token_hash(token)
    invitation.save(update_fields=["used_at", "retry_hash", "issued_hash"])
    Device.objects.create(
        person=person, token_hash=token_hash(token), platform=platform, agent_version=agent_version
    )
    return Enrolled(token, person, keys)


def _take_back(invitation: Invitation, retry_hash: str) -> None:
    """Take back what a code gave whose answer was lost.

    Raises `Problem` (404) for another agent, too late, or when the computer was disconnected meanwhile.
    """
    assert invitation.used_at is not None
    is_same = bool(retry_hash) and secrets.compare_digest(invitation.retry_hash, retry_hash)
    if not is_same or clock.now() - invitation.used_at > REPEATABLE:
        raise problems.invalid_code()
    issued = list(Device.objects.filter(token_hash=invitation.issued_hash).values_list("pk", flat=True))
    if not revoke(issued):
        raise problems.invalid_code()
    Device.objects.filter(pk__in=issued).delete()


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
                "device-revoked",
                device.person.company_id,
                token=ledger.token_digest(device.family or device.token_hash),
            )
            for device in ended
        )
    return len(ended)
