"""A private D-Bus session with chosen services only, and questions to it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, Properties, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import unwrap_msg

from tests.support.children import Child
from tests.support.waiting import PATIENCE_S, until

SERVICE_FILES = Path("/usr/share/dbus-1/services")
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
WATCHER = DBusAddress(
    "/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher", "org.kde.StatusNotifierWatcher"
)


class SessionBus:
    """A bus daemon of our own. Services start on demand only if named, so that a desktop is what a test says.

    Args:
        folder: for the socket and the configuration; kept short, a socket's path has 108 bytes at most.
        env: environment of the daemon and of the services that it starts.
        services: names of service files of the system that may be started on demand.
    """

    def __init__(self, folder: Path, env: dict[str, str], services: Sequence[str]) -> None:
        allowed = folder / "services"
        allowed.mkdir()
        for service in services:
            (allowed / service).symlink_to(SERVICE_FILES / service)
        socket = folder / "bus"
        configuration = folder / "bus.conf"
        configuration.write_text(CONFIGURATION.format(socket=socket, services=allowed))
        self.address = f"unix:path={socket}"
        self.daemon = Child(
            ["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={configuration}"],
            folder / "dbus.log",
            env | {"DBUS_SESSION_BUS_ADDRESS": self.address},
        )
        until(self._answers, "the session bus")

    def names(self) -> set[str]:
        """Well-known names that somebody owns."""
        with self.connection() as connection:
            answer = unwrap_msg(connection.send_and_get_reply(message_bus.ListNames(), timeout=PATIENCE_S))
        return {name for name in answer[0] if not name.startswith(":")}

    def call(self, address: DBusAddress, method: str, signature: str = "", body: tuple[Any, ...] = ()) -> Any:
        """The values that a method answers."""
        message = new_method_call(address, method, signature or None, body)
        with self.connection() as connection:
            return unwrap_msg(connection.send_and_get_reply(message, timeout=PATIENCE_S))

    def property(self, address: DBusAddress, name: str) -> Any:
        """The value of a property."""
        with self.connection() as connection:
            answer = connection.send_and_get_reply(Properties(address).get(name), timeout=PATIENCE_S)
        return unwrap_msg(answer)[0][1]

    def tray_items(self) -> list[dict[str, Any]]:
        """The properties of every icon that the panel's tray shows by StatusNotifierItem."""
        items = []
        for registered in self.property(WATCHER, "RegisteredStatusNotifierItems"):
            name, _, path = registered.partition("/")
            address = DBusAddress(f"/{path}", name, "org.kde.StatusNotifierItem")
            with self.connection() as connection:
                answer = connection.send_and_get_reply(Properties(address).get_all(), timeout=PATIENCE_S)
            items.append({key: value for key, (_, value) in unwrap_msg(answer)[0].items()})
        return items

    def _answers(self) -> bool:
        try:
            return bool(self.names())
        except OSError:  # the socket is not there yet, or nobody listens yet
            return False

    def connection(self) -> DBusConnection:
        """One to it, for what must be asked over the same."""
        return open_dbus_connection(bus=self.address)


def own_user_only(folder: Path) -> Path:
    """Makes a folder that only its owner may enter, as XDG_RUNTIME_DIR must be."""
    folder.mkdir(mode=0o700)
    folder.chmod(0o700)
    return folder
