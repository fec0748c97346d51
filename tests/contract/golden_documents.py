"""The valid signed documents among the golden messages, and the keys that sign them."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import OKPKey

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


def base64url(raw: bytes) -> str:
    """As JWS writes bytes (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_only_key(seed: int) -> OKPKey:
    """A key pair that anyone can make from one byte, so that it can protect nothing."""
    secret = bytes([seed]) * 32
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key()
    x = base64url(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x, "d": base64url(secret)})


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
    "named_reporting": False,
    "logo": None,
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
LOGO: JSON = IMAGE | {
    "sha256": _sha256("logo"),
    "size": 9120,
    "width": 640,
    "height": 160,
    "alt": "Northwind",
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
        "acknowledge": False,
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
    "c-video": campaign(en=variant("Our year in twelve seconds", video=VIDEO, links=[LINK])),
    "c-recalled": campaign() | {"status": "recalled", "sender": ""},
    "c-safety": campaign(en=variant("Safety rules of the new workshop")) | {"acknowledge": True},
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
COMPANY_WITH_LOGO = payload(COMPANY_ID, COMPANY_CONTENT | {"logo": LOGO}, 20, COMPANY_EXP)
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
STATEMENT = payload(
    hashlib.sha256(b"tidings feed " + hashlib.sha256(b"tdt_test-only").hexdigest().encode()).hexdigest(),
    {"company": 7, "campaigns": {name: document["ctr"] for name, document in DOCUMENTS.items()}},
    0,
    _unix("2026-11-25T08:00:00Z"),
)
TRIAL_IAT = _unix("2026-11-24T09:50:00Z")
TRIAL = payload(
    "t-0123456789abcdef",
    {"computers": [STATEMENT["sub"]], "campaign": CAMPAIGNS["c-canteen"]},
    0,
    TRIAL_IAT + 3600,
) | {"iat": TRIAL_IAT}
TRIAL_JWS = signed("tidings-trial", TRIAL)
STATEMENT_JWS = signed("tidings-feed", STATEMENT, RECEIPT_SIGNER)
RECEIPT_JWS = {name: signed("tidings-receipt", body, RECEIPT_SIGNER) for name, body in RECEIPTS.items()}
