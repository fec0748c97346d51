"""The player's window: video, controls, captions, full screen; muted until the person wants sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QCloseEvent, QImage, QKeyEvent

from resources.i18n import _, language
from ui.core.timers import Timers
from ui.player.captions import OFF, CaptionTrack
from ui.player.controls import FIRST_VOLUME
from ui.player.frame import PlayerFrame
from ui.player.keys import PlayerCommand, command_of
from ui.player.messages import Event, PlayRequest, Problem, Told, path_of
from ui.player.sliders import SEEK_STEP_S, VOLUME_STEP
from ui.style.app_icon import application_icon
from ui.style.theme import Theme
from ui.widgets.picture import read_picture
from ui.widgets.press_guard import PressGuard

if TYPE_CHECKING:
    from ui.player.error_page import ErrorPage
    from ui.player.media_player import MediaPlayer

FAR_STEP_S = 10
POSTER_SIZE = QSize(1920, 1080)


class PlayerWindow(PlayerFrame):
    """``told`` carries an ``Event`` and a detail."""

    told = Signal(object, str)

    def __init__(
        self,
        request: PlayRequest,
        theme: Theme,
        video: MediaPlayer | None = None,
        timers: Timers | None = None,
    ) -> None:
        poster = read_picture(path_of(request.poster), POSTER_SIZE) if request.poster else QImage()
        track = CaptionTrack(request.captions, language(), request.captions_language)
        super().__init__(theme, poster, track.labels, liked=request.liked)
        self._request, self._poster, self._track = request, poster, track
        self._ready_video = video
        self._video: MediaPlayer | None = None
        self._started = False
        self._volume, self._muted = FIRST_VOLUME, True
        self.trouble: ErrorPage | None = None
        self.setWindowTitle(request.title)
        self.setWindowIcon(application_icon())
        self.surface.setAccessibleName(request.title)
        self._guard = PressGuard(
            self, self.controls.like, self.share.change, timers=timers, needs_front=False
        )
        self._connect()
        self.controls.show_length(request.duration_ms)
        self.controls.show_captions(self._track.index)
        self.share.show_line(request.share_line)
        self.take_first_size(QSize(request.width, request.height))

    def begin(self) -> None:
        """Show the window and play: at once where the decoder is ready, else as soon as the poster is on the screen."""
        playing = self._request.problem is None
        if self._request.problem is not None:
            self._show_trouble(self._request.problem)
        elif self._ready_video is not None:
            self._open_video()
        else:
            self.surface.painted.connect(self._poster_shown)
        self.show()
        if playing:
            self.controls.play.setFocus()
        self.told.emit(Event.READY, "")

    def hear(self, told: Told) -> None:
        """The announcement is liked elsewhere, or something else is shared now."""
        self.controls.like.set_liked(told.liked)
        self.share.show_line(told.share_line)
        self.lay_out()

    def _connect(self) -> None:
        controls = self.controls
        self.surface.first_frame.connect(self._on_first_frame)
        self.surface.clicked.connect(self.toggle_play)
        self.surface.double_clicked.connect(self.toggle_full_screen)
        controls.play_clicked.connect(self.toggle_play)
        controls.seek_wanted.connect(self.seek)
        controls.mute_clicked.connect(self.toggle_mute)
        controls.volume_wanted.connect(self.set_volume)
        controls.captions_chosen.connect(self.choose_captions)
        controls.full_screen_clicked.connect(self.toggle_full_screen)
        controls.keys_clicked.connect(self.toggle_keys)
        controls.like_toggled.connect(
            lambda liked: self.told.emit(Event.LIKED if liked else Event.UNLIKED, "")
        )
        self.share.change_clicked.connect(lambda: self.told.emit(Event.CHANGE, ""))

    def _poster_shown(self) -> None:
        self.surface.painted.disconnect(self._poster_shown)
        QTimer.singleShot(0, self._open_video)

    def _open_video(self) -> None:
        video = self._video or self._take_video()
        video.set_sound(self._volume, muted=self._muted)
        video.open(self._request.video, self._request.sha256)

    def _take_video(self) -> MediaPlayer:
        from ui.player.media_player import MediaPlayer

        video = self._video = self._ready_video or MediaPlayer(self)
        video.frame.connect(self.surface.show_frame)
        video.moved.connect(self._on_position)
        video.length_known.connect(self.controls.show_length)
        video.playing_changed.connect(self._on_playing)
        video.ended.connect(lambda: self.told.emit(Event.ENDED, ""))
        video.failed.connect(self._fail)
        return video

    # What the person does

    def toggle_play(self) -> None:
        if self._video is not None and self.trouble is None:
            self._video.toggle()

    def seek(self, position_ms: int) -> None:
        if self._video is not None:
            self._video.seek(position_ms)

    def _skip(self, seconds: int) -> None:
        if self._video is not None:
            self.seek(self._video.position_ms + seconds * 1000)
            self._say(_("{seconds} s").format(seconds=f"{seconds:+}".replace("-", "\N{MINUS SIGN}")))

    def _seek_share(self, share: float) -> None:
        if self._video is not None:
            self.seek(round(self._video.length_ms * share))

    def _like(self) -> None:
        if self._guard.takes(self):
            self.controls.like.click()

    def toggle_mute(self) -> None:
        self._set_sound(self._volume or FIRST_VOLUME, muted=not self._muted)

    def set_volume(self, volume: float) -> None:
        """``volume`` is 0.0 to 1.0; silence is muted."""
        self._set_sound(min(max(volume, 0.0), 1.0), muted=volume <= 0.0)

    def _set_sound(self, volume: float, *, muted: bool) -> None:
        if not self.controls.mute.isEnabled():
            return
        self._volume, self._muted = volume, muted
        self.controls.volume.show_share(volume)
        self.controls.show_muted(muted)
        self._say(_("Muted") if muted else _("Volume: {percent} %").format(percent=round(volume * 100)))
        if self._video is not None:
            self._video.set_sound(volume, muted=muted)

    def choose_captions(self, index: int) -> None:
        """An index into the languages, or ``OFF``."""
        if not self._track.labels:
            return
        self._track.index = index
        self.controls.show_captions(index)
        self._show_caption()
        name = _("Off") if index == OFF else self._track.labels[index]
        self._say(_("Captions: {language}").format(language=name))
        self.told.emit(Event.CAPTIONS, self._track.language)

    def _say(self, text: str) -> None:
        """Over the picture for a moment, and to screen readers."""
        self.surface.show_hint(text)
        self._announce(text)

    def _announce(self, text: str) -> None:
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that the focused control does not use itself."""
        command = command_of(event)
        if isinstance(command, float):
            self._seek_share(command)
        elif command is not None and (
            self.trouble is None or command in (PlayerCommand.LEAVE, PlayerCommand.FULL_SCREEN)
        ):
            self._do(command)
        else:
            super().keyPressEvent(event)

    def _do(self, command: PlayerCommand) -> None:
        commands = {
            PlayerCommand.PLAY: self.toggle_play,
            PlayerCommand.BACK: lambda: self._skip(-SEEK_STEP_S),
            PlayerCommand.FORWARD: lambda: self._skip(SEEK_STEP_S),
            PlayerCommand.FAR_BACK: lambda: self._skip(-FAR_STEP_S),
            PlayerCommand.FAR_FORWARD: lambda: self._skip(FAR_STEP_S),
            PlayerCommand.START: lambda: self._seek_share(0.0),
            PlayerCommand.END: lambda: self._seek_share(1.0),
            PlayerCommand.LOUDER: lambda: self.set_volume(self._volume + VOLUME_STEP / 100),
            PlayerCommand.QUIETER: lambda: self.set_volume(self._volume - VOLUME_STEP / 100),
            PlayerCommand.MUTE: self.toggle_mute,
            PlayerCommand.CAPTIONS: lambda: self.choose_captions(self._track.next()),
            PlayerCommand.LIKE: self._like,
            PlayerCommand.FULL_SCREEN: self.toggle_full_screen,
            PlayerCommand.LEAVE: self.leave,
            PlayerCommand.KEYS: self.toggle_keys,
        }
        commands[command]()

    # What the video does

    def _on_first_frame(self) -> None:
        self.told.emit(Event.FIRST_FRAME, "")
        if not self._started:
            self._started = True
            self.told.emit(Event.STARTED, "")
        if self._video is not None and not self._video.has_sound:
            self.controls.show_silent()

    def _on_position(self, position_ms: int) -> None:
        self.controls.show_position(position_ms)
        self._show_caption()

    def _show_caption(self) -> None:
        self.surface.set_caption(self._track.text(self._video.position_ms if self._video is not None else 0))

    def _on_playing(self, playing: bool) -> None:
        self.controls.show_playing(playing)
        self.playing = playing

    def _fail(self, problem: Problem, detail: str) -> None:
        self._show_trouble(problem)
        self.told.emit(Event.FAILED, f"{problem}: {detail}")

    def _show_trouble(self, problem: Problem) -> None:
        from ui.player.error_page import ErrorPage, sentences

        self.playing = False
        page = ErrorPage(self._request, self._poster, problem, self.theme, self)
        page.again.connect(self._try_again)
        page.link_clicked.connect(lambda link_id: self.told.emit(Event.FOLLOWED, link_id))
        self._guard.guard(*page.links.buttons)
        self.trouble = page
        self.show_instead(page)
        page.setFocus()
        self._announce(" ".join(sentences(problem)))

    def _try_again(self) -> None:
        page, self.trouble = self.trouble, None
        if page is not None:
            self.show_instead(None)
            page.deleteLater()
            self.controls.play.setFocus()
            self._open_video()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if self._video is not None:
            self._video.stop()
        self.told.emit(Event.CLOSED, "")
