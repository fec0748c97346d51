"""Publish a campaign on record. An emergency covers every screen, so it needs a reason that can be read afterwards."""

from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils.translation import gettext as _

from server.attention.budget import Cost
from server.audit import log
from server.campaigns.manifest import Manifest
from server.campaigns.models import Campaign
from server.campaigns.scopes import Scope
from server.core.errors import Refused
from server.database.transactions import tried_again
from server.directory.models import Company
from server.media.rows import store_checked
from server.publishing.attention import attention_of, told_of
from server.publishing.checked import CheckedCampaign, store
from server.publishing.second_person import Approval, SecondPersonMissing, needs_second_person

LONGEST_REASON = 500
"""Characters, as the audit log keeps them."""


class Published(NamedTuple):
    """What came of it. `is_new`: not published before, as where it is tried again. `cost`: of attention."""

    campaign: Campaign
    is_new: bool
    cost: Cost | None


def check_reason(manifest: Manifest, reason: str) -> None:
    """Raise `Refused` for an emergency without a reason, and for a reason that is too long."""
    if manifest.is_emergency and not reason.strip():
        raise Refused(
            _("{file} is an emergency: say why").format(file=manifest.path.name),
            _(
                "It covers every screen, in every state. Give the reason with --reason; the audit log keeps it. Or choose "
                "another urgency."
            ),
        )
    if len(reason) > LONGEST_REASON:
        raise _too_long()


def check_scope(checked: CheckedCampaign, scope: Scope) -> None:
    """Raise `OutOfScope` where the campaign is for anybody else."""
    audience = checked.audience
    scope.require(
        everyone=audience.everyone,
        groups=audience.groups,
        people=audience.people,
        excluded=audience.excluded,
    )


def check_second_person(checked: CheckedCampaign, approval: Approval | None, cost: Cost | None) -> None:
    """Raise `SecondPersonMissing` where the company, as it is now, wants an approval; `Refused` for an odd reason.

    `cost`: of attention, as `attention_of` answers it; beyond a budget that refuses, no approval helps.
    """
    if cost is not None and cost.is_refused:
        raise Refused(_("It is beyond the attention budget"), told_of(cost))
    if approval is not None:
        if len(approval.without) > LONGEST_REASON:
            raise _too_long()
        if not (approval.author or approval.without.strip()):
            raise Refused(
                _("Say why no second person looked at it"),
                _("Give the reason with --without-second-person; the audit log keeps it."),
            )
        return
    company = Company.objects.get(pk=checked.company.pk)
    people = checked.audience.reach.most
    if needs_second_person(company, people, is_emergency=checked.manifest.is_emergency, cost=cost):
        raise SecondPersonMissing(people, told_of(cost) if cost is not None and cost.is_over else "")


def _too_long() -> Refused:
    return Refused(
        _("The reason is too long"), _("{most} characters are allowed.").format(most=LONGEST_REASON)
    )


@tried_again
def publish(
    checked: CheckedCampaign, actor: str, scope: Scope, approval: Approval | None = None
) -> Published:
    """Publish the campaign and put it on record, both or neither; `actor` as in `server.audit.log.record`.

    `scope`: whom the actor may address.

    Raises `OutOfScope`, `Refused` for an emergency without a reason and beyond an attention budget
    that refuses, `SecondPersonMissing` where the company wants an `approval`, and `EnvironmentFault` as `store` does.
    """
    check_reason(checked.manifest, checked.reason)
    check_scope(checked, scope)
    if not connection.in_atomic_block:  # else the caller has, before its transaction
        make_ready(checked, scope)
    with transaction.atomic():
        # Before it is stored: it takes no time then, since it is counted already unless somebody published meanwhile.
        cost = attention_of(checked, scope, is_locked=True)
        campaign, is_new = store(checked)
        if not is_new:
            return Published(campaign, False, cost)
        check_scope(checked, scope)  # people may have left a group
        check_second_person(checked, approval, cost)
        scope.note_publisher(campaign)
        if reason := _why_alone(checked, approval):
            campaign.alone_because, campaign.alone_by = reason, actor
            campaign.save(update_fields=["alone_because", "alone_by"])
        detail: dict[str, Any] = {"campaign": campaign.campaign_id}
        if cost is not None and cost.is_over:
            detail |= {"popups": cost.busiest, "budget": cost.budget}
        if approval is not None:
            detail |= approval.detail()
        if checked.reason:
            detail["reason"] = checked.reason
        action = "publish-emergency" if checked.manifest.is_emergency else "publish"
        log.record(checked.company, actor, action, detail=detail)
    return Published(campaign, True, cost)


def make_ready(checked: CheckedCampaign, scope: Scope) -> None:
    """Do what takes long before the transaction in which `publish` is called, since all others wait for that.

    Raises `EnvironmentFault` as `publish` does.
    """
    for file in checked.media.values():
        store_checked(checked.company, file)
    attention_of(checked, scope)


def _why_alone(checked: CheckedCampaign, approval: Approval | None) -> str:
    """Why nobody else looked at what the company wants two people to see; empty where somebody did, or none is wanted."""
    if approval is not None:
        return approval.without
    company = Company.objects.get(pk=checked.company.pk)
    is_wanted = needs_second_person(company, checked.audience.reach.most, is_emergency=False)
    return checked.reason if is_wanted else ""
