"""Bodies that are under way: who makes way for whom."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from server.core.concurrency import NOBODY, Holder
from server.core.problems import Problem
from server.gateway.intake import Intake

pytestmark = pytest.mark.expected_logs("made way")

THIEF, OTHER, STRANGER = Holder(1, "northwind"), Holder(2, "northwind"), Holder(3, "southwind")


class Bodies:
    """Bodies that come when they are told to."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._come: list[asyncio.Event] = []
        self._ends: list[asyncio.Task[bytes]] = []

    async def begin(self, *holders: Holder) -> None:
        """One body of each, in this order, of which only the head has come."""
        for holder in holders:
            come = asyncio.Event()
            self._come.append(come)
            self._ends.append(asyncio.ensure_future(self._intake.take(holder, self._body(come))))
            await asyncio.sleep(0)

    async def ends(self) -> list[str]:
        """What becomes of them when the rest of all comes."""
        for come in self._come:
            come.set()
        outcomes = await asyncio.gather(*self._ends, return_exceptions=True)
        return [_said(outcome) for outcome in outcomes]

    @staticmethod
    async def _body(come: asyncio.Event) -> bytes:
        await come.wait()
        return b"whole"


def _said(outcome: bytes | BaseException) -> str:
    if isinstance(outcome, Problem):
        assert outcome.retry_after_s
        return str(outcome.status)
    assert isinstance(outcome, bytes), outcome
    return outcome.decode()


def _run(scenario: Callable[[], Coroutine[Any, Any, list[str]]]) -> list[str]:
    return asyncio.run(scenario())


def _outcomes(intake: Callable[[], Intake], *holders: Holder) -> list[str]:
    async def scenario() -> list[str]:
        bodies = Bodies(intake())
        await bodies.begin(*holders)
        return await bodies.ends()

    return _run(scenario)


def test_the_oldest_body_of_a_token_makes_way_for_its_newest() -> None:
    few = lambda: Intake("bodies", limit=9, of_token=2)  # noqa: E731
    assert _outcomes(few, THIEF, OTHER, THIEF, THIEF) == ["503", "whole", "whole", "whole"]


def test_of_a_full_company_the_token_with_most_bodies_makes_way() -> None:
    few = lambda: Intake("bodies", limit=9, of_company=3)  # noqa: E731
    assert _outcomes(few, STRANGER, OTHER, THIEF, THIEF, OTHER) == [
        "whole", "whole", "503", "whole", "whole",
    ]  # fmt: skip


def test_where_all_is_full_the_token_with_most_bodies_makes_way() -> None:
    few = lambda: Intake("bodies", limit=3)  # noqa: E731
    assert _outcomes(few, STRANGER, THIEF, THIEF, OTHER) == ["whole", "503", "whole", "whole"]


def test_without_a_token_too_the_oldest_makes_way() -> None:
    few = lambda: Intake("enrolments", limit=2)  # noqa: E731
    assert _outcomes(few, NOBODY, NOBODY, NOBODY) == ["503", "whole", "whole"]


def test_a_body_that_came_or_failed_leaves_its_place() -> None:
    async def scenario() -> list[str]:
        intake = Intake("bodies", limit=2, of_token=1, of_company=2)
        for _ in range(5):
            assert await intake.take(THIEF, _at_once()) == b"whole"
            with pytest.raises(ValueError, match="cut"):
                await intake.take(THIEF, _cut())
        bodies = Bodies(intake)
        await bodies.begin(THIEF, OTHER)
        return await bodies.ends()

    assert _run(scenario) == ["whole", "whole"]


def _at_once() -> Awaitable[bytes]:
    async def body() -> bytes:
        return b"whole"

    return body()


def _cut() -> Awaitable[bytes]:
    async def body() -> bytes:
        raise ValueError("cut")

    return body()
