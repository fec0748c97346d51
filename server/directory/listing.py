"""Which people and groups there are, a page at a time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from server.directory.models import Company, Group, Person

LONGEST_SEARCH = 200
"""Characters."""
MOST_WORDS = 6


@dataclass(frozen=True)
class ListedPerson:
    """A person, and the names of their groups in alphabetical order."""

    person: Person
    groups: Sequence[str]


def people_like(company: Company, text: str = "", group: Group | None = None) -> "QuerySet[Person]":
    """Those of whom each word of `text` is in the address or a name, in any case; of one group where one is given."""
    found = (group.people if group else company.people).order_by("email")
    for word in text.replace("\0", "").split()[:MOST_WORDS]:
        found = found.filter(_has(word))
    return found


def _has(word: str) -> Q:
    """SQLite compares ASCII letters alone in any case: others are looked for as names write them."""
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    is_in = Q()
    for spelling in spellings:
        for field in ("email", "first_name", "last_name"):
            is_in |= Q(**{f"{field}__icontains": spelling})
    return is_in


def page_of(people: "QuerySet[Person]", size: int, after: str = "") -> list[ListedPerson]:
    """The next people, ordered by address, whose address comes after this one."""
    some = list(people.filter(email__gt=after)[:size])
    groups = groups_of([person.pk for person in some])
    return [ListedPerson(person, groups.get(person.pk, ())) for person in some]


def pages_of(people: "QuerySet[Person]", size: int) -> Iterator[list[ListedPerson]]:
    """All of them, so many at a time."""
    after = ""
    while some := page_of(people, size, after):
        yield some
        after = some[-1].person.email


def groups_of(people: Sequence[UUID]) -> Mapping[UUID, Sequence[str]]:
    """The names of the groups that each of these people is in."""
    found: dict[UUID, list[str]] = defaultdict(list)
    members = Person.groups.through.objects.filter(person__in=people).order_by("group__name")
    for person, name in members.values_list("person_id", "group__name"):
        found[person].append(name)
    return found


def groups_by_size(company: Company, text: str = "") -> "QuerySet[Group]":
    """The groups by name, each with its number of people as `size`; of them those that have `text` in their names."""
    members: QuerySet[Any, Any] = Person.groups.through.objects.filter(group=OuterRef("pk")).order_by()
    size = members.values(one=Value(1)).annotate(size=Count("pk")).values("size")
    found = company.groups.annotate(size=Coalesce(Subquery(size), 0)).order_by("name")
    return found.filter(name__icontains=text.replace("\0", "")) if text else found
