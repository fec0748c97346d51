"""Plays a campaign's video: starts the player process, gives it verified files, and notes what the person does in it."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from agent import errors, processes
from agent.model import VIDEO_LINK_ID, Act, InboxItem, Interaction, Video
from resources import i18n
from ui import faults
from ui.agent_port import Agent
from ui.bridge import Bridge
from ui.player import messages
from ui.player.messages import CaptionFile, Event, PlayerEvent, PlayRequest

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)

Command = Callable[[], Sequence[str]]
_ACTS = {
    Event.STARTED: (Act.CLICKED, VIDEO_LINK_ID),
    Event.LIKED: (Act.LIKED, ""),
    Event.UNLIKED: (Act.UNLIKED, ""),
}


class Playback:
    """One player at a time. All methods are called on the main thread."""

    def __init__(
        self,
        agent: Agent,
        bridge: Bridge,
        tell: Callable[[errors.TidingsError], None],
        *,
        high_contrast: Callable[[], bool] = lambda: False,
        command: Command = lambda: processes.command("helper", "player"),
    ) -> None:
        self._agent = agent
        self._bridge = bridge
        self._tell = tell
        self._high_contrast = high_contrast
        self._command = command
        self._player: PlayerProcess | None = None

    def play(self, campaign_id: str) -> None:
        """Open the player for a campaign's video; the one that is open closes."""
        item = next((each for each in self._agent.inbox() if each.campaign.campaign_id == campaign_id), None)
        request = self._request(item) if item is not None else None
        if request is None:
            self._tell(faults.VideoMissing(f"the video of {campaign_id} is not here"))
            return
        self.close()
        try:
            self._player = PlayerProcess(
                self._command(),
                request,
                lambda event: self._bridge.post(lambda: self._heard(campaign_id, event)),
                lambda code: self._bridge.post(lambda: self._crashed(code)),
            )
        except OSError as error:
            log.error("The player did not start: %s", error)
            self._tell(faults.PlayerUnavailable(str(error)))

    def close(self) -> None:
        """Close the player that is open, if any."""
        player, self._player = self._player, None
        if player is not None:
            player.close()

    def _request(self, item: InboxItem) -> PlayRequest | None:
        """None where the verified video file is not here."""
        text = item.campaign.variant(i18n.language())
        path = self._agent.media_path(text.video.sha256) if text.video else None
        if text.video is None or path is None:
            return None
        company = self._agent.status().company
        return PlayRequest(
            title=text.title,
            video=str(path.absolute()),
            poster=self._absolute(text.video.poster.sha256 if text.video.poster else ""),
            captions=self._captions(text.video),
            language=i18n.language(),
            accent=company.accent if company else "",
            high_contrast=self._high_contrast(),
            liked=item.state.liked,
        )

    def _captions(self, video: Video) -> tuple[CaptionFile, ...]:
        return tuple(
            CaptionFile(each.language, each.label, path)
            for each in video.captions
            if (path := self._absolute(each.sha256))
        )

    def _absolute(self, sha256: str) -> str:
        """Empty while the file is not here."""
        path: Path | None = self._agent.media_path(sha256) if sha256 else None
        return str(path.absolute()) if path is not None else ""

    def _heard(self, campaign_id: str, event: PlayerEvent) -> None:
        log.info("Player: %s %s", event.event, event.detail)
        if event.event in _ACTS:
            act, link_id = _ACTS[event.event]
            try:
                self._agent.record(Interaction(campaign_id, act, link_id))
            except errors.TidingsError as fault:
                self._tell(fault)

    def _crashed(self, code: int) -> None:
        self._tell(faults.PlayerEnded(f"exit code {code}"))


class PlayerProcess:
    """A running player. It ends when its standard input does, so also when this process dies. Raises OSError."""

    def __init__(
        self,
        command: Sequence[str],
        request: PlayRequest,
        heard: Callable[[PlayerEvent], None],
        crashed: Callable[[int], None] = lambda _code: None,
    ) -> None:
        """``heard`` and ``crashed`` (with the exit code) are called on a thread."""
        self._heard = heard
        self._crashed = crashed
        self._closing = False
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, creationflags=_NO_WINDOW
        )
        self._listener = threading.Thread(target=self._listen, args=(request,), name="player", daemon=True)
        self._listener.start()

    def close(self) -> None:
        """Ask it to end and insist if it does not, without waiting here."""
        self._closing = True
        threading.Thread(target=self._end, name="player-end", daemon=True).start()

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        return self._process.wait(seconds)

    def _end(self) -> None:
        self._close_input()
        try:
            self._process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            log.warning("The player did not close; it is ended.")
            self._process.kill()

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError as error:
                log.debug("The player had gone: %s", error)

    def _listen(self, request: PlayRequest) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(messages.line(request))
            self._process.stdin.flush()
        except OSError as error:
            log.error("The player did not take its request: %s", error)
        with self._process.stdout as output:
            for text in output:
                self._told(text)
        self._close_input()
        code = self._process.wait()
        failed = code != 0 and not self._closing
        log.log(logging.WARNING if failed else logging.INFO, "The player ended with %d.", code)
        if failed:
            self._crashed(code)

    def _told(self, text: bytes) -> None:
        try:
            event = messages.read_event(text)
        except msgspec.DecodeError as error:
            log.warning("The player said something unknown: %s", error)
            return
        self._heard(event)
