"""Which addresses a campaign may link to: https, an allowed host, and nothing hidden in them."""

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import SplitResult, quote, urlsplit

from django.utils.translation import gettext as _

from server.campaigns.manifest_tables import Refuse
from server.core import host_names

MAX_URL_CHARACTERS = 2_000

_RFC_3986 = "!#$%&'()*+,/:;=?@[]~"
"""Besides letters, digits and ``-._``: the characters that an address may have as they are (RFC 3986 section 2)."""
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def checked_address(address: str, link_hosts: Sequence[str], refuse: Refuse) -> str:
    """The address as it is published, so that every agent opens it; or what is wrong with it is said.

    A host of other letters is written in its ASCII form (RFC 5891), and what an address may not hold as it is (RFC 3986)
    is encoded, as a browser does when it follows the link. `link_hosts`: exact host names, or `*.` and a domain for its
    subdomains.
    """
    for character in address:
        if character == "\\" or unicodedata.category(character)[0] in "CZ":
            refuse(
                _("the address has a “{character}”").format(
                    character=character if character.isprintable() else "·"
                ),
                _("copy it from the address bar of a browser, where such characters are encoded"),
            )
            return address
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        refuse(_("“{address}” is no address").format(address=address), _("correct it"))
        return address
    host = host_names.in_ascii(parts.hostname or "")
    wrong = _wrong_with(address, parts, port) or _wrong_host(parts, host, link_hosts)
    rest = address[len(parts.scheme) + len("://") + len(parts.netloc) :]
    published = f"https://{host}{_encoded(rest)}"
    if not wrong and len(published) > MAX_URL_CHARACTERS:
        allowed = _("{most} are allowed").format(most=MAX_URL_CHARACTERS)
        wrong = (_("the address has {count} characters").format(count=len(published)), allowed)
    if wrong:
        refuse(*wrong)
    return published


def is_allowed(host: str, link_hosts: Sequence[str]) -> bool:
    """Whether the host is named, or is a subdomain of one that is named with `*.`."""
    name = host.lower()
    return any(
        name.endswith(allowed[1:].lower()) and len(name) > len(allowed) - 1
        if allowed.startswith("*.")
        else name == allowed.lower()
        for allowed in link_hosts
    )


def _wrong_with(address: str, parts: SplitResult, port: int | None) -> tuple[str, str] | None:
    """What is wrong before the host matters, and what to do."""
    if parts.scheme != "https" or not parts.netloc:
        return (
            _("“{address}” does not begin with https://").format(address=address),
            _("only https links are allowed"),
        )
    if "@" in parts.netloc:
        return _("the address names a user before the host"), _("remove everything up to the @")
    if port not in (None, 443):
        return (
            _("the address names the port {port}").format(port=port),
            _("use an address without one"),
        )
    return None


def _wrong_host(parts: SplitResult, host: str, link_hosts: Sequence[str]) -> tuple[str, str] | None:
    is_name = host_names.is_name(host)
    if is_name and is_allowed(host, link_hosts):
        return None
    typed = (parts.hostname or "").rstrip(".")
    if not is_name:
        return (
            _("“{host}” is no name of a host").format(host=typed),
            _(
                "correct it: addresses of numbers cannot be linked to, and names have letters, digits and hyphens"
            ),
        )
    shown = host if host == typed else f"{typed} ({host})"
    return (
        _("the company does not allow links to “{host}”").format(host=shown),
        _("allowed are: {hosts}").format(hosts=", ".join(link_hosts) or _("none")),
    )


def _encoded(rest: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", rest), safe=_RFC_3986)
