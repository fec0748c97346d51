"""Device tokens are replaced from time to time, so that a copied one is of use for a while only (ADR 18).

The agent chooses the next token, keeps it, and then says its hash. Both are taken until the next one is used for the first
time; the former then for `GRACE` only, for requests that were under way. Whoever uses it later has a copy, or somebody else
has: all tokens of the computer end.
"""

import functools
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Value

from server.audit import log
from server.core import clock, problems
from server.devices.enrolment import revoke
from server.devices.models import Device, SpentToken
from server.directory.models import Person

PRESENT, ANNOUNCED, FORMER = "present", "announced", "former"
GRACE = timedelta(minutes=10)
"""How long a token is taken after the next one was used: requests with it may be under way."""


@transaction.atomic
def announce(device_id: int, token_hash: str, next_hash: str) -> None:
    """Take a further token of a computer. The same one may be announced again, and another one replaces it.

    `token_hash`: the one with which it is announced.

    Raises `Problem`: 409 with a token that was replaced, 422 for one that is known, 401 when the computer is gone.
    """
    device = Device.objects.select_for_update().filter(pk=device_id, revoked_at=None).first()
    if device is None:
        raise problems.unauthorized()
    if device.token_hash != token_hash:
        raise problems.invalid("next_sha256: this token was replaced already", 409)
    is_known = Device.objects.filter(token_hash=next_hash).exists()
    is_others = Device.objects.filter(next_hash=next_hash).exclude(pk=device.pk).exists()
    if is_known or is_others or SpentToken.objects.filter(token_hash=next_hash).exists():
        raise problems.invalid("next_sha256: this token cannot be used")
    device.next_hash = next_hash
    device.save(update_fields=["next_hash"])


class Standing(NamedTuple):
    """What a token is: whose, and what to that computer. It goes from announced to present to former, and never back."""

    device_id: int
    company_id: str
    is_reused: bool
    is_revoked: bool
    kind: str


def standing(hashed: str) -> Standing | None:
    """How the token of this hash stands now; None for a stranger's. Changes nothing.

    One statement: between two, another request may take up the next token, and neither would find it.
    """
    text, parameters = _query(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(text, [hashed if value == "" else value for value in parameters])
        row = cursor.fetchone()
    return Standing(row[0], row[1], bool(row[2]), row[3] is not None, row[4]) if row else None


@functools.cache
def _query(_vendor: str) -> tuple[str, tuple[str, ...]]:
    """The statement, written by Django once, and its parameters with nothing for the hash."""
    fields = ("pk", "person__company_id", "reused", "revoked_at")
    devices = Device.objects.values_list(*fields)
    spent = SpentToken.objects.values_list("device_id", *(f"device__{field}" for field in fields[1:]))
    present, announced, former = (
        rows.annotate(kind=Value(kind))
        for rows, kind in (
            (devices.filter(token_hash=""), PRESENT),
            (devices.filter(next_hash=""), ANNOUNCED),
            (spent.filter(token_hash=""), FORMER),
        )
    )
    text, parameters = present.union(announced, former, all=True).query.sql_with_params()
    return str(text), tuple(parameters)


def settle(hashed: str) -> int | None:
    """The number of the computer that comes with one of its tokens, None for a stranger.

    The next token is in force from now on if it is the one that came.

    Raises `Problem` (401) for a token that was used after its time; then nobody gets in with any of them.
    """
    found = standing(hashed)
    if found is not None and found.kind == ANNOUNCED and not _take_up(hashed):
        found = standing(
            hashed
        )  # another request has taken it up, or another token was announced in its place
    if found is None:
        return None
    if found.is_reused:
        raise problems.token_reused()
    if found.is_revoked:
        return None
    if found.kind == FORMER and not _is_in_grace(hashed):
        _end(Device.objects.select_related("person").get(pk=found.device_id))
        raise problems.token_reused()
    return found.device_id


def _is_in_grace(hashed: str) -> bool:
    return SpentToken.objects.filter(token_hash=hashed, grace_until__gte=clock.now()).exists()


@transaction.atomic
def _take_up(hashed: str) -> bool:
    """The first use of the next token."""
    device = Device.objects.select_for_update().filter(next_hash=hashed, revoked_at=None).first()
    if device is None:
        return False
    SpentToken.objects.create(device=device, token_hash=device.token_hash, grace_until=clock.now() + GRACE)
    device.family = device.family or device.token_hash
    device.token_hash, device.next_hash = hashed, None
    device.save(update_fields=["family", "token_hash", "next_hash"])
    return True


@transaction.atomic
def _end(device: Device) -> None:
    # The person before the computer, as an erasure does.
    Person.objects.select_for_update(no_key=True).filter(pk=device.person_id).first()
    if revoke([device.pk]):
        Device.objects.filter(pk=device.pk).update(reused=True)
        log.record(device.person.company_id, "server", "token-reused", device.person_id)
