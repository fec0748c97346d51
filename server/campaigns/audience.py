"""Whom a campaign file addresses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from server.campaigns.manifest import AudienceEntry
from server.campaigns.manifest_tables import Mistakes, suggestion
from server.campaigns.scopes import Scope
from server.directory.addresses import canonical
from server.directory.models import Company, Group, Person


@dataclass(frozen=True)
class Audience:
    """The groups and people of a company that are named, as in its directory. `count`: how many people that is today.

    `excluded`: whoever is in one of these groups is not in it, whatever else names them.
    """

    company: Company
    everyone: bool
    groups: tuple[Group, ...]
    people: tuple[Person, ...]
    count: int
    excluded: tuple[Group, ...] = ()


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
    count = audience_count(company, entry.everyone, groups, people, excluded)
    if not count and not mistakes.found:
        mistakes.add("audience", _("nobody is in it"), _("name a group that has members"))
    return Audience(company, entry.everyone, tuple(groups), tuple(people), count, tuple(excluded))


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
    groups: Sequence[Group],
    people: Sequence[Person],
    excluded: Sequence[Group],
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
