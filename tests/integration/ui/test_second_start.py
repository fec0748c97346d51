"""A second start of the same person: on the display where it runs, on another one, and on none."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from agent.ipc import calls, local_socket, running_instance
from agent.ipc.channel import READY
from agent.ipc.instance_lock import InstanceLock
from agent.system.dirs import Folders
from tests.support.agent.first_start import FirstStart
from tests.support.agent.processes import ROOT
from tests.support.descriptors import none_left
from tests.support.waiting import PATIENCE_S

WHERE = f"process {os.getpid()}, on the display :1."


@pytest.fixture
def first(qtbot: QtBot, tmp_path: Path) -> Iterator[FirstStart]:
    """The agent that runs, on the display :1."""
    running = FirstStart(Folders.under(tmp_path / "home"), ":1")
    yield running
    running.close()


def second(
    tmp_path: Path,
    display: str,
    *words: str,
    env: dict[str, str] | None = None,
    command: tuple[str, ...] = ("run",),
) -> "subprocess.Popen[str]":
    """The same person starts it again, by a menu: nobody reads standard error there, and it is a file here.

    `env`: of a session with a real screen, or one that died; none is needed otherwise.
    """
    real = env
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TIDINGS_HOME": str(tmp_path / "home")}
    env |= {
        "PYTHONPATH": str(ROOT),
        "QT_QPA_PLATFORM": "offscreen",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    if display:
        env["DISPLAY"] = display
    if real is not None:
        del env["QT_QPA_PLATFORM"]
        env |= real
    return subprocess.Popen(
        [sys.executable, "-m", "ui", *command, *words],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(qtbot: QtBot, process: "subprocess.Popen[str]") -> str:
    """What it said, once it ended by itself; the first agent answers meanwhile."""
    qtbot.waitUntil(lambda: process.poll() is not None)
    return "".join(process.communicate())


@pytest.mark.parametrize("display", [":1", ":1.0"])
def test_on_the_same_display_the_inbox_opens(
    qtbot: QtBot, tmp_path: Path, first: FirstStart, display: str
) -> None:
    process = second(tmp_path, display)
    ended(qtbot, process)
    assert (process.returncode, first.shown) == (0, 1)


@pytest.mark.parametrize("display", [":1", ":2", ""])
def test_minimized_opens_nothing_and_says_where_it_runs(
    qtbot: QtBot, tmp_path: Path, first: FirstStart, display: str
) -> None:
    process = second(tmp_path, display, "--minimized")
    said = ended(qtbot, process)
    assert WHERE in said
    assert (process.returncode, first.shown) == (0, 0)


def test_without_a_display_it_says_where_it_runs(qtbot: QtBot, tmp_path: Path, first: FirstStart) -> None:
    process = second(tmp_path, "")
    said = ended(qtbot, process)
    assert WHERE in said
    assert "already running" in said
    assert (process.returncode, first.shown) == (1, 0)


@pytest.mark.expected_logs("Nobody can ask the agent for now")
def test_a_first_one_without_a_descriptor_left_does_not_spin_and_hears_it_later(
    qtbot: QtBot, tmp_path: Path, first: FirstStart
) -> None:
    mark = running_instance.data_mark(tmp_path / "home" / "data")
    with (
        socket.socket(socket.AF_UNIX) as one_before,  # whose descriptor was taken when it was waited for
        socket.socket(socket.AF_UNIX) as late,
        local_socket.short(first.lock.sockets / local_socket.NAME) as path,
    ):
        with none_left():
            one_before.connect(path)
            late.connect(path)
            late.setblocking(False)
            before = time.process_time()
            qtbot.wait(1_000)
            assert time.process_time() - before < 0.5
            with pytest.raises(BlockingIOError):
                late.recv(1)
        late.setblocking(True)
        with Connection(late.detach()) as asking:
            assert asking.recv_bytes() == READY
            asking.send_bytes(msgspec.json.encode(calls.Call(calls.SHOW_INBOX, data=mark)))
            qtbot.waitUntil(lambda: first.shown == 1, timeout=int(PATIENCE_S * 1_000))


DEAD = [{"DISPLAY": ":987"}, {"DISPLAY": "nonsense"}, {"WAYLAND_DISPLAY": "wayland-987"}]


@pytest.mark.parametrize("dead", DEAD, ids=str)
def test_on_a_display_that_has_died_it_says_where_it_runs_and_does_not_fall_over(
    qtbot: QtBot, tmp_path: Path, first: FirstStart, dead: dict[str, str]
) -> None:
    process = second(tmp_path, "", env=dead)
    said = ended(qtbot, process)
    assert WHERE in said
    assert "Qt" not in said
    assert (process.returncode, first.shown) == (1, 0)


@pytest.mark.parametrize(
    "dead", [*DEAD, {}, DEAD[0] | DEAD[2], DEAD[0] | {"QT_QPA_PLATFORM": "xcb"}], ids=str
)
def test_a_first_start_without_a_screen_is_a_sentence(
    qtbot: QtBot, tmp_path: Path, dead: dict[str, str]
) -> None:
    process = second(tmp_path, "", env=dead)
    said = ended(qtbot, process)
    assert "There is no screen in this session." in said
    assert "Qt" not in said
    assert process.returncode == 1
    InstanceLock(Folders.under(tmp_path / "home")).release()


@pytest.mark.parametrize("dead", [DEAD[0], {}], ids=str)
def test_what_doctor_asks_of_a_desktop_that_is_not_there_leaves_no_core(
    qtbot: QtBot, tmp_path: Path, dead: dict[str, str]
) -> None:
    process = second(tmp_path, "", env=dead, command=("helper", "desktop"))
    assert ended(qtbot, process) == ""
    assert process.returncode == 1


def test_on_another_display_it_says_so_there_and_opens_nothing_here(
    qtbot: QtBot, tmp_path: Path, first: FirstStart
) -> None:
    """Its window stays for a while; nobody waits for that here."""
    process = second(tmp_path, ":2")
    assert process.stderr is not None
    with process:
        assert WHERE in process.stderr.readline()
        process.terminate()
    qtbot.wait(1)
    assert first.shown == 0
