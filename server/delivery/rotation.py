"""Device tokens are replaced from time to time, so that a copied one is of use for a while only (ADR 18).

The agent chooses the next token, keeps it, and then says its hash. Both are taken until the next one is used for the first
time; the former then for `GRACE` only, for requests that were under way. Whoever uses it later has a copy, or somebody else
has: all tokens of the computer end.
"""

from datetime import timedelta

from django.db import transaction

from server import clock, problems
from server.audit import log
from server.delivery.enrolment import revoke
from server.delivery.models import Device, SpentToken

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


def known_as(hashed: str) -> str | None:
    """The present token's hash, of the computer that may come with another one of its tokens. Changes nothing."""
    announced = Device.objects.filter(next_hash=hashed, revoked_at=None).first()
    if announced is not None:
        return announced.token_hash
    spent = SpentToken.objects.select_related("device").filter(token_hash=hashed).first()
    return spent.device.token_hash if spent and spent.device.revoked_at is None else None


def settle(hashed: str) -> str | None:
    """The present token's hash, of the computer that comes with another one of its tokens. None for a stranger.

    Raises `Problem` (401) for a token that was used after its time; then nobody gets in with any of them.
    """
    if _take_up(hashed):
        return hashed
    spent = SpentToken.objects.select_related("device__person").filter(token_hash=hashed).first()
    device = spent.device if spent else Device.objects.filter(token_hash=hashed).first()
    if device is None:
        return None
    if device.reused:
        raise problems.token_reused()
    if device.revoked_at is not None:
        return None
    if spent is None or (spent.grace_until is not None and clock.now() <= spent.grace_until):
        return device.token_hash
    _end(device)
    raise problems.token_reused()


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
    if revoke([device.pk]):
        Device.objects.filter(pk=device.pk).update(reused=True)
        log.record(device.person.company_id, "server", "token-reused", device.person_id)
