"""How many people of an audience have a connected computer: whether they were seen of late nobody knows."""

from collections.abc import Sequence

from django.db.models import Count, Exists, OuterRef

from server.campaigns.audience import members
from server.devices.models import Device
from server.directory.models import SMALLEST_GROUP, Company, Group, Person


def connected_count(
    company: Company, everyone: bool, groups: Sequence[Group], people: Sequence[Person]
) -> int | None:
    """How many at least, in steps of five; None where the number would tell about single people.

    So it would of people by name and of small groups: two audiences that differ by one person would say whether that
    person has one.
    """
    if not everyone and (people or _are_small(groups)):
        return None
    audience = members(company, everyone, groups, people)
    if len(audience[:SMALLEST_GROUP]) < SMALLEST_GROUP:
        return None
    computers = Device.objects.filter(person=OuterRef("pk"), revoked_at=None)
    found = audience.filter(Exists(computers)).count()
    return found - found % SMALLEST_GROUP


def _are_small(groups: Sequence[Group]) -> bool:
    """Whether any of them has fewer than five people."""
    members = Person.groups.through.objects.filter(group__in=groups)
    sizes = members.values_list("group").annotate(size=Count("pk"))
    return len([group for group, size in sizes if size >= SMALLEST_GROUP]) < len(groups)
