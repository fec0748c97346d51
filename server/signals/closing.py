"""Close a campaign: its key is destroyed, what was keyed with it goes, and only counts remain (GDPR article 5(1)(e))."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from server import clock
from server.campaigns.models import Campaign
from server.privacy import ledger
from server.reports.figures import final
from server.reports.models import Block
from server.signals.models import CampaignKey, Signal

LONGEST_OPEN = timedelta(days=30)
"""After a campaign's end (docs/privacy.md). Signals that were made in time and come late are counted until it closes."""
CLOSES_AFTER = LONGEST_OPEN - timedelta(days=1)
"""Housekeeping runs daily: whoever is due today would be late tomorrow."""


def due(now: datetime) -> QuerySet[Campaign]:
    """The campaigns whose time to close has come, the recalled ones too."""
    return Campaign.objects.filter(closed_at=None, ends__lte=now - CLOSES_AFTER).order_by("pk")


def close(campaign: Campaign) -> bool:
    """Keep the last report and destroy what it was made of. Answers False if the campaign was closed before.

    Raises `EnvironmentFault` when the erasure ledger cannot be written; nothing has changed then.
    """
    with transaction.atomic():
        if not close_rows(campaign):
            return False
        fact = ledger.Fact("campaign-closed", campaign.company_id, campaign=campaign.campaign_id)
        ledger.write([fact])
    return True


def close_rows(campaign: Campaign) -> bool:
    """The same within the caller's transaction, without telling the ledger."""
    same = Campaign.objects.select_for_update(no_key=True).filter(pk=campaign.pk)
    if same.values_list("closed_at", flat=True).get() is not None:
        return False
    campaign.result = final(campaign)
    campaign.closed_at = clock.now()
    campaign.save(update_fields=["result", "closed_at"])
    # A batch under way holds the key: its rows are here once this has it, and who comes later finds no key.
    key = CampaignKey.objects.select_for_update(of=("self",)).filter(campaign=campaign).first()
    Block.objects.filter(campaign=campaign).delete()
    Signal.objects.filter(campaign=campaign).delete()
    if key is not None:
        key.delete()
    return True
