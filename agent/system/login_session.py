"""Which login session this is: a reminder "at the next login" is due in another one."""

from __future__ import annotations

import ctypes
import os
import sys
import uuid
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_AUDIT_SESSION = Path("/proc/self/sessionid")
_NO_AUDIT_SESSION = str(2**32 - 1)


@cache
def session_id() -> str:
    """The same within one login, another after the next. Where the system does not tell, each start of the agent is one."""
    found = {"linux": _linux, "win32": _windows, "darwin": _macos}.get(sys.platform, lambda: "")()
    return found or str(uuid.uuid4())


def _linux() -> str:
    """The boot (random(4)) and, within it, the session of the audit system or else of logind (pam_systemd(8))."""
    try:
        boot = _BOOT_ID.read_text().strip()
    except OSError:
        return ""
    try:
        session = _AUDIT_SESSION.read_text().strip()
    except OSError:
        session = _NO_AUDIT_SESSION
    if session == _NO_AUDIT_SESSION:
        session = os.environ.get("XDG_SESSION_ID", "")
    return f"{boot} {session}" if session else ""


def _windows() -> str:
    """The logon's LUID (TOKEN_STATISTICS.AuthenticationId, winnt.h): unique until the system starts again."""
    if sys.platform != "win32":
        return ""
    token, needed = ctypes.c_void_p(), ctypes.c_ulong()
    statistics = (ctypes.c_uint32 * 14)()
    advapi, kernel = ctypes.windll.advapi32, ctypes.windll.kernel32
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    opened = advapi.OpenProcessToken(ctypes.c_void_p(kernel.GetCurrentProcess()), 0x0008, ctypes.byref(token))
    if not opened:
        return ""
    told = advapi.GetTokenInformation(
        token, 10, ctypes.byref(statistics), ctypes.sizeof(statistics), ctypes.byref(needed)
    )
    kernel.CloseHandle(token)
    return f"{statistics[3]:x}:{statistics[2]:x}" if told else ""


def _macos() -> str:
    """The security session (SessionGetInfo, AuthSession.h): one for each login window session, until the next boot."""
    session, attributes = ctypes.c_uint32(), ctypes.c_uint32()
    try:
        security = ctypes.CDLL("/System/Library/Frameworks/Security.framework/Security")
    except OSError:
        return ""
    caller = ctypes.c_uint32(0xFFFFFFFF)
    if security.SessionGetInfo(caller, ctypes.byref(session), ctypes.byref(attributes)) != 0:
        return ""
    return str(session.value)
