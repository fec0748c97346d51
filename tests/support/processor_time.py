"""How long processes worked, and how long they waited for a processor that other programs had (Linux).

What is counted so is the same whether other programs keep the machine busy or not.
"""

import contextlib
import os
import resource
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from tests.support.children import descendants


class OwnTime:
    """The time since it was made, without what this thread and another process waited for a processor.

    For two that wait for each other, as a program and its database do: while one works, the other does not.
    """

    def __init__(self, other: int | None = None) -> None:
        self._schedules = [Path("/proc/thread-self/schedstat")]
        if other is not None:
            self._schedules.append(Path(f"/proc/{other}/schedstat"))
        self._begun, self._own = time.monotonic(), self._own_s()

    def seconds(self) -> float:
        """So far."""
        return self._own_s() - self._own

    def by_the_clock(self) -> float:
        """So far, with all waiting, in seconds."""
        return time.monotonic() - self._begun

    def _own_s(self) -> float:
        waited_ns = sum(int(path.read_text().split()[1]) for path in self._schedules)  # proc_pid_schedstat(5)
        return time.monotonic() - waited_ns / 1e9


class Processors:
    """Who has worked on this machine's processors since this was made.

    Some processes with all that they started, this one, and others are told apart.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = tuple(pids)
        self._begun, self._busy = time.monotonic(), _busy_s()
        self._worked, self._helped = self._worked_s(), _helped_s()

    def worked_s(self) -> float:
        """What the processes worked."""
        return self._worked_s() - self._worked

    def others(self) -> float:
        """The share of all processors that was other programs', 0 to 1."""
        own = self.worked_s() + _helped_s() - self._helped
        span = (time.monotonic() - self._begun) * (os.cpu_count() or 1)
        return max(0.0, (_busy_s() - self._busy - own) / span)

    def _worked_s(self) -> float:
        total = 0.0
        for pid in self._pids:
            for process in (psutil.Process(pid), *descendants(pid)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    total += times.user + times.system
        return total


def _helped_s() -> float:
    """What this process worked, and those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _busy_s() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice
