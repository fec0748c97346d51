"""Presence on macOS, by its documented calls. Full screen and Focus are told by none: unknown.

CGSessionCopyCurrentDictionary (Quartz Display Services) tells whether this session has the screen and whether it is locked,
CGEventSourceSecondsSinceLastEventType (Quartz Event Services) the time since the last input, IOPMCopyAssertionsStatus (IOKit)
whether a program keeps the display on, as presentations, videos and calls do; sound alone keeps only the computer awake.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from agent.domain import limits
from agent.domain.model import PresenceState, Tristate

UTF8 = 0x08000100
SUCCESS = 0
HID_SYSTEM_STATE = 1
ANY_INPUT_EVENT = 0xFFFFFFFF
NUMBER_INT = 9
LOCKED = b"CGSSessionScreenIsLocked"
ON_CONSOLE = b"kCGSSessionOnConsoleKey"
DISPLAY_STAYS_ON = (b"PreventUserIdleDisplaySleep", b"NoDisplaySleepAssertion")

_pointer = ctypes.c_void_p


class Frameworks(NamedTuple):
    """The frameworks that are called."""

    core: Any
    graphics: Any
    power: Any


def _system_frameworks() -> Frameworks | None:
    paths = [ctypes.util.find_library(name) for name in ("CoreFoundation", "ApplicationServices", "IOKit")]
    core, graphics, power = (ctypes.CDLL(path) if path else None for path in paths)
    if core is None or graphics is None or power is None:
        return None
    core.CFStringCreateWithCString.restype = _pointer
    core.CFStringCreateWithCString.argtypes = [_pointer, ctypes.c_char_p, ctypes.c_uint32]
    core.CFDictionaryGetValue.restype = _pointer
    core.CFDictionaryGetValue.argtypes = [_pointer, _pointer]
    core.CFBooleanGetValue.restype = ctypes.c_bool
    core.CFBooleanGetValue.argtypes = [_pointer]
    core.CFNumberGetValue.restype = ctypes.c_bool
    core.CFNumberGetValue.argtypes = [_pointer, ctypes.c_long, _pointer]
    core.CFRelease.argtypes = [_pointer]
    graphics.CGSessionCopyCurrentDictionary.restype = _pointer
    graphics.CGEventSourceSecondsSinceLastEventType.restype = ctypes.c_double
    graphics.CGEventSourceSecondsSinceLastEventType.argtypes = [ctypes.c_int32, ctypes.c_uint32]
    power.IOPMCopyAssertionsStatus.argtypes = [ctypes.POINTER(_pointer)]
    return Frameworks(core, graphics, power)


class MacPresence:
    """Presence on macOS.

    Args:
        idle_after_s: without input for so many seconds, the person is away.
        frameworks: what is called; None for this system's.
    """

    def __init__(
        self, idle_after_s: float = limits.IDLE_AFTER_S, frameworks: Frameworks | None = None
    ) -> None:
        self._idle_after_s = idle_after_s
        self._call = frameworks or _system_frameworks()

    def current(self) -> PresenceState:
        if self._call is None:
            return PresenceState()
        locked = self._locked(self._call)
        return PresenceState(locked, presenting=self._presenting(self._call), idle=self._idle(self._call))

    def _locked(self, call: Frameworks) -> Tristate:
        """The key of a locked screen is there only while it is; a session without the screen is seen by nobody."""
        session = call.graphics.CGSessionCopyCurrentDictionary()
        if not session:
            return Tristate.UNKNOWN
        locked = self._value(call, session, LOCKED)
        on_console = self._value(call, session, ON_CONSOLE)
        seen = (not on_console or call.core.CFBooleanGetValue(on_console)) and not (
            locked and call.core.CFBooleanGetValue(locked)
        )
        call.core.CFRelease(session)
        return Tristate.NO if seen else Tristate.YES

    def _presenting(self, call: Frameworks) -> Tristate:
        status = _pointer()
        if call.power.IOPMCopyAssertionsStatus(ctypes.byref(status)) != SUCCESS or not status.value:
            return Tristate.UNKNOWN
        levels = [self._number(call, status.value, kind) for kind in DISPLAY_STAYS_ON]
        call.core.CFRelease(status.value)
        return Tristate.YES if any(levels) else Tristate.NO

    def _idle(self, call: Frameworks) -> Tristate:
        seconds = call.graphics.CGEventSourceSecondsSinceLastEventType(HID_SYSTEM_STATE, ANY_INPUT_EVENT)
        if seconds < 0:
            return Tristate.UNKNOWN
        return Tristate.YES if seconds >= self._idle_after_s else Tristate.NO

    def _value(self, call: Frameworks, dictionary: int, key: bytes) -> int | None:
        with _text(call, key) as name:
            value: int | None = call.core.CFDictionaryGetValue(dictionary, name)
        return value

    def _number(self, call: Frameworks, dictionary: int, key: bytes) -> int:
        value = self._value(call, dictionary, key)
        number = ctypes.c_int(0)
        if value is None or not call.core.CFNumberGetValue(value, NUMBER_INT, ctypes.byref(number)):
            return 0
        return number.value


@contextmanager
def _text(call: Frameworks, text: bytes) -> Iterator[int]:
    """A CFString."""
    created = call.core.CFStringCreateWithCString(None, text, UTF8)
    try:
        yield created
    finally:
        call.core.CFRelease(created)
