"""Who of a campaign's people has confirmed it, by name: what the company asked for, and nothing of what anybody shares."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from server.acknowledgements.models import Acknowledgement
from server.campaigns.models import Campaign
from server.core import clock
from server.core.clock import utc_text
from server.core.errors import Refused
from server.database.transactions import reading
from server.reports.audiences import addressed
from server.reports.figures import title

ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Addressee:
    """A person who was asked. `acknowledged`: the UTC time of their confirmation, None as long as there is none."""

    email: str
    first_name: str
    last_name: str
    acknowledged: str | None


@dataclass(frozen=True)
class Acknowledgements:
    """Everybody who confirmed, earliest first, then those of today's audience who have not, by address.

    Nobody is missing once it was recalled: nobody can confirm it any more.
    """

    campaign_id: str
    title: str
    confirmed: int
    missing: int
    people: tuple[Addressee, ...]


def acknowledgements(campaign: Campaign) -> Acknowledgements:
    """Who has confirmed the campaign and who has not. It is for the caller to put the reading on record.

    Raises `Refused` where the campaign does not ask for it, or nobody was asked yet: the list would be one of the members
    of its groups, of a campaign that nobody sees (ADR 61).
    """
    if not campaign.acknowledge:
        raise Refused(
            _("{name} does not ask people to confirm that they have read it").format(
                name=campaign.campaign_id
            ),
            _("A campaign does so with “acknowledge = true” in its file."),
        )
    if clock.now() < campaign.starts:
        raise Refused(
            _("{name} has not begun").format(name=campaign.campaign_id),
            _("People are asked from {starts} on.").format(starts=utc_text(campaign.starts)),
        )
    names = ("email", "first_name", "last_name")
    with reading():
        rows = Acknowledgement.objects.filter(campaign=campaign).order_by("time", "person__email")
        told = rows.values_list("person_id", "time", *(f"person__{name}" for name in names))
        confirmed = {
            pk: Addressee(email, first, last, acknowledged=utc_text(time))
            for pk, time, email, first, last in told.iterator(ROWS_AT_ONCE)
        }
        asked = addressed(campaign).values_list("pk", *names)
        waiting = [
            Addressee(email, first, last, acknowledged=None)
            for pk, email, first, last in asked.iterator(ROWS_AT_ONCE)
            if pk not in confirmed and campaign.status != Campaign.Status.RECALLED
        ]
    return Acknowledgements(
        campaign_id=campaign.campaign_id,
        title=title(campaign),
        confirmed=len(confirmed),
        missing=len(waiting),
        people=(*confirmed.values(), *sorted(waiting, key=lambda one: one.email)),
    )
