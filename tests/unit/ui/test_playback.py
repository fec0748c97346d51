"""Playing a campaign's video: what the player process is given, and what is noted of what it tells."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.model import Captions, FeedbackSignal, Interaction, InteractionKind, Video
from tests.unit.ui.memory_agent import ManualTime, MemoryAgent, campaign
from ui.core import desktop_errors
from ui.core.bridge import Bridge
from ui.player.controller import Playback
from ui.player.messages import Event, Look, Order, PlayRequest, Problem, Told, read_order
from ui.player.prestart import Nearby

VIDEO = Video("a" * 64, 9, "video/mp4", 640, 360, 8_000, captions=(Captions("en", "English", "b" * 64, 9),))

PLAYER = """
import os, pathlib, sys
folder, code, *events = sys.argv[1:]
folder = pathlib.Path(folder)
(folder / f"{os.getpid()}.started").touch()
for line in sys.stdin:
    with open(folder / "orders", "a") as orders:
        orders.write(line)
    if '"play"' in line:
        for event in events:
            print(event, flush=True)
        if int(code):
            sys.exit(int(code))
with open(folder / "ended", "a") as ended:
    ended.write("x")
"""


class Fakes:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = ManualTime()
        self.agent = MemoryAgent(self.time)
        self.told: list[errors.TidingsError] = []
        self.followed: list[tuple[str, str]] = []
        self.changes = 0
        self.events: list[str] = []
        self.exit_codes = [0]
        self.look = Look("en", "light", "#0F766E")
        self.bridge = Bridge()
        self.playback = Playback(
            self.agent,
            self.bridge,
            self.told.append,
            look=lambda: self.look,
            follow=lambda campaign_id, link_id: self.followed.append((campaign_id, link_id)),
            change=self._change,
            timers=self.time,
            command=self._command,
        )
        self.agent.arrives(campaign("c-1", video=VIDEO, body="Come and see."), campaign("c-2"))
        for sha256, name in ((VIDEO.sha256, "video"), (VIDEO.captions[0].sha256, "captions")):
            (folder / name).touch()
            self.agent.media[sha256] = folder / name

    def _command(self) -> list[str]:
        code = self.exit_codes.pop(0) if len(self.exit_codes) > 1 else self.exit_codes[0]
        return [sys.executable, "-c", PLAYER, str(self.folder), str(code), *self.events]

    def _change(self) -> None:
        self.changes += 1

    def tells(self, *events: Event | tuple[Event, str]) -> None:
        """What the player will tell once it is to play."""
        pairs = [each if isinstance(each, tuple) else (each, "") for each in events]
        self.events = [json.dumps({"event": event, "detail": detail}) for event, detail in pairs]

    @property
    def orders(self) -> list[Order]:
        """What players were told so far."""
        file = self.folder / "orders"
        return [read_order(line) for line in file.read_bytes().splitlines()] if file.exists() else []

    @property
    def requests(self) -> list[PlayRequest]:
        return [order for order in self.orders if isinstance(order, PlayRequest)]

    @property
    def players(self) -> list[psutil.Process]:
        """Those that run; the children of this process may be others' too."""
        return [each for each in psutil.Process().children() if PLAYER in command_of(each)]

    @property
    def started(self) -> int:
        return len(list(self.folder.glob("*.started")))

    @property
    def ended(self) -> int:
        """How many players ended in order."""
        file = self.folder / "ended"
        return len(file.read_text()) if file.exists() else 0


def command_of(process: psutil.Process) -> list[str]:
    """Nothing where it has ended."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


@pytest.fixture
def fakes(qtbot: QtBot, tmp_path: Path) -> Iterator[Fakes]:
    fakes = Fakes(tmp_path)
    yield fakes
    fakes.playback.close()
    qtbot.waitUntil(lambda: not fakes.players)


def test_the_player_is_given_verified_files_of_this_computer_and_no_address(
    qtbot: QtBot, fakes: Fakes
) -> None:
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: bool(fakes.requests))
    assert fakes.orders[0] == fakes.look, "the language and the colours come first"
    request = fakes.requests[0]
    assert (request.video, request.sha256) == (str(fakes.folder / "video"), VIDEO.sha256)
    assert request.captions[0].path == str(fakes.folder / "captions")
    assert (request.title, request.body) == ("About c-1", "Come and see.")
    assert [link.link_id for link in request.links] == ["l1", "l2"]
    assert "Nothing is shared" in request.share_line
    assert b"http" not in (fakes.folder / "orders").read_bytes()


def test_a_video_that_starts_is_a_click_and_hearts_are_hearts(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.tells(Event.READY, Event.FIRST_FRAME, Event.STARTED, Event.LIKED, Event.UNLIKED, Event.ENDED)
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: len(fakes.agent.recorded) == 3)
    assert fakes.agent.recorded == [
        Interaction("c-1", InteractionKind.CLICKED, "video"),
        Interaction("c-1", InteractionKind.LIKED),
        Interaction("c-1", InteractionKind.UNLIKED),
    ]


def test_a_video_that_fails_is_no_click(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.tells(Event.READY, (Event.FAILED, "unsupported: no frame"), Event.LIKED)
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: bool(fakes.agent.recorded))
    assert fakes.agent.recorded == [Interaction("c-1", InteractionKind.LIKED)]


def test_a_damaged_file_goes_and_is_fetched_again(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.tells((Event.FAILED, "damaged: the hash is not the signed one"))
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: "check_now" in fakes.agent.calls)
    assert not (fakes.folder / "video").exists()


def test_a_file_that_this_computer_cannot_show_stays(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.tells((Event.FAILED, "unsupported: no frame"), Event.CHANGE)
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: fakes.changes == 1)
    assert (fakes.folder / "video").exists()


def test_links_are_opened_by_the_agent_and_what_is_shared_is_changed_there(
    qtbot: QtBot, fakes: Fakes
) -> None:
    fakes.tells((Event.FOLLOWED, "l1"), Event.CHANGE)
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: fakes.changes == 1)
    assert fakes.followed == [("c-1", "l1")]


@pytest.mark.parametrize("language", ["fr", ""])
def test_captions_that_were_chosen_are_those_of_the_next_video(
    qtbot: QtBot, fakes: Fakes, language: str
) -> None:
    fakes.tells((Event.CAPTIONS, language), Event.CHANGE)
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: fakes.changes == 1)
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: len(fakes.requests) == 2)
    assert [request.captions_language for request in fakes.requests] == [None, language]


def test_a_heart_or_a_choice_elsewhere_is_told_to_the_player(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.playback.play("c-1")
    fakes.agent.interactions.record(Interaction("c-1", InteractionKind.LIKED))
    fakes.agent.choose({FeedbackSignal.LIKE: True})
    fakes.playback.refresh()
    fakes.playback.refresh()
    qtbot.waitUntil(lambda: len(fakes.orders) == 3)
    told = [order for order in fakes.orders if isinstance(order, Told)]
    assert len(told) == 1, "only what is new"
    assert told[0].liked
    assert "Shared: likes" in told[0].share_line


def test_a_desktop_that_turns_dark_darkens_the_player(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.playback.play("c-1")
    fakes.look = Look("en", "dark", "#0F766E")
    fakes.playback.refresh()
    qtbot.waitUntil(lambda: len(fakes.orders) == 3)
    assert fakes.orders[-1] == fakes.look


def test_a_recalled_announcement_leaves_the_player_too(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: bool(fakes.requests))
    fakes.agent.recall("c-1")
    fakes.playback.refresh()
    qtbot.waitUntil(lambda: fakes.ended == 1)


@pytest.mark.expected_logs("something unknown")
def test_what_a_broken_player_says_does_no_harm(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.events = ["Traceback", '{"event": "bought"}', '{"event": "liked"}']
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: fakes.agent.recorded == [Interaction("c-1", InteractionKind.LIKED)])


@pytest.mark.expected_logs("ended with 3")
def test_a_player_that_crashes_comes_back_with_the_poster_and_a_sentence(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.exit_codes = [3, 0]
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: len(fakes.requests) == 2)
    assert [request.problem for request in fakes.requests] == [None, Problem.CRASHED]
    assert not fakes.told


@pytest.mark.expected_logs("ended with 3")
def test_a_player_that_crashes_without_decoding_too_is_told_in_a_message(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.exit_codes = [3]
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: bool(fakes.told))
    assert isinstance(fakes.told[0], desktop_errors.PlayerEnded)
    assert fakes.started == 2


def test_a_video_that_is_not_here_yet_is_told_and_no_player_starts(fakes: Fakes) -> None:
    fakes.agent.media.clear()
    for campaign_id in ("c-1", "c-2", "c-9"):
        fakes.playback.play(campaign_id)
    assert [type(fault) for fault in fakes.told] == [desktop_errors.VideoMissing] * 3


@pytest.mark.expected_logs("did not start")
def test_a_player_that_cannot_start_is_told(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fakes.playback, "_command", lambda: ["/nowhere/player"])
    fakes.playback.play("c-1")
    assert isinstance(fakes.told[0], desktop_errors.PlayerUnavailable)


def test_a_second_video_closes_the_first(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: bool(fakes.requests))
    fakes.playback.play("c-1")
    qtbot.waitUntil(lambda: fakes.ended == 1 and len(fakes.requests) == 2)


class TestAhead:
    def test_a_player_that_waits_takes_the_video(self, qtbot: QtBot, fakes: Fakes) -> None:
        fakes.playback.prepare()
        fakes.playback.prepare()
        qtbot.waitUntil(lambda: fakes.started == 1)
        fakes.playback.play("c-1")
        qtbot.waitUntil(lambda: bool(fakes.requests))
        fakes.time.pass_by(3_600)
        assert (fakes.started, fakes.ended) == (1, 0), "the one that plays is not let go"

    def test_it_goes_some_seconds_after_nobody_is_near_any_more(self, qtbot: QtBot, fakes: Fakes) -> None:
        fakes.playback.prepare()
        qtbot.waitUntil(lambda: fakes.started == 1)
        fakes.playback.let_go_soon()
        fakes.time.pass_by(9)
        fakes.playback.prepare()
        fakes.playback.let_go_soon()
        fakes.time.pass_by(9)
        assert fakes.ended == 0, "somebody came back"
        fakes.time.pass_by(2)
        qtbot.waitUntil(lambda: fakes.ended == 1)
        assert fakes.time.waiting == 0

    def test_it_goes_although_a_pointer_was_left_there(self, qtbot: QtBot, fakes: Fakes) -> None:
        fakes.playback.prepare()
        qtbot.waitUntil(lambda: fakes.started == 1)
        fakes.time.pass_by(121)
        qtbot.waitUntil(lambda: fakes.ended == 1)

    @pytest.mark.expected_logs("ended with -9")
    def test_one_that_died_while_it_waited_is_replaced_without_a_word(
        self, qtbot: QtBot, fakes: Fakes
    ) -> None:
        fakes.playback.prepare()
        qtbot.waitUntil(lambda: fakes.started == 1)
        (player,) = fakes.players
        player.kill()
        qtbot.waitUntil(lambda: not fakes.players)
        fakes.playback.play("c-1")
        qtbot.waitUntil(lambda: bool(fakes.requests))
        assert fakes.requests[0].problem is None
        assert not fakes.told

    def test_coming_near_a_video_prepares_and_going_lets_go(self, qtbot: QtBot, fakes: Fakes) -> None:
        button = QPushButton()
        qtbot.addWidget(button)
        has_video = False
        Nearby(fakes.playback, lambda: has_video, button)
        QApplication.sendEvent(button, QEvent(QEvent.Type.Enter))
        assert fakes.time.waiting == 0, "no video, no player"
        has_video = True
        QApplication.sendEvent(button, QEvent(QEvent.Type.Enter))
        qtbot.waitUntil(lambda: fakes.started == 1)
        QApplication.sendEvent(button, QEvent(QEvent.Type.Hide))
        fakes.time.pass_by(11)
        qtbot.waitUntil(lambda: fakes.ended == 1)
