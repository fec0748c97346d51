"""What an X server and its window manager say of the person: full screen, idle, and lockers that only cover the screen.

Sources: EWMH (_NET_CLIENT_LIST_STACKING, _NET_WM_STATE, _NET_WM_DESKTOP, _NET_WM_WINDOW_TYPE), RandR 1.5 for the monitors,
the MIT-SCREEN-SAVER extension for the time since the last input and a blanked screen, DPMS for monitors that sleep,
xscreensaver's property on the root window.

A full-screen window counts on any monitor, not only where the keyboard is: a presentation on the projector goes on while its
notes have the focus. It does not count while hidden, on another workspace, or behind a window that covers half of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from agent.domain.model import Tristate
from ui.desktop import xcb
from ui.desktop.xcb import Box, Display

_ALL_WORKSPACES = 0xFFFFFFFF
_FURNITURE = ("_NET_WM_WINDOW_TYPE_DESKTOP", "_NET_WM_WINDOW_TYPE_DOCK")
_COVERED_SHARE = 0.5
LOCKERS = ("i3lock", "xsecurelock", "xtrlock")
"""Classes of programs that lock by covering the screen and tell nobody."""


@dataclass(frozen=True)
class Screen:
    """``idle_ms`` is the time since the last input; None where unknown. A screen blanked or asleep shows nothing."""

    full_screen: Tristate = Tristate.UNKNOWN
    locked: Tristate = Tristate.UNKNOWN
    idle_ms: int | None = None
    is_blanked: bool = False


@dataclass(frozen=True)
class _Window:
    box: Box
    full_screen: bool
    wm_class: str = ""


def look(own_pid: int | None = None) -> Screen:
    """Unknown without X and on Wayland, where an X server (XWayland) knows its own windows and input only.

    Args:
        own_pid: the process whose windows do not count, such as the emergency's cover; None for this one.
    """
    on_wayland = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland"
    if on_wayland or not os.environ.get("DISPLAY"):
        return Screen()
    with xcb.connected() as display:
        return Screen() if display is None else _Look(display, own_pid or os.getpid()).screen()


class _Look:
    """One look at all windows."""

    def __init__(self, display: Display, own_pid: int) -> None:
        self._display = display
        self._own_pid = own_pid
        self._monitors = display.monitors()

    def screen(self) -> Screen:
        covers = self._unmanaged()
        locked = self._locked(covers)
        full_screen, is_asleep = self._full_screen(covers), self._display.is_asleep()
        saver = self._display.screen_saver()
        if saver is None:
            return Screen(full_screen, locked, is_blanked=is_asleep)
        return Screen(full_screen, locked, saver.idle_ms, saver.is_on or is_asleep)

    def _full_screen(self, covers: list[_Window]) -> Tristate:
        if covers:
            return Tristate.YES
        windows = self._managed()
        if windows is None:
            return Tristate.UNKNOWN
        for place, window in enumerate(windows):
            if window.full_screen and not any(
                above.box.common(window.box) >= _COVERED_SHARE * window.box.area
                for above in windows[place + 1 :]
            ):
                return Tristate.YES
        return Tristate.NO

    def _managed(self) -> list[_Window] | None:
        """What can be seen of the windows that the window manager knows, from the bottom to the top; None without one."""
        display = self._display
        if display.numbers(display.root, "_NET_SUPPORTING_WM_CHECK") is None:
            return None
        # xfwm4 names the stacking only once a window was raised, and dwm never.
        lists = (display.numbers(display.root, f"_NET_CLIENT_LIST{end}") for end in ("_STACKING", ""))
        workspace = display.numbers(display.root, "_NET_CURRENT_DESKTOP")
        found = []
        for window in next((each for each in lists if each), []):
            on = display.numbers(window, "_NET_WM_DESKTOP")
            if workspace and on and on[0] not in (workspace[0], _ALL_WORKSPACES):
                continue
            states = display.numbers(window, "_NET_WM_STATE") or []
            if display.atom("_NET_WM_STATE_HIDDEN") in states or self._is_aside(window):
                continue
            box = display.box(window)
            if box is not None and any(box.common(monitor) for monitor in self._monitors):
                found.append(_Window(box, display.atom("_NET_WM_STATE_FULLSCREEN") in states))
        return found

    def _unmanaged(self) -> list[_Window]:
        """What covers a monitor past the window manager: games, screen lockers.

        Only windows with a class: a compositor's own covers have none.
        """
        display = self._display
        found = []
        for window in display.children():
            if not display.is_unmanaged(window):
                continue
            box = display.box(window)
            if box is None or not any(box.covers(monitor) for monitor in self._monitors):
                continue
            wm_class = display.text(window, "WM_CLASS")
            if wm_class and not self._is_aside(window):
                found.append(_Window(box, True, wm_class))
        return found

    def _is_aside(self, window: int) -> bool:
        """Our own, or a part of the desktop itself."""
        display = self._display
        if (display.numbers(window, "_NET_WM_PID") or [0])[0] == self._own_pid:
            return True
        kinds = display.numbers(window, "_NET_WM_WINDOW_TYPE") or []
        return any(display.atom(name) in kinds for name in _FURNITURE)

    def _locked(self, covers: list[_Window]) -> Tristate:
        if any(locker in cover.wm_class for locker in LOCKERS for cover in covers):
            return Tristate.YES
        display = self._display
        status = display.numbers(display.root, "_SCREENSAVER_STATUS")
        # A daemon that was killed leaves its last words behind, but no window.
        if not status or not any(display.text(each, "_SCREENSAVER_VERSION") for each in display.children()):
            return Tristate.UNKNOWN
        return Tristate.YES if status[0] and status[0] == display.atom("LOCK") else Tristate.NO
