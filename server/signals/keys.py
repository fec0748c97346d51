"""How a campaign's signals are keyed, so that a row counts a person once without naming them."""

import hmac
import secrets
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from server.campaigns.models import Campaign
from server.signals.models import CampaignKey

KEY_BYTES = 32
KEYS_AT_ONCE = 20_000
"""In one query: as many campaigns as are open at most."""


def create_key(campaign: Campaign) -> CampaignKey:
    """Make the campaign's key. Called once, in the transaction that first publishes the campaign.

    Raises `django.db.IntegrityError` when it has one: a key that was destroyed must not come back.
    """
    return CampaignKey.objects.create(campaign=campaign, key=secrets.token_bytes(KEY_BYTES))


def held_keys(campaigns: Sequence[int]) -> dict[int, bytes]:
    """The keys of these campaigns that are not closed, by their primary keys.

    Within a transaction, until whose end none of them is destroyed: batches share this lock, closing waits for them.
    """
    if not campaigns:  # of which Django makes no SQL at all
        return {}
    rows = CampaignKey.objects.filter(campaign__in=campaigns).order_by("pk").values_list("campaign_id", "key")
    if connection.vendor != "postgresql":  # SQLite has one writer at a time
        return {campaign: bytes(key) for campaign, key in rows}
    query, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"{query} FOR KEY SHARE", values)  # Django knows no shared locks
        return {campaign: bytes(key) for campaign, key in cursor.fetchall()}


def person_key(key: bytes | memoryview, person_id: UUID) -> str:
    """HMAC-SHA256 (RFC 2104) of the person's id under the campaign's key, in hex."""
    return hmac.digest(bytes(key), person_id.bytes, "sha256").hex()


def many_keys(people: Sequence[UUID], keys: QuerySet[CampaignKey]) -> Iterator[dict[str, tuple[int, UUID]]]:
    """The keys of these people in these campaigns, with campaign and person, `KEYS_AT_ONCE` at a time or few more."""
    found: dict[str, tuple[int, UUID]] = {}
    for campaign, key in list(keys.values_list("campaign_id", "key")):
        found.update((person_key(key, person), (campaign, person)) for person in people)
        if len(found) >= KEYS_AT_ONCE:
            yield found
            found = {}
    if found:
        yield found


def keys_of(person_id: UUID, company_id: str) -> dict[int, str]:
    """The person's key in each campaign of the company that still has a key, by the campaign's primary key."""
    rows = CampaignKey.objects.filter(campaign__company_id=company_id).values_list("campaign_id", "key")
    return {campaign: person_key(key, person_id) for campaign, key in rows}
