"""Read documents that this server, or another one of the same company, signed."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode

from server.core import under_way
from server.core.errors import EnvironmentFault
from server.core.json_text import read_json
from server.directory.models import Company
from server.signing.signers import (
    ALGORITHM,
    USES,
    Kind,
    PublicKey,
    Signer,
    Use,
    load_signer,
    replaced_keys,
)

Keys = Mapping[str, OKPKey]
"""Public keys by their ids."""

REPLACEMENT = "keys"
"""The order under which keys are replaced."""

_found: dict[tuple[str, Use], str] = {}
"""The ids of keys that were found to be their company's own: the others are looked at each time."""


def usable(keys: Iterable[PublicKey]) -> Keys:
    """The keys, ready to check with."""
    return {key["kid"]: OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x")}) for key in keys}


class HalfReplaced(EnvironmentFault):
    """The replacement of a company's keys was interrupted, or another process is at it."""

    def __init__(self, company_id: str) -> None:
        super().__init__(
            _("The keys of {company} are half replaced").format(company=company_id),
            _(
                "That was interrupted. Run it again: tidings-server keys replace --yes --company {company}. Until then "
                "nothing is signed for it."
            ).format(company=company_id),
        )


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
    return {"keys": [own_signer(company_id, use).public_key for use in USES]}


def require_own_keys(company: Company, *, or_replaced: bool = False) -> None:
    """Raise `EnvironmentFault` unless the company's keys can be read and are its own.

    Its campaign key is that of its document, its receipt key the one that its row names.
    `or_replaced`: where a backup is older than the replacement of stolen keys, both name the keys before.
    """
    try:
        _compare(company, {use: [load_signer(company.pk, use).public_key] for use in USES})
    except EnvironmentFault as error:
        if company.pk in under_way.begun(REPLACEMENT):
            raise HalfReplaced(company.pk) from error
        if not or_replaced:
            raise
        keys = {
            use: [load_signer(company.pk, use).public_key, *replaced_keys(company.pk, use)] for use in USES
        }
        _compare(company, keys)


def note_receipt_key(company: Company) -> None:
    """Keep which receipt key is the company's own, where an earlier version of this program kept none.

    Raises `EnvironmentFault` when it cannot be read.
    """
    if not company.receipt_key:
        company.receipt_key = load_signer(company.pk, "receipt").public_key["kid"]
        company.save(update_fields=["receipt_key"])


def _compare(company: Company, keys: Mapping[Use, list[PublicKey]]) -> None:
    reason = ""
    try:
        if company.document:
            payload_of(company.document, "tidings-company", usable(keys["campaign"]))
    except ValueError as error:
        reason = str(error)
    if not reason and company.receipt_key not in ("", *(key["kid"] for key in keys["receipt"])):
        reason = _("the receipt key is another one")
    if reason:
        raise EnvironmentFault(
            _("The signing keys are those of another company, or of another time"),
            _("Restore those of {company} from your backup ({reason}).").format(
                company=company.pk, reason=reason
            ),
        )


def _read(text: bytes) -> Any:
    try:
        return read_json(text)
    except ValueError as error:
        raise ValueError(_("it is not JSON that everybody reads in the same way")) from error
