"""A person's eyes and hands on an X display: windows, pixels, mouse and keyboard. Real events, by XTEST."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageGrab

from tests.support.waiting import PATIENCE_S, until

GEOMETRY = ("Absolute upper-left X", "Absolute upper-left Y", "Width", "Height")
MOUSE_BUTTONS = {"left": "1", "middle": "2", "right": "3"}

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are outside."""


@dataclass(frozen=True)
class Window:
    """A mapped X window as it was when it was looked for. Positions and sizes are in pixels of the screen."""

    id: int
    title: str
    wm_class: str
    x: int
    y: int
    width: int
    height: int

    @property
    def box(self) -> Box:
        """The part of the screen that it covers."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    @property
    def centre(self) -> tuple[int, int]:
        """The pixel in its middle."""
        return self.x + self.width // 2, self.y + self.height // 2


class Screen:
    """One X display, seen and used as a person does.

    Args:
        env: environment with the DISPLAY of the screen.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = dict(env) | {"LC_ALL": "C.UTF-8"}  # xdotool reads what it types in the locale's encoding
        self.display = env["DISPLAY"]

    # --- eyes ----------------------------------------------------------------------------------------

    def image(self, box: Box | None = None) -> Image.Image:
        """What is on the screen now, or in a part of it."""
        return ImageGrab.grab(bbox=box, xdisplay=self.display).convert("RGB")

    def screenshot(self, path: Path, box: Box | None = None) -> Path:
        """Saves what is on the screen now as a PNG file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.image(box).save(path)
        return path

    def within(self, box: Box) -> Box:
        """The part of a box that is on the screen."""
        width, height = self.image().size
        left, top, right, bottom = box
        return max(left, 0), max(top, 0), min(right, width), min(bottom, height)

    def colour(self, x: int, y: int) -> Colour:
        """Red, green and blue, 0 to 255, of one pixel."""
        red, green, blue = self.image((x, y, x + 1, y + 1)).tobytes()
        return red, green, blue

    def changed(self, before: Image.Image, box: Box | None = None) -> Box | None:
        """The smallest part of the screen that differs from an image taken earlier of the same box."""
        difference = ImageChops.difference(before, self.image(box)).getbbox()
        if difference is None or box is None:
            return difference
        left, top, right, bottom = difference
        return left + box[0], top + box[1], right + box[0], bottom + box[1]

    def windows(self, title: str = "", wm_class: str = "") -> list[Window]:
        """Visible windows whose title and class match these regular expressions, the newest last."""
        expression = ["--name", title] if title else ["--class", wm_class or "."]
        ids = self._xdotool("search", "--onlyvisible", *expression, missing_ok=True).split()
        found = [window for window in map(self._window, ids) if window is not None]
        return [w for w in found if re.search(title, w.title) and re.search(wm_class, w.wm_class)]

    def window(self, title: str = "", wm_class: str = "", seconds: float = PATIENCE_S) -> Window:
        """The newest visible window of that title and class; waits for it."""
        awaited = f"a window with title {title!r} and class {wm_class!r}"
        return until(lambda: self.windows(title, wm_class), awaited, seconds)[-1]

    def gone(self, title: str = "", wm_class: str = "") -> None:
        """Waits until no such window is visible."""
        awaited = f"the windows with title {title!r} and class {wm_class!r} to close"
        until(lambda: not self.windows(title, wm_class), awaited)

    def active_window(self) -> Window | None:
        """The window that the keyboard writes to, as the window manager says."""
        found = self._xdotool("getactivewindow", missing_ok=True).strip()
        return self._window(found) if found else None

    def window_manager(self) -> str:
        """What manages the windows, as the root window says; empty if nothing does."""
        return self._run(["xprop", "-root", "-notype", "_NET_SUPPORTING_WM_CHECK"]).partition("# ")[2].strip()

    def _window(self, window_id: str) -> Window | None:
        """What X knows of a window; None if it went away meanwhile."""
        # Not xdotool's geometry: it counts a frame's border twice.
        printed = self._run(["xwininfo", "-id", window_id], missing_ok=True)
        found = dict(re.findall(r"(Absolute upper-left [XY]|Width|Height):\s+(-?\d+)", printed))
        if len(found) < len(GEOMETRY):
            return None
        x, y, width, height = (int(found[name]) for name in GEOMETRY)
        title = self._property(window_id, "_NET_WM_NAME") or self._property(window_id, "WM_NAME")
        return Window(int(window_id), title, self._property(window_id, "WM_CLASS"), x, y, width, height)

    def _property(self, window_id: str, name: str) -> str:
        """A text property of a window, its parts joined by spaces; empty if it has none."""
        printed = self._run(["xprop", "-id", window_id, "-notype", name], missing_ok=True)
        _, _, value = printed.partition(" = ")
        return " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', value))

    # --- monitors ------------------------------------------------------------------------------------

    def states(self, window: Window) -> str:
        """The names of its states, as a window manager and a panel read them."""
        return self._run(["xprop", "-id", str(window.id), "-notype", "_NET_WM_STATE"])

    def split(self, monitors: int) -> None:
        """Makes the screen so many monitors of one width, side by side: `monitor-0` at the left is the primary one."""
        for number in range(monitors):
            self.plug_in(number, monitors)

    def plug_in(self, number: int, monitors: int) -> None:
        """Makes one of so many monitors of one width."""
        width, height = self.image().size
        each = width // monitors
        place = f"{each}/{each // 4}x{height}/{height // 4}+{number * each}+0"
        name = f"{'*' if number == 0 else ''}monitor-{number}"
        self._run(["xrandr", "--setmonitor", name, place, "screen" if number == 0 else "none"])

    def take_away(self, monitor: str) -> None:
        """Pulls the plug of a monitor."""
        self._run(["xrandr", "--delmonitor", monitor])

    # --- hands ---------------------------------------------------------------------------------------

    def move(self, x: int, y: int) -> None:
        """Moves the pointer."""
        # Not --sync: that waits for a movement, for ever where the pointer is there already.
        self._xdotool("mousemove", str(x), str(y))

    def click(self, x: int, y: int, button: str = "left", times: int = 1) -> None:
        """Moves the pointer there and clicks."""
        self.move(x, y)
        self._xdotool("click", "--repeat", str(times), "--delay", "60", MOUSE_BUTTONS[button])

    def scroll(self, clicks: int) -> None:
        """Turns the wheel where the pointer is; downwards if positive."""
        self._xdotool("click", "--repeat", str(abs(clicks)), "--delay", "40", "5" if clicks > 0 else "4")

    def type(self, text: str, delay_ms: int = 12) -> None:
        """Types text on the keyboard, into whatever has the focus.

        The keyboard has an American layout: other characters get a key for a moment only, and a busy program may miss them.
        """
        for number, line in enumerate(text.split("\n")):
            if number:
                self.key("Return")
            if line:
                limit = PATIENCE_S + len(line) * (delay_ms + 2) / 250
                self._xdotool("type", "--delay", str(delay_ms), "--", line, timeout=limit)

    def key(self, *keys: str) -> None:
        """Presses keys one after the other, by their X names: Return, Escape, Tab, shift+Tab, alt+F4."""
        self._xdotool("key", "--delay", "40", *keys)

    def focus(self, window: Window) -> None:
        """Asks the window manager to activate a window, as a click in its task list does."""
        self._xdotool("windowactivate", str(window.id))
        until(lambda: (now := self.active_window()) and now.id == window.id, f"focus on {window.title!r}")

    # --- tools ---------------------------------------------------------------------------------------

    def _xdotool(self, *words: str, missing_ok: bool = False, timeout: float = PATIENCE_S) -> str:
        return self._run(["xdotool", *words], missing_ok, timeout)

    def _run(self, command: Sequence[str], missing_ok: bool = False, timeout: float = PATIENCE_S) -> str:
        """What a tool printed. `missing_ok`: its failure means that there is no such thing."""
        done = subprocess.run(
            command, env=self._env, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode and not missing_ok:
            raise AssertionError(f"{' '.join(command)} failed: {done.stderr.strip()}")
        return done.stdout
