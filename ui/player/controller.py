"""Plays a campaign's video: starts the player process, gives it verified files, and notes what the person does in it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.domain import errors
from agent.domain.model import VIDEO_LINK_ID, InboxItem, InteractionKind
from agent.system import subprocesses
from resources import i18n
from ui.core import desktop_errors
from ui.core.agent_port import Agent
from ui.core.bridge import Bridge
from ui.core.recorder import Recorder
from ui.core.timers import Call, Timers
from ui.player.messages import (
    Event,
    Look,
    PlayerEvent,
    PlayRequest,
    Problem,
    Told,
)
from ui.player.process import PlayerProcess
from ui.player.requests import play_request
from ui.style import text_format

log = logging.getLogger(__name__)

AHEAD_AT_MOST_MS = 120_000
LET_GO_AFTER_MS = 10_000
"""How long a player waits for somebody who is near, and for somebody who was."""

Command = Callable[[], Sequence[str]]


@dataclass
class _Playing:
    """What is in the player that is open."""

    campaign_id: str
    process: PlayerProcess
    wanted: float
    """When, on the monotonic clock, in seconds."""
    problem: Problem | None
    told: Told
    waited: bool = False
    """The player had been started ahead, and has told nothing since."""


class Playback:
    """One player at a time, and at most one that waits ahead. All methods are called on the main thread."""

    def __init__(
        self,
        agent: Agent,
        bridge: Bridge,
        tell: Callable[[errors.TidingsError], None],
        *,
        look: Callable[[], Look],
        follow: Callable[[str, str], object],
        change: Callable[[], None],
        timers: Timers,
        command: Command = lambda: subprocesses.command("helper", "player"),
    ) -> None:
        """``follow`` opens a link of a campaign by both ids; ``change`` the window in which sharing is chosen."""
        self._agent = agent
        self._bridge = bridge
        self._tell = tell
        self._recorder = Recorder(agent, tell)
        self._make_look = look
        self._follow = follow
        self._change = change
        self._timers = timers
        self._command = command
        self._ahead: PlayerProcess | None = None
        self._let_go_call: Call | None = None
        self._playing: _Playing | None = None
        self._open_ones: dict[PlayerProcess, str] = {}
        self._captions_language: str | None = None
        self._look: Look | None = None

    # A player that waits ahead

    def prepare(self) -> None:
        """Somebody is about to watch: start a player, so that the video begins at once."""
        if self._ahead is None or not self._ahead.running:
            try:
                self._ahead = self._start()
            except OSError as error:
                log.error("The player did not start: %s", error)
                return
        self._let_go_after(AHEAD_AT_MOST_MS)

    def let_go_soon(self) -> None:
        """They went away; they may come back."""
        if self._ahead is not None:
            self._let_go_after(LET_GO_AFTER_MS)

    def let_go(self) -> None:
        """Nobody is about to watch: the memory of the player that waits comes back."""
        self._cancel_let_go()
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.close()

    def _let_go_after(self, delay_ms: float) -> None:
        self._cancel_let_go()
        self._let_go_call = self._timers.after(delay_ms, self.let_go)

    def _cancel_let_go(self) -> None:
        if self._let_go_call is not None:
            self._let_go_call.cancel()
            self._let_go_call = None

    # The one that is open

    def play(self, campaign_id: str) -> None:
        """Open the player for a campaign's video; the one that is open closes."""
        wanted = time.monotonic()
        item = self._item(campaign_id)
        request = self._request(item) if item is not None else None
        if request is None:
            self._tell(desktop_errors.VideoMissing(f"the video of {campaign_id} is not here"))
            return
        self._stop_playing()
        self._open(campaign_id, request, wanted)

    def close(self) -> None:
        """Close the player that is open and the one that waits, if any."""
        self._stop_playing()
        self.let_go()

    def refresh(self) -> None:
        """Something changed: the player follows. With its announcement its window goes."""
        playing = self._playing
        look = self._make_look()
        if look != self._look:
            self._look = look
            for process in (self._ahead, playing.process if playing else None):
                if process is not None:
                    process.send(look)
        if playing is None:
            return
        item = self._item(playing.campaign_id)
        if item is None:
            log.info("%s leaves the player.", playing.campaign_id)
            self._stop_playing()
            return
        told = Told(item.state.liked, self._share_line())
        if told != playing.told:
            playing.told = told
            playing.process.send(told)

    def _open(self, campaign_id: str, request: PlayRequest, wanted: float) -> None:
        waited = self._ahead is not None and self._ahead.running
        self.prepare()
        self._cancel_let_go()
        process, self._ahead = self._ahead, None
        if process is None:
            self._tell(desktop_errors.PlayerUnavailable("it did not start"))
            return
        told = Told(request.liked, request.share_line)
        self._open_ones[process] = campaign_id
        self._playing = _Playing(campaign_id, process, wanted, request.problem, told, waited)
        process.send(request)

    def _start(self) -> PlayerProcess:
        process = PlayerProcess(
            self._command(),
            lambda process, event: self._bridge.post(lambda: self._heard(process, event)),
            lambda process, code: self._bridge.post(lambda: self._ended(process, code)),
        )
        self._look = self._make_look()
        process.send(self._look)
        return process

    def _stop_playing(self) -> None:
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.process.close()

    # What it is given

    def _item(self, campaign_id: str) -> InboxItem | None:
        return next(iter(self._agent.inbox(only={campaign_id})), None)

    def _request(self, item: InboxItem, problem: Problem | None = None) -> PlayRequest | None:
        """None where the verified video file is not here."""
        return play_request(
            item, self._agent.media_path, self._share_line(), self._captions_language, problem
        )

    def _share_line(self) -> str:
        return text_format.share_line(self._agent.choices())

    # What it tells

    def _heard(self, process: PlayerProcess, event: PlayerEvent) -> None:
        campaign_id = self._open_ones.get(process)
        if campaign_id is None:
            return
        if self._playing is not None and self._playing.process is process:
            self._playing.waited = False
        log.info("Player: %s %s", event.event, event.detail)
        if event.event is Event.FIRST_FRAME and self._playing is not None:
            after_ms = (time.monotonic() - self._playing.wanted) * 1000
            log.info("The first frame came %.0f ms after it was wanted.", after_ms)
        if event.event is Event.STARTED:
            self._recorder.record(campaign_id, InteractionKind.CLICKED, VIDEO_LINK_ID)
        elif event.event in (Event.LIKED, Event.UNLIKED):
            self._recorder.record(
                campaign_id, InteractionKind.LIKED if event.event is Event.LIKED else InteractionKind.UNLIKED
            )
        elif event.event is Event.CAPTIONS:
            self._captions_language = event.detail
        elif event.event is Event.FOLLOWED:
            self._follow(campaign_id, event.detail)
        elif event.event is Event.CHANGE:
            self._change()
        elif event.event is Event.FAILED:
            self._failed(campaign_id, event.detail)

    def _failed(self, campaign_id: str, detail: str) -> None:
        """A file that is not what the company signed goes, so that the agent fetches it again."""
        item = self._item(campaign_id)
        problem = detail.partition(":")[0]
        if item is None or problem not in (Problem.DAMAGED, Problem.MISSING):
            return
        video = item.campaign.variant(i18n.language()).video
        path = self._agent.media_path(video.sha256) if video else None
        if path is not None and problem == Problem.DAMAGED:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.error("A damaged video stays in the cache: %s", error)
        self._agent.check_now()

    def _ended(self, process: PlayerProcess, code: int) -> None:
        self._open_ones.pop(process, None)
        if process is self._ahead:
            self._ahead = None
        playing = self._playing
        if playing is None or playing.process is not process:
            return
        self._playing = None
        if code != 0:
            self._crashed(playing, code)

    def _crashed(self, playing: _Playing, code: int) -> None:
        """Say so in a player that decodes nothing; if that ends too, in a message. Another replaces one that died waiting."""
        item = self._item(playing.campaign_id)
        problem = playing.problem if playing.waited else Problem.CRASHED
        request = self._request(item, problem) if item is not None else None
        if playing.waited and request is not None:
            self._open(playing.campaign_id, request, playing.wanted)
            return
        if request is None or playing.problem is not None:
            self._tell(desktop_errors.PlayerEnded(f"exit code {code}"))
        else:
            self._open(playing.campaign_id, request, time.monotonic())
