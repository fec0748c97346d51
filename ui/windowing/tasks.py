"""Slow work that a window asked for: its answer reaches the window if that is still open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtWidgets import QWidget

from agent.domain import errors
from ui.core.bridge import Bridge
from ui.windowing.registry import OpenWindows

T = TypeVar("T")
Problem = Callable[[str, str], object]
"""Shows a title and a message."""


class WindowWork:
    """All methods are called on the main thread."""

    def __init__(self, bridge: Bridge, windows: OpenWindows) -> None:
        self._bridge = bridge
        self._windows = windows

    def run(
        self,
        window: QWidget,
        work: Callable[[], T],
        done: Callable[[T], object],
        problem: Problem,
        name: str,
        *,
        tell_anyway: bool = False,
    ) -> None:
        """Do ``work`` on a worker; then, in the window, ``done`` with what it gave or ``problem`` with why not.

        ``tell_anyway``: neither ``done`` nor ``problem`` needs the window.
        """

        def is_open() -> bool:
            return self._windows.find(type(window)) is window

        def answer(result: T) -> None:
            if tell_anyway or is_open():
                done(result)

        def fail(fault: errors.TidingsError) -> None:
            if tell_anyway or is_open():
                problem(fault.title, fault.message)

        self._bridge.run_in_worker(work, answer, fail, name)
