"""The few questions that we ask an X server, spoken to libxcb over a connection of our own.

Qt has loaded libxcb already. An error, such as that a window has just gone, is an answer in libxcb; in libX11 it would end
the process. A library that is not installed leaves its questions unanswered.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

_ANY_TYPE = 0
_MAX_LONGS = 1024
_INPUT_OUTPUT = 1
_VIEWABLE = 2
_CURRENT_TIME = 0
_REVERT_TO_PARENT = 2
_APPEND = 2
_ATOM = 4
_HEAD_BYTES = 32
"""Of every reply; its length field counts the words of four bytes that follow."""
_MONITOR_BYTES = 24
_BOUNDING = 0
_MOST_RECTANGLES = 200
_DEEPEST = 20
_SAVER_ON = 1
_DPMS_INFO = 7
_DPMS_MODE_ON = 0
_CHECKED = 1
_SPARE_PARTS = 2

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

    def overlap(self, other: Box) -> Box:
        """What lies in both; without area where nothing does."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        wide = min(self.x + self.width, other.x + other.width) - x
        high = min(self.y + self.height, other.y + other.height) - y
        return Box(x, y, max(wide, 0), max(high, 0))

    def common(self, other: Box) -> int:
        """How many pixels lie in both."""
        return self.overlap(other).area

    def without(self, other: Box) -> list[Box]:
        """What is left of it outside the other: above, below, left and right of it."""
        cut = self.overlap(other)
        if not cut.area:
            return [self]
        below, right = cut.y + cut.height, cut.x + cut.width
        parts = (
            Box(self.x, self.y, self.width, cut.y - self.y),
            Box(self.x, below, self.width, self.y + self.height - below),
            Box(self.x, cut.y, cut.x - self.x, cut.height),
            Box(right, cut.y, self.x + self.width - right, cut.height),
        )
        return [part for part in parts if part.area]

    def covers(self, other: Box) -> bool:
        return self.common(other) == other.area


class ScreenSaver(NamedTuple):
    """Whether the server has blanked the screen, and the milliseconds since the last input."""

    is_on: bool
    idle_ms: int


class _Cookie(ctypes.Structure):
    _fields_ = [("sequence", ctypes.c_uint)]


class _Part(ctypes.Structure):
    """An ``iovec``."""

    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class _Request(ctypes.Structure):
    """An ``xcb_protocol_request_t``."""

    _fields_ = [("count", ctypes.c_size_t), ("ext", _pointer), ("opcode", _u8), ("isvoid", _u8)]


class _Roots(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(_u32)), ("rem", ctypes.c_int), ("index", ctypes.c_int)]


_REQUESTS: dict[str, dict[str, list[Any]]] = {
    "libxcb.so.1": {
        "xcb_intern_atom": [_u8, _u16, ctypes.c_char_p],
        "xcb_get_property": [_u8, _u32, _u32, _u32, _u32, _u32],
        "xcb_get_geometry": [_u32],
        "xcb_translate_coordinates": [_u32, _u32, _i16, _i16],
        "xcb_get_window_attributes": [_u32],
        "xcb_query_tree": [_u32],
        "xcb_get_input_focus": [],
        "xcb_query_extension": [_u16, ctypes.c_char_p],
    },
    "libxcb-shape.so.0": {"xcb_shape_get_rectangles": [_u32, _u8]},
    "libxcb-randr.so.0": {"xcb_randr_get_monitors": [_u32, _u8]},
    "libxcb-screensaver.so.0": {"xcb_screensaver_query_info": [_u32]},
}
"""By library, each request with the types of its arguments after the connection."""


@cache
def _library(name: str) -> Any:
    """The library with the types of what is called, or None where it is not installed."""
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    for request, arguments in _REQUESTS[name].items():
        function, reply = getattr(library, request), getattr(library, f"{request}_reply")
        function.restype, function.argtypes = _Cookie, [_pointer, *arguments]
        reply.restype, reply.argtypes = _pointer, [_pointer, _Cookie, _pointer]
    return library


@cache
def _xcb() -> Any:
    xcb = _library("libxcb.so.1")
    if xcb is not None:
        xcb.xcb_connect.restype, xcb.xcb_connect.argtypes = _pointer, [ctypes.c_char_p, _pointer]
        xcb.xcb_connection_has_error.argtypes = [_pointer]
        xcb.xcb_disconnect.restype, xcb.xcb_disconnect.argtypes = None, [_pointer]
        xcb.xcb_set_input_focus.restype = _Cookie
        xcb.xcb_set_input_focus.argtypes = [_pointer, _u8, _u32, _u32]
        xcb.xcb_change_property.restype = _Cookie
        xcb.xcb_change_property.argtypes = [_pointer, _u8, _u32, _u32, _u32, _u8, _u32, ctypes.c_char_p]
        xcb.xcb_send_request.restype = ctypes.c_uint
        xcb.xcb_send_request.argtypes = [_pointer, ctypes.c_int, _pointer, ctypes.POINTER(_Request)]
        xcb.xcb_wait_for_reply.restype = _pointer
        xcb.xcb_wait_for_reply.argtypes = [_pointer, ctypes.c_uint, _pointer]
        xcb.xcb_get_setup.restype, xcb.xcb_get_setup.argtypes = _pointer, [_pointer]
        xcb.xcb_setup_roots_iterator.restype = _Roots
        xcb.xcb_setup_roots_iterator.argtypes = [_pointer]
    return xcb


@cache
def _libc() -> Any:
    libc = ctypes.CDLL(None)
    libc.free.restype, libc.free.argtypes = None, [_pointer]
    return libc


@contextmanager
def connected() -> Iterator[Display | None]:
    """The display of this process's environment; None without libxcb or where no X server listens."""
    xcb = _xcb()
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
        self._xcb, self._connection = xcb, connection
        self._atoms: dict[str, int] = {}
        self.root = int(xcb.xcb_setup_roots_iterator(xcb.xcb_get_setup(connection)).data[0])

    def _ask(self, request: str, *arguments: Any, library: str = "libxcb.so.1") -> bytes | None:
        """The whole reply as the protocol has it; None for an error, or where the library is missing."""
        called = _library(library)
        if called is None:
            return None
        cookie = getattr(called, request)(self._connection, *arguments)
        return self._taken(getattr(called, f"{request}_reply")(self._connection, cookie, None))

    def _ask_extension(self, name: str, minor_opcode: int) -> bytes | None:
        """The reply to a request without arguments of an extension whose library few computers have; None without it."""
        found = self._ask("xcb_query_extension", len(name), name.encode())
        present, major_opcode = struct.unpack_from("=8xBB", found) if found else (0, 0)
        if not present:
            return None
        # libxcb sets the opcode and the length, and uses the first two parts itself.
        parts = (_Part * (_SPARE_PARTS + 1))()
        parts[_SPARE_PARTS] = _Part(bytes((0, minor_opcode, 0, 0)), 4)
        first = ctypes.byref(parts, _SPARE_PARTS * ctypes.sizeof(_Part))
        request = _Request(1, None, major_opcode, 0)
        sequence = self._xcb.xcb_send_request(self._connection, _CHECKED, first, request)
        return self._taken(self._xcb.xcb_wait_for_reply(self._connection, sequence, None))

    @staticmethod
    def _taken(reply: int | None) -> bytes | None:
        """A reply's bytes; what libxcb holds of it is freed."""
        if not reply:
            return None
        try:
            (words,) = struct.unpack_from("=4xI", ctypes.string_at(reply, 8))
            return ctypes.string_at(reply, _HEAD_BYTES + 4 * words)
        finally:
            _libc().free(reply)

    def atom(self, name: str) -> int:
        """0 where nobody has ever named it."""
        if name not in self._atoms:
            text = name.encode()
            reply = self._ask("xcb_intern_atom", 1, len(text), text)
            self._atoms[name] = struct.unpack_from("=8xI", reply)[0] if reply else 0
        return self._atoms[name]

    def _property(self, window: int, name: str, width: int) -> bytes | None:
        """The bytes of a property whose values have so many bits; None where there is none."""
        atom = self.atom(name)
        if not atom:
            return None
        reply = self._ask("xcb_get_property", 0, window, atom, _ANY_TYPE, 0, _MAX_LONGS)
        if reply is None:
            return None
        width_found, values = struct.unpack_from("=xB14xI", reply)
        return reply[_HEAD_BYTES : _HEAD_BYTES + values * width // 8] if width_found == width else None

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
        size = self._ask("xcb_get_geometry", window)
        place = self._ask("xcb_translate_coordinates", window, self.root, 0, 0)
        if size is None or place is None:
            return None
        return Box(*struct.unpack_from("=12xhh", place), *struct.unpack_from("=16xHH", size))

    def children(self) -> list[int]:
        """The windows right under the root, from the bottom to the top."""
        reply = self._ask("xcb_query_tree", self.root)
        return memoryview(reply[_HEAD_BYTES:]).cast("I").tolist() if reply else []

    def top_of(self, window: int) -> int:
        """The window right under the root that holds this one, as a window manager's frame does; 0 once it has gone."""
        for _level in range(_DEEPEST):
            reply = self._ask("xcb_query_tree", window)
            parent = struct.unpack_from("=12xI", reply)[0] if reply else 0
            if parent == self.root:
                return window
            if not parent:
                break
            window = parent
        return 0

    def shape(self, window: int, box: Box) -> list[Box]:
        """What a window of this box shows of it; the whole box where its shape is not known, or of very many parts."""
        reply = self._ask("xcb_shape_get_rectangles", window, _BOUNDING, library="libxcb-shape.so.0")
        count = (len(reply) - _HEAD_BYTES) // 8 if reply else _MOST_RECTANGLES + 1
        if reply is None or count > _MOST_RECTANGLES:
            return [box]
        parts = (struct.unpack_from("=hhHH", reply, _HEAD_BYTES + 8 * number) for number in range(count))
        return [Box(box.x + x, box.y + y, width, height) for x, y, width, height in parts]

    def is_shown(self, window: int) -> bool:
        """Whether it is on the screen and shows something."""
        return self._attributes(window)[:2] == (_INPUT_OUTPUT, _VIEWABLE)

    def is_unmanaged(self, window: int) -> bool:
        """Whether it shows something and is hidden from the window manager (override-redirect)."""
        return self._attributes(window) == (_INPUT_OUTPUT, _VIEWABLE, 1)

    def _attributes(self, window: int) -> tuple[int, ...]:
        """Its class, its map state, and whether it is override-redirect; nothing once it has gone."""
        reply = self._ask("xcb_get_window_attributes", window)
        return struct.unpack_from("=12xH12xBB", reply) if reply else ()

    def input_focus(self) -> int:
        """The window that gets the keys; 0 where none does."""
        reply = self._ask("xcb_get_input_focus")
        return struct.unpack_from("=8xI", reply)[0] if reply else 0

    def set_input_focus(self, window: int) -> None:
        """Let a window get the keys, if it can be seen. Done when this returns."""
        self._xcb.xcb_set_input_focus(self._connection, _REVERT_TO_PARENT, window, _CURRENT_TIME)
        self.input_focus()

    def add_states(self, window: int, *names: str) -> None:
        """To those of a window that is not shown yet (EWMH, "_NET_WM_STATE"). Done when this returns."""
        atoms = [atom for atom in map(self.atom, names) if atom]
        property, content = self.atom("_NET_WM_STATE"), struct.pack(f"={len(atoms)}I", *atoms)
        if property and atoms:
            self._xcb.xcb_change_property(
                self._connection, _APPEND, window, property, _ATOM, 32, len(atoms), content
            )
            self.input_focus()

    def monitors(self) -> list[Box]:
        """By RandR 1.5; else the whole screen."""
        reply = self._ask("xcb_randr_get_monitors", self.root, 1, library="libxcb-randr.so.0")
        if reply is None:
            whole = self.box(self.root)
            return [whole] if whole else []
        found, at = [], _HEAD_BYTES
        while at < len(reply):
            outputs, *box = struct.unpack_from("=6xHhhHH", reply, at)
            found.append(Box(*box))
            at += _MONITOR_BYTES + 4 * outputs
        return found

    def is_asleep(self) -> bool:
        """Whether the server saves the monitors' power (DPMS: standby, suspend or off), so that they show nothing."""
        reply = self._ask_extension("DPMS", _DPMS_INFO)
        return reply is not None and struct.unpack_from("=8xH", reply)[0] != _DPMS_MODE_ON

    def screen_saver(self) -> ScreenSaver | None:
        """What the MIT-SCREEN-SAVER extension says; None where it is missing.

        To be asked last: libxcb ends the connection of somebody who asks a server that lacks an extension.
        """
        reply = self._ask("xcb_screensaver_query_info", self.root, library="libxcb-screensaver.so.0")
        if reply is None:
            return None
        state, idle_ms = struct.unpack_from("=xB14xI", reply)
        return ScreenSaver(state == _SAVER_ON, int(idle_ms))
