"""Sliders of the player: they jump to where they are clicked, draw themselves, and say what their value means."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSlider, QWidget

from resources.i18n import _
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.themed import Themed

SEEK_STEP_S = 5
VOLUME_STEP = 5
HEIGHT = 24
GROOVE = 4
HANDLE = 14


class BarSlider(Themed, QSlider):
    """``wanted`` is the person's act only, as a share of the whole, 0.0 to 1.0."""

    wanted = Signal(float)

    def __init__(self, theme: Theme, name: str, *, step: int, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._share = 0.0
        self.setAccessibleName(name)
        self.setSingleStep(step)
        self.setPageStep(4 * step)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self._theme.px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(48, self._theme.px(HEIGHT))

    def show_share(self, share: float) -> None:
        """Where the handle stands: finer than the steps in which the value is told."""
        self._share = min(max(share, 0.0), 1.0)
        self.setValue(round(self.minimum() + self._share * (self.maximum() - self.minimum())))
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._go_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._go_to(event.position().x())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -self.singleStep(),
            Qt.Key.Key_Right: self.singleStep(),
            Qt.Key.Key_PageDown: -self.pageStep(),
            Qt.Key.Key_PageUp: self.pageStep(),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            event.ignore()
        else:
            self._want(self._share + step / max(self._whole(), 1))

    def _whole(self) -> float:
        """The length in the unit of the steps."""
        return self.maximum() - self.minimum()

    def _go_to(self, x: float) -> None:
        handle = self._theme.px(HANDLE)
        self._want((x - handle / 2) / max(self.width() - handle, 1))

    def _want(self, share: float) -> None:
        share = min(max(share, 0.0), 1.0)
        self.show_share(share)
        self.wanted.emit(share)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, on = self._theme, self.isEnabled()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        groove, handle = theme.px(GROOVE), theme.px(HANDLE)
        middle, room = self.height() / 2, self.width() - handle
        at = handle / 2 + room * self._share
        painter.setPen(Qt.PenStyle.NoPen)
        for colour, right in (
            (theme.edge if on else theme.line, self.width() - handle / 2),
            (theme.accent, at),
        ):
            if on or colour != theme.accent:
                painter.setBrush(QColor(colour))
                bar = QRectF(handle / 2, middle - groove / 2, right - handle / 2, groove)
                painter.drawRoundedRect(bar, groove / 2, groove / 2)
        if on:
            painter.setBrush(QColor(theme.accent))
            painter.setPen(QPen(QColor(theme.card), 2))
            painter.drawEllipse(QRectF(at - handle / 2, middle - handle / 2, handle, handle))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.ink), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()


class PositionSlider(BarSlider):
    """Its value is in seconds, and its description says the time: after the person's own act, and when it is come to.

    Said at every second, it would drown the video.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, _("Position"), step=SEEK_STEP_S, parent=parent)
        self._length_ms = 0
        self._position_ms = 0
        self.setRange(0, 0)

    @property
    def time_text(self) -> str:
        """Such as “0:12 / 1:24”."""
        return (
            f"{text_format.duration_text(self._position_ms)} / {text_format.duration_text(self._length_ms)}"
        )

    def show_length(self, milliseconds: int) -> None:
        self._length_ms = milliseconds
        self.setRange(0, max(milliseconds // 1000, 1))
        self.show_position(self._position_ms)

    def show_position(self, milliseconds: int) -> None:
        self._position_ms = milliseconds
        if not self.isSliderDown():
            self.show_share(milliseconds / self._length_ms if self._length_ms else 0.0)

    def say_time(self) -> None:
        self.setAccessibleDescription(
            _("{time} of {length}").format(
                time=text_format.duration_text(self._position_ms),
                length=text_format.duration_text(self._length_ms),
            )
        )

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.say_time()
        super().focusInEvent(event)

    def _want(self, share: float) -> None:
        self._position_ms = round(min(max(share, 0.0), 1.0) * self._length_ms)
        super()._want(share)
        self.say_time()

    def _whole(self) -> float:
        return self._length_ms / 1000


class VolumeSlider(BarSlider):
    """In percent."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, _("Volume"), step=VOLUME_STEP, parent=parent)
        self.setRange(0, 100)
