"""Pure: which servers a ``no_proxy`` variable exempts, as curl reads it (curl(1), ENVIRONMENT), with ports as Python does."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def exempts(no_proxy: str, url: str) -> bool:
    """Whether one of the entries, which commas or spaces part, stands for the address's host."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)
    return any(_covers(entry.lower(), host, port) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, given = _split(entry)
    if given and given != port:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = name.removeprefix("*").strip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    return _within(address, name)


def _within(address: Address, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _split(entry: str) -> tuple[str, int]:
    """A host or network, and a port, 0 for any. An IPv6 address may be in brackets, and must be before a port."""
    found = re.fullmatch(r"\[([^\]]*)\](?::(\d{1,5}))?|([^:]*):(\d{1,5})", entry)
    if found is None:
        return entry, 0
    return found[1] or found[3] or "", int(found[2] or found[4] or 0)
