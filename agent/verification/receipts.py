"""Signed receipts: what they say, and the file in which a person keeps one (docs/receipts.md).

A receipt is a JWS (RFC 7515) in the shape of ISO/IEC TS 27560. Its file also names the key that signed it, so that
anybody can check it without us.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from agent.domain import errors, limits
from agent.domain.model import FeedbackSignal, Region, UtcTime
from agent.domain.msgspec_warmup import decode_message, resolve
from agent.protocol import codec
from agent.verification.verifier import VerifyRequest, VerifyResult
from resources.i18n import _

Origin = Literal["pinned", "given", "inside"]
"""Where the key came from: pinned when this computer was connected, given by the person, or the file's own."""


Verify = Callable[[VerifyRequest], tuple[VerifyResult, ...]]


class Content(Struct, frozen=True, forbid_unknown_fields=True):
    """What a receipt says; ``docs/protocol``, Consents. ``erased``: rows that the server deleted."""

    receipt_id: str
    controller: str
    dpo_email: str
    region: Region
    purpose: str
    signal: FeedbackSignal
    notice_version: int
    notice_sha256: str
    language: str
    status: Literal["given", "withdrawn"]
    time: UtcTime
    method: str
    agent_version: str
    policy: tuple[FeedbackSignal, ...]
    erased: Annotated[int, Meta(ge=0)]
    answers: str = ""
    """In a withdrawal that ends another consent than its own: the receipt id of that one."""


class ReceiptFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON file: a receipt, and the public key that signed it (None where that is not known)."""

    tidings_receipt: Literal[1]
    receipt: codec.Document
    key: codec.Key | None = None


class Checked(Struct, frozen=True):
    """A receipt whose signature was looked at. ``problem`` is empty when it is right."""

    content: Content
    issuer: str
    signed: datetime
    origin: Origin
    thumbprint: str
    problem: str = ""


def payload(document: str) -> codec.Envelope:
    """What stands in a signed document, its signature not looked at. Raises DocumentRefused."""
    return codec.decode_envelope(_part(document, 1))


def content(document: str) -> Content:
    """What a receipt says, its signature not looked at. Raises DocumentRefused."""
    return _content(payload(document))


def key_of(document: str, keys: codec.KeySet | None) -> codec.Key | None:
    """The key among ``keys`` that a document names."""
    try:
        header = decode_message(_part(document, 0), dict[str, Any])
    except msgspec.DecodeError as error:
        raise errors.DocumentRefused("header") from error
    return next((key for key in keys.keys if key.kid == header.get("kid")), None) if keys else None


def thumbprint(key: codec.Key) -> str:
    """The key's own name (RFC 7638), to compare by eye with what the company tells."""
    members = msgspec.json.encode({"crv": key.crv, "kty": key.kty, "x": key.x})
    return base64.urlsafe_b64encode(hashlib.sha256(members).digest()).rstrip(b"=").decode()


def write_file(document: str, keys: codec.KeySet | None) -> bytes:
    """The file to keep."""
    file = ReceiptFile(1, document, key_of(document, keys))
    return msgspec.json.format(msgspec.json.encode(file)) + b"\n"


def read_file(file: bytes) -> ReceiptFile:
    """A receipt as its file, or as the bare JWS. Raises InvalidInput."""
    if len(file) > limits.DOCUMENT_MAX_BYTES:
        raise errors.InvalidInput(_("This file is too long to be a receipt."))
    try:
        if file.lstrip().startswith(b"{"):
            return decode_message(file, ReceiptFile)
        return msgspec.convert(
            {"tidings_receipt": 1, "receipt": file.decode().strip()}, ReceiptFile, strict=True
        )
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise errors.InvalidInput(_("This file is not a receipt of Tidings.")) from error


def read_keys(file: bytes) -> codec.KeySet:
    """A JWK Set (RFC 7517), as the server's enrolment answer has it. Raises InvalidInput."""
    try:
        return decode_message(file, codec.KeySet)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise errors.InvalidInput(_("The file of keys is not a set of Tidings' keys.")) from error


def check(
    file: ReceiptFile,
    verify: Verify,
    *,
    pinned: codec.KeySet | None = None,
    given: codec.KeySet | None = None,
) -> Checked:
    """Check a receipt with the best key there is: the person's, else the pinned one, else the file's own.

    Raises DocumentRefused when it does not even have the form of a receipt, InvalidInput when no key is known.
    """
    envelope = payload(file.receipt)
    said = _content(envelope)
    key, origin = _key(file, pinned, given)
    question = VerifyRequest(
        codec.RECEIPT_DOCUMENT, envelope.iss, codec.KeySet((key,)), envelope.iat, (file.receipt,)
    )
    (verdict,) = verify(question)
    problem = verdict.problem
    if not problem and envelope.sub != said.receipt_id:
        problem = "it is about another receipt"
    return Checked(said, envelope.iss, _moment(envelope.iat), origin, thumbprint(key), problem)


def _moment(unix_s: int) -> datetime:
    try:
        return datetime.fromtimestamp(unix_s, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise errors.DocumentRefused("a moment that no calendar has") from error


def _key(
    file: ReceiptFile, pinned: codec.KeySet | None, given: codec.KeySet | None
) -> tuple[codec.Key, Origin]:
    """A key that was given is the only one that counts: the person chose it. The file's own comes last."""
    if given is not None:
        if (key := key_of(file.receipt, given)) is None:
            raise errors.InvalidInput(_("The key that signed this receipt is not in your file of keys."))
        return key, "given"
    if key := key_of(file.receipt, pinned):
        return key, "pinned"
    if file.key is not None:
        return file.key, "inside"
    raise errors.InvalidInput(
        _("The key that signed this receipt is not known here. Give a file of keys with --keys.")
    )


def _content(envelope: codec.Envelope) -> Content:
    try:
        return decode_message(bytes(envelope.content), Content)
    except msgspec.DecodeError as error:
        raise errors.DocumentRefused(f"receipt: {error}") from error


def _part(document: str, index: int) -> bytes:
    try:
        part = document.split(".")[index]
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (ValueError, IndexError) as error:
        raise errors.DocumentRefused("not a signed document") from error


resolve(Content, ReceiptFile)
