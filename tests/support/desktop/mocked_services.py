"""Services of other desktops on a private bus, played by python3-dbusmock in a process of its own (of Debian's Python)."""

from typing import Any

from jeepney import DBusAddress

from tests.support.children import Child
from tests.support.desktop.session_bus import SessionBus
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.waiting import until

NAME = "org.tidings.Mocked"
MOCK = "org.freedesktop.DBus.Mock"
OWN = "self.bus_name.get_bus().request_name(args[0])"
LEAVE = "self.bus_name.get_bus().release_name(args[0])"


class MockedServices:
    """One process that takes any name and answers as it is told.

    Args:
        desktop: on whose session bus.
    """

    def __init__(self, desktop: VirtualDesktop) -> None:
        assert desktop.bus is not None
        self._bus: SessionBus = desktop.bus
        self._names: set[str] = set()
        self._paths: set[str] = {"/"}
        self.process: Child = desktop.start(["/usr/bin/python3", "-m", "dbusmock", NAME, "/", NAME], "mocked")
        until(lambda: NAME in self._bus.names(), "python3-dbusmock")
        self._mock("/", "AddMethod", "sssss", (NAME, "Own", "s", "", OWN))
        self._mock("/", "AddMethod", "sssss", (NAME, "Leave", "s", "", LEAVE))

    def answers(self, address: DBusAddress, member: str, signature: str, value: Any, takes: str = "") -> None:
        """Lets a method answer with a value of a D-Bus signature. `takes` is the signature of its arguments."""
        self._be(address)
        code = f"ret = {value!r}"
        self._mock(
            address.object_path, "AddMethod", "sssss", (address.interface, member, takes, signature, code)
        )

    def has(self, address: DBusAddress, member: str, signature: str, value: Any) -> None:
        """Gives a property a value of a D-Bus signature."""
        self._be(address)
        added = (address.interface, member, (signature, value))
        self._mock(address.object_path, "AddProperty", "ssv", added)

    def leave(self) -> None:
        """Gives all names back and forgets all objects."""
        for name in self._names:
            self._bus.call(DBusAddress("/", NAME, NAME), "Leave", "s", (name,))
        for path in self._paths - {"/"}:
            self._mock("/", "RemoveObject", "s", (path,))
        self._names.clear()
        self._paths = {"/"}

    def _be(self, address: DBusAddress) -> None:
        if address.bus_name not in self._names:
            self._bus.call(DBusAddress("/", NAME, NAME), "Own", "s", (address.bus_name,))
            self._names.add(str(address.bus_name))
        if address.object_path not in self._paths:
            self._mock("/", "AddObject", "ssa{sv}a(ssss)", (address.object_path, address.interface, {}, []))
            self._paths.add(address.object_path)

    def _mock(self, path: str, member: str, signature: str, body: tuple[Any, ...]) -> None:
        self._bus.call(DBusAddress(path, NAME, MOCK), member, signature, body)
