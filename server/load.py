"""What one computer may ask, and what the server takes on at once. In memory, for each worker process."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from server import problems

REQUESTS_PER_MINUTE = int(os.environ.get("TIDINGS_REQUESTS_PER_MINUTE", "120"))
BURST_MINUTES = 1
REMEMBERED_COMPUTERS = 50_000

# Threads of a worker. More only contend for the interpreter: with 24, half as many polls were answered as with 5.
THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
# A write or a download may wait for a disk, a lock or a slow line. Were they to hold every thread, polls, which are
# most of the traffic, would wait with them.
WRITES_AT_ONCE = max(1, THREADS // 2)
DOWNLOADS_AT_ONCE = max(1, THREADS // 2)


class RequestRate:
    """A token bucket for each computer: `per_minute` on average, as many again in one go. 0 means no limit."""

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / 60
        self._burst = float(per_minute * BURST_MINUTES)
        self._levels: dict[int, tuple[float, float]] = {}

    def take(self, computer: int) -> None:
        """Count one request. Raises `Problem` (429) when the computer has used up its share."""
        if not self._burst:
            return
        now = time.monotonic()
        level, since = self._levels.get(computer, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._per_second)
        if level < 1:
            raise problems.too_many_requests((1 - level) / self._per_second)
        if len(self._levels) >= REMEMBERED_COMPUTERS:
            self._levels.clear()
        self._levels[computer] = (level - 1, now)


@dataclass
class Slots:
    """At most `limit` at once; who comes when all are taken is told to come back, instead of waiting in line."""

    limit: int
    retry_after_s: float = 2.0
    _taken: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> None:
        """Take a slot. Raises `Problem` (503) when there is none."""
        with self._lock:
            if self._taken >= self.limit:
                raise problems.overloaded(self.retry_after_s)
            self._taken += 1

    def give_back(self) -> None:
        """Free a slot that was taken."""
        with self._lock:
            self._taken -= 1

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold a slot for the length of a block. Raises `Problem` (503) when there is none."""
        self.take()
        try:
            yield
        finally:
            self.give_back()


request_rate = RequestRate(REQUESTS_PER_MINUTE)
writes = Slots(WRITES_AT_ONCE)
downloads = Slots(DOWNLOADS_AT_ONCE)
