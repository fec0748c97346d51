"""Labels that show plain text as it is, however long, in a given width."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from ui.widgets.tips import plain_tip

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
        layout, height = self._lay_out(self.width())
        centred = bool(self.alignment() & Qt.AlignmentFlag.AlignVCenter)
        layout.draw(painter, QPointF(0, max(self.height() - height, 0) / 2 if centred else 0))
        painter.end()
        if self._max_lines is not None:
            self.setToolTip(plain_tip(self.text()))

    def _lay_out(self, width: int) -> tuple[QTextLayout, int]:
        self.ensurePolished()
        text = self.text().replace("\n", "\N{LINE SEPARATOR}")
        layout = self._lines(text, width)
        if self._max_lines is not None and layout.lineCount() > self._max_lines:
            start = layout.lineAt(self._max_lines - 1).textStart()
            rest = self.fontMetrics().elidedText(text[start:], Qt.TextElideMode.ElideRight, width)
            layout = self._lines(text[:start] + rest, width)
        last = layout.lineAt(layout.lineCount() - 1)
        return layout, round(last.y() + last.height() + 0.5)

    def _lines(self, text: str, width: int) -> QTextLayout:
        layout = QTextLayout(text, self.font())
        option = QTextOption(self.alignment())
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.setFormats(self._bold_ranges(text))
        leading = self.fontMetrics().height() * (LINE_HEIGHT - 1)
        y = 0.0
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
