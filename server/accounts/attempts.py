"""Where attempts to sign in are counted and used codes are noted, as allauth asks of Django's cache.

What belongs to an account is in the database: neither a restart nor a flood of other attempts makes it forgotten. What
belongs to an address on the network stays in memory, where such a flood forgets other addresses at most, because no
address is stored (docs/privacy.md).
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import transaction

from server.accounts.models import Attempt
from server.core import clock

ADDRESSES = "addresses"
"""The cache, in memory, of what is counted for each address."""
LONGEST = timedelta(minutes=5)
"""How long anything counts for which allauth names no time."""
_OF_AN_ADDRESS = ":ip:"
"""In allauth's keys. Whatever people type is in them as a digest."""


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
            values = {"value": value, "expires_at": self._end(timeout)}
            return Attempt.objects.get_or_create(pk=self._digest(key, version), defaults=values)[1]

    def set(
        self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Set, whatever was there."""
        if _OF_AN_ADDRESS in key:
            caches[ADDRESSES].set(key, value, timeout, version)
            return
        values = {"value": value, "expires_at": self._end(timeout)}
        Attempt.objects.update_or_create(pk=self._digest(key, version), defaults=values)

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
        """Under the server's secret, so that the database alone does not tell who tried."""
        full = self.make_and_validate_key(key, version=version)
        secret = b"tidings attempt " + settings.SECRET_KEY.encode()
        return hmac.new(secret, full.encode(), hashlib.sha256).hexdigest()

    def _end(self, timeout: float | None) -> datetime:
        return clock.now() + (timedelta(seconds=timeout) if isinstance(timeout, int | float) else LONGEST)


def delete_expired_attempts(*, dry_run: bool) -> int:
    """Delete what counts no more. Answers how many."""
    expired = Attempt.objects.filter(expires_at__lte=clock.now())
    return expired.count() if dry_run else expired.delete()[0]
