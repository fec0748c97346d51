"""The messages by which a person sees and corrects their own data, valid and not. `make_golden` writes them."""

from tests.contract.golden_documents import JSON, RECEIPT_ID, RECEIPT_JWS

DETAILS = (
    ("email", "camille.roy@northwind.example", "directory", "camille@northwind.example"),
    ("first_name", "Camille", "person", None),
    ("last_name", "Roy", "person", None),
    ("title", "", "person", None),
    ("work_landline", "+33 1 02 03 04 05", "person", None),
    ("work_cell", "", "person", None),
    ("site_addresses", ["1 rue de la Paix, 75002 Paris"], "directory", ["2 rue de la Paix, 75002 Paris"]),
)
CONTROLLER: JSON = {
    "name": "Northwind SAS",
    "dpo_name": "Inès Martin",
    "dpo_email": "dpo@northwind.example",
    "region": "eu",
    "notice_version": 3,
}
COMPUTER: JSON = {
    "platform": "linux",
    "agent_version": "0.1.0",
    "enrolled": "2026-11-20T08:00:00Z",
    "revoked": None,
    "this": True,
}
CONSENT: JSON = {
    "receipt_id": RECEIPT_ID,
    "signal": "click",
    "status": "given",
    "notice_version": 3,
    "time": "2026-11-23T09:12:00Z",
    "language": "en",
    "agent_version": "0.1.0",
    "receipt": RECEIPT_JWS["given"],
}
CLICK: JSON = {
    "event_id": "0d9b6c1e-3f2a-4c5d-8e7f-000000000002",
    "campaign_id": "c-video",
    "signal": "click",
    "date": "2026-11-23",
    "link_id": "l1",
    "value": None,
    "seq": None,
}
ACKNOWLEDGEMENT: JSON = {
    "event_id": "0d9b6c1e-3f2a-4c5d-8e7f-000000000005",
    "campaign_id": "c-safety",
    "time": "2026-11-23T09:12:00Z",
}
ME: JSON = {
    "v": 1,
    "time": "2026-11-24T10:00:00Z",
    "controller": CONTROLLER,
    "details": [
        {"field": field, "value": value, "owner": owner, "requested": requested}
        for field, value, owner, requested in DETAILS
    ],
    "groups": ["Paris", "Sales"],
    "computers": [COMPUTER, COMPUTER | {"revoked": "2026-11-22T17:30:00Z", "this": False}],
    "consents": [CONSENT],
    "signals": [CLICK],
    "acknowledgements": [ACKNOWLEDGEMENT],
    "campaigns": [
        {"campaign_id": "c-video", "title": "Our video", "addressed": "everyone"},
        {"campaign_id": "c-canteen", "title": "", "addressed": "group"},
        {"campaign_id": "c-picture", "title": "A picture", "addressed": "person"},
    ],
    "other": {
        "directory.person": [
            {"id": "3b0c5a9e-8a57-4a35-9d0b-2f4f1f6d6f10", "external_id": "", "own_fields": ["title"]}
        ],
        "delivery.invitation": [
            {
                "id": 7,
                "created_at": "2026-11-20T07:55:00Z",
                "expires_at": "2026-12-04T07:55:00Z",
                "used_at": None,
            }
        ],
    },
}
NOTHING_YET: JSON = ME | {
    "groups": [],
    "consents": [],
    "signals": [],
    "acknowledgements": [],
    "campaigns": [],
    "other": {},
}
CORRECTION: JSON = {"details": {"first_name": "Camille", "site_addresses": ["2 rue de la Paix, 75002 Paris"]}}
CORRECTED: JSON = {
    "results": [
        {"field": "email", "status": "unchanged"},
        {"field": "first_name", "status": "changed"},
        {"field": "site_addresses", "status": "requested"},
    ]
}


def _case(name: str, body: JSON) -> JSON:
    return {"name": name, "body": body}


def _bad(name: str, reason: str, body: object) -> JSON:
    return {"name": name, "reason": reason, "body": body}


def _changed(section: str, **changes: object) -> JSON:
    """The answer with another first item in a section."""
    first, *others = ME[section]
    return ME | {section: [first | changes, *others]}


def own_data_files() -> dict[str, JSON]:
    """The golden files of `/me`, by name."""
    return {
        "me-answer": {
            "message": "me-answer",
            "call": "GET /api/v1/me",
            "status": 200,
            "valid": [_case("camille", ME), _case("nothing-yet", NOTHING_YET)],
            "invalid": [
                _bad("unknown-field", "an unknown field", ME | {"score": 7}),
                _bad(
                    "unknown-field-of-a-computer", "an unknown field", _changed("computers", host_name="l-7")
                ),
                _bad("future-version", "a version that nobody knows yet", ME | {"v": 2}),
                _bad("unknown-detail", "one of seven fields", _changed("details", field="salary")),
                _bad("unknown-owner", "person or directory", _changed("details", owner="manager")),
                _bad("refused-consent", "a refusal is never held", _changed("consents", status="refused")),
                _bad("unknown-signal", "seen, click or like", _changed("signals", signal="dwell")),
                _bad("seen-as-acknowledged", "an unknown field", _changed("acknowledgements", signal="seen")),
                _bad("local-time", "times are UTC and end in Z", ME | {"time": "2026-11-24T11:00:00"}),
                _bad("captive-portal", "an object with all sections", {"html": "<title>Wi-Fi</title>"}),
            ],
        },
        "me-request": {
            "message": "me-request",
            "call": "PATCH /api/v1/me",
            "valid": [
                _case("two-fields", CORRECTION),
                _case("empty-again", {"details": {"title": "", "site_addresses": []}}),
            ],
            "invalid": [
                _bad("no-field", "one field at least", {"details": {}}),
                _bad("unknown-detail", "one of seven fields", {"details": {"salary": "1"}}),
                _bad("unknown-field", "an unknown field", CORRECTION | {"person": "camille"}),
                _bad("null", "a text", {"details": {"first_name": None}}),
                _bad("list-of-names", "a text", {"details": {"first_name": ["Camille"]}}),
                _bad("one-address", "a list of lines", {"details": {"site_addresses": "Paris"}}),
                _bad("long-name", "at most 100 characters", {"details": {"first_name": 101 * "x"}}),
            ],
        },
        "me-correction-answer": {
            "message": "me-correction-answer",
            "call": "PATCH /api/v1/me",
            "status": 200,
            "valid": [_case("each-status", CORRECTED)],
            "invalid": [
                _bad("unknown-status", "one of three", {"results": [{"field": "email", "status": "later"}]}),
                _bad(
                    "unknown-detail",
                    "one of seven fields",
                    {"results": [{"field": "pay", "status": "changed"}]},
                ),
                _bad("no-results", "results is missing", {}),
            ],
        },
    }
