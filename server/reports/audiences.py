"""Whom a campaign is for, and who of them shares."""

from uuid import UUID

from server.campaigns.models import Campaign
from server.directory.models import Person
from server.signals.consents import not_withdrawn


def audience(campaign: Campaign) -> set[UUID]:
    """The people whom the campaign is for, as the directory is today."""
    if campaign.to_everyone:
        people = Person.objects.filter(company_id=campaign.company_id)
        return set(people.values_list("pk", flat=True))
    in_groups = Person.objects.filter(groups__campaigns=campaign).values_list("pk", flat=True)
    by_name = Person.objects.filter(campaigns=campaign).values_list("pk", flat=True)
    return set(in_groups) | set(by_name)


def sharing(campaign: Campaign, signal: str) -> set[UUID]:
    """The people who share a signal, under the notice that was in force when the campaign was published or a later one.

    Whoever agreed to an older one only was asked afresh and did not answer: nothing can come from them.
    """
    consents = not_withdrawn(campaign.company).filter(
        signal=signal, notice_version__gte=campaign.notice_version
    )
    return set(consents.values_list("person_id", flat=True))
