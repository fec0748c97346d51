"""How many people of a company have a connected computer: whether they were seen of late nobody knows."""

from server.devices.models import Device
from server.directory.models import SMALLEST_GROUP, Company, Person


def connected_count(company: Company, people: int, *, everyone: bool) -> int | None:
    """How many of everybody at least, in steps of five, and never all; None for any other audience.

    `people`: how many are in the audience.

    Who may choose audiences could ask for two that differ by one person, and make a third one move the sum over a step: the
    numbers would tell whether that person has a computer, of however many people each is.
    """
    if not everyone or people < SMALLEST_GROUP:
        return None
    found = min(people_with_computers(company), people - SMALLEST_GROUP)
    return found - found % SMALLEST_GROUP


def people_with_computers(company: Company) -> int:
    """How many have a connected computer: counted over an index of computers, and not by looking each person up."""
    of_others = Person.objects.exclude(company=company)
    connected = Device.objects.filter(revoked_at=None).exclude(person__in=of_others.values("pk"))
    return connected.values("person").distinct().count()
