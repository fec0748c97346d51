"""Which addresses a campaign may link to: https, an allowed host, and nothing hidden in them."""

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from server.campaigns.manifest_tables import Refuse

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\\u0080-\U0010ffff]")


def check_address(address: str, link_hosts: Sequence[str], refuse: Refuse) -> None:
    """Say what is wrong with the address of a link, if anything is.

    `link_hosts`: exact host names, or `*.` and a domain for its subdomains.
    """
    bad = _FORBIDDEN.search(address)
    if bad:
        refuse(
            _("the address has a “{character}”").format(
                character=bad.group() if bad.group().isprintable() else "·"
            ),
            _("copy it from the address bar of a browser, where such characters are encoded"),
        )
        return
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        refuse(_("“{address}” is no address").format(address=address), _("correct it"))
        return
    _check_parts(address, parts, port, link_hosts, refuse)


def _check_parts(
    address: str, parts: SplitResult, port: int | None, link_hosts: Sequence[str], refuse: Refuse
) -> None:
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https":
        refuse(
            _("“{address}” does not begin with https://").format(address=address),
            _("only https links are allowed"),
        )
    elif "@" in parts.netloc:
        refuse(_("the address names a user before the host"), _("remove everything up to the @"))
    elif port not in (None, 443):
        refuse(_("the address names the port {port}").format(port=port), _("use an address without one"))
    elif not host or _is_ip_address(host) or not is_allowed(host, link_hosts):
        refuse(
            _("the company does not allow links to “{host}”").format(host=host),
            _("allowed are: {hosts}").format(hosts=", ".join(link_hosts) or _("none")),
        )


def is_allowed(host: str, link_hosts: Sequence[str]) -> bool:
    """Whether the host is named, or is a subdomain of one that is named with `*.`."""
    name = host.lower()
    return any(
        name.endswith(allowed[1:].lower()) and len(name) > len(allowed) - 1
        if allowed.startswith("*.")
        else name == allowed.lower()
        for allowed in link_hosts
    )


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
