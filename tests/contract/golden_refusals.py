"""Documents that must be refused, each with the check at which it fails, and the files of all documents."""

import copy
import json
import warnings
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, OKPKey

from server.signing.signers import FileSigner
from tests.contract.golden_documents import (
    CAMPAIGN_JWS,
    CAMPAIGN_KEY,
    CAMPAIGN_SIGNER,
    CAMPAIGNS,
    COMPANY,
    COMPANY_CONTENT,
    COMPANY_ID,
    COMPANY_JWS,
    COMPANY_WITH_LOGO,
    DOCUMENTS,
    IAT,
    IMAGE,
    JSON,
    LINK,
    LOGO,
    NOTICE,
    NOW,
    RECEIPT_JWS,
    RECEIPT_SIGNER,
    RECEIPTS,
    STATEMENT,
    STATEMENT_JWS,
    STRANGERS_KEY,
    TRIAL,
    TRIAL_IAT,
    TRIAL_JWS,
    VIDEO,
    base64url,
    signed,
)


def _with_header(key: OKPKey | OctKey, algorithm: str, header: JSON, document: JSON) -> str:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return jws.serialize_compact({"alg": algorithm} | header, body, key, algorithms=[algorithm])


def _older_name() -> str:
    """Signed under "EdDSA", the name that RFC 8037 gave the algorithm and RFC 9864 deprecated."""
    header = {"kid": CAMPAIGN_SIGNER.public_key["kid"], "typ": "tidings-campaign"}
    with warnings.catch_warnings(action="ignore", category=SecurityWarning):
        return _with_header(CAMPAIGN_KEY, "EdDSA", header, DOCUMENTS["c-canteen"])


def _changed(path: str, value: Any) -> JSON:
    document = copy.deepcopy(DOCUMENTS["c-canteen"])
    *parents, last = path.split(".")
    target = document
    for parent in parents:
        target = target[parent]
    target[last] = value
    return document


def _removed(name: str) -> JSON:
    document = copy.deepcopy(DOCUMENTS["c-canteen"])
    del document["content"][name]
    return document


def _invalid(name: str, fails_at: str, reason: str, text: str) -> JSON:
    return {"name": name, "fails_at": fails_at, "reason": reason, "jws": text}


def _broken_envelopes() -> list[JSON]:
    good = CAMPAIGN_JWS["c-canteen"]
    header, body, signature = good.split(".")
    kid = CAMPAIGN_SIGNER.public_key["kid"]
    named = {"kid": kid, "typ": "tidings-campaign"}
    document = DOCUMENTS["c-canteen"]
    other_body = CAMPAIGN_JWS["c-picture"].split(".")[1]
    none = base64url(json.dumps({"alg": "none"} | named).encode())
    shared = OctKey.import_key(CAMPAIGN_KEY.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return [
        _invalid("not-a-jws", "header", "no compact serialisation", "hello"),
        _invalid("alg-eddsa", "header", "a deprecated name of the algorithm", _older_name()),
        _invalid("alg-none", "header", "no signature at all", f"{none}.{body}."),
        _invalid(
            "alg-hs256",
            "header",
            "the public key as a shared secret",
            _with_header(shared, "HS256", named, document),
        ),
        _invalid(
            "further-header",
            "header",
            "a header besides alg, kid and typ",
            _with_header(CAMPAIGN_KEY, "Ed25519", named | {"cty": "JSON"}, document),
        ),
        _invalid(
            "other-type",
            "header",
            "a company document where a campaign is due",
            signed("tidings-company", document),
        ),
        _invalid(
            "unknown-key",
            "key",
            "signed by a key that is not pinned",
            signed("tidings-campaign", document, FileSigner(STRANGERS_KEY, "campaign")),
        ),
        _invalid(
            "receipt-key",
            "key",
            "signed by the receipt key, which signs receipts only",
            signed("tidings-campaign", document, RECEIPT_SIGNER),
        ),
        _invalid(
            "borrowed-kid",
            "signature",
            "a stranger's signature under the pinned key's id",
            _with_header(STRANGERS_KEY, "Ed25519", named, document),
        ),
        _invalid(
            "other-payload", "signature", "the payload was exchanged", f"{header}.{other_body}.{signature}"
        ),
        _invalid("cut-signature", "signature", "the signature was cut", good[:-8]),
    ]


def _wrong_claims() -> list[JSON]:
    cases = [
        ("future-version", "v", "a version that nobody knows yet", _changed("v", 2)),
        ("other-company", "iss", "another company's document", _changed("iss", "southwind")),
        ("bad-id", "sub", "no campaign id", _changed("sub", "../../etc/passwd")),
        ("expired", "exp", "exp is past", _changed("exp", int(NOW.timestamp()) - 1)),
        (
            "further-claim",
            "content",
            "a claim that is not in the protocol",
            DOCUMENTS["c-canteen"] | {"nbf": IAT},
        ),
    ]
    return [
        _invalid(name, fails_at, reason, signed("tidings-campaign", document))
        for name, fails_at, reason, document in cases
    ]


def _wrong_contents() -> list[JSON]:
    long_links = [LINK | {"link_id": f"l{number}"} for number in range(6)]
    en = "content.variants.en"
    cases = [
        ("unknown-field", "an unknown field", _changed("content.script", "alert(1)")),
        ("missing-field", "ends is missing", _removed("ends")),
        ("unknown-status", "status is live or recalled", _changed("content.status", "draft")),
        ("unknown-urgency", "urgency is one of four", _changed("content.urgency", "now")),
        ("asks-a-little", "acknowledge is true or false", _changed("content.acknowledge", "yes")),
        ("ends-before-start", "starts < ends", _changed("content.ends", "2026-11-23T08:59:59Z")),
        ("local-time", "times are UTC and end in Z", _changed("content.starts", "2026-11-23T09:00:00")),
        ("live-without-variants", "a live campaign has a variant", _changed("content.variants", {})),
        (
            "no-default-variant",
            "the default language has a variant",
            _changed("content.default_language", "de"),
        ),
        ("empty-title", "a title has 1 to 200 characters", _changed(f"{en}.title", "")),
        ("long-title", "a title has 1 to 200 characters", _changed(f"{en}.title", "x" * 201)),
        ("long-body", "a body has at most 5,000 characters", _changed(f"{en}.body", "x" * 5001)),
        ("six-links", "at most 5 links", _changed(f"{en}.links", long_links)),
        ("same-link-twice", "link ids differ within a variant", _changed(f"{en}.links", [LINK, LINK])),
        (
            "http-link",
            "links are https",
            _changed(f"{en}.links", [LINK | {"url": "http://northwind.example/"}]),
        ),
        (
            "long-label",
            "a label has 1 to 40 characters",
            _changed(f"{en}.links", [LINK | {"label": "x" * 41}]),
        ),
        ("long-sender", "a sender has 1 to 80 characters", _changed("content.sender", "x" * 81)),
        ("svg-image", "png, jpeg or webp only", _changed(f"{en}.image", IMAGE | {"type": "image/svg+xml"})),
        ("bad-hash", "64 hexadecimal digits", _changed(f"{en}.image", IMAGE | {"sha256": "../x"})),
        ("negative-size", "a size is positive", _changed(f"{en}.image", IMAGE | {"size": -1})),
        ("playlist", "video/mp4 only", _changed(f"{en}.video", VIDEO | {"type": "application/x-mpegurl"})),
        ("recalled-with-text", "a recalled campaign has no variants", _changed("content.status", "recalled")),
    ]
    return [
        _invalid(name, "content", reason, signed("tidings-campaign", document))
        for name, reason, document in cases
    ]


def _wrong_company_contents() -> list[JSON]:
    cases: list[tuple[str, str, JSON]] = [
        ("unknown-field", "an unknown field", {"website": "https://northwind.example/"}),
        ("logo-elsewhere", "a logo is described, not linked", {"logo": "https://northwind.example/logo.png"}),
        ("svg-logo", "png, jpeg or webp only", {"logo": LOGO | {"type": "image/svg+xml"}}),
        ("heavy-logo", "a logo has at most 512 KiB", {"logo": LOGO | {"size": 512 * 1024 + 1}}),
        ("large-logo", "a logo has at most 1,024 pixels each way", {"logo": LOGO | {"width": 1025}}),
        ("unknown-region", "region is eu or us", {"region": "moon"}),
        ("unknown-signal", "signals is a subset of the three", {"signals": ["seen", "screen"]}),
        ("bad-accent", "a colour is # and six hexadecimal digits", {"accent": "red;"}),
        ("bad-host", "an exact host, or *. and a domain", {"link_hosts": ["*"]}),
        ("notice-without-text", "a notice has a text", {"notice": NOTICE | {"text": {}}}),
    ]
    return [
        _invalid(
            name,
            "content",
            reason,
            signed("tidings-company", COMPANY | {"content": COMPANY_CONTENT | change}),
        )
        for name, reason, change in cases
    ] + [
        _invalid(
            "other-subject",
            "sub",
            "sub is the company id",
            signed("tidings-company", COMPANY | {"sub": "southwind"}),
        ),
    ]


def _wrong_statements() -> list[JSON]:
    hours = 3600
    changes = [
        ("other-computer", "sub", "made for another computer", {"sub": "0" * 64}),
        ("other-company", "iss", "another company's statement", {"iss": "southwind"}),
        ("expired", "exp", "exp is past", {"iat": IAT - 48 * hours, "exp": IAT}),
        ("for-a-week", "exp", "it lives for 48 hours at most", {"exp": IAT + 7 * 24 * hours}),
        (
            "a-list",
            "content",
            "campaigns are named with their counters",
            {"content": {"company": 7, "campaigns": []}},
        ),
    ]
    return [
        _invalid("campaign-key", "key", "signed by the campaign key", signed("tidings-feed", STATEMENT)),
        _invalid(
            "a-receipt",
            "header",
            "a receipt where a statement is due",
            signed("tidings-receipt", STATEMENT, RECEIPT_SIGNER),
        ),
        *(
            _invalid(name, fails_at, reason, signed("tidings-feed", STATEMENT | change, RECEIPT_SIGNER))
            for name, fails_at, reason, change in changes
        ),
    ]


def _wrong_trials() -> list[JSON]:
    content = TRIAL["content"]
    changes = [
        (
            "other-computer",
            "content",
            "made for another computer",
            {"content": content | {"computers": ["0" * 64]}},
        ),
        ("other-company", "iss", "another company's test", {"iss": "southwind"}),
        ("expired", "exp", "exp is past", {"iat": TRIAL_IAT - 3600, "exp": TRIAL_IAT}),
        ("for-a-day", "exp", "it lives for an hour at most", {"exp": TRIAL_IAT + 24 * 3600}),
        ("a-campaigns-id", "sub", "the id is t- and 16 hexadecimal digits", {"sub": "c-canteen"}),
        (
            "recalled",
            "content",
            "a test is live",
            {"content": content | {"campaign": CAMPAIGNS["c-recalled"]}},
        ),
        ("a-campaign", "content", "the content names its computers", {"content": content["campaign"]}),
    ]
    return [
        _invalid(
            "receipt-key", "key", "signed by the receipt key", signed("tidings-trial", TRIAL, RECEIPT_SIGNER)
        ),
        _invalid(
            "as-a-campaign", "header", "a campaign where a test is due", signed("tidings-campaign", TRIAL)
        ),
        *(
            _invalid(name, fails_at, reason, signed("tidings-trial", TRIAL | change))
            for name, fails_at, reason, change in changes
        ),
    ]


def document_files() -> dict[str, JSON]:
    """The golden files that hold documents, by name."""
    known = {"sub": "c-canteen", "jws": CAMPAIGN_JWS["c-canteen"], "ctr": DOCUMENTS["c-canteen"]["ctr"]}
    title = "content.variants.en.title"
    return {
        "company-document": {
            "message": "company-document",
            "now": int(NOW.timestamp()),
            "iss": COMPANY_ID,
            "valid": [
                {"name": "northwind", "jws": COMPANY_JWS, "payload": COMPANY},
                {
                    "name": "with-a-logo",
                    "jws": signed("tidings-company", COMPANY_WITH_LOGO),
                    "payload": COMPANY_WITH_LOGO,
                },
            ],
            "invalid": _wrong_company_contents(),
        },
        "campaign-document": {
            "message": "campaign-document",
            "now": int(NOW.timestamp()),
            "iss": COMPANY_ID,
            "valid": [
                *(
                    {"name": name, "jws": CAMPAIGN_JWS[name], "payload": DOCUMENTS[name]}
                    for name in DOCUMENTS
                ),
            ],
            "invalid": _broken_envelopes() + _wrong_claims() + _wrong_contents(),
            "known": known,
            "invalid_when_known": [
                _invalid(
                    "rolled-back", "ctr", "a lower counter", signed("tidings-campaign", _changed("ctr", 7))
                ),
                _invalid(
                    "forked",
                    "ctr",
                    "the same counter, another text",
                    signed("tidings-campaign", _changed(title, "The canteen closes")),
                ),
            ],
        },
        "feed-document": {
            "message": "feed-document",
            "now": int(NOW.timestamp()),
            "iss": COMPANY_ID,
            "sub": STATEMENT["sub"],
            "valid": [{"name": "five-campaigns", "jws": STATEMENT_JWS, "payload": STATEMENT}],
            "invalid": _wrong_statements(),
        },
        "trial-document": {
            "message": "trial-document",
            "now": int(NOW.timestamp()),
            "iss": COMPANY_ID,
            "sub": STATEMENT["sub"],
            "valid": [{"name": "the-canteen", "jws": TRIAL_JWS, "payload": TRIAL}],
            "invalid": _wrong_trials(),
        },
        "receipt-document": {
            "message": "receipt-document",
            "now": int(NOW.timestamp()),
            "iss": COMPANY_ID,
            "valid": [
                {"name": name, "jws": RECEIPT_JWS[name], "payload": RECEIPTS[name]} for name in RECEIPTS
            ],
            "invalid": [
                _invalid(
                    "campaign-key",
                    "key",
                    "signed by the campaign key, which signs no receipts",
                    signed("tidings-receipt", RECEIPTS["given"]),
                ),
            ],
        },
    }
