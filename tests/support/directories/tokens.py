"""Tokens of both directories: signed ones that clients bring, opaque ones that they get, and marks in lists."""

import base64
import json
import secrets
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

BEARER_ENDS_AFTER_S = 3599
PADDINGS = {"RS256": PKCS1v15(), "PS256": PSS(MGF1(SHA256()), SHA256.digest_size)}


@dataclass(frozen=True)
class Signed:
    """A signed token, which nobody has checked yet."""

    compact: str
    head: Mapping[str, Any]
    claims: Mapping[str, Any]

    def is_signed_by(self, key: RSAPublicKey, algorithms: list[str]) -> bool:
        """Whether the signature is this key's, by one of these algorithms (RFC 7518, sections 3.3 and 3.5)."""
        algorithm = str(self.head.get("alg"))
        if algorithm not in algorithms:
            return False
        signed, _, signature = self.compact.rpartition(".")
        try:
            key.verify(_bytes(signature), signed.encode(), PADDINGS[algorithm], SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True


def read(compact: str) -> Signed | None:
    """A signed token's contents; None where it is none."""
    try:
        head, claims, _signature = compact.split(".")
        return Signed(compact, _from_base64(head), _from_base64(claims))
    except (ValueError, NotBase64):
        return None


def mark(content: Mapping[str, Any]) -> str:
    """Where a list goes on, as text that clients must not look into."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def marked(text: str) -> dict[str, Any] | None:
    """What `mark` wrote; None for anything else."""
    try:
        return _from_base64(text)
    except (ValueError, NotBase64):
        return None


def _from_base64(text: str) -> dict[str, Any]:
    content = json.loads(_bytes(text))
    if not isinstance(content, dict):
        raise ValueError("no JSON object")
    return content


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Bearers:
    """The access tokens that are out, with what each is for."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._out: dict[str, tuple[float, Any]] = {}

    def give(self, grant: Any, now: float) -> str:
        """A new token."""
        token = self._prefix + secrets.token_urlsafe(48)
        self._out[token] = (now + BEARER_ENDS_AFTER_S, grant)
        return token

    def grant(self, token: str, now: float) -> Any:
        """What a token is for; None for one that ended or never was."""
        ends, grant = self._out.get(token, (0.0, None))
        return grant if now < ends else None

    def end_all(self) -> None:
        """None of them is taken any more."""
        self._out.clear()
