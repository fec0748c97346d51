"""One window of a kind at a time: made when it is wanted, freed when it is closed, told what changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from ui.desktop import placement
from ui.tray_icon import application_icon

W = TypeVar("W", bound=QWidget)


class OpenWindows(QObject):
    """All methods are called on the main thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._windows: dict[type[QWidget], QWidget] = {}
        self._fillers: dict[type[QWidget], Callable[[Any], None]] = {}
        self._icon = application_icon()

    def show(
        self,
        kind: type[W],
        make: Callable[[], W],
        *,
        fill: Callable[[W], None] | None = None,
        activate: bool = True,
    ) -> W:
        """Open a window, or bring the open one to the front. ``fill`` tells it what there is, now and at each change."""
        window = self.find(kind)
        if window is None:
            window = make()
            self._keep(kind, window)
            if fill is not None:
                self._fillers[kind] = fill
                fill(window)
            window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, not activate)
            window.show()
            window.move(
                placement.centred(
                    window.frameGeometry().size(), placement.active_screen().availableGeometry()
                )
            )
        if activate:
            window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
            window.raise_()
            window.activateWindow()
        return window

    def find(self, kind: type[W]) -> W | None:
        """The open window of a kind. One that was closed a moment ago, and is about to be freed, is none."""
        window = self._windows.get(kind)
        return window if isinstance(window, kind) and window.isVisible() else None

    def close(self, kind: type[QWidget]) -> None:
        """Close the window of a kind if it is open."""
        window = self._windows.get(kind)
        if window is not None:
            window.close()

    def replace(self, kind: type[W], make: Callable[[], W]) -> W:
        """Open a new one in place of the one before."""
        before = self._windows.pop(kind, None)
        if before is not None:
            before.close()
        return self.show(kind, make)

    def refresh(self) -> None:
        """Something changed: fill all that are open anew."""
        for kind, fill in list(self._fillers.items()):
            fill(self._windows[kind])

    def close_all(self) -> None:
        for window in list(self._windows.values()):
            window.close()

    def _keep(self, kind: type[QWidget], window: QWidget) -> None:
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.setWindowIcon(self._icon)
        self._windows[kind] = window
        window.destroyed.connect(lambda: self._forget(kind, window))

    def _forget(self, kind: type[QWidget], window: QWidget) -> None:
        """It was closed. Another of its kind may be open already."""
        if self._windows.get(kind) is window:
            self._windows.pop(kind)
            self._fillers.pop(kind, None)
