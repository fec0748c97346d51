"""Many agents that poll one server, under a clock of their own: what the agent's own pacing makes of it."""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from agent.background.pacing import Pace

Reached = Callable[[float], float | None]
"""Whether a poll at this second is answered: None if it is, else the seconds of Retry-After, 0 for no answer at all."""

SMOOTHED_S = 5
"""10,000 agents that poll each minute come by chance in groups: the fullest second of ten minutes has 1.3 times as many as
the mean one, the fullest five seconds 1.1 times. A herd lasts longer than that."""


@dataclass(frozen=True)
class Herd:
    """So many agents with this poll interval.

    Args:
        agents: how many.
        interval_s: the company's poll interval.
        seed: of everything random.
    """

    agents: int
    interval_s: float = 60.0
    seed: int = 8

    def peak(self, reached: Reached, until_s: float, woken_at: float | None = None) -> float:
        """The most polls of any `SMOOTHED_S` seconds, as a multiple of what is steady.

        Args:
            reached: how the server answers, by the second.
            until_s: when it ends. It begins with agents at all points of their interval.
            woken_at: when all of them wake from sleep, if they do.
        """
        chance = random.Random(self.seed)
        order = itertools.count()
        paces = [Pace(chance) for _ in range(self.agents)]
        due = [(chance.uniform(0, self.interval_s), next(order), pace) for pace in paces]
        if woken_at is not None:
            due = [(woken_at + pace.woken(self.interval_s), next(order), pace) for pace in paces]
        heapq.heapify(due)
        polls: Counter[int] = Counter()
        while due[0][0] < until_s:
            moment, _, pace = heapq.heappop(due)
            polls[int(moment)] += 1
            heapq.heappush(due, (moment + self._wait(pace, reached(moment)), next(order), pace))
        steady = SMOOTHED_S * self.agents / self.interval_s
        last = int(until_s) - SMOOTHED_S
        return max(sum(polls[second + n] for n in range(SMOOTHED_S)) for second in range(last)) / steady

    def _wait(self, pace: Pace, refused: float | None) -> float:
        if refused is None:
            return pace.succeeded(self.interval_s)
        return pace.busy(refused, self.interval_s) if refused else pace.failed(self.interval_s)
