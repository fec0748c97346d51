"""The real clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The computer's clock, in the time zone that the person is in now."""

    def now(self) -> datetime:
        if hasattr(time, "tzset"):
            time.tzset()  # the C library's localtime_r never looks again by itself, and people travel
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)
