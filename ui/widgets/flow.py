"""A row that breaks its widgets into lines, and keeps the last ones at the right."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

Line = list[QWidget]


def measure_anew(widget: QWidget) -> None:
    """Let nothing in a widget remember the size of what it showed before.

    Qt tells a layout at once that one of its own widgets changed, and those around it only in the event loop's next turn.
    """
    for each in reversed(widget.findChildren(QWidget)):
        if (layout := each.layout()) is not None:
            layout.invalidate()
        each.updateGeometry()


class FlowRow(QWidget):
    """Widgets from left to right, a new line where the next does not fit.

    Those added by ``add_trailing`` stand together at the right end of the last line, or on a line of their own.
    A widget wider than the row is narrowed.
    """

    def __init__(self, spacing: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spacing = spacing
        self._leading: Line = []
        self._trailing: Line = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget, before: QWidget | None = None) -> None:
        """Add after the others, or before one of them; the Tab key follows that order."""
        place = self._leading.index(before) if before is not None else len(self._leading)
        self._leading.insert(place, widget)
        widget.setParent(self)
        if before is not None:
            self._order_tabs()
        widget.show()

    def add_trailing(self, widget: QWidget) -> None:
        """Add at the right end."""
        self._trailing.append(widget)
        widget.setParent(self)
        widget.show()

    def _order_tabs(self) -> None:
        for first, second in pairwise(self._leading + self._trailing):
            QWidget.setTabOrder(first, second)

    def drop(self, widget: QWidget) -> None:
        """Take a widget out and delete it."""
        self._leading.remove(widget)
        widget.hide()
        widget.deleteLater()

    def any_shown(self) -> bool:
        """Whether there is anything to see."""
        return bool(self._shown(self._leading) or self._shown(self._trailing))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(width, move=False)

    def sizeHint(self) -> QSize:
        hints = [widget.sizeHint() for widget in self._shown(self._leading) + self._shown(self._trailing)]
        margins = self.contentsMargins()
        width = sum(hint.width() for hint in hints) + self._spacing * max(len(hints) - 1, 0)
        return QSize(width + margins.left() + margins.right(), self._arrange(1 << 20, move=False))

    def minimumSizeHint(self) -> QSize:
        return QSize(64, 0)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._arrange(self.width(), move=True)
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(self.width(), move=True)

    def _shown(self, widgets: Line) -> Line:
        return [widget for widget in widgets if not widget.isHidden()]

    def _arrange(self, whole_width: int, *, move: bool) -> int:
        """Returns the height needed, margins included."""
        area = QRect(0, 0, whole_width, 0).marginsRemoved(self.contentsMargins())
        y = area.y()
        for line in self._lines(area.width()):
            height = max(widget.sizeHint().height() for widget in line)
            if move:
                self._place(line, area, y, height)
            y += height + self._spacing
        used = max(y - self._spacing - area.y(), 0)
        return used + self.contentsMargins().top() + self.contentsMargins().bottom()

    def _lines(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for widget in self._shown(self._leading):
            if lines and self._width([*lines[-1], widget]) <= width:
                lines[-1].append(widget)
            else:
                lines.append([widget])
        trailing = self._shown(self._trailing)
        if trailing and lines and self._width(lines[-1] + trailing) <= width:
            lines[-1] += trailing
        elif trailing:
            lines.append(trailing)
        return lines

    def _width(self, widgets: Line) -> int:
        return sum(widget.sizeHint().width() for widget in widgets) + self._spacing * max(len(widgets) - 1, 0)

    def _place(self, line: Line, area: QRect, y: int, height: int) -> None:
        trailing = [widget for widget in line if widget in self._trailing]
        x = area.x()
        for widget in line:
            if trailing and widget is trailing[0]:
                x = max(area.x() + area.width() - self._width(trailing), area.x())
            size = widget.sizeHint()
            width = min(size.width(), area.width())
            widget.setGeometry(x, y + (height - size.height()) // 2, width, size.height())
            x += width + self._spacing
