"""The scripted employee: looks for what a screen reader would find, and uses a real mouse and keyboard."""

import time
from pathlib import Path

from PIL import Image

from agent.domain import limits
from tests.support.desktop.accessible import Accessibility, Widget
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.waiting import PATIENCE_S, until
from ui.widgets.press_guard import SETTLED_AFTER_MS

PRESSES_COUNT_AFTER_S = SETTLED_AFTER_MS / 1000 + 0.2


class Employee:
    """Somebody at a virtual desktop.

    Args:
        desktop: with accessibility switched on.
        pictures: folder for a picture of each step.
    """

    def __init__(self, desktop: VirtualDesktop, pictures: Path) -> None:
        assert desktop.bus is not None
        self._desktop = desktop
        self._screen = desktop.screen
        self._pictures = pictures
        self._reader = Accessibility(desktop.bus)

    def sees(self, name: str, role: str = "", seconds: float = PATIENCE_S) -> Widget:
        """Waits until a widget of that whole name shows, and gives it."""
        return self._reader.wait_for(name, role, seconds=seconds)

    def sees_no(self, name: str, role: str = "", seconds: float = PATIENCE_S) -> None:
        """Waits until no such widget shows."""
        until(lambda: not self._reader.find(name, role), f"{name!r} to go", seconds)

    def presses(self, name: str, role: str = "") -> None:
        """Clicks in the middle of a widget that stands still and can be pressed, once presses count."""
        until(lambda: "enabled" in self.sees(name, role).states, f"{name!r} to be enabled", every=0.15)
        place = self.finds_at_rest(name, role).centre
        self.looks(PRESSES_COUNT_AFTER_S)
        self._screen.click(*place)

    def finds_at_rest(self, name: str, role: str = "") -> Widget:
        """A widget once it has stopped moving: windows slide in."""
        last = self.sees(name, role)

        def at_rest() -> Widget | None:
            nonlocal last
            before, last = last, self.sees(name, role)
            return last if last.box == before.box else None

        return until(at_rest, f"{name!r} to stand still", every=0.15)

    def types(self, text: str, pause_ms: int = 12) -> None:
        """Types into whatever has the keyboard."""
        self._screen.type(text, pause_ms)

    def looks(self, seconds: float) -> None:
        """Looks at the screen for a while."""
        began = time.monotonic()
        until(lambda: time.monotonic() - began > seconds, "time to look", seconds + 10)

    def stays_seen(self) -> None:
        """Looks at the screen for longer than *seen* takes."""
        self.looks(limits.SEEN_AFTER_MS / 1000 + 0.5)

    def clicks_tray_icon(self, button: str = "left") -> None:
        """Clicks the agent's icon in the panel."""
        left, top, right, bottom = self._desktop.tray_icon()
        self._screen.click((left + right) // 2, (top + bottom) // 2, button)

    def takes_picture(self, name: str) -> str:
        """Saves the whole screen, once it has stopped changing, and gives the file's name."""
        last: list[Image.Image] = [self._screen.image()]

        def still() -> bool:
            before = last.pop()
            last.append(self._screen.image())
            return bool(before == last[0])

        until(still, "the screen to stand still", every=0.2)
        return self.takes_picture_now(name)

    def takes_picture_now(self, name: str) -> str:
        """Saves the whole screen as it is, and gives the file's name."""
        return self._screen.screenshot(self._pictures / f"{name}.png").name

    def takes_detail(self, name: str, window: str) -> None:
        """Saves a window with its frame and shadow, as `name` in the folder `details`."""
        found = self._screen.window(window)
        edges = (found.x - 24, found.y - 48, found.x + found.width + 24, found.y + found.height + 24)
        self._screen.screenshot(self._pictures / "details" / f"{name}.png", self._screen.within(edges))

    def describes(self) -> str:
        """All that a screen reader finds, for when something is missing."""
        return self._reader.outline()
