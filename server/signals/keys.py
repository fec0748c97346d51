"""How a campaign's signals are keyed, so that a row counts a person once without naming them."""

import hmac
import secrets
from uuid import UUID

from server.campaigns.models import Campaign
from server.signals.models import CampaignKey

KEY_BYTES = 32


def create_key(campaign: Campaign) -> CampaignKey:
    """Make the campaign's key. Called once, in the transaction that first publishes the campaign.

    Raises `django.db.IntegrityError` when it has one: a key that was destroyed must not come back.
    """
    return CampaignKey.objects.create(campaign=campaign, key=secrets.token_bytes(KEY_BYTES))


def person_key(key: bytes | memoryview, person_id: UUID) -> str:
    """HMAC-SHA256 (RFC 2104) of the person's id under the campaign's key, in hex."""
    return hmac.digest(bytes(key), person_id.bytes, "sha256").hex()


def keys_of(person_id: UUID, company_id: str) -> dict[int, str]:
    """The person's key in each campaign of the company that still has a key, by the campaign's primary key."""
    rows = CampaignKey.objects.filter(campaign__company_id=company_id).values_list("campaign_id", "key")
    return {campaign: person_key(key, person_id) for campaign, key in rows}
