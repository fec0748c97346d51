"""What a checked campaign costs people's attention, in words for its author."""

from dataclasses import replace

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.attention.budget import Cost, cost_of
from server.campaigns.models import Campaign
from server.campaigns.scopes import Scope
from server.core import clock
from server.directory.models import Company
from server.publishing.checked import CheckedCampaign, published


def attention_of(
    checked: CheckedCampaign, scope: Scope, *, may_be_published: bool = True, is_locked: bool = False
) -> Cost | None:
    """What it costs in its week; None for a silent one.

    `scope`: of who is told of it, or publishes it: figures are made of what they may see.
    `may_be_published`: whether it may be among what is planned by now; then the company's row is read once more, too.
    `is_locked`: whether nobody else may publish until the transaction ends.
    """
    manifest, audience, same = checked.manifest, checked.audience, None
    if may_be_published:
        rows = Company.objects.select_for_update(no_key=True) if is_locked else Company.objects.all()
        known = Campaign.objects.filter(company=checked.company, campaign_id=checked.campaign_id)
        same = known.first() or published(checked)
        audience = replace(audience, company=rows.get(pk=checked.company.pk))
    shown_from = max(manifest.starts, same.published_at if same else clock.now())
    return cost_of(audience, manifest.urgency, shown_from, scope, is_counted=same is not None)


def told_of(cost: Cost) -> str:
    """That it is over the budget, and when there is room."""
    worst = cost.lines[0]
    who = _("of {group}").format(group=worst.group) if worst.group else _("of everybody")
    told = ngettext(
        "In the week of {monday} the busiest tenth {who} would get {popups} pop-up with this one; the attention budget is "
        "{budget}.",
        "In the week of {monday} the busiest tenth {who} would get {popups} pop-ups with this one; the attention budget is "
        "{budget}.",
        worst.busiest,
    ).format(monday=date_format(cost.monday, _("j F Y")), who=who, popups=worst.busiest, budget=cost.budget)
    if cost.room is None:
        return told + " " + _("None of the eight weeks after it has room.")
    return (
        told + " " + _("The first day with room is {day}.").format(day=date_format(cost.room, _("l j F Y")))
    )
