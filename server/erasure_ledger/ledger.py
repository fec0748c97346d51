"""The erasure ledger: a file outside of the database with what a restored backup would undo, so that it can be done again.

One line of JSON for each fact, in `erasures.ledger` of the data folder. Nobody can be named from it: a person is the
SHA-256 of their random id, a token the SHA-256 of its hash. Each line holds a digest over itself and the digest of the line
before, so that a line that was changed or taken away is noticed. A line is on the disk before its transaction commits: after
a crash in between, the ledger is ahead of the database, and the next start does what the line says.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from server.core import private_files
from server.core.clock import now
from server.core.errors import EnvironmentFault
from server.core.json_text import read_json
from server.erasure_ledger.models import LedgerState
from server.signing.digests import canonical_json

FILE_NAME = "erasures.ledger"
LONGEST_LINE = 2000
"""Bytes. Far more than any fact needs."""

Kind = Literal[
    "person-erased",
    "consent-withdrawn",
    "device-revoked",
    "access-revoked",
    "campaign-recalled",
    "campaign-closed",
    "company-closed",
]
KINDS = frozenset(get_args(Kind))


@dataclass(frozen=True)
class Fact:
    """One thing that must not be undone. Fields that do not belong to its kind are empty.

    `person`: see `person_hash`. `time`: of a withdrawal, as the person's computer said it (RFC 3339, UTC). `token`: of a
    computer, of the administration API, or of what lets somebody into the console, see `token_digest`.
    """

    kind: Kind
    company: str
    person: str = ""
    signal: str = ""
    receipt_id: str = ""
    time: str = ""
    campaign: str = ""
    token: str = ""


@dataclass(frozen=True)
class Mark:
    """A place in the ledger: a line's number, from 1, and its digest in hex. 0 and empty before the first line."""

    number: int
    digest: str


START = Mark(0, "")


def path() -> Path:
    """Where the ledger lies, whether it is there or not."""
    return Path(settings.DATA) / FILE_NAME


def person_hash(person_id: UUID) -> str:
    """How a person is named in the ledger. The id is random: without the person's row nobody can be found from it."""
    return hashlib.sha256(b"tidings erasure ledger person " + person_id.bytes).hexdigest()


def token_digest(token_hash: str) -> str:
    """How a token is named in the ledger: its stored hash, hashed again, which is in no row and lets nobody in."""
    return hashlib.sha256(b"tidings erasure ledger token " + token_hash.encode()).hexdigest()


def write(facts: Iterable[Fact]) -> None:
    """Append facts, on the disk before this returns.

    Call it last in the transaction that does what they say; only the audit log comes after, always: each is one row, and two
    acts that took them in different orders would wait for each other.

    Raises `EnvironmentFault` when the disk refuses, or when the ledger is not the one of this database.
    """
    LedgerState.objects.get_or_create(pk=1)
    state = LedgerState.objects.select_for_update().get(pk=1)
    applied = Mark(state.number, state.digest)
    with _locked() as file:
        end = _end_of(file)
        if end.number < applied.number:
            raise _shorter(end, applied)
        fresh, lines = _lines(end, facts)
        _append(file, lines)
    if end == applied:
        # Otherwise lines are waiting to be applied, which the next start does: only then is this place reached.
        state.number, state.digest = fresh.number, fresh.digest
        state.save(update_fields=["number", "digest"])


def begin_anew() -> None:
    """Put the file aside and begin an empty one, within a transaction. For a ledger that is lost or damaged for good."""
    LedgerState.objects.all().delete()
    if path().exists():
        path().replace(path().with_suffix(f".{now():%Y%m%dT%H%M%S}.old"))


def end() -> Mark:
    """The last line's place. Reads the end of the file only. Raises `EnvironmentFault` for a broken line."""
    if not path().exists():
        return START
    with _locked() as file:
        return _end_of(file)


def read() -> Iterator[tuple[Mark, Fact]]:
    """The facts with their places, each after checking its line, as far as the ledger went when this began.

    Nothing is locked meanwhile: lines are only ever added. Raises `EnvironmentFault` for a broken ledger.
    """
    if not path().exists():
        return
    with _locked() as file:
        _end_of(file)  # cuts off a line that a crash left unfinished
        left = os.fstat(file).st_size
    before = START
    try:
        with path().open("rb") as lines:
            while left > 0:
                line = lines.readline(LONGEST_LINE + 1)
                left -= max(1, len(line))  # 1: it was cut off meanwhile, which the line's form tells
                mark, fact = _parsed(line, before.number + 1)
                if not line.endswith(b"\n") or mark != _digested(before, fact):
                    raise _broken(before.number + 1)
                yield mark, fact
                before = mark
    except OSError as error:
        raise _unusable(error) from error


def after(applied: Mark) -> Iterator[tuple[Mark, Fact]]:
    """The facts with their places that have not been applied yet, after checking all lines before them.

    Raises `EnvironmentFault` for a broken ledger, and where it is not this database's.
    """
    last = START
    for last, fact in read():
        if last.number == applied.number and last != applied:
            raise EnvironmentFault(
                _("The erasure ledger belongs to another database"),
                _(
                    "Line {number} of {file} is not the line that this database knows. Put this server's own ledger back, "
                    "or see: tidings-server ledger --help"
                ).format(number=applied.number, file=path()),
            )
        if last.number > applied.number:
            yield last, fact
    if last.number < applied.number:
        raise _shorter(last, applied)


def _lines(end: Mark, facts: Iterable[Fact]) -> tuple[Mark, bytes]:
    """The facts as lines, and the place of the last one."""
    lines = []
    for fact in facts:
        end = _digested(end, fact)
        lines.append(canonical_json(_filled(fact) | asdict(end)).encode() + b"\n")
    return end, b"".join(lines)


def _filled(fact: Fact) -> dict[str, str]:
    return {name: value for name, value in asdict(fact).items() if value}


def _digested(before: Mark, fact: Fact) -> Mark:
    number = before.number + 1
    content = canonical_json(_filled(fact) | {"number": number, "before": before.digest})
    return Mark(number, hashlib.sha256(content.encode()).hexdigest())


def _parsed(line: bytes, number: int) -> tuple[Mark, Fact]:
    try:
        content = read_json(line)
        mark = Mark(content.pop("number"), content.pop("digest"))
        fact = Fact(**content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(number) from error
    if fact.kind not in KINDS:
        raise _broken(number)
    return mark, fact


@contextlib.contextmanager
def _locked() -> Iterator[int]:
    """The open file, for one process at a time. Raises `EnvironmentFault`."""
    try:
        is_new = not path().exists()
        file = os.open(path(), os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_new:
            private_files.sync_folder(path().parent)
        yield file
    except OSError as error:
        raise _unusable(error) from error
    finally:
        os.close(file)


def _append(file: int, lines: bytes) -> None:
    size = os.fstat(file).st_size
    try:
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, size)
        raise


def _end_of(file: int) -> Mark:
    """The last line's place. What a crash left of an unfinished line is cut off: its transaction never committed."""
    size = os.fstat(file).st_size
    tail = os.pread(file, 2 * LONGEST_LINE, max(0, size - 2 * LONGEST_LINE))
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        if len(tail) - whole > LONGEST_LINE:
            raise _broken(0)
        size -= len(tail) - whole
        os.ftruncate(file, size)
        os.fsync(file)
    if not size:
        return START
    last = tail[:whole].rstrip(b"\n").rpartition(b"\n")[2]
    return _parsed(last, 0)[0]


def _unusable(error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        _("The erasure ledger cannot be written"),
        _("{file}: {reason}. Without it a restored backup would bring back erased people.").format(
            file=path(), reason=error.strerror
        ),
    )


def _broken(number: int) -> EnvironmentFault:
    where = _("line {line}").format(line=number) if number else _("its last line")
    return EnvironmentFault(
        _("The erasure ledger is damaged"),
        _(
            "{file}, {where}: it was changed, or the disk is at fault. Put a sound copy back, or see: "
            "tidings-server ledger --help"
        ).format(file=path(), where=where),
    )


def _shorter(end: Mark, applied: Mark) -> EnvironmentFault:
    return EnvironmentFault(
        _("The erasure ledger is too short"),
        _(
            "{file} ends with line {end}, but this database knows line {applied}, too. Put the newest copy back: the ledger "
            "must not be restored together with a backup of the database. If it is lost, see: tidings-server ledger --help"
        ).format(file=path(), end=end.number, applied=applied.number),
    )
