"""Which links may be opened: https, to a host that the company allows, and nothing hidden in the address. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from agent.domain import errors
from agent.domain.model import Link
from resources.i18n import _

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)*(?!(?:[0-9]+|0x[0-9a-f]*)$){_LABEL}")
"""Letters, digits, hyphens, underscores and dots (RFC 1123 section 2.1 and what names within companies have besides), and
no number at the end: a browser reads no other host into such an address."""


def link_url(links: Iterable[Link], link_id: str, hosts: Iterable[str]) -> str:
    """The address of one of a text's links, if it may be opened. Raises InvalidInput with the reason."""
    for link in links:
        if link.link_id == link_id:
            return allowed_url(link.url, hosts)
    raise errors.InvalidInput(_("This link is no longer part of the announcement."))


def allowed_url(url: str, hosts: Iterable[str]) -> str:
    """The address, if it may be opened. ``hosts``: exact names, or ``*.`` and a domain for its subdomains.

    Raises InvalidInput with the reason.
    """
    if any(character.isspace() or ord(character) < 32 or character == "\\" for character in url):
        raise errors.InvalidInput(_("This link is not a proper address, so it was not opened."))
    host = _host(url)
    if not host:
        raise errors.InvalidInput(_("This link is not a proper address, so it was not opened."))
    if not any(_matches(host, allowed.lower()) for allowed in hosts):
        raise errors.InvalidInput(
            _("This link leads to {host}, which your company does not allow, so it was not opened.").format(
                host=host
            )
        )
    return url


def _host(url: str) -> str:
    """The host of a plain https address; empty for anything else."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "https" and "@" not in parts.netloc and parts.port in (None, 443)
    except ValueError:
        return ""
    host = parts.hostname or ""
    return host if plain and _HOST.fullmatch(host) else ""


def _matches(host: str, allowed: str) -> bool:
    if allowed.startswith("*."):
        return host.endswith(allowed[1:]) and len(host) > len(allowed) - 1
    return host == allowed
