"""One window of a kind at a time: made when it is wanted, freed when it is closed, told what changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from ui.desktop import placement
from ui.style.app_icon import PREFERENCES_KEYS, application_icon
from ui.windowing import state_transfer

W = TypeVar("W", bound=QWidget)


@dataclass(frozen=True)
class _Recipe:
    """How a window is made, filled, and made again from one before."""

    make: Callable[[], Any] | None
    fill: Callable[[Any], None] | None = None
    resume: Callable[[Any, Any], None] | None = None


class OpenWindows(QObject):
    """All methods are called on the main thread."""

    preferences_wanted = Signal()
    """Their keys were pressed in a window."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._windows: dict[type[QWidget], QWidget] = {}
        self._recipes: dict[type[QWidget], _Recipe] = {}
        self._icon = application_icon()

    def show(
        self,
        kind: type[W],
        make: Callable[[], W],
        *,
        fill: Callable[[W], None] | None = None,
        resume: Callable[[W, W], None] | None = None,
        activate: bool = True,
        stays: bool = False,
    ) -> W:
        """Open a window, or bring the open one to the front. ``fill`` tells it what there is, now and at each change.

        ``resume`` gets a new one that speaks another language, and the one before, before the new one is filled.
        ``stays``: in the language in which it was opened, for what waits for an answer.
        """
        window = self.find(kind)
        if window is None:
            window = make()
            self._keep(kind, window)
            self._recipes[kind] = _Recipe(None if stays else make, fill, resume)
            if fill is not None:
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

    def replace(self, kind: type[W], make: Callable[[], W], *, activate: bool = True) -> W:
        """Open a new one in place of the one before. It stays in the language in which it was opened."""
        before = self._windows.pop(kind, None)
        if before is not None:
            before.close()
        return self.show(kind, make, activate=activate, stays=True)

    def refresh(self) -> None:
        """Something changed: fill all that are open anew."""
        for kind, recipe in list(self._recipes.items()):
            if recipe.fill is not None:
                recipe.fill(self._windows[kind])

    def retranslate(self) -> None:
        """The language is another one: make each open window again, as the person has it."""
        for kind, recipe in list(self._recipes.items()):
            before = self.find(kind)
            if before is not None and recipe.make is not None:
                self._make_again(kind, before, recipe.make(), recipe)

    def _make_again(self, kind: type[QWidget], before: QWidget, after: QWidget, recipe: _Recipe) -> None:
        active = before.isActiveWindow()
        before.blockSignals(True)
        self._keep(kind, after)
        if recipe.resume is not None:
            recipe.resume(after, before)
        if recipe.fill is not None:
            recipe.fill(after)
        after.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, not active)
        after.setWindowState(before.windowState() & ~Qt.WindowState.WindowActive)
        after.resize(before.size())
        after.move(before.pos())
        after.show()
        state_transfer.take_over(before, after)
        if active:
            after.activateWindow()
        before.hide()
        before.deleteLater()

    def close_all(self) -> None:
        for window in list(self._windows.values()):
            window.close()

    def _keep(self, kind: type[QWidget], window: QWidget) -> None:
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.setWindowIcon(self._icon)
        self._windows[kind] = window
        window.destroyed.connect(lambda: self._forget(kind, window))
        QShortcut(QKeySequence.StandardKey.Close, window).activated.connect(window.close)
        QShortcut(PREFERENCES_KEYS, window).activated.connect(self.preferences_wanted)

    def _forget(self, kind: type[QWidget], window: QWidget) -> None:
        """It was closed. Another of its kind may be open already."""
        if self._windows.get(kind) is window:
            self._windows.pop(kind)
            self._recipes.pop(kind, None)
