"""How mail leaves: over SMTP with a verified certificate, or into a folder. Nothing of this machine is told.

`TIDINGS_MAIL`: `smtps://host` (TLS from the first byte, port 465), `smtp://host` (STARTTLS, or nothing is sent; port 587),
`file:///folder`, or `smtp-unencrypted://127.0.0.1` for a relay on the machine itself; empty: no mail.
"""

import re
import smtplib
import ssl
from dataclasses import dataclass
from functools import cached_property, partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.filebased import EmailBackend as FolderBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.utils.translation import gettext as _

from server.core import host_names
from server.core.errors import EnvironmentFault, Refused

PORTS = {"smtps": 465, "smtp": 587, "smtp-unencrypted": 25}
ADDRESS = re.compile(
    r"(?!.*=\?)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}"
)
"""An address that stands in a header and a command of SMTP as it is (RFC 5321, without quotes and comments).

None with an encoded word (RFC 2047, `=?utf-8?q?x?=`): what sends mail decodes it, and another person gets it.
"""


@dataclass(frozen=True)
class Transport:
    """Where to, as whom, from which address. The password is in no message and no log."""

    scheme: str
    place: str
    port: int
    user: str
    sender: str

    @property
    def domain(self) -> str:
        """Of the sender's address: who we say that we are, in place of this machine's name."""
        return self.sender.rpartition("@")[2]


class _NamelessSmtp(smtplib.SMTP):
    def __init__(self, *words: Any, domain: str, **options: Any) -> None:
        super().__init__(*words, **options | {"local_hostname": domain})


class _NamelessSmtps(smtplib.SMTP_SSL):
    def __init__(self, *words: Any, domain: str, **options: Any) -> None:
        super().__init__(*words, **options | {"local_hostname": domain})


class VerifiedSmtp(SmtpBackend):
    """Django's, with an authority of one's own if there is one, and without the name of this machine in the greeting."""

    def __init__(self, transport: Transport, password: str) -> None:
        super().__init__(
            host=transport.place,
            port=transport.port,
            username=transport.user,
            password=password,
            use_tls=transport.scheme == "smtp",
            use_ssl=transport.scheme == "smtps",
            timeout=settings.MAIL_TIMEOUT_S,
        )
        self._domain = transport.domain

    @property
    def connection_class(self) -> Any:
        """What speaks SMTP."""
        return partial(_NamelessSmtps if self.use_ssl else _NamelessSmtp, domain=self._domain)

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """The system's authorities, and those of the file that is named. Raises `EnvironmentFault`."""
        try:
            context = ssl.create_default_context()
            if settings.MAIL_AUTHORITIES:
                context.load_verify_locations(cafile=settings.MAIL_AUTHORITIES)
        except OSError as error:
            raise _wrong("TIDINGS_MAIL_AUTHORITIES") from error
        return context


def is_on() -> bool:
    """Whether mail is sent at all."""
    return bool(settings.MAIL)


def require_on(otherwise: str = "") -> None:
    """Raise `Refused` where no mail is sent. `otherwise`: what can be done instead."""
    if not is_on():
        message = otherwise or _("Set TIDINGS_MAIL: see “Mail” in docs/administration.md.")
        raise Refused(_("This server sends no mail"), message)


def chosen() -> Transport:
    """What the environment says. Raises `EnvironmentFault` where it cannot be used."""
    try:
        parts = urlsplit(settings.MAIL)
        port = parts.port
    except ValueError as error:
        raise _wrong("TIDINGS_MAIL") from error
    sender = settings.MAIL_FROM
    if not ADDRESS.fullmatch(sender):
        raise _wrong("TIDINGS_MAIL_FROM")
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return Transport("file", unquote(parts.path), 0, "", sender)
    host = parts.hostname or ""
    is_plain = parts.path in ("", "/") and not parts.query and not parts.fragment and parts.password is None
    if parts.scheme not in PORTS or not _is_host(host) or not is_plain:
        raise _wrong("TIDINGS_MAIL")
    if parts.scheme == "smtp-unencrypted" and not _is_here(host):
        raise _wrong("TIDINGS_MAIL")
    user = unquote(parts.username or "")
    if not (user + host).isascii() or any(ord(one) < 32 for one in user):
        raise _wrong("TIDINGS_MAIL")
    return Transport(parts.scheme, host, port or PORTS[parts.scheme], user, sender)


def backend() -> BaseEmailBackend:
    """Django's back-end for it. Raises `EnvironmentFault`."""
    transport = chosen()
    if transport.scheme == "file":
        folder = Path(transport.place)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _wrong("TIDINGS_MAIL") from error
        return FolderBackend(file_path=str(folder))
    return VerifiedSmtp(transport, _password() if transport.user else "")


def _password() -> str:
    name, password = "TIDINGS_MAIL_PASSWORD", str(settings.MAIL_PASSWORD)
    if settings.MAIL_PASSWORD_FILE:
        name = "TIDINGS_MAIL_PASSWORD_FILE"
        try:
            password = Path(settings.MAIL_PASSWORD_FILE).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise _wrong(name) from error
    if not password.isascii():  # smtplib sends no other
        raise _wrong(name)
    return password


def _is_host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host_names.is_name(host)
    return True


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(variable: str) -> EnvironmentFault:
    return EnvironmentFault(
        _("Mail cannot be sent: {variable} cannot be used").format(variable=variable),
        _("See “Mail” in docs/administration.md. Without TIDINGS_MAIL, no mail is sent and links are shown."),
    )
