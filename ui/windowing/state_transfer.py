"""One window made again in another language: what the person did in the one before goes on in the new one."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractScrollArea, QLineEdit, QWidget


def twins(before: QWidget, after: QWidget) -> Iterator[tuple[QWidget, QWidget]]:
    """The widgets of two windows of one kind that stand at the same place."""
    yield before, after
    for one, other in zip(_children(before), _children(after), strict=False):
        if type(one) is type(other):
            yield from twins(one, other)


def take_over(before: QWidget, after: QWidget) -> None:
    """Typed text, the place scrolled to, and the keyboard's place. Both windows are shown."""
    had_keyboard = before.focusWidget()
    for one, other in twins(before, after):
        if isinstance(one, QLineEdit) and isinstance(other, QLineEdit) and one.text() != other.text():
            other.setText(one.text())
            other.setCursorPosition(one.cursorPosition())
        if isinstance(one, QAbstractScrollArea) and isinstance(other, QAbstractScrollArea):
            other.verticalScrollBar().setValue(one.verticalScrollBar().value())
        if one is had_keyboard:
            other.setFocus()


def _children(widget: QWidget) -> list[QWidget]:
    return widget.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
