"""A long text."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QKeySequence,
    QTextBlockFormat,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextEdit

from resources.i18n import _
from ui.style.theme import Theme

LINE_HEIGHT_PERCENT = 118


class BodyText(QTextEdit):
    """Plain text that can be selected and copied, as high as it needs. ``max_width`` is in the design's pixels."""

    height_changed = Signal()

    def __init__(self, theme: Theme, *, max_width: int) -> None:
        super().__init__()
        self.setProperty("kind", "text")
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setTabChangesFocus(True)
        self.setAccessibleName(_("Text"))
        self.setMaximumWidth(theme.px(max_width))
        self.document().setDocumentMargin(0)
        self.viewport().setAutoFillBackground(False)
        self.document().documentLayout().documentSizeChanged.connect(self.fit)

    def show_text(self, text: str) -> None:
        """Plain text: nothing in it is read as markup."""
        self.setPlainText(text)
        spacing = QTextBlockFormat()
        spacing.setLineHeight(LINE_HEIGHT_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(spacing)

    def fit(self) -> None:
        """Take the height of the text at this width."""
        needed = round(self.document().size().height()) + 2
        if needed != self.height():
            self.setFixedHeight(needed)
            self.height_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copying works; the other keys scroll what the text lies in."""
        if event.matches(QKeySequence.StandardKey.Copy) or event.matches(QKeySequence.StandardKey.SelectAll):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
