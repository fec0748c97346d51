"""Signed documents: signature, company, expiry, counter, in this order, before the content is read.

JSON Web Signatures (RFC 7515) with Ed25519 (RFC 9864). ``verify_documents`` runs in a short-lived helper
process, because the crypto library costs 10 MB that the resident process would keep.
"""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Raw, Struct

from agent.domain import errors, limits
from agent.domain.msgspec_warmup import decode_json, decode_message, resolve
from agent.protocol import codec
from agent.system import subprocesses

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey

_ALGORITHMS = ["Ed25519"]
EXPIRED = "expired"
_LONGEST_S = {
    codec.FEED_DOCUMENT: limits.STATEMENT_MAX_S,
    codec.TRIAL_DOCUMENT: limits.TRIAL_MAX_S,
}
"""How long documents of these types may live, in seconds."""


class VerifyRequest(Struct, frozen=True):
    """Documents of one type to verify. ``counters``: for each subject the highest counter seen, and its digest.

    ``statement``: of the feed that they came with, to be verified last; ``subject``: whose it must be.
    """

    type: str
    company_id: str
    keys: codec.KeySet
    now: int
    documents: tuple[str, ...]
    counters: dict[str, tuple[int, str]] = {}
    statement: str = ""
    subject: str = ""


class VerifyResult(Struct, frozen=True):
    """``problem`` is empty for a good document; only then is there ``content``. The rest is empty unless it is signed."""

    digest: str
    problem: str = ""
    subject: str = ""
    counter: int = 0
    issued: int = 0
    expires: int = 0
    content: Raw = Raw(b"null")


def digest(document: str) -> str:
    """The SHA-256 of a document, in hexadecimal: what a counter is bound to."""
    return hashlib.sha256(document.encode()).hexdigest()


class Verifier(Protocol):
    """Who checks documents: a helper process."""

    def verify(self, question: VerifyRequest) -> tuple[VerifyResult, ...]:
        """One verdict for each document, and for the statement if there is one. Raises EnvironmentFault."""


class ProcessVerifier:
    """Verifies in a helper process. Raises EnvironmentFault when that does not work."""

    def verify(self, question: VerifyRequest) -> tuple[VerifyResult, ...]:
        asked = _documents(question)
        if not asked:
            return ()
        try:
            answer = subprocesses.ask(
                "verify", msgspec.json.encode(question), timeout_s=limits.VERIFY_TIMEOUT_S
            )
        except subprocess.TimeoutExpired as error:
            raise errors.EnvironmentFault("verifying took too long") from error
        try:
            verdicts = decode_json(answer, tuple[VerifyResult, ...])
        except msgspec.DecodeError as error:
            raise errors.EnvironmentFault("no proper answer of the helper") from error
        if [verdict.digest for verdict in verdicts] != [digest(document) for document in asked]:
            raise errors.EnvironmentFault("verdicts for other documents")
        return verdicts


def answer(question: bytes) -> bytes:
    """What the helper process does."""
    return msgspec.json.encode(verify_documents(decode_json(question, VerifyRequest)))


def _documents(question: VerifyRequest) -> tuple[str, ...]:
    return question.documents + ((question.statement,) if question.statement else ())


def verify_documents(question: VerifyRequest) -> tuple[VerifyResult, ...]:
    """Verify each document by itself, in order; a later one of the same subject counts against the earlier."""
    counters = dict(question.counters)
    verdicts = []
    for document in question.documents:
        verdict = _verify(document, question.type, question, counters)
        if not verdict.problem:
            counters[verdict.subject] = (verdict.counter, verdict.digest)
        verdicts.append(verdict)
    if question.statement:
        verdicts.append(_verify(question.statement, codec.FEED_DOCUMENT, question, {}))
    return tuple(verdicts)


def _verify(
    document: str, kind: str, question: VerifyRequest, counters: dict[str, tuple[int, str]]
) -> VerifyResult:
    try:
        envelope = codec.decode_envelope(_signed_payload(document, kind, question.keys))
        _check_owner(envelope, kind, question)
    except errors.DocumentRefused as error:
        return VerifyResult(digest(document), problem=error.detail)
    signed = VerifyResult(
        digest(document),
        subject=envelope.sub,
        counter=envelope.ctr,
        issued=envelope.iat,
        expires=envelope.exp,
    )
    try:
        if envelope.exp <= question.now:
            raise errors.DocumentRefused(EXPIRED)
        if kind in _LONGEST_S and envelope.exp > envelope.iat + _LONGEST_S[kind]:
            raise errors.DocumentRefused("it lives too long")
        _check_counter(envelope, signed.digest, counters)
    except errors.DocumentRefused as error:
        return msgspec.structs.replace(signed, problem=error.detail)
    return msgspec.structs.replace(signed, content=envelope.content)


def _check_owner(envelope: codec.Envelope, kind: str, question: VerifyRequest) -> None:
    if envelope.iss != question.company_id:
        raise errors.DocumentRefused("of another company")
    if kind == codec.COMPANY_DOCUMENT and envelope.sub != question.company_id:
        raise errors.DocumentRefused("about another company")
    if kind == codec.FEED_DOCUMENT and envelope.sub != question.subject:
        raise errors.DocumentRefused("for another computer")


def _check_counter(
    envelope: codec.Envelope, document_digest: str, counters: dict[str, tuple[int, str]]
) -> None:
    if envelope.sub not in counters:
        return
    highest, known_digest = counters[envelope.sub]
    if envelope.ctr < highest:
        raise errors.DocumentRefused(f"counter went back from {highest} to {envelope.ctr}")
    if envelope.ctr == highest and document_digest != known_digest:
        raise errors.DocumentRefused(f"a second document with counter {highest}")


def _signed_payload(document: str, kind: str, keys: codec.KeySet) -> bytes:
    """The payload, once the signature is right. Raises DocumentRefused."""
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.util import urlsafe_b64decode

    if len(document) > limits.DOCUMENT_MAX_BYTES:
        raise errors.DocumentRefused("too long")
    registry = jws.JWSRegistry(algorithms=_ALGORITHMS)
    registry.max_payload_length = limits.DOCUMENT_MAX_BYTES
    try:
        signed = jws.extract_compact(document.encode(), registry=registry)
        header = decode_message(urlsafe_b64decode(document.partition(".")[0].encode()), dict[str, object])
        if set(header) != {"alg", "kid", "typ"} or header["typ"] != kind:
            raise errors.DocumentRefused("header of another kind of document")
        key = _key(str(header["kid"]), kind, keys)
        if not jws.validate_compact(signed, key, algorithms=_ALGORITHMS, registry=registry):
            raise errors.DocumentRefused("wrong signature")
    except (JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise errors.DocumentRefused(f"not a signed document: {type(error).__name__}") from error
    return signed.payload


def _key(kid: str, kind: str, keys: codec.KeySet) -> OKPKey:
    from joserfc.jwk import OKPKey

    use = "receipt" if kind in (codec.RECEIPT_DOCUMENT, codec.FEED_DOCUMENT) else "campaign"
    for key in keys.keys:
        if key.kid == kid and key.tidings_use == use:
            return OKPKey.import_key({"kty": key.kty, "crv": key.crv, "x": key.x})
    raise errors.DocumentRefused("signed with an unknown key")


resolve(VerifyResult)
