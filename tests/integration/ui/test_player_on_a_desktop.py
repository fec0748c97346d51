"""The player as a process on a real desktop, with real video: what is on the screen, and what it tells."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import processes
from resources.sample import make_media
from tests.support.desktop import VirtualDesktop
from tests.support.screen import Box
from tests.support.waiting import until
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
    """The sample film, and files that cannot be played."""
    folder = tmp_path_factory.mktemp("media")
    make_media.make_media(folder)
    make_media.make_broken(folder)
    return folder


class Player:
    """A running player and what it told so far."""

    def __init__(self, request: PlayRequest) -> None:
        self.events: list[PlayerEvent] = []
        self.process = PlayerProcess(
            processes.command("helper", "player"), lambda _process, event: self.events.append(event)
        )
        self.process.send(Look())
        self.process.send(request)

    @property
    def kinds(self) -> list[Event]:
        return [event.event for event in self.events]

    def told(self, event: Event, seconds: float = 15) -> None:
        until(lambda: event in self.kinds, f"the player to tell {event}; it told {self.kinds}", seconds)


@pytest.fixture
def play(
    desktop: VirtualDesktop, media: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Player]]:
    """Plays a file of the media folder with the film's captions."""
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
        player.process.wait(10)
    desktop.screen.gone(title=TITLE)


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
    player.told(Event.ENDED, seconds=20)
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
    screen.key("h")
    player.told(Event.LIKED)
    screen.key("h")
    player.told(Event.UNLIKED)
    screen.key("Escape")
    player.told(Event.CLOSED)
    assert player.process.wait(10) == 0


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
    assert player.process.wait(10) == 0


def test_a_request_that_is_none_is_refused(desktop: VirtualDesktop) -> None:
    done = subprocess.run(
        processes.command("helper", "player"),
        input=b'{"type": "play", "title": "x", "url": "https://host.example/v.mp4"}\n',
        env=desktop.env | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == b""
