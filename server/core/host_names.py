"""Names of hosts as they stand in addresses."""

import re

import idna

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
"""RFC 1123 section 2.1 and the underscore, which names within companies have and every browser takes."""
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""As the last label it makes an IPv4 address of the host, in any browser (URL Standard, "ends in a number")."""
_LONGEST = 253


def is_name(host: str) -> bool:
    """Whether a host in small ASCII letters is a name."""
    is_number = _NUMBER.fullmatch(host.rpartition(".")[2])
    return bool(_NAME.fullmatch(host)) and len(host) <= _LONGEST and not is_number


def in_ascii(host: str) -> str:
    """The host in small ASCII letters (RFC 5891), without the dot that may end it; empty where it has no such form."""
    host = host.removesuffix(".").lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""
