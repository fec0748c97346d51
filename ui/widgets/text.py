"""Labels that show plain text as it is, however long, in a given width."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyle, QWidget

from ui.style import text_format
from ui.widgets.tooltips import plain_tip

LINE_HEIGHT = 1.16
"""Of wrapped text, as a multiple of the font's height."""


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
        return self._lay_out(width)[1] if self.text() else 0

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        width = (
            max((self.fontMetrics().horizontalAdvance(line) for line in self.text().splitlines()), default=0)
            + 2
        )
        return QSize(width, self.heightForWidth(max(width, 1)))

    def minimumSizeHint(self) -> QSize:
        return QSize(1, 0)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        paragraphs, height = self._lay_out(self.width())
        centred = bool(self.alignment() & Qt.AlignmentFlag.AlignVCenter)
        top = QPointF(0, max(self.height() - height, 0) / 2 if centred else 0)
        for paragraph in paragraphs:
            paragraph.draw(painter, top)
        painter.end()
        if self._max_lines is not None:
            self.setToolTip(plain_tip(self.text()))

    def _lay_out(self, width: int) -> tuple[list[QTextLayout], int]:
        """The paragraphs, each in the direction of its own first letter, and the height of all."""
        self.ensurePolished()
        paragraphs: list[QTextLayout] = []
        room = self._max_lines
        y = 0.0
        texts = self.text().split("\n")
        for number, text in enumerate(texts, start=1):
            paragraph = self._paragraph(text, width, y)
            if room is not None:
                is_cut = paragraph.lineCount() > room or (
                    paragraph.lineCount() == room and number < len(texts)
                )
                if is_cut:
                    paragraph = self._paragraph(self._cut(text, paragraph, room, width), width, y)
                room -= paragraph.lineCount()
            paragraphs.append(paragraph)
            last = paragraph.lineAt(paragraph.lineCount() - 1)
            y = last.y() + last.height() + self._leading()
            if room == 0:
                break
        return paragraphs, round(y - self._leading() + 0.5)

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
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, y))
            y += line.height() + self._leading()
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
