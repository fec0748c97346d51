"""Presence on Windows, by its documented calls.

SHQueryUserNotificationState (shellapi.h) tells one thing at a time: nobody present, full screen, presentation settings,
free. OpenInputDesktop and GetUserObjectInformation (winuser.h) tell the lock screen, GetLastInputInfo the time since the
last input. Focus Assist is told by no documented call (QUNS_QUIET_TIME is the first hour of a new account): unknown.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Protocol

from agent.domain import limits
from agent.domain.model import PresenceState, Tristate

S_OK = 0
QUNS_NOT_PRESENT = 1
QUNS_BUSY = 2
QUNS_RUNNING_D3D_FULL_SCREEN = 3
QUNS_PRESENTATION_MODE = 4
QUNS_ACCEPTS_NOTIFICATIONS = 5
QUNS_QUIET_TIME = 6
GENERIC_READ = 0x80000000
UOI_NAME = 2
ERROR_ACCESS_DENIED = 5
PERSONS_DESKTOP = "default"
_NAME_CHARACTERS = 256
_TICKS = 2**32
"""GetTickCount and GetLastInputInfo begin anew after so many milliseconds (49.7 days)."""

_FREE = (QUNS_ACCEPTS_NOTIFICATIONS, QUNS_QUIET_TIME)
_FULL_SCREEN = {
    QUNS_BUSY: Tristate.YES,
    QUNS_RUNNING_D3D_FULL_SCREEN: Tristate.YES,
    **dict.fromkeys(_FREE, Tristate.NO),
}
_PRESENTING = {QUNS_PRESENTATION_MODE: Tristate.YES, **dict.fromkeys(_FREE, Tristate.NO)}


class LastInputInfo(ctypes.Structure):
    """LASTINPUTINFO."""

    _fields_ = [("size", ctypes.c_uint32), ("tick", ctypes.c_uint32)]


class Functions(Protocol):
    """The libraries that are called, and the calling thread's last error."""

    @property
    def shell32(self) -> Any: ...

    @property
    def user32(self) -> Any: ...

    @property
    def kernel32(self) -> Any: ...

    def last_error(self) -> int: ...


class _System:
    """The libraries of this Windows."""

    def __init__(self) -> None:
        if sys.platform != "win32":
            raise OSError("these calls are of Windows")
        self.shell32 = ctypes.WinDLL("shell32")
        self.user32 = ctypes.WinDLL("user32", use_last_error=True)
        self.kernel32 = ctypes.WinDLL("kernel32")
        handle, number, pointer = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p
        self.user32.OpenInputDesktop.restype = handle
        self.user32.OpenInputDesktop.argtypes = [number, ctypes.c_int, number]
        self.user32.CloseDesktop.argtypes = [handle]
        self.user32.GetUserObjectInformationW.argtypes = [handle, ctypes.c_int, pointer, number, pointer]
        self.kernel32.GetTickCount.restype = ctypes.c_uint32

    def last_error(self) -> int:
        if sys.platform != "win32":
            return 0
        return ctypes.get_last_error()


class WindowsPresence:
    """Presence on Windows.

    Args:
        idle_after_s: without input for so many seconds, the person is away.
        functions: what is called; None for this system's.
    """

    def __init__(self, idle_after_s: float = limits.IDLE_AFTER_S, functions: Functions | None = None) -> None:
        self._idle_after_ms = idle_after_s * 1000
        self._call = functions or _System()

    def current(self) -> PresenceState:
        state = self._notification_state()
        return PresenceState(
            locked=Tristate.YES if state == QUNS_NOT_PRESENT else self._locked(),
            full_screen=_FULL_SCREEN.get(state, Tristate.UNKNOWN),
            presenting=_PRESENTING.get(state, Tristate.UNKNOWN),
            idle=self._idle(),
        )

    def _notification_state(self) -> int:
        """One of QUNS_…, 0 where the call failed."""
        state = ctypes.c_int(0)
        succeeded = self._call.shell32.SHQueryUserNotificationState(ctypes.byref(state)) == S_OK
        return state.value if succeeded else 0

    def _locked(self) -> Tristate:
        """Input goes to the person's own desktop, or to one that their programs may not even open."""
        user32 = self._call.user32
        desktop = user32.OpenInputDesktop(0, False, GENERIC_READ)
        if not desktop:
            return Tristate.YES if self._call.last_error() == ERROR_ACCESS_DENIED else Tristate.UNKNOWN
        name = ctypes.create_unicode_buffer(_NAME_CHARACTERS)
        size = ctypes.sizeof(name)
        known = user32.GetUserObjectInformationW(desktop, UOI_NAME, name, size, None)
        user32.CloseDesktop(desktop)
        if not known:
            return Tristate.UNKNOWN
        return Tristate.NO if name.value.lower() == PERSONS_DESKTOP else Tristate.YES

    def _idle(self) -> Tristate:
        last = LastInputInfo(ctypes.sizeof(LastInputInfo), 0)
        if not self._call.user32.GetLastInputInfo(ctypes.byref(last)):
            return Tristate.UNKNOWN
        idle_ms = (self._call.kernel32.GetTickCount() - last.tick) % _TICKS
        return Tristate.YES if idle_ms >= self._idle_after_ms else Tristate.NO
