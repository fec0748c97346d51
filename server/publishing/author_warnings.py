"""What the author of a campaign should know before it is published. It can be published all the same."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.attention.budget import Cost
from server.campaigns.countable import VIDEO, has_links, uncounted
from server.core.clock import utc_text
from server.publishing.attention import told_of
from server.publishing.checked import CheckedCampaign


def warnings_for(checked: CheckedCampaign, cost: Cost | None) -> list[str]:
    """A sentence for each warning. `cost`: of attention, as `attention_of` answers it."""
    warnings = [
        _(
            "{thing} is not counted: it is in the variants {languages} only, so a figure would be about those who get them. "
            "Put it into every variant to see how often it is clicked."
        ).format(thing=_name(checked, one.link_id), languages=", ".join(one.languages))
        for one in uncounted(checked.content)
    ]
    if checked.audience.reach.most < checked.company.smallest_group and has_links(checked.content):
        warnings.append(
            ngettext(
                "Only {count} person gets this campaign, and it has links: the sites behind them may learn who came.",
                "Only {count} people get this campaign, and it has links: the sites behind them may learn who came.",
                checked.audience.reach.most,
            ).format(count=checked.audience.reach.most)
        )
    moment = checked.full_from() if checked.manifest.is_emergency else None
    if moment is not None:
        warnings.append(
            _(
                "From {moment} on, some computers take no more announcements. This emergency goes before the others, some of "
                "which are left out: recall those that are no longer needed."
            ).format(moment=utc_text(moment))
        )
    if cost is not None and cost.is_over:
        warnings.append(told_of(cost))
    return warnings


def _name(checked: CheckedCampaign, link_id: str) -> str:
    if link_id == VIDEO:
        return _("The video")
    variants = checked.manifest.variants.values()
    label = next(link.label for variant in variants for link in variant.links if link.link_id == link_id)
    return _("The link “{label}” ({id})").format(label=label, id=link_id)
