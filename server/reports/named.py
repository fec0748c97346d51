"""Who did what, where the company's notice says that reports name people."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from server.campaigns.models import Campaign
from server.core.errors import Refused
from server.directory.models import Person
from server.reports.audiences import audience
from server.reports.figures import did, links_of
from server.signals.keys import person_key
from server.signals.models import CampaignKey, SignalName
from server.signals.queries import in_force


@dataclass(frozen=True)
class Act:
    """Something that a person did, on a UTC date: a signal's name, and the link's label of a click."""

    email: str
    signal: str
    link: str
    date: date


def acts(campaign: Campaign) -> list[Act]:
    """What people did who share it under the notice in force, by address. Nobody is listed who did nothing.

    Whoever does not share, was away or did nothing is not there: which of the three cannot be told.
    Raises `Refused` where the company does not name people, where the campaign is older than the notice that says so, and
    once the campaign is closed: what came in then was shared to be counted only, or is counts already.
    """
    _refuse_if_nobody_agreed(campaign)
    key = CampaignKey.objects.filter(campaign=campaign).values_list("key", flat=True).first()
    if key is None:
        raise Refused(
            _("The campaign is closed"), _("Only counts are left of it: tidings-server report shows them.")
        )
    people = audience(campaign)
    emails = dict(Person.objects.filter(company_id=campaign.company_id).values_list("pk", "email"))
    found: list[Act] = []
    for signal in SignalName.values:
        consents = in_force(campaign.company).filter(signal=signal).values_list("person_id", flat=True)
        sharing = {person_key(key, person): emails[person] for person in people & set(consents)}
        for link_id, label in links_of(campaign) if signal == SignalName.CLICK else [("", "")]:
            done = did(campaign, signal, [link_id] if link_id else None)
            found += [Act(sharing[one], signal, label, day) for one, day in done.items() if one in sharing]
    order = {name: number for number, name in enumerate(SignalName.values)}
    return sorted(found, key=lambda act: (act.email, order[act.signal], act.link))


def _refuse_if_nobody_agreed(campaign: Campaign) -> None:
    company = campaign.company
    if not company.named_reporting:
        raise Refused(
            _("{company} does not name people in reports").format(company=company.name),
            _(
                "People agreed to be counted only. To name them, set named_reporting in the company's file and say so in "
                "a new version of the notice: everybody is asked afresh."
            ),
        )
    if campaign.notice_version != company.notice_version():
        raise Refused(
            _("What people shared of this campaign is not named"),
            _(
                "It was published under version {old} of the notice, and version {new} is in force. Only what people "
                "share under the notice in force is named."
            ).format(old=campaign.notice_version, new=company.notice_version()),
        )
