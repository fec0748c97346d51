"""Microsoft's own client gets tokens of the test directory, and tells each refusal."""

from collections.abc import Iterator

import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1

from tests.support.directories import assertions, entra, microsoft, microsoft_samples
from tests.support.directories.microsoft import MicrosoftDirectory
from tests.support.directories.rerouting import rerouted
from tests.support.directories.serving import directory_process

AUTHORITY = f"https://login.microsoftonline.com/{entra.TENANT}"
SCOPES = ["https://graph.microsoft.com/.default"]


@pytest.fixture
def tenant() -> Iterator[MicrosoftDirectory]:
    with directory_process(MicrosoftDirectory) as directory:
        directory.permit(microsoft.READ_USERS)
        directory.put_people(microsoft_samples.people(1_200))
        with rerouted(dict.fromkeys(microsoft.HOSTS, directory.port())) as strayed:
            yield directory
        assert strayed.addresses == []


def token(credential: str | dict[str, str]) -> dict[str, object]:
    client = msal.ConfidentialClientApplication(
        entra.APPLICATION, authority=AUTHORITY, client_credential=credential, http_client=requests.Session()
    )
    got: dict[str, object] = client.acquire_token_for_client(SCOPES)
    return got


def certificate(pair: assertions.SelfSigned, **more: str) -> dict[str, str]:
    return {"private_key": pair.key.decode(), "public_certificate": pair.certificate.decode(), **more}


def test_msal_signs_in_by_certificate_and_reads_everybody(tenant: MicrosoftDirectory) -> None:
    pair, other, ended = assertions.self_signed(), assertions.self_signed(), assertions.self_signed(days=0)
    tenant.add_certificate(pair.certificate)
    tenant.add_certificate(ended.certificate)
    got = token(certificate(pair))
    assert "access_token" in got, got
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {got['access_token']}"
        found: set[str] = set()
        address = "https://graph.microsoft.com/v1.0/users/delta?$select=id"
        while address:
            page = session.get(address, timeout=30).json()
            found.update(each["id"] for each in page["value"])
            address = page.get("@odata.nextLink", "")
        assert len(found) == 1_200
    thumbprint = x509.load_pem_x509_certificate(pair.certificate).fingerprint(SHA1()).hex()
    assert "access_token" in token(
        {"private_key": pair.key.decode(), "thumbprint": thumbprint}
    )  # as it was until 2024
    assert token(certificate(other))["error_codes"] == [700027]
    assert "expired" in str(token(certificate(ended))["error_description"])


def test_msal_signs_in_by_secret_and_tells_why_not(tenant: MicrosoftDirectory) -> None:
    tenant.add_secret("a secret")
    tenant.add_secret("an old secret", -1)
    assert "access_token" in token("a secret")
    assert token("a wrong secret")["error_codes"] == [7000215]
    assert token("an old secret")["error_codes"] == [7000222]
