"""Passkeys (WebAuthn): a second factor, and a way to sign in alone. allauth keeps them beside the app for codes.

What is done with them is on record; one that is taken away is in the erasure ledger, so that no backup brings it back.
"""

import hashlib

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from server.accounts import revoked, second_factor
from server.accounts.models import Account
from server.audit import log
from server.core.errors import Refused
from server.database.transactions import tried_again
from server.erasure_ledger import ledger

MOST = 10
"""For each account: one for each device, and one in the safe."""
COUNTER = "counter"
"""Where the signature counter is kept that the passkey told last (WebAuthn, section 6.1.1)."""
ANSWERED = "answered"
"""Where the digest of the challenge is kept that it answered last."""


def of(account: Account) -> "QuerySet[Authenticator]":
    """The account's passkeys, the oldest first."""
    return second_factor.passkeys_of(account)


def refuse_too_many(account: Account) -> None:
    """Raises `Refused` for an account that has all it may have."""
    if of(account).count() >= MOST:
        raise Refused(
            _("You have {most} passkeys, which is as many as there may be").format(most=MOST),
            _("Remove one that you do not use."),
        )


def add(account: Account, name: str, credential: dict[str, object], counter: int) -> None:
    """Keep one that was made and checked. Raises `Refused` where there are too many."""
    with transaction.atomic():
        locked = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        refuse_too_many(locked)
        data = {"name": name, "credential": credential, COUNTER: counter}
        Authenticator.objects.create(user=locked, type=Authenticator.Type.WEBAUTHN, data=data)
        log.record(locked.company, locked.actor, "add-passkey")


def rename(passkey: Authenticator, name: str) -> None:
    """Call it something else, if it is there still."""
    with transaction.atomic():
        for locked in Authenticator.objects.select_for_update().filter(pk=passkey.pk):
            locked.data["name"] = name
            locked.save(update_fields=["data"])


@tried_again
def remove(account: Account, passkey: Authenticator) -> None:
    """Take it away, if it is there still.

    Raises `Refused` for the last second factor, and `EnvironmentFault` when the erasure ledger cannot be written; nothing has
    changed then.
    """
    with transaction.atomic():
        locked = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        others = second_factor.of(locked).exclude(pk=passkey.pk)
        if not others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
            raise Refused(
                _("This is your only second factor"), _("Set up an app for codes or another passkey first.")
            )
        _end(locked, passkey, "remove-passkey")


@tried_again
def was_used(passkey: Authenticator, counter: int, challenge: bytes) -> bool:
    """Note the counter of a signature that was checked. False where it says that there are two of this passkey.

    Raises `LookupError` where the passkey is no more, or this very challenge was answered before: a browser, or something on
    the way, sent one answer twice, and no copy did.

    Nobody knows which of them is the person's own, so it ends. A counter that stays at 0 says nothing: passkeys that are
    copied between a person's devices on purpose have none.
    """
    with transaction.atomic():
        account = Account.objects.select_for_update(no_key=True).filter(pk=passkey.user_id).first()
        locked = of(account).filter(pk=passkey.pk).first() if account else None
        if account is None or locked is None:
            raise LookupError
        answered = hashlib.sha256(challenge).hexdigest()
        if locked.data.get(ANSWERED) == answered:
            raise LookupError
        known = locked.data.get(COUNTER, 0)
        if counter > known or counter == known == 0:
            locked.data |= {COUNTER: counter, ANSWERED: answered}
            locked.save(update_fields=["data"])
            return True
        _end(account, locked, "end-copied-passkey")
    return False


def _end(account: Account, passkey: Authenticator, action: str) -> None:
    fact = revoked.passkey(account, passkey)
    if of(account).filter(pk=passkey.pk).delete()[0]:
        ledger.write([fact])
        log.record(account.company, account.actor, action)
