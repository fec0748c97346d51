"""Whose request it is, asked before it may take a place. The views ask again, with all that they check."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

from server import problems
from server.access.tokens import TOKEN_PREFIX, administrator_holder
from server.delivery.callers import device_holder
from server.gateway.lanes import Lane
from server.load import NOBODY, Holder

Result = TypeVar("Result")


class Holders:
    """Looks up whose requests they are. Those that come with the same token while it waits to be looked up share the answer:
    thousands of lines with one token cost the others no time."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._waiting: dict[str, asyncio.Future[Holder | None]] = {}

    async def of(self, authorization: str) -> Holder | None:
        """Who holds this `Authorization`; None for nobody. Raises `Problem`: 503, and 401 for a reused token."""
        if not authorization:
            return None
        waiting = self._waiting.get(authorization)
        if waiting is None:
            waiting = self._waiting[authorization] = asyncio.ensure_future(self._look_up(authorization))
        return await asyncio.shield(waiting)

    async def _look_up(self, authorization: str) -> Holder | None:
        own = asyncio.current_task()

        def begin() -> Holder | None:
            del self._waiting[authorization]  # who comes from now on wants to know what is true from now on
            return holder_of(authorization)

        try:
            return await self._lane.run(NOBODY, begin)
        finally:
            if self._waiting.get(authorization) is own:  # it did not begin
                del self._waiting[authorization]


def holder_of(authorization: str) -> Holder | None:
    """Who holds this `Authorization: Bearer …`; None for nobody. Raises `Problem` (503) when the database is away."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    ask = administrator_holder if token.startswith(TOKEN_PREFIX) else device_holder
    return of_database(lambda: ask(token))


def of_database(ask: Callable[[], Result]) -> Result:
    """What the database answers. Raises `Problem` (503) when it is away."""
    try:
        return ask()
    except (OperationalError, InterfaceError) as error:
        close_old_connections()
        raise problems.database_unavailable(error) from error
