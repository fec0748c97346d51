"""The player as a process on a real desktop, with real video: what is on the screen, and what it tells."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import psutil
import pytest
from pytestqt.qtbot import QtBot

from agent.domain.model import Interaction
from agent.system import subprocesses
from resources.sample import make_media
from tests.support.desktop.employee import PRESSES_COUNT_AFTER_S
from tests.support.desktop.screen import Box
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.videos import VideoAgent, make_video
from tests.support.waiting import PATIENCE_S, until
from ui.core.agent_port import Agent
from ui.core.bridge import Bridge
from ui.core.timers import QtTimers
from ui.player.controller import Playback
from ui.player.messages import CaptionFile, Event, LinkButton, Look, PlayerEvent, PlayRequest, Problem
from ui.player.process import PlayerProcess

ROOT = Path(__file__).resolve().parents[3]
TITLE = "The new Lyon studio opens"


@pytest.fixture(scope="module")
def desktop() -> Iterator[VirtualDesktop]:
    with VirtualDesktop() as running:
        yield running


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample video, and files that cannot be played."""
    folder = tmp_path_factory.mktemp("media")
    make_media.make_media(folder)
    make_media.make_broken(folder)
    make_video(folder / "video.mp4", 12)
    return folder


class Player:
    """A running player and what it told so far."""

    def __init__(self, request: PlayRequest) -> None:
        self.events: list[PlayerEvent] = []
        self.process = PlayerProcess(
            subprocesses.command("helper", "player"), lambda _process, event: self.events.append(event)
        )
        self.process.send(Look())
        self.process.send(request)

    @property
    def kinds(self) -> list[Event]:
        return [event.event for event in self.events]

    def told(self, event: Event, seconds: float = PATIENCE_S) -> None:
        until(lambda: event in self.kinds, f"the player to tell {event}; it told {self.kinds}", seconds)


@pytest.fixture
def play(
    desktop: VirtualDesktop, media: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Player]]:
    """Plays a file of the media folder with the video's captions."""
    for name, value in desktop.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    players: list[Player] = []

    def start(name: str) -> Player:
        video = media / name
        sha256 = hashlib.sha256(video.read_bytes()).hexdigest() if video.exists() else "0" * 64
        request = PlayRequest(
            TITLE,
            str(video),
            sha256,
            str(media / "lyon-studio.jpg"),
            (
                CaptionFile("en", "English", str(media / "lyon-studio.en.vtt")),
                CaptionFile("fr", "Français", str(media / "lyon-studio.fr.vtt")),
            ),
            duration_ms=8_000,
            links=(LinkButton("plan", "Open the floor plan"),),
        )
        players.append(Player(request))
        return players[-1]

    yield start
    for player in players:
        player.process.close()
        player.process.wait(PATIENCE_S)
    desktop.screen.gone(title=TITLE)


def players() -> list[psutil.Process]:
    """The players that this process started, zombies too. A server of other tests may be its child as well."""
    return [each for each in psutil.Process().children() if plays(each)]


def plays(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE or "player" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def colours(desktop: VirtualDesktop, box: Box) -> int:
    """How many different colours there are in a part of the screen."""
    return len(desktop.screen.image(box).getcolors(maxcolors=10_000_000) or ())


def test_a_video_is_shown_moves_and_ends(desktop: VirtualDesktop, play: Callable[[str], Player]) -> None:
    player = play("lyon-studio.mp4")
    player.told(Event.STARTED)
    window = desktop.screen.window(title=TITLE)
    picture = (window.x + 50, window.y + 50, window.x + window.width - 50, window.y + window.height - 120)
    until(lambda: colours(desktop, picture) > 1_000, "a real picture, not one colour")
    first = desktop.screen.image(picture)
    until(lambda: desktop.screen.changed(first, picture), "the picture to change")
    desktop.screen.focus(window)
    desktop.screen.key("9")
    player.told(Event.ENDED)
    assert player.kinds[:3] == [Event.READY, Event.FIRST_FRAME, Event.STARTED]


def test_the_keyboard_goes_full_screen_and_back_likes_and_closes(
    desktop: VirtualDesktop, play: Callable[[str], Player]
) -> None:
    screen = desktop.screen
    player = play("lyon-studio.mp4")
    player.told(Event.STARTED)
    window = screen.window(title=TITLE)
    screen.focus(window)
    screen.key("f")
    until(lambda: screen.window(title=TITLE).width == desktop.options.width, "full screen")
    screen.key("Escape")
    until(lambda: screen.window(title=TITLE).width < desktop.options.width, "the window again")
    since = time.monotonic()
    until(lambda: time.monotonic() > since + PRESSES_COUNT_AFTER_S, "presses to count in it")
    screen.key("h")
    player.told(Event.LIKED)
    screen.key("h")
    player.told(Event.UNLIKED)
    screen.key("Escape")
    player.told(Event.CLOSED)
    assert player.process.wait(PATIENCE_S) == 0


def test_keys_go_through_the_captions_and_off(desktop: VirtualDesktop, play: Callable[[str], Player]) -> None:
    player = play("lyon-studio.mp4")
    player.told(Event.STARTED)
    desktop.screen.focus(desktop.screen.window(title=TITLE))
    for count, language in enumerate(("fr", "", "en"), 1):
        desktop.screen.key("c")
        until(lambda count=count: player.kinds.count(Event.CAPTIONS) == count, "the captions to change")  # type: ignore[misc]
        assert player.events[-1].detail == language


def test_an_arrow_seeks_from_the_button_that_has_the_focus_and_a_digit_goes_to_its_tenth(
    desktop: VirtualDesktop, play: Callable[[str], Player]
) -> None:
    player = play("lyon-studio.mp4")
    player.told(Event.STARTED)
    desktop.screen.focus(desktop.screen.window(title=TITLE))
    desktop.screen.key("9")
    player.told(Event.ENDED, seconds=4)
    desktop.screen.key("Home", "space", "Right", "9")
    until(lambda: player.kinds.count(Event.ENDED) == 2, "the end a second time", 6)


def test_the_keys_are_named_on_request_and_escape_closes_one_thing_at_a_time(
    desktop: VirtualDesktop, play: Callable[[str], Player]
) -> None:
    screen = desktop.screen
    player = play("lyon-studio.mp4")
    player.told(Event.STARTED)
    window = screen.window(title=TITLE)
    screen.focus(window)
    screen.key("space")
    middle = (window.centre[0] - 60, window.y + 120, window.centre[0] + 60, window.y + 320)
    until(lambda: colours(desktop, middle) > 20, "the picture")
    before = screen.image(middle)
    screen.key("F1")
    until(lambda: screen.changed(before, middle), "the page of keys")
    screen.key("Escape")
    screen.key("f")
    until(lambda: screen.window(title=TITLE).width == desktop.options.width, "full screen")
    screen.key("Escape")
    until(lambda: screen.window(title=TITLE).width < desktop.options.width, "the window again")
    assert Event.CLOSED not in player.kinds
    screen.key("Escape")
    player.told(Event.CLOSED)


def test_controls_leave_the_picture_alone_in_full_screen_and_come_back(
    desktop: VirtualDesktop, play: Callable[[str], Player]
) -> None:
    screen = desktop.screen
    player = play("video.mp4")
    player.told(Event.STARTED)
    screen.focus(screen.window(title=TITLE))
    screen.move(300, 300)
    screen.key("f")
    until(lambda: screen.window(title=TITLE).width == desktop.options.width, "full screen")
    bar = (200, desktop.options.height - 20, 400, desktop.options.height - 4)
    until(lambda: colours(desktop, bar) == 1, "the controls over the picture")
    until(lambda: colours(desktop, bar) > 1, "the picture alone")
    screen.move(310, 310)
    until(lambda: colours(desktop, bar) == 1, "the controls again")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("truncated.mp4", Problem.DAMAGED),
        ("playlist.mp4", Problem.DAMAGED),
        ("matroska.mkv", Problem.DAMAGED),
        ("av1.mp4", Problem.UNSUPPORTED),
        ("gone.mp4", Problem.MISSING),
    ],
)
def test_what_cannot_be_played_ends_in_a_sentence_with_the_poster(
    desktop: VirtualDesktop, play: Callable[[str], Player], name: str, problem: Problem
) -> None:
    player = play(name)
    player.told(Event.FAILED)
    assert [event.detail.partition(":")[0] for event in player.events if event.event is Event.FAILED] == [
        problem
    ]
    window = desktop.screen.window(title=TITLE)
    until(lambda: colours(desktop, window.box) > 1_000, "the poster")
    assert Event.CLOSED not in player.kinds, "it stays open to be read"


def test_the_player_ends_with_the_process_that_started_it(
    desktop: VirtualDesktop, play: Callable[[str], Player]
) -> None:
    """Its standard input closes when the agent dies, however that happens."""
    player = play("lyon-studio.mp4")
    player.told(Event.STARTED)
    player.process.close()
    assert player.process.wait(PATIENCE_S) == 0


def test_a_request_that_is_none_is_refused(desktop: VirtualDesktop) -> None:
    done = subprocess.run(
        subprocesses.command("helper", "player"),
        input=b'{"type": "play", "title": "x", "url": "https://host.example/v.mp4"}\n',
        env=desktop.env | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == b""


@pytest.mark.expected_logs("ended with -9")
def test_a_decoder_that_is_killed_ends_one_video_and_says_so_with_its_poster(
    desktop: VirtualDesktop, media: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent's own playback, in this process: it starts a player that decodes nothing in place of the dead one."""
    for name in ("DISPLAY", "QT_QPA_PLATFORM", "XDG_RUNTIME_DIR", "HOME", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, desktop.env[name])
    clicks: list[Interaction] = []
    bridge = Bridge()
    playback = Playback(
        cast(Agent, VideoAgent([media / "video.mp4"], 12, clicks.append)),
        bridge,
        lambda fault: pytest.fail(fault.title),
        look=Look,
        follow=lambda _campaign_id, _link_id: None,
        change=lambda: None,
        timers=QtTimers(bridge),
    )
    playback.play("c-0")
    qtbot.waitUntil(lambda: bool(clicks))
    (first,) = players()
    first.kill()
    qtbot.waitUntil(lambda: bool(players()) and players() != [first])
    window = desktop.screen.window(title="Video 0")
    paper = (window.x + 300, window.y + 250, window.x + 500, window.y + 300)
    qtbot.waitUntil(lambda: colours(desktop, paper) == 1)
    assert len(clicks) == 1
    playback.close()
    qtbot.waitUntil(lambda: not players())


def test_videos_in_a_row_leave_no_process_no_descriptor_and_no_file(
    desktop: VirtualDesktop, tmp_path: Path
) -> None:
    """As `make bench` does with 200."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "temporary").mkdir()
    make_video(tmp_path / "videos" / "video.mp4", 0.5)
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.ui.play_videos", str(tmp_path / "videos"), "8", "4"],
        cwd=ROOT,
        env=desktop.env | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "temporary")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, _middle, _later, last = (json.loads(line) for line in done.stdout.splitlines())
    assert last["played"] == 8
    assert last["children"] == 0, "no player and no zombie"
    assert last["files"] == 0
    assert last["descriptors"] <= first["descriptors"]
    assert last["threads"] <= first["threads"]
