"""What time it is by the server's clock, whatever this computer's says: from its last ``Date`` and the time that passed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from agent.domain import limits
from agent.domain.ports import Clock


class ServerClock:
    """Never ahead of the server's own, as an answer takes a while to come. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said: datetime | None = None
        self._at = 0.0
        self._noted: datetime | None = None

    def follow(self, other: ServerClock) -> None:
        """The server is another one, which only ``other`` has heard."""
        with self._lock:
            self._said, self._at, self._noted = other._said, other._at, None

    def forget(self) -> None:
        """There is no server any more."""
        self.follow(ServerClock(self._clock))

    def note(self, said: datetime | None) -> None:
        """The server said so to an earlier process."""
        with self._lock:
            self._noted = said

    def heard(self, date: str, *, may_be_repeated: bool) -> None:
        """An answer came with this ``Date`` (RFC 9110 section 6.6.1). ``may_be_repeated``: by a cache; it is late then.

        The one that was on its way for the shortest time counts, unless the server's clock was set back since.
        """
        said, at = _moment(date), self._clock.elapsed()
        if said is None:
            return
        with self._lock:
            late_s = (self._said - said).total_seconds() + at - self._at if self._said is not None else 0.0
            was_set_back = late_s > limits.CLOCK_JUMP_S and not may_be_repeated
            if self._said is None or late_s < 0 or was_set_back:
                self._said, self._at = said, at

    def elapsed(self) -> float:
        """Now, for ``at``: in seconds since an unknown moment. Only within this process."""
        return self._clock.elapsed()

    def at(self, elapsed: float) -> datetime | None:
        """What it showed then; None where this process has not heard it."""
        with self._lock:
            if self._said is None:
                return None
            return self._said + timedelta(seconds=elapsed - self._at)

    def now(self) -> datetime | None:
        """What it shows; None where this process has not heard it."""
        return self.at(self._clock.elapsed())

    def at_least(self) -> datetime | None:
        """What it showed at some time before now, the later the better; None where it was never heard."""
        return self.now() or self._noted


def _moment(date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
