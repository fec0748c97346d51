"""A Secret Service that asks the person for each entry and each program, as KeePassXC does.

Debian's Python runs it. An entry is open to the connection that made it, and to others once the person said so; deleting is
always asked. The person says yes at once. `org.tidings.Asked.Count` tells how often they were asked, and how many entries
there are.
"""

# mypy: ignore-errors
# It runs under the system's Python, whose modules for D-Bus tell no types and are not installed here.

from __future__ import annotations

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.freedesktop.secrets"
SERVICE, COLLECTION = "org.freedesktop.Secret.Service", "org.freedesktop.Secret.Collection"
ITEM, PROMPT = "org.freedesktop.Secret.Item", "org.freedesktop.Secret.Prompt"
PROPERTIES = "org.freedesktop.DBus.Properties"
ROOT, DEFAULT, NONE = "/org/freedesktop/secrets", "/org/freedesktop/secrets/collection/one", "/"
ALIAS = f"{ROOT}/aliases/default"


class NotSupported(dbus.DBusException):
    _dbus_error_name = "org.freedesktop.DBus.Error.NotSupported"


class Keychain:
    """What the objects on the bus share."""

    def __init__(self, bus):
        self.bus, self.asked, self.number = bus, 0, 0
        self.items = {}

    def path(self, kind):
        self.number += 1
        return f"{ROOT}/{kind}/n{self.number}"

    def prompt(self, act):
        return Prompt(self, act).path


class Prompt(dbus.service.Object):
    def __init__(self, keychain, act):
        self.path = keychain.path("prompt")
        super().__init__(keychain.bus, self.path)
        self.keychain, self.act = keychain, act

    @dbus.service.method(PROMPT, in_signature="s")
    def Prompt(self, _window):
        self.keychain.asked += 1
        self.Completed(False, self.act())

    @dbus.service.method(PROMPT)
    def Dismiss(self):
        self.Completed(True, dbus.String(""))

    @dbus.service.signal(PROMPT, signature="bv")
    def Completed(self, dismissed, result):
        pass


class Item(dbus.service.Object):
    def __init__(self, keychain, label, attributes, secret, maker):
        self.path = keychain.path("collection/one")
        super().__init__(keychain.bus, self.path)
        self.keychain, self.label, self.attributes = keychain, label, attributes
        self.secret, self.open_to = secret, {maker}

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v", sender_keyword="sender")
    def Get(self, _interface, name, sender=None):
        return {
            "Label": self.label,
            "Attributes": dbus.Dictionary(self.attributes, signature="ss"),
            "Locked": dbus.Boolean(sender not in self.open_to),
        }[name]

    @dbus.service.method(ITEM, in_signature="o", out_signature="(oayays)", sender_keyword="sender")
    def GetSecret(self, session, sender=None):
        if sender not in self.open_to:
            raise dbus.DBusException("locked", name="org.freedesktop.Secret.Error.IsLocked")
        return (session, dbus.ByteArray(b""), dbus.ByteArray(self.secret), "text/plain")

    @dbus.service.method(ITEM, out_signature="o")
    def Delete(self):
        return self.keychain.prompt(self._go)

    def _go(self):
        del self.keychain.items[self.path]
        self.remove_from_connection()
        return dbus.String("")


class Collection(dbus.service.Object):
    def __init__(self, keychain, path):
        super().__init__(keychain.bus, path)
        self.keychain = keychain

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, _interface, name):
        return {"Label": dbus.String("one"), "Locked": dbus.Boolean(False)}[name]

    @dbus.service.method(COLLECTION, in_signature="a{ss}", out_signature="ao")
    def SearchItems(self, attributes):
        wanted = attributes.items()
        found = [path for path, item in self.keychain.items.items() if wanted <= item.attributes.items()]
        return dbus.Array(found, signature="o")

    @dbus.service.method(
        COLLECTION, in_signature="a{sv}(oayays)b", out_signature="oo", sender_keyword="sender"
    )
    def CreateItem(self, properties, secret, replace, sender=None):
        attributes = dict(properties[f"{ITEM}.Attributes"])
        value = bytes(secret[2])
        for item in self.keychain.items.values():
            if replace and item.attributes == attributes:
                item.secret = value
                return item.path, NONE
        item = Item(self.keychain, properties[f"{ITEM}.Label"], attributes, value, sender)
        self.keychain.items[item.path] = item
        return item.path, NONE


class Service(dbus.service.Object):
    def __init__(self, keychain):
        super().__init__(keychain.bus, ROOT)
        self.keychain = keychain

    @dbus.service.method(SERVICE, in_signature="sv", out_signature="vo")
    def OpenSession(self, algorithm, _input):
        if algorithm != "plain":
            raise NotSupported("plain only")
        return dbus.String(""), dbus.ObjectPath(f"{ROOT}/session/s")

    @dbus.service.method(SERVICE, in_signature="s", out_signature="o")
    def ReadAlias(self, _name):
        return DEFAULT

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, _interface, _name):
        return dbus.Array([DEFAULT], signature="o")

    @dbus.service.method(SERVICE, in_signature="ao", out_signature="aoo", sender_keyword="sender")
    def Unlock(self, objects, sender=None):
        locked = [self.keychain.items[path] for path in objects if path in self.keychain.items]
        locked = [item for item in locked if sender not in item.open_to]
        if not locked:
            return objects, NONE

        def allow():
            for item in locked:
                item.open_to.add(sender)
            return dbus.Array([item.path for item in locked], signature="o")

        return dbus.Array([], signature="o"), self.keychain.prompt(allow)

    @dbus.service.method("org.tidings.Asked", out_signature="uu")
    def Count(self):
        return self.keychain.asked, len(self.keychain.items)


def main():
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    keychain = Keychain(bus)
    parts = Service(keychain), Collection(keychain, DEFAULT), Collection(keychain, ALIAS)
    name = dbus.service.BusName(NAME, bus)
    GLib.MainLoop().run()
    del parts, name


if __name__ == "__main__":
    main()
