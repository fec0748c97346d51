"""Somebody else looks afterwards at what was published alone; who is bound to groups, at what is for their people."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from server.access.roles import Right
from server.accounts.models import Account
from server.accounts.two_people import younger
from server.audit import log
from server.campaigns.models import Campaign, Publisher
from server.database.transactions import tried_again

ACCOUNT = "account "
"""How the audit log begins to name an account."""


def to_look_at(account: Account) -> "QuerySet[Campaign]":
    """The campaigns that this account is to look at, as it did not publish them; the oldest first."""
    # The index is one of what is more than nothing.
    return _of_others(account).filter(alone_by__gt="").order_by("published_at", "pk")


@tried_again
def look(account: Account, campaign_id: str) -> None:
    """Put on record that the account has looked at it; nothing where somebody did before.

    Raises `Campaign.DoesNotExist` where it is not this account's to look at.
    """
    with transaction.atomic():
        campaigns = _of_others(account).select_for_update(of=("self",))
        campaign = campaigns.get(campaign_id=campaign_id)
        if not campaign.alone_because:
            raise Campaign.DoesNotExist
        if campaign.alone_by:
            campaign.alone_by, campaign.alone_texts = "", None
            campaign.save(update_fields=["alone_by", "alone_texts"])
            log.record(account.company, account.actor, "look-afterwards", detail={"campaign": campaign_id})


def _of_others(account: Account) -> "QuerySet[Campaign]":
    """What the account may see and did not publish alone itself; nothing where it may approve nothing."""
    if Right.APPROVE_CAMPAIGNS not in account.rights:
        return Campaign.objects.none()
    found = account.scope.those_of(Campaign.objects.filter(company=account.company_id))
    known = Publisher.objects.filter(campaign=OuterRef("pk")).exclude(account=None)
    is_one_gone = Q(alone_by__startswith=ACCOUNT) & ~Exists(known)
    return found.exclude(alone_by__startswith=f"{ACCOUNT}{account.pk} (").exclude(
        is_one_gone & younger(account, "published_at")
    )
