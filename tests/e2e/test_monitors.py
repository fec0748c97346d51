"""The pop-up on several monitors, mixed scales, large text: wholly on the right one, and all of it within reach."""

import sys
from pathlib import Path

import pytest

from tests.support.agent.processes import ROOT
from tests.support.desktop.screen import Box
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.ui.popup_hands import shown, with_pop_ups
from tests.support.waiting import until

WIDTH, HEIGHT = 1366, 768
MARGIN = 16
KINDS = 9
"""Of pop-ups that come, each with other controls to be clicked."""


def pop_up(desktop: VirtualDesktop) -> Box:
    """The place of the pop-up; an empty one while there is none."""
    found = desktop.screen.windows("^Tidings$")
    return found[-1].box if found else (0, 0, 0, 0)


def stands_in_corner(desktop: VirtualDesktop, right: int, scale: float) -> bool:
    """Whether it is wholly left of `right`, on a monitor of that width, at the bottom; `scale`: of that monitor."""
    left, top, its_right, bottom = pop_up(desktop)
    edges = abs(right - its_right - MARGIN * scale) <= 2 and abs(HEIGHT - bottom - MARGIN * scale) <= 2
    return edges and left >= right - WIDTH and top >= 0


@pytest.mark.parametrize(
    ("env", "left_scale", "right_scale"),
    [
        pytest.param({}, 1, 1, id="plain"),
        pytest.param({"QT_SCREEN_SCALE_FACTORS": "monitor-0=1;monitor-1=2"}, 1, 2, id="mixed"),
        pytest.param({"QT_SCREEN_SCALE_FACTORS": "monitor-0=2;monitor-1=1"}, 2, 1, id="mixed the other way"),
        pytest.param({"QT_SCALE_FACTOR": "2"}, 2, 2, id="twice as large"),
    ],
)
def test_it_stands_in_the_corner_of_the_monitor_with_the_pointer_and_moves_when_that_is_unplugged(
    env: dict[str, str], left_scale: float, right_scale: float, tmp_path: Path
) -> None:
    options = DesktopOptions(
        width=2 * WIDTH, height=HEIGHT, window_manager="openbox", panel="none", monitors=2
    )
    with VirtualDesktop(options) as desktop:
        desktop.screen.move(WIDTH + 300, 300)
        command = [sys.executable, "-m", "tests.support.ui.many_popups", str(tmp_path / "agent"), "1"]
        desktop.start(command, "popups", {"PYTHONPATH": str(ROOT)} | env)
        until(lambda: stands_in_corner(desktop, 2 * WIDTH, right_scale), "it on the right")
        desktop.screen.screenshot(tmp_path / "right.png")
        desktop.screen.move(300, 300)
        desktop.screen.take_away("monitor-1")
        until(lambda: stands_in_corner(desktop, WIDTH, left_scale), "it on the monitor that is left")
        desktop.screen.screenshot(tmp_path / "left.png")
        desktop.screen.plug_in(1, 2)
        until(lambda: stands_in_corner(desktop, WIDTH, left_scale), "it there still")


def test_on_a_small_screen_with_text_twice_as_large_every_control_is_within_reach_of_the_mouse(
    tmp_path: Path,
) -> None:
    with VirtualDesktop(DesktopOptions(width=1024, height=480)) as desktop:

        def is_on_the_screen() -> None:
            box = pop_up(desktop)
            assert desktop.screen.within(box) == box

        told = with_pop_ups(
            desktop, tmp_path / "agent", KINDS, "--text", "200", before_click=is_on_the_screen
        )
    assert len(shown(told)) == KINDS
    assert "wheel" in told, "nothing had to be scrolled"
