"""The requests and answers among the golden messages, valid and not. `make_golden` writes them."""

import hashlib
from typing import Any

from tests.contract.golden_documents import (
    CAMPAIGN_JWS,
    COMPANY_ID,
    COMPANY_JWS,
    JSON,
    PUBLIC_KEYS,
    RECEIPT_ID,
    RECEIPT_JWS,
    STATEMENT_JWS,
    TRIAL_JWS,
)

EVENT_IDS = [f"0d9b6c1e-3f2a-4c5d-8e7f-00000000000{number}" for number in range(1, 5)]

RETRY_SECRET = "mK3vP9xQ2sT7wY4zA6bC8dE1fG5hJ0kLnM_pR-uVoXi"
ENROLMENT: JSON = {"code": "KX7P-9QMD-2HTV", "agent_version": "0.1.0", "platform": "linux"}
ENROLLED: JSON = {
    "device_token": "tdt_q7mD1vYF0uXn3hJx8sKcZ2wRb5tGpL9eAo4iVfTdSzE",
    "company_id": COMPANY_ID,
    "person": {"email": "camille.roy@northwind.example", "first_name": "Camille"},
    "keys": PUBLIC_KEYS,
    "company": COMPANY_JWS,
}
FEED: JSON = {
    "v": 1,
    "person": ENROLLED["person"],
    "company": COMPANY_JWS,
    "campaigns": list(CAMPAIGN_JWS.values()),
    "poll_interval_s": 60,
}
SEEN: JSON = {
    "signal": "seen",
    "event_id": EVENT_IDS[0],
    "campaign_id": "c-video",
    "date": "2026-11-23",
    "receipt_id": RECEIPT_ID,
}
CLICK: JSON = SEEN | {"signal": "click", "event_id": EVENT_IDS[1], "link_id": "l1"}
STARTED: JSON = CLICK | {"event_id": EVENT_IDS[2], "link_id": "video"}
LIKE: JSON = SEEN | {"signal": "like", "event_id": EVENT_IDS[3], "value": 1, "seq": 1}
RESULTS: JSON = {
    "results": [
        {"event_id": EVENT_IDS[0], "status": "stored", "reason": ""},
        {"event_id": EVENT_IDS[1], "status": "duplicate", "reason": ""},
        {"event_id": EVENT_IDS[2], "status": "dropped_consent", "reason": ""},
        {"event_id": EVENT_IDS[3], "status": "refused", "reason": "There is no such campaign."},
    ]
}
CONSENT: JSON = {
    "receipt_id": RECEIPT_ID,
    "signal": "click",
    "status": "given",
    "notice_version": 3,
    "time": "2026-11-23T09:12:00Z",
    "language": "en",
}
ACKNOWLEDGEMENT: JSON = {
    "event_id": EVENT_IDS[0],
    "campaign_id": "c-safety",
    "time": "2026-11-23T09:12:00Z",
}
ACKNOWLEDGED: JSON = {"event_id": EVENT_IDS[0], "status": "stored", "reason": ""}
PROBLEMS = [
    (
        "invalid-code",
        404,
        "This code cannot be used",
        "It is unknown, used or expired. Ask for a new invitation.",
    ),
    ("wrong-region", 421, "This server is in another region", "region eu, not us"),
    ("unauthorized", 401, "This computer is not connected", "The device token is unknown or revoked."),
    (
        "token-reused",
        401,
        "This computer was disconnected",
        "A replaced token of this computer was used, so all of them were revoked. Enrol it again.",
    ),
    ("invalid-request", 422, "The request is not valid", "code: Field required"),
    ("not-found", 404, "Not found", "There is nothing at this address for this computer."),
    ("notice-changed", 409, "The notice has changed", "Version 4 is in force. Ask the person afresh."),
    ("too-many-requests", 429, "Too many requests", "Wait as long as Retry-After says."),
    ("overloaded", 503, "The server is busy", "Wait as long as Retry-After says."),
]


def _case(name: str, body: JSON) -> JSON:
    return {"name": name, "body": body}


def _bad(name: str, reason: str, body: Any) -> JSON:
    return {"name": name, "reason": reason, "body": body}


def _without(body: JSON, name: str) -> JSON:
    return {key: value for key, value in body.items() if key != name}


def _file(message: str, call: str, status: int | None, valid: list[JSON], invalid: list[JSON]) -> JSON:
    kind: JSON = {"message": message, "call": call}
    if status is not None:
        kind["status"] = status
    return kind | {"valid": valid, "invalid": invalid}


def _enrolment() -> dict[str, JSON]:
    no_name = ENROLLED | {"person": {"email": "camille.roy@northwind.example", "first_name": ""}}
    return {
        "enrolment-request": _file(
            "enrolment-request",
            "POST /api/v1/enrolments",
            None,
            [
                _case("linux", ENROLMENT),
                _case("code-as-typed", ENROLMENT | {"code": "kx7p 9qmd 2htv", "platform": "windows"}),
                _case("macos", ENROLMENT | {"platform": "macos"}),
                _case("repeatable", ENROLMENT | {"retry_secret": RETRY_SECRET}),
            ],
            [
                _bad("unknown-field", "an unknown field", ENROLMENT | {"host_name": "laptop-7"}),
                _bad("unknown-platform", "platform is one of three", ENROLMENT | {"platform": "amiga"}),
                _bad("weak-secret", "43 characters: 256 bits", ENROLMENT | {"retry_secret": "secret"}),
                _bad("no-code", "code is missing", _without(ENROLMENT, "code")),
                _bad("not-an-object", "an object is due", ["KX7P-9QMD-2HTV"]),
            ],
        ),
        "enrolment-answer": _file(
            "enrolment-answer",
            "POST /api/v1/enrolments",
            201,
            [_case("camille", ENROLLED), _case("no-first-name", no_name)],
            [
                _bad("unknown-field", "an unknown field", ENROLLED | {"admin": True}),
                _bad("no-keys", "keys is missing", _without(ENROLLED, "keys")),
                _bad("foreign-token", "a token begins with tdt_", ENROLLED | {"device_token": "abc"}),
                _bad(
                    "long-token",
                    "a token has at most 128 characters",
                    ENROLLED | {"device_token": "tdt_" + 125 * "x"},
                ),
            ],
        ),
    }


def _feed() -> dict[str, JSON]:
    return {
        "feed-answer": _file(
            "feed-answer",
            "GET /api/v1/feed",
            200,
            [
                _case("five-campaigns", FEED),
                _case("no-campaigns", FEED | {"campaigns": []}),
                _case("stated", FEED | {"statement": STATEMENT_JWS}),
                _case("with-a-test", FEED | {"statement": STATEMENT_JWS, "trials": [TRIAL_JWS]}),
            ],
            [
                _bad("unknown-field", "an unknown field", FEED | {"next": "https://elsewhere.example/"}),
                _bad("future-version", "a version that nobody knows yet", FEED | {"v": 2}),
                _bad("no-company", "company is missing", _without(FEED, "company")),
                _bad("hurried", "the interval is 10 to 86,400 seconds", FEED | {"poll_interval_s": 0}),
                _bad("too-many", "at most 1,000 campaigns", FEED | {"campaigns": ["x"] * 1001}),
                _bad("two-tests", "at most one test", FEED | {"trials": [TRIAL_JWS, TRIAL_JWS]}),
            ],
        ),
    }


def _signals() -> dict[str, JSON]:
    def batch(*events: JSON) -> JSON:
        return {"events": list(events)}

    many = batch(*(SEEN | {"event_id": f"0d9b6c1e-3f2a-4c5d-8e7f-{number:012d}"} for number in range(101)))
    return {
        "signals-request": _file(
            "signals-request",
            "POST /api/v1/signals",
            None,
            [_case("one", batch(SEEN)), _case("each-kind", batch(SEEN, CLICK, STARTED, LIKE))],
            [
                _bad("empty", "1 to 100 events", batch()),
                _bad("101-events", "1 to 100 events", many),
                _bad("unknown-signal", "seen, click or like", batch(SEEN | {"signal": "screen"})),
                _bad("unknown-field", "an unknown field", batch(SEEN | {"dwell_ms": 4000})),
                _bad("unknown-field-outside", "an unknown field", batch(SEEN) | {"host_name": "laptop-7"}),
                _bad("link-of-a-seen", "a seen names no link", batch(SEEN | {"link_id": "l1"})),
                _bad("precise-time", "a date, not a time", batch(SEEN | {"date": "2026-11-23T09:12:33Z"})),
                _bad("click-without-link", "link_id is missing", batch(_without(CLICK, "link_id"))),
                _bad(
                    "address-as-link",
                    "a link's id, not its address",
                    batch(CLICK | {"link_id": "https://a.example/"}),
                ),
                _bad("half-a-like", "value is 0 or 1", batch(LIKE | {"value": 2})),
                _bad("like-without-seq", "seq is missing", batch(_without(LIKE, "seq"))),
                _bad("seq-zero", "seq begins at 1", batch(LIKE | {"seq": 0})),
                _bad("event-id-not-a-uuid", "event_id is a UUIDv4", batch(SEEN | {"event_id": "1"})),
                _bad(
                    "event-id-with-a-clock",
                    "a UUIDv1 holds a time and a network address",
                    batch(SEEN | {"event_id": "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d"}),
                ),
                _bad("bare-list", "an object with events", [SEEN]),
            ],
        ),
        "signals-answer": _file(
            "signals-answer",
            "POST /api/v1/signals",
            200,
            [_case("each-status", RESULTS)],
            [
                _bad(
                    "unknown-status",
                    "one of four",
                    {"results": [{"event_id": EVENT_IDS[0], "status": "later", "reason": ""}]},
                ),
                _bad("captive-portal", "an object with results", {"html": "<title>Wi-Fi</title>"}),
            ],
        ),
    }


def _consents() -> dict[str, JSON]:
    return {
        "consent-request": _file(
            "consent-request",
            "POST /api/v1/consents",
            None,
            [
                _case("given", CONSENT),
                _case("withdrawn", CONSENT | {"status": "withdrawn", "time": "2026-11-24T08:30:00Z"}),
            ],
            [
                _bad("refused", "a refusal is never sent", CONSENT | {"status": "refused"}),
                _bad("unknown-field", "an unknown field", CONSENT | {"user": "camille"}),
                _bad("all-signals", "one signal each", CONSENT | {"signal": "all"}),
                _bad(
                    "local-time",
                    "times are UTC and end in Z",
                    CONSENT | {"time": "2026-11-23T10:12:00+01:00"},
                ),
                _bad("no-notice", "notice_version is missing", _without(CONSENT, "notice_version")),
            ],
        ),
        "consent-answer": _file(
            "consent-answer",
            "POST /api/v1/consents",
            200,
            [_case(name, {"receipt": text}) for name, text in RECEIPT_JWS.items()],
            [
                _bad("no-receipt", "receipt is missing", {}),
                _bad("unknown-field", "an unknown field", {"receipt": RECEIPT_JWS["given"], "ok": True}),
            ],
        ),
    }


def _acknowledgements() -> dict[str, JSON]:
    call = "POST /api/v1/acknowledgements"
    refused = ACKNOWLEDGED | {"status": "refused", "reason": "This campaign does not ask for it."}
    return {
        "acknowledgement-request": _file(
            "acknowledgement-request",
            call,
            None,
            [_case("read", ACKNOWLEDGEMENT)],
            [
                _bad("unknown-field", "an unknown field", ACKNOWLEDGEMENT | {"user": "camille"}),
                _bad("no-time", "time is missing", _without(ACKNOWLEDGEMENT, "time")),
                _bad("fractions", "to the second", ACKNOWLEDGEMENT | {"time": "2026-11-23T09:12:00.417Z"}),
                _bad(
                    "local-time",
                    "times are UTC and end in Z",
                    ACKNOWLEDGEMENT | {"time": "2026-11-23T10:12:00+01:00"},
                ),
                _bad("date", "a time, not a date", ACKNOWLEDGEMENT | {"time": "2026-11-23"}),
                _bad("event-id-not-a-uuid", "event_id is a UUIDv4", ACKNOWLEDGEMENT | {"event_id": "1"}),
                _bad("no-campaign-id", "a campaign's id", ACKNOWLEDGEMENT | {"campaign_id": "../c"}),
                _bad("signal", "none of the three signals", ACKNOWLEDGEMENT | {"signal": "seen"}),
                _bad("list", "one at a time", [ACKNOWLEDGEMENT]),
            ],
        ),
        "acknowledgement-answer": _file(
            "acknowledgement-answer",
            call,
            200,
            [
                _case("stored", ACKNOWLEDGED),
                _case("duplicate", ACKNOWLEDGED | {"status": "duplicate"}),
                _case("refused", refused),
            ],
            [
                _bad("unknown-status", "one of three", ACKNOWLEDGED | {"status": "dropped_consent"}),
                _bad("unknown-field", "an unknown field", ACKNOWLEDGED | {"score": 7}),
                _bad("no-event-id", "event_id is missing", _without(ACKNOWLEDGED, "event_id")),
                _bad("captive-portal", "an object with a status", {"html": "<title>Wi-Fi</title>"}),
            ],
        ),
    }


def _tokens() -> dict[str, JSON]:
    announced = {"next_sha256": hashlib.sha256(b"tdt_test-only").hexdigest()}
    return {
        "token-request": _file(
            "token-request",
            "POST /api/v1/device/token",
            None,
            [_case("next", announced)],
            [
                _bad("the-token-itself", "its hash, never the token", {"next_sha256": "tdt_test-only"}),
                _bad("unknown-field", "an unknown field", announced | {"token": "tdt_test-only"}),
                _bad("empty", "next_sha256 is missing", {}),
            ],
        )
    }


def message_files() -> dict[str, JSON]:
    """The golden files that hold requests and answers, by name."""
    problems = [
        _case(code, {"type": f"tidings:{code}", "title": title, "detail": detail, "status": status})
        for code, status, title, detail in PROBLEMS
    ]
    return {
        **_enrolment(),
        **_feed(),
        **_tokens(),
        **_signals(),
        **_consents(),
        **_acknowledgements(),
        "problem": _file(
            "problem", "any", None, problems, [_bad("html", "no problem document", {"error": "x"})]
        ),
        "health-answer": _file(
            "health-answer", "GET /api/v1/health", 200, [_case("ok", {"status": "ok"})], []
        ),
    }
