"""A passkey without a device: what a browser would send of one, right or wrong."""

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

PRESENT, VERIFIED, NEW = AuthenticatorData.FLAG.UP, AuthenticatorData.FLAG.UV, AuthenticatorData.FLAG.AT


class Passkey:
    """A key of its own for one site. `counter` goes up by one with each use, unless it stays at 0."""

    def __init__(self, origin: str, site: str, counter: int = 0) -> None:
        self.origin, self.site, self.counter = origin, site, counter
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.number = secrets.token_bytes(32)
        self.of = ""

    def made(self, options: dict[str, Any]) -> str:
        """The answer to a page's options to make it."""
        self.of = options["publicKey"]["user"]["id"]
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        told = AttestedCredentialData.create(bytes(16), self.number, public)
        data = self._data(PRESENT | VERIFIED | NEW, told)
        client = CollectedClientData.create("webauthn.create", options["publicKey"]["challenge"], self.origin)
        attestation = AttestationObject.create("none", data, {})
        return self._sent(clientDataJSON=client, attestationObject=attestation)

    def used(self, options: dict[str, Any], flags: int = PRESENT | VERIFIED) -> str:
        """The answer to a page's options to use it."""
        self.counter += bool(self.counter)
        client = CollectedClientData.create("webauthn.get", options["publicKey"]["challenge"], self.origin)
        data = self._data(flags)
        signature = self.key.sign(data + client.hash, ec.ECDSA(SHA256()))
        handle = websafe_encode(self.of.encode()) if "=" in self.of else self.of
        return self._sent(
            clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=handle
        )

    def _data(self, flags: int, told: bytes = b"") -> AuthenticatorData:
        site = hashlib.sha256(self.site.encode()).digest()
        data: AuthenticatorData = AuthenticatorData.create(
            site, AuthenticatorData.FLAG(flags), self.counter, told
        )
        return data

    def _sent(self, **response: bytes | str) -> str:
        encoded = {
            name: value if isinstance(value, str) else websafe_encode(value)
            for name, value in response.items()
        }
        number = websafe_encode(self.number)
        return json.dumps(
            {"id": number, "rawId": number, "type": "public-key", "response": encoded}
            | {"clientExtensionResults": {}}
        )
