"""Where browsers reach the console: `https://console.example`, or `http://127.0.0.1:8410` on the machine itself."""

import ipaddress
import unicodedata
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from server.core import host_names
from server.core.errors import Refused
from server.people_files.excerpts import excerpt

VARIABLE = "TIDINGS_CONSOLE"
DEFAULT = "http://127.0.0.1:8410"


def of(host: str, port: int) -> str:
    """The address of what listens there without TLS."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def checked(address: str) -> str:
    """The address as browsers have it, without a slash at its end.

    Raises `Refused` for one that is of no single host, or under which passwords would travel unprotected.
    """
    try:
        return _normal(address)
    except ValueError:
        raise Refused(
            _("{address} is no address of a console").format(address=excerpt(address)),
            _(
                "Write https:// and a host name, such as https://console.example. http:// is for 127.0.0.1 only."
            ),
        ) from None


def of_links() -> str:
    """Of this server's console, as the environment names it, or of this machine. Raises `Refused`."""
    return checked(settings.CONSOLE or DEFAULT)


def is_here_only(address: str) -> bool:
    """Whether no browser of another machine reaches it."""
    return _is_here(urlsplit(address).hostname or "")


def host_of(address: str) -> str:
    """The host as it stands in an address: of IPv6 in brackets."""
    host = urlsplit(address).hostname or ""
    return f"[{host}]" if ":" in host else host


def in_use() -> str:
    """The address of this process, from the console's settings."""
    return str(getattr(settings, "ADDRESS", DEFAULT))


def has_name(address: str) -> bool:
    """Whether it names a host: browsers keep no passkeys for a bare number."""
    try:
        ipaddress.ip_address(urlsplit(address).hostname or "")
    except ValueError:
        return True
    return False


def _normal(address: str) -> str:
    """Raises `ValueError`."""
    if any(unicodedata.category(one)[0] in "CZ" for one in address):
        raise ValueError  # which urlsplit would take out silently
    parts = urlsplit(address)
    host, port = _as_sent(parts.hostname or ""), parts.port
    is_plain = parts.path in ("", "/") and not set(address) & set("?#@\\")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))
    if not (host and is_plain and is_safe and port != 0):
        raise ValueError
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _as_sent(host: str) -> str:
    """As browsers send it in the Host header; empty where it is no host, or Django would take it for none."""
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        name = host_names.in_ascii(host)
        return name if host_names.is_name(name) and "_" not in name else ""
    if number.is_unspecified or "%" in host:
        return ""
    return f"[{number}]" if number.version == 6 else str(number)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
