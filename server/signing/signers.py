"""Who signs: a protocol, and the signer whose Ed25519 key lies in a file of the data folder.

A campaign key may live elsewhere (a smart card, a signing service): it is another `Signer`, and nothing changes for agents.
"""

import json
import os
import stat
from pathlib import Path
from typing import Literal, Protocol, get_args

from django.conf import settings
from django.utils.translation import gettext as _
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from server.core import private_files
from server.core.errors import EnvironmentFault
from server.core.json_text import read_json

Use = Literal["campaign", "receipt"]
USES: tuple[Use, ...] = get_args(Use)
PublicKey = dict[str, str]
Kind = Literal["tidings-company", "tidings-campaign", "tidings-receipt", "tidings-feed", "tidings-trial"]

# RFC 9864 gives Ed25519 a name of its own and deprecates RFC 8037's "EdDSA", which can mean two curves.
ALGORITHM = "Ed25519"
REPLACED = "replaced.jwks.json"
"""The file of a company that moved here: the public keys of its older receipts."""


class Signer(Protocol):
    """Signs documents of one use."""

    @property
    def public_key(self) -> PublicKey:
        """The public JWK (RFC 8037) as agents pin it."""

    def sign(self, kind: str, payload: bytes) -> str:
        """A JWS in compact serialisation (RFC 7515) with `kind` as its `typ`."""


class FileSigner:
    """A key in a file that only the server's user may read."""

    def __init__(self, key: OKPKey, use: Use) -> None:
        self._key = key
        self._kid = key.thumbprint()
        public = key.as_dict(private=False)
        self.public_key: PublicKey = {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": str(public["x"]),
            "kid": self._kid,
            "use": "sig",
            "tidings_use": use,
        }

    def sign(self, kind: str, payload: bytes) -> str:
        header = {"alg": ALGORITHM, "kid": self._kid, "typ": kind}
        return jws.serialize_compact(header, payload, self._key, algorithms=[ALGORITHM])


def key_file(company_id: str, use: Use) -> Path:
    """Where the private key lies."""
    folder: Path = settings.KEY_FOLDER
    return folder / company_id / f"{use}.jwk.json"


def create_keys(company_id: str) -> None:
    """Make the keys that the company has not yet. Raises `EnvironmentFault`.

    One that is there stays: agents that pinned it would refuse everything that another one signs.
    """
    for use in USES:
        path = key_file(company_id, use)
        if path.exists():
            continue
        text = json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True))
        try:
            private_files.make_folder(path.parent)
            private_files.write(path, text.encode())
        except OSError as error:
            raise EnvironmentFault(_("The signing key cannot be written"), f"{path}: {error}") from error


def replaced_keys(company_id: str, use: Use) -> list[PublicKey]:
    """The public keys that were used before, until a theft or on another server. In the order of their ids.

    Raises `EnvironmentFault` when one cannot be read.
    """
    folder = key_file(company_id, use).parent
    found: dict[str, PublicKey] = {}
    for path in sorted(folder.glob(f"{use}.jwk.*.replaced")):
        key = FileSigner(_read(path)[0], use).public_key
        found[key["kid"]] = key
    if use == "receipt" and (moved := folder / REPLACED).exists():
        for key in read_key_set(moved):
            found.setdefault(key["kid"], key)
    return [found[kid] for kid in sorted(found)]


def read_key_set(path: Path) -> list[PublicKey]:
    """Public Ed25519 keys for receipts in a file. Raises `EnvironmentFault` when it holds anything else."""
    try:
        keys = [OKPKey.import_key(key) for key in read_json(path.read_bytes())["keys"]]
        if any(key.is_private or key.curve_name != "Ed25519" for key in keys):
            raise ValueError(_("it holds other keys"))
    except (OSError, JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(path, error) from error
    return [FileSigner(key, "receipt").public_key for key in keys]


def load_signer(company_id: str, use: Use) -> Signer:
    """The company's signer for campaigns (and its own document) or for receipts.

    Raises `EnvironmentFault` when the key is missing, unreadable, damaged, or open to other users.
    """
    path = key_file(company_id, use)
    key, mode = _read(path)
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise EnvironmentFault(
            _("The signing key is open to others"),
            _("Other users of this machine can read {path}. Run: chmod 600 {path}").format(path=path),
        )
    return FileSigner(key, use)


def signer_in(folder: Path, use: Use) -> Signer:
    """The signer whose key lies in a folder that is no company's yet. Raises `EnvironmentFault`."""
    return FileSigner(_read(folder / f"{use}.jwk.json")[0], use)


def is_readable(path: Path) -> bool:
    """Whether the file holds a private key."""
    try:
        _read(path)
    except EnvironmentFault:
        return False
    return True


def _read(path: Path) -> tuple[OKPKey, int]:
    """The private key in a file, and the file's mode."""
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read()
        key = OKPKey.import_key(read_json(text))
        if not key.is_private or key.curve_name != "Ed25519":
            raise ValueError(_("it holds another key"))
    except FileNotFoundError as error:
        raise EnvironmentFault(
            _("The signing key is missing"),
            _("{path} does not exist. Restore it from your backup.").format(path=path),
        ) from error
    except (OSError, JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(path, error) from error
    return key, mode


def _unreadable(path: Path, error: Exception) -> EnvironmentFault:
    return EnvironmentFault(
        _("The signing key cannot be read"), _("{path}: {reason}").format(path=path, reason=error)
    )


def public_keys(company_id: str) -> dict[str, list[PublicKey]]:
    """The JWK Set (RFC 7517) of the keys that are there. Raises `EnvironmentFault`."""
    return {"keys": [load_signer(company_id, use).public_key for use in USES]}
