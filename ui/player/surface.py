"""Where the video is drawn: the newest frame, the captions over it, and what is shown instead when there is none."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtMultimedia import QVideoFrame, QVideoSink
from PySide6.QtWidgets import QSizePolicy, QWidget

CAPTION_SHARE = 22
"""A caption's letters are this part of the picture's height, and at least:"""
CAPTION_MIN_PX = 15
CAPTION_WIDTH_SHARE = 0.86


class VideoSurface(QWidget):
    """Paints frames itself: captions lie over them on every platform, with and without OpenGL."""

    first_frame = Signal()
    clicked = Signal()
    double_clicked = Signal()

    def __init__(self, poster: QImage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.sink = QVideoSink(self)
        self.sink.videoFrameChanged.connect(self._on_frame)
        self._poster = poster
        self._frame = QVideoFrame()
        self._caption = ""
        self._message = ""
        self._covered = 0
        self._shown_one = False

    @property
    def frame_size(self) -> QSize:
        """Of the video, in its own pixels; empty before the first frame."""
        return self._frame.size() if self._shown_one else QSize()

    def set_caption(self, text: str) -> None:
        """What is said now."""
        if text != self._caption:
            self._caption = text
            self.setAccessibleDescription(text)
            self.update()

    def set_covered(self, height: int) -> None:
        """So many pixels at the bottom lie under the controls: captions stay above them."""
        if height != self._covered:
            self._covered = height
            self.update()

    def show_message(self, message: str) -> None:
        """A sentence over the poster, in place of the video."""
        self._message = message
        self.setAccessibleDescription(message)
        self.update()

    def _on_frame(self, frame: QVideoFrame) -> None:
        if not frame.isValid():
            return
        self._frame = frame
        if not self._shown_one:
            self._shown_one = True
            self.first_frame.emit()
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
        if self._shown_one and not self._message:
            picture = self._fitted(self._frame.size())
            painter.drawImage(picture, self._frame.toImage())
        else:
            picture = self._fitted(self._poster.size())
            painter.drawImage(picture, self._poster)
        if self._message:
            painter.fillRect(self.rect(), QColor(0, 0, 0, 190))
            self._paint_text(painter, self.rect(), self._message, Qt.AlignmentFlag.AlignCenter)
        elif self._caption:
            clear = picture.intersected(self.rect().adjusted(0, 0, 0, -self._covered))
            self._paint_text(painter, clear, self._caption, Qt.AlignmentFlag.AlignBottom)
        painter.end()

    def _fitted(self, size: QSize) -> QRect:
        """The largest place for a picture of this shape."""
        fitted = size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, fitted.width(), fitted.height())
        place.moveCenter(self.rect().center())
        return place

    def _paint_text(self, painter: QPainter, area: QRect, text: str, place: Qt.AlignmentFlag) -> None:
        font = QFont(self.font())
        font.setPixelSize(max(area.height() // CAPTION_SHARE, CAPTION_MIN_PX))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        width = round(area.width() * CAPTION_WIDTH_SHARE)
        metrics = QFontMetrics(font)
        needed = metrics.boundingRect(QRect(0, 0, width, area.height()), int(flags), text)
        box = QRectF(0, 0, needed.width() + metrics.height(), needed.height() + metrics.height() * 0.5)
        box.moveCenter(QRectF(area).center())
        if place is Qt.AlignmentFlag.AlignBottom:
            box.moveBottom(area.bottom() - metrics.height() * 0.8)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 200))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(Qt.GlobalColor.white)
        painter.drawText(box, int(flags), text)
