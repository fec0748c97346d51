"""Labels that show plain text as it is, however long, in a given width."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from cachetools import LRUCache
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyle, QWidget

from ui.style import text_format
from ui.widgets.tooltips import plain_tip

LINE_HEIGHT = 1.16
"""Of wrapped text, as a multiple of the font's height."""
_WIDTHS = 8
"""So many widths a layout asks about before it decides."""


class _Placed(NamedTuple):
    """A paragraph as it is shown, and from where to where it goes, in pixels below the text's top."""

    text: str
    top: float
    bottom: float


class _Measured(NamedTuple):
    paragraphs: list[_Placed]
    height: int


def label(
    text: str = "", *, kind: str = "", tone: str = "", wrap: bool = False, parent: QWidget | None = None
) -> QLabel:
    """A plain text label; ``kind`` and ``tone`` are those of the style sheet."""
    result = WrappedLabel(parent) if wrap else QLabel(parent)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setProperty("kind", kind)
    result.setProperty("tone", tone)
    result.setText(text)
    return result


class WrappedLabel(QLabel):
    """Wraps anywhere where it must: QLabel's own wrapping lets one long word run out of the window.

    With ``max_lines`` the last line ends in "…", and the whole text is the tool tip.
    """

    def __init__(self, parent: QWidget | None = None, *, max_lines: int | None = None) -> None:
        super().__init__(parent)
        self._max_lines = max_lines
        self._strong = ""
        self._measured = LRUCache[Hashable, _Measured](_WIDTHS)
        self.setTextFormat(Qt.TextFormat.PlainText)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_strong(self, part: str) -> None:
        """Set a part of the text in bold."""
        self._strong = part
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._measure(width).height if self.text() else 0

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        width = (
            max((self.fontMetrics().horizontalAdvance(line) for line in self.text().splitlines()), default=0)
            + 2
        )
        return QSize(width, self.heightForWidth(max(width, 1)))

    def minimumSizeHint(self) -> QSize:
        return QSize(1, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        paragraphs, height = self._measure(self.width())
        centred = bool(self.alignment() & Qt.AlignmentFlag.AlignVCenter)
        top = max(self.height() - height, 0) / 2 if centred else 0
        shown = event.rect()
        for placed in paragraphs:
            if top + placed.bottom >= shown.top() and top + placed.top <= shown.bottom() + 1:
                self._paragraph(placed.text, self.width(), placed.top).draw(painter, QPointF(0, top))
        painter.end()
        if self._max_lines is not None:
            self.setToolTip(plain_tip(self.text()))

    def _measure(self, width: int) -> _Measured:
        """The paragraphs and the height of all; a long text is laid out once for each width, as that takes a while."""
        self.ensurePolished()
        key = (width, self.text(), self._strong, self.font().key())
        measured = self._measured.get(key)
        if measured is None:
            measured = self._measured[key] = self._lay_out(width)
        return measured

    def _lay_out(self, width: int) -> _Measured:
        """Each paragraph in the direction of its own first letter."""
        paragraphs: list[_Placed] = []
        room = self._max_lines
        leading = self._leading()
        y = 0.0
        texts = self.text().split("\n")
        for number, text in enumerate(texts, start=1):
            paragraph = self._paragraph(text, width, y)
            if room is not None:
                is_cut = paragraph.lineCount() > room or (
                    paragraph.lineCount() == room and number < len(texts)
                )
                if is_cut:
                    text = self._cut(text, paragraph, room, width)
                    paragraph = self._paragraph(text, width, y)
                room -= paragraph.lineCount()
            last = paragraph.lineAt(paragraph.lineCount() - 1)
            bottom = last.y() + last.height()
            paragraphs.append(_Placed(text, y, bottom))
            y = bottom + leading
            if room == 0:
                break
        return _Measured(paragraphs, round(y - leading + 0.5))

    def _cut(self, text: str, paragraph: QTextLayout, lines: int, width: int) -> str:
        """The text so that it ends in "…" within so many lines."""
        start = paragraph.lineAt(lines - 1).textStart()
        rest = text[start:]
        shown = self.fontMetrics().elidedText(rest, Qt.TextElideMode.ElideRight, width)
        if shown == rest:
            shown = self.fontMetrics().elidedText(f"{rest}…", Qt.TextElideMode.ElideRight, width)
        return text[:start] + shown

    def _leading(self) -> float:
        return self.fontMetrics().height() * (LINE_HEIGHT - 1)

    def _paragraph(self, text: str, width: int, y: float) -> QTextLayout:
        layout = QTextLayout(text, self.font())
        to_left = text_format.is_right_to_left(text)
        direction = Qt.LayoutDirection.RightToLeft if to_left else Qt.LayoutDirection.LeftToRight
        option = QTextOption(QStyle.visualAlignment(direction, self.alignment()))
        option.setTextDirection(direction)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.setFormats(self._bold_ranges(text))
        leading = self._leading()
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, y))
            y += line.height() + leading
        layout.endLayout()
        return layout

    def _bold_ranges(self, text: str) -> list[QTextLayout.FormatRange]:
        start = text.find(self._strong) if self._strong else -1
        if start < 0:
            return []
        bold = QTextLayout.FormatRange()
        bold.start, bold.length = start, len(self._strong)
        bold.format.setFontWeight(QFont.Weight.Bold)
        return [bold]
