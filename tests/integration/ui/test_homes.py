"""Homes as directory services and older computers make them: long, and not UTF-8. Without a session folder either."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QSize
from pytestqt.qtbot import QtBot

from tests.support.agent.company_in_memory import Company
from tests.support.agent.keychain_session import a_session
from tests.support.agent.processes import ASK_AGAIN_S, TRACEBACK, Program
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE, asked
from tests.support.waiting import until
from ui.player.file_checks import NotPlayable, NotThere, open_video
from ui.player.messages import PlayRequest, line, named, path_of, read_order
from ui.widgets.picture import read_picture

LONG = "home/ad.corp.northwind.example/firstname-secondname.lastname-lastname@northwind.example/" + "x" * 60
LATIN_1 = os.fsdecode(b"home-Andr\xe9")
PICTURE = BytesIO()
Image.new("RGB", (8, 8), "#2563eb").save(PICTURE, "PNG")
HOMES = [pytest.param(LONG, id="long"), pytest.param(LATIN_1, id="latin-1")]


@pytest.fixture(params=HOMES)
def home(request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tidings-"))
    made = folder / request.param
    made.mkdir(parents=True)
    yield made
    shutil.rmtree(folder)


@pytest.fixture
def tidings(home: Path, tmp_path: Path) -> Iterator[Program]:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
    }
    program = Program("ui", env, tmp_path / "log")
    yield program
    program.stop()


@pytest.fixture
def keyring() -> Iterator[dict[str, str]]:
    """The environment of somebody who has a keychain, and no folders but a home."""
    with a_session(keyring=True) as session:
        yield {name: value for name, value in session.env.items() if not name.startswith(("XDG_", "HOME"))}


COMMANDS = [
    *(
        "status",
        "status --json",
        "doctor",
        "doctor --json",
        "doctor --diagnostics",
        "privacy show",
        "privacy sent",
    ),
    *("privacy set seen=off", "receipt list", "once", "enrol http://127.0.0.1:1 KX7P-9QMD-2HTV"),
]


def test_every_command_works_or_says_why_and_the_agent_starts(tidings: Program, home: Path) -> None:
    for command in COMMANDS:
        done = tidings.run(*command.split(), code=None)
        said = done.stdout + done.stderr
        assert TRACEBACK not in said, command
        assert "Logging error" not in said, command
        assert done.returncode == 0 or said.count("\n") == 1, said
    tidings.start("run", "--minimized")
    until(
        lambda: "Agent: running" in tidings.run("doctor", "--diagnostics", code=None).stdout, "an answer", 60
    )
    assert tidings.stop() == 0
    assert TRACEBACK not in tidings.output()
    tidings.run("purge", "--yes")
    assert [path for path in home.rglob("*") if "tidings" in path.name] == []


def test_a_company_can_be_connected_and_all_of_ones_data_saved(
    home: Path, tmp_path: Path, keyring: dict[str, str]
) -> None:
    tidings = Program("agent", keyring | {"HOME": str(home), "LC_ALL": "C.UTF-8"}, tmp_path / "log")
    company = Company()
    company.publish("c-one")
    with loopback_server(company) as server:
        tidings.run("enrol", server.url, CODE)
        assert tidings.run("once").stdout.startswith("1 announcement")
        tidings.start("run", "--headless")
        until(lambda: asked(server, "feed"), "a poll")
        until(
            lambda: "off" in tidings.run("privacy", "set", "click=off", code=None).stdout,
            "an answer",
            every=ASK_AGAIN_S,
        )
        tidings.run("privacy", "export", str(home / "copy"))
        assert json.loads((home / "copy" / "my-data.json").read_text())
        tidings.stop()
        tidings.run("purge", "--yes")


def test_pictures_and_videos_are_found_there(qtbot: QtBot, home: Path) -> None:
    picture, video = home / "a.png", home / "a.mp4"
    picture.write_bytes(PICTURE.getvalue())
    video.write_bytes(b"not a video")
    assert read_picture(picture, QSize(8, 8)).width() == 8
    order = read_order(line(PlayRequest("A video", named(video), "0" * 64)))
    assert isinstance(order, PlayRequest)
    assert path_of(order.video) == video
    with pytest.raises(NotPlayable) as refused:
        open_video(order.video, "0" * 64)
    assert not isinstance(refused.value, NotThere)
