"""Whom somebody may address, and which campaigns they see: an author may be bound to groups."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from server.campaigns.models import Campaign, Publisher
from server.core.errors import Refused
from server.directory.models import Group, Person

Row = TypeVar("Row", bound=Model)
MOST_NAMED = 5
"""In a message."""


class OutOfScope(Refused):
    """An audience has somebody whom the account or the token must not address."""

    def __init__(self, outside: Sequence[str]) -> None:
        super().__init__(
            _("It is for people whom you may not address"),
            _("You are bound to groups. Take out of its audience: {names}").format(
                names=", ".join(outside[:MOST_NAMED]) + (" …" if len(outside) > MOST_NAMED else "")
            ),
        )


@dataclass(frozen=True)
class Scope:
    """The groups to whose people somebody is bound; None: to nobody's, they may address everybody.

    `who`: the column of `Publisher` that has them, and their number there; None for the command line.
    """

    groups: frozenset[int] | None = None
    who: tuple[str, int] | None = None

    def has_group(self, group: int) -> bool:
        """Whether the group may be addressed."""
        return self.groups is None or group in self.groups

    def those_groups(self, found: "QuerySet[Group]") -> "QuerySet[Group]":
        """Those of the groups that may be addressed."""
        return found if self.groups is None else found.filter(pk__in=self.groups)

    def people(self, found: "QuerySet[Person]") -> "QuerySet[Person]":
        """Those of the people who may be addressed by name: who is in one of the groups."""
        if self.groups is None:
            return found
        return found.filter(Exists(_memberships(self.groups).filter(person=OuterRef("pk"))))

    def outside(
        self,
        *,
        everyone: bool,
        groups: Iterable[Group],
        people: Iterable[Person],
        excluded: Iterable[Group],
    ) -> list[str]:
        """What of an audience must not be addressed, in words; nothing where all may be.

        Nor may another group be left out: the number of people would tell who is in it.
        """
        if self.groups is None:
            return []
        named = {person.pk: person.email for person in people}
        inside = set(self.people(Person.objects.filter(pk__in=named)).values_list("pk", flat=True))
        return [
            *([_("everybody")] if everyone else []),
            *(group.name for group in (*groups, *excluded) if not self.has_group(group.pk)),
            *(email for pk, email in named.items() if pk not in inside),
        ]

    def require(
        self,
        *,
        everyone: bool,
        groups: Iterable[Group],
        people: Iterable[Person],
        excluded: Iterable[Group],
    ) -> None:
        """Raise `OutOfScope` for an audience that has anybody else."""
        if outside := self.outside(everyone=everyone, groups=groups, people=people, excluded=excluded):
            raise OutOfScope(outside)

    def note_publisher(self, campaign: Campaign) -> None:
        """Keep that they published it, so that they go on seeing it."""
        if self.who is not None:
            column, number = self.who
            publisher: dict[str, Any] = {f"{column}_id": number}
            Publisher.objects.get_or_create(campaign=campaign, **publisher)

    def those_of(self, found: "QuerySet[Row]") -> "QuerySet[Row]":
        """The campaigns, or drafts, that are for these people and nobody else; and campaigns that they published.

        `found`: all of them. What is for people by name alone is of those who wrote or published it: it may be personal,
        and who is in one of the groups today may have been elsewhere before.
        """
        if self.groups is None:
            return found
        own = str(found.model._meta.model_name)
        in_groups, by_name, left_out = (
            _through(found.model, name).filter(**{own: OuterRef("pk")})
            for name in ("audience_groups", "audience_people", "excluded_groups")
        )
        for_them = (
            ~Exists(in_groups.exclude(group__in=self.groups))
            & ~Exists(left_out.exclude(group__in=self.groups))
            & ~Exists(by_name.exclude(Exists(_memberships(self.groups).filter(person=OuterRef("person_id")))))
            & Q(to_everyone=False)
        )
        in_own_group = Q(Exists(in_groups.filter(group__in=self.groups)))
        if found.model is not Campaign:
            return found.filter(for_them, in_own_group)
        return found.filter((for_them & in_own_group) | self._published())

    def _published(self) -> Q:
        if self.who is None:
            return Q(pk__in=())
        column, number = self.who
        return Q(Exists(Publisher.objects.filter(**{"campaign": OuterRef("pk"), column: number})))


def _memberships(groups: frozenset[int]) -> QuerySet[Any, Any]:
    return Person.groups.through.objects.filter(group__in=groups)


def _through(model: type[Model], name: str) -> QuerySet[Any, Any]:
    return getattr(model, name).through.objects.all()  # type: ignore[no-any-return]
