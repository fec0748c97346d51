"""What was published alone, where the company wants two people: somebody else looks at it afterwards."""

from django.db import transaction
from django.db.models import QuerySet

from server.access.roles import Right
from server.accounts.models import Account
from server.audit import log
from server.campaigns.models import Campaign


def to_look_at(account: Account) -> "QuerySet[Campaign]":
    """The campaigns that this account is to look at, as it did not publish them; the oldest first."""
    if Right.APPROVE_CAMPAIGNS not in account.rights:
        return Campaign.objects.none()
    found = account.scope.those_of(Campaign.objects.filter(company=account.company_id)).exclude(alone_by="")
    return found.exclude(alone_by__startswith=_number_of(account)).order_by("published_at", "pk")


def look(account: Account, campaign_id: str) -> None:
    """Put on record that the account has looked at it; nothing where somebody did before.

    Raises `Campaign.DoesNotExist` where it is not this account's to look at.
    """
    with transaction.atomic():
        campaigns = Campaign.objects.select_for_update(of=("self",)).filter(company=account.company_id)
        campaign = campaigns.get(campaign_id=campaign_id)
        if not campaign.alone_because or campaign.alone_by.startswith(_number_of(account)):
            raise Campaign.DoesNotExist
        if campaign.alone_by:
            campaign.alone_by = ""
            campaign.save(update_fields=["alone_by"])
            log.record(account.company, account.actor, "look-afterwards", detail={"campaign": campaign_id})


def _number_of(account: Account) -> str:
    """How the account is named whatever its roles are by now."""
    return f"account {account.pk} ("
