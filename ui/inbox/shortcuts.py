"""Which of the window's commands a key is; told to the person by ``ui.inbox.keys``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from ui.inbox.window import InboxWindow

Command = Callable[[], None]

_WHILE_TYPING = (Qt.Key.Key_Escape, Qt.Key.Key_F1)
_ONCE = (Qt.Key.Key_L, Qt.Key.Key_Question, Qt.Key.Key_F1)
_UNCHANGED = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


def command(window: InboxWindow, event: QKeyEvent) -> Command | None:
    """What the key does, None for nothing. What is typed into the search is no command."""
    key = Qt.Key(event.key())
    if event.modifiers() == Qt.KeyboardModifier.ControlModifier:
        return {Qt.Key.Key_F: window.start_search, Qt.Key.Key_Z: window.undo}.get(key)
    if event.modifiers() & ~_UNCHANGED or (window.search.hasFocus() and key not in _WHILE_TYPING):
        return None
    if key == Qt.Key.Key_R and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        return window.mark_all_read
    if event.isAutoRepeat() and key in _ONCE:
        return None
    return _plain(window).get(key)


def _plain(window: InboxWindow) -> dict[Qt.Key, Command]:
    return {
        Qt.Key.Key_J: lambda: window.list.step(1),
        Qt.Key.Key_K: lambda: window.list.step(-1),
        Qt.Key.Key_N: lambda: window.list.step_to_unread(1),
        Qt.Key.Key_P: lambda: window.list.step_to_unread(-1),
        Qt.Key.Key_O: window.list.enter,
        Qt.Key.Key_R: lambda: window.mark(True),
        Qt.Key.Key_U: lambda: window.mark(False),
        Qt.Key.Key_L: window.toggle_like,
        Qt.Key.Key_B: window.offer_reminder,
        Qt.Key.Key_Slash: window.start_search,
        Qt.Key.Key_Question: window.toggle_keys,
        Qt.Key.Key_F1: window.toggle_keys,
        Qt.Key.Key_Escape: window.step_back,
    }
