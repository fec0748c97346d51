"""What this desktop can say of the person: locked, full screen, do not disturb, presenting, idle. Unknown is an answer.

``system_presence()`` gives the implementation for this system. ``current()`` may wait for other programs: on a worker only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from msgspec.structs import replace

from agent.domain import limits
from agent.domain.model import PresenceState, Tristate
from agent.domain.ports import Presence


class UnknownPresence:
    """A desktop that says nothing."""

    def current(self) -> PresenceState:
        return PresenceState()


class BoundedPresenting:
    """Believes for ``limits.PRESENTING_AT_MOST_S`` that somebody presents, then says unknown until it has ended once.

    A tool that always keeps the screen on would otherwise hold announcements for days (docs/adr/0009).

    Args:
        presence: whom to ask.
        monotonic: seconds of a clock that nobody sets.
    """

    def __init__(self, presence: Presence, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._presence = presence
        self._monotonic = monotonic
        self._since: float | None = None
        self._asked = 0.0

    def current(self) -> PresenceState:
        state, now = self._presence.current(), self._monotonic()
        if state.presenting is not Tristate.YES:
            self._since = None
        elif self._since is None or now - self._asked > limits.PRESENTING_FORGOTTEN_S:
            self._since = now
        self._asked = now
        if self._since is not None and now - self._since > limits.PRESENTING_AT_MOST_S:
            return replace(state, presenting=Tristate.UNKNOWN)
        return state


def system_presence() -> Presence:
    """The one for this operating system."""
    return BoundedPresenting(_of_this_system())


def _of_this_system() -> Presence:
    if sys.platform == "linux":
        from ui.desktop.presence.linux import LinuxPresence

        return LinuxPresence()
    if sys.platform == "win32":
        from ui.desktop.presence.windows import WindowsPresence

        return WindowsPresence()
    if sys.platform == "darwin":
        from ui.desktop.presence.macos import MacPresence

        return MacPresence()
    return UnknownPresence()
