"""Presence on Windows: full screen by SHQueryUserNotificationState (shellapi.h), the lock by OpenInputDesktop.

Focus Assist is not told by any documented call: unknown.
"""

from __future__ import annotations

import ctypes
import sys

from agent.model import PresenceState, Tristate

QUNS_NOT_PRESENT = 1
QUNS_BUSY = 2
QUNS_RUNNING_D3D_FULL_SCREEN = 3
QUNS_PRESENTATION_MODE = 4
DESKTOP_SWITCHDESKTOP = 0x0100


class WindowsPresence:
    def current(self) -> PresenceState:
        if sys.platform != "win32":
            return PresenceState()
        state = ctypes.c_int(0)
        if ctypes.windll.shell32.SHQueryUserNotificationState(ctypes.byref(state)) != 0:
            return PresenceState(locked=self._locked())
        full_screen = state.value in (QUNS_BUSY, QUNS_RUNNING_D3D_FULL_SCREEN, QUNS_PRESENTATION_MODE)
        locked = Tristate.YES if state.value == QUNS_NOT_PRESENT else self._locked()
        return PresenceState(locked, Tristate.YES if full_screen else Tristate.NO, Tristate.UNKNOWN)

    def _locked(self) -> Tristate:
        """Only the person's own desktop may be switched to by their programs; the lock screen's may not."""
        if sys.platform != "win32":
            return Tristate.UNKNOWN
        user32 = ctypes.windll.user32
        user32.OpenInputDesktop.restype = ctypes.c_void_p
        desktop = user32.OpenInputDesktop(0, False, DESKTOP_SWITCHDESKTOP)
        if not desktop:
            return Tristate.YES
        switched = user32.SwitchDesktop(ctypes.c_void_p(desktop))
        user32.CloseDesktop(ctypes.c_void_p(desktop))
        return Tristate.NO if switched else Tristate.YES
