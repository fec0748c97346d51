"""What every desktop of the tests has, whatever draws it: private folders, a D-Bus session, a keychain, child processes."""

import os
import select
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from jeepney import DBusAddress

from tests.support.children import Child, stop_together
from tests.support.desktop import files
from tests.support.desktop.session_bus import SessionBus, own_user_only
from tests.support.waiting import PATIENCE_S, OverdueError, until

FIRST_START_S, LAST_START_S = 15.0, PATIENCE_S
"""How long each start of a part may take. What only was late is there at the second."""
KEYRING_PASSWORD = b"correct horse"
INHERITED = ("PATH", "TMPDIR", "TZ", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
LOCALES = {"en": "en_GB.UTF-8", "fr": "fr_FR.UTF-8"}
SECRETS = DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets", "org.freedesktop.Secret.Service")
NOTIFICATIONS = "org.freedesktop.Notifications"


class Desktop(ABC):
    """A running desktop; a context manager.

    `env` is the environment for programs on it, `bus` its D-Bus session, `opened_links` the file to which its stand-in for
    a browser writes each address that it is given.

    Args:
        language: of the person.
        accessibility: whether assistive programs can look at what its programs show.

    Raises:
        OverdueError: a part did not start in time; the message has the part's output.
    """

    def __init__(self, language: Literal["en", "fr"] = "en", *, accessibility: bool = False) -> None:
        self._exit = ExitStack()
        self._children: list[Child] = []
        self._language = language
        self._accessibility = accessibility
        self.env: dict[str, str] = {}
        self.bus: SessionBus | None = None

    def __enter__(self) -> Self:
        with ExitStack() as started:
            self._exit = started
            self._make_folders()
            self._start_parts()
            self._exit = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop_together(self._children)
        self._exit.close()

    @abstractmethod
    def _start_parts(self) -> None:
        """All of its own, in order."""

    # --- for programs on the desktop -----------------------------------------------------------------

    def start(self, command: Sequence[str | Path], name: str, env: dict[str, str] | None = None) -> Child:
        """Starts a program on this desktop; it is ended with the desktop at the latest.

        Args:
            command: the program and its words.
            name: of its log file.
            env: added to the desktop's environment.
        """
        return self._keep(Child(command, self.folder / f"{name}.log", self.env | (env or {})))

    def lock_keyring(self) -> None:
        """Locks the keychain, as a screen locker does."""
        bus = self._session_bus()
        (collection,) = bus.call(SECRETS, "ReadAlias", "s", ("default",))
        bus.call(SECRETS, "Lock", "ao", ([collection],))

    def log(self, name: str) -> str:
        """What a part of the desktop, or a program started on it, has written."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # --- parts ---------------------------------------------------------------------------------------

    def _make_folders(self) -> None:
        # Not pytest's folders: a socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="tidings-"))
        self._exit.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.runtime = own_user_only(self.folder / "run")
        self.opened_links = self.folder / "opened-links"
        self.env = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.env |= {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".local/share"),
            "XDG_STATE_HOME": str(self.home / ".local/state"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.runtime}/no-system-bus",
            "LANG": LOCALES[self._language],
            "LANGUAGE": self._language,
            "PYTHONUTF8": "1",
        }
        if self._accessibility:
            self.env["QT_LINUX_ACCESSIBILITY_ALWAYS_ON"] = "1"
        else:
            self.env["NO_AT_BRIDGE"] = "1"
        self.env["PATH"] = f"{files.browser(self.folder, self.opened_links)}:{self.env['PATH']}"

    def _start_x_server(self, width: int, height: int) -> str:
        """An X server with one screen of so many pixels; gives its DISPLAY."""
        read_end, write_end = os.pipe()
        words = ["-displayfd", str(write_end), "-screen", "0", f"{width}x{height}x24", "-dpi", "96"]
        try:
            self._child(["Xvfb", *words, "-nolisten", "tcp", "-noreset"], "xvfb", pass_fds=(write_end,))
            number = first_line(read_end)
        finally:
            os.close(read_end)
            os.close(write_end)
        if not number:
            raise OverdueError(f"Xvfb did not start: {self.log('xvfb')}")
        return f":{number}"

    def _start_bus(self) -> None:
        services = ["org.xfce.Xfconf.service"]
        if self._accessibility:
            services.append("org.a11y.Bus.service")
        self.bus = SessionBus(self.runtime, self._service_env(), services)
        self._keep(self.bus.daemon)
        self.env["DBUS_SESSION_BUS_ADDRESS"] = self.bus.address

    def _start_keyring(self, *, locked: bool = False) -> None:
        bus = self._session_bus()
        command = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
        self.part(command, "keyring", lambda: "org.freedesktop.secrets" in bus.names(), KEYRING_PASSWORD)
        if locked:
            self.lock_keyring()

    def _start_notification_server(self) -> None:
        bus = self._session_bus()
        configuration = files.notification_server(self.folder)
        command = ["dunst", "-conf", str(configuration)]
        self.part(command, "notifications", lambda: NOTIFICATIONS in bus.names())

    # --- helpers -------------------------------------------------------------------------------------

    def _child(
        self,
        command: Sequence[str],
        name: str,
        stdin: bytes = b"",
        pass_fds: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
    ) -> Child:
        environment = self._service_env() | dict(env or {})
        return self._keep(Child(command, self.folder / f"{name}.log", environment, stdin, pass_fds))

    def _keep(self, child: Child) -> Child:
        """It is ended with the desktop, together with all the others."""
        self._exit.callback(child.stop)
        self._children.append(child)
        return child

    def _service_env(self) -> dict[str, str]:
        # The C library may not have the person's locale and its programs would complain.
        return self.env | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

    def part(
        self,
        command: Sequence[str],
        name: str,
        ready: Callable[[], object],
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Starts a part of the desktop and waits until it is ready.

        None of them is ours: one that does not get ready, which a busy machine showed once in thousands, is ended and
        started a second time.
        """
        for is_last, seconds in enumerate((FIRST_START_S, LAST_START_S)):
            child = self._child(command, name, stdin, env=env)
            try:
                until(ready, f"the {name}", seconds)
            except OverdueError as error:
                ended = "it still runs" if child.running else f"it ended with code {child.exit_code}"
                child.stop()
                if is_last:
                    raise OverdueError(f"{error}; {ended}\n{self.log(name)}") from None
            else:
                return

    def _session_bus(self) -> SessionBus:
        assert self.bus is not None, "this desktop was asked for without a bus"
        return self.bus


def first_line(descriptor: int) -> str:
    """What a process writes first to a pipe, up to its newline; empty if it takes too long."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], PATIENCE_S)
        if not ready:
            return ""
        line += os.read(descriptor, 16)
    return line.decode().strip()
