"""What this desktop can say of the person: locked, full screen, do not disturb. Unknown is an answer.

``system_presence()`` gives the implementation for this system. ``current()`` may wait for other programs: on a worker only.
"""

from __future__ import annotations

import sys

from agent.model import PresenceState
from agent.ports import Presence


class UnknownPresence:
    """A desktop that says nothing."""

    def current(self) -> PresenceState:
        return PresenceState()


def system_presence() -> Presence:
    """The one for this operating system."""
    if sys.platform == "linux":
        from ui.desktop.presence_linux import LinuxPresence

        return LinuxPresence()
    if sys.platform == "win32":
        from ui.desktop.presence_windows import WindowsPresence

        return WindowsPresence()
    if sys.platform == "darwin":
        from ui.desktop.presence_macos import MacPresence

        return MacPresence()
    return UnknownPresence()
