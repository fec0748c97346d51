"""Whom the agent believes: certificates of authorities that this computer trusts, and no others."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.domain import errors
from agent.transport.http_client import ApiClient
from tests.support.agent.certificates import Authority, Certificate
from tests.support.agent.scripted_server import LOST, Reply, json_reply, loopback_server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def corporate(folder: Path) -> Authority:
    return Authority(folder, "corporate")


@pytest.fixture
def _trusting_corporate(monkeypatch: pytest.MonkeyPatch, corporate: Authority) -> None:
    """The administrator added the authority to what the system trusts, as a file that truststore looks for."""
    nothing = ssl.DefaultVerifyPaths(None, None, "", "", "", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr("truststore._openssl._CA_FILE_CANDIDATES", [str(corporate.certificate)])


def ask(certificate: Certificate) -> list[int]:
    """Poll a server with this certificate. Answers the lengths of the requests that it could read."""
    with (
        loopback_server(lambda _: json_reply({}), certificate.server_context()) as server,
        closing(ApiClient(server.url, "tdt_secret")) as client,
    ):
        try:
            client.request("GET", "/api/v1/feed")
        finally:
            requests = [len(request.headers) for request in server.requests]
    return requests


@pytest.mark.usefixtures("_trusting_corporate")
def test_a_companys_own_authority_is_believed_when_the_computer_trusts_it(corporate: Authority) -> None:
    assert len(ask(corporate.issue())) == 1


POLL = """
import sys
from agent.domain import errors
from agent.transport.http_client import ApiClient
try:
    ApiClient(sys.argv[1], "tdt_secret").request("GET", "/api/v1/feed")
    print("answered")
except errors.CertificateRefused:
    print("refused")
"""


def polled(url: str, *before: str | Path, **variables: str) -> str:
    """What an agent in a process of its own says of a server; `before`: what starts it."""
    command = [*before, sys.executable, "-c", POLL, url]
    done = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def hashed(folder: Path, authority: Authority) -> Path:
    """A folder of authorities as OpenSSL looks for them: by the hash of their names."""
    command = ["openssl", "x509", "-noout", "-hash", "-in", authority.certificate]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    shutil.copy(authority.certificate, folder / f"{name}.0")
    return folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change what the system trusts, for a process")
def test_what_the_systems_own_store_holds_is_believed(corporate: Authority, tmp_path: Path) -> None:
    store = ssl.get_default_verify_paths().openssl_capath
    mounted = f'mount --bind "{hashed(tmp_path, corporate)}" "$(readlink -f {store})" && exec "$@"'
    with loopback_server(lambda _: json_reply({}), corporate.issue().server_context()) as server:
        assert polled(server.url, "unshare", "--mount", "sh", "-c", mounted, "sh") == "answered"


@pytest.mark.parametrize(
    "variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"]
)
def test_no_variable_adds_an_authority(corporate: Authority, tmp_path: Path, variable: str) -> None:
    place = hashed(tmp_path, corporate) if variable == "SSL_CERT_DIR" else corporate.certificate
    with loopback_server(lambda _: json_reply({}), corporate.issue().server_context()) as server:
        assert polled(server.url, **{variable: str(place)}) == "refused"
        assert server.requests == []


def test_an_authority_that_the_computer_does_not_know_is_refused(corporate: Authority) -> None:
    with pytest.raises(errors.CertificateRefused):
        ask(corporate.issue())


@pytest.mark.usefixtures("_trusting_corporate")
def test_an_expired_certificate_is_refused(corporate: Authority) -> None:
    with pytest.raises(errors.CertificateRefused):
        ask(corporate.issue(days=-1))


@pytest.mark.usefixtures("_trusting_corporate")
def test_a_certificate_for_another_address_is_refused(corporate: Authority) -> None:
    with pytest.raises(errors.CertificateRefused):
        ask(corporate.issue("127.0.0.2"))


@pytest.mark.usefixtures("_trusting_corporate")
def test_a_certificate_of_another_authority_is_refused(folder: Path) -> None:
    with pytest.raises(errors.CertificateRefused):
        ask(Authority(folder, "stranger").issue())


def test_an_environment_cannot_switch_verification_off(
    corporate: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    monkeypatch.setenv("CURL_CA_BUNDLE", "")
    with pytest.raises(errors.CertificateRefused):
        ask(corporate.issue())


def test_a_refused_certificate_means_that_nothing_was_sent(corporate: Authority) -> None:
    with (
        loopback_server(lambda _: json_reply({}), corporate.issue().server_context()) as server,
        closing(ApiClient(server.url, "tdt_secret")) as client,
    ):
        with pytest.raises(errors.CertificateRefused):
            client.request("POST", "/api/v1/signals", body=b"{}")
        assert server.requests == []


def test_a_server_that_speaks_no_tls_is_unreachable_and_not_called_untrusted() -> None:
    with (
        loopback_server(lambda _: json_reply({})) as server,
        closing(ApiClient(server.url.replace("http://", "https://"))) as client,
    ):
        with pytest.raises(errors.ServerUnreachable) as raised:
            client.request("GET", "/api/v1/health")
        assert not isinstance(raised.value, errors.CertificateRefused)


@pytest.mark.usefixtures("_trusting_corporate")
def test_a_line_that_breaks_is_unreachable_and_not_called_untrusted(corporate: Authority) -> None:
    with (
        loopback_server(lambda _: Reply(LOST), corporate.issue().server_context()) as server,
        closing(ApiClient(server.url)) as client,
    ):
        with pytest.raises(errors.ServerUnreachable) as raised:
            client.request("GET", "/api/v1/health")
        assert not isinstance(raised.value, errors.CertificateRefused)


@pytest.mark.usefixtures("_trusting_corporate")
def test_an_encrypted_request_is_ended_from_another_thread_too(corporate: Authority) -> None:
    with (
        loopback_server(lambda _: Reply(), corporate.issue().server_context()) as server,
        closing(ApiClient(server.url)) as client,
    ):

        def end_it(_: object) -> Reply:
            client.abort()
            return Reply(200, headers={"Content-Type": "application/json"}, pieces=server.drip())

        server.answer = end_it
        with pytest.raises(errors.Interrupted):
            client.request("GET", "/api/v1/feed")


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY"])
def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with loopback_server(lambda _: json_reply({})) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        monkeypatch.setenv("no_proxy", "")
        with closing(ApiClient("http://news.example.com")) as client:
            client.request("GET", "/api/v1/health")
        assert [request.path for request in proxy.requests] == ["http://news.example.com/api/v1/health"]


def test_a_proxy_that_is_not_there_is_an_unreachable_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback_server(lambda _: json_reply({})) as proxy:
        url = proxy.url
    monkeypatch.setenv("https_proxy", url)
    with closing(ApiClient("https://news.example.com")) as client, pytest.raises(errors.ServerUnreachable):
        client.request("GET", "/api/v1/health")
