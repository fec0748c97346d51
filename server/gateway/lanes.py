"""Which requests may run at once. Each kind has places and threads of its own, so that none keeps another out.

A request waits here and not in a thread: threads are taken by what can run.
"""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakValueDictionary

from server.core import concurrency, problems
from server.core.concurrency import NOBODY, Holder, Slots

TURN_WITHIN_S = 10.0
"""How long a request waits for its turns, in all. An agent waits 20 s for an answer."""

Result = TypeVar("Result")


class Lane:
    """One kind of requests: `limit` wait or run, so many of one token and one company; `threads` of them run."""

    def __init__(
        self,
        name: str,
        *,
        limit: int,
        threads: int,
        of_token: float = math.inf,
        of_company: float = math.inf,
        running_of_token: int | None = None,
    ) -> None:
        """`running_of_token`: how many of one token run at once, so that its slow ones leave a thread to the others."""
        self._slots = Slots(name, limit, of_token, of_company)
        self._turns = asyncio.Semaphore(threads)
        self._running_of_token = running_of_token
        self._turns_of: WeakValueDictionary[Holder, asyncio.Semaphore] = WeakValueDictionary()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, holder: Holder, work: Callable[[], Result]) -> Result:
        """What `work` answers, done in a thread. Raises `Problem` (503) when too many wait, or for too long."""
        deadline = asyncio.get_running_loop().time() + TURN_WITHIN_S
        with self._slots.held(holder):
            own = self._own_turns(holder)
            if own is None:
                return await self._run(work, deadline)
            await self._take(own, deadline)  # first: who waits for it takes no thread's
            try:
                return await self._run(work, deadline)
            finally:
                own.release()

    async def _run(self, work: Callable[[], Result], deadline: float) -> Result:
        await self._take(self._turns, deadline)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._turns.release()

    async def _take(self, turns: asyncio.Semaphore, deadline: float) -> None:
        if not turns.locked():
            await turns.acquire()  # at once, and without the cost of a time limit
            return
        try:
            async with asyncio.timeout_at(deadline):
                await turns.acquire()
        except TimeoutError as error:
            self._slots.say(f"no turn within {TURN_WITHIN_S:g} s")
            raise problems.overloaded(concurrency.RETRY_AFTER_S) from error

    def _own_turns(self, holder: Holder) -> asyncio.Semaphore | None:
        if self._running_of_token is None or holder == NOBODY:
            return None
        own = self._turns_of.get(holder)
        if own is None:
            own = self._turns_of[holder] = asyncio.Semaphore(self._running_of_token)
        return own
