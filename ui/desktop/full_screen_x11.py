"""Whether the active window fills the screen, as the window manager says (EWMH: _NET_ACTIVE_WINDOW, _NET_WM_STATE).

Spoken to libxcb, which Qt has loaded already, over a connection of our own. An error, such as that the window has just
gone, is an answer in libxcb; in libX11 it would end the process.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from agent.model import Tristate

_ANY_TYPE = 0
_MAX_LONGS = 64


class _Cookie(ctypes.Structure):
    _fields_ = [("sequence", ctypes.c_uint)]


class _AtomReply(ctypes.Structure):
    _fields_ = [
        ("response_type", ctypes.c_uint8),
        ("pad0", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("length", ctypes.c_uint32),
        ("atom", ctypes.c_uint32),
    ]


class _PropertyReply(ctypes.Structure):
    _fields_ = [
        ("response_type", ctypes.c_uint8),
        ("format", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("length", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("bytes_after", ctypes.c_uint32),
        ("value_len", ctypes.c_uint32),
        ("pad0", ctypes.c_uint8 * 12),
    ]


class _Screens(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_uint32)), ("rem", ctypes.c_int), ("index", ctypes.c_int)]


@cache
def _libraries() -> tuple[Any, Any] | None:
    """libxcb and the C library, with the types of what is called; None where there is no libxcb."""
    try:
        xcb, libc = ctypes.CDLL("libxcb.so.1"), ctypes.CDLL(None)
    except OSError:
        return None
    pointer, window = ctypes.c_void_p, ctypes.c_uint32
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "xcb_connect": (pointer, [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)]),
        "xcb_connection_has_error": (ctypes.c_int, [pointer]),
        "xcb_disconnect": (None, [pointer]),
        "xcb_get_setup": (pointer, [pointer]),
        "xcb_setup_roots_iterator": (_Screens, [pointer]),
        "xcb_intern_atom": (_Cookie, [pointer, ctypes.c_uint8, ctypes.c_uint16, ctypes.c_char_p]),
        "xcb_intern_atom_reply": (ctypes.POINTER(_AtomReply), [pointer, _Cookie, pointer]),
        "xcb_get_property": (_Cookie, [pointer, ctypes.c_uint8, window, window, window, window, window]),
        "xcb_get_property_reply": (ctypes.POINTER(_PropertyReply), [pointer, _Cookie, pointer]),
        "xcb_get_property_value": (ctypes.POINTER(ctypes.c_uint32), [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(xcb, name)
        function.restype, function.argtypes = result, arguments
    libc.free.argtypes = [pointer]
    return xcb, libc


def active_window_is_full_screen() -> Tristate:
    """Unknown without X (Wayland, another system) or without a window manager that says so."""
    libraries = _libraries() if os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY") else None
    if libraries is None:
        return Tristate.UNKNOWN
    with _connected(*libraries) as display:
        return display.full_screen() if display is not None else Tristate.UNKNOWN


@contextmanager
def _connected(xcb: Any, libc: Any) -> Iterator[_Display | None]:
    connection = xcb.xcb_connect(None, None)
    try:
        yield None if xcb.xcb_connection_has_error(connection) else _Display(xcb, libc, connection)
    finally:
        xcb.xcb_disconnect(connection)


class _Display:
    def __init__(self, xcb: Any, libc: Any, connection: int) -> None:
        self._xcb = xcb
        self._libc = libc
        self._connection = connection

    def full_screen(self) -> Tristate:
        xcb = self._xcb
        root = xcb.xcb_setup_roots_iterator(xcb.xcb_get_setup(self._connection)).data[0]
        active = self._values(root, "_NET_ACTIVE_WINDOW")
        if active is None:
            return Tristate.UNKNOWN
        if not active or not active[0]:
            return Tristate.NO
        states = self._values(active[0], "_NET_WM_STATE") or []
        return Tristate.YES if self._atom("_NET_WM_STATE_FULLSCREEN") in states else Tristate.NO

    def _atom(self, name: str) -> int:
        """0 where nobody has ever named it."""
        text = name.encode()
        cookie = self._xcb.xcb_intern_atom(self._connection, 1, len(text), text)
        reply = self._xcb.xcb_intern_atom_reply(self._connection, cookie, None)
        if not reply:
            return 0
        atom = int(reply.contents.atom)
        self._libc.free(reply)
        return atom

    def _values(self, window: int, name: str) -> list[int] | None:
        """The 32-bit values of a window's property; None where it has none."""
        atom = self._atom(name)
        if not atom:
            return None
        cookie = self._xcb.xcb_get_property(self._connection, 0, window, atom, _ANY_TYPE, 0, _MAX_LONGS)
        reply = self._xcb.xcb_get_property_reply(self._connection, cookie, None)
        if not reply:
            return None
        found = reply.contents
        values = self._xcb.xcb_get_property_value(reply)
        result = [int(values[i]) for i in range(found.value_len)] if found.format == 32 else None
        self._libc.free(reply)
        return result
