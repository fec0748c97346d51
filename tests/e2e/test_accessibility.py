"""What a screen reader finds in every window, over the real accessibility bus, and what the keyboard alone can reach."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desktop.accessible import Accessibility, Reference, Widget
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.ui.gallery_screens import SCREENS
from tests.support.waiting import PATIENCE_S, until

ROOT = Path(__file__).resolve().parents[2]
SHOWN = [
    *("connect", "choose", "popup-video", "inbox", "player", "preferences", "privacy"),
    *("receipts", "correct", "confirm-delete", "about", "notice", "message"),
]
PARTS = {"cell", "table cell", "list item", "column header", "menu item", "frame", "dialog", "window"}
"""Of a control that is looked at as a whole, or the window itself."""
PLACES = {"filler", "panel", "scroll pane", "label"}
"""No controls, yet the keyboard may stop there to read or to scroll: they need a name."""
OPERATED = {
    *("push button", "button", "check box", "toggle button", "radio button", "combo box", "entry", "text"),
    *("password text", "slider", "spin button", "page tab", "list", "table", "link", "switch"),
}
BY_MOUSE_ALONE = {"popup-video"}
"""A pop-up never takes the keyboard: all of it is in the inbox too."""
LARGEST_GROUP = 5


class Shown:
    """Screens of the gallery, one after another on a desktop."""

    def __init__(self, desktop: VirtualDesktop, names: list[str]) -> None:
        assert desktop.bus is not None
        self.desktop = desktop
        self.reader = Accessibility(desktop.bus)
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.support.ui.show_screens", *names],
            cwd=ROOT,
            env=desktop.env | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def next(self) -> list[Widget]:
        """The widgets of the next screen, which has the keyboard."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write("\n")
        self._program.stdin.flush()
        name = self._program.stdout.readline().strip()
        window = self.desktop.screen.window(f"^{name}$")
        if name not in BY_MOUSE_ALONE:
            self.desktop.screen.focus(window)
        return until(self.reader.widgets, f"the widgets of {name}")

    def reached(self, tabs: int, *more: str) -> set[Reference]:
        """What gets the keyboard from so many Tabs, each with more keys after it, or has it at the end."""

        def press() -> None:
            assert self._program.stdout is not None
            self.desktop.screen.key(*["Tab", *more] * tabs, "F12")
            assert self._program.stdout.readline() == "F12\n"

        found = set(self.reader.focused_while(press))
        return found | {each.reference for each in self.reader.widgets() if "focused" in each.states}

    def close(self) -> None:
        self._program.communicate(timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    options = DesktopOptions(window_manager="openbox", panel="none", keyring="none", accessibility=True)
    with VirtualDesktop(options) as desktop:
        running = Shown(desktop, SHOWN)
        yield running
        running.close()


@pytest.mark.parametrize("name", SHOWN)
def test_every_control_has_a_name_and_a_role_and_the_keyboard_reaches_it(name: str, shown: Shown) -> None:
    widgets = shown.next()
    controls = [
        each
        for each in widgets
        if each.role not in PARTS and (each.role in OPERATED or "focusable" in each.states)
    ]
    assert controls
    nameless = [f"{each.role} at {each.box}" for each in controls if not each.name]
    assert not nameless, f"without a name: {nameless}"
    unknown = [each.name for each in controls if each.role not in OPERATED | PLACES]
    assert not unknown, f"no role that tells how it is operated: {unknown}"
    if name in BY_MOUSE_ALONE:
        return
    wanted = [
        each for each in controls if {"focusable", "enabled"} <= each.states and each.role not in PLACES
    ]
    reached = shown.reached(len(wanted) + 2)
    if not reached >= {each.reference for each in wanted}:
        # Of a group of which one holds, Tab leads to that one and arrows to the others.
        reached |= shown.reached(len(wanted) + 2, *["Right"] * LARGEST_GROUP)
    missed = [f"{each.role} {each.name!r}" for each in wanted if each.reference not in reached]
    assert not missed, f"the keyboard does not lead to {missed}"


def test_the_screens_that_are_tested_are_those_of_the_gallery() -> None:
    assert set(SHOWN) <= set(SCREENS)
