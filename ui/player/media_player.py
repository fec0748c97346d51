"""The decoder: a verified file in, frames and moments out. The only file that imports QtMultimedia."""

from __future__ import annotations

import threading
from io import FileIO

from PySide6.QtCore import QFile, QIODevice, QObject, QTimer, QUrl, Signal
from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer, QVideoFrame, QVideoSink

from ui.player.file_checks import NotPlayable, NotThere, open_video
from ui.player.messages import Problem

NO_FRAME_AFTER_MS = 5_000
"""A decoder that shows nothing for so long will show nothing: some codecs (AV1) fail without an error."""


class MediaPlayer(QObject):
    """Silent until told otherwise: before that there is no audio output at all."""

    frame = Signal(QVideoFrame)
    moved = Signal(int)
    """To a position in milliseconds."""
    length_known = Signal(int)
    """In milliseconds."""
    playing_changed = Signal(bool)
    ended = Signal()
    failed = Signal(object, str)
    """A ``Problem``, and what is known of it, for the log."""

    _verified = Signal(object)
    _refused = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = QFile(self)
        self._opened: FileIO | None = None
        self._over = self._shown_one = False
        self._sink = QVideoSink(self)
        self._sink.videoFrameChanged.connect(self._on_frame)
        self._sound: QAudioOutput | None = None
        self._player = QMediaPlayer(self)
        self._player.setVideoSink(self._sink)
        self._player.errorOccurred.connect(lambda _error, text: self._fail(Problem.UNSUPPORTED, text))
        self._player.mediaStatusChanged.connect(self._on_status)
        self._player.positionChanged.connect(lambda position: self.moved.emit(position))
        self._player.durationChanged.connect(lambda length: self.length_known.emit(length))
        self._player.playbackStateChanged.connect(lambda _state: self.playing_changed.emit(self.playing))
        self._no_frame = QTimer(self)
        self._no_frame.setSingleShot(True)
        self._no_frame.setInterval(NO_FRAME_AFTER_MS)
        self._no_frame.timeout.connect(lambda: self._fail(Problem.UNSUPPORTED, "no frame"))
        self._verified.connect(self._begin)
        self._refused.connect(self._fail)

    # What is

    @property
    def playing(self) -> bool:
        return self._player.playbackState() is QMediaPlayer.PlaybackState.PlayingState

    @property
    def position_ms(self) -> int:
        return self._player.position()

    @property
    def length_ms(self) -> int:
        return self._player.duration()

    @property
    def has_sound(self) -> bool:
        """Whether there is a sound track; known with the first frame."""
        return self._player.hasAudio()

    # What is wanted

    def open(self, path: str, sha256: str) -> None:
        """Check the file, on a thread, and play it."""

        def check() -> None:
            try:
                self._verified.emit(open_video(path, sha256))
            except NotThere as error:
                self._refused.emit(Problem.MISSING, str(error))
            except NotPlayable as error:
                self._refused.emit(Problem.DAMAGED, str(error))

        self._over = self._shown_one = False
        threading.Thread(target=check, name="verify", daemon=True).start()

    def toggle(self) -> None:
        """Play or pause; from the start once it has ended."""
        if self.playing:
            self._player.pause()
        else:
            self._player.play()

    def seek(self, position_ms: int) -> None:
        """To a moment within the video."""
        self._player.setPosition(max(0, min(position_ms, self.length_ms)))

    def set_sound(self, volume: float, *, muted: bool) -> None:
        """``volume`` is 0.0 to 1.0."""
        if self._sound is None and not muted:
            self._sound = _audio_output(self)
            self._player.setAudioOutput(self._sound)
        if self._sound is not None:
            self._sound.setVolume(volume)
            self._sound.setMuted(muted)

    def stop(self) -> None:
        """For good."""
        self._over = True
        self._no_frame.stop()
        self._player.stop()
        self._player.setSource(QUrl())
        self._file.close()
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # What the decoder tells

    def _begin(self, opened: FileIO) -> None:
        if self._over:
            opened.close()
            return
        self._opened = opened
        if not self._file.open(opened.fileno(), QIODevice.OpenModeFlag.ReadOnly):
            self._fail(Problem.DAMAGED, self._file.errorString())
            return
        self._no_frame.start()
        # The open file, not its name: a decoder is given nothing that it could resolve.
        self._player.setSourceDevice(self._file, QUrl())
        self._player.play()

    def _on_frame(self, frame: QVideoFrame) -> None:
        if frame.isValid() and not self._over:
            self._shown_one = True
            self._no_frame.stop()
            self.frame.emit(frame)

    def _on_status(self, status: QMediaPlayer.MediaStatus) -> None:
        if status is QMediaPlayer.MediaStatus.InvalidMedia:
            self._fail(Problem.UNSUPPORTED, "invalid media")
        elif status is QMediaPlayer.MediaStatus.EndOfMedia:
            if self._shown_one:
                self.ended.emit()
            else:
                self._fail(Problem.UNSUPPORTED, "ended without a frame")

    def _fail(self, problem: Problem, detail: str) -> None:
        if not self._over:
            self.stop()
            self.failed.emit(problem, detail)


def _audio_output(parent: QObject) -> QAudioOutput:
    """An output that a thread of Qt's can let go of without asking Python.

    Qt's audio thread disconnects from it while it holds a lock of Qt's, and shiboken (6.11) then takes Python's lock to
    look for an override of ``disconnectNotify``; the main thread may hold that and wait for the other. Disconnecting once
    here makes shiboken remember that there is no override.
    """
    output = QAudioOutput(parent)
    output.mutedChanged.connect(parent.objectName)
    output.mutedChanged.disconnect(parent.objectName)
    return output
