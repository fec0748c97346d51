"""The few questions that we ask an X server, spoken to libxcb over a connection of our own.

Qt has loaded libxcb already. An error, such as that a window has just gone, is an answer in libxcb; in libX11 it would end
the process. A library that is not installed leaves its questions unanswered.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

_ANY_TYPE = 0
_MAX_LONGS = 1024
_INPUT_OUTPUT = 1
_VIEWABLE = 2

_u8, _u16, _u32, _i16 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_int16
_pointer = ctypes.c_void_p


class Box(NamedTuple):
    """A part of the screen in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height

    def common(self, other: Box) -> int:
        """How many pixels lie in both."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(wide, 0) * max(high, 0)

    def covers(self, other: Box) -> bool:
        return self.common(other) == other.area


class _Cookie(ctypes.Structure):
    _fields_ = [("sequence", ctypes.c_uint)]


class _AtomReply(ctypes.Structure):
    _fields_ = [("head", _u32 * 2), ("atom", _u32)]


class _PropertyReply(ctypes.Structure):
    _fields_ = [
        ("response_type", _u8),
        ("format", _u8),
        ("sequence", _u16),
        ("length", _u32),
        ("type", _u32),
        ("bytes_after", _u32),
        ("value_len", _u32),
        ("pad", _u8 * 12),
    ]


class _GeometryReply(ctypes.Structure):
    _fields_ = [
        ("head", _u32 * 2),
        ("root", _u32),
        ("x", _i16),
        ("y", _i16),
        ("width", _u16),
        ("height", _u16),
        ("border", _u16),
    ]


class _TranslateReply(ctypes.Structure):
    _fields_ = [("head", _u32 * 2), ("child", _u32), ("x", _i16), ("y", _i16)]


class _AttributesReply(ctypes.Structure):
    _fields_ = [
        ("head", _u32 * 2),
        ("visual", _u32),
        ("window_class", _u16),
        ("gravities", _u8 * 2),
        ("planes", _u32 * 2),
        ("save_under", _u8),
        ("map_is_installed", _u8),
        ("map_state", _u8),
        ("override_redirect", _u8),
    ]


class _TreeReply(ctypes.Structure):
    _fields_ = [
        ("head", _u32 * 2),
        ("root", _u32),
        ("parent", _u32),
        ("children_len", _u16),
        ("pad", _u8 * 14),
    ]


class _IdleReply(ctypes.Structure):
    _fields_ = [
        ("head", _u32 * 2),
        ("saver_window", _u32),
        ("ms_until_saver", _u32),
        ("ms_since_input", _u32),
    ]


class _Monitor(ctypes.Structure):
    _fields_ = [
        ("name", _u32),
        ("primary", _u8),
        ("automatic", _u8),
        ("outputs", _u16),
        ("x", _i16),
        ("y", _i16),
        ("width", _u16),
        ("height", _u16),
        ("millimetres", _u32 * 2),
    ]


class _Monitors(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(_Monitor)), ("rem", ctypes.c_int), ("index", ctypes.c_int)]


class _Roots(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(_u32)), ("rem", ctypes.c_int), ("index", ctypes.c_int)]


_Signatures = dict[str, tuple[Any, list[Any]]]

_XCB: _Signatures = {
    "xcb_connect": (_pointer, [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)]),
    "xcb_connection_has_error": (ctypes.c_int, [_pointer]),
    "xcb_disconnect": (None, [_pointer]),
    "xcb_get_setup": (_pointer, [_pointer]),
    "xcb_setup_roots_iterator": (_Roots, [_pointer]),
    "xcb_intern_atom": (_Cookie, [_pointer, _u8, _u16, ctypes.c_char_p]),
    "xcb_intern_atom_reply": (ctypes.POINTER(_AtomReply), [_pointer, _Cookie, _pointer]),
    "xcb_get_property": (_Cookie, [_pointer, _u8, _u32, _u32, _u32, _u32, _u32]),
    "xcb_get_property_reply": (ctypes.POINTER(_PropertyReply), [_pointer, _Cookie, _pointer]),
    "xcb_get_property_value": (_pointer, [_pointer]),
    "xcb_get_geometry": (_Cookie, [_pointer, _u32]),
    "xcb_get_geometry_reply": (ctypes.POINTER(_GeometryReply), [_pointer, _Cookie, _pointer]),
    "xcb_translate_coordinates": (_Cookie, [_pointer, _u32, _u32, _i16, _i16]),
    "xcb_translate_coordinates_reply": (ctypes.POINTER(_TranslateReply), [_pointer, _Cookie, _pointer]),
    "xcb_get_window_attributes": (_Cookie, [_pointer, _u32]),
    "xcb_get_window_attributes_reply": (ctypes.POINTER(_AttributesReply), [_pointer, _Cookie, _pointer]),
    "xcb_query_tree": (_Cookie, [_pointer, _u32]),
    "xcb_query_tree_reply": (ctypes.POINTER(_TreeReply), [_pointer, _Cookie, _pointer]),
    "xcb_query_tree_children": (ctypes.POINTER(_u32), [_pointer]),
}
_RANDR: _Signatures = {
    "xcb_randr_get_monitors": (_Cookie, [_pointer, _u32, _u8]),
    "xcb_randr_get_monitors_reply": (_pointer, [_pointer, _Cookie, _pointer]),
    "xcb_randr_get_monitors_monitors_iterator": (_Monitors, [_pointer]),
    "xcb_randr_monitor_info_next": (None, [ctypes.POINTER(_Monitors)]),
}
_SAVER: _Signatures = {
    "xcb_screensaver_query_info": (_Cookie, [_pointer, _u32]),
    "xcb_screensaver_query_info_reply": (ctypes.POINTER(_IdleReply), [_pointer, _Cookie, _pointer]),
}


@cache
def _library(name: str) -> Any:
    """The library with the types of what is called, or None where it is not installed."""
    signatures = {"libxcb.so.1": _XCB, "libxcb-randr.so.0": _RANDR, "libxcb-screensaver.so.0": _SAVER}[name]
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    for each, (result, arguments) in signatures.items():
        function = getattr(library, each)
        function.restype, function.argtypes = result, arguments
    return library


@cache
def _libc() -> Any:
    libc = ctypes.CDLL(None)
    libc.free.argtypes = [_pointer]
    return libc


@contextmanager
def connected() -> Iterator[Display | None]:
    """The display of this process's environment; None without libxcb or where no X server listens."""
    xcb = _library("libxcb.so.1")
    if xcb is None:
        yield None
        return
    connection = xcb.xcb_connect(None, None)
    try:
        yield None if xcb.xcb_connection_has_error(connection) else Display(xcb, connection)
    finally:
        xcb.xcb_disconnect(connection)


class Display:
    """An open connection. Windows and atoms are numbers; 0 is none."""

    def __init__(self, xcb: Any, connection: int) -> None:
        self._xcb = xcb
        self._connection = connection
        self._atoms: dict[str, int] = {}
        self.root = int(xcb.xcb_setup_roots_iterator(xcb.xcb_get_setup(connection)).data[0])

    @contextmanager
    def _reply(self, request: str, *arguments: Any, library: Any = None) -> Iterator[Any]:
        """What the server answers, None for an error; freed afterwards."""
        library = library or self._xcb
        cookie = getattr(library, request)(self._connection, *arguments)
        reply = getattr(library, f"{request}_reply")(self._connection, cookie, None)
        try:
            yield reply or None
        finally:
            if reply:
                _libc().free(reply)

    def atom(self, name: str) -> int:
        """0 where nobody has ever named it."""
        if name not in self._atoms:
            text = name.encode()
            with self._reply("xcb_intern_atom", 1, len(text), text) as reply:
                self._atoms[name] = int(reply.contents.atom) if reply else 0
        return self._atoms[name]

    def _property(self, window: int, name: str, width: int) -> bytes | None:
        """The bytes of a property whose values have so many bits; None where there is none."""
        atom = self.atom(name)
        if not atom:
            return None
        with self._reply("xcb_get_property", 0, window, atom, _ANY_TYPE, 0, _MAX_LONGS) as reply:
            if not reply or reply.contents.format != width:
                return None
            size = reply.contents.value_len * width // 8
            return ctypes.string_at(self._xcb.xcb_get_property_value(reply), size)

    def numbers(self, window: int, name: str) -> list[int] | None:
        """The 32-bit values of a window's property; None where it has none."""
        found = self._property(window, name, 32)
        return None if found is None else memoryview(found).cast("I").tolist()

    def text(self, window: int, name: str) -> str:
        """A text property, its parts joined by spaces; empty where there is none."""
        found = self._property(window, name, 8) or b""
        return found.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")

    def box(self, window: int) -> Box | None:
        """Where a window is on the screen; None once it has gone."""
        with (
            self._reply("xcb_get_geometry", window) as size,
            self._reply("xcb_translate_coordinates", window, self.root, 0, 0) as place,
        ):
            if not size or not place:
                return None
            return Box(place.contents.x, place.contents.y, size.contents.width, size.contents.height)

    def children(self) -> list[int]:
        """The windows right under the root, from the bottom to the top."""
        with self._reply("xcb_query_tree", self.root) as reply:
            if not reply:
                return []
            return list(self._xcb.xcb_query_tree_children(reply)[: reply.contents.children_len])

    def is_unmanaged(self, window: int) -> bool:
        """Whether it shows something and is hidden from the window manager (override-redirect)."""
        with self._reply("xcb_get_window_attributes", window) as reply:
            if not reply:
                return False
            found = reply.contents
            shown = found.map_state == _VIEWABLE and found.window_class == _INPUT_OUTPUT
            return bool(shown and found.override_redirect)

    def monitors(self) -> list[Box]:
        """By RandR 1.5; else the whole screen."""
        found: list[Box] = []
        randr = _library("libxcb-randr.so.0")
        if randr is not None:
            with self._reply("xcb_randr_get_monitors", self.root, 1, library=randr) as reply:
                if reply:
                    each = randr.xcb_randr_get_monitors_monitors_iterator(reply)
                    while each.rem > 0:
                        monitor = each.data.contents
                        found.append(Box(monitor.x, monitor.y, monitor.width, monitor.height))
                        randr.xcb_randr_monitor_info_next(ctypes.byref(each))
        whole = self.box(self.root)
        return found or ([whole] if whole else [])

    def idle_ms(self) -> int | None:
        """Milliseconds since the last input, by the MIT-SCREEN-SAVER extension; None where it is missing.

        To be asked last: libxcb ends the connection of somebody who asks a server that lacks an extension.
        """
        saver = _library("libxcb-screensaver.so.0")
        if saver is None:
            return None
        with self._reply("xcb_screensaver_query_info", self.root, library=saver) as reply:
            return int(reply.contents.ms_since_input) if reply else None
