"""How a campaign's signals are keyed, so that a row counts a person once without naming them."""

import hmac
import secrets
from uuid import UUID

from server.campaigns.models import Campaign
from server.signals.models import CampaignKey

KEY_BYTES = 32


def create_key(campaign: Campaign) -> CampaignKey:
    """Make the campaign's key. Called once, in the transaction that publishes the campaign for the first time.

    Raises `django.db.IntegrityError` when it has one: a key that was destroyed must not come back by accident.
    """
    return CampaignKey.objects.create(campaign=campaign, key=secrets.token_bytes(KEY_BYTES))


def person_key(key: bytes, person_id: UUID) -> str:
    """HMAC-SHA256 (RFC 2104) of the person's id under the campaign's key, in hex."""
    return hmac.digest(bytes(key), person_id.bytes, "sha256").hex()
