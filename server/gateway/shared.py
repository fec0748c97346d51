"""Questions to the database that many requests ask at once."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from server.core.concurrency import NOBODY
from server.gateway.lanes import Lane

Key = TypeVar("Key")
Result = TypeVar("Result")


class Shared(Generic[Key, Result]):
    """Asks once for all who wait with the same key, so that thousands of them cost the others no time.

    Who comes after the question was begun shares the next one, and so hears of what is true from then on.
    """

    def __init__(self, lane: Lane, ask: Callable[[Key], Result]) -> None:
        self._lane, self._ask = lane, ask
        self._waiting: dict[Key, asyncio.Future[Result]] = {}

    async def of(self, key: Key) -> Result:
        """What `ask` answers to this key, and raises. Raises `Problem` (503) when too many wait, or for too long."""
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = asyncio.ensure_future(self._look_up(key))
        return await asyncio.shield(waiting)

    async def _look_up(self, key: Key) -> Result:
        own = asyncio.current_task()

        def begin() -> Result:
            del self._waiting[key]
            return self._ask(key)

        try:
            return await self._lane.run(NOBODY, begin)
        finally:
            if self._waiting.get(key) is own:  # it did not begin
                del self._waiting[key]
