"""Who is calling: one query from the device token to the person, the company and its feed's state."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from ninja.security import HttpBearer

from server.core import concurrency, problems
from server.database.soundness import strangers
from server.devices import rotation
from server.devices.models import Device
from server.devices.tokens import LONGEST_TOKEN, TOKEN_PREFIX, token_hash

LOOK_EVERY_S = 2.0
"""As often as a restored backup is looked for."""
RETRY_S = 60


@dataclass(frozen=True, slots=True)
class Caller:
    """An enrolled computer, its person and its company, as they are at this request."""

    device_id: int
    person_id: UUID
    company_id: str
    email: str
    first_name: str
    feed_revision: int
    poll_interval_s: int
    token_hash: str = ""


class CallerRequest(HttpRequest):
    """A request that `DeviceToken` let in."""

    auth: Caller


class DeviceToken(HttpBearer):
    """`Authorization: Bearer <device token>`."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        """As the base class does it, without building an object of all headers for one."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        return self.authenticate(request, token) if scheme.lower() == "bearer" else None

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """The caller, or nobody when the token is unknown or revoked.

        Raises `Problem`: 429, 401 for a reused token, and 503 for an unknown one that may be of a company that is missing.
        Its computers would take a 401 for the end of their connection.
        """
        row = _row(token)
        is_other = row is None and _is_token(token)
        if is_other:
            row = _row_of("id", rotation.settle(token_hash(token)))
        if row is None:
            if is_other and _missing.is_anybody() and rotation.standing(token_hash(token)) is None:
                raise problems.overloaded(RETRY_S)
            return None
        concurrency.rate_for(request.META).take(row[0])
        device_id, person_id, *company = row
        # SQLite has no type for UUIDs.
        person = UUID(person_id) if isinstance(person_id, str) else person_id
        caller = Caller(device_id, person, *company)
        return replace(caller, token_hash=token_hash(token)) if is_other else caller


def device_holder(token: str) -> concurrency.Holder | None:
    """Who holds this token, without counting the request; None when it is unknown or revoked.

    Raises `Problem`: 401 when a copy of one of the computer's tokens was used, 503 as `DeviceToken` does.
    """
    found = rotation.standing(token_hash(token)) if _is_token(token) else None
    if found is not None and found.is_reused:
        raise problems.token_reused()
    if found is None and _is_token(token) and _missing.is_anybody():
        raise problems.overloaded(RETRY_S)
    return concurrency.Holder(found.device_id, found.company_id) if found and not found.is_revoked else None


class Missing:
    """Whether any company is missing: it has keys and no rows. Looked at every `LOOK_EVERY_S` at most."""

    def __init__(
        self, look: Callable[[], object] = strangers, clock: Callable[[], float] = monotonic
    ) -> None:
        self._look, self._clock = look, clock
        self._found: tuple[object, float, bool] | None = None

    def is_anybody(self) -> bool:
        now = self._clock()
        if self._found is None or self._found[0] != settings.DATA or now - self._found[1] >= LOOK_EVERY_S:
            self._found = (settings.DATA, now, bool(self._look()))
        return self._found[2]


_missing = Missing()


def _is_token(token: str) -> bool:
    return len(token) <= LONGEST_TOKEN and token.startswith(TOKEN_PREFIX)


def _row(token: str) -> tuple[Any, ...] | None:
    return _row_of("token_hash", token_hash(token)) if _is_token(token) else None


def _row_of(field: str, value: int | str | None) -> tuple[Any, ...] | None:
    if value is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_query(connection.vendor, field), [value])
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


@functools.cache
def _query(_vendor: str, field: str) -> str:
    """The one query of a poll, written by Django once: building it takes three times as long as running it."""
    devices = Device.objects.filter(**{field: 0}, revoked_at=None).values_list(
        "id",
        "person_id",
        "person__company_id",
        "person__email",
        "person__first_name",
        "person__company__feed_revision",
        "person__company__poll_interval_s",
        "token_hash",
    )
    return str(devices.query.sql_with_params()[0])
