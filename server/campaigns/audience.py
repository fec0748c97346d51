"""Whom a campaign file addresses."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from server.campaigns.manifest import AudienceEntry
from server.campaigns.manifest_tables import Mistakes, suggestion
from server.campaigns.models import Campaign
from server.campaigns.reach import Chosen, Reach, reach
from server.campaigns.scopes import Scope
from server.directory.addresses import canonical
from server.directory.models import Company, Group, Person


@dataclass(frozen=True)
class Audience:
    """The groups and people of a company that are named, as in its directory.

    `reach`: for how many people that is today, as may be told to those who may not list people.
    `excluded`: whoever is in one of these groups is not in it, whatever else names them.
    """

    company: Company
    everyone: bool
    groups: tuple[Group, ...]
    people: tuple[Person, ...]
    reach: Reach
    excluded: tuple[Group, ...] = ()

    @cached_property
    def count(self) -> int:
        """How many people that is, for those who have the directory."""
        return audience_count(self.company, self.everyone, self.groups, self.people, self.excluded)


def find_audience(company: Company, entry: AudienceEntry, scope: Scope, mistakes: Mistakes) -> Audience:
    """Look up the groups and people of a campaign file. Names that are not known, and an empty audience, are mistakes.

    Whom `scope` does not have is not known to its author: no message tells that there is such a group or person.
    """
    known_groups: dict[str, Group] = {}
    if entry.groups or entry.excluded:
        known_groups = {group.name.casefold(): group for group in scope.those_groups(company.groups.all())}
    groups = [known_groups[name.casefold()] for name in entry.groups if name.casefold() in known_groups]
    excluded = [known_groups[name.casefold()] for name in entry.excluded if name.casefold() in known_groups]
    known_people = {
        person.email: person
        for person in scope.people(company.people.filter(email__in=_lowered(entry.people)))
    }
    people = list(known_people.values())
    for key, names in (("groups", entry.groups), ("except_groups", entry.excluded)):
        _note_unknown(
            mistakes,
            f"audience.{key}",
            [name for name in names if name.casefold() not in known_groups],
            lambda name: suggestion(name, [group.name for group in known_groups.values()]),
        )
    _note_unknown(
        mistakes,
        "audience.people",
        [email for email in entry.people if canonical(email) not in known_people],
        lambda _email: _(
            "check the spelling, or bring the person in with: tidings-server people import FILE"
        ),
    )
    told = reach_of(company, everyone=entry.everyone, groups=groups, named=len(people), excluded=excluded)
    if not told.most and not mistakes.found:
        mistakes.add("audience", _("nobody is in it"), _("name a group that has members"))
    return Audience(company, entry.everyone, tuple(groups), tuple(people), told, tuple(excluded))


def _lowered(emails: Sequence[str]) -> list[str]:
    return [canonical(email) for email in emails if "\0" not in email]  # which PostgreSQL refuses


def _note_unknown(
    mistakes: Mistakes, key: str, names: Sequence[str], what_to_do: Callable[[str], str]
) -> None:
    for name in names:
        if mistakes.are_enough:
            return
        mistakes.add(key, _("“{value}” is not known").format(value=name), what_to_do(name))


def members(
    company: Company,
    everyone: bool,
    groups: Sequence[Group | int],
    people: Sequence[Person],
    excluded: Sequence[Group | int],
) -> "QuerySet[Person]":
    """The people of an audience, today."""
    staff = Person.objects.filter(company=company)
    if excluded:
        left_out = Person.groups.through.objects.filter(group__in=excluded).values("person")
        staff = staff.exclude(pk__in=left_out)
    if everyone:
        return staff
    chosen = Person.groups.through.objects.filter(group__in=groups).values("person")
    return staff.filter(Q(pk__in=chosen) | Q(pk__in=[person.pk for person in people]))


def audience_count(
    company: Company,
    everyone: bool,
    groups: Sequence[Group],
    people: Sequence[Person],
    excluded: Sequence[Group],
) -> int:
    """How many people are in an audience, today."""
    return members(company, everyone, groups, people, excluded).count()


def reach_of(
    company: Company, *, everyone: bool, groups: Iterable[Group], named: int, excluded: Iterable[Group]
) -> Reach:
    """For how many people it is today, as may be told of it. `named`: how many people are named."""

    def sizes(asked: Collection[Chosen]) -> dict[Chosen, int]:
        single = {one.groups[0]: one for one in asked if one.is_single}
        found = {
            one: members(company, one.everyone, one.groups, [], one.excluded).count()
            for one in asked
            if not one.is_single
        }
        if single:  # all in one query
            rows = Person.groups.through.objects.filter(group__in=single).values_list("group")
            counted = dict(rows.annotate(Count("pk")))
            found |= {one: counted.get(group, 0) for group, one in single.items()}
        return found

    chosen = Chosen(
        everyone,
        () if everyone else tuple(group.pk for group in groups),
        tuple(group.pk for group in excluded),
    )
    return reach(chosen, named, sizes)


def reach_today(campaign: Campaign) -> Reach:
    """The same of a campaign."""
    return reach_of(
        campaign.company,
        everyone=campaign.to_everyone,
        groups=campaign.audience_groups.all(),
        named=campaign.audience_people.count(),
        excluded=campaign.excluded_groups.all(),
    )
