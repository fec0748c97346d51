"""Writes the people of a file into the directory: all of them, or nothing."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from server.directory.importing.cells import PersonRow
from server.directory.importing.progress import Bar, no_bar
from server.directory.models import Company, Group, Person

BATCH = 500

_COMPARED = ("first_name", "last_name", "title", "work_landline", "work_cell", "site_addresses")
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Difference:
    """What an import changed, or would change. `not_in_file`: people whom the file does not name."""

    added: int
    changed: int
    unchanged: int
    new_groups: tuple[str, ...]
    not_in_file: int


def import_people(
    company: Company, rows: Sequence[PersonRow], *, dry_run: bool, bar: Bar = no_bar
) -> Difference:
    """Add or change the people of the file, and put them into the groups that it names.

    A person's groups become those of the file, where it has a column for groups. People whom it does not name
    stay as they are. With `dry_run` all is done and then undone.
    """
    with transaction.atomic():
        difference = _Import(company, bar).run(rows)
        if dry_run:
            transaction.set_rollback(True)
    return difference


class _Import:
    def __init__(self, company: Company, bar: Bar) -> None:
        self._company = Company.objects.select_for_update().get(pk=company.pk)
        self._bar = bar
        self._known = {person.email: person for person in self._company.people.all()}
        self._membership = Person.groups.through

    def run(self, rows: Sequence[PersonRow]) -> Difference:
        group_ids, new_groups = self._groups(rows)
        added = [
            self._described(Person(company=self._company, email=row.email), row)
            for row in rows
            if self._is_new(row)
        ]
        changed = [row for row in rows if not self._is_new(row) and self._differs(row)]
        for batch in self._batches(_("Adding people"), added):
            Person.objects.bulk_create(batch)
        self._update([self._described(self._copy(self._known[row.email]), row) for row in changed])
        ids = {email: person.pk for email, person in self._known.items()} | {
            one.email: one.pk for one in added
        }
        moved = self._move(rows, ids, group_ids)
        edited = {row.email for row in changed} | (moved - {person.email for person in added})
        if added or edited or new_groups:
            self._company.feeds_changed()
        named = {row.email for row in rows}
        return Difference(
            added=len(added),
            changed=len(edited),
            unchanged=len(rows) - len(added) - len(edited),
            new_groups=new_groups,
            not_in_file=len(self._known.keys() - named),
        )

    def _is_new(self, row: PersonRow) -> bool:
        return row.email not in self._known

    def _differs(self, row: PersonRow) -> bool:
        person = self._known[row.email]
        return any(getattr(person, name) != value for name, value in self._taken(person, row).items())

    def _described(self, person: Person, row: PersonRow) -> Person:
        for name, value in self._taken(person, row).items():
            setattr(person, name, value)
        return person

    def _taken(self, person: Person, row: PersonRow) -> Mapping[str, str | list[str]]:
        """What the file may change: not what the person has corrected and the directory does not own."""
        kept = set(person.own_fields) - set(self._company.directory_fields)
        return {name: value for name, value in row.fields.items() if name not in kept}

    def _copy(self, person: Person) -> Person:
        """A twin under a new id: the upsert must conflict on the address alone. The stored id stays."""
        values = {name: getattr(person, name) for name in _COMPARED}
        return Person(
            id=uuid.uuid4(), company=self._company, email=person.email, own_fields=person.own_fields, **values
        )

    def _update(self, people: Sequence[Person]) -> None:
        for batch in self._batches(_("Changing people"), people):
            Person.objects.bulk_create(
                batch,
                update_conflicts=True,
                unique_fields=("company", "email"),
                update_fields=_COMPARED,
            )

    def _groups(self, rows: Iterable[PersonRow]) -> tuple[dict[str, int], tuple[str, ...]]:
        """Make the missing groups. Answers the ids of all, by name in any case, and the new names."""
        ids = {name.casefold(): pk for pk, name in self._company.groups.values_list("pk", "name")}
        new: dict[str, str] = {}
        for name in itertools.chain.from_iterable(row.groups or () for row in rows):
            if name.casefold() not in ids:
                new.setdefault(name.casefold(), name)
        made = Group.objects.bulk_create([Group(company=self._company, name=name) for name in new.values()])
        ids |= {group.name.casefold(): group.pk for group in made}
        return ids, tuple(sorted(new.values()))

    def _move(self, rows: Iterable[PersonRow], ids: dict[str, Any], group_ids: dict[str, int]) -> set[str]:
        """Make memberships what the file says. Answers whose changed."""
        current: dict[Any, dict[int, int]] = defaultdict(dict)
        members = self._membership.objects.filter(person__company=self._company)
        for pk, person_id, group_id in members.values_list("pk", "person_id", "group_id"):
            current[person_id][group_id] = pk
        joined, left, moved = [], [], set()
        for row in rows:
            if row.groups is None:
                continue
            person_id = ids[row.email]
            wanted = {group_ids[name.casefold()] for name in row.groups}
            before = current[person_id]
            joined += [self._membership(person_id=person_id, group_id=pk) for pk in wanted - before.keys()]
            left += [before[pk] for pk in before.keys() - wanted]
            if wanted != before.keys():
                moved.add(row.email)
        for batch in self._batches(_("Filling groups"), joined):
            self._membership.objects.bulk_create(batch)
        for gone in self._batches(_("Leaving groups"), left):
            self._membership.objects.filter(pk__in=gone).delete()
        return moved

    def _batches(self, stage: str, items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
        """The items in portions, with the bar moved on after each."""
        if items:
            tick = self._bar(stage, len(items))
            for start in range(0, len(items), BATCH):
                yield items[start : start + BATCH]
                tick(min(start + BATCH, len(items)))
