"""Whether the server still confirms what is assigned, by the signed statements that come with feeds (ADR 17). Pure.

A cache or a hijacked server can repeat old answers for ever; it cannot sign a statement. What counts is an answer that came
after the newest statement had expired: a computer that is off or offline gets no answer, and hears nothing of this.

Times are those of this computer's clock. By how much it is late is known from the statements, which only the company can
sign, and from itself where it was set back; what the server says besides can make nothing later.
"""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from agent.domain import errors, limits

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
    """By how much the server's clock is ahead of this computer's, as it says; None where nothing tells."""
    behind_s: int = 0
    """By how much this computer's clock was behind the newest statement when that came."""
    late_s: int = 0
    """By how much it is late, as far as is known."""
    late_at: int = 0
    """When the last statement that showed so was issued, in Unix seconds."""
    disputed: tuple[datetime, int] | None = None
    """When a statement of the past followed one of the future, and how many seconds that one was ahead."""

    def heard(self, now: datetime, date: str) -> Freshness:
        """An answer came, with this ``Date``."""
        said = _moment(date)
        off = self._clock_off_s(now, said)
        return msgspec.structs.replace(self.at(now), answered=now, server_time=said, clock_off_s=off)

    def at(self, now: datetime) -> Freshness:
        """With what the clock tells of itself: since the last answer it cannot have gone back."""
        set_back = self.answered.timestamp() - now.timestamp() if self.answered is not None else 0.0
        return msgspec.structs.replace(self, late_s=self.late_s + max(0, round(set_back)))

    def _clock_off_s(self, now: datetime, said: datetime | None) -> int | None:
        """A date that did not go on with the time is a repeated one, and says nothing of this computer's clock."""
        if said is None:
            return None
        off = round((said - now).total_seconds())
        if self.server_time is None or self.answered is None:
            return off
        passed = (now - self.answered).total_seconds()
        if said > self.server_time or abs(passed) <= limits.DATE_STEP_S:
            return off
        return None

    def stated(self, issued: int, expires: int, now: datetime) -> Freshness:
        """A newer statement came, or the same once more; or one of now after one of the future (``may_be_followed_by``)."""
        behind = max(0, issued - round(now.timestamp()))
        is_late_still = behind < self.late_s and self._is_late_still(issued, expires, now)
        return msgspec.structs.replace(
            self,
            issued=issued,
            expires=expires,
            behind_s=max(behind, self.behind_s) if issued == self.issued else behind,
            late_s=self.late_s if is_late_still else behind,
            late_at=self.late_at if is_late_still else issued,
            disputed=(now, self._ahead_s(now)) if issued < self.issued else self.disputed,
        )

    def _is_late_still(self, issued: int, expires: int, now: datetime) -> bool:
        """Whether a statement that is less far ahead may only have come late itself.

        It was signed within a statement's life of one that showed more: whoever has taken the line may have kept it, and has
        none that was signed later. One of this very moment that would be over already tells of a clock that was set right.
        """
        if issued <= self.issued:
            return issued == self.issued
        is_over = now.timestamp() + self.late_s >= expires
        is_near = issued <= self.late_at + limits.STATEMENT_MAX_S
        return is_near and not (is_over and _is_of(now, issued))

    def may_be_followed_by(self, issued: int, now: datetime) -> bool:
        """Whether a statement can be the next one: none that is older, but for one of now after one of the future.

        A server's clock that was once ahead must not end all statements. With it a clock here that is late is taken for
        right, so both is told for a while.
        """
        was_ahead = self._ahead_s(now) > limits.STATEMENT_AHEAD_S
        return issued >= self.issued or (was_ahead and _is_of(now, issued))

    def _ahead_s(self, now: datetime) -> int:
        return self.issued - round(now.timestamp())

    @property
    def ends(self) -> int:
        """When the newest statement expires by this computer's clock, in Unix seconds; 0 before the first."""
        return self.expires - self.late_s if self.expires else 0

    @property
    def is_frozen(self) -> bool:
        """The server answered when the newest statement had expired."""
        return bool(self.issued and self.answered and self.answered.timestamp() >= self.ends)

    @property
    def _clock_differs_s(self) -> int:
        """What is to be told of a clock, in seconds; 0 for nothing.

        One that was behind the newest statement was perhaps set since: it is told no longer once the server's own agrees.
        """
        agrees = self.clock_off_s is not None and abs(self.clock_off_s) <= limits.CLOCK_OFF_S
        if self.behind_s > limits.CLOCK_OFF_S and not agrees:
            return self.behind_s
        if self.clock_off_s is not None and not agrees:
            return self.clock_off_s
        if self.disputed is not None and self.answered is not None:
            since, ahead_s = self.disputed
            return ahead_s if self.answered - since < timedelta(days=limits.DISPUTE_TOLD_DAYS) else 0
        return 0

    @property
    def confirms(self) -> bool:
        """Whether an answer that brings no newer statement is a check: that nothing is missing is known, and what time it is.

        Of a server from before there were statements the answer itself has to do.
        """
        return self.trouble() is None and self.late_s <= limits.CLOCK_OFF_S

    def trouble(self) -> errors.TidingsError | None:
        """What the person and the administrator should know. A clock that may be ahead is told before what follows of it."""
        differs_s = self._clock_differs_s
        if self.answered is not None and self.is_frozen and differs_s >= 0:
            passed = round(self.answered.timestamp()) + self.late_s - self.issued
            return errors.NotConfirmed(days=max(2, passed // _DAY_S))
        if differs_s:
            return errors.ClockDiffers(days=max(1, round(abs(differs_s) / _DAY_S)))
        return None


def _is_of(now: datetime, issued: int) -> bool:
    return abs(issued - now.timestamp()) <= limits.STATEMENT_AHEAD_S


def _moment(date: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
