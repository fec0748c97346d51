"""The signed requests for a token that clients of both directories make, so that a test can make wrong ones, too."""

import base64
import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support.directories import entra, google


def for_google(key_file: Mapping[str, str], *scopes: str, **claims: Any) -> dict[str, str]:
    """The form that asks for a token as this service account; `claims` replace those of a right one."""
    now = int(time.time())
    right = {
        "iss": key_file["client_email"],
        "scope": " ".join(scopes),
        "aud": key_file["token_uri"],
        "iat": now,
        "exp": now + 3600,
    }
    head = {"alg": "RS256", "typ": "JWT", "kid": key_file["private_key_id"]}
    key = RSAKey.import_key(key_file["private_key"])
    return {"grant_type": google.BY_BEARER, "assertion": jwt.encode(head, right | claims, key)}


@dataclass(frozen=True)
class SelfSigned:
    """A certificate with its key, both as PEM."""

    certificate: bytes
    key: bytes


def self_signed(days: int = 365) -> SelfSigned:
    """A certificate that began yesterday and ends in so many days."""
    key = rsa.generate_private_key(65_537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tidings")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return SelfSigned(certificate.public_bytes(Encoding.PEM), pem)


def for_microsoft(pair: SelfSigned, graph: str = "graph.microsoft.com", **claims: Any) -> dict[str, str]:
    """The form that asks for a token with this certificate; `claims` replace those of a right one."""
    now = int(time.time())
    right = {
        "aud": f"https://login.microsoftonline.com/{entra.TENANT}/oauth2/v2.0/token",
        "iss": entra.APPLICATION,
        "sub": entra.APPLICATION,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + 600,
    }
    der = x509.load_pem_x509_certificate(pair.certificate).public_bytes(Encoding.DER)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
    head = {"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}
    key = RSAKey.import_key(pair.key)
    return {
        "grant_type": "client_credentials",
        "client_id": entra.APPLICATION,
        "scope": f"https://{graph}/.default",
        "client_assertion_type": entra.BY_ASSERTION,
        "client_assertion": jwt.encode(head, right | claims, key, algorithms=["PS256"]),
    }
