"""One person's slow requests leave a thread to everybody else."""

import asyncio
import threading

from server.core.concurrency import Holder
from server.gateway.lanes import Lane
from tests.support.waiting import PATIENCE_S


def test_who_fills_a_lane_leaves_a_thread_to_others() -> None:
    may_end = threading.Event()
    began = threading.Semaphore(0)

    def slow() -> str:
        began.release()
        assert may_end.wait(PATIENCE_S)
        return "slow"

    async def ask() -> list[str]:
        lane = Lane("pages", limit=64, threads=3, of_token=16, running_of_token=2)
        mine, other = Holder(-1, "northwind"), Holder(-2, "northwind")
        waiting = [asyncio.ensure_future(lane.run(mine, slow)) for _number in range(8)]
        for _number in range(2):
            assert await asyncio.to_thread(began.acquire, timeout=PATIENCE_S)
        answered = [await lane.run(other, lambda: "quick") for _number in range(3)]
        may_end.set()
        return answered + await asyncio.gather(*waiting)

    assert asyncio.run(ask()) == ["quick"] * 3 + ["slow"] * 8
