"""Presence on macOS: the lock state by CGSessionCopyCurrentDictionary (Quartz Display Services). The rest is unknown."""

from __future__ import annotations

import ctypes
import ctypes.util

from agent.model import PresenceState, Tristate

_UTF8 = 0x08000100
_LOCKED_KEY = b"CGSSessionScreenIsLocked"


class MacPresence:
    def current(self) -> PresenceState:
        return PresenceState(locked=_locked())


def _locked() -> Tristate:
    core, services = _framework("CoreFoundation"), _framework("ApplicationServices")
    if core is None or services is None:
        return Tristate.UNKNOWN
    pointer = ctypes.c_void_p
    services.CGSessionCopyCurrentDictionary.restype = pointer
    core.CFStringCreateWithCString.restype = pointer
    core.CFStringCreateWithCString.argtypes = [pointer, ctypes.c_char_p, ctypes.c_uint32]
    core.CFDictionaryContainsKey.argtypes = [pointer, pointer]
    core.CFRelease.argtypes = [pointer]
    session = services.CGSessionCopyCurrentDictionary()
    if not session:
        return Tristate.UNKNOWN
    key = core.CFStringCreateWithCString(None, _LOCKED_KEY, _UTF8)
    locked = bool(core.CFDictionaryContainsKey(session, key))
    core.CFRelease(key)
    core.CFRelease(session)
    return Tristate.YES if locked else Tristate.NO


def _framework(name: str) -> ctypes.CDLL | None:
    path = ctypes.util.find_library(name)
    return ctypes.CDLL(path) if path else None
