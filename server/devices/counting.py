"""How many people have a connected computer: whether they were seen of late nobody knows."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from server.campaigns.audience import members
from server.devices.models import Device
from server.directory.models import SMALLEST_GROUP, Company, Group, Person


def connected_count(
    company: Company, everyone: bool, groups: Sequence[Group], people: Sequence[Person]
) -> int | None:
    """Of an audience; None of fewer than five people, since it would tell about each of them."""
    audience = members(company, everyone, groups, people)
    if len(audience[:SMALLEST_GROUP]) < SMALLEST_GROUP:
        return None
    computers = Device.objects.filter(person=OuterRef("pk"), revoked_at=None)
    return audience.filter(Exists(computers)).count()
