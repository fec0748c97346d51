"""The controls under the video: the position above, the buttons below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from resources.i18n import _
from ui.player import glyphs
from ui.player.captions import OFF
from ui.player.glyphs import PlayerGlyph
from ui.player.sliders import PositionSlider, VolumeSlider
from ui.style.theme import Theme
from ui.widgets.buttons import LikeButton
from ui.widgets.text import label
from ui.widgets.themed import Themed

BUTTON_SIDE = 34
ICON_SIDE = 20
MAX_BUTTON_SCALE = 1.5
VOLUME_WIDTH = 84
FIRST_VOLUME = 0.8


class PlayerButton(Themed, QToolButton):
    """An icon with a name. Only Space and Enter are its own: all other keys are the player's."""

    def __init__(self, theme: Theme, clicked: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._glyph: PlayerGlyph | None = None
        self.setProperty("kind", "icon")
        scale = min(theme.text_scale, MAX_BUTTON_SCALE)
        self.setIconSize(QSize(round(ICON_SIDE * scale), round(ICON_SIDE * scale)))
        self.setFixedSize(round(BUTTON_SIDE * scale), round(BUTTON_SIDE * scale))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(lambda: clicked())

    def show_as(self, glyph: PlayerGlyph, name: str, key: str) -> None:
        self._glyph = glyph
        self.setAccessibleName(name)
        self.setToolTip(f"{name} ({key})")
        self.recolour()

    def recolour(self) -> None:
        if self._glyph is not None:
            self.setIcon(glyphs.icon(self._glyph, self._theme.ink))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        _press(self, event, super().keyPressEvent)


class Heart(LikeButton):
    """Leaves the arrow keys to the player, and keeps its text."""

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        _press(self, event, super().keyPressEvent)


def _press(button: QToolButton | LikeButton, event: QKeyEvent, rest: Callable[[QKeyEvent], None]) -> None:
    if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        button.click()
    elif event.key() == Qt.Key.Key_Space:
        rest(event)
    else:
        event.ignore()


class Controls(Themed, QFrame):
    """Tells what is wanted; shows what is told."""

    play_clicked = Signal()
    seek_wanted = Signal(int)
    """To a position in milliseconds."""
    mute_clicked = Signal()
    volume_wanted = Signal(float)
    """0.0 to 1.0."""
    captions_chosen = Signal(int)
    """An index into the labels, or ``OFF``."""
    full_screen_clicked = Signal()
    keys_clicked = Signal()
    like_toggled = Signal(bool)

    def __init__(self, theme: Theme, caption_labels: Sequence[str], *, liked: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._length_ms = 0
        self.setAutoFillBackground(True)
        self.play = self._button(self.play_clicked.emit)
        self.position = PositionSlider(theme, self)
        self.position.wanted.connect(lambda share: self.seek_wanted.emit(round(share * self._length_ms)))
        self.time = label(kind="small")
        self.mute = self._button(self.mute_clicked.emit)
        self.volume = VolumeSlider(theme, self)
        self.volume.setFixedWidth(theme.px(VOLUME_WIDTH))
        self.volume.show_share(FIRST_VOLUME)
        self.volume.wanted.connect(self.volume_wanted)
        self.captions = self._button(self._open_captions_menu)
        self.like = Heart(theme, self)
        self.like.set_liked(liked)
        self.like.toggled.connect(self.like_toggled)
        self.keys = self._button(self.keys_clicked.emit)
        self.keys.show_as(PlayerGlyph.KEYS, _("Keys"), "F1")
        self.full_screen = self._button(self.full_screen_clicked.emit)
        self._lay_out()
        self._make_captions_menu(caption_labels)
        self.show_playing(False)
        self.show_muted(True)
        self.show_full_screen(False)
        self.show_position(0)

    def _button(self, clicked: Callable[[], None]) -> PlayerButton:
        return PlayerButton(self._theme, clicked, self)

    def _lay_out(self) -> None:
        px = self._theme.px
        column = QVBoxLayout(self)
        column.setContentsMargins(px(12), px(6), px(12), px(8))
        column.setSpacing(px(2))
        column.addWidget(self.position)
        row = QHBoxLayout()
        row.setSpacing(px(6))
        for widget in (self.play, self.mute, self.volume, self.time):
            row.addWidget(widget)
        row.addStretch(1)
        for button in (self.captions, self.like, self.keys, self.full_screen):
            row.addWidget(button)
        column.addLayout(row)

    def _make_captions_menu(self, labels: Sequence[str]) -> None:
        self.captions.show_as(PlayerGlyph.CAPTIONS, _("Captions"), "C")
        self.captions.setVisible(bool(labels))
        self.menu = QMenu(_("Captions"), self)
        self.menu.setFont(QApplication.font())  # A desktop's own font for menus is not in the person's size.
        group = QActionGroup(self.menu)
        self._caption_actions: dict[int, QAction] = {}
        for index, text in ((OFF, _("Off")), *enumerate(labels)):
            action = self.menu.addAction(text.replace("&", "&&"))
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, index=index: self.captions_chosen.emit(index))
            group.addAction(action)
            self._caption_actions[index] = action

    def _open_captions_menu(self) -> None:
        above = QPoint(0, -self.menu.sizeHint().height())
        self.menu.popup(self.captions.mapToGlobal(above))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the keyboard and the button have to do for the sound."""
        super().resizeEvent(event)
        needed = self.sizeHint().width() + (0 if self.volume.isVisibleTo(self) else self.volume.width())
        self.volume.setVisible(needed <= event.size().width())

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return QSize(
            hint.width() - (self.volume.width() if self.volume.isVisibleTo(self) else 0), hint.height()
        )

    def show_playing(self, playing: bool) -> None:
        if playing:
            self.play.show_as(PlayerGlyph.PAUSE, _("Pause"), "K")
        else:
            self.play.show_as(PlayerGlyph.PLAY, _("Play"), "K")
            self.position.say_time()

    def show_muted(self, muted: bool) -> None:
        if muted:
            self.mute.show_as(PlayerGlyph.MUTED, _("Unmute"), "M")
        else:
            self.mute.show_as(PlayerGlyph.SOUND, _("Mute"), "M")

    def show_silent(self) -> None:
        """There is no sound track."""
        self.mute.setEnabled(False)
        self.volume.setEnabled(False)
        self.mute.show_as(PlayerGlyph.MUTED, _("This video has no sound"), "M")

    def show_full_screen(self, on: bool) -> None:
        if on:
            self.full_screen.show_as(PlayerGlyph.LEAVE_FULL_SCREEN, _("Leave full screen"), "F")
        else:
            self.full_screen.show_as(PlayerGlyph.FULL_SCREEN, _("Full screen"), "F")

    def show_captions(self, index: int) -> None:
        """Which captions are on."""
        action = self._caption_actions[index]
        action.setChecked(True)
        self.captions.setAccessibleDescription(action.text().replace("&&", "&"))

    def show_length(self, milliseconds: int) -> None:
        self._length_ms = milliseconds
        self.position.show_length(milliseconds)
        self.time.setText(self.position.time_text)

    def show_position(self, milliseconds: int) -> None:
        self.position.show_position(milliseconds)
        self.time.setText(self.position.time_text)
