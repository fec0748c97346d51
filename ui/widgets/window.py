"""A window whose content has one width and is scrolled where the screen is too small for it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.style.theme import Theme

WIDTH = 520
MARGINS = (30, 26, 30, 26)
MAX_WIDTH_SCALE = 1.6
SCREEN_SHARE = 0.92


class ContentWindow(QWidget):
    """Esc closes it. ``width`` is in the design's pixels; lay the content out in ``content``."""

    def __init__(self, theme: Theme, title: str, *, width: int = WIDTH) -> None:
        super().__init__()
        self._theme = theme
        self._design_width = width
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self._scroll = QScrollArea()
        self._scroll.setProperty("kind", "plain")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inner = QWidget()
        self.content = QVBoxLayout(self._inner)
        left, top, right, bottom = (theme.px(margin) for margin in MARGINS)
        self.content.setContentsMargins(left, top, right, bottom)
        self.content.setSpacing(0)
        self._scroll.setWidget(self._inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._scroll)

    def button_row(self, *buttons: QWidget) -> QHBoxLayout:
        """Buttons at the right edge."""
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(10))
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        return row

    def fit(self) -> None:
        """Take the height that the content needs, as far as the screen has it."""
        self.ensurePolished()
        room = self.screen().availableGeometry()
        width = window_width(self._theme, self._design_width)
        self.content.invalidate()
        self.content.activate()
        needed = self.content.totalHeightForWidth(width)
        if needed < 0:
            needed = self.content.totalSizeHint().height()
        self._inner.setMinimumHeight(needed)
        self.setFixedWidth(width)
        self.resize(width, min(needed, round(room.height() * SCREEN_SHARE)))

    def sizeHint(self) -> QSize:
        return self.size()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif self._scroll.isAncestorOf(self.focusWidget() or self):
            super().keyPressEvent(event)
        else:
            self._scroll.verticalScrollBar().event(event)


def window_width(theme: Theme, design_width: int = WIDTH) -> int:
    """A window's width with the person's text size, at most the screen's, in device-independent pixels."""
    screen = QGuiApplication.primaryScreen().availableGeometry().width()
    return min(round(design_width * min(theme.text_scale, MAX_WIDTH_SCALE)), screen)


def content_width(theme: Theme, design_width: int = WIDTH) -> int:
    """The width between a window's margins."""
    return window_width(theme, design_width) - theme.px(MARGINS[0]) - theme.px(MARGINS[2])


def line(kind: str = "line") -> QFrame:
    """A separating line; "column-line" stands between two columns."""
    result = QFrame()
    result.setProperty("kind", kind)
    return result
