"""Where browsers reach the console: `https://console.example`, or `http://127.0.0.1:8410` on the machine itself."""

import ipaddress
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from server.core.errors import Refused

VARIABLE = "TIDINGS_CONSOLE"
DEFAULT = "http://127.0.0.1:8410"


def of(host: str, port: int) -> str:
    """The address of what listens there without TLS."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def checked(address: str) -> str:
    """The address without a slash at its end. Raises `Refused` for one under which passwords would travel unprotected."""
    try:
        parts = urlsplit(address)
        is_plain = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))
        if not (is_plain and is_safe and parts.hostname and parts.port != 0):
            raise ValueError
    except ValueError:
        raise Refused(
            _("{address} is no address of a console").format(address=address),
            _(
                "Write https:// and a host name, such as https://console.example. http:// is for 127.0.0.1 only."
            ),
        ) from None
    return f"{parts.scheme}://{parts.netloc}"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
