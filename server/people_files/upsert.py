"""Writes the people of a file into the directory: all of them, or nobody.

Nothing can be wrong with the people any more when this begins. They are kept as an order (`server.core.under_way`) and
written in short transactions, between which others get their turn. An import that was interrupted is finished by the next
one, or by housekeeping, from where it had come. Whoever is erased meanwhile does not come back with it: a row that named
somebody of the directory when it was looked at adds nobody.
"""

import hashlib
import itertools
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.utils.translation import gettext as _

from server.audit import log
from server.core import under_way
from server.core.progress import Bar, no_bar
from server.database.transactions import Pieces, reading
from server.directory import corrections
from server.directory.models import Company, Group, ImportProgress, KeptCorrection, Person
from server.people_files.cells import PersonRow
from server.people_files.kept_rows import KeptRows

BATCH = 500
ORDER = "people"
_AS_DIGITS, _AS_BYTES = bytes.maketrans(b"\0\1", b"01"), bytes.maketrans(b"01", b"\0\1")

_COMPARED = ("first_name", "last_name", "title", "work_landline", "work_cell", "site_addresses")
_Membership = Person.groups.through


@dataclass(frozen=True)
class Difference:
    """What an import changed, or would change.

    `not_in_file`: people whom the file does not name. `left_out`: who was in the directory when it was looked at, and is not
    any more, as who was erased meanwhile.
    """

    added: int
    changed: int
    unchanged: int
    new_groups: tuple[str, ...]
    not_in_file: int
    left_out: int = 0


@dataclass(frozen=True)
class Edit:
    """What changes for one person. `fields`: the present and the new value by name."""

    email: str
    fields: Mapping[str, tuple[str | list[str], str | list[str]]]
    joined: Sequence[str]
    left: Sequence[str]


@dataclass(frozen=True)
class Comparison:
    """What an import would change: how much, the first people who are new and who change, and all whom it does not name.

    `digest`: of all who are new, and of all who change with what they are now, in hex. `known`: a byte for each row of the
    file, 1 where that person is in the directory.
    """

    difference: Difference
    added: Sequence[PersonRow]
    edited: Sequence[Edit]
    not_in_file: Sequence[UUID]
    digest: str
    known: bytes


def compare_people(
    company: Company, rows: Sequence[PersonRow], *, most: int, bar: Bar = no_bar
) -> Comparison:
    """What an import of these people would change, with at most `most` of those who are new and of those who change."""
    with reading():
        return _Import(company, bar, most).compare(rows)


def import_people(
    company: Company,
    rows: Sequence[PersonRow],
    *,
    dry_run: bool,
    bar: Bar = no_bar,
    actor: str = log.COMMAND_LINE,
    known: bytes | None = None,
) -> Difference:
    """Add or change the people of the file, and put them into the groups that it names; on record by `actor`.

    A person's groups become those of the file, where it has a column for groups. People whom it does not name
    stay as they are. With `dry_run` it is only found out what would change. `known`: as `Comparison` has it, of when it was
    looked at; of now without it. Who was known then and is not any more is left out: they were erased since.

    Raises `Refused` while another import of this company is under way, and `EnvironmentFault` when the data folder cannot be
    used; nothing has changed then.
    """
    if dry_run:
        return compare_people(company, rows, most=0, bar=bar).difference
    kept = rows if isinstance(rows, KeptRows) else KeptRows(rows)
    with under_way.order(ORDER, company.pk) as order:
        if order.content:
            _Import(company, no_bar).run(_Wanted.from_bytes(order.content))
        known = compare_people(company, kept, most=0).known if known is None else known
        wanted = _Wanted(uuid.uuid4().hex, actor, known, kept)
        order.begin(wanted.content())
        difference = _Import(company, bar).run(wanted)
        order.done()
    return difference


def finish_import(company: Company, bar: Bar = no_bar) -> Difference | None:
    """Carry out the company's import that was interrupted, from there on; None where none was.

    Raises as `import_people` does.
    """
    with under_way.order(ORDER, company.pk) as order:
        if not order.content:
            return None
        difference = _Import(company, bar).run(_Wanted.from_bytes(order.content))
        order.done()
    return difference


def last_import(company: Company) -> Difference | None:
    """What the company's last import did; without names of groups, and whom its file did not name."""
    progress = ImportProgress.objects.filter(company=company).first()
    return _done(progress) if progress else None


def _done(progress: ImportProgress) -> Difference:
    rows = progress.reached - 1
    unchanged = rows - progress.added - progress.changed - progress.left_out
    return Difference(progress.added, progress.changed, unchanged, (), 0, progress.left_out)


def finish_imports() -> int:
    """Carry out the imports that were interrupted. Answers how many. Raises `EnvironmentFault`."""
    finished = 0
    for name in under_way.interrupted(ORDER):
        company = Company.objects.filter(pk=name).first()
        if company is not None:
            finished += finish_import(company) is not None
        else:
            with under_way.order(ORDER, name) as order:
                order.done()
    return finished


@dataclass(frozen=True)
class _Wanted:
    """An import as its order keeps it: a line about it, a line of `known` as digits, and the rows."""

    order: str
    actor: str
    known: bytes
    rows: KeptRows

    def content(self) -> bytes:
        about = json.dumps({"order": self.order, "actor": self.actor}).encode()
        return b"\n".join((about, self.known.translate(_AS_DIGITS), self.rows.content()))

    @classmethod
    def from_bytes(cls, content: bytes) -> "_Wanted":
        about, _newline, rest = content.partition(b"\n")
        said = json.loads(about)
        if "order" not in said:  # of a version that kept the rows alone
            rows = KeptRows.from_bytes(content)
            return cls(hashlib.sha256(content).hexdigest()[:32], "server", bytes(len(rows)), rows)
        known, _newline, lines = rest.partition(b"\n")
        return cls(said["order"], said["actor"], known.translate(_AS_BYTES), KeptRows.from_bytes(lines))


@dataclass
class _Changes:
    """What a batch of rows changes. `joined`: of whom, and which group by its name in any case. `left`: memberships.

    `caught_up`: accepted corrections that end, since the directory says the same by now, or something new.
    """

    added: list[Person] = field(default_factory=list)
    described: list[Person] = field(default_factory=list)
    joined: list[tuple[UUID, str]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    caught_up: list[int] = field(default_factory=list)
    edited: int = 0
    left_out: int = 0
    edits: list[Edit] = field(default_factory=list)


class _Import:
    def __init__(self, company: Company, bar: Bar, most_edits: int = 0) -> None:
        self._company = company
        self._bar = bar
        self._most_edits = most_edits
        self._groups: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._called: dict[str, str] = {}
        self._compared = hashlib.sha256()
        self._known = bytearray()

    def compare(self, rows: Sequence[PersonRow]) -> Comparison:
        """What would change. Within `reading`."""
        self._know_groups()
        self._know_addresses(rows)
        added: list[PersonRow] = []
        edited: list[Edit] = []

        def keep(batch: Sequence[PersonRow], changes: _Changes) -> None:
            edited.extend(changes.edits[: self._most_edits - len(edited)])
            if len(added) < self._most_edits:
                new = {person.email for person in changes.added}
                added.extend([row for row in batch if row.email in new][: self._most_edits - len(added)])

        difference = self._through(rows, _("Comparing people"), nullcontext, keep)
        not_named = self._not_named(rows) if self._most_edits else ()
        return Comparison(
            difference, added, edited, not_named, self._compared.hexdigest(), bytes(self._known)
        )

    def _not_named(self, rows: Sequence[PersonRow]) -> Sequence[UUID]:
        named = {self._called.get(row.email, row.email) for row in rows}
        people = self._company.people.order_by("email").values_list("pk", "email")
        return [pk for pk, email in people.iterator(BATCH) if email not in named]

    def run(self, wanted: _Wanted) -> Difference:
        """Change it, in short transactions, from where it was interrupted; the last one puts it on record and into feeds."""
        pieces, rows = Pieces(), wanted.rows
        progress = ImportProgress.objects.filter(company=self._company, order=wanted.order).first()
        progress = progress or ImportProgress(company=self._company, order=wanted.order, reached=0)
        self._know_groups()
        self._know_addresses(rows)
        new_groups = self._new_groups(rows)
        with pieces.piece():
            made = [Group(company=self._company, name=name) for name in new_groups]
            Group.objects.bulk_create(made, ignore_conflicts=True)
        self._know_groups()

        def write(batch: Sequence[PersonRow], changes: _Changes) -> None:
            self._write(changes)
            progress.reached += len(batch)
            progress.added += len(changes.added)
            progress.changed += changes.edited
            progress.left_out += changes.left_out
            progress.save()  # with the people, so that no row of the file is written twice

        title, begin = _("Writing people"), progress.reached
        self._through(rows, title, lambda: self._locked(pieces), write, wanted.known, begin)
        if progress.reached <= len(rows):
            with pieces.piece():
                if progress.added or progress.changed or new_groups:
                    self._company.feeds_changed()
                detail = {"added": progress.added, "changed": progress.changed}
                log.record(self._company, wanted.actor, "import-people", detail=detail)
                progress.reached = len(rows) + 1
                progress.save()
        not_named = self._company.people.count() - (len(rows) - progress.left_out)
        return replace(_done(progress), new_groups=new_groups, not_in_file=max(0, not_named))

    @contextmanager
    def _locked(self, pieces: Pieces) -> Iterator[None]:
        """A piece that first locks the company, as erasures and corrections do: two never wait for each other's people."""
        with pieces.piece():
            self._company = Company.objects.select_for_update(no_key=True).get(pk=self._company.pk)
            yield

    def _through(
        self,
        rows: Sequence[PersonRow],
        title: str,
        piece: Callable[[], AbstractContextManager[None]],
        use: Callable[[Sequence[PersonRow], _Changes], None],
        known: bytes = b"",
        start: int = 0,
    ) -> Difference:
        """Each batch in a piece of its own, from the row `start` on. The bar is moved on between two.

        `known`: as `Comparison` has it.
        """
        tick = self._bar(title, len(rows))
        before = self._company.people.count()
        added = edited = left_out = 0
        reached, iterator = start, itertools.islice(rows, start, None)
        while batch := list(itertools.islice(iterator, BATCH)):
            with piece():
                changes = self._changes(batch, known[reached : reached + len(batch)])
                use(batch, changes)
            added += len(changes.added)
            edited += changes.edited
            left_out += changes.left_out
            reached += len(batch)
            tick(reached)
        return Difference(
            added=added,
            changed=edited,
            unchanged=max(0, reached - start) - added - edited - left_out,
            new_groups=self._new_groups(rows),
            not_in_file=max(0, before + added + left_out - reached),
            left_out=left_out,
        )

    def _know_groups(self) -> None:
        self._names = dict(self._company.groups.values_list("pk", "name"))
        self._groups = {name.casefold(): pk for pk, name in self._names.items()}

    def _know_addresses(self, rows: Iterable[PersonRow]) -> None:
        """By which address each person of the file is called here, where their correction of it was accepted.

        Where the file has both, the old one has become somebody else's.
        """
        old = corrections.old_addresses(self._company)
        self._called = {}
        if old:
            now = {email for _person, email in old.values()}
            for row in rows:
                now.discard(row.email)
                found = old.get(corrections.digest_of(self._company.pk, "email", row.email))
                if found is not None:
                    self._called[row.email] = found[1]
            self._called = {address: email for address, email in self._called.items() if email in now}

    def _new_groups(self, rows: Iterable[PersonRow]) -> tuple[str, ...]:
        """The names that no group has, in any case, as they are written first."""
        new: dict[str, str] = {}
        for name in itertools.chain.from_iterable(row.groups or () for row in rows):
            if name.casefold() not in self._groups:
                new.setdefault(name.casefold(), name)
        return tuple(sorted(new.values()))

    def _changes(self, rows: Sequence[PersonRow], known_then: bytes) -> _Changes:
        people = self._company.people.filter(
            email__in=[self._called.get(row.email, row.email) for row in rows]
        )
        known = {person.email: person for person in people.prefetch_related("kept_corrections")}
        before = self._memberships([person.pk for person in known.values()])
        changes = _Changes()
        for row, was_known in zip(rows, known_then or bytes(len(rows)), strict=True):
            person = known.get(self._called.get(row.email, row.email))
            self._known.append(person is not None)
            if person is None and was_known:
                changes.left_out += 1
            elif person is None:
                person = self._described(Person(company=self._company, email=row.email), row)
                changes.added.append(person)
                self._compared.update(f"new {row.email}\n".encode())
                self._move(changes, person.pk, {}, row)
            else:
                groups = before.get(person.pk, {})
                corrected = person.kept_corrections.all()
                caught_up = {one.field: one.pk for one in corrected if self._says_new(one, row)}
                changes.caught_up += caught_up.values()
                held = {one.field for one in corrected} - caught_up.keys()
                moved = self._move(changes, person.pk, groups, row)
                differs = self._differs(person, row, held)
                if len(changes.edits) < self._most_edits and (moved or differs):
                    changes.edits.append(self._edit(person, groups, row, held))
                if moved or differs:
                    now = [getattr(person, name) for name in _COMPARED]
                    self._compared.update(f"{row.email} {now} {sorted(groups)}\n".encode())
                if differs:
                    changes.described.append(self._described(person, row, held))
                changes.edited += moved or differs
        return changes

    def _memberships(self, people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
        """Who is in which group, by its name in any case, with the membership's number."""
        names = {pk: name for name, pk in self._groups.items()}
        found: dict[UUID, dict[str, int]] = defaultdict(dict)
        rows = _Membership.objects.filter(person__in=people)
        for pk, person, group in rows.values_list("pk", "person_id", "group_id"):
            if group in names:
                found[person][names[group]] = pk
        return found

    def _move(self, changes: _Changes, person: UUID, before: Mapping[str, int], row: PersonRow) -> bool:
        """Whether the file says other groups than those that the person is in."""
        if row.groups is None:
            return False
        wanted = {name.casefold() for name in row.groups}
        changes.joined += [(person, name) for name in sorted(wanted - before.keys())]
        changes.left += [before[name] for name in before.keys() - wanted]
        return wanted != before.keys()

    def _edit(self, person: Person, before: Mapping[str, int], row: PersonRow, held: Set[str]) -> Edit:
        taken = self._taken(person, row, held).items()
        fields = {
            name: (getattr(person, name), value) for name, value in taken if getattr(person, name) != value
        }
        wanted = {} if row.groups is None else {name.casefold(): name for name in row.groups}
        left = set() if row.groups is None else before.keys() - wanted.keys()
        return Edit(
            person.email,
            fields,
            sorted(wanted[name] for name in wanted.keys() - before.keys()),
            sorted(self._names[self._groups[name]] for name in left),
        )

    def _differs(self, person: Person, row: PersonRow, held: Set[str]) -> bool:
        return any(getattr(person, name) != value for name, value in self._taken(person, row, held).items())

    def _described(self, person: Person, row: PersonRow, held: Set[str] = frozenset()) -> Person:
        for name, value in self._taken(person, row, held).items():
            setattr(person, name, value)
        return person

    def _taken(self, person: Person, row: PersonRow, held: Set[str]) -> Mapping[str, str | list[str]]:
        """What the file may change: not what the person has corrected. `held`: accepted, and the file says nothing new."""
        kept = held | (set(person.own_fields) - set(self._company.directory_fields))
        return {name: value for name, value in row.fields.items() if name not in kept}

    def _says_new(self, kept: KeptCorrection, row: PersonRow) -> bool:
        """Whether the file says something else of this field than before it was corrected."""
        said = row.email if kept.field == "email" else row.fields.get(kept.field)
        return said is not None and corrections.digest_of(self._company.pk, kept.field, said) != kept.replaced

    def _write(self, changes: _Changes) -> None:
        Person.objects.bulk_create(changes.added)
        if changes.described:
            # As a twin under a new id: the upsert must conflict on the address alone. The stored id stays.
            for person in changes.described:
                person.pk = uuid.uuid4()
            Person.objects.bulk_create(
                changes.described,
                update_conflicts=True,
                unique_fields=("company", "email"),
                update_fields=_COMPARED,
            )
        joined = [
            _Membership(person_id=person, group_id=self._groups[name]) for person, name in changes.joined
        ]
        _Membership.objects.bulk_create(joined, ignore_conflicts=True)
        _Membership.objects.filter(pk__in=changes.left).delete()
        KeptCorrection.objects.filter(pk__in=changes.caught_up).delete()
