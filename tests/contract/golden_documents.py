"""The signed documents among the golden messages, valid and not. `make_golden` writes them."""

import base64
import copy
import hashlib
import json
import warnings
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, OKPKey

from server.signing.digests import notice_digest
from server.signing.signers import FileSigner

JSON = dict[str, Any]

COMPANY_ID = "northwind"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
RECEIPT_ID = "6f1f0a52-6c1e-4a7b-9d3e-0c2b7a1d4e10"


def _unix(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


IAT = _unix("2026-11-23T08:00:00Z")
COMPANY_EXP = _unix("2027-11-01T00:00:00Z")
CAMPAIGN_EXP = _unix("2026-12-30T17:00:00Z")
RECEIPT_EXP = _unix("2036-11-20T00:00:00Z")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_only_key(seed: int) -> OKPKey:
    """A key pair that anyone can make from one byte, so that it can protect nothing."""
    secret = bytes([seed]) * 32
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key()
    x = _base64url(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x, "d": _base64url(secret)})


CAMPAIGN_KEY, RECEIPT_KEY, STRANGERS_KEY = (test_only_key(seed) for seed in (1, 2, 3))
CAMPAIGN_SIGNER = FileSigner(CAMPAIGN_KEY, "campaign")
RECEIPT_SIGNER = FileSigner(RECEIPT_KEY, "receipt")
PUBLIC_KEYS = {"keys": [CAMPAIGN_SIGNER.public_key, RECEIPT_SIGNER.public_key]}

NOTICE: JSON = {
    "version": 3,
    "date": "2026-11-02",
    "text": {
        "en": "Northwind tells you what is new and, if you agree, counts what was seen, clicked and liked.",
        "fr": "Northwind vous informe et, si vous l’acceptez, compte ce qui est vu, cliqué et aimé.",
    },
}

COMPANY_CONTENT: JSON = {
    "name": "Northwind",
    "legal_name": "Northwind SAS",
    "region": "eu",
    "dpo_name": "Inès Martin",
    "dpo_email": "dpo@northwind.example",
    "accent": "#0F766E",
    "link_hosts": ["northwind.example", "*.northwind.example"],
    "signals": ["seen", "click", "like"],
    "notice": NOTICE,
}


def _sha256(name: str) -> str:
    return hashlib.sha256(f"golden {name}".encode()).hexdigest()


LINK: JSON = {"link_id": "l1", "label": "Read more", "url": "https://intranet.northwind.example/canteen"}
IMAGE: JSON = {
    "sha256": _sha256("image"),
    "size": 48213,
    "type": "image/png",
    "width": 1200,
    "height": 800,
    "alt": "The new canteen, seen from the garden",
}
VIDEO: JSON = {
    "sha256": _sha256("video"),
    "size": 2481377,
    "type": "video/mp4",
    "width": 1280,
    "height": 720,
    "duration_ms": 12480,
    "poster": IMAGE | {"sha256": _sha256("poster"), "type": "image/jpeg", "alt": ""},
    "captions": [
        {"language": "en", "label": "English", "sha256": _sha256("captions en"), "size": 412},
        {"language": "fr", "label": "Français", "sha256": _sha256("captions fr"), "size": 455},
    ],
}


def variant(title: str, **changes: Any) -> JSON:
    """A language variant with a title, and whatever else is named."""
    return {"title": title, "body": "", "links": [], "image": None, "video": None} | changes


def campaign(**variants: JSON) -> JSON:
    """The content of a live campaign."""
    return {
        "status": "live",
        "sender": "Internal news",
        "urgency": "normal",
        "starts": "2026-11-23T09:00:00Z",
        "ends": "2026-11-30T17:00:00Z",
        "default_language": "en",
        "variants": variants,
    }


CANTEEN = {
    "en": variant("The canteen reopens", body="New menu.\nCome and taste.", links=[LINK]),
    "fr": variant("La cantine rouvre", body="Nouvelle carte.", links=[LINK | {"label": "Lire la suite"}]),
}
CAMPAIGNS: dict[str, JSON] = {
    "c-canteen": campaign(**CANTEEN),
    "c-picture": campaign(en=variant("The garden", image=IMAGE)),
    "c-film": campaign(en=variant("Our year in twelve seconds", video=VIDEO, links=[LINK])),
    "c-recalled": campaign() | {"status": "recalled", "sender": ""},
}


def payload(subject: str, content: JSON, counter: int, expires: int) -> JSON:
    """The payload of a signed document."""
    return {
        "v": 1,
        "iss": COMPANY_ID,
        "sub": subject,
        "ctr": counter,
        "iat": IAT,
        "exp": expires,
        "content": content,
    }


def signed(kind: str, document: JSON, signer: FileSigner = CAMPAIGN_SIGNER) -> str:
    """The document as a JWS."""
    return signer.sign(kind, json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


COMPANY = payload(COMPANY_ID, COMPANY_CONTENT, 7, COMPANY_EXP)
DOCUMENTS = {
    name: payload(name, content, 8 + number, CAMPAIGN_EXP)
    for number, (name, content) in enumerate(CAMPAIGNS.items())
}
COMPANY_JWS = signed("tidings-company", COMPANY)
CAMPAIGN_JWS = {name: signed("tidings-campaign", document) for name, document in DOCUMENTS.items()}

RECEIPT_CONTENT: JSON = {
    "receipt_id": RECEIPT_ID,
    "controller": "Northwind SAS",
    "dpo_email": "dpo@northwind.example",
    "region": "eu",
    "purpose": "Count how announcements are received",
    "signal": "click",
    "notice_version": 3,
    "notice_sha256": notice_digest(NOTICE["text"]),
    "language": "en",
    "status": "given",
    "time": "2026-11-23T09:12:00Z",
    "method": "tidings-agent",
    "agent_version": "0.1.0",
    "policy": ["seen", "click", "like"],
    "erased": 0,
}
RECEIPTS = {
    "given": payload(RECEIPT_ID, RECEIPT_CONTENT, 0, RECEIPT_EXP),
    "withdrawn": payload(
        RECEIPT_ID,
        RECEIPT_CONTENT | {"status": "withdrawn", "time": "2026-11-24T08:30:00Z", "erased": 2},
        0,
        RECEIPT_EXP,
    ),
}
RECEIPT_JWS = {name: signed("tidings-receipt", body, RECEIPT_SIGNER) for name, body in RECEIPTS.items()}


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
    none = _base64url(json.dumps({"alg": "none"} | named).encode())
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
        ("unknown-field", "an unknown field", {"logo": "https://northwind.example/logo.png"}),
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


def document_files() -> dict[str, JSON]:
    """The golden files that hold documents, by name."""
    known = {"sub": "c-canteen", "jws": CAMPAIGN_JWS["c-canteen"], "ctr": DOCUMENTS["c-canteen"]["ctr"]}
    title = "content.variants.en.title"
    return {
        "company-document": {
            "message": "company-document",
            "now": int(NOW.timestamp()),
            "iss": COMPANY_ID,
            "valid": [{"name": "northwind", "jws": COMPANY_JWS, "payload": COMPANY}],
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
