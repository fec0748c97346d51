"""Who of a campaign's people has confirmed it, by name: what the company asked for, and nothing of what anybody shares."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from server.acknowledgements.models import Acknowledgement
from server.campaigns.models import Campaign
from server.clock import utc_text
from server.database.transactions import reading
from server.directory.models import Person
from server.errors import Refused
from server.reports.audiences import audience
from server.reports.figures import title


@dataclass(frozen=True)
class Addressee:
    """A person who was asked. `acknowledged`: the UTC time of their confirmation, None as long as there is none."""

    email: str
    first_name: str
    last_name: str
    acknowledged: str | None


@dataclass(frozen=True)
class Acknowledgements:
    """Everybody who confirmed, earliest first, then those of today's audience who have not, by address."""

    campaign_id: str
    title: str
    confirmed: int
    missing: int
    people: tuple[Addressee, ...]


def acknowledgements(campaign: Campaign) -> Acknowledgements:
    """Who has confirmed the campaign and who has not. It is for the caller to put the reading on record.

    Raises `Refused` where the campaign does not ask for it.
    """
    if not campaign.acknowledge:
        raise Refused(
            _("{name} does not ask people to confirm that they have read it").format(
                name=campaign.campaign_id
            ),
            _("A campaign does so with “acknowledge = true” in its file."),
        )
    with reading():
        rows = Acknowledgement.objects.filter(campaign=campaign).order_by("time", "person__email")
        times = {person: utc_text(time) for person, time in rows.values_list("person_id", "time")}
        described = Person.objects.filter(company_id=campaign.company_id).values_list(
            "pk", "email", "first_name", "last_name"
        )
        people = {pk: (email, first, last) for pk, email, first, last in described.iterator()}
        asked = audience(campaign)
    confirmed = [Addressee(*people[pk], acknowledged=time) for pk, time in times.items() if pk in people]
    waiting = [Addressee(*people[pk], acknowledged=None) for pk in asked - times.keys() if pk in people]
    return Acknowledgements(
        campaign_id=campaign.campaign_id,
        title=title(campaign),
        confirmed=len(confirmed),
        missing=len(waiting),
        people=(*confirmed, *sorted(waiting, key=lambda one: one.email)),
    )
