"""Who is calling: one query from the device token to the person, the company and its feed's state."""

import functools
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from ninja.security import HttpBearer

from server.audit import chain_heads
from server.audit.models import Chain
from server.core import concurrency, problems
from server.core.errors import EnvironmentFault
from server.database.soundness import with_keys
from server.devices import rotation
from server.devices.models import Device
from server.devices.tokens import LONGEST_TOKEN, TOKEN_PREFIX, token_hash
from server.directory.models import Company
from server.erasure_ledger import ledger
from server.erasure_ledger.models import LedgerState

LOOK_EVERY_S = 2.0
"""How long it may take to notice that a company came or went."""
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
    trial_revision: int = 0


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

        Raises `Problem`: 429, 401 for a reused token, and 503 for an unknown one while there is doubt.
        Computers take a 401 for the end of their connection.
        """
        row = _row(token)
        is_other = row is None and _is_token(token)
        if is_other:
            row = _row_of("id", rotation.settle(token_hash(token)))
        if row is None:
            if is_other and rotation.standing(token_hash(token)) is None and _doubt.is_there():
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
    if found is None and _is_token(token) and _doubt.is_there():
        raise problems.overloaded(RETRY_S)
    return concurrency.Holder(found.device_id, found.company_id) if found and not found.is_revoked else None


@dataclass(frozen=True)
class Known:
    """What the data folder knows of the database: whose keys are there, and how far ledger and audit logs have come."""

    companies: frozenset[str]
    applied: int
    entries: Mapping[str, int]


def known() -> Known:
    """As it is now. Raises `EnvironmentFault` for a damaged ledger."""
    companies = with_keys()
    entries = {}
    for company in companies:
        with suppress(EnvironmentFault):  # which `audit verify` tells
            kept = chain_heads.kept(company)
            entries[company] = kept.end.number if kept else 0
    return Known(frozenset(companies), ledger.end().number, entries)


class Doubt:
    """Whether the database may lack what it had, and will have again: a backup was restored just now, or is being restored.

    The database is asked each time: it may have gone back since the last. The data folder does not go back: while it says
    that nothing is lacking, it is looked at every `LOOK_EVERY_S` at most.
    """

    def __init__(self, look: Callable[[], Known] = known, clock: Callable[[], float] = monotonic) -> None:
        self._look, self._clock = look, clock
        self._found: tuple[object, float, Known] | None = None

    def is_there(self) -> bool:
        """Raises `DatabaseError`, and `EnvironmentFault` for a damaged ledger."""
        now = self._clock()
        if self._found is None or self._found[0] != settings.DATA or now - self._found[1] >= LOOK_EVERY_S:
            self._found = (settings.DATA, now, self._look())
        if not _is_behind(self._found[2]):
            return False
        # A company may have been closed, or a ledger begun anew, since that was looked at.
        self._found = (settings.DATA, now, self._look())
        return _is_behind(self._found[2])


def _is_behind(there: Known) -> bool:
    """Whether the database lacks what the data folder knows of it."""
    # Those that are being brought in have no computers yet.
    companies = Company.objects.exclude(move=Company.Move.ARRIVING).values_list("pk", flat=True)
    if there.companies - set(companies):
        return True
    applied = LedgerState.objects.values_list("number", flat=True).filter(pk=1).first() or 0
    entries = dict(Chain.objects.values_list("company_id", "number"))
    return applied < there.applied or any(
        entries.get(company, 0) < number for company, number in there.entries.items()
    )


_doubt = Doubt()


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
        "person__company__trial_revision",
    )
    return str(devices.query.sql_with_params()[0])
