"""Playing a campaign's video: what the player process is given, and what is noted of what it tells."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from agent import errors
from agent.model import Act, Captions, Interaction, Video
from tests.unit.ui.desk import ManualTime, MemoryAgent, campaign
from ui import faults
from ui.bridge import Bridge
from ui.playback import Playback
from ui.player.messages import read_request

VIDEO = Video("a" * 64, 9, "video/mp4", 640, 360, 8_000, captions=(Captions("en", "English", "b" * 64, 9),))

PLAYER = """
import pathlib, sys
folder, *events = sys.argv[1:]
pathlib.Path(folder, "part").write_text(sys.stdin.readline())
pathlib.Path(folder, "part").rename(pathlib.Path(folder, "request"))
for event in events:
    print(event, flush=True)
sys.stdin.read()
pathlib.Path(folder, "ended").touch()
"""


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.agent = MemoryAgent(ManualTime())
        self.told: list[errors.TidingsError] = []
        self.events: list[str] = []
        self.bridge = Bridge()
        self.playback = Playback(self.agent, self.bridge, self.told.append, command=self._command)
        self.agent.arrives(campaign("c-1", video=VIDEO), campaign("c-2"))
        for sha256, name in ((VIDEO.sha256, "video"), (VIDEO.captions[0].sha256, "captions")):
            self.agent.media[sha256] = folder / name

    def _command(self) -> list[str]:
        return [sys.executable, "-c", PLAYER, str(self.folder), *self.events]

    @property
    def ended(self) -> bool:
        return (self.folder / "ended").exists()


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    started = (tmp_path / "request").exists()
    desk.playback.close()
    qtbot.waitUntil(lambda: desk.ended or not started)


def test_the_player_is_given_verified_files_of_this_computer_and_no_address(qtbot: QtBot, desk: Desk) -> None:
    desk.playback.play("c-1")
    qtbot.waitUntil(lambda: (desk.folder / "request").exists())
    text = (desk.folder / "request").read_bytes()
    request = read_request(text)
    assert request.video == str(desk.folder / "video")
    assert request.captions[0].path == str(desk.folder / "captions")
    assert request.title == "About c-1"
    assert b"http" not in text


def test_a_video_that_starts_is_a_click_and_hearts_are_hearts(qtbot: QtBot, desk: Desk) -> None:
    desk.events = [
        f'{{"event": "{event}"}}'
        for event in ("ready", "first_frame", "started", "liked", "unliked", "ended")
    ]
    desk.playback.play("c-1")
    qtbot.waitUntil(lambda: len(desk.agent.recorded) == 3)
    assert desk.agent.recorded == [
        Interaction("c-1", Act.CLICKED, "video"),
        Interaction("c-1", Act.LIKED),
        Interaction("c-1", Act.UNLIKED),
    ]


def test_a_video_that_fails_is_no_click(qtbot: QtBot, desk: Desk) -> None:
    desk.events = ['{"event": "ready"}', '{"event": "failed", "detail": "no frame"}', '{"event": "liked"}']
    desk.playback.play("c-1")
    qtbot.waitUntil(lambda: bool(desk.agent.recorded))
    assert desk.agent.recorded == [Interaction("c-1", Act.LIKED)]


@pytest.mark.expected_logs("something unknown")
def test_what_a_broken_player_says_does_no_harm(qtbot: QtBot, desk: Desk) -> None:
    desk.events = ["Traceback", '{"event": "bought"}', '{"event": "liked"}']
    desk.playback.play("c-1")
    qtbot.waitUntil(lambda: desk.agent.recorded == [Interaction("c-1", Act.LIKED)])


@pytest.mark.expected_logs("ended with 3")
def test_a_player_that_crashes_is_told_and_ends_one_video_only(
    qtbot: QtBot, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)"]
    monkeypatch.setattr(desk.playback, "_command", lambda: crash)
    desk.playback.play("c-1")
    qtbot.waitUntil(lambda: bool(desk.told))
    assert isinstance(desk.told[0], faults.PlayerEnded)


def test_a_video_that_is_not_here_yet_is_told_and_no_player_starts(desk: Desk) -> None:
    desk.agent.media.clear()
    for campaign_id in ("c-1", "c-2", "c-9"):
        desk.playback.play(campaign_id)
    assert [type(fault) for fault in desk.told] == [faults.VideoMissing] * 3


@pytest.mark.expected_logs("did not start")
def test_a_player_that_cannot_start_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.playback, "_command", lambda: ["/nowhere/player"])
    desk.playback.play("c-1")
    assert isinstance(desk.told[0], faults.PlayerUnavailable)


def test_a_second_video_closes_the_first(qtbot: QtBot, desk: Desk) -> None:
    desk.playback.play("c-1")
    qtbot.waitUntil(lambda: (desk.folder / "request").exists())
    desk.playback.play("c-1")
    qtbot.waitUntil(lambda: desk.ended)
    (desk.folder / "ended").unlink()
