"""A Wayland desktop without a real monitor: sway without XWayland, with dunst as its notification server."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jeepney import DBusAddress
from PIL import Image

from tests.support.desktop.base import Desktop
from tests.support.desktop.screen import Box, Screen, Window
from tests.support.desktop.session_bus import own_user_only
from tests.support.waiting import PATIENCE_S, until

NOBODY = 65534
DUNST = DBusAddress(
    "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.dunstproject.cmd0"
)
CONFIGURATION = """
xwayland disable
{monitors}
output * background #8FB3B8 solid_color
for_window [app_id=".*"] floating enable
exec echo "$WAYLAND_DISPLAY $SWAYSOCK" > {ready}
"""


@dataclass(frozen=True)
class Shown:
    """A window as the compositor shows it. `box` is its place in the layout of all monitors."""

    title: str
    monitor: str
    box: Box
    full_screen: bool
    focused: bool


class WaylandDesktop(Desktop):
    """A running Wayland desktop; a context manager. It has no tray.

    Without `monitors` it has one and draws it into memory: nobody can pull its plug, and it has no keyboard and no mouse.
    With them each is a window of an X server without a monitor, and keyboard and mouse are that server's.

    Args:
        notifications: the notification server.
        accessibility: whether assistive programs can look at what its programs show.
        monitors: width and height of each in pixels, from left to right.

    Raises:
        OverdueError: a part did not start in time; the message has the part's output.
    """

    def __init__(
        self,
        notifications: Literal["dunst", "none"] = "dunst",
        *,
        accessibility: bool = False,
        monitors: Sequence[tuple[int, int]] = (),
    ) -> None:
        super().__init__(accessibility=accessibility)
        self._notifications = notifications
        self._monitors = monitors

    def windows(self) -> list[str]:
        """The titles of the windows on the screen."""
        return [node["name"] for node in _below(self._sway("-t", "get_tree")) if node.get("app_id")]

    def focused_window(self) -> str:
        """The title of the window that the keyboard writes to; empty for none."""
        nodes = _below(self._sway("-t", "get_tree"))
        return next((node["name"] for node in nodes if node.get("app_id") and node["focused"]), "")

    def shown(self) -> list[Shown]:
        """The windows on the screen, with the monitors that they are on."""
        return [
            Shown(node["name"], output["name"], _box(node), node["fullscreen_mode"] > 0, node["focused"])
            for output in self._sway("-t", "get_tree")["nodes"]
            for node in _below(output)
            if node.get("app_id") and node["visible"]
        ]

    def monitors(self) -> dict[str, Box]:
        """The place of each in the layout."""
        return {each["name"]: _box(each) for each in self._sway("-t", "get_outputs") if each["active"]}

    def plug_in(self) -> str:
        """A further monitor, at the right; gives its name."""
        before = set(self.monitors())
        self._sway("create_output")
        return until(lambda: set(self.monitors()) - before, "the new monitor").pop()

    def unplug(self, monitor: str) -> None:
        """Pulls the plug of a monitor: its window is closed."""
        self._hands.focus(self._window_of(monitor))
        self._hands.key("alt+F4")
        until(lambda: monitor not in self.monitors(), f"{monitor} to be gone")

    def click(self, x: int, y: int) -> None:
        """At a place in the layout."""
        places = self.monitors().items()
        name, box = next((n, box) for n, box in places if box[0] <= x < box[2] and box[1] <= y < box[3])
        window = self._window_of(name)
        self._hands.click(window.x + x - box[0], window.y + y - box[1])

    def key(self, *keys: str) -> None:
        """Presses keys, by their X names."""
        self._hands.key(*keys)

    def asks_to_close(self, title: str) -> None:
        """Does what a window's close button does."""
        self._sway(f'[title="{title}"] kill')

    def notifications_shown(self) -> int:
        """How many notifications are on the screen now, as their server says."""
        return int(self._session_bus().property(DUNST, "displayedLength"))

    def presses_notification(self) -> None:
        """Does what the newest notification offers first, as a click on it does."""
        self._session_bus().call(DUNST, "NotificationAction", "u", (0,))

    def screenshot(self, path: Path) -> Path:
        """Saves what is on the screen now as a PNG file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._run(["grim", str(path)])
        return path

    def image(self) -> Image.Image:
        """What is on the screen now."""
        with Image.open(self.screenshot(self.folder / "screen.png")) as image:
            return image.convert("RGB")

    def _start_parts(self) -> None:
        self._start_bus()
        self._start_keyring()
        self._start_compositor()
        self.env |= {
            "XDG_CURRENT_DESKTOP": "sway",
            "XDG_SESSION_TYPE": "wayland",
            "QT_QPA_PLATFORM": "wayland",
        }
        if self._notifications == "dunst":
            self._start_notification_server()

    def _start_compositor(self) -> None:
        """Sway refuses to run as root: then nobody runs it, in a folder of nobody's own."""
        folder = own_user_only(self.folder / "sway")
        ready = folder / "ready"
        configuration = self.folder / "sway.conf"
        monitors = "\n".join(
            f"output {name} resolution {width}x{height}" for name, (width, height) in self._names().items()
        )
        configuration.write_text(CONFIGURATION.format(ready=ready, monitors=monitors))
        command = ["sway", "--config", str(configuration)]
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
            self.folder.chmod(0o711)
            other = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
            command = ["setpriv", *other, "--", *command]
        environment = self._start_monitors() | {"WLR_RENDERER": "pixman", "XDG_RUNTIME_DIR": str(folder)}
        self.part(
            command, "sway", lambda: ready.exists() and ready.read_text().endswith("\n"), env=environment
        )
        display, socket = ready.read_text().split()
        self.env |= {"WAYLAND_DISPLAY": str(folder / display), "SWAYSOCK": socket}

    def _names(self) -> dict[str, tuple[int, int]]:
        if not self._monitors:
            return {"HEADLESS-1": (1366, 768)}
        return {f"X11-{number}": size for number, size in enumerate(self._monitors, 1)}

    def _start_monitors(self) -> dict[str, str]:
        """What sway has to be told of where it draws."""
        if not self._monitors:
            return {"WLR_BACKENDS": "headless", "WLR_LIBINPUT_NO_DEVICES": "1"}
        widths, heights = zip(*self._monitors, strict=True)
        display = self._start_x_server(2 * sum(widths), 2 * max(heights))
        self._hands = Screen(self._service_env() | {"DISPLAY": display})
        self.part(
            ["openbox", "--sm-disable"],
            "window-manager",
            lambda: self._hands.window_manager() != "",
            env={"DISPLAY": display},
        )
        if os.geteuid() == 0:
            self._child(["xhost", "+si:localuser:nobody"], "xhost", env={"DISPLAY": display}).wait(PATIENCE_S)
        return {"WLR_BACKENDS": "x11", "WLR_X11_OUTPUTS": str(len(self._monitors)), "DISPLAY": display}

    def _window_of(self, monitor: str) -> Window:
        """Xdotool does not find it: wlroots gives it no class."""
        title = f"wlroots - {monitor}"
        printed = self._run(["xwininfo", "-display", self._hands.display, "-name", title])
        window_id = int(re.findall(r"Window id: (0x[0-9a-f]+)", printed)[0], 16)
        numbers = re.findall(r"(?:Absolute upper-left [XY]|Width|Height):\s+(-?\d+)", printed)
        x, y, width, height = map(int, numbers)
        return Window(window_id, title, "", x, y, width, height)

    def _sway(self, *words: str) -> Any:
        return json.loads(self._run(["swaymsg", "-r", *words]))

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run(
            command,
            env=self._service_env(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(command)} failed: {done.stderr.strip()}")
        return done.stdout


def _box(node: dict[str, Any]) -> Box:
    rect = node["rect"]
    return rect["x"], rect["y"], rect["x"] + rect["width"], rect["y"] + rect["height"]


def _below(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in [*node.get("nodes", ()), *node.get("floating_nodes", ())]:
        yield from _below(child)
