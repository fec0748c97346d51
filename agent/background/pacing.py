"""Pure: when a task that asks the server does so again, so that many computers never do at the same time (ADR 15)."""

from __future__ import annotations

import random

from agent.domain import limits


class Pace:
    """Of one task. All waits are in seconds, and random: ``chance`` is where that comes from."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._failures = 0

    def succeeded(self, interval_s: float) -> float:
        """The wait after an answer: the poll interval with the policy's share of jitter."""
        self._failures = 0
        return self._chance.uniform(1 - limits.POLL_JITTER_SHARE, 1 + limits.POLL_JITTER_SHARE) * interval_s

    def failed(self, interval_s: float) -> float:
        """The wait after one more failure in a row; at least a second.

        Full jitter, up to a bound that doubles with each failure. The first bound is two poll intervals: on average one
        passes, so that an outage changes how often the server is asked by little.
        """
        first = min(limits.BACKOFF_FIRST_INTERVALS * interval_s, limits.BACKOFF_MAX_S)
        bound = min(first * 2.0**self._failures, limits.BACKOFF_MAX_S)
        self._failures = min(self._failures + 1, 30)
        return max(1.0, self._chance.uniform(0, bound))

    def busy(self, retry_after_s: float, interval_s: float) -> float:
        """The wait after a server said how long to wait at least: many were told the same, at the same time."""
        return retry_after_s + self.failed(interval_s)

    def refused(self) -> float:
        """The wait after the server did not know this computer: it may have been another server, or a restored one."""
        return self._chance.uniform(1, 3) * limits.REFUSED_RETRY_S

    def woken(self, interval_s: float) -> float:
        """The wait after the computer slept, or its clock was set: so did many others, or theirs was."""
        return self._chance.uniform(0, min(interval_s, limits.BACKOFF_MAX_S))
