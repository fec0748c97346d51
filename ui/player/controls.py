"""The row of controls under the video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import Template

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QWidget,
)

from resources.i18n import _
from ui import wording
from ui.player import glyphs
from ui.player.glyphs import PlayerGlyph
from ui.theme import Theme
from ui.widgets.buttons import LikeButton
from ui.widgets.text import label

SEEK_STEP_MS = 5_000
BUTTON_SIDE = 34
OFF = -1
"""The index of "no captions"."""

_SLIDERS = Template("""
QSlider { min-height: 20px; border: 0; border-radius: 4px; }
QSlider::groove:horizontal { height: 4px; background: $line; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::sub-page:horizontal:disabled { background: $line; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: $ink; }
QSlider::handle:horizontal:disabled { background: $line; }
QSlider:focus { border: 1px solid $accent; }
""")


class Controls(QFrame):
    """Tells what is wanted; shows what is told."""

    play_clicked = Signal()
    seek_wanted = Signal(int)
    """To a position in milliseconds."""
    mute_clicked = Signal()
    volume_changed = Signal(float)
    """0.0 to 1.0."""
    captions_chosen = Signal(int)
    """An index into the labels, or ``OFF``."""
    full_screen_clicked = Signal()
    like_toggled = Signal(bool)

    def __init__(self, theme: Theme, caption_labels: Sequence[str], *, liked: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAutoFillBackground(True)
        self.setStyleSheet(_SLIDERS.substitute(accent=theme.accent, line=theme.edge, ink=theme.ink))
        self.play = self._button(self.play_clicked.emit)
        self.elapsed = label(kind="small")
        self.slider = SeekSlider(self)
        self.slider.setAccessibleName(_("Position"))
        self.slider.seek_wanted.connect(self.seek_wanted)
        self.length = label(kind="small", tone="muted")
        self.captions = self._button(lambda: None)
        self._make_captions_menu(caption_labels)
        self.mute = self._button(self.mute_clicked.emit)
        self.volume = SeekSlider(self, step=5)
        self.volume.setRange(0, 100)
        self.volume.setValue(80)
        self.volume.setFixedWidth(theme.px(80))
        self.volume.setAccessibleName(_("Volume"))
        self.volume.seek_wanted.connect(lambda value: self.volume_changed.emit(value / 100))
        self.like = LikeButton(theme)
        self.like.set_liked(liked)
        self.like.toggled.connect(self.like_toggled)
        self.full_screen = self._button(self.full_screen_clicked.emit)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), theme.px(8))
        row.setSpacing(theme.px(8))
        for widget in (
            self.play,
            self.elapsed,
            self.slider,
            self.length,
            self.captions,
            self.mute,
            self.volume,
        ):
            row.addWidget(widget)
        row.addWidget(self.like)
        row.addWidget(self.full_screen)
        row.setStretchFactor(self.slider, 1)
        self.show_playing(False)
        self.show_muted(True)
        self.show_full_screen(False)
        self.show_position(0)

    def _button(self, clicked: Callable[[], None]) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("kind", "icon")
        button.setIconSize(QSize(self._theme.px(20), self._theme.px(20)))
        side = self._theme.px(BUTTON_SIDE)
        button.setFixedSize(side, side)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda: clicked())
        return button

    def _show(self, button: QToolButton, glyph: PlayerGlyph, name: str, key: str) -> None:
        button.setIcon(glyphs.icon(glyph, self._theme.ink))
        button.setAccessibleName(name)
        button.setToolTip(f"{name} ({key})")

    def _make_captions_menu(self, labels: Sequence[str]) -> None:
        self._show(self.captions, PlayerGlyph.CAPTIONS, _("Captions"), "C")
        self.captions.setVisible(bool(labels))
        self.menu = QMenu(self)
        group = QActionGroup(self.menu)
        self._caption_actions: dict[int, QAction] = {}
        for index, text in ((OFF, _("Off")), *enumerate(labels)):
            action = self.menu.addAction(text.replace("&", "&&"))
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, index=index: self.captions_chosen.emit(index))
            group.addAction(action)
            self._caption_actions[index] = action
        self.captions.clicked.connect(self._open_captions_menu)

    def _open_captions_menu(self) -> None:
        above = QPoint(0, -self.menu.sizeHint().height())
        self.menu.popup(self.captions.mapToGlobal(above))

    def show_playing(self, playing: bool) -> None:
        if playing:
            self._show(self.play, PlayerGlyph.PAUSE, _("Pause"), "K")
        else:
            self._show(self.play, PlayerGlyph.PLAY, _("Play"), "K")

    def show_muted(self, muted: bool) -> None:
        if muted:
            self._show(self.mute, PlayerGlyph.MUTED, _("Unmute"), "M")
        else:
            self._show(self.mute, PlayerGlyph.SOUND, _("Mute"), "M")

    def show_full_screen(self, on: bool) -> None:
        if on:
            self._show(self.full_screen, PlayerGlyph.LEAVE_FULL_SCREEN, _("Leave full screen"), "F")
        else:
            self._show(self.full_screen, PlayerGlyph.FULL_SCREEN, _("Full screen"), "F")

    def show_captions(self, index: int) -> None:
        """Which captions are on."""
        self._caption_actions[index].setChecked(True)

    def show_length(self, milliseconds: int) -> None:
        self.slider.setRange(0, milliseconds)
        self.length.setText(wording.duration_text(milliseconds))

    def show_position(self, milliseconds: int) -> None:
        self.elapsed.setText(wording.duration_text(milliseconds))
        if not self.slider.isSliderDown():
            self.slider.setValue(milliseconds)

    def disable(self) -> None:
        """There is nothing to play. The heart stays."""
        for widget in (self.play, self.slider, self.captions, self.mute, self.volume):
            widget.setEnabled(False)


class SeekSlider(QSlider):
    """Jumps to where it is clicked. ``seek_wanted`` is the person's act only."""

    seek_wanted = Signal(int)

    def __init__(self, parent: QWidget, *, step: int = SEEK_STEP_MS) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSingleStep(step)
        self.setPageStep(4 * step)
        self.sliderMoved.connect(self.seek_wanted)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            value = self._value_at(round(event.position().x()))
            self.setValue(value)
            self.seek_wanted.emit(value)
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        before = self.value()
        super().keyPressEvent(event)
        if self.value() != before:
            self.seek_wanted.emit(self.value())

    def _value_at(self, x: int) -> int:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style, control = self.style(), QStyle.ComplexControl.CC_Slider
        groove = style.subControlRect(control, option, QStyle.SubControl.SC_SliderGroove, self)
        handle = style.subControlRect(control, option, QStyle.SubControl.SC_SliderHandle, self)
        span = groove.width() - handle.width()
        return QStyle.sliderValueFromPosition(
            self.minimum(), self.maximum(), x - groove.x() - handle.width() // 2, span
        )
