"""The signed documents of `docs/protocol`: company, campaign, receipt and statement of a feed."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from server.core import clock
from server.core.json_text import read_json
from server.directory.models import Company
from server.signing.checking import own_signer
from server.signing.signers import Kind, Signer

COMPANY_LIFETIME = timedelta(days=400)
COMPANY_RENEWAL = timedelta(days=100)
CAMPAIGN_AFTERLIFE = timedelta(days=30)
STATEMENT_LIFETIME = timedelta(hours=48)
TRIAL_LIFETIME = timedelta(hours=1)
RECEIPT_LIFETIME = timedelta(days=3652)


@dataclass(frozen=True)
class SignedDocument:
    """A JWS, and the counter (`ctr`) that it carries."""

    jws: str
    counter: int


def company_content(company: Company) -> dict[str, Any]:
    """What agents are told about their company."""
    notice = company.current_notice()
    return {
        "name": company.name,
        "legal_name": company.legal_name,
        "region": company.region,
        "dpo_name": company.dpo_name,
        "dpo_email": company.dpo_email,
        "accent": company.accent,
        "link_hosts": company.link_hosts,
        "signals": company.signals,
        "named_reporting": company.named_reporting,
        "logo": company.logo and company.logo | {"alt": company.name},
        "notice": {"version": notice.version, "date": notice.date.isoformat(), "text": notice.text},
    }


@transaction.atomic
def publish_company(company: Company) -> None:
    """Sign the company's document afresh, after a change of the company or its notice, and put it in all feeds.

    Raises `EnvironmentFault` when the key cannot be used; nothing has changed then.
    """
    now = clock.now()
    expires = now + COMPANY_LIFETIME
    company.counter = company.next_counter()
    company.document = _sign(
        own_signer(company.id, "campaign"),
        "tidings-company",
        issuer=company.id,
        subject=company.id,
        counter=company.counter,
        issued=now,
        expires=expires,
        content=company_content(company),
    )
    company.document_expires = expires
    company.receipt_key = own_signer(company.id, "receipt").public_key["kid"]
    company.save(update_fields=["document", "document_expires", "receipt_key"])
    company.feeds_changed()


@transaction.atomic
def publish_under_new_key(company: Company) -> None:
    """Sign the company's document with the keys that replaced its own. Raises as `publish_company` does."""
    Company.objects.filter(pk=company.pk).update(document="", receipt_key="")
    publish_company(company)


def renew_company(company: Company) -> bool:
    """Sign the company's document afresh if it would expire soon. Answers whether it did."""
    if company.document_expires is not None and company.document_expires - clock.now() > COMPANY_RENEWAL:
        return False
    publish_company(company)
    return True


def sign_campaign(
    company: Company, campaign_id: str, content: dict[str, Any], ends: datetime
) -> SignedDocument:
    """Sign a campaign's content under a new counter. Call it in the transaction that stores the campaign.

    Raises `EnvironmentFault` when the key cannot be used.
    """
    counter = company.next_counter()
    document = _sign(
        own_signer(company.id, "campaign"),
        "tidings-campaign",
        issuer=company.id,
        subject=campaign_id,
        counter=counter,
        issued=clock.now(),
        expires=ends + CAMPAIGN_AFTERLIFE,
        content=content,
    )
    return SignedDocument(document, counter)


def sign_receipt(signer: Signer, company_id: str, receipt_id: str, content: dict[str, Any]) -> str:
    """Sign the receipt of a consent or a withdrawal. Receipts have no counter."""
    now = clock.now()
    return _sign(
        signer,
        "tidings-receipt",
        issuer=company_id,
        subject=receipt_id,
        counter=0,
        issued=now,
        expires=now + RECEIPT_LIFETIME,
        content=content,
    )


def sign_feed(signer: Signer, company_id: str, subject: str, content: dict[str, Any]) -> str:
    """Sign the statement of what is assigned to the computer that `subject` names. Statements have no counter."""
    now = clock.now()
    return _sign(
        signer,
        "tidings-feed",
        issuer=company_id,
        subject=subject,
        counter=0,
        issued=now,
        expires=now + STATEMENT_LIFETIME,
        content=content,
    )


def sign_trial(company: Company, trial_id: str, computers: Sequence[str], campaign: dict[str, Any]) -> str:
    """Sign what a campaign would be, as a test for these computers only. No campaign is ever taken from such a document.

    Raises `EnvironmentFault` when the key cannot be used.
    """
    now = clock.now()
    return _sign(
        own_signer(company.id, "campaign"),
        "tidings-trial",
        issuer=company.id,
        subject=trial_id,
        counter=0,
        issued=now,
        expires=now + TRIAL_LIFETIME,
        content={"computers": list(computers), "campaign": campaign},
    )


def counter_of(document: str) -> int:
    """The counter (`ctr`) of a document that this server signed."""
    return int(_payload(document)["ctr"])


def content_of(document: str) -> dict[str, Any]:
    """The content of a document that this server signed."""
    content: dict[str, Any] = _payload(document)["content"]
    return content


def _payload(document: str) -> dict[str, Any]:
    encoded = document.split(".")[1]
    payload: dict[str, Any] = read_json(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    return payload


def _sign(
    signer: Signer,
    kind: Kind,
    *,
    issuer: str,
    subject: str,
    counter: int,
    issued: datetime,
    expires: datetime,
    content: dict[str, Any],
) -> str:
    payload = {
        "v": 1,
        "iss": issuer,
        "sub": subject,
        "ctr": counter,
        "iat": int(issued.timestamp()),
        "exp": int(expires.timestamp()),
        "content": content,
    }
    return signer.sign(kind, json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())
