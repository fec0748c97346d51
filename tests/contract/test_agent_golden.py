"""The agent reads and writes exactly what the golden messages say."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.domain import errors
from agent.domain.model import ConsentMessage, FeedbackSignal
from agent.protocol import codec
from agent.verification import verifier
from agent.verification.verifier import VerifyRequest, VerifyResult

GOLDEN = Path(__file__).parent / "golden"
KEYS = json.dumps(json.loads((GOLDEN / "test-only-keys.json").read_text())["public"]).encode()


def golden(name: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return message


def cases(name: str, kind: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in golden(name)[kind]]


def verify(kind: str, document: str, counters: dict[str, tuple[int, str]] | None = None) -> VerifyResult:
    message = golden(f"{kind}-document")
    keys = msgspec.json.decode(KEYS, type=codec.KeySet)
    question = VerifyRequest(
        f"tidings-{kind}", message["iss"], keys, message["now"], (document,), counters or {}
    )
    (verdict,) = verifier.verify_documents(question)
    return verdict


def read_statement(jws: str) -> codec.Statement:
    """All that the agent does with a statement. Raises DocumentRefused."""
    message = golden("feed-document")
    keys = msgspec.json.decode(KEYS, type=codec.KeySet)
    question = VerifyRequest(
        "tidings-campaign", message["iss"], keys, message["now"], (), statement=jws, subject=message["sub"]
    )
    (verdict,) = verifier.verify_documents(question)
    if verdict.problem:
        raise errors.DocumentRefused(verdict.problem)
    return codec.decode_statement(bytes(verdict.content))


def test_a_good_statement_is_read_and_made_for_the_token() -> None:
    message = golden("feed-document")
    for case in message["valid"]:
        said = read_statement(case["jws"])
        assert {"company": said.company, "campaigns": said.campaigns} == case["payload"]["content"]
    assert message["sub"] == codec.feed_subject("tdt_test-only")


@pytest.mark.parametrize("case", cases("feed-document", "invalid"))
def test_a_bad_statement_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(errors.DocumentRefused):
        read_statement(case["jws"])


def read(kind: str, document: str, counters: dict[str, tuple[int, str]] | None = None) -> object:
    """All that the agent does with a document. Raises DocumentRefused."""
    verdict = verify(kind, document, counters)
    if verdict.problem:
        raise errors.DocumentRefused(verdict.problem)
    if kind == "company":
        return codec.decode_company(verdict.subject, bytes(verdict.content))
    if kind == "trial":
        subject = golden("trial-document")["sub"]
        return codec.decode_trial(verdict.subject, subject, bytes(verdict.content))
    if kind == "campaign":
        return codec.decode_campaign(verdict.subject, verdict.counter, bytes(verdict.content))
    return verdict


@pytest.mark.parametrize("kind", ["company", "campaign", "receipt", "trial"])
def test_every_good_document_is_read(kind: str) -> None:
    for case in golden(f"{kind}-document")["valid"]:
        assert read(kind, case["jws"]) is not None, case["name"]


@pytest.mark.parametrize("case", cases("campaign-document", "invalid"))
def test_a_bad_campaign_document_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(errors.DocumentRefused):
        read("campaign", case["jws"])


@pytest.mark.parametrize("case", cases("trial-document", "invalid"))
def test_a_bad_test_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(errors.DocumentRefused):
        read("trial", case["jws"])


@pytest.mark.parametrize("case", cases("company-document", "invalid"))
def test_a_bad_company_document_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(errors.DocumentRefused):
        read("company", case["jws"])


@pytest.mark.parametrize("case", cases("receipt-document", "invalid"))
def test_a_bad_receipt_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(errors.DocumentRefused):
        read("receipt", case["jws"])


def test_a_document_older_than_one_seen_is_refused_and_so_is_a_second_one_with_its_counter() -> None:
    message = golden("campaign-document")
    known = verify("campaign", message["known"]["jws"])
    counters = {known.subject: (known.counter, known.digest)}
    for case in message["invalid_when_known"]:
        assert read("campaign", case["jws"]) is not None, "it is good by itself"
        with pytest.raises(errors.DocumentRefused):
            read("campaign", case["jws"], counters)


DECODERS = {
    "enrolment-answer": codec.decode_enrolment,
    "feed-answer": codec.decode_feed,
    "signals-answer": codec.decode_results,
    "consent-answer": codec.decode_receipt,
    "acknowledgement-answer": codec.decode_acknowledgement,
    "me-answer": codec.decode_held,
    "me-correction-answer": codec.decode_corrected,
}


@pytest.mark.parametrize("name", DECODERS)
def test_good_answers_are_read_and_bad_ones_refused(name: str) -> None:
    message = golden(name)
    for case in message["valid"]:
        assert DECODERS[name](json.dumps(case["body"]).encode()) is not None
    for case in message["invalid"]:
        with pytest.raises(errors.NotOurServer):
            DECODERS[name](json.dumps(case["body"]).encode())


def test_events_leave_as_the_protocol_says() -> None:
    expected = next(case for case in golden("signals-request")["valid"] if case["name"] == "each-kind")[
        "body"
    ]
    encoded = [
        codec.encode_event(
            FeedbackSignal(event["signal"]),
            event_id=event["event_id"],
            campaign_id=event["campaign_id"],
            day=date.fromisoformat(event["date"]),
            receipt_id=event["receipt_id"],
            link_id=event.get("link_id"),
            value=event.get("value"),
            seq=event.get("seq"),
        )
        for event in expected["events"]
    ]
    body, offsets = codec.encode_batch(encoded)
    assert json.loads(body) == expected
    for offset, event in zip(offsets, encoded, strict=True):
        assert body[offset : offset + len(event)] == event


def test_the_next_tokens_hash_leaves_as_the_protocol_says() -> None:
    (case,) = golden("token-request")["valid"]
    assert json.loads(codec.encode_next_token("tdt_test-only")) == case["body"]


def test_consents_leave_as_the_protocol_says() -> None:
    for case in golden("consent-request")["valid"]:
        body = case["body"]
        message = ConsentMessage(
            body["receipt_id"],
            FeedbackSignal(body["signal"]),
            body["status"],
            body["notice_version"],
            datetime.fromisoformat(body["time"]),
            body["language"],
        )
        assert json.loads(codec.encode_consent(message)) == body


def test_acknowledgements_leave_as_the_protocol_says() -> None:
    for case in golden("acknowledgement-request")["valid"]:
        body = case["body"]
        time = datetime.fromisoformat(body["time"])
        encoded = codec.encode_acknowledgement(body["event_id"], body["campaign_id"], time)
        assert json.loads(encoded) == body


def test_corrections_leave_as_the_protocol_says() -> None:
    for case in golden("me-request")["valid"]:
        assert json.loads(codec.encode_correction(case["body"]["details"])) == case["body"]
