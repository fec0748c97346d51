"""Look for tampering in a company's audit chain: a changed byte, an entry removed or out of order, a cut tail."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from server.audit import heads
from server.audit.heads import Head
from server.audit.log import GAP, RESTORED, digest
from server.audit.models import Chain, Entry
from server.directory.models import Company
from server.errors import EnvironmentFault


@dataclass
class Verdict:
    """What was found. Sound without `faults`; `notes` are gaps that an administrator has explained."""

    entries: int = 0
    head: Head = field(default_factory=lambda: Head(0, ""))
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing speaks of tampering."""
        return not self.faults


def verify(company: Company, expected: str | None = None) -> Verdict:
    """Check every entry and the end. `expected`: a digest noted elsewhere, which must be part of the chain."""
    reading = _Reading()
    for entry in Entry.objects.filter(company=company).order_by("number").iterator():
        reading.take(entry)
    verdict = reading.verdict
    _check_end(company, reading)
    _check_data_folder(company, reading)
    _tell_gaps(reading)
    if expected is not None and (not expected or expected not in reading.digests.values()):
        verdict.faults.append(
            _("The digest that you expect is not in this log: {digest}").format(digest=expected)
        )
    return verdict


@dataclass(frozen=True)
class _Gap:
    """The entry `number` says that those from `first` to `last` were lost before it."""

    number: int
    time: str
    first: int
    last: int


class _Reading:
    """One pass over the entries, each held against the one before."""

    def __init__(self) -> None:
        self.verdict = Verdict()
        self.digests: dict[int, str] = {0: ""}
        self.gaps: list[_Gap] = []
        self.explained = 0

    def take(self, entry: Entry) -> None:
        before = self.verdict.head
        detail = _detail(entry)
        if entry.number != before.number + 1 and not self._continues(entry, detail):
            missing = _("Missing: the entries from {first} to {last}")
            self._fault(missing.format(first=before.number + 1, last=entry.number - 1))
        if entry.previous != before.digest:
            self._fault(_("Entry {number} does not follow on the one before").format(number=entry.number))
        if entry.digest != digest(entry):
            self._fault(_("Entry {number} was changed").format(number=entry.number))
        if entry.action == RESTORED:
            self.explained = entry.number
        self.verdict.entries += 1
        self.verdict.head = Head(entry.number, entry.digest)
        self.digests[entry.number] = entry.digest

    def _continues(self, entry: Entry, detail: dict[str, Any]) -> bool:
        """Whether the entry itself says which ones were lost before it."""
        before = self.verdict.head
        database = {"number": before.number, "digest": before.digest}
        remembered = detail.get("data_folder")
        lost = remembered.get("number") if isinstance(remembered, dict) else None
        if (
            entry.action not in (GAP, RESTORED)
            or detail.get("database") != database
            or lost != entry.number - 1
        ):
            return False
        self.gaps.append(_Gap(entry.number, entry.time, before.number + 1, entry.number - 1))
        return True

    def _fault(self, text: str) -> None:
        self.verdict.faults.append(text)


def _check_end(company: Company, reading: _Reading) -> None:
    chain = Chain.objects.filter(company=company).first()
    noted = Head(chain.number, chain.digest) if chain else Head(0, "")
    if noted != reading.verdict.head:
        text = _("The log ends with entry {found}, but the database has noted {noted} as its end")
        reading.verdict.faults.append(text.format(found=reading.verdict.head.number, noted=noted.number))


def _check_data_folder(company: Company, reading: _Reading) -> None:
    faults, last = reading.verdict.faults, reading.verdict.head
    try:
        kept = heads.kept(company.pk)
    except EnvironmentFault as fault:
        faults.append(f"{fault.title}: {fault.message}")
        return
    if kept is None:
        if last.number:
            faults.append(
                _("The data folder has lost the end of the log: nobody can say whether entries were cut off")
            )
    elif kept.number > last.number:
        text = _(
            "The database is older than the end in the data folder ({kept} entries, the database has {found}). Was it "
            "restored from a backup? Then say so: tidings-server audit restored. If not, entries were cut off."
        )
        faults.append(text.format(kept=kept.number, found=last.number))
    elif reading.digests.get(kept.number) != kept.digest:
        text = _("Entry {number} is another one than the data folder remembers: the log was written anew")
        faults.append(text.format(number=kept.number))


def _tell_gaps(reading: _Reading) -> None:
    """A gap is a fault until somebody has said, in the log, that a backup was restored."""
    for gap in reading.gaps:
        if gap.number <= reading.explained:
            text = _("{time}: restored from a backup; the entries from {first} to {last} were lost")
            reading.verdict.notes.append(text.format(time=gap.time, first=gap.first, last=gap.last))
        else:
            text = _(
                "The entries from {first} to {last} are lost. Was the database restored from a backup? Then say so: "
                "tidings-server audit restored. If not, they were cut off."
            )
            reading.verdict.faults.append(text.format(first=gap.first, last=gap.last))


def _detail(entry: Entry) -> dict[str, Any]:
    """A detail that was made unreadable is found by its digest."""
    try:
        detail = json.loads(entry.detail)
    except (ValueError, RecursionError):
        return {}
    return detail if isinstance(detail, dict) else {}
