"""Bodies that are under way. Where there is no place for one more, an older one makes way.

To refuse the newest would let whoever sends slowly keep others out: a thief of a token its person, and 2,000 lines without
any token everybody who enrols. An honest body follows its head at once, so that the oldest is the slowest.
"""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from server.core import concurrency, problems
from server.core.concurrency import Holder
from server.core.sparing_log import SparingLog

_log = SparingLog(logging.getLogger(__name__))

Body = TypeVar("Body")


class Intake:
    """At most `limit` bodies at once, of them `of_token` of one token and `of_company` of one company."""

    def __init__(
        self, name: str, *, limit: int, of_token: float = math.inf, of_company: float = math.inf
    ) -> None:
        self._name = name
        self._limit, self._of_token, self._of_company = limit, of_token, of_company
        self._under_way: dict[asyncio.Timeout, Holder] = {}  # in the order in which they came
        self._tokens: Counter[Holder] = Counter()
        self._companies: Counter[str] = Counter()

    async def take(self, holder: Holder, body: Awaitable[Body]) -> Body:
        """The body, when it has come. Raises `Problem`: 503 when it had to make way, and what `body` raises."""
        try:
            async with asyncio.timeout(None) as place:
                self._make_room(holder)
                self._enter(place, holder)
                return await body
        except TimeoutError as error:
            raise problems.overloaded(concurrency.RETRY_AFTER_S) from error
        finally:
            self._leave(place)

    def _make_room(self, holder: Holder) -> None:
        """End the oldest body of the token that has most of them, among those that share the limit that is reached."""
        sharing = self._sharing_what_is_full(holder)
        if not sharing:
            return
        heaviest = max(sharing, key=self._tokens.__getitem__)
        oldest = next(place for place, of in self._under_way.items() if of == heaviest)
        self._leave(oldest)
        oldest.reschedule(asyncio.get_running_loop().time())
        _log.warning(self._name, f"503, {self._name}: a slow one of {heaviest.company or 'nobody'} made way")

    def _sharing_what_is_full(self, holder: Holder) -> Iterable[Holder]:
        if self._tokens[holder] >= self._of_token:
            return (holder,)
        if self._companies[holder.company] >= self._of_company:
            return [other for other in self._tokens if other.company == holder.company]
        return self._tokens if len(self._under_way) >= self._limit else ()

    def _enter(self, place: asyncio.Timeout, holder: Holder) -> None:
        self._under_way[place] = holder
        self._tokens[holder] += 1
        self._companies[holder.company] += 1

    def _leave(self, place: asyncio.Timeout) -> None:
        holder = self._under_way.pop(place, None)
        if holder is not None:
            self._tokens -= Counter((holder,))  # which forgets who has none left
            self._companies -= Counter((holder.company,))
