"""Whether the server still confirms what is assigned, by the signed statements that come with feeds (ADR 17). Pure.

A cache or a hijacked server can repeat old answers for ever; it cannot sign a statement. What counts is an answer that came
after the newest statement had expired: a computer that is off or offline gets no answer, and hears nothing of this.
"""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from agent import errors, policy

_DAY_S = 86_400


class Freshness(Struct, frozen=True):
    """``issued``, ``expires``: of the newest statement, in Unix seconds; 0 before the first."""

    issued: int = 0
    expires: int = 0
    answered: datetime | None = None
    """When the server answered last, good or not."""
    server_time: datetime | None = None
    """What time it said it was (RFC 9110 section 6.6.1)."""
    clock_off_s: int | None = None
    """By how much the server's clock is ahead of this computer's; None where nothing tells."""

    def heard(self, now: datetime, date: str) -> Freshness:
        """An answer came, with this ``Date``."""
        said = _moment(date)
        return msgspec.structs.replace(
            self, answered=now, server_time=said, clock_off_s=self._clock_off_s(now, said)
        )

    def _clock_off_s(self, now: datetime, said: datetime | None) -> int | None:
        """A date that did not go on with the time is a repeated one, and says nothing of this computer's clock."""
        if said is None:
            return None
        off = round((said - now).total_seconds())
        if self.server_time is None or self.answered is None:
            return off
        passed = (now - self.answered).total_seconds()
        if said > self.server_time or abs(passed) <= policy.DATE_STEP_S:
            return off
        return None

    def stated(self, issued: int, expires: int, now: datetime) -> Freshness:
        """A newer statement came, or the same once more. One of the days to come tells of a clock that is late."""
        ahead = issued - round(now.timestamp())
        off = ahead if ahead > policy.CLOCK_OFF_S else self.clock_off_s
        return msgspec.structs.replace(self, issued=issued, expires=expires, clock_off_s=off)

    @property
    def clock_is_off(self) -> bool:
        return self.clock_off_s is not None and abs(self.clock_off_s) > policy.CLOCK_OFF_S

    @property
    def is_frozen(self) -> bool:
        """The server answered when the newest statement had expired."""
        return bool(self.issued and self.answered and self.answered.timestamp() >= self.expires)

    def trouble(self) -> errors.TidingsError | None:
        """What the person and the administrator should know."""
        if self.clock_off_s is not None and self.clock_is_off:
            return errors.ClockDiffers(days=max(1, round(abs(self.clock_off_s) / _DAY_S)))
        if self.answered is not None and self.is_frozen:
            passed = round(self.answered.timestamp()) - self.issued
            return errors.NotConfirmed(days=max(2, passed // _DAY_S))
        return None


def _moment(date: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
