"""The real clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_ALSO_ASLEEP = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""Linux's CLOCK_MONOTONIC stands still while the computer sleeps, those of macOS and Windows go on."""


class SystemClock:
    """The computer's clock, in the time zone that the person is in now."""

    def now(self) -> datetime:
        if hasattr(time, "tzset"):
            time.tzset()  # the C library's localtime_r never looks again by itself, and people travel
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def elapsed(self) -> float:
        return time.monotonic() if _ALSO_ASLEEP is None else time.clock_gettime(_ALSO_ASLEEP)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)
