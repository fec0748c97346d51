"""Whose request it is, asked before it may take a place. The views ask again, with all that they check."""

from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

from server.access.tokens import TOKEN_PREFIX, administrator_holder
from server.core import problems
from server.core.concurrency import Holder
from server.devices.auth import device_holder
from server.gateway.lanes import Lane
from server.gateway.shared import Shared

Result = TypeVar("Result")


def holder_of(authorization: str) -> Holder | None:
    """Who holds this `Authorization: Bearer …`; None for nobody. Raises `Problem` (503) when the database is away."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    ask = administrator_holder if token.startswith(TOKEN_PREFIX) else device_holder
    return of_database(lambda: ask(token))


class Holders:
    """Looks up whose requests they are."""

    def __init__(self, lane: Lane, ask: Callable[[str], Holder | None] = holder_of) -> None:
        self._questions = Shared(lane, ask)

    async def of(self, authorization: str) -> Holder | None:
        """Who holds this `Authorization`; None for nobody. Raises `Problem`: 503, and 401 for a reused token."""
        return await self._questions.of(authorization) if authorization else None


def of_database(ask: Callable[[], Result]) -> Result:
    """What the database answers. Raises `Problem` (503) when it is away."""
    try:
        return ask()
    except (OperationalError, InterfaceError) as error:
        close_old_connections()
        raise problems.database_unavailable(error) from error
