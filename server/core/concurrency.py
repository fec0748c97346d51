"""What one computer may ask, and what the server takes on at once. In memory, for each worker process.

The figures are those of `docs/administration.md`; ADR 22 says why they are what they are.
"""

import contextlib
import logging
import math
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from server.core import problems
from server.core.sparing_log import SparingLog

REQUESTS_PER_MINUTE = int(os.environ.get("TIDINGS_REQUESTS_PER_MINUTE", "120"))
BURST_MINUTES = 1
REMEMBERED_COMPUTERS = 50_000
WITHDRAWAL = "tidings.withdrawal"
"""Marks a request by which a person takes back what they gave (in the WSGI environment, where no header can put it)."""
WITHDRAWALS_PER_MINUTE = 60
"""Counted by themselves: a program that asks too often in a person's name must not keep their withdrawal out."""
UNCOUNTED = "tidings.uncounted"
"""Marks, in the same place, one that ends something for certain: there are no more of these than of what it ends."""

RETRY_AFTER_S = 2.0

# SQLite has one writer at a time; who waits for its lock does so in naps of up to 100 ms.
WRITE_TURNS = {"sqlite": 1, "postgresql": 2}

_log = SparingLog(logging.getLogger(__name__))


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


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a place: a token's number (negative for the administration's) and the company that it is for."""

    token: int
    company: str

    @property
    def is_computer(self) -> bool:
        """Whether it is the token of a computer."""
        return self.token > 0


NOBODY = Holder(0, "")
"""Who has no token yet. The shares of tokens and companies do not apply."""


@dataclass
class Slots:
    """At most `limit` at once, of them `of_token` of one token and `of_company` of one company.

    Who comes when all are taken is told to come back, instead of waiting in line; the log says which limit it was.
    """

    name: str
    limit: int
    of_token: float = math.inf
    of_company: float = math.inf
    _taken: Counter[Holder] = field(default_factory=Counter)
    _companies: Counter[str] = field(default_factory=Counter)
    _total: int = 0
    _log: SparingLog = field(default_factory=lambda: SparingLog(logging.getLogger(__name__)))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, holder: Holder = NOBODY) -> None:
        """Take a place. Raises `Problem` (503) when there is none."""
        with self._lock:
            if reached := self._reached(holder):
                self.say(reached)
                raise problems.overloaded(RETRY_AFTER_S)
            self._total += 1
            self._taken[holder] += 1
            self._companies[holder.company] += 1

    def give_back(self, holder: Holder = NOBODY) -> None:
        """Free a place that was taken."""
        with self._lock:
            self._total -= 1
            self._taken -= Counter((holder,))  # which forgets who has none left
            self._companies -= Counter((holder.company,))

    @contextlib.contextmanager
    def held(self, holder: Holder = NOBODY) -> Iterator[None]:
        """Hold a place for the length of a block. Raises `Problem` (503) when there is none."""
        self.take(holder)
        try:
            yield
        finally:
            self.give_back(holder)

    def _reached(self, holder: Holder) -> str:
        """The limit that keeps the holder out, in words; nothing when there is a place."""
        if self._total >= self.limit:
            return f"all {self.limit} places are taken"
        if holder is NOBODY:
            return ""
        if self._taken[holder] >= self.of_token:
            return f"one token has all {self.of_token} places that it may have"
        if self._companies[holder.company] >= self.of_company:
            return f"{holder.company} has all {self.of_company} places that a company may have"
        return ""

    def say(self, reached: str) -> None:
        """Log why somebody is sent away, and who holds the places: companies and how many tokens, none of them by name."""
        companies = ", ".join(
            f"{company or 'without a token'} {count}" for company, count in self._companies.most_common(3)
        )
        self._log.warning(
            self.name,
            f"503, {self.name}: {reached}. Held by {len(self._taken)} tokens ({companies or 'none'})",
        )


class WriteTurns:
    """At most `count` threads write at once; the others wait. Who has a turn may ask for it again.

    Take it before a transaction begins, never within one: who has the database's lock would wait for who waits for it.
    """

    def __init__(self, count: int) -> None:
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._mine = threading.local()
        for _ in range(count):
            self._free.put(None)

    def __enter__(self) -> None:
        depth = getattr(self._mine, "depth", 0)
        if not depth:
            self._free.get()
        self._mine.depth = depth + 1

    def __exit__(self, *_error: object) -> None:
        self._mine.depth -= 1
        if not self._mine.depth:
            self._free.put(None)


def rate_for(environ: Mapping[str, object]) -> RequestRate:
    """The share that a request is counted under."""
    if UNCOUNTED in environ:
        return no_limit
    return withdrawal_rate if WITHDRAWAL in environ else request_rate


def say_slow_reader() -> None:
    """Log that a download was ended because nobody read it."""
    _log.warning("slow reader", "A download was ended: it was read too slowly")


def limit_requests(per_minute: int) -> None:
    """Set what one computer may ask, here and in the workers that are started from here."""
    global request_rate, withdrawal_rate
    os.environ["TIDINGS_REQUESTS_PER_MINUTE"] = str(per_minute)
    request_rate = RequestRate(per_minute)
    withdrawal_rate = RequestRate(WITHDRAWALS_PER_MINUTE if per_minute else 0)


request_rate = RequestRate(REQUESTS_PER_MINUTE)
withdrawal_rate = RequestRate(WITHDRAWALS_PER_MINUTE if REQUESTS_PER_MINUTE else 0)
no_limit = RequestRate(0)

write_turns = WriteTurns(max(WRITE_TURNS.values()))
downloads = Slots("downloads", limit=256, of_token=3, of_company=64)
