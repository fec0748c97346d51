"""The right moment with everything real: server, agent, X server, window manager, screen locker, notification service."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal
from tests.support.agent.processes import ASK_AGAIN_S, AgentProcess
from tests.support.children import Child
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany
from tests.support.waiting import PATIENCE_S, until

WINDOWS = Path(__file__).parents[1] / "support" / "desktop" / "show_windows.py"
POPUP = "^Tidings$"
LONGER_THAN_A_POP_UP_TAKES_S = 1.5


@pytest.fixture
def desktop() -> Iterator[VirtualDesktop]:
    """A desktop whose notification service can be told not to disturb."""
    with VirtualDesktop(DesktopOptions(notifications="dunst")) as running:
        yield running


@pytest.fixture
def agent_that_knows(
    company: SampleCompany, server: RunningServer, agent: AgentProcess, code: str
) -> AgentProcess:
    """The agent, not yet running, of an employee for whom an announcement waits."""
    agent.enrol(server.url, code)
    agent.choose()
    company.publish("lyon-studio")
    return agent


def do_not_disturb(desktop: VirtualDesktop, *, on: bool) -> None:
    command = ["dunstctl", "set-paused", "true" if on else "false"]
    subprocess.run(command, env=desktop.env, check=True, timeout=PATIENCE_S, capture_output=True)


def lock(desktop: VirtualDesktop) -> Child:
    locker = desktop.start(["i3lock", "--nofork", "--color", "203040"], "i3lock")
    desktop.screen.window(wm_class="i3lock")
    return locker


def slides(desktop: VirtualDesktop) -> Child:
    program = desktop.start([sys.executable, WINDOWS, "slides"], "slides")
    desktop.screen.window("^slides$")
    return program


def looks_again(agent: AgentProcess, signal: FeedbackSignal) -> None:
    """Something changes, and with any change the agent looks whether something may be shown."""
    agent.run("privacy", "set", f"{signal}=on")


def no_pop_up_comes(desktop: VirtualDesktop) -> None:
    until_then = time.monotonic() + LONGER_THAN_A_POP_UP_TAKES_S
    until(
        lambda: desktop.screen.windows(POPUP) or time.monotonic() > until_then,
        "a pop-up, or none in good time",
    )
    assert desktop.screen.windows(POPUP) == []


def test_an_announcement_waits_for_lock_full_screen_and_do_not_disturb_to_end(
    agent_that_knows: AgentProcess, desktop: VirtualDesktop
) -> None:
    agent = agent_that_knows
    locker = lock(desktop)
    agent.start("run")
    until(lambda: agent.status()["status"]["unread"] == 1, "the announcement", every=ASK_AGAIN_S)
    looks_again(agent, FeedbackSignal.SEEN)
    no_pop_up_comes(desktop)

    shown_slides = slides(desktop)
    locker.stop()
    looks_again(agent, FeedbackSignal.CLICK)
    no_pop_up_comes(desktop)

    do_not_disturb(desktop, on=True)
    shown_slides.stop()
    looks_again(agent, FeedbackSignal.LIKE)
    no_pop_up_comes(desktop)

    do_not_disturb(desktop, on=False)
    desktop.screen.window(POPUP)
