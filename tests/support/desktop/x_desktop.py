"""An X desktop without a monitor, for tests, the demo, the benchmarks and the package's smoke test.

An X server, a D-Bus session, a keychain, a window manager and a panel with a tray, all private: own HOME,
own folders, own sockets. Nothing of the person who runs it is read or written.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.support.desktop import files
from tests.support.desktop.base import Desktop
from tests.support.desktop.screen import Box, Screen
from tests.support.waiting import PATIENCE_S, until


@dataclass(frozen=True)
class DesktopOptions:
    """What the desktop has. Sizes are in pixels.

    xfwm4 and the xfce panel read their settings from the bus: without one, openbox and trayer take their places. The xfce
    panel's tray speaks StatusNotifier, trayer's the older XEmbed. `monitors` share the width, from left to right.
    """

    width: int = 1366
    height: int = 768
    scheme: Literal["light", "dark"] = "light"
    language: Literal["en", "fr"] = "en"
    bus: bool = True
    keyring: Literal["unlocked", "locked", "none"] = "unlocked"
    window_manager: Literal["xfwm4", "openbox"] = "xfwm4"
    panel: Literal["xfce", "trayer", "none"] = "xfce"
    notifications: Literal["dunst", "none"] = "none"
    monitors: int = 1
    compositor: bool = False
    accessibility: bool = False


class VirtualDesktop(Desktop):
    """A running X desktop; a context manager. `screen` is its eyes and hands.

    Raises:
        OverdueError: a part did not start in time; the message has the part's output.
    """

    def __init__(self, options: DesktopOptions | None = None) -> None:
        self.options = options or DesktopOptions()
        super().__init__(self.options.language, accessibility=self.options.accessibility)

    def tray_icon(self) -> Box:
        """The part of the panel where a tray icon has appeared, once one has; the newest is the leftmost.

        The xfce panel's tray is the last thing in it and empty at first; trayer is nothing but a tray.
        """
        return until(lambda: self.screen.changed(self._empty_tray, self._tray_box), "a tray icon")

    def tray_is_empty(self) -> None:
        """Waits until no icon is left of a program that ended: a click on one leads nowhere."""
        until(lambda: not self.screen.changed(self._empty_tray, self._tray_box), "the icon to go")

    # --- start, in this order ------------------------------------------------------------------------

    def _start_parts(self) -> None:
        options = self.options
        self.env |= {"XDG_CURRENT_DESKTOP": "XFCE", "XDG_SESSION_TYPE": "x11", "QT_QPA_PLATFORM": "xcb"}
        config_home = Path(self.env["XDG_CONFIG_HOME"])
        files.write(config_home, options.scheme == "dark", options.compositor)
        self._start_screen()
        if options.bus:
            self._start_bus()
        if options.bus and options.keyring != "none":
            self._start_keyring(locked=options.keyring == "locked")
        self._start_window_manager()
        self._hang_wallpaper()
        self._start_panel()
        if options.notifications == "dunst":
            self._start_notification_server()

    def _start_screen(self) -> None:
        self.env["DISPLAY"] = self._start_x_server(self.options.width, self.options.height)
        self.screen = Screen(self.env)
        if self.options.monitors > 1:
            self.screen.split(self.options.monitors)
        self._hang_wallpaper()

    def _start_window_manager(self) -> None:
        xfwm4 = ["xfwm4", f"--compositor={'on' if self.options.compositor else 'off'}", "--vblank=off"]
        takes_xfwm4 = self.bus and self.options.window_manager == "xfwm4"
        command = xfwm4 if takes_xfwm4 else ["openbox", "--sm-disable"]
        self.part(command, "window-manager", lambda: self.screen.window_manager() != "")

    def _hang_wallpaper(self) -> None:
        # Again after the window manager: its compositor paints what changes while it runs.
        words = files.wallpaper(self.options.scheme)
        self._child(["hsetroot", *words], "wallpaper").wait(PATIENCE_S)

    def _start_panel(self) -> None:
        width, height = self.options.width, self.options.height
        self._tray_box = (
            width - files.TRAY_WIDTH,
            height - files.PANEL_HEIGHT,
            width,
            height,
        )
        if self.options.panel == "xfce" and self.bus:
            bus = self.bus
            self.part(
                ["xfce4-panel", "--sm-client-disable", "--disable-wm-check"],
                "panel",
                lambda: (
                    "org.kde.StatusNotifierWatcher" in bus.names()
                    and self.screen.windows(wm_class="xfce4-panel")
                ),
            )
        elif self.options.panel != "none":
            trayer = ["trayer", *files.TRAYER]
            self.part(trayer, "panel", lambda: self.screen.windows(wm_class="trayer"))
        self._empty_tray = self.screen.image(self._tray_box)
