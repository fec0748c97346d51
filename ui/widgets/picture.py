"""A campaign's picture, or a video's poster with its play button."""

from __future__ import annotations

from enum import Enum
from io import FileIO
from pathlib import Path

from PySide6.QtCore import QByteArray, QFile, QIODevice, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QImageReader,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QWidget

from resources.i18n import _
from ui.style.theme import Theme, mix
from ui.widgets import icons
from ui.widgets.icons import Glyph
from ui.widgets.themed import Themed
from ui.widgets.tooltips import plain_tip

PLAY_SIDE = 56
MAX_PIXELS = 40_000_000
FORMATS = {b"\x89PNG": b"png", b"\xff\xd8\xff": b"jpeg", b"RIFF": b"webp"}


class Fit(Enum):
    """How a picture fills its room: COVER cuts off what is over, CONTAIN shows all of it."""

    COVER = "cover"
    CONTAIN = "contain"


def read_picture(path: Path, wanted: QSize) -> QImage:
    """A picture file, at most about ``wanted`` pixels large. A null image when it cannot be read as PNG, JPEG or WebP.

    The format is set from the first bytes, so that no other decoder of Qt's ever sees the file.
    """
    try:
        with path.open("rb", buffering=0) as file:
            return _read_open(file, wanted)
    except OSError:
        return QImage()


def _read_open(file: FileIO, wanted: QSize) -> QImage:
    """The open file, not its name: Qt finds no name that is not UTF-8."""
    head = file.read(4)
    kind = next((name for magic, name in FORMATS.items() if head.startswith(magic)), None)
    device = QFile()
    file.seek(0)
    if kind is None or not device.open(file.fileno(), QIODevice.OpenModeFlag.ReadOnly):
        return QImage()
    reader = QImageReader(device, QByteArray(kind))
    reader.setAutoDetectImageFormat(False)
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MAX_PIXELS:
        return QImage()
    if size.width() > wanted.width() and size.height() > wanted.height():
        reader.setScaledSize(size.scaled(wanted, Qt.AspectRatioMode.KeepAspectRatioByExpanding))
    return reader.read()


class PlayButton(QAbstractButton):
    """The round button on a poster, in the same colours whatever the theme."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(_("Watch the video"))
        self.setToolTip(_("Watch the video"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(theme.px(PLAY_SIDE), theme.px(PLAY_SIDE))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click is one press."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dark_sign = "#0B4F49" if self.hasFocus() or self.underMouse() else "#0F766E"
        painter.setPen(QPen(QColor("#FFFFFF"), 3) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(255, 255, 255, 240))
        disc = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        painter.drawEllipse(disc)
        if self.hasFocus():
            painter.setPen(QPen(QColor(dark_sign), 2))
            painter.drawEllipse(disc.adjusted(3, 3, -3, -3))
        side = disc.width() * 0.52
        area = QRectF(disc.center().x() - side / 2 - side * 0.03, disc.center().y() - side / 2, side, side)
        icons.paint(painter, Glyph.PLAY, area, dark_sign)
        painter.end()


class Picture(Themed, QWidget):
    """Shows one picture in the place it is given.

    ``radius`` rounds all corners, or none with 0. A file that is missing or unreadable gives a calm tinted ground.
    """

    watch_clicked = Signal()

    def __init__(
        self, theme: Theme, *, fit: Fit = Fit.COVER, radius: int = 0, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._fit = fit
        self._radius = radius
        self._path: Path | None = None
        self._image = QImage()
        self._badge = ""
        self.play = PlayButton(theme, self)
        self.play.clicked.connect(self.watch_clicked)
        self.play.hide()

    def show_picture(self, path: Path | None, *, alt: str, fit: Fit | None = None) -> None:
        """A still picture; ``alt`` says what is on it."""
        self._badge = ""
        self.play.hide()
        self._set(path, alt, fit or self._fit)

    def show_poster(self, path: Path | None, *, alt: str, badge: str, playable: bool = True) -> None:
        """A video's poster with its play button; ``badge`` is its duration and whether it has captions."""
        self._badge = badge
        self.play.setVisible(playable)
        self._set(path, alt, Fit.COVER)

    def _set(self, path: Path | None, alt: str, fit: Fit) -> None:
        self._fit = fit
        if path != self._path:
            self._path = path
            self._image = QImage()
        self.setAccessibleName(alt)
        self.setToolTip(plain_tip(alt))
        self.update()

    def natural_size(self) -> QSize:
        """The picture's own size in pixels, empty when there is none."""
        self._load()
        return self._image.size()

    def _load(self) -> None:
        if self._image.isNull() and self._path is not None:
            ratio = self.devicePixelRatioF()
            wanted = QSize(max(self.width(), 404), max(self.height(), 184)) * ratio
            self._image = read_picture(self._path, wanted)
            if self._image.isNull():
                self._path = None

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        middle = self.rect().center() - self.play.rect().center()
        self.play.move(middle)
        if self._image.width() < self.width() * self.devicePixelRatioF():
            self._image = QImage()

    def paintEvent(self, _event: QPaintEvent) -> None:
        self._load()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect())
        if self._radius:
            clip = QPainterPath()
            clip.addRoundedRect(area, self._radius, self._radius)
            painter.setClipPath(clip)
        self._paint_ground(painter, area)
        if not self._image.isNull():
            painter.drawImage(*self._placed(area))
        if self._badge:
            self._paint_badge(painter)
        painter.end()

    def _paint_ground(self, painter: QPainter, area: QRectF) -> None:
        if self._image.isNull():
            gradient = QLinearGradient(area.topLeft(), area.bottomRight())
            gradient.setColorAt(0, QColor(self._theme.accent))
            gradient.setColorAt(0.6, QColor(mix(self._theme.accent, "#FFFFFF", 0.45)))
            gradient.setColorAt(1, QColor("#FFDDD2"))
            painter.fillRect(area, gradient)
        else:
            painter.fillRect(area, QColor(self._theme.soft))

    def _placed(self, area: QRectF) -> tuple[QRectF, QImage, QRectF]:
        mode = (
            Qt.AspectRatioMode.KeepAspectRatioByExpanding
            if self._fit is Fit.COVER
            else Qt.AspectRatioMode.KeepAspectRatio
        )
        size = self._image.size().toSizeF().scaled(area.size(), mode)
        corner = QPointF(area.center().x() - size.width() / 2, area.center().y() - size.height() / 2)
        return QRectF(corner, size), self._image, QRectF(self._image.rect())

    def _paint_badge(self, painter: QPainter) -> None:
        font = self.font()
        font.setPixelSize(self._theme.px(11))
        painter.setFont(font)
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(self._badge) + self._theme.px(14)
        height = metrics.height() + self._theme.px(4)
        box = QRect(self.width() - 10 - width, self.height() - 10 - height, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 165))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor("#FFFFFF"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._badge)
