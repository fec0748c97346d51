"""Which accounts commands make, under which address the console answers, and what stands before it."""

import sys

import pytest
import requests
from django.test import override_settings

from server.accounts.console_address import host_of
from server.accounts.models import Account
from server.console import assets
from server.core.errors import Refused
from tests.support.children import Child
from tests.support.ports import free_port
from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import client_of
from tests.support.server.run_command import run_command
from tests.support.server.signing_in import EMAIL
from tests.support.waiting import PATIENCE_S, until


def test_commands_invite_list_reset_and_remove(
    console: ServerHome, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command("console", "invite", "Lea@Northwind.example", "--role", "dpo", "communicator")
    run_command("console", "accounts")
    run_command("console", "reset", EMAIL, "--address", "https://console.example")
    run_command("console", "remove", EMAIL)
    with override_settings(CONSOLE="https://named.example/"):
        run_command("console", "invite", EMAIL, "--role", "dpo")
    run_command("console", "remove", EMAIL)
    printed = capsys.readouterr().out
    assert "http://127.0.0.1:8410/welcome/" in printed
    assert "https://named.example/welcome/" in printed
    assert f"{EMAIL}\tcommunicator, dpo\t-\tno second factor" in printed
    assert "https://console.example/welcome/" in printed
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "http://console.example",
        "console.example",
        "https://",
        "https://a:b@console.example",
        "https://console.example/path",
        "ftp://127.0.0.1",
        "https://*",
        "https://*.example",
        "https://.example",
        "https://console..example",
        "https://-console.example",
        "https://con_sole.example",
        "https://con sole.example",
        "https://a\r\nb.example",
        "https://a\tb.example",
        "https://console.example\n",
        "\x01https://console.example",
        "https://console.example\u202e",
        "https://consol\u00ade.example",
        "https://con%73ole.example",
        "https://console.example\\x",
        "https://@console.example",
        "https://:@console.example",
        "https://console.example?",
        "https://console.example#",
        "https://console.example:0",
        "https://console.example:99999",
        "https://console.example:https",
        "https://1.2.3",
        "https://0x7f.1",
        "https://256.1.1.1",
        "https://0.0.0.0",
        "https://[::]",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 130 + "example",
        "http://[::2]",
        "http://127.0.0.1.example",
    ],
)
def test_no_address_is_taken_under_which_passwords_would_travel_unprotected(
    console: ServerHome, address: str
) -> None:
    with pytest.raises(Refused, match="no address of a console"):
        run_command("console", "invite", EMAIL, "--role", "dpo", "--address", address)
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("address", "sent", "host"),
    [
        ("https://Console.Example./", "https://console.example", "console.example"),
        ("HTTPS://console.example:8443", "https://console.example:8443", "console.example:8443"),
        ("https://console.example:", "https://console.example", "console.example"),
        ("https://wöchner.example", "https://xn--wchner-wxa.example", "xn--wchner-wxa.example"),
        ("https://192.0.2.7", "https://192.0.2.7", "192.0.2.7"),
        ("http://[::1]:8410", "http://[::1]:8410", "[::1]:8410"),
        ("http://localhost:8410", "http://localhost:8410", "localhost:8410"),
        ("https://console", "https://console", "console"),
    ],
)
def test_the_console_answers_to_the_one_host_that_its_address_names(
    console: ServerHome, capsys: pytest.CaptureFixture[str], address: str, sent: str, host: str
) -> None:
    run_command("console", "invite", EMAIL, "--role", "dpo", "--address", address)
    assert f"{sent}/welcome/" in capsys.readouterr().out
    with override_settings(ALLOWED_HOSTS=[host_of(sent)]):
        client = client_of()
        assert client.get("/sign-in", headers={"Host": host}).status_code == 200
        for other in ("evil.example", f"x.{host}", "xn--wchner-wxb.example"):
            assert client.get("/sign-in", headers={"Host": other}).status_code == 400


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("serve", "--address", "https://*"), "https://* is no address of a console"),
        (("serve", "--port", "99999"), "There is no port 99999"),
        (("serve", "--host", ".example", "--address", "https://a.example"), "The host is unknown"),
        (("serve", "--host", "192.0.2.1", "--address", "https://a.example"), "Choose another address"),
        (("invite", "a\x1b[31m\n@x", "--role", "dpo"), "a·[31m·@x is no e-mail address"),
        (("remove", "a\x1b[31m\n@x"), "a·[31m·@x has no account"),
        (("reset", "a\u202e@x"), "a·@x has no account"),
        (("invite", EMAIL, "--role", "dpo", "--address", "https://\x1b[31m"), "https://·[31m is no address"),
        (("accounts", "--company", "\x1b[31m\n"), "·[31m·"),
    ],
)
def test_what_cannot_be_done_is_told_in_words_without_what_a_terminal_obeys(
    made_console: ServerHome, words: tuple[str, ...], told: str
) -> None:
    done = made_console.command("console", *words)
    assert done.returncode == 1, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not set("\x1b\u202e") & set(done.stderr)
    assert len(done.stderr.splitlines()) == 2


def test_behind_a_proxy_cookies_are_for_this_host_and_tls_alone(made_console: ServerHome) -> None:
    home = ServerHome(made_console.folder, environment={"TIDINGS_CONSOLE": "https://console.example"})
    port = free_port()
    words = [sys.executable, "-m", "server", "console", "serve", "--port", str(port)]
    with Child(words, made_console.folder / "proxied.log", env=home.variables()):
        headers = {"Host": "console.example"}
        url = f"http://127.0.0.1:{port}/sign-in"
        answer = until(lambda: _answer(url, headers), "the console to answer")
        assert requests.get(url, timeout=PATIENCE_S).status_code == 400
        style = f"http://127.0.0.1:{port}{assets.addresses()['console.css']}"
        file = requests.get(style, timeout=PATIENCE_S)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-tidings-csrf=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    for each in (answer, file):
        assert each.headers["Strict-Transport-Security"].startswith("max-age=")


def _answer(url: str, headers: dict[str, str]) -> requests.Response | None:
    try:
        answer = requests.get(url, headers=headers, timeout=5)
    except (requests.ConnectionError, requests.Timeout):
        return None
    return answer if answer.ok else None
