"""JSON in which two readers could find two meanings is refused by both programs, whoever signed it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.domain import errors
from agent.protocol import codec
from agent.transport.http_client import ApiClient
from agent.verification import receipts, verifier
from agent.verification.verifier import VerifyRequest
from server.signing.checking import payload_of, usable
from tests.contract.golden_documents import CAMPAIGN_SIGNER, COMPANY_ID, PUBLIC_KEYS, base64url
from tests.support.agent.scripted_server import Reply, loopback_server

GOLDEN = Path(__file__).parent / "golden"
KEY = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
HEADER = json.dumps({"alg": "Ed25519", "kid": CAMPAIGN_SIGNER.public_key["kid"], "typ": "tidings-campaign"})
PAYLOAD = json.dumps(
    {
        "v": 1,
        "iss": COMPANY_ID,
        "sub": "c-one",
        "ctr": 4,
        "iat": 1,
        "exp": 2**31,
        "content": {"a": [{"b": 1.5}]},
    }
)

ANSWERS: dict[str, Callable[[bytes], object]] = {
    "enrolment-answer": codec.decode_enrolment,
    "feed-answer": codec.decode_feed,
    "signals-answer": codec.decode_results,
    "consent-answer": codec.decode_receipt,
    "acknowledgement-answer": codec.decode_acknowledgement,
    "me-answer": codec.decode_held,
    "me-correction-answer": codec.decode_corrected,
}
DOCUMENTS: dict[str, tuple[bytes, bytes]] = {
    "a name of the header twice": (f'{{"typ": "tidings-receipt", {HEADER[1:]}'.encode(), PAYLOAD.encode()),
    "a header in UTF-16": (HEADER.encode("utf-16"), PAYLOAD.encode()),
    "UTF-16": (HEADER.encode(), PAYLOAD.encode("utf-16")),
    "a name twice": (HEADER.encode(), f'{{"sub": "c-two", {PAYLOAD[1:]}'.encode()),
    "a name twice, once escaped": (HEADER.encode(), f'{{"s\\u0075b": "c-two", {PAYLOAD[1:]}'.encode()),
    "a name of the content twice": (HEADER.encode(), PAYLOAD.replace('"b": 1.5', '"b": 1, "b": 2').encode()),
    "not a number": (HEADER.encode(), PAYLOAD.replace("1.5", "NaN").encode()),
    "half a character": (HEADER.encode(), PAYLOAD.replace("1.5", '"\\udc00"').encode()),
    "half a character in bytes": (HEADER.encode(), PAYLOAD.encode().replace(b"1.5", b'"\xed\xb0\x80"')),
    "UTF-8 with a mark": (HEADER.encode(), PAYLOAD.encode("utf-8-sig")),
}


def _signed(header: bytes, payload: bytes) -> str:
    said = f"{base64url(header)}.{base64url(payload)}"
    return f"{said}.{base64url(KEY.sign(said.encode()))}"


def _problem_of_the_agent(document: str) -> str:
    keys = msgspec.convert(PUBLIC_KEYS, codec.KeySet)
    question = VerifyRequest(codec.CAMPAIGN_DOCUMENT, COMPANY_ID, keys, 5, (document,))
    (verdict,) = verifier.verify_documents(question)
    return verdict.problem


def test_what_has_one_meaning_is_read_by_both() -> None:
    document = _signed(HEADER.encode(), PAYLOAD.encode())
    assert _problem_of_the_agent(document) == ""
    assert payload_of(document, "tidings-campaign", usable(PUBLIC_KEYS["keys"]))["ctr"] == 4


@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_signed_document_gets_one_verdict_of_both(form: str) -> None:
    header, payload = DOCUMENTS[form]
    document = _signed(header, payload)
    assert _problem_of_the_agent(document)
    with pytest.raises(ValueError, match=r"JSON|signature"):
        payload_of(document, "tidings-campaign", usable(PUBLIC_KEYS["keys"]))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_names_something_twice_is_not_our_servers(name: str) -> None:
    good = json.dumps(json.loads((GOLDEN / f"{name}.json").read_text())["valid"][0]["body"])
    assert ANSWERS[name](good.encode()) is not None
    first = json.dumps(next(iter(json.loads(good))))
    for ambiguous in (f"{{{first}: null, {good[1:]}", f"{good[:-1]}, {first}: null}}"):
        with pytest.raises(errors.NotOurServer):
            ANSWERS[name](ambiguous.encode())


def test_a_problem_that_names_its_type_twice_is_nobodys() -> None:
    said = b'{"type": "tidings:unauthorized", "type": "tidings:invalid-request", "status": 422}'
    assert codec.decode_problem(said).type == ""


def test_a_receipt_whose_file_names_something_twice_is_no_receipt() -> None:
    document = _signed(HEADER.encode(), PAYLOAD.encode())
    with pytest.raises(errors.InvalidInput):
        receipts.read_file(f'{{"tidings_receipt": 1, "receipt": "a.b.c", "receipt": "{document}"}}'.encode())
    with pytest.raises(errors.InvalidInput):
        receipts.read_keys(b'{"keys": [], ' + json.dumps(PUBLIC_KEYS).encode()[1:])


@pytest.mark.parametrize(
    "charset", ["utf-16", "UTF-16LE", '"utf-16"', "iso-8859-1", "utf-8; charset=utf-16", ""]
)
@pytest.mark.parametrize(("status", "kind"), [(200, "application/json"), (422, "application/problem+json")])
def test_an_answer_that_is_said_to_be_in_another_encoding_is_not_our_servers(
    charset: str, status: int, kind: str
) -> None:
    body = b'{"type": "tidings:invalid-request", "status": 422}'
    headers = {"Content-Type": f"{kind}; charset={charset}"}
    with (
        loopback_server(lambda _: Reply(status, body, headers)) as server,
        pytest.raises(errors.NotOurServer),
    ):
        ApiClient(server.url).request("GET", codec.FEED_PATH)


@pytest.mark.parametrize("charset", ["; charset=utf-8", ';charset="UTF-8"', "; profile=x", ""])
def test_an_answer_in_utf8_is_read_however_its_type_is_written(charset: str) -> None:
    headers = {"Content-Type": f"application/json{charset}"}
    with loopback_server(lambda _: Reply(200, b"{}", headers)) as server:
        assert ApiClient(server.url).request("GET", codec.FEED_PATH).body == b"{}"
