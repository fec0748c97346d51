"""The program starts and ends on desktops of several kinds, with whatever its data folder holds."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.domain import errors
from agent.ipc.instance_lock import InstanceLock
from agent.system.dirs import Folders
from tests.support.agent.processes import TRACEBACK, AgentProcess
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture
def agent_on(tmp_path: Path) -> Iterator[Callable[[VirtualDesktop], AgentProcess]]:
    """Gives an agent for a desktop; its logs must hold no traceback and no complaint of Qt."""
    agents: list[AgentProcess] = []

    def make(desktop: VirtualDesktop) -> AgentProcess:
        agents.append(AgentProcess(desktop.env, tmp_path))
        return agents[-1]

    yield make
    for agent in agents:
        agent.stop()
        assert TRACEBACK not in agent.logs()
        assert "WARNING qt" not in agent.logs()


def test_without_a_tray_the_inbox_opens_so_that_the_program_can_be_reached(
    agent_on: Callable[[VirtualDesktop], AgentProcess],
) -> None:
    with VirtualDesktop(DesktopOptions(panel="none")) as desktop:
        agent = agent_on(desktop)
        agent.start("run", "--minimized")
        assert desktop.screen.window(title="Inbox")
        assert agent.stop() == 0


def can_start(agent: AgentProcess) -> bool:
    try:
        InstanceLock(Folders.under(agent.home)).release()
    except errors.AlreadyRunning:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(
    agent_on: Callable[[VirtualDesktop], AgentProcess], number: signal.Signals
) -> None:
    with VirtualDesktop(DesktopOptions(keyring="none")) as desktop:
        agent = agent_on(desktop)
        child = agent.start("run")
        desktop.screen.window(title="Connect this computer")
        os.kill(child.pid, number)
        assert child.wait(PATIENCE_S) == 0
        stages = [
            line.partition("Shutdown, ")[2] for line in agent.logs().splitlines() if "Shutdown, " in line
        ]
        assert [stage[:12] for stage in stages] == ["stage 1 of 3", "stage 2 of 3", "stage 3 of 3"]
        assert not list((agent.home / "run").glob("*.socket"))


def test_another_can_start_only_when_the_agent_has_stopped(
    agent_on: Callable[[VirtualDesktop], AgentProcess],
) -> None:
    with VirtualDesktop(DesktopOptions(keyring="none")) as desktop:
        agent = agent_on(desktop)
        child = agent.start("run")
        desktop.screen.window(title="Connect this computer")
        os.kill(child.pid, signal.SIGTERM)
        until(lambda: can_start(agent), "another to start", every=0)
        assert "stage 3 of 3" in agent.logs(), "the first agent still worked with the data"
        assert child.wait(PATIENCE_S) == 0


def test_data_of_a_newer_version_is_told_in_a_window_and_left_alone(
    agent_on: Callable[[VirtualDesktop], AgentProcess],
) -> None:
    with VirtualDesktop(DesktopOptions(keyring="none")) as desktop:
        agent = agent_on(desktop)
        agent.run("status")
        with sqlite3.connect(agent.database) as database:
            database.execute("PRAGMA user_version = 9999")
            database.execute("CREATE TABLE of_a_later_version (number INTEGER)")
        database.close()
        before = agent.database.read_bytes()
        child = agent.start("run")
        window = desktop.screen.window(title="Tidings")
        assert agent.database.read_bytes() == before
        desktop.screen.focus(window)
        desktop.screen.key("Escape")
        assert child.wait(PATIENCE_S) == 0


def test_a_second_start_while_the_first_runs_without_windows_says_so(
    agent_on: Callable[[VirtualDesktop], AgentProcess],
) -> None:
    with VirtualDesktop(DesktopOptions(keyring="none", panel="none")) as desktop:
        agent = agent_on(desktop)
        agent.start("run", "--headless")
        until(lambda: (agent.home / "run" / "agent.lock").exists(), "the lock")
        second = agent.run("run", code=1)
        assert "already running" in second.stderr


def doctor(agent: AgentProcess) -> dict[str, tuple[str, str]]:
    """What ``tidings doctor`` found of the desktop: verdict and sentence by name."""
    found = json.loads(agent.run("doctor", "--json", code=None).stdout)
    return {
        each["name"]: (each["verdict"], each["result"]) for each in found if each["name"] in ("tray", "video")
    }


def test_the_doctor_knows_tray_and_videos(agent_on: Callable[[VirtualDesktop], AgentProcess]) -> None:
    with VirtualDesktop(DesktopOptions(keyring="none")) as desktop:
        assert doctor(agent_on(desktop)) == {
            "tray": ("ok", "The desktop has a tray (xcb)"),
            "video": ("ok", "The video player has its decoders"),
        }


def test_the_doctor_says_that_a_desktop_has_no_tray_and_a_session_no_screen(
    agent_on: Callable[[VirtualDesktop], AgentProcess],
) -> None:
    with VirtualDesktop(DesktopOptions(keyring="none", panel="none")) as desktop:
        assert doctor(agent_on(desktop))["tray"][0] == "warning"
        desktop.env = desktop.env | {"DISPLAY": ""}
        found = doctor(agent_on(desktop))
    assert found["tray"] == ("warning", "There is no screen in this session")
    assert found["video"][0] == "warning"
