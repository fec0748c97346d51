"""The player's window: video, controls, captions, full screen; muted until the person wants sound."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QFile, QIODevice, QObject, QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QImage, QImageReader, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer
from PySide6.QtWidgets import QWidget

from resources.i18n import _
from ui.desktop import placement
from ui.player.captions import Captions
from ui.player.controls import OFF, SEEK_STEP_MS, Controls
from ui.player.files import NotPlayable, check_video
from ui.player.messages import Event, PlayRequest
from ui.player.surface import VideoSurface
from ui.theme import Theme
from ui.tray_icon import application_icon

log = logging.getLogger(__name__)

NO_FRAME_AFTER_MS = 6_000
"""A decoder that shows nothing for so long will show nothing: some codecs fail without an error."""
HIDE_CONTROLS_AFTER_MS = 3_000
FIRST_WIDTH, FIRST_HEIGHT = 960, 540
SCREEN_SHARE = 0.85
POSTER_MAX_BYTES_IN_MEMORY_MB = 128


class PlayerWindow(QWidget):
    """``told`` carries an ``Event`` and a detail for the log."""

    told = Signal(object, str)

    def __init__(self, request: PlayRequest, theme: Theme) -> None:
        super().__init__()
        self.setWindowTitle(request.title)
        self.setWindowIcon(application_icon())
        self.setMouseTracking(True)
        self._request = request
        self._captions = [Captions(Path(each.path)) for each in request.captions]
        self._caption_index = self._first_captions()
        self._started = self._failed = False
        self._file = QFile(self)
        self.surface = VideoSurface(_poster(request.poster), self)
        self.surface.setMouseTracking(True)
        self.surface.setAccessibleName(request.title)
        self.surface.first_frame.connect(self._on_first_frame)
        self.surface.clicked.connect(self.toggle_play)
        self.surface.double_clicked.connect(self.toggle_full_screen)
        labels = [each.label for each in request.captions]
        self.controls = Controls(theme, labels, liked=request.liked, parent=self)
        self._connect_controls()
        self.controls.show_captions(self._caption_index)
        self._make_player()
        self._no_frame = self._single_shot(NO_FRAME_AFTER_MS, lambda: self._fail("no frame"))
        self._hide_controls = self._single_shot(HIDE_CONTROLS_AFTER_MS, self._leave_the_picture_alone)
        for widget in (self, self.surface):
            widget.installEventFilter(self)
        self._take_first_size()

    def begin(self) -> None:
        """Show the window and play, muted."""
        self.show()
        self.controls.play.setFocus()
        self.told.emit(Event.READY, "")
        try:
            path = check_video(self._request.video)
        except NotPlayable as error:
            self._fail(str(error))
            return
        self._file.setFileName(str(path))
        if not self._file.open(QIODevice.OpenModeFlag.ReadOnly):
            self._fail(self._file.errorString())
            return
        # The open file, not its name: a decoder is given nothing that it could resolve.
        self.player.setSourceDevice(self._file, QUrl())
        self._no_frame.start()
        self.player.play()

    # Parts

    def _single_shot(self, delay_ms: int, call: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(delay_ms)
        timer.timeout.connect(call)
        return timer

    def _connect_controls(self) -> None:
        controls = self.controls
        controls.play_clicked.connect(self.toggle_play)
        controls.seek_wanted.connect(self.seek)
        controls.mute_clicked.connect(self.toggle_mute)
        controls.volume_changed.connect(self._set_volume)
        controls.captions_chosen.connect(self.choose_captions)
        controls.full_screen_clicked.connect(self.toggle_full_screen)
        controls.like_toggled.connect(
            lambda liked: self.told.emit(Event.LIKED if liked else Event.UNLIKED, "")
        )

    def _make_player(self) -> None:
        self.sound = QAudioOutput(self)
        self.sound.setMuted(True)
        self.sound.setVolume(self.controls.volume.value() / 100)
        self.sound.mutedChanged.connect(self.controls.show_muted)
        self.player = QMediaPlayer(self)
        self.player.setAudioOutput(self.sound)
        self.player.setVideoSink(self.surface.sink)
        self.player.errorOccurred.connect(lambda _error, text: self._fail(text))
        self.player.mediaStatusChanged.connect(self._on_status)
        self.player.positionChanged.connect(self._on_position)
        self.player.durationChanged.connect(self.controls.show_length)
        self.player.playbackStateChanged.connect(
            lambda state: self.controls.show_playing(state is QMediaPlayer.PlaybackState.PlayingState)
        )

    def _take_first_size(self) -> None:
        screen = placement.active_screen()
        room = screen.availableGeometry()
        bar = self.controls.sizeHint().height()
        width = min(FIRST_WIDTH, round(room.width() * SCREEN_SHARE))
        height = min(round(width * FIRST_HEIGHT / FIRST_WIDTH), round(room.height() * SCREEN_SHARE) - bar)
        self.setScreen(screen)
        self.resize(width, height + bar)
        self.setMinimumSize(self.controls.minimumSizeHint().width(), bar + 180)
        self.move(room.center() - QPoint(width // 2, (height + bar) // 2))

    def _first_captions(self) -> int:
        """On from the start, for it starts muted: in the person's language, else the first there are."""
        languages = [each.language.split("-")[0] for each in self._request.captions]
        if self._request.language in languages:
            return languages.index(self._request.language)
        return 0 if languages else OFF

    # What the person does

    def toggle_play(self) -> None:
        if self._failed:
            return
        if self.player.playbackState() is QMediaPlayer.PlaybackState.PlayingState:
            self.player.pause()
        else:
            self.player.play()

    def seek(self, position_ms: int) -> None:
        self.player.setPosition(max(0, min(position_ms, self.player.duration())))

    def toggle_mute(self) -> None:
        self.sound.setMuted(not self.sound.isMuted())

    def _set_volume(self, volume: float) -> None:
        self.sound.setVolume(volume)
        self.sound.setMuted(volume == 0)

    def choose_captions(self, index: int) -> None:
        """An index into the request's captions, or ``OFF``."""
        self._caption_index = index
        self.controls.show_captions(index)
        self._on_position(self.player.position())

    def _toggle_captions(self) -> None:
        if self._captions:
            self.choose_captions(OFF if self._caption_index != OFF else self._first_captions())

    def toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def _escape(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that the focused control does not use itself."""
        position, volume = self.player.position(), self.controls.volume
        acts: dict[Qt.Key, Callable[[], None]] = {
            Qt.Key.Key_Space: self.toggle_play,
            Qt.Key.Key_K: self.toggle_play,
            Qt.Key.Key_F: self.toggle_full_screen,
            Qt.Key.Key_F11: self.toggle_full_screen,
            Qt.Key.Key_Escape: self._escape,
            Qt.Key.Key_M: self.toggle_mute,
            Qt.Key.Key_C: self._toggle_captions,
            Qt.Key.Key_L: self.controls.like.click,
            Qt.Key.Key_Left: lambda: self.seek(position - SEEK_STEP_MS),
            Qt.Key.Key_Right: lambda: self.seek(position + SEEK_STEP_MS),
            Qt.Key.Key_Up: lambda: volume.seek_wanted.emit(min(volume.value() + 5, 100)),
            Qt.Key.Key_Down: lambda: volume.seek_wanted.emit(max(volume.value() - 5, 0)),
        }
        act = acts.get(Qt.Key(event.key()))
        if act is None:
            super().keyPressEvent(event)
        else:
            act()

    # What the video does

    def _on_first_frame(self) -> None:
        self._no_frame.stop()
        self.told.emit(Event.FIRST_FRAME, "")
        if not self._started:
            self._started = True
            self.told.emit(Event.STARTED, "")

    def _on_position(self, position_ms: int) -> None:
        self.controls.show_position(position_ms)
        captions = self._captions[self._caption_index] if self._caption_index != OFF else None
        self.surface.set_caption(captions.text(position_ms) if captions is not None else "")

    def _on_status(self, status: QMediaPlayer.MediaStatus) -> None:
        if status is QMediaPlayer.MediaStatus.InvalidMedia:
            self._fail("invalid media")
        elif status is QMediaPlayer.MediaStatus.EndOfMedia:
            if self._started:
                self.told.emit(Event.ENDED, "")
            else:
                self._fail("ended without a frame")

    def _fail(self, detail: str) -> None:
        if self._failed:
            return
        self._failed = True
        self._no_frame.stop()
        self.player.stop()
        self.surface.show_message(
            _("This video cannot be played on this computer. Its announcement stays in your inbox.")
        )
        self.controls.disable()
        self.told.emit(Event.FAILED, detail)

    # The window

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self.controls.show_full_screen(self.isFullScreen())
            self._show_controls()
            self._lay_out()

    def _lay_out(self) -> None:
        """Under the video; over it in full screen."""
        bar = self.controls.sizeHint().height()
        self.controls.setGeometry(0, self.height() - bar, self.width(), bar)
        self.surface.setGeometry(0, 0, self.width(), self.height() - (0 if self.isFullScreen() else bar))
        self.controls.raise_()
        self._tell_covered()

    def _tell_covered(self) -> None:
        over = self.isFullScreen() and self.controls.isVisible()
        self.surface.set_covered(self.controls.height() if over else 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent | QKeyEvent) and self.isFullScreen():
            self._show_controls()
        return super().eventFilter(watched, event)

    def _show_controls(self) -> None:
        self.controls.show()
        self._tell_covered()
        self.unsetCursor()
        if self.isFullScreen():
            self._hide_controls.start()
        else:
            self._hide_controls.stop()

    def _leave_the_picture_alone(self) -> None:
        busy = self.controls.underMouse() or self.controls.menu.isVisible()
        playing = self.player.playbackState() is QMediaPlayer.PlaybackState.PlayingState
        if busy or not playing:
            self._hide_controls.start()
        elif self.isFullScreen():
            self.controls.hide()
            self._tell_covered()
            self.setCursor(Qt.CursorShape.BlankCursor)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.player.stop()
        self.told.emit(Event.CLOSED, "")


def _poster(path: str) -> QImage:
    """Nothing where there is none, or where it is no picture."""
    if not path:
        return QImage()
    QImageReader.setAllocationLimit(POSTER_MAX_BYTES_IN_MEMORY_MB)
    return QImageReader(path).read()
