"""A desktop without a monitor, for tests, the demo, the benchmarks and the package's smoke test.

An X server, a D-Bus session, a keychain, a window manager and a panel with a tray, all private: own HOME,
own folders, own sockets. Nothing of the person who runs it is read or written.
"""

import os
import select
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from jeepney import DBusAddress

from tests.support import desktop_files
from tests.support.children import Child
from tests.support.screen import Box, Screen
from tests.support.session_bus import SessionBus, own_user_only
from tests.support.waiting import OverdueError, until

START_TIMEOUT_S = 15.0
KEYRING_PASSWORD = b"correct horse"
INHERITED = ("PATH", "TMPDIR", "TZ", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
LOCALES = {"en": "en_GB.UTF-8", "fr": "fr_FR.UTF-8"}
SECRETS = DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets", "org.freedesktop.Secret.Service")


@dataclass(frozen=True)
class DesktopOptions:
    """What the desktop has. Sizes are in pixels."""

    width: int = 1366
    height: int = 768
    scheme: Literal["light", "dark"] = "light"
    language: Literal["en", "fr"] = "en"
    bus: bool = True
    keyring: Literal["unlocked", "locked", "none"] = "unlocked"
    panel: Literal["xfce", "trayer", "none"] = "xfce"
    compositor: bool = False
    accessibility: bool = False


class VirtualDesktop:
    """A running desktop; a context manager.

    `env` is the environment for programs on it, `screen` its eyes and hands, `opened_links` the file to which its
    stand-in for a browser writes each address that it is given.

    Raises:
        OverdueError: a part did not start in time; the message has the part's output.
    """

    def __init__(self, options: DesktopOptions | None = None) -> None:
        self.options = options or DesktopOptions()
        self._exit = ExitStack()
        self.env: dict[str, str] = {}
        self.bus: SessionBus | None = None

    def __enter__(self) -> Self:
        with ExitStack() as started:
            self._exit = started
            self._make_folders()
            self._start_screen()
            if self.options.bus:
                self._start_bus()
            if self.options.bus and self.options.keyring != "none":
                self._start_keyring()
            self._start_window_manager()
            self._hang_wallpaper()
            self._start_panel()
            self._exit = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    # --- for programs on the desktop -----------------------------------------------------------------

    def start(self, command: Sequence[str | Path], name: str, env: dict[str, str] | None = None) -> Child:
        """Starts a program on this desktop; it is ended with the desktop at the latest.

        Args:
            command: the program and its words.
            name: of its log file.
            env: added to the desktop's environment.
        """
        child = Child(command, self.folder / f"{name}.log", self.env | (env or {}))
        self._exit.callback(child.stop)
        return child

    def tray_icon(self, seconds: float = 10.0) -> Box:
        """The part of the panel where a tray icon has appeared, once one has; the newest is the leftmost.

        Works for the xfce panel: the tray is the last thing in it and empty at first.
        """
        return until(lambda: self.screen.changed(self._empty_tray, self._tray_box), "a tray icon", seconds)

    def lock_keyring(self) -> None:
        """Locks the keychain, as a screen locker does."""
        bus = self._session_bus()
        (collection,) = bus.call(SECRETS, "ReadAlias", "s", ("default",))
        bus.call(SECRETS, "Lock", "ao", ([collection],))

    # --- start, in this order ------------------------------------------------------------------------

    def _make_folders(self) -> None:
        # Not pytest's folders: a socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="tidings-"))
        self._exit.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.runtime = own_user_only(self.folder / "run")
        self.opened_links = self.folder / "opened-links"
        locale = LOCALES[self.options.language]
        self.env = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.env |= {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".local/share"),
            "XDG_STATE_HOME": str(self.home / ".local/state"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_CURRENT_DESKTOP": "XFCE",
            "XDG_SESSION_TYPE": "x11",
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.runtime}/no-system-bus",
            "LANG": locale,
            "LANGUAGE": self.options.language,
            "QT_QPA_PLATFORM": "xcb",
            "PYTHONUTF8": "1",
        }
        if self.options.accessibility:
            self.env["QT_LINUX_ACCESSIBILITY_ALWAYS_ON"] = "1"
        else:
            self.env["NO_AT_BRIDGE"] = "1"
        self.env["PATH"] = f"{desktop_files.browser(self.folder, self.opened_links)}:{self.env['PATH']}"
        config_home = Path(self.env["XDG_CONFIG_HOME"])
        desktop_files.write(config_home, self.options.scheme == "dark", self.options.compositor)

    def _start_screen(self) -> None:
        size = f"{self.options.width}x{self.options.height}x24"
        read_end, write_end = os.pipe()
        words = [
            "-displayfd",
            str(write_end),
            "-screen",
            "0",
            size,
            "-dpi",
            "96",
            "-nolisten",
            "tcp",
            "-noreset",
        ]
        try:
            self._child(["Xvfb", *words], "xvfb", pass_fds=(write_end,))
            number = first_line(read_end)
        finally:
            os.close(read_end)
            os.close(write_end)
        if not number:
            raise OverdueError(f"Xvfb did not start: {self.log('xvfb')}")
        self.env["DISPLAY"] = f":{number}"
        self.screen = Screen(self.env)
        self._child(["hsetroot", *desktop_files.wallpaper(self.options.scheme)], "wallpaper").wait(
            START_TIMEOUT_S
        )

    def _start_bus(self) -> None:
        services = ["org.xfce.Xfconf.service"]
        if self.options.accessibility:
            services.append("org.a11y.Bus.service")
        self.bus = SessionBus(self.runtime, self._service_env(), services)
        self._exit.callback(self.bus.daemon.stop)
        self.env["DBUS_SESSION_BUS_ADDRESS"] = self.bus.address

    def _start_keyring(self) -> None:
        bus = self._session_bus()
        command = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
        self._child(command, "keyring", stdin=KEYRING_PASSWORD)
        self._await(lambda: "org.freedesktop.secrets" in bus.names(), "keyring")
        if self.options.keyring == "locked":
            self.lock_keyring()

    def _start_window_manager(self) -> None:
        # xfwm4 reads its settings from the bus; openbox does without one.
        xfwm4 = ["xfwm4", f"--compositor={'on' if self.options.compositor else 'off'}", "--vblank=off"]
        command = xfwm4 if self.bus else ["openbox", "--sm-disable"]
        self._child(command, "window-manager")
        self._await(lambda: self.screen.window_manager() != "", "window-manager")

    def _hang_wallpaper(self) -> None:
        # After the window manager: its compositor paints what changes while it runs.
        words = desktop_files.wallpaper(self.options.scheme)
        self._child(["hsetroot", *words], "wallpaper").wait(START_TIMEOUT_S)

    def _start_panel(self) -> None:
        if self.options.panel == "xfce" and self.bus:
            bus = self.bus
            self._child(["xfce4-panel", "--sm-client-disable", "--disable-wm-check"], "panel")
            self._await(lambda: "org.kde.StatusNotifierWatcher" in bus.names(), "panel")
            self._await(lambda: self.screen.windows(wm_class="xfce4-panel"), "panel")
        elif self.options.panel != "none":
            words = ["--edge", "bottom", "--align", "right", "--widthtype", "pixel", "--width", "34"]
            self._child(["trayer", "--SetDockType", "true", *words], "panel")
            self._await(lambda: self.screen.windows(wm_class="trayer"), "panel")
        width, height = self.options.width, self.options.height
        self._tray_box = (
            width - desktop_files.TRAY_WIDTH,
            height - desktop_files.PANEL_HEIGHT,
            width,
            height,
        )
        self._empty_tray = self.screen.image(self._tray_box)

    # --- helpers -------------------------------------------------------------------------------------

    def log(self, name: str) -> str:
        """What a part of the desktop, or a program started on it, has written."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _child(
        self, command: Sequence[str], name: str, stdin: bytes = b"", pass_fds: Sequence[int] = ()
    ) -> Child:
        child = Child(command, self.folder / f"{name}.log", self._service_env(), stdin, pass_fds)
        self._exit.callback(child.stop)
        return child

    def _service_env(self) -> dict[str, str]:
        # The C library may not have the person's locale and its programs would complain.
        return self.env | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

    def _await(self, probe: Callable[[], object], name: str) -> None:
        try:
            until(probe, f"the {name}", START_TIMEOUT_S)
        except OverdueError as error:
            raise OverdueError(f"{error}\n{self.log(name)}") from None

    def _session_bus(self) -> SessionBus:
        assert self.bus is not None, "this desktop was asked for without a bus"
        return self.bus


def first_line(descriptor: int) -> str:
    """What a process writes first to a pipe, up to its newline; empty if it takes too long."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], START_TIMEOUT_S)
        if not ready:
            return ""
        line += os.read(descriptor, 16)
    return line.decode().strip()
