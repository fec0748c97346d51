"""Publish a campaign on record. An emergency covers every screen, so it needs a reason that can be read afterwards."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from server.audit import log
from server.campaigns.manifest import Manifest
from server.campaigns.models import Campaign
from server.core.errors import Refused
from server.publishing.checked import CheckedCampaign, store

LONGEST_REASON = 500
"""Characters, as the audit log keeps them."""


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
        raise Refused(
            _("The reason is too long"),
            _("{most} characters are allowed.").format(most=LONGEST_REASON),
        )


def publish(checked: CheckedCampaign, actor: str) -> tuple[Campaign, bool]:
    """Publish the campaign and put it on record, both or neither; `actor` as in `server.audit.log.record`.

    Answers as `store` does. Raises `Refused` for an emergency without a reason, and `EnvironmentFault` as `store` does.
    """
    check_reason(checked.manifest, checked.reason)
    with transaction.atomic():
        campaign, is_new = store(checked)
        if not is_new:
            return campaign, False
        detail: dict[str, Any] = {"campaign": campaign.campaign_id}
        if checked.reason:
            detail["reason"] = checked.reason
        action = "publish-emergency" if checked.manifest.is_emergency else "publish"
        log.record(checked.company, actor, action, detail=detail)
    return campaign, True
