"""Invite people, exchange the code for a device token once, and revoke it.

An answer can be lost on its way. The agent that used a code may therefore use it again for `REPEATABLE`, by a secret that
it chose: it gets another token, and the one that nobody holds is revoked.
"""

import secrets
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from server.audit import log
from server.core import clock, problems, under_way
from server.core.errors import Refused
from server.database.transactions import Pieces
from server.devices.models import Device, Invitation
from server.devices.reach import without_computer
from server.devices.tokens import code_hash, code_region, new_code, new_token, token_hash
from server.directory.models import Company, Group, Person
from server.erasure_ledger import ledger
from server.region.region import folder_region
from server.signing.checking import own_public_keys
from server.signing.signers import PublicKey

T = TypeVar("T")
REPEATABLE = timedelta(minutes=10)
"""How long a used code can be used again, by the agent that used it."""
VALID_DAYS, LONGEST_VALID_DAYS = 14, 90
"""How long a code works: unless somebody says otherwise, and at most."""
ORDER = "invitations"
PEOPLE_AT_ONCE = 500


@dataclass(frozen=True)
class Enrolled:
    """A computer that was just enrolled. The token is nowhere else: it is not stored."""

    token: str
    person: Person
    keys: dict[str, list[PublicKey]]


def invite(person: Person, valid_for: timedelta) -> str:
    """A new invitation code for the person, as it is shown. It works once, until the time is up."""
    return _new_invitation(person, valid_for)


def invite_by_mail(person: Person, valid_for: timedelta) -> str:
    """The same for an e-mail. Call `end_mailed_before` once it is on its way."""
    return _new_invitation(person, valid_for, is_mailed=True)


def end_mailed_before(person: Person, code: str) -> None:
    """End the codes of earlier e-mails that were not used, now that the person is sent this one."""
    earlier = Invitation.objects.filter(person=person, is_mailed=True, used_at=None)
    earlier.exclude(code_hash=code_hash(code)).delete()


def take_back(code: str) -> None:
    """End a code that nobody was told."""
    Invitation.objects.filter(code_hash=code_hash(code), used_at=None).delete()


def invite_all(
    company: Company, valid_for: timedelta, actor: str, group: Group | None = None
) -> Generator[list[tuple[str, str]]]:
    """Invite everybody, or everybody of a group, who has no connected computer; on record by `actor`.

    Answers addresses and codes, some at a time.

    Some are stored in a short transaction, in place of the codes that these people had not used, and then answered. Where
    that is interrupted, nobody knows whom the codes reached: the next time begins again, and takes back those that were not
    used.

    Raises `Refused` when there is nobody to invite, or while another one is under way, and `EnvironmentFault` when the data
    folder cannot be used.
    """
    invited = without_computer(company, group)
    with under_way.order(ORDER, company.pk) as order:
        if order.content:
            _take_back_all(company, datetime.fromisoformat(order.content.decode()))
        count = invited.count()
        if not count:
            order.done()
            raise Refused(_("Nobody to invite"), _("Everybody there has a connected computer already."))
        expires = clock.now() + valid_for
        order.begin(expires.isoformat().encode())
        record_all(company, actor, count, valid_for.days, group)
        yield from in_pieces(company, invited, partial(_new_codes, company, expires))
        order.done()


def record_all(
    company: Company, actor: str, people: int, days: int, group: Group | None, **more: str
) -> None:
    """Put on record that so many people were invited at once."""
    detail = {"days": days, "people": people, **more} | ({"group": group.name} if group else {})
    log.record(company, actor, "invite-all", detail=detail)


def in_pieces(
    company: Company, people: "QuerySet[Person]", act: Callable[[Mapping[UUID, str]], T]
) -> Iterator[T]:
    """Act for all of them, by address, for some in each short transaction. Answers what that answered, once it is stored.

    `act` is given their addresses by their keys.
    """
    pieces, last = Pieces(), ""
    while True:
        with pieces.piece():
            # Before the people, as erasures have it.
            Company.objects.select_for_update(no_key=True).get(pk=company.pk)
            found = people.filter(email__gt=last).order_by("email")
            some = dict(found.values_list("pk", "email")[:PEOPLE_AT_ONCE])
            if not some:
                return
            done, last = act(some), list(some.values())[-1]
        yield done


def _new_codes(company: Company, expires: datetime, people: Mapping[UUID, str]) -> list[tuple[str, str]]:
    codes = {person: new_code(company.region) for person in people}
    Invitation.objects.filter(person__in=codes, used_at=None).delete()
    Invitation.objects.bulk_create(
        Invitation(person_id=person, code_hash=code_hash(code), expires_at=expires)
        for person, code in codes.items()
    )
    return [(email, codes[person]) for person, email in people.items()]


def _new_invitation(person: Person, valid_for: timedelta, *, is_mailed: bool = False) -> str:
    code = new_code(person.company.region)
    Invitation.objects.create(
        person=person, code_hash=code_hash(code), expires_at=clock.now() + valid_for, is_mailed=is_mailed
    )
    return code


def _take_back_all(company: Company, expires: datetime) -> None:
    """Delete what an `invite_all` left that was interrupted: by the microsecond, no other invitations end then."""
    left = Invitation.objects.filter(person__company=company, expires_at=expires, used_at=None)
    pieces, some = Pieces(), [0]
    while some:
        with pieces.piece():
            some = list(left.values_list("pk", flat=True)[:PEOPLE_AT_ONCE])
            Invitation.objects.filter(pk__in=some, used_at=None).delete()


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
    keys = own_public_keys(person.company_id)
    token, now = new_token(), clock.now()
    taken_back: list[ledger.Fact] = []
    if invitation.used_at is not None:
        taken_back = _take_back(invitation, retry_hash)
    elif invitation.expires_at <= now:
        raise problems.invalid_code()
    else:
        invitation.used_at, invitation.retry_hash = now, retry_hash
    invitation.issued_hash = token_hash(token)
    invitation.save(update_fields=["used_at", "retry_hash", "issued_hash"])
    Device.objects.create(
        person=person, token_hash=token_hash(token), platform=platform, agent_version=agent_version
    )
    if taken_back:
        ledger.write(taken_back)
    return Enrolled(token, person, keys)


def _take_back(invitation: Invitation, retry_hash: str) -> list[ledger.Fact]:
    """Take back what a code gave whose answer was lost. Answers what is to be written in the ledger.

    Raises `Problem` (404) for another agent, too late, or when the computer was disconnected meanwhile.
    """
    assert invitation.used_at is not None
    is_same = bool(retry_hash) and secrets.compare_digest(invitation.retry_hash, retry_hash)
    if not is_same or clock.now() - invitation.used_at > REPEATABLE:
        raise problems.invalid_code()
    issued = list(Device.objects.filter(token_hash=invitation.issued_hash).values_list("pk", flat=True))
    ended = _end(issued)
    if not ended:
        raise problems.invalid_code()
    Device.objects.filter(pk__in=issued).delete()
    return ended


@transaction.atomic
def revoke(devices: list[int]) -> int:
    """End the enrolment of these devices, from their next request on. Answers how many were still enrolled.

    Raises `EnvironmentFault` when the erasure ledger cannot be written; nothing has changed then.
    """
    ended = _end(devices)
    if ended:
        ledger.write(ended)
    return len(ended)


def _end(devices: list[int]) -> list[ledger.Fact]:
    """Those of them that were still enrolled, as facts to be written."""
    enrolled = Device.objects.select_for_update(of=("self",)).filter(pk__in=devices, revoked_at=None)
    # Whole rows: Django locks the joined tables too where single values are asked for.
    ended = list(enrolled.select_related("person").order_by("pk"))
    Device.objects.filter(pk__in=[device.pk for device in ended]).update(revoked_at=clock.now())
    return [
        ledger.Fact(
            "device-revoked",
            device.person.company_id,
            token=ledger.token_digest(device.family or device.token_hash),
        )
        for device in ended
    ]
