"""Whose requests they are: one question to the database for all that wait with the same token."""

import asyncio
import threading
from collections.abc import Callable

from server.core.concurrency import Holder
from server.core.problems import Problem, unauthorized
from server.gateway.holders import Holders
from server.gateway.lanes import Lane
from tests.support.waiting import PATIENCE_S


class Database:
    """Answers when it is let, and keeps what it was asked."""

    def __init__(self, answer: Callable[[str], Holder | None]) -> None:
        self.asked: list[str] = []
        self.may_answer = threading.Event()
        self._answer = answer

    def __call__(self, authorization: str) -> Holder | None:
        self.asked.append(authorization)
        assert self.may_answer.wait(PATIENCE_S)
        return self._answer(authorization)


def _looked_up(
    answer: Callable[[str], Holder | None], *authorizations: str
) -> tuple[list[str], list[Holder | BaseException | None]]:
    """What the database was asked, and what each who asked was told."""
    database = Database(answer)

    async def ask() -> list[Holder | BaseException | None]:
        looking = Holders(Lane("identities", limit=1000, threads=1), database)
        asking = [asyncio.ensure_future(looking.of(authorization)) for authorization in authorizations]
        await asyncio.sleep(0)
        database.may_answer.set()
        return await asyncio.gather(*asking, return_exceptions=True)

    return database.asked, asyncio.run(ask())


def _holder(authorization: str) -> Holder | None:
    return Holder(int(authorization), "northwind") if authorization.isdigit() else None


def test_those_who_wait_with_one_token_share_one_question() -> None:
    asked, told = _looked_up(_holder, "1", *["2"] * 500, "x", "3")
    assert asked == ["1", "2", "x", "3"]
    assert told == [_holder("1"), *[_holder("2")] * 500, None, _holder("3")]


def test_nobody_is_asked_about_a_request_without_a_token() -> None:
    assert _looked_up(_holder, "", "") == ([], [None, None])


def test_a_refusal_is_told_to_all_who_wait_and_to_nobody_later() -> None:
    refusals = iter([unauthorized()])

    def once(authorization: str) -> Holder | None:
        if authorization == "1" and (refusal := next(refusals, None)):
            raise refusal
        return _holder(authorization)

    database = Database(once)
    database.may_answer.set()

    async def ask() -> tuple[list[Holder | BaseException | None], Holder | None]:
        looking = Holders(Lane("identities", limit=1000, threads=1), database)
        first = await asyncio.gather(looking.of("1"), looking.of("1"), return_exceptions=True)
        return list(first), await looking.of("1")

    first, later = asyncio.run(ask())
    assert [type(refusal) for refusal in first] == [Problem, Problem]
    assert later == _holder("1")
