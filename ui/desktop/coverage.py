"""Whether a window of ours lies open on an X server: what stands above it, and the ends of the screen.

Qt tells that a window is exposed also where another one covers it: a compositor keeps what is beneath. Elsewhere than on X11
nobody can be asked, and what Qt tells stands.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from ui.desktop import xcb
from ui.desktop.xcb import Box, Display

OPEN_SHARE = 0.5
"""A window counts as open while more than this share of it can be seen."""


def is_open(window: int, margin: int) -> bool:
    """Whether more than half of a window can be seen. Without an answer of the X server it counts as open.

    Args:
        window: its number on the X server.
        margin: pixels on each side that show nothing, such as a shadow.
    """
    with xcb.connected() as display:
        if display is None:
            return True
        box = display.box(window)
        frame = display.top_of(window)
        stacked = display.children()
        if box is None or frame not in stacked:
            return True
        inner = Box(box.x + margin, box.y + margin, box.width - 2 * margin, box.height - 2 * margin)
        covers = _covers(display, stacked[stacked.index(frame) + 1 :], inner)
        return open_share(inner, display.monitors(), covers) > OPEN_SHARE


def open_share(box: Box, monitors: Iterable[Box], covers: Iterable[Box]) -> float:
    """How much of a box lies on a monitor and beneath nothing, from 0.0 to 1.0."""
    open_parts: list[Box] = []
    for monitor in monitors:
        # Mirrored monitors show the same part twice.
        shown = [box.overlap(monitor)]
        for known in open_parts:
            shown = [rest for part in shown for rest in part.without(known)]
        open_parts += shown
    for cover in covers:
        open_parts = [rest for part in open_parts for rest in part.without(cover)]
    return sum(part.area for part in open_parts) / box.area if box.area else 0.0


def _covers(display: Display, above: Iterable[int], box: Box) -> Iterable[Box]:
    for window in above:
        if not display.is_shown(window) or _is_own(display, window):
            continue
        place = display.box(window)
        if place is None or not place.common(box) or _is_of_the_compositor(display, window, place):
            continue
        yield from display.shape(window, place)


def _is_own(display: Display, window: int) -> bool:
    """A menu or a hint of ours."""
    return (display.numbers(window, "_NET_WM_PID") or [0])[0] == os.getpid()


def _is_of_the_compositor(display: Display, window: int, place: Box) -> bool:
    """What a compositor draws on has no class, covers a monitor, and shows what is beneath."""
    return (
        display.is_unmanaged(window)
        and not display.text(window, "WM_CLASS")
        and any(place.covers(monitor) for monitor in display.monitors())
    )
