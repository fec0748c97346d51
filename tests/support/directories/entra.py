"""Microsoft's token endpoint: client credentials by certificate or secret, and its errors."""

import base64
import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.directories import tokens
from tests.support.directories.serving import Answer, Json, Refusal, Request

TENANT = "7c0ffee0-0000-4000-8000-00000000c0de"
TENANT_NAME = "northwind.onmicrosoft.example"
APPLICATION = "a9911ca7-0000-4000-8000-000000000014"
BY_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLOCK_LEEWAY_S = 300
ASSERTION_ENDS_AFTER_S = 86_400

ERRORS: Mapping[str, tuple[int, str, str]] = {
    "AADSTS50027": (400, "invalid_request", "JWT token is invalid or malformed."),
    "AADSTS53003": (400, "invalid_grant", "Access has been blocked by Conditional Access policies."),
    "AADSTS70003": (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    "AADSTS90002": (
        400,
        "invalid_request",
        "Tenant not found. Check to make sure you have the correct tenant ID.",
    ),
    "AADSTS90033": (503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    "AADSTS700016": (
        400,
        "unauthorized_client",
        "Application with this identifier was not found in the directory.",
    ),
    "AADSTS700023": (401, "invalid_client", "Client assertion audience claim does not match Realm issuer."),
    "AADSTS700024": (401, "invalid_client", "Client assertion is not within its valid time range."),
    "AADSTS700027": (401, "invalid_client", "Client assertion contains an invalid signature."),
    "AADSTS1002012": (
        400,
        "invalid_scope",
        "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed "
        "to the resource identifier (application ID URI).",
    ),
    "AADSTS7000112": (401, "unauthorized_client", "Application is disabled."),
    "AADSTS7000215": (401, "invalid_client", "Invalid client secret provided."),
    "AADSTS7000216": (401, "invalid_client", "'client_assertion' or 'client_secret' is required."),
    "AADSTS7000222": (401, "invalid_client", "The provided client secret keys are expired."),
}


def error(code: str, now: float, detail: str = "") -> Answer:
    """The answer to a refused request for a token."""
    status, name, text = ERRORS[code]
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    said = f"{code}: {text}{detail} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}"
    number = int(code.removeprefix("AADSTS"))
    content: Json = {
        "error": name,
        "error_description": said,
        "error_codes": [number],
        "timestamp": at,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={number}",
    }
    return Answer(content, status)


class TokenEndpoint:
    """One application of one tenant. `login` and `graph` are the cloud's hosts."""

    def __init__(self, login: str, graph: str) -> None:
        self._login = login
        self._graph = graph
        self._certificates: list[x509.Certificate] = []
        self._secrets: dict[str, float] = {}
        self._used: set[str] = set()
        self.bearers = tokens.Bearers("eyJ0eXAi.")

    def add_certificate(self, pem: bytes) -> None:
        """Take what is signed with this certificate's key, while the certificate is valid."""
        self._certificates.append(x509.load_pem_x509_certificate(pem))

    def add_secret(self, text: str, ends: float) -> None:
        """Take this secret until then."""
        self._secrets[text] = ends

    def forget_credentials(self) -> None:
        """Take none, nor what they got."""
        self._certificates.clear()
        self._secrets.clear()
        self.bearers.end_all()

    def openid_configuration(self, tenant: str, now: float) -> Json:
        """The discovery document, as far as a client reads it for a token."""
        self._is_here(tenant, now)
        root = f"https://{self._login}/{TENANT}"
        return {
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post", "private_key_jwt", "client_secret_basic",
            ],
            "jwks_uri": f"{root}/discovery/v2.0/keys",
            "issuer": f"{root}/v2.0",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": self._graph,
        }  # fmt: skip

    def instances(self) -> Json:
        """Which hosts are the same cloud (instance discovery)."""
        names = {"preferred_network": self._login, "preferred_cache": self._login, "aliases": [self._login]}
        root = f"https://{self._login}/{TENANT}"
        return {
            "tenant_discovery_endpoint": f"{root}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [names],
        }

    def token(self, request: Request, tenant: str, now: float) -> Json:
        """A token for the application itself.

        Raises:
            Refusal: with what AADSTS says.
        """
        self._is_here(tenant, now)
        form = request.form
        if form.get("grant_type") != "client_credentials":
            raise Refusal(error("AADSTS70003", now))
        if form.get("client_id") != APPLICATION:
            raise Refusal(error("AADSTS700016", now))
        if form.get("scope", "").split() != [f"https://{self._graph}/.default"]:
            raise Refusal(error("AADSTS1002012", now))
        if "client_secret" in form:
            self._check_secret(form["client_secret"], now)
        elif form.get("client_assertion_type") == BY_ASSERTION:
            self._check_assertion(form.get("client_assertion", ""), now)
        else:
            raise Refusal(error("AADSTS7000216", now))
        lives_for = tokens.BEARER_ENDS_AFTER_S
        token = self.bearers.give(True, now)
        return {
            "token_type": "Bearer",
            "expires_in": lives_for,
            "ext_expires_in": lives_for,
            "access_token": token,
        }

    def _is_here(self, tenant: str, now: float) -> None:
        if tenant not in (TENANT, TENANT_NAME):
            raise Refusal(error("AADSTS90002", now))

    def _check_secret(self, text: str, now: float) -> None:
        if text not in self._secrets:
            raise Refusal(error("AADSTS7000215", now))
        if now > self._secrets[text]:
            raise Refusal(error("AADSTS7000222", now))

    def _check_assertion(self, compact: str, now: float) -> None:
        assertion = tokens.read(compact)
        if assertion is None:
            raise Refusal(error("AADSTS50027", now))
        self._check_signature(assertion, now)
        claims = assertion.claims
        if claims.get("aud") not in self._audiences():
            raise Refusal(error("AADSTS700023", now))
        if claims.get("iss") != APPLICATION or claims.get("sub") != APPLICATION:
            raise Refusal(error("AADSTS50027", now, " Issuer and subject are the application's id."))
        if not _is_timely(claims, now):
            raise Refusal(error("AADSTS700024", now))
        # Microsoft asks for an id of each assertion; that one is taken only once is this directory's own rule.
        unique = str(claims.get("jti") or "")
        if not unique or unique in self._used:
            raise Refusal(error("AADSTS50027", now, " The assertion needs a jti of its own."))
        self._used.add(unique)

    def _audiences(self) -> set[str]:
        root = f"https://{self._login}/{TENANT}"
        return {f"{root}/oauth2/v2.0/token", f"{root}/v2.0"}

    def _check_signature(self, assertion: tokens.Signed, now: float) -> None:
        certificate = next((each for each in self._certificates if _is_named(each, assertion.head)), None)
        if certificate is None:
            raise Refusal(error("AADSTS700027", now, " [Reason - The key was not found.]"))
        at = datetime.fromtimestamp(now, UTC)
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise Refusal(error("AADSTS700027", now, " [Reason - The key used is expired.]"))
        key = certificate.public_key()
        assert isinstance(key, RSAPublicKey)
        if not assertion.is_signed_by(key, ["PS256", "RS256"]):
            raise Refusal(
                error("AADSTS700027", now, " [Reason - The provided signature value did not match.]")
            )


def _is_named(certificate: x509.Certificate, head: Mapping[str, Any]) -> bool:
    der = certificate.public_bytes(Encoding.DER)
    thumbprints = {"x5t": hashlib.sha1(der), "x5t#S256": hashlib.sha256(der)}
    named = {name: head[name] for name in thumbprints if name in head}
    return bool(named) and all(
        str(value).rstrip("=") == base64.urlsafe_b64encode(thumbprints[name].digest()).decode().rstrip("=")
        for name, value in named.items()
    )


def _is_timely(claims: Mapping[str, Any], now: float) -> bool:
    begins, ends = claims.get("nbf", claims.get("iat")), claims.get("exp")
    if not isinstance(begins, int | float) or not isinstance(ends, int | float):
        return False
    in_time = begins <= now + CLOCK_LEEWAY_S and now <= ends + CLOCK_LEEWAY_S
    return in_time and 0 < ends - begins <= ASSERTION_ENDS_AFTER_S
