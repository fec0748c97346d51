"""Whom announcements reach: who has a connected computer, and who was invited to connect one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, QuerySet

from server.core import clock
from server.devices.models import Device, Invitation
from server.directory.models import Company, Group, Person


def connected_among(people: Sequence[UUID]) -> set[UUID]:
    """Those of them who have a connected computer."""
    computers = Device.objects.filter(person__in=people, revoked_at=None)
    return set(computers.values_list("person_id", flat=True))


def invited_among(people: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Those of them who have a code that still works, and until when."""
    codes = Invitation.objects.filter(person__in=people, used_at=None, expires_at__gt=clock.now())
    return dict(codes.values_list("person_id").annotate(until=Max("expires_at")))


def without_computer(company: Company, group: Group | None = None) -> "QuerySet[Person]":
    """The people, or those of a group, who have no connected computer."""
    connected = Device.objects.filter(person=OuterRef("pk"), revoked_at=None)
    found = Person.objects.filter(~Exists(connected), company=company)
    return found.filter(groups=group) if group else found


def invited_count(company: Company) -> int:
    """How many of those without a computer have a code that still works."""
    codes = Invitation.objects.filter(person=OuterRef("pk"), used_at=None, expires_at__gt=clock.now())
    return without_computer(company).filter(Exists(codes)).count()
