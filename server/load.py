"""What one computer may ask, and what the server takes on at once. In memory, for each worker process."""

import contextlib
import os
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from server import problems

REQUESTS_PER_MINUTE = int(os.environ.get("TIDINGS_REQUESTS_PER_MINUTE", "120"))
BURST_MINUTES = 1
REMEMBERED_COMPUTERS = 50_000

# Of a worker's threads, only a few run at once: more contend for the interpreter, and half as many polls were
# answered. The others wait: downloads for slow lines, writes for their turn.
TURNS = 5
DOWNLOADS_AT_ONCE = 12
WRITES_AT_ONCE = 6
# Each may come to hold a database connection: with four workers 92, of the 97 that PostgreSQL allows by default.
THREADS = TURNS + DOWNLOADS_AT_ONCE + WRITES_AT_ONCE
# SQLite has one writer at a time; who waits for its lock does so in naps of up to 100 ms.
SQLITE_WRITE_TURNS = 1
WRITE_TURNS = 2


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


class Turns:
    """At most `count` blocks run at once; the others wait. Quicker than a semaphore, which is written in Python."""

    def __init__(self, count: int) -> None:
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(count):
            self._free.put(None)

    def __enter__(self) -> None:
        self._free.get()

    def __exit__(self, *_error: object) -> None:
        self._free.put(None)


def limit_requests(per_minute: int) -> None:
    """Set what one computer may ask, here and in the workers that are started from here."""
    global request_rate
    os.environ["TIDINGS_REQUESTS_PER_MINUTE"] = str(per_minute)
    request_rate = RequestRate(per_minute)


request_rate = RequestRate(REQUESTS_PER_MINUTE)
turns = Turns(TURNS)
writes = Slots(WRITES_AT_ONCE)
downloads = Slots(DOWNLOADS_AT_ONCE)
