"""A Wayland desktop without a monitor: sway drawing into memory, without XWayland, with dunst as its notification server."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from jeepney import DBusAddress
from PIL import Image

from tests.support.desktop_base import Desktop
from tests.support.session_bus import own_user_only

NOBODY = 65534
DUNST = DBusAddress(
    "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.dunstproject.cmd0"
)
COMMAND_TIMEOUT_S = 10
CONFIGURATION = """
xwayland disable
output HEADLESS-1 resolution 1366x768
output * background #8FB3B8 solid_color
for_window [app_id=".*"] floating enable
exec echo "$WAYLAND_DISPLAY $SWAYSOCK" > {ready}
"""


class WaylandDesktop(Desktop):
    """A running Wayland desktop; a context manager. It has no tray.

    Args:
        notifications: the notification server.
        accessibility: whether assistive programs can look at what its programs show.

    Raises:
        OverdueError: a part did not start in time; the message has the part's output.
    """

    def __init__(
        self, notifications: Literal["dunst", "none"] = "dunst", *, accessibility: bool = False
    ) -> None:
        super().__init__(accessibility=accessibility)
        self._notifications = notifications

    def windows(self) -> list[str]:
        """The titles of the windows on the screen."""
        return [node["name"] for node in _below(self._sway("-t", "get_tree")) if node.get("app_id")]

    def focused_window(self) -> str:
        """The title of the window that the keyboard writes to; empty for none."""
        nodes = _below(self._sway("-t", "get_tree"))
        return next((node["name"] for node in nodes if node.get("app_id") and node["focused"]), "")

    def notifications_shown(self) -> int:
        """How many notifications are on the screen now, as their server says."""
        return int(self._session_bus().property(DUNST, "displayedLength"))

    def presses_notification(self) -> None:
        """Does what the newest notification offers first, as a click on it does."""
        self._session_bus().call(DUNST, "NotificationAction", "u", (0,))

    def closes_notification(self) -> None:
        """Closes the newest notification."""
        self._session_bus().call(DUNST, "NotificationCloseLast")

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
        """sway refuses to run as root: then nobody runs it, in a folder of nobody's own."""
        folder = own_user_only(self.folder / "sway")
        ready = folder / "ready"
        configuration = self.folder / "sway.conf"
        configuration.write_text(CONFIGURATION.format(ready=ready))
        command = ["sway", "--config", str(configuration)]
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
            self.folder.chmod(0o711)
            other = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
            command = ["setpriv", *other, "--", *command]
        headless = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1"}
        self._child(command, "sway", env=headless | {"XDG_RUNTIME_DIR": str(folder)})
        self._await(lambda: ready.exists() and ready.read_text().endswith("\n"), "sway")
        display, socket = ready.read_text().split()
        self.env |= {"WAYLAND_DISPLAY": str(folder / display), "SWAYSOCK": socket}

    def _sway(self, *words: str) -> Any:
        return json.loads(self._run(["swaymsg", "-r", *words]))

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run(
            command,
            env=self._service_env(),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(command)} failed: {done.stderr.strip()}")
        return done.stdout


def _below(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in [*node.get("nodes", ()), *node.get("floating_nodes", ())]:
        yield from _below(child)
