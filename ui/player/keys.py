"""The player's keys: what each does, in one table for the window and for the page that names them."""

from __future__ import annotations

from enum import Enum, auto

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from resources.i18n import _
from ui.style.theme import Theme
from ui.widgets.buttons import IconButton
from ui.widgets.icons import Glyph
from ui.widgets.text import label


class PlayerCommand(Enum):
    """What a key asks for."""

    PLAY = auto()
    BACK = auto()
    FORWARD = auto()
    FAR_BACK = auto()
    FAR_FORWARD = auto()
    START = auto()
    END = auto()
    LOUDER = auto()
    QUIETER = auto()
    MUTE = auto()
    CAPTIONS = auto()
    LIKE = auto()
    FULL_SCREEN = auto()
    LEAVE = auto()
    KEYS = auto()


COMMANDS = {
    Qt.Key.Key_Space: PlayerCommand.PLAY,
    Qt.Key.Key_K: PlayerCommand.PLAY,
    Qt.Key.Key_MediaTogglePlayPause: PlayerCommand.PLAY,
    Qt.Key.Key_Left: PlayerCommand.BACK,
    Qt.Key.Key_Right: PlayerCommand.FORWARD,
    Qt.Key.Key_J: PlayerCommand.FAR_BACK,
    Qt.Key.Key_L: PlayerCommand.FAR_FORWARD,
    Qt.Key.Key_Home: PlayerCommand.START,
    Qt.Key.Key_End: PlayerCommand.END,
    Qt.Key.Key_Up: PlayerCommand.LOUDER,
    Qt.Key.Key_Down: PlayerCommand.QUIETER,
    Qt.Key.Key_M: PlayerCommand.MUTE,
    Qt.Key.Key_C: PlayerCommand.CAPTIONS,
    Qt.Key.Key_H: PlayerCommand.LIKE,
    Qt.Key.Key_F: PlayerCommand.FULL_SCREEN,
    Qt.Key.Key_F11: PlayerCommand.FULL_SCREEN,
    Qt.Key.Key_Escape: PlayerCommand.LEAVE,
    Qt.Key.Key_F1: PlayerCommand.KEYS,
    Qt.Key.Key_Question: PlayerCommand.KEYS,
}
TENTHS = tuple(Qt.Key(Qt.Key.Key_0.value + digit) for digit in range(10))
_ONCE = (
    PlayerCommand.PLAY,
    PlayerCommand.MUTE,
    PlayerCommand.CAPTIONS,
    PlayerCommand.FULL_SCREEN,
    PlayerCommand.LIKE,
)
"""Holding the key does it once: what is told to the company must not depend on when it is let go."""
_OTHERS = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)


def command_of(event: QKeyEvent) -> PlayerCommand | float | None:
    """What is asked for; a share of the video, 0.0 to 0.9, for a digit; None for a key that is not the player's."""
    if event.modifiers() & _OTHERS:
        return None
    key = Qt.Key(event.key())
    command = TENTHS.index(key) / 10 if key in TENTHS else COMMANDS.get(key)
    return None if event.isAutoRepeat() and command in _ONCE else command


def words() -> tuple[tuple[str, str], ...]:
    """Keys, and what they do."""
    return (
        (_("Space, K"), _("Play or pause")),
        ("← →", _("5 seconds back or forward")),
        ("J, L", _("10 seconds back or forward")),
        ("0 … 9", _("To that tenth of the video")),
        (_("Home, End"), _("To the start or the end")),
        ("↑ ↓", _("Louder or quieter")),
        ("M", _("Sound on or off")),
        ("C", _("Next captions")),
        ("H", _("Like")),
        ("F", _("Full screen")),
        (_("Esc"), _("Leave full screen, then close")),
        ("F1, ?", _("These keys")),
    )


class KeysPanel(QFrame):
    """The keys by name, over the picture. Esc, F1 and ? close it; all other keys go on working."""

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setAccessibleName(_("Keys"))
        self.close_button = IconButton(Glyph.CLOSE, _("Close"), theme)
        self.close_button.clicked.connect(self.closed)
        head = QHBoxLayout()
        head.addWidget(label(_("Keys"), kind="h3"), 1)
        head.addWidget(self.close_button)
        rows = QWidget()
        grid = QGridLayout(rows)
        grid.setContentsMargins(0, 0, theme.px(12), 0)
        grid.setHorizontalSpacing(theme.px(18))
        grid.setVerticalSpacing(theme.px(5))
        grid.setColumnStretch(1, 1)
        for number, (keys, what) in enumerate(words()):
            grid.addWidget(label(keys, kind="small-strong"), number, 0)
            grid.addWidget(label(what, kind="small"), number, 1)
        self._scroll = QScrollArea()
        self._scroll.setProperty("kind", "plain")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName(_("Keys"))
        self._scroll.setAccessibleDescription("; ".join(f"{keys}: {what}" for keys, what in words()))
        self._scroll.setWidget(rows)
        self._rows = rows
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(16), theme.px(10), theme.px(10), theme.px(14))
        column.addLayout(head)
        column.addWidget(self._scroll)

    def open(self) -> None:
        self.show()
        self.raise_()
        self._scroll.setFocus()

    def fit(self, area: QWidget) -> None:
        """In the middle of another widget, as large as needed and as it has room."""
        inner = self._rows.sizeHint()
        margins = self.contentsMargins() + self._column.contentsMargins()
        width = inner.width() + margins.left() + margins.right() + 14
        height = inner.height() + self.close_button.height() + margins.top() + margins.bottom() + 12
        self.resize(min(width, area.width() - 16), min(height, area.height() - 16))
        self.move(area.geometry().center() - self.rect().center())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()
