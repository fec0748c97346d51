"""Take a campaign back, from those too who have seen it."""

from django.db import transaction
from django.utils.translation import gettext as _

from server.audit import log
from server.campaigns.models import Campaign
from server.core.errors import Refused
from server.database.transactions import tried_again
from server.directory.models import Company
from server.erasure_ledger import ledger
from server.signing.documents import sign_campaign


class EmergencyKept(Refused):
    """Whoever asks may recall other campaigns, but no emergency."""


@tried_again
def recall(company: Company, campaign_id: str, actor: str, *, emergencies: bool = True) -> bool:
    """Empty the campaign, sign it as recalled and put it on record, all or nothing. Answers False if it was recalled before.

    `actor`: as in `server.audit.log.record`.

    Raises `EmergencyKept` for an emergency without `emergencies`, `Refused` when there is no such campaign, and
    `EnvironmentFault` when the key cannot be used or the erasure ledger cannot be written; nothing has changed then.
    """
    with transaction.atomic():
        owner = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        campaign = Campaign.objects.filter(company=owner, campaign_id=campaign_id).first()
        if campaign is None:
            raise Refused(
                _("There is no campaign {name}").format(name=campaign_id),
                _("tidings-server campaign list shows all campaigns."),
            )
        if campaign.urgency == Campaign.Urgency.EMERGENCY and not emergencies:
            raise EmergencyKept(
                _("{name} is an emergency").format(name=campaign_id),
                _("Whoever may publish emergencies may take them back: an administrator."),
            )
        if not recall_row(owner, campaign):
            return False
        ledger.write([ledger.Fact("campaign-recalled", owner.pk, campaign=campaign_id)])
        log.record(owner, actor, "recall", detail={"campaign": campaign_id})
        return True


def recall_row(owner: Company, campaign: Campaign) -> bool:
    """The same within the caller's transaction, which has locked the company, without telling the ledger."""
    if campaign.status == Campaign.Status.RECALLED:
        return False
    if campaign.alone_by:  # a second person still looks at what it said
        campaign.alone_texts = campaign.content["variants"]
    campaign.status = Campaign.Status.RECALLED
    campaign.sender = ""
    campaign.content |= {"status": campaign.status.value, "sender": "", "acknowledge": False, "variants": {}}
    document = sign_campaign(owner, campaign.campaign_id, campaign.content, campaign.ends)
    campaign.document, campaign.counter = document.jws, document.counter
    campaign.save(update_fields=["status", "sender", "content", "document", "counter", "alone_texts"])
    owner.feeds_changed()
    return True
