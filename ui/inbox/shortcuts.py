"""Which of the inbox's commands a key is; told to the person by ``ui.inbox.keys``."""

from __future__ import annotations

from enum import Enum, auto

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent


class InboxCommand(Enum):
    """What the person can ask of the inbox by a key."""

    NEXT = auto()
    PREVIOUS = auto()
    NEXT_UNREAD = auto()
    PREVIOUS_UNREAD = auto()
    READ_ON = auto()
    MARK_READ = auto()
    MARK_UNREAD = auto()
    MARK_ALL_READ = auto()
    UNDO = auto()
    LIKE = auto()
    REMIND = auto()
    SEARCH = auto()
    KEYS = auto()
    STEP_BACK = auto()


PLAIN = {
    Qt.Key.Key_J: InboxCommand.NEXT,
    Qt.Key.Key_K: InboxCommand.PREVIOUS,
    Qt.Key.Key_N: InboxCommand.NEXT_UNREAD,
    Qt.Key.Key_P: InboxCommand.PREVIOUS_UNREAD,
    Qt.Key.Key_O: InboxCommand.READ_ON,
    Qt.Key.Key_R: InboxCommand.MARK_READ,
    Qt.Key.Key_U: InboxCommand.MARK_UNREAD,
    Qt.Key.Key_L: InboxCommand.LIKE,
    Qt.Key.Key_B: InboxCommand.REMIND,
    Qt.Key.Key_Slash: InboxCommand.SEARCH,
    Qt.Key.Key_Question: InboxCommand.KEYS,
    Qt.Key.Key_F1: InboxCommand.KEYS,
    Qt.Key.Key_Escape: InboxCommand.STEP_BACK,
}
WITH_CONTROL = {Qt.Key.Key_F: InboxCommand.SEARCH, Qt.Key.Key_Z: InboxCommand.UNDO}

_WHILE_TYPING = (Qt.Key.Key_Escape, Qt.Key.Key_F1)
_ONCE = (InboxCommand.LIKE, InboxCommand.KEYS)
"""Holding the key does it once."""
_UNCHANGED = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


def command(event: QKeyEvent, *, typing: bool) -> InboxCommand | None:
    """What the key asks for, None for nothing. What is typed into the search (``typing``) is no command."""
    key = Qt.Key(event.key())
    if event.modifiers() == Qt.KeyboardModifier.ControlModifier:
        return WITH_CONTROL.get(key)
    if event.modifiers() & ~_UNCHANGED or (typing and key not in _WHILE_TYPING):
        return None
    if key == Qt.Key.Key_R and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        return InboxCommand.MARK_ALL_READ
    found = PLAIN.get(key)
    return None if event.isAutoRepeat() and found in _ONCE else found
