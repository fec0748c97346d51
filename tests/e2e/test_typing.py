"""Somebody types without a pause while pop-ups come and go: every key arrives where they write."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, zip_longest
from pathlib import Path

import pytest

from tests.support.agent.parts import opened_store
from tests.support.agent.processes import ROOT
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.proofs import FULL
from tests.support.ui.popup_hands import shown, with_pop_ups
from tests.support.waiting import PATIENCE_S, until

NOTES = ROOT / "tests" / "support" / "desktop" / "notes.py"
KINDS = 9
"""In which pop-ups come and go."""
IS_FULL = os.environ.get(FULL) == "full"
"""With TIDINGS_PROOF=full more of them come."""
KEYS_A_POPUP = 10
LINE = "{:04d} 0123456789 the quick brown fox jumps over the lazy dog again and again\n"
XFWM4 = DesktopOptions()
OPENBOX = DesktopOptions(window_manager="openbox", panel="trayer")


@dataclass
class Typist:
    """Types numbered lines into a program of its own. `typed` and `received`: all keys, in their order."""

    desktop: VirtualDesktop
    notes: Path
    typed: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def typing(self) -> Iterator[None]:
        """Without a pause for the length of a block, and one line more."""
        self.desktop.start([sys.executable, NOTES, self.notes, "Minutes"], "notes")
        self.window = self.desktop.screen.window("^Minutes$")
        self.desktop.screen.focus(self.window)
        # A window manager may let another window have the keyboard for less time than a key takes.
        self.desktop.start(["xprop", "-root", "-spy", "_NET_ACTIVE_WINDOW"], "active")
        until(lambda: self.was_active, "the active window to be told")
        # A key is pressed once, however busy the machine is between press and release.
        subprocess.run(["xset", "r", "off"], env=self.desktop.env, check=True, timeout=PATIENCE_S)
        with ThreadPoolExecutor(1) as hands:
            work = hands.submit(self._type)
            try:
                until(lambda: self.received, "the first key")
                yield
            finally:
                self._stop.set()
            work.result()

    def _type(self) -> None:
        for number in count():
            last = self._stop.is_set()
            line = LINE.format(number)
            self.typed += line
            self.desktop.screen.type(line, delay_ms=4)
            if last:
                return

    @property
    def received(self) -> str:
        return self.notes.read_text() if self.notes.exists() else ""

    @property
    def was_active(self) -> set[int]:
        """Each window that had the keyboard, as the window manager says."""
        return {int(found, 16) for found in re.findall(r"# (0x[0-9a-f]+)", self.desktop.log("active"))}

    def last_line_received(self) -> bool:
        """Whether the line that was typed after all pop-ups has arrived."""
        return self.received.endswith(self.typed.splitlines(keepends=True)[-1])

    def first_difference(self) -> tuple[int, str, str] | None:
        """Where what arrived is no longer what was typed: the position, and both from there on."""
        for place, (typed, received) in enumerate(zip_longest(self.typed, self.received)):
            if typed != received:
                return place, self.typed[place : place + 40], self.received[place : place + 40]
        return None


@pytest.mark.parametrize(
    ("options", "count"),
    [
        pytest.param(XFWM4, 50 if IS_FULL else 2 * KINDS, id="xfwm4"),
        pytest.param(OPENBOX, 2 * KINDS if IS_FULL else KINDS, id="openbox"),
    ],
)
def test_no_key_is_lost_while_pop_ups_come_and_go(
    options: DesktopOptions, count: int, tmp_path: Path
) -> None:
    with VirtualDesktop(options) as desktop:
        typist = Typist(desktop, tmp_path / "notes.txt")
        with typist.typing():
            told = with_pop_ups(desktop, tmp_path / "agent", count)
        until(typist.last_line_received, "the last line")
        assert typist.first_difference() is None
        assert typist.was_active == {typist.window.id}
    popups = shown(told)
    assert len(popups) == count
    assert {kind for kind, _ in popups} >= {"paged", "digest", "urgent", "I have read this"}
    with opened_store(tmp_path / "agent" / "data") as store:
        states = [store.campaigns.get(each) for _, campaigns in popups for each in campaigns]
    assert all(item is not None and item.state.displayed is not None for item in states)
    assert len(typist.typed) > KEYS_A_POPUP * count, "hardly anything was typed meanwhile"


def test_a_window_that_takes_the_keyboard_is_noticed(tmp_path: Path) -> None:
    with VirtualDesktop(XFWM4) as desktop:
        typist = Typist(desktop, tmp_path / "notes.txt")
        with typist.typing():
            with_pop_ups(desktop, tmp_path / "agent", 1, "--greedy")
        until(typist.last_line_received, "the last line")
        assert typist.first_difference() is not None
        assert len(typist.received) < len(typist.typed)
        assert typist.was_active > {typist.window.id}
