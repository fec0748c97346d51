"""Close a campaign: its key is destroyed, what was keyed with it goes, and only counts remain (GDPR article 5(1)(e))."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from server.campaigns.models import Campaign
from server.core import clock
from server.database.bulk import delete_some
from server.database.transactions import Pieces, reading, take_turns
from server.erasure_ledger import ledger
from server.reports.blocks import form, turn
from server.reports.figures import final
from server.reports.models import Block, BlockMember, Snapshot
from server.signals.models import CampaignKey, Signal

MOST_TRIES = 3
ROWS_AT_ONCE = 25_000
"""A few tenths of a second. Fewer would change the same pages of the database again and again."""
LONGEST_OPEN = timedelta(days=30)
"""After a campaign's end (docs/privacy.md). Signals that were made in time and come late are counted until it closes."""
CLOSES_AFTER = LONGEST_OPEN - timedelta(days=1)
"""Housekeeping runs daily: whoever is due today would be late tomorrow."""


def due(now: datetime) -> QuerySet[Campaign]:
    """The campaigns whose time to close has come, the recalled ones too."""
    return Campaign.objects.filter(closed_at=None, ends__lte=now - CLOSES_AFTER).order_by("pk")


def close(campaign: Campaign, *, again: bool = False) -> bool:
    """Keep the last report and destroy what it was made of. Answers False if the campaign was closed before.

    Once the key is gone nobody can be matched to a row; the rows follow in short transactions. `sweep` does what a crash
    left of that. `again`: because the erasure ledger says so, which is not told once more.
    Raises `EnvironmentFault` when the erasure ledger cannot be written; nothing has changed then.
    """
    for _try in range(MOST_TRIES):
        if _may_form(campaign):
            form(campaign)
        with reading():
            result, counted = final(campaign, formed=True), _live(campaign)
        with transaction.atomic():
            take_turns(turn(campaign.company_id))
            if _is_closed(campaign):
                return False
            # Whoever has withdrawn or was erased since the figures were made must not be in them.
            if not counted - _live(campaign):
                _destroy(campaign, result, again)
                break
    else:
        with transaction.atomic():
            if _is_closed(campaign):
                return False
            _destroy(campaign, final(campaign), again)
    sweep(campaign)
    return True


def _may_form(campaign: Campaign) -> bool:
    """Whether people should be put into blocks once more.

    Not where nothing came in: there is nothing to count, and nobody to look for. Not where that was done since the campaign
    ended: whoever began to share later cannot have seen it.
    """
    if Snapshot.objects.filter(campaign=campaign, made_at__gt=campaign.ends).exists():
        return False
    return Signal.objects.filter(campaign=campaign).exists()


def _destroy(campaign: Campaign, result: dict[str, Any], again: bool) -> None:
    _destroy_key(campaign, result)
    if not again:
        ledger.write([ledger.Fact("campaign-closed", campaign.company_id, campaign=campaign.campaign_id)])


def left_over() -> QuerySet[Campaign]:
    """The closed campaigns of which rows are left that say nothing any more."""
    closed = Campaign.objects.filter(closed_at__isnull=False)
    return closed.filter(
        Exists(Signal.objects.filter(campaign=OuterRef("pk")))
        | Exists(Block.objects.filter(campaign=OuterRef("pk")))
    )


def sweep(campaign: Campaign) -> None:
    """Delete the rows of a closed campaign."""
    pieces = Pieces()
    of_campaign: tuple[QuerySet[Any], ...] = (
        Signal.objects.filter(campaign=campaign),
        BlockMember.objects.filter(block__campaign=campaign),
        Block.objects.filter(campaign=campaign),
    )
    for rows in of_campaign:
        deleted = ROWS_AT_ONCE
        while deleted == ROWS_AT_ONCE:
            with pieces.piece():
                deleted = delete_some(rows, ROWS_AT_ONCE)


def _is_closed(campaign: Campaign) -> bool:
    same = Campaign.objects.select_for_update(no_key=True).filter(pk=campaign.pk)
    return same.values_list("closed_at", flat=True).get() is not None


def _live(campaign: Campaign) -> set[int]:
    return set(Block.objects.filter(campaign=campaign, live=True).values_list("pk", flat=True))


def _destroy_key(campaign: Campaign, result: dict[str, Any]) -> None:
    campaign.result = result
    campaign.closed_at, campaign.alone_texts = clock.now(), None
    campaign.save(update_fields=["result", "closed_at", "alone_texts"])
    # A batch under way holds the key: its rows are here once this has it, and who comes later finds no key.
    key = CampaignKey.objects.select_for_update(of=("self",)).filter(campaign=campaign).first()
    if key is not None:
        key.delete()
