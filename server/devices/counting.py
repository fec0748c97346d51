"""How many people of a company have a connected computer: whether they were seen of late nobody knows."""

from django.db.models import Exists, OuterRef

from server.devices.models import Device
from server.directory.models import SMALLEST_GROUP, Company


def connected_count(company: Company, people: int, *, everyone: bool) -> int | None:
    """How many of everybody at least, in steps of five, and never all; None for any other audience.

    `people`: how many are in the audience.

    Who may choose audiences could ask for two that differ by one person, and make a third one move the sum over a step: the
    numbers would tell whether that person has a computer, of however many people each is.
    """
    if not everyone or people < SMALLEST_GROUP:
        return None
    computers = Device.objects.filter(person=OuterRef("pk"), revoked_at=None)
    found = min(company.people.filter(Exists(computers)).count(), people - SMALLEST_GROUP)
    return found - found % SMALLEST_GROUP
