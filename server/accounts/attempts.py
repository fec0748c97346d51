"""Where attempts to sign in are counted and used codes are noted, as allauth asks of Django's cache.

What belongs to an account is in the database: neither a restart nor a flood of other attempts makes it forgotten. What
belongs to an address on the network stays in memory, where such a flood forgets other addresses at most, because no
address is stored (docs/privacy.md).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from server.accounts.models import Account, Attempt
from server.core import clock

ADDRESSES = "addresses"
"""The cache, in memory, of what is counted for each address."""
LONGEST = timedelta(minutes=5)
"""How long anything counts for which allauth names no time."""
ROWS_AT_ONCE = 500
_OF_AN_ADDRESS = ":ip:"
"""In allauth's keys. Whatever people type is in them as a digest."""
_WHOSE = re.compile(r"(?::|user=)([0-9a-f]{64}|[0-9]+)(?:&code=[^&]*)?(?::lock)?$")
"""At the end of allauth's keys: an account's number, or the SHA-256 of what a limit counts by."""


class AttemptCache(BaseCache):
    """The back-end that settings name. It keeps what JSON can say, and deletes nothing before its time."""

    def __init__(self, _location: str, params: Mapping[str, Any]) -> None:
        super().__init__(dict(params))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """What was set, while it holds. Writes nothing."""
        if _OF_AN_ADDRESS in key:
            return caches[ADDRESSES].get(key, default, version)
        held = Attempt.objects.filter(pk=self._digest(key, version), expires_at__gt=clock.now()).first()
        return default if held is None else held.value

    def add(
        self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Set what is not there yet. Of several who try at once one is told that it was the first."""
        if _OF_AN_ADDRESS in key:
            return caches[ADDRESSES].add(key, value, timeout, version)
        with transaction.atomic():
            delete_expired_attempts(dry_run=False)
            row = Attempt(pk=self._digest(key, version), **_values(key, value, timeout))
            if Attempt.objects.filter(pk=row.pk).exists():
                return False
            try:
                with transaction.atomic():
                    row.save(force_insert=True)
            except IntegrityError:
                return False
            return True

    def set(
        self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Set, whatever was there."""
        if _OF_AN_ADDRESS in key:
            caches[ADDRESSES].set(key, value, timeout, version)
            return
        values = _values(key, value, timeout)
        # In one statement: whoever reads first loses a race with those who delete.
        Attempt.objects.bulk_create(
            [Attempt(pk=self._digest(key, version), **values)],
            update_conflicts=True,
            unique_fields=["key_digest"],
            update_fields=list(values),
        )

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget. Answers whether anything was there."""
        if _OF_AN_ADDRESS in key:
            return caches[ADDRESSES].delete(key, version)
        return bool(Attempt.objects.filter(pk=self._digest(key, version)).delete()[0])

    def clear(self) -> None:
        """Forget everything."""
        caches[ADDRESSES].clear()
        Attempt.objects.all().delete()

    def _digest(self, key: str, version: int | None) -> str:
        return _digest("attempt", self.make_and_validate_key(key, version=version))


def delete_expired_attempts(*, dry_run: bool) -> int:
    """Delete what counts no more. Answers how many."""
    expired = Attempt.objects.filter(expires_at__lte=clock.now())
    return expired.count() if dry_run else _delete(expired)


def forget_strangers() -> None:
    """Delete the attempts at what is no account, in the transaction in which accounts or people end.

    Whoever was erased may have tried without an account, too. Limits of the accounts that stay are none of this.
    """
    held = {attempt.whose_digest for attempt in Attempt.objects.only("whose_digest")}
    if not held:
        return
    for account in Account.objects.only("pk", "email").iterator():
        held -= {_digest("whose", one) for one in _named(account)}
    _delete(Attempt.objects.filter(whose_digest__in=held))


def _named(account: Account) -> tuple[str, ...]:
    """What stands for an account in allauth's keys."""
    counted_by = (account.email, f"mfa-auth-user-{account.pk}")
    return (str(account.pk), *(hashlib.sha256(one.encode()).hexdigest() for one in counted_by))


def _values(key: str, value: Any, timeout: float | None) -> dict[str, Any]:
    whose = _WHOSE.search(key)
    lasts = timedelta(seconds=timeout) if isinstance(timeout, int | float) else LONGEST
    return {
        "whose_digest": _digest("whose", whose[1] if whose else key),
        "value": value,
        "expires_at": clock.now() + lasts,
    }


def _delete(attempts: QuerySet[Attempt]) -> int:
    """In one order: of two who delete the same, PostgreSQL would end one."""
    with transaction.atomic():
        locked = [row.pk for row in attempts.select_for_update().order_by("pk")]
        count = 0
        for start in range(0, len(locked), ROWS_AT_ONCE):
            count += Attempt.objects.filter(pk__in=locked[start : start + ROWS_AT_ONCE]).delete()[0]
    return count


def _digest(of: str, text: str) -> str:
    """Under the server's secret, so that the database alone does not tell who tried."""
    secret = f"tidings {of} {settings.SECRET_KEY}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
