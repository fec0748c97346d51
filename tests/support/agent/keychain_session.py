"""A private D-Bus session with a real keychain and nothing else: no screen."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.children import Child
from tests.support.desktop.base import KEYRING_PASSWORD, SECRETS
from tests.support.desktop.session_bus import SessionBus, own_user_only
from tests.support.waiting import until

INHERITED = ("PATH", "TMPDIR", "TZ")


class Session:
    """A D-Bus session in a short folder; nothing of the person who runs the tests is touched."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        home.mkdir()
        self.folder = folder
        self.env = {
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_RUNTIME_DIR": str(own_user_only(folder / "run")),
        }
        for name in INHERITED:
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.bus = SessionBus(folder / "run", self.env, [])
        self.env["DBUS_SESSION_BUS_ADDRESS"] = self.bus.address

    def lock(self) -> None:
        """Lock the keychain, as a screen locker does."""
        (collection,) = self.bus.call(SECRETS, "ReadAlias", "s", ("default",))
        self.bus.call(SECRETS, "Lock", "ao", ([collection],))


@contextmanager
def a_session(*, keyring: bool, collection: bool = True) -> Iterator[Session]:
    """A session for the length of a block, with gnome-keyring unlocked or with no keychain at all.

    Args:
        keyring: whether there is a keychain.
        collection: whether gnome-keyring has a place for secrets, as after the first login.
    """
    folder = Path(tempfile.mkdtemp(prefix="tidings-"))
    try:
        session = Session(folder)
        with session.bus.daemon, ExitStack() as started:
            if keyring:
                unlock = ["--unlock"] if collection else []
                command = ["gnome-keyring-daemon", "--foreground", *unlock, "--components=secrets"]
                started.enter_context(
                    Child(command, folder / "keyring.log", session.env, stdin=KEYRING_PASSWORD)
                )
                until(lambda: "org.freedesktop.secrets" in session.bus.names(), "the keychain")
            yield session
    finally:
        shutil.rmtree(folder, ignore_errors=True)
