"""Where the video is drawn: the newest frame, the captions over it, and the poster before there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.style import text_format
from ui.style.theme import Scheme, Theme
from ui.widgets.themed import Themed

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QVideoFrame

CAPTION_SHARE = 22
"""A caption's letters are this part of the picture's height, and at least:"""
CAPTION_MIN_PX = 15
CAPTION_MAX_SHARE = 9
"""With large letters too, some lines must have room."""
CAPTION_WIDTH_SHARE = 0.86
HINT_MS = 1_400


class VideoSurface(Themed, QWidget):
    """Paints frames itself: captions lie over them on every platform, with and without OpenGL."""

    painted = Signal()
    """The surface is on the screen, with the poster at least. Each time it is painted before there is a frame."""
    first_frame = Signal()
    clicked = Signal()
    double_clicked = Signal()

    def __init__(self, poster: QImage, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._poster = poster
        self._frame: QVideoFrame | None = None
        self._caption = self._hint = ""
        self._covered = 0
        self._hint_ends = QTimer(self)
        self._hint_ends.setSingleShot(True)
        self._hint_ends.setInterval(HINT_MS)
        self._hint_ends.timeout.connect(lambda: self.show_hint(""))

    @property
    def caption(self) -> str:
        return self._caption

    def show_frame(self, frame: QVideoFrame) -> None:
        first = self._frame is None
        self._frame = frame
        if first:
            self.first_frame.emit()
        self.update()

    def set_caption(self, text: str) -> None:
        """What is said now."""
        if text != self._caption:
            self._caption = text
            self.setAccessibleDescription(text)
            self.update()

    def show_hint(self, text: str) -> None:
        """What a key has just done, for a moment."""
        self._hint = text
        if text:
            self._hint_ends.start()
        self.update()

    def set_covered(self, height: int) -> None:
        """So many pixels at the bottom lie under the controls: captions stay above them."""
        if height != self._covered:
            self._covered = height
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.double_clicked.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        image = self._frame.toImage() if self._frame is not None else self._poster
        picture = fitted(image.size(), self.rect())
        painter.drawImage(picture, image)
        clear = self.rect().adjusted(0, 0, 0, -self._covered)
        if self._caption:
            # Beside a narrow picture there is room too, and none is needed under a low one.
            self._paint_text(painter, clear, picture, self._caption, at_bottom=True)
        if self._hint:
            self._paint_text(painter, clear, picture, self._hint, at_bottom=False)
        painter.end()
        if self._frame is None:
            self.painted.emit()

    def _paint_text(
        self, painter: QPainter, clear: QRect, picture: QRect, text: str, *, at_bottom: bool
    ) -> None:
        font = QFont(self.font())
        font.setPixelSize(self._letters_px(picture.height()))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        width = round(clear.width() * CAPTION_WIDTH_SHARE)
        metrics = QFontMetrics(font)
        text = "\n".join(map(text_format.isolated, rewrapped(text, width, metrics).splitlines()))
        needed = metrics.boundingRect(QRect(0, 0, width, clear.height()), int(flags), text)
        box = QRectF(0, 0, needed.width() + metrics.height(), needed.height() + metrics.height() * 0.5)
        box.moveCenter(QRectF(clear).center())
        if at_bottom:
            box.moveBottom(min(picture.bottom(), clear.bottom()) - metrics.height() * 0.6)
            box.moveTop(max(box.top(), 0.0))
            box.moveBottom(min(box.bottom(), clear.bottom() - 2.0))
        else:
            box.moveTop(metrics.height() * 0.8)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        high = self._theme.scheme is Scheme.HIGH_CONTRAST
        painter.setPen(QPen(Qt.GlobalColor.white, 1) if high else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 255 if high else 200))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(Qt.GlobalColor.white)
        painter.drawText(box, int(flags), text)

    def _letters_px(self, picture_height: int) -> int:
        wanted = max(picture_height // CAPTION_SHARE, CAPTION_MIN_PX) * self._theme.text_scale
        return min(round(wanted), max(self.height() // CAPTION_MAX_SHARE, CAPTION_MIN_PX))


def rewrapped(text: str, width: int, metrics: QFontMetrics) -> str:
    """Lines that were broken for smaller letters run on where they do not fit; what two people say stays apart."""
    lines = text.splitlines()
    fit = all(metrics.horizontalAdvance(line) <= width for line in lines)
    return text if fit or any(line.startswith(("-", "\N{EN DASH}")) for line in lines) else " ".join(lines)


def fitted(size: QSize, area: QRect) -> QRect:
    """The largest place for a picture of this shape."""
    scaled = size.scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
    place = QRect(0, 0, scaled.width(), scaled.height())
    place.moveCenter(area.center())
    return place
