"""Whom announcements reach: who has a connected computer, and who was invited to connect one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from server.core import clock
from server.devices.models import Device, Invitation
from server.directory.models import Company, Group, Person


@dataclass(frozen=True)
class Reach:
    """Whether somebody has a connected computer, and until when the code works that they have, if they have one."""

    is_connected: bool
    invited_until: datetime | None


def with_reach(people: "QuerySet[Person]") -> "QuerySet[Person]":
    """The people, of each of whom `reach_of` needs no query."""
    computers = Device.objects.filter(person=OuterRef("pk"), revoked_at=None)
    codes = Invitation.objects.filter(person=OuterRef("pk"), used_at=None, expires_at__gt=clock.now())
    until = codes.order_by("-expires_at").values("expires_at")[:1]
    return people.annotate(is_connected=Exists(computers), invited_until=Subquery(until))


def reach_of(person: Person) -> Reach:
    """Of one that `with_reach` has read."""
    return Reach(person.is_connected, person.invited_until)  # type: ignore[attr-defined]


def reach_among(people: Sequence[UUID]) -> Mapping[UUID, Reach]:
    """How each of these people is reached."""
    return {person.pk: reach_of(person) for person in with_reach(Person.objects.filter(pk__in=people))}


def without_computer(company: Company, group: Group | None = None) -> "QuerySet[Person]":
    """The people, or those of a group, who have no connected computer."""
    connected = Device.objects.filter(person=OuterRef("pk"), revoked_at=None)
    found = Person.objects.filter(~Exists(connected), company=company)
    return found.filter(groups=group) if group else found


def invited_count(company: Company) -> int:
    """How many of those without a computer have a code that still works."""
    own = Person.objects.filter(pk=OuterRef("person"), company=company)
    codes = Invitation.objects.filter(Exists(own), used_at=None, expires_at__gt=clock.now())
    connected = Device.objects.filter(person=OuterRef("person"), revoked_at=None)
    return codes.filter(~Exists(connected)).values("person").distinct().count()
