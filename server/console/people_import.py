"""Files of people that somebody in the console brings in: read, compared and, once that was looked at, written.

It takes minutes for many people, so a thread does it, one file after the other, and pages say how far it has come. What was
read is kept in memory for as long as somebody may want to look at it: no copy of a directory lies in a folder. Once the
writing has begun it is an order (`server.people_files.upsert`), which is carried out whatever becomes of this process.
"""

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from operator import attrgetter

from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.console.reading_ahead import read_company_ahead
from server.core import background, clock, under_way
from server.core.errors import EnvironmentFault, Refused
from server.core.progress import Tick
from server.directory.models import Company
from server.erasure_ledger import ledger
from server.erasure_ledger.ledger import START, Mark
from server.people_files.formats import recognise
from server.people_files.groups import doubtful_names
from server.people_files.rows import Reading, read_people
from server.people_files.text_files import decode, possible_readings
from server.people_files.upsert import (
    ORDER,
    Comparison,
    Difference,
    compare_people,
    finish_import,
    import_people,
    last_import,
)

MOST_BYTES = 32 * 1024 * 1024
"""Of a file that comes by way of the console: about 250,000 people. The command takes more."""
MOST_LINES = 500_000
"""Reading takes time by lines, however short they are."""
MOST_SHOWN = 50
"""People of each kind, and mistakes."""
MOST_KEPT = 4
"""Files at once, of all companies."""
KEPT_FOR = timedelta(hours=1)
LOOKED_AFTER_EVERY_S = 30.0
"""So long after an erasure nothing of a waiting file is left in memory."""
FEW, SMALL_SHARE = 20, 0.05
"""A file that changes more people than both asks for their number."""

FEW_LEAVING, MANY_LEAVING = 5, 200
"""So many may be asked to be erased without their number: five, or one in twenty up to 200."""

_log = logging.getLogger(__name__)


class Stage(StrEnum):
    """How far a file has come."""

    READING = "reading"
    WHICH_ENCODING = "which-encoding"
    MISTAKES = "mistakes"
    READY = "ready"
    WRITING = "writing"
    INTERRUPTED = "interrupted"
    """Some are stored, and the others will be."""
    DONE = "done"
    REFUSED = "refused"


IN_WORK = (Stage.READING, Stage.WRITING)


@dataclass(frozen=True)
class Answers:
    """What somebody said about the file. `meant`: names of groups that look like those of several."""

    encoding: str = ""
    is_whole: bool = False
    meant: frozenset[str] = frozenset()


class _Cancelled(Exception):
    """Nobody wants it any more."""


@dataclass
class ImportJob:
    """One file. `title`, `reached` and `total` are of the present stage."""

    company_id: str
    actor: str
    language: str
    file_name: str
    content: bytes
    answers: Answers = Answers()
    number: str = field(default_factory=lambda: secrets.token_hex(8))
    began: float = 0.0
    ledger_end: Mark = START
    """Of the erasure ledger, up to which nobody of the company was erased since the file came."""
    stage: Stage = Stage.READING
    title: str = ""
    reached: int = 0
    total: int = 0
    encoding: str = ""
    doubtful_line: int = 0
    possible: dict[str, str] = field(default_factory=dict)
    reading: Reading | None = None
    doubtful_groups: dict[str, str] = field(default_factory=dict)
    comparison: Comparison | None = None
    look: int = 0
    """The number of the difference that is shown."""
    people_before: int = 0
    has_moved: bool = False
    """Whether the directory changed between the look at the difference and its being written: nothing was written then."""
    done: Difference | None = None
    fault: tuple[str, str] = ("", "")
    is_cancelled: bool = False

    @property
    def is_in_work(self) -> bool:
        """Whether a thread does something about it, or will."""
        return self.stage in IN_WORK

    @property
    def asks_for_number(self) -> bool:
        """Whether so many people change that their number has to be typed."""
        changed = self.comparison.difference.changed if self.comparison else 0
        return changed > max(FEW, SMALL_SHARE * self.people_before)

    @property
    def leaving_count(self) -> int:
        """How many of the directory the file does not name."""
        return len(self.comparison.not_in_file) if self.comparison else 0

    @property
    def asks_for_number_of_leaving(self) -> bool:
        """Whether so many are not in the file that their number has to be typed before they are to be erased."""
        return self.leaving_count > max(FEW_LEAVING, min(SMALL_SHARE * self.people_before, MANY_LEAVING))

    def cancel(self) -> None:
        """Nobody wants it any more: its bytes go at once, and its thread ends when it next looks."""
        self.is_cancelled = True
        self.content = b""

    def bar(self, title: str, total: int) -> Tick:
        """Begin a part of the work. Raises `_Cancelled` where nobody wants it any more."""
        self.title, self.reached, self.total = title, 0, total

        def tick(reached: int) -> None:
            if self.is_cancelled and self.stage is not Stage.WRITING:
                raise _Cancelled
            self.reached = reached

        return tick


class ImportJobs:
    """The files that are looked at or worked on now, one of each company.

    A file is forgotten after an hour, and when somebody of its company is erased: it may be about them.
    """

    def __init__(self) -> None:
        self._turns: dict[str, threading.Lock] = {}
        """Of each company: its files are worked on one after the other, and wait for no other company's."""
        self._lock = threading.Lock()
        self._keeper: threading.Thread | None = None
        self._jobs: dict[str, ImportJob] = {}

    def begin(self, account: Account, file_name: str, content: bytes, language: str) -> ImportJob:
        """Have a file read. One of the same company that nobody has applied is forgotten for it.

        Raises `Refused` for a file of too many lines, while people are written, and where too many companies do this at once.
        """
        if max(content.count(b"\n"), content.count(b"\r")) > MOST_LINES:
            raise Refused(
                _("The file has more than {most} lines").format(most=MOST_LINES),
                _("Bring it in on the server: tidings-server people import FILE"),
            )
        job = ImportJob(account.company_id, account.actor, language, file_name, content)
        job.began, job.ledger_end = clock.now().timestamp(), ledger.end()
        self.forget_outdated()
        with self._lock:
            before = self._jobs.get(account.company_id)
            if before and before.stage is Stage.WRITING:
                raise Refused(_("People are being brought in just now"), _("Wait until that is done."))
            if not before and len(self._jobs) >= MOST_KEPT:
                raise Refused(_("Several files are being brought in"), _("Try again in some minutes."))
            if before:
                before.cancel()
            self._jobs[account.company_id] = job
            if self._keeper is None:
                self._keeper = self._begin_to_look_after()
        self._start(job, _read)
        return job

    def of(self, company_id: str, number: str) -> ImportJob | None:
        """The file of this company and number, as long as it is kept."""
        job = self.current(company_id)
        return job if job and job.number == number else None

    def current(self, company_id: str) -> ImportJob | None:
        """The company's file, if there is one."""
        self.forget_outdated()
        with self._lock:
            return self._jobs.get(company_id)

    def read_again(self, job: ImportJob, answers: Answers) -> None:
        """Read it with what somebody said about it. Nothing, where it is not waiting for that."""
        if self._move(job, (Stage.WHICH_ENCODING, Stage.MISTAKES), Stage.READING):
            job.answers = answers
            self._start(job, _read)

    def apply(self, job: ImportJob, actor: str, look: int) -> None:
        """Write what was looked at, by the number of the look. Nothing, where that is being done or was done already.

        Where the page showed an earlier difference nothing is written, and the present one is to be looked at.
        """
        with self._lock:
            if job.look != look:
                job.has_moved = True
                return
        if self._move(job, (Stage.READY,), Stage.WRITING):
            job.actor, job.title, job.reached, job.total = actor, "", 0, 0
            self._start(job, _write)

    def go_on(self, job: ImportJob, actor: str) -> None:
        """Write what is missing of one that was interrupted. Nothing, where it was not."""
        if self._move(job, (Stage.INTERRUPTED,), Stage.WRITING):
            job.actor = actor
            self._start(job, _write_on)

    def forget(self, job: ImportJob) -> None:
        """Nobody wants it any more. What is being written goes on."""
        with self._lock:
            if job.stage is not Stage.WRITING and self._jobs.get(job.company_id) is job:
                job.cancel()
                del self._jobs[job.company_id]

    def _start(self, job: ImportJob, work: Callable[[ImportJob], Stage]) -> None:
        """In a thread of its own, which waits until it is its turn. The end of the process waits for none."""
        with self._lock:
            turn = self._turns.setdefault(job.company_id, threading.Lock())
        background.begin(
            "A file of people could not be worked on",
            partial(_in_turn, turn, job, work),
            partial(_failed, job),
            language=job.language,
        )

    def _move(self, job: ImportJob, stages: Collection[Stage], to: Stage) -> bool:
        with self._lock:
            if job.stage not in stages or job.is_cancelled:
                return False
            job.stage = to
            return True

    def forget_outdated(self) -> None:
        """Forget what is an hour old, and what may be about somebody who was erased. Raises `EnvironmentFault`.

        What is being written is forgotten once it is written.
        """
        oldest, end = clock.now().timestamp() - KEPT_FOR.total_seconds(), ledger.end()
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            if _is_somebody_erased_since(job) or (job.began < oldest and not job.is_in_work):
                self.forget(job)
            else:
                job.ledger_end = end

    def _look_after(self) -> None:
        """In a thread, for as long as there are files: pages are not asked for at night."""
        while self._has_files():
            time.sleep(LOOKED_AFTER_EVERY_S)
            try:
                self.forget_outdated()
            except EnvironmentFault as fault:  # it is tried again
                _log.error("%s. %s", fault.title, fault.message)

    def _has_files(self) -> bool:
        """Whether there are any; the thread that looks after them is no more where there are none."""
        with self._lock:
            if not self._jobs:
                self._keeper = None
            return bool(self._jobs)

    def _look_after_again(self, _title: str, _message: str) -> None:
        """An erasure has to reach what waits, whatever was in the way."""
        with self._lock:
            self._keeper = self._begin_to_look_after() if self._jobs else None

    def _begin_to_look_after(self) -> threading.Thread:
        return background.begin(
            "Files of people were not looked after", self._look_after, self._look_after_again
        )


def _is_somebody_erased_since(job: ImportJob) -> bool:
    """Whether that is so by what was written into the erasure ledger since it was last read for this file."""
    told = [fact for _mark, fact in ledger.after(job.ledger_end)]
    ends = ("person-erased", "company-closed")
    return any(fact.kind in ends and fact.company == job.company_id for fact in told)


def _in_turn(turn: threading.Lock, job: ImportJob, work: Callable[[ImportJob], Stage]) -> None:
    with turn, contextlib.suppress(_Cancelled):
        if not job.is_cancelled:
            job.stage = work(job)


def _failed(job: ImportJob, title: str, message: str) -> None:
    job.fault, job.stage = (title, message), Stage.REFUSED
    # Once it is an order, it is carried out: by whoever presses the button, the next file, or housekeeping.
    with contextlib.suppress(OSError):  # where the folder cannot be read, as may be why it failed
        if job.company_id in under_way.interrupted(ORDER):
            job.stage = Stage.INTERRUPTED


def _read(job: ImportJob) -> Stage:
    """Find out what the file says, and what it would change. Raises `Refused`."""
    job.bar(_("Reading"), 0)
    company = Company.objects.get(pk=job.company_id)
    decoded = decode(job.content, job.answers.encoding)
    job.encoding = decoded.encoding
    if decoded.is_guess:
        job.doubtful_line, job.possible = possible_readings(job.content)
        return Stage.WHICH_ENCODING
    read = read_people(recognise(decoded.text), job.bar, is_whole=job.answers.is_whole)
    # From here on the people are all that is needed of the text, which may be large.
    read.layout = replace(read.layout, text="")
    job.reading = read
    job.doubtful_groups = doubtful_names(read, company, job.answers.meant)
    if read.mistakes or job.doubtful_groups:
        read.mistakes.sort(key=attrgetter("line"))
        return Stage.MISTAKES
    return _compare(job, company)


def _compare(job: ImportJob, company: Company) -> Stage:
    assert job.reading
    job.people_before = company.people.count()
    job.comparison = compare_people(company, job.reading.people, most=MOST_SHOWN, bar=job.bar)
    job.content = b""
    job.look += 1
    return Stage.READY


def _write(job: ImportJob) -> Stage:
    """Write it, if it still changes what was looked at. Raises as `import_people` does."""
    assert job.reading
    company, looked_at = Company.objects.get(pk=job.company_id), job.comparison
    _compare(job, company)
    if job.comparison != looked_at:
        job.has_moved = True
        return Stage.READY
    assert job.comparison
    known, rows = job.comparison.known, job.reading.people
    job.done = import_people(company, rows, dry_run=False, bar=job.bar, actor=job.actor, known=known)
    read_company_ahead(company.pk)
    return Stage.DONE


def _write_on(job: ImportJob) -> Stage:
    """Write what is missing of one that was interrupted, if nobody did meanwhile. Raises as `import_people` does."""
    company = Company.objects.get(pk=job.company_id)
    job.done = finish_import(company, job.bar) or last_import(company)
    read_company_ahead(company.pk)
    return Stage.DONE


JOBS = ImportJobs()
