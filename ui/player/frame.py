"""The player's window as a frame: where its parts stand, full screen, and controls that leave the picture alone."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QAccessible, QImage, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from ui.desktop import placement
from ui.player.controls import Controls
from ui.player.keys import KeysPanel
from ui.player.share_bar import ShareBar
from ui.player.surface import VideoSurface
from ui.style.theme import Theme
from ui.widgets.themed import Themed

HIDE_CONTROLS_AFTER_MS = 3_000
FIRST_WIDTH, FIRST_HEIGHT = 960, 600
SCREEN_SHARE = 0.85
MIN_PICTURE = QSize(320, 120)
"""Device-independent pixels."""
_WALKS = {Qt.Key.Key_Tab, Qt.Key.Key_Backtab}


class PlayerFrame(Themed, QWidget):
    """Controls lie under the picture; in full screen they lie over it and go away while nobody needs them."""

    def __init__(self, theme: Theme, poster: QImage, caption_labels: Sequence[str], *, liked: bool) -> None:
        super().__init__()
        self._theme = theme
        self.playing = False
        self._walked = False
        self._instead: QWidget | None = None
        self._keys: KeysPanel | None = None
        self.setMouseTracking(True)
        self.surface = VideoSurface(poster, theme, self)
        self.surface.setMouseTracking(True)
        self.controls = Controls(theme, caption_labels, liked=liked, parent=self)
        self.share = ShareBar(theme, self)
        self._hide_controls = QTimer(self)
        self._hide_controls.setSingleShot(True)
        self._hide_controls.setInterval(HIDE_CONTROLS_AFTER_MS)
        self._hide_controls.timeout.connect(self._leave_the_picture_alone)
        for widget in (self, self.surface, *self.controls.findChildren(QWidget)):
            widget.installEventFilter(self)

    @property
    def theme(self) -> Theme:
        """As the window was made, or as the person's desktop has become."""
        return self._theme

    def take_first_size(self, video: QSize) -> None:
        """The shape of the video, as far as the screen that the person is looking at has room."""
        screen = placement.active_screen()
        room = screen.availableGeometry()
        bars = self._bars_height()
        most = QSize(
            min(FIRST_WIDTH, round(room.width() * SCREEN_SHARE)),
            min(FIRST_HEIGHT, round(room.height() * SCREEN_SHARE) - bars),
        )
        picture = video.scaled(most, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(MIN_PICTURE)
        least = min(max(self.controls.minimumSizeHint().width(), MIN_PICTURE.width()), room.width())
        size = QSize(max(picture.width(), least), picture.height() + bars)
        self.setScreen(screen)
        self.setMinimumSize(least, min(bars + MIN_PICTURE.height(), room.height()))
        self.resize(size)
        self.move(placement.centred(size, room))

    def show_instead(self, page: QWidget | None) -> None:
        """A page in place of picture and controls; None for these again."""
        self._instead = page
        self.close_keys()
        if page is not None:
            page.show()
        self.lay_out()

    # Full screen

    def toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def leave(self) -> None:
        """The page of keys, else full screen, else the window."""
        if self._keys is not None:
            self.close_keys()
        elif self.isFullScreen():
            self.showNormal()
        else:
            self.close()

    # The page of keys

    def toggle_keys(self) -> None:
        if self._keys is not None:
            self.close_keys()
            return
        self._keys = KeysPanel(self._theme, self)
        self._keys.closed.connect(self.close_keys)
        self._keys.fit(self.surface)
        self._keys.open()

    def close_keys(self) -> None:
        keys, self._keys = self._keys, None
        if keys is not None:
            keys.hide()
            keys.deleteLater()
            self.controls.play.setFocus()

    # Where the parts stand

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self.controls.show_full_screen(self.isFullScreen())
            self._show_controls()
            self.lay_out()

    def _bars_height(self) -> int:
        share = self.share.sizeHint().height() if self.share.text.text() else 0
        return self.controls.sizeHint().height() + share

    def lay_out(self) -> None:
        """Controls and what is shared under the video; in full screen the controls alone, over it."""
        full, instead = self.isFullScreen(), self._instead
        share = self.share.heightForWidth(self.width()) if self.share.hasHeightForWidth() else 0
        share = max(share, self.share.sizeHint().height())
        with_share = bool(self.share.text.text()) and not full
        share = share if with_share else 0
        bar = self.controls.sizeHint().height()
        self.share.setVisible(with_share)
        self.share.setGeometry(0, self.height() - share, self.width(), share)
        self.controls.setGeometry(0, self.height() - share - bar, self.width(), bar)
        over = self.height() if full else self.height() - share - bar
        self.surface.setGeometry(0, 0, self.width(), max(over, 0))
        for widget in (self.surface, self.controls):
            widget.setVisible(instead is None)
        if instead is not None:
            instead.setGeometry(0, 0, self.width(), self.height() - share)
        self.controls.raise_()
        if self._keys is not None:
            self._keys.fit(self.surface)
            self._keys.raise_()
        self._tell_covered()

    def _tell_covered(self) -> None:
        over = self.isFullScreen() and self.controls.isVisible()
        self.surface.set_covered(self.controls.height() if over else 0)

    # Controls that go away

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            self._walked = self._walked or event.key() in _WALKS
            self._show_controls_in_full_screen()
        elif isinstance(event, QMouseEvent) and event.type() is not QEvent.Type.MouseButtonRelease:
            self._walked = False
            self._show_controls_in_full_screen()
        return super().eventFilter(watched, event)

    def _show_controls_in_full_screen(self) -> None:
        if self.isFullScreen():
            self._show_controls()

    def _show_controls(self) -> None:
        self.controls.setVisible(self._instead is None)
        self._tell_covered()
        self.unsetCursor()
        if self.isFullScreen():
            self._hide_controls.start()
        else:
            self._hide_controls.stop()

    @property
    def _stay(self) -> bool:
        """Who walks the controls by keyboard, hears them, or wants no motion, keeps them."""
        return self._walked or self._theme.reduced_motion or QAccessible.isActive()

    def _leave_the_picture_alone(self) -> None:
        if not self.isFullScreen() or self._stay:
            return
        busy = self.controls.underMouse() or self.controls.menu.isVisible() or self._keys is not None
        if busy or not self.playing:
            self._hide_controls.start()
        else:
            self.controls.hide()
            self._tell_covered()
            self.setCursor(Qt.CursorShape.BlankCursor)
