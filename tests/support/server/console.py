"""The console under test: in a process of its own, or in this one under its own settings; and codes of a second factor."""

import base64
import contextlib
import hmac
import re
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from tests.support.children import Child
from tests.support.ports import free_port
from tests.support.server.campaign_server import READY, ServerHome
from tests.support.waiting import until

if TYPE_CHECKING:
    from django.test import Client

    from server.access.roles import Role
    from server.accounts.models import Account

PASSWORD = "ein Fass voller Sterne"
STEP_S = 30
QUICK = "django.contrib.auth.hashers.MD5PasswordHasher"
"""Within this process: what the console takes its time for is no test's subject."""
LINK = re.compile(r"http\S+/welcome/\S+")


def code(secret: str, steps: int = 0) -> str:
    """What an app shows for this secret now, or so many steps of 30 seconds later (RFC 6238)."""
    counter = int(time.time()) // STEP_S + steps
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", counter), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def link_in(text: str) -> str:
    """The one-time link that a command printed."""
    found = LINK.search(text)
    assert found, text
    return found.group()


@dataclass
class RunningConsole:
    """A console that answers at `url`."""

    url: str
    home: ServerHome
    child: Child

    def kill(self) -> None:
        """End it as a power cut does."""
        self.child.kill()

    def invite(self, email: str, *roles: str) -> str:
        """The link of a new account."""
        words = ("invite", email, "--role", *roles, "--address", self.url, "--company", "northwind")
        return link_in(self.home.succeed("console", *words))


@contextlib.contextmanager
def running_console(home: ServerHome, *, named: bool = False) -> Iterator[RunningConsole]:
    """Serve the console on a loopback port: the one that its mails name, or a free one.

    `named`: at `localhost`, since a bare address has no passkeys.
    """
    own = urlsplit(home.environment.get("TIDINGS_CONSOLE", "")).port or 0
    port = free_port() if named else own
    address = ("--address", f"http://localhost:{port}") if named else ()
    words = ("console", "serve", "--port", str(port), *address)
    child = Child([sys.executable, "-m", "server", *words], home.folder / "console.log", env=home.variables())
    with child:
        url = until(lambda: _ready(child), "the console to say where it serves")
        until(lambda: _answers(url), "the console to answer")
        yield RunningConsole(url, home, child)


def _ready(child: Child) -> str | None:
    if not child.running:
        raise AssertionError(f"the console ended with {child.exit_code}: {child.output()}")
    found = READY.search(child.output())
    return found.group(1) if found else None


def _answers(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError, requests.Timeout):
        return requests.get(f"{url}/sign-in", timeout=5).ok
    return False


@contextlib.contextmanager
def console_settings() -> Iterator[None]:
    """Let Django in this process be the console, for the length of a block, within `ServerHome.opened()`."""
    from django.core.cache import cache
    from django.test import override_settings

    import server.settings as of_the_server
    from server.console import settings as of_the_console

    own = {
        name: value
        for name, value in vars(of_the_console).items()
        if name.isupper() and value is not vars(of_the_server).get(name)
    }
    own |= {"ALLOWED_HOSTS": ["testserver"], "PASSWORD_HASHERS": [QUICK]}
    with override_settings(**own):
        cache.clear()  # the attempts that allauth counts
        yield


def account_of(email: str, *roles: "Role", company: str = "northwind") -> "Account":
    """An account with a password and a second factor."""
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from server.accounts.invitations import invite, use_link
    from server.directory.models import Company

    _account, token = invite(Company.objects.get(pk=company), email, roles, "test")
    account = use_link(token, PASSWORD)
    assert account
    TOTP.activate(account, generate_totp_secret())
    return account


def secret_of(account: "Account") -> str:
    """What the account's app was told."""
    from allauth.mfa.adapter import get_adapter
    from allauth.mfa.models import Authenticator

    stored = Authenticator.objects.get(user=account, type=Authenticator.Type.TOTP).data["secret"]
    return str(get_adapter().decrypt(stored))


def client_of(account: "Account | None" = None, **headers: str) -> "Client":
    """A browser without a screen; signed in where there is an account."""
    from django.test import Client

    from server.accounts import sessions

    client = Client(headers=headers or None)
    if account is not None:
        client.force_login(account, "server.console.sign_in.AccountBackend")
        session = client.session
        sessions.begin(session)
        session.save()
    return client
