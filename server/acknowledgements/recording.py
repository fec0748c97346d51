"""Keep a person's confirmation, once for each campaign."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db import transaction

from server.acknowledgements.models import Acknowledgement
from server.campaigns.models import Campaign
from server.core import clock
from server.core.clock import utc_text
from server.devices.auth import Caller
from server.feed.feed import for_person
from server.signals.queries import lock_person

CLOCK_TOLERANCE = timedelta(days=1)
"""How far a computer's clock may be from the server's. What it says is then brought between the start and now."""

Status = Literal["stored", "duplicate", "refused"]


@dataclass(frozen=True)
class Result:
    """What became of a confirmation. All three are final; `reason` is a sentence for what was refused."""

    status: Status
    reason: str = ""


def acknowledge(caller: Caller, event_id: UUID, campaign_id: str, time: datetime) -> Result:
    """Store that the person confirms the campaign, also when it has ended or was recalled since.

    Raises `Problem` (401) when the person is gone.
    """
    with transaction.atomic():
        lock_person(caller.person_id)
        named = Campaign.objects.filter(company_id=caller.company_id, campaign_id=campaign_id)
        campaign = for_person(named, caller.person_id).only("pk", "acknowledge", "starts").first()
        if campaign is None:
            return Result("refused", "There is no such campaign for this person.")
        if objection := _objection(campaign, time):
            return Result("refused", objection)
        possible = min(max(time, campaign.starts), max(clock.now(), campaign.starts))
        _kept, is_new = Acknowledgement.objects.get_or_create(
            campaign=campaign, person_id=caller.person_id, defaults={"event_id": event_id, "time": possible}
        )
    return Result("stored" if is_new else "duplicate")


def _objection(campaign: Campaign, time: datetime) -> str:
    """Why the confirmation can never be stored, or nothing."""
    if not campaign.acknowledge:
        return "This campaign does not ask for it."
    if time < campaign.starts - CLOCK_TOLERANCE:
        return f"The campaign started at {utc_text(campaign.starts)} only."
    if time > clock.now() + CLOCK_TOLERANCE:
        return "The time lies in the future."
    return ""
