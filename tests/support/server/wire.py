"""Messages as an agent would write them, for tests of the server."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.support.server.campaign_server import Computer


def an_hour_ago() -> datetime:
    """When the campaigns of tests start, to the second."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def event(signal: str, campaign_id: str, receipt_id: str, **changes: Any) -> dict[str, Any]:
    """An event of today."""
    extras: dict[str, dict[str, Any]] = {"click": {"link_id": "l1"}, "like": {"value": 1, "seq": 1}}
    common = {
        "signal": signal,
        "event_id": str(uuid4()),
        "campaign_id": campaign_id,
        "date": datetime.now(UTC).date().isoformat(),
        "receipt_id": receipt_id,
    }
    return common | extras.get(signal, {}) | changes


def consent(signal: str, status: str = "given", **changes: Any) -> dict[str, Any]:
    """A consent to version 3 of the notice."""
    message = {
        "receipt_id": str(uuid4()),
        "signal": signal,
        "status": status,
        "notice_version": 3,
        "time": "2026-11-23T09:12:00Z",
        "language": "en",
    }
    return message | changes


def acknowledgement(campaign_id: str, **changes: Any) -> dict[str, Any]:
    """A confirmation of half an hour ago."""
    time = (an_hour_ago() + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"event_id": str(uuid4()), "campaign_id": campaign_id, "time": time} | changes


def give(computer: Computer, signal: str) -> str:
    """Let the person share a signal. Gives the receipt's id."""
    message = consent(signal)
    answer = computer.post("/consents", message)
    assert answer.status_code == 200, answer.text
    return str(message["receipt_id"])


def send(computer: Computer, *events: dict[str, Any]) -> list[str]:
    """Send a batch. Gives the status of each event."""
    answer = computer.post("/signals", {"events": list(events)})
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [result["event_id"] for result in results] == [sent["event_id"] for sent in events]
    return [result["status"] for result in results]


def payload(jws: str) -> dict[str, Any]:
    """What a document says, unverified."""
    body = jws.split(".")[1]
    content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return content


def verified(jws: str, keys: dict[str, Any], use: str, kind: str | None = None) -> dict[str, Any]:
    """What a document says, if one of the company's keys of that use has signed it; else joserfc's error."""
    from joserfc import jws as signatures
    from joserfc.jwk import OKPKey

    key = next(OKPKey.import_key(key) for key in keys["keys"] if key["tidings_use"] == use)
    verified_object = signatures.deserialize_compact(jws, key, algorithms=["Ed25519"])
    assert kind in (None, verified_object.headers()["typ"])
    content: dict[str, Any] = json.loads(verified_object.payload)
    return content
