"""A private D-Bus session with a real keychain and nothing else: no screen."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, new_method_call
from jeepney.wrappers import unwrap_msg

from tests.support.children import Child
from tests.support.desktop.base import KEYRING_PASSWORD, SECRETS
from tests.support.desktop.session_bus import SessionBus, own_user_only
from tests.support.waiting import PATIENCE_S, until

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

    def unlock(self) -> None:
        """Open it again with the person's password, as PAM does (gnome-keyring's own interface)."""
        internal = SECRETS.with_interface("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface")
        (collection,) = self.bus.call(SECRETS, "ReadAlias", "s", ("default",))
        with self.bus.connection() as connection:

            def call(address: DBusAddress, method: str, signature: str, body: tuple[Any, ...]) -> Any:
                message = new_method_call(address, method, signature, body)
                return unwrap_msg(connection.send_and_get_reply(message, timeout=PATIENCE_S))

            _, opened = call(SECRETS, "OpenSession", "sv", ("plain", ("s", "")))
            secret = (opened, b"", KEYRING_PASSWORD, "text/plain")
            call(internal, "UnlockWithMasterPassword", "o(oayays)", (collection, secret))


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
