"""Look for tampering in a company's audit chain: a changed byte, an entry removed or out of order, a cut tail."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from server.audit import chain_heads
from server.audit.chain_heads import START, Break, Head, Kept
from server.audit.log import BREAK, EXPLAIN, GAP, RESTORED, digest, head_of, is_continued, subject_of
from server.audit.models import Chain, Entry, EntrySubject
from server.core.errors import EnvironmentFault
from server.core.progress import Bar, no_bar
from server.database.values import unreadable
from server.directory.models import Company

TRIES = 20
ROWS_AT_ONCE = 500


def what_to_do() -> str:
    """What somebody does who is told of faults."""
    return _(
        "Was the database restored from a backup, or a disk at fault? Then say so: tidings-server audit explain. If not, "
        "somebody changed it."
    )


@dataclass(frozen=True)
class Fault:
    """One thing that speaks of tampering. `key`: what an explanation calls it; without one it cannot be explained."""

    key: str
    text: str


@dataclass
class Verdict:
    """What was found. Sound without `faults`; `notes` are faults that a person has explained."""

    entries: int = 0
    head: Head = START
    found: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    broken: Break | None = None
    """A break that is not on record yet: the next entry puts it there."""

    @property
    def faults(self) -> list[str]:
        """In words."""
        return [fault.text for fault in self.found]

    @property
    def sound(self) -> bool:
        """Whether nothing speaks of tampering that nobody has explained."""
        return not self.found


def verify(company: Company, expected: str | None = None, bar: Bar = no_bar) -> Verdict:
    """Check every entry and the end. `expected`: a digest noted elsewhere, which must be part of the chain."""
    if columns := list(unreadable((Entry, Chain, EntrySubject))):
        text = _("Values that cannot be read are in: {columns}")
        return Verdict(found=[Fault("", text.format(columns=", ".join(columns)))])
    last = Entry.objects.filter(company=company).order_by("-number").first()
    end = _End(company)
    reading = _Reading(expected)
    until = max(end.head.number, last.number if last else 0)  # later ones are being appended
    tick = bar("", until)
    for entry in (
        Entry.objects.filter(company=company, number__lte=until).order_by("number").iterator(ROWS_AT_ONCE)
    ):
        reading.take(entry)
        if entry.number % ROWS_AT_ONCE == 0:
            tick(entry.number)
    verdict = reading.verdict
    end.check(reading)
    _check_subjects(company, verdict)
    _tell_gaps(reading)
    _tell_explained(verdict, end.kept)
    if expected is not None and not (expected and reading.has_expected):
        text = _("The digest that you expect is not in this log: {digest}")
        verdict.found.append(Fault("", text.format(digest=expected)))
    return verdict


def _check_subjects(company: Company, verdict: Verdict) -> None:
    """Whether each entry about a person who is here is about whom it was written."""
    for row in EntrySubject.objects.filter(entry__company=company).select_related("entry").iterator():
        entry = row.entry
        if entry.subject != subject_of(company.pk, entry.number, row.person_id, bytes(row.nonce)):
            text = _("Whom entry {number} is about was changed").format(number=entry.number)
            verdict.found.append(Fault(f"subject:{entry.digest}", text))


def end_faults(company: Company) -> list[str]:
    """What is wrong with the end of the log, without reading all of it."""
    end, verdict = _End(company), Verdict()
    end.compare(verdict)
    _tell_explained(verdict, end.kept)
    return verdict.faults


def noted_breaks(company: Company) -> list[str]:
    """What every new entry has noted about the end of the log, as far as nobody has explained it: no query, one file."""
    try:
        kept = chain_heads.kept(company.pk)
    except EnvironmentFault as error:
        return [f"{error.title}: {error.message}"]
    return [_told(one) for one in kept.breaks if one.key not in kept.explained] if kept else []


class _End:
    """The end of the log, in the database and in the data folder, at one moment."""

    def __init__(self, company: Company) -> None:
        self.kept: Kept | None = None
        self.unreadable: EnvironmentFault | None = None
        self._read(company)
        for _try in range(TRIES):
            before = self.kept
            self._read(company)
            if before == self.kept and self.head == head_of(self.last):
                break

    def _read(self, company: Company) -> None:
        """The database first: in between, the file only learns of entries."""
        self.chain = Chain.objects.filter(company=company).first()
        self.last = Entry.objects.filter(company=company).order_by("-number").first()
        self.head = Head(self.chain.number, self.chain.digest) if self.chain else START
        try:
            self.kept = chain_heads.kept(company.pk)
        except EnvironmentFault as error:
            self.unreadable = error

    def check(self, reading: "_Reading") -> None:
        """Hold the end against what was read."""
        verdict = reading.verdict
        if self.head != verdict.head:
            text = _("The log ends with entry {found}, but the database has noted {noted} as its end")
            key = f"end:{verdict.head.digest}:{self.head.digest}"
            verdict.found.append(Fault(key, text.format(found=verdict.head.number, noted=self.head.number)))
        self.compare(verdict)

    def compare(self, verdict: Verdict) -> None:
        """Hold the end in the database against that in the data folder."""
        if self.unreadable is not None:
            verdict.found.append(Fault("", f"{self.unreadable.title}: {self.unreadable.message}"))
            return
        for one in self.kept.breaks if self.kept else ():
            verdict.found.append(Fault(one.key, _told(one)))
        if not is_continued(self.kept, self.chain, self.last):
            now = Break("", self.kept.end if self.kept else None, head_of(self.last))
            verdict.broken = now
            if now.key not in {fault.key for fault in verdict.found}:
                verdict.found.append(Fault(now.key, _told(now)))


def _told(found: Break) -> str:
    if found.remembered is None:
        text = _(
            "{time} The data folder has lost the end of the log: nobody can say whether entries were changed."
        )
        return text.format(time=found.time).strip()
    if found.database.number < found.remembered.number:
        text = _(
            "{time} The database is older than the data folder: it ends with entry {found}, and {kept} is remembered."
        )
    else:
        text = _(
            "{time} The log was written anew: the data folder remembers another entry {kept} than the database has, which "
            "ends with {found}."
        )
    return text.format(time=found.time, found=found.database.number, kept=found.remembered.number).strip()


def _tell_explained(verdict: Verdict, kept: Kept | None) -> None:
    """A fault becomes a note when a person has explained it."""
    if kept is None:
        return
    for one in kept.explanations:
        faults = [fault for fault in verdict.found if fault.key in one.faults]
        text = _("{time}, {by}: “{reason}” (entry {entry}). It explains: {faults}")
        if faults:
            verdict.notes.append(
                text.format(
                    time=one.time,
                    by=one.by,
                    reason=one.reason,
                    entry=one.entry,
                    faults=" ".join(fault.text for fault in faults),
                )
            )
    verdict.found = [fault for fault in verdict.found if fault.key not in kept.explained]


@dataclass(frozen=True)
class _Gap:
    """The entry `number` says that those from `first` to `last` were lost before it."""

    number: int
    time: str
    first: int
    last: int


class _Reading:
    """One pass over the entries, each held against the one before."""

    def __init__(self, expected: str | None) -> None:
        self.verdict = Verdict()
        self._expected = expected
        self.has_expected = False
        self.gaps: list[_Gap] = []
        self.explained = 0

    def take(self, entry: Entry) -> None:
        before, own = self.verdict.head, digest(entry)
        if entry.number != before.number + 1 and not self._continues(entry):
            missing = _("Missing: the entries from {first} to {last}")
            text = missing.format(first=before.number + 1, last=entry.number - 1)
            self._fault(f"missing:{before.digest}:{own}", text)
        if entry.previous != before.digest:
            text = _("Entry {number} does not follow on the one before").format(number=entry.number)
            self._fault(f"follows:{before.digest}:{own}", text)
        if entry.digest != own:
            text = _("Entry {number} was changed").format(number=entry.number)
            self._fault(f"changed:{own}:{entry.digest}", text)
        if entry.action in (RESTORED, EXPLAIN):
            self.explained = entry.number
        self.verdict.entries += 1
        self.verdict.head = Head(entry.number, entry.digest)
        self.has_expected = self.has_expected or entry.digest == self._expected

    def _continues(self, entry: Entry) -> bool:
        """Whether the entry itself says which ones were lost before it."""
        before, detail = self.verdict.head, _detail(entry)
        database = {"number": before.number, "digest": before.digest}
        remembered = detail.get("data_folder")
        lost = remembered.get("number") if isinstance(remembered, dict) else None
        if (
            entry.action not in (BREAK, GAP, RESTORED)
            or detail.get("database") != database
            or lost != entry.number - 1
        ):
            return False
        self.gaps.append(_Gap(entry.number, entry.time, before.number + 1, entry.number - 1))
        return True

    def _fault(self, key: str, text: str) -> None:
        self.verdict.found.append(Fault(key, text))


def _tell_gaps(reading: _Reading) -> None:
    """A gap is a fault until somebody has explained it in the log. Who wrote that without the data folder made a break."""
    for gap in reading.gaps:
        if gap.number <= reading.explained:
            text = _("{time}: the entries from {first} to {last} were lost, which was explained later")
            reading.verdict.notes.append(text.format(time=gap.time, first=gap.first, last=gap.last))
        else:
            text = _("The entries from {first} to {last} are lost.").format(first=gap.first, last=gap.last)
            reading.verdict.found.append(Fault(f"gap:{gap.number}:{gap.first}", text))


def _detail(entry: Entry) -> dict[str, Any]:
    """A detail that was made unreadable is found by its digest."""
    try:
        detail = json.loads(entry.detail)
    except (ValueError, RecursionError):
        return {}
    return detail if isinstance(detail, dict) else {}
