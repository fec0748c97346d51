"""A press counts only where what it lands on has stood long enough to be meant (ADR 59)."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from resources.i18n import _
from ui.core.timers import Call, QtTimers, Timers
from ui.widgets.text import label

SETTLED_AFTER_MS = 1_000
"""Whoever clicks or types on in another program has seen by then that something else stands there."""
_LAST_MS = 100
"""The end of that time is waited for on its own: presses that queued up while the program was busy come before it."""
_HINT_GAP = 6

_POINTER = frozenset({QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TouchBegin})
_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Select})
_LETS_GO = frozenset({QEvent.Type.MouseButtonRelease, QEvent.Type.KeyRelease})


def settled_after_ms() -> int:
    """The one time, in milliseconds; longer for somebody whose double click is slow."""
    return max(SETTLED_AFTER_MS, 2 * QGuiApplication.styleHints().mouseDoubleClickInterval())


class PressGuard(QObject):
    """Takes presses away from what it guards until that has stood visible, in place and unchanged for the guard's time.

    A press that is taken away begins the time anew, so that a row of clicks ends before one of them counts, and a hint says
    so until presses count. A screen reader's own command to press a button is never taken away: it names the button.
    """

    settled = Signal()
    """From now on presses count."""
    _alive = False
    """Python may have freed what this has while Qt still sends it events."""

    def __init__(
        self,
        page: QWidget,
        *guarded: QWidget,
        timers: Timers | None = None,
        needs_front: bool = True,
        in_place: bool = True,
    ) -> None:
        """Guard what is on ``page``.

        Args:
            page: with it comes what is guarded; it says with ``begin()`` that it shows something else.
            guarded: buttons and switches; more with ``guard()``.
            timers: those of Qt where none are given.
            needs_front: whether a press counts only in the active window, which has been so for the guard's time.
            in_place: whether moving the page, or something on it, begins the time anew.
        """
        super().__init__(page)
        self._page = page
        self._timers = timers or QtTimers(self)
        self._needs_front = needs_front
        self._in_place = in_place
        self._waiting: Call | None = None
        self._new: set[QObject] = set()
        self._moved: set[QObject] = set()
        self._pressed: QObject | None = None
        self._hint: QLabel | None = None
        self._alive = True
        page.installEventFilter(self)
        self.guard(*guarded)

    def guard(self, *widgets: QWidget) -> None:
        """Guard these too. They have only just come."""
        for widget in widgets:
            widget.installEventFilter(self)
            self._begin(self._new, widget)

    def begin(self) -> None:
        """What is on the page is another thing than before."""
        self._pressed = None
        self._begin(self._new, self._page)

    def stop(self) -> None:
        """The page goes."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def takes(self, widget: QWidget, *, by_key: bool = True) -> bool:
        """Whether a press counts now; one that does not is told, and begins the time anew."""
        about = {self._page, widget}
        changed = self._new & about or (self in self._new if by_key else self._moved & about)
        if not changed and (self._page.isActiveWindow() or not self._needs_front):
            return True
        self.begin()
        self._say(widget)
        return False

    def _begin(self, changed: set[QObject], what: QObject) -> None:
        self.stop()
        changed.add(what)
        self._waiting = self._timers.after(settled_after_ms() - _LAST_MS, self._wait_for_the_last)

    def _wait_for_the_last(self) -> None:
        self._waiting = self._timers.after(_LAST_MS, self._settle)

    def _settle(self) -> None:
        self._waiting = None
        self._new.clear()
        self._moved.clear()
        if self._hint is not None:
            self._hint.hide()
        self.settled.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not self._alive:
            return False
        kind = event.type()
        if kind == QEvent.Type.Show:
            self._begin(self._new, watched)
        elif kind == QEvent.Type.Move and self._in_place:
            self._begin(self._moved, watched)
        elif kind == QEvent.Type.WindowActivate and watched is self._page:
            self._begin(self._new, watched if self._needs_front else self)
        elif isinstance(watched, QWidget) and watched is not self._page and _is_press(event):
            taken = self.takes(watched, by_key=kind == QEvent.Type.KeyPress)
            self._pressed = watched if taken else None
            return not taken
        elif kind in _LETS_GO and self._pressed is not watched and isinstance(watched, QAbstractButton):
            watched.setDown(False)  # What was pressed was something else.
        return False

    def _say(self, widget: QWidget) -> None:
        window = self._page.window()
        if self._hint is None or self._hint.parent() is not window:
            self._hint = label(_("One moment. This has only just come."), kind="hint")
            self._hint.setParent(window)
            self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        hint = self._hint
        hint.ensurePolished()
        hint.adjustSize()
        pressed = QRect(widget.mapTo(window, QPoint()), widget.size())
        layout = window.layout()
        room = window.rect()
        if layout is not None:
            room = room.marginsRemoved(layout.contentsMargins())
        below, above = pressed.bottom() + _HINT_GAP, pressed.top() - hint.height() - _HINT_GAP
        fits = below + hint.height() <= room.bottom()
        from_right = pressed.center().x() > room.center().x()
        x = pressed.right() - hint.width() if from_right else pressed.x()
        hint.move(max(x, room.x()), below if fits else max(above, room.y()))
        hint.raise_()
        hint.show()
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(hint, hint.text()))


def _is_press(event: QEvent) -> bool:
    if isinstance(event, QKeyEvent):
        return event.type() == QEvent.Type.KeyPress and event.key() in _KEYS
    return event.type() in _POINTER
