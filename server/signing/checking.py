"""Read documents that this server, or another one of the same company, signed."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode

from server.core.errors import EnvironmentFault
from server.core.json_text import read_json
from server.directory.models import Company
from server.signing.signers import ALGORITHM, Kind, PublicKey, Signer, Use, load_signer, replaced_keys

Keys = Mapping[str, OKPKey]
"""Public keys by their ids."""
_USES: tuple[Use, ...] = ("campaign", "receipt")

_found: dict[tuple[str, Use], str] = {}
"""The ids of keys that were found to be their company's own: the others are looked at each time."""


def usable(keys: Iterable[PublicKey]) -> Keys:
    """The keys, ready to check with."""
    return {key["kid"]: OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x")}) for key in keys}


def payload_of(document: str, kind: Kind, keys: Keys) -> dict[str, Any]:
    """What a document (JWS) says. Raises `ValueError`, in words, unless one of these keys signed it as of this kind."""
    try:
        header = jws.extract_compact(document.encode()).headers()
        key = keys.get(str(header.get("kid")))
        if key is None:
            raise ValueError(_("it was signed with another key"))
        if header != {"alg": ALGORITHM, "kid": header["kid"], "typ": kind}:
            raise ValueError(_("it is a document of another kind"))
        signed = jws.deserialize_compact(document, key, algorithms=[ALGORITHM])
        _read(urlsafe_b64decode(document.partition(".")[0].encode()))
        payload = _read(signed.payload)
    except (JoseError, RecursionError, UnicodeError) as error:
        raise ValueError(_("its signature does not fit")) from error
    if not isinstance(payload, dict) or not isinstance(payload.get("content"), dict):
        raise ValueError(_("it says nothing"))
    return payload


def own_signer(company_id: str, use: Use) -> Signer:
    """The company's signer: nothing that it says is signed by other keys than its own.

    Raises `EnvironmentFault` when its keys cannot be used, and when they are not its own.
    """
    signer = load_signer(company_id, use)
    kid = signer.public_key["kid"]
    if _found.get((company_id, use)) != kid:
        require_own_keys(Company.objects.get(pk=company_id))
        _found[company_id, use] = kid
    return signer


def own_public_keys(company_id: str) -> dict[str, list[PublicKey]]:
    """The JWK Set (RFC 7517) that an agent pins when it enrols. Raises `EnvironmentFault` as `own_signer` does."""
    return {"keys": [own_signer(company_id, use).public_key for use in _USES]}


def require_own_keys(company: Company, *, or_replaced: bool = False) -> None:
    """Raise `EnvironmentFault` unless the company's keys can be read, and the campaign key is that of its document.

    `or_replaced`: where a backup is older than the replacement of stolen keys, the document is of the key before.
    """
    own = [load_signer(company.pk, use).public_key for use in _USES][:1]
    if or_replaced:
        own += replaced_keys(company.pk, "campaign")
    try:
        if company.document:
            payload_of(company.document, "tidings-company", usable(own))
    except ValueError as error:
        raise EnvironmentFault(
            _("The signing keys are those of another company, or of another time"),
            _("Restore those of {company} from your backup ({reason}).").format(
                company=company.pk, reason=error
            ),
        ) from error


def _read(text: bytes) -> Any:
    try:
        return read_json(text)
    except ValueError as error:
        raise ValueError(_("it is not JSON that everybody reads in the same way")) from error
