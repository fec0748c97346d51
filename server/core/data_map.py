"""What each stored field is: personal, for which purpose and how long, or not personal.

Every model has a `data_map` that names each of its fields. The record of processing (GDPR article 30) is made from it,
so that a column cannot be added without saying what it is for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias


class Retention(StrEnum):
    """How long a personal value is kept. The purge of a person ends all of them at once."""

    MEMBERSHIP = "while the person belongs to the company"
    INVITATION = "until the invitation is used or expires"
    ENROLMENT = "while the computer is enrolled"
    CAMPAIGN = "until the campaign closes, 30 days after its end at most"
    CONSENT_PROOF = "while the person belongs to the company, as proof of the choice (GDPR article 7(1))"
    ACKNOWLEDGEMENT = "while the person belongs to the company, which can so tell who has confirmed what it had to make known"
    REQUEST = "until the request is decided"
    OFFICE = "while the company names this contact"
    ACCOUNT = "while the person has an account of the console"
    SESSION = "until the session ends, 12 hours after the sign-in at most"
    ATTEMPT = "for a day at most"
    TRIAL = "for the hour in which the test may be shown, and a day after it at most"
    DRAFT = "until the announcement is published or its draft deleted, a year after its last change at most"
    MAIL = "until it is sent, and for a day after it; for a week where it cannot be sent"
    AUDIT = "while the company uses the service, as evidence of who did what (GDPR article 5(2))"


@dataclass(frozen=True)
class Personal:
    """A value about a natural person (GDPR article 4(1)). `secret`: never shown, not even to the person (a key, a hash)."""

    purpose: str
    retention: Retention
    secret: bool = False


@dataclass(frozen=True)
class Impersonal:
    """A value that says nothing about a natural person. `secret`: never shown (a hash of a code)."""

    secret: bool = False


IMPERSONAL = Impersonal()
SECRET = Impersonal(secret=True)

Declaration: TypeAlias = Personal | Impersonal
DataMap: TypeAlias = dict[str, Declaration]

CONTACT = Personal("reach and recognise the person in the company's announcements", Retention.MEMBERSHIP)
TARGETING = Personal("decide which announcements are for the person", Retention.MEMBERSHIP)

EVIDENCE = Personal("show afterwards who did what, and who read personal data", Retention.AUDIT)

SIGNING_IN = Personal(
    "let the person work in the console, and know who may act for the company", Retention.ACCOUNT
)
_HIDDEN = replace(SIGNING_IN, secret=True)

OF_OTHERS: Mapping[str, DataMap] = {
    "mfa.authenticator": {
        "id": IMPERSONAL,
        "user": SIGNING_IN,
        "type": SIGNING_IN,
        "data": _HIDDEN,
        "created_at": SIGNING_IN,
        "last_used_at": SIGNING_IN,
    },
    # allauth's; the console writes none of them, and an account's address is in our own table.
    "account.emailaddress": {
        "id": IMPERSONAL,
        "user": SIGNING_IN,
        "email": SIGNING_IN,
        "verified": IMPERSONAL,
        "primary": IMPERSONAL,
    },
    "account.emailconfirmation": {
        "id": IMPERSONAL,
        "email_address": SIGNING_IN,
        "created": SIGNING_IN,
        "sent": SIGNING_IN,
        "key": _HIDDEN,
    },
    # Django's; nothing is in them, for rights are rows of `access.roles`.
    "contenttypes.contenttype": {"id": IMPERSONAL, "app_label": IMPERSONAL, "model": IMPERSONAL},
    "auth.permission": {
        "id": IMPERSONAL,
        "name": IMPERSONAL,
        "content_type": IMPERSONAL,
        "codename": IMPERSONAL,
    },
    "auth.group": {"id": IMPERSONAL, "name": IMPERSONAL, "permissions": IMPERSONAL},
}
"""The same of tables that are not ours, which cannot say it themselves."""


def data_map_of(label: str, own: DataMap | None) -> DataMap:
    """What is declared of a model's fields: by itself, or here. Empty where nothing is."""
    return own if own is not None else OF_OTHERS.get(label, {})
