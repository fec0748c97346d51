"""Bring in a company that was taken out: all of it, or nothing."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DataError, IntegrityError, transaction
from django.db.models import Model
from django.db.models.sql import InsertQuery
from django.utils.translation import gettext as _

from server.archives.archive import LOG_END, ArchiveReader, Manifest, damaged, is_media, opened
from server.archives.arrival_checks import refuse_what_does_not_fit
from server.archives.closing import ARRIVAL, CLOSED, delete_files, finish_moves, staging_folder
from server.archives.deleting import delete_rows
from server.archives.exporting import data_folders
from server.archives.known_digests import refuse_known_digests
from server.archives.moved_log import brought_in
from server.archives.row_lines import Numbers, from_line, wrong_row
from server.archives.rows import archived_models, columns, company_models, is_numbered, label
from server.audit import chain_heads, log
from server.core import private_files, under_way
from server.core.errors import EnvironmentFault, Refused
from server.core.progress import Bar, no_bar
from server.database import statistics
from server.database.transactions import Pieces
from server.devices.models import Device, SpentToken
from server.directory.models import Company
from server.erasure_ledger import ledger
from server.recovery.replay import apply_to, leap
from server.region.region import refuse_other_region, require_own_region
from server.signing.checking import note_receipt_key
from server.signing.signers import USES, load_signer

ROWS_AT_ONCE = 500
BYTES_AT_ONCE = 4 * 1024 * 1024
NO_PLACE = (IntegrityError, DataError, UnicodeEncodeError, OverflowError)
"""What a database says to rows that it does not take."""


@dataclass(frozen=True)
class Imported:
    """What was brought in. `digest`: SHA-256 of the archive's manifest. `faults`: of its audit log, in words."""

    company: Company
    digest: str
    faults: list[str]


def bring_in(path: Path, bar: Bar = no_bar, expected: str | None = None) -> Imported:
    """Store the company that the archive at `path` holds, with its files and keys: all of it, or nothing.

    Its rows are stored in short transactions, so that other companies get their turn, and held against each other; the
    tokens of its computers come last. What was stored when it is refused is deleted again, after a crash by housekeeping.
    `expected`: the digest that was told when the archive was made: another archive is refused.

    Raises `Refused` for an archive that is damaged, a company that is here already or that belongs to another region, and
    `EnvironmentFault` when the disk refuses. Nothing has changed then.
    """
    require_own_region()
    with opened(path) as archive:
        manifest = archive.manifest
        if expected is not None and expected.strip().lower() != archive.digest:
            raise _another(archive.digest)
        refuse_other_region(manifest.region)
        finish_moves()
        _refuse_known(manifest)
        archive.check()
        with under_way.order(ARRIVAL, manifest.company) as order:
            order.begin(b"arrival")
            with ExitStack() as undo:
                undo.callback(_undo, manifest.company, order)
                imported = _store(archive, _staged_files(archive, bar), bar)
                undo.pop_all()
            shutil.rmtree(staging_folder(manifest.company), ignore_errors=True)
            order.done()
    return imported


def _another(digest: str) -> Refused:
    return Refused(
        _("This is not the archive that you expect"),
        _(
            "Its digest is {digest}. Nothing was imported. Somebody may have edited it: fetch it again."
        ).format(digest=digest),
    )


def _undo(company_id: str, order: under_way.Order) -> None:
    delete_rows(company_id)
    delete_files(company_id)
    order.done()


def _refuse_known(manifest: Manifest) -> None:
    if Company.objects.filter(pk=manifest.company).exists():
        raise Refused(
            _("{company} is on this server already").format(company=manifest.name),
            _(
                "Nothing was imported. To replace it, close it first: tidings-server company close {id}"
            ).format(id=manifest.company),
        )
    places = (*data_folders(manifest.company), chain_heads.path_of(manifest.company))
    if left := [str(place) for place in places if place.exists()]:
        raise Refused(
            _("Files of a company with this id are here already"),
            _("Of a company that this database does not know: {paths}. Move them away first.").format(
                paths=", ".join(left)
            ),
        )


def _staged_files(archive: ArchiveReader, bar: Bar) -> Path:
    """The folder with the archive's files, beside their place. Raises `EnvironmentFault`."""
    names = [name for name in archive.manifest.files if not name.startswith("rows/")]
    tick = bar(_("Files"), len(names))
    staged = staging_folder(archive.manifest.company)
    try:
        for folder in (staged, staged / "media", staged / "keys"):
            private_files.make_folder(folder)
        for done, name in enumerate(names, start=1):
            found = is_media(name)
            place = staged / "media" / found[1][:2] / found[1] if found else staged / name
            private_files.make_folder(place.parent)
            _write(place, archive.chunks(name))
            tick(done)
    except OSError as error:
        raise EnvironmentFault(_("The data folder cannot be used"), f"{staged}: {error}") from error
    return staged


def _write(place: Path, chunks: Iterator[bytes]) -> None:
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(chunks)
        file.flush()
        os.fsync(file.fileno())


def _store(archive: ArchiveReader, staged: Path, bar: Bar) -> Imported:
    """Rows first, files last, so that what fails leaves no file."""
    rows = _Rows(archive, bar)
    rows.insert(model for model in archived_models() if not _holds_tokens(model))
    company = Company.objects.filter(pk=archive.manifest.company).first()
    if company is None:
        raise _other_company()
    statistics.look_at(archived_models())
    refuse_what_does_not_fit(company, archive.manifest, staged)
    faults = brought_in(company, archive.small(LOG_END))
    rows.insert(model for model in archived_models() if _holds_tokens(model))
    with transaction.atomic():
        _complete(company, staged, archive.digest)
    return Imported(company, archive.digest, faults)


def _complete(company: Company, staged: Path, digest: str) -> None:
    media, keys = data_folders(company.pk)
    for source, place in ((staged / "media", media), (staged / "keys", keys)):
        private_files.make_folder(place.parent)
        source.rename(place)
        private_files.sync_folder(place.parent)
    for use in USES:
        load_signer(company.pk, use)
    note_receipt_key(company)
    if apply_to(company):
        # It was taken out before people were erased or withdrew here: agents have seen newer documents, too.
        leap(company)
    Company.objects.filter(pk=company.pk).update(move=Company.Move.NONE)
    detail: dict[str, str | int] = {"archive": digest}
    if closings := sum(fact.kind == CLOSED and fact.company == company.pk for _mark, fact in ledger.read()):
        detail["closed_here"] = (
            closings  # each time with a log of its own, of which this one may lack the end
        )
    log.record(company, log.COMMAND_LINE, "company-import", detail=detail)


def _other_company() -> Refused:
    return damaged(_("its company is not the one that the manifest names"))


class _Rows:
    """The rows of an archive on their way into the database."""

    def __init__(self, archive: ArchiveReader, bar: Bar) -> None:
        self._archive = archive
        self._files = _row_files(archive.manifest)
        self._tick = bar(_("Rows"), sum(archive.manifest.files[name].size for name in self._files.values()))
        self._numbers, self._pieces, self._done = Numbers(), Pieces(), 0

    def insert(self, models: Iterable[type[Model]]) -> None:
        """Store the rows of these models, in this order. Raises `Refused` for the first that has no place here."""
        for model in models:
            if name := self._files.get(model):
                with closing(self._archive.lines(name)) as lines:
                    self._insert_all(model, lines)

    def _insert_all(self, model: type[Model], lines: Iterator[bytes]) -> None:
        first = 1
        for some in _portions(lines):
            read = [from_line(model, line, number, self._numbers) for number, line in enumerate(some, first)]
            self._take(row for row, _there in read)
            refuse_known_digests(model, [row for row, _there in read], first)
            try:
                with self._pieces.piece():
                    made = _inserted(model, [row for row, _there in read])
            except NO_PLACE as error:
                raise _without_place(model, [row for row, _there in read], first) from error
            for pk, (_row, there) in zip(made, read, strict=True):
                self._numbers.learn(model, _name_there(there), pk)
            first += len(some)
            self._done += sum(len(line) + 1 for line in some)
            self._tick(self._done)

    def _take(self, rows: Iterable[Model]) -> None:
        """One company only, as a second could be of any region; it is on the move until all of it is here."""
        told = self._archive.manifest
        for row in rows:
            if not isinstance(row, Company):
                continue
            if (row.pk, row.name, row.region) != (told.company, told.name, told.region):
                raise _other_company()
            row.move = Company.Move.ARRIVING


def _row_files(manifest: Manifest) -> dict[type[Model], str]:
    """The files of rows, by model. Older archives hold some of what stays behind, which is left there."""
    files = {f"rows/{label(model)}.jsonl": model for model in company_models()}
    rows = [name for name in manifest.files if name.startswith("rows/")]
    if unknown := sorted(set(rows) - files.keys()):
        raise Refused(
            _("This archive was made by a newer version"),
            _("It holds {name}, which this version does not know. Update this server first.").format(
                name=unknown[0]
            ),
        )
    archived = set(archived_models())
    return {files[name]: name for name in rows if files[name] in archived}


def _holds_tokens(model: type[Model]) -> bool:
    """Whether rows of this model let somebody in, or belong to such. None of the others refers to them."""
    return model in (Device, SpentToken)


def _portions(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Some lines at a time: few enough for a transaction, and short enough together for the memory."""
    some: list[bytes] = []
    size = 0
    for line in lines:
        some.append(line)
        size += len(line)
        if len(some) == ROWS_AT_ONCE or size >= BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _inserted(model: type[Model], rows: Sequence[Model]) -> list[Any]:
    """Store rows as they are: `raw` keeps the times that Django would set afresh. Answers what they are called here."""
    numbered = is_numbered(model)
    query = InsertQuery(model)
    fields = [field for field in columns(model) if not (field.primary_key and numbered)]
    query.insert_values(fields, list(rows), raw=True)
    made = query.get_compiler(DEFAULT_DB_ALIAS).execute_sql([model._meta.pk] if numbered else None)
    return [values[0] for values in made] if numbered else [row.pk for row in rows]


def _without_place(model: type[Model], rows: Sequence[Model], first: int) -> Refused:
    """Which of the rows the database does not take: they are tried one by one, and none is kept."""
    with transaction.atomic():
        wrong = next((number for number, row in enumerate(rows, first) if not _is_taken(model, row)), None)
        transaction.set_rollback(True)
    if wrong is None:
        return damaged(_("its rows do not fit together, or some are here already"))
    return wrong_row(model, wrong, _("it does not fit together with the others, or is here already"))


def _is_taken(model: type[Model], row: Model) -> bool:
    try:
        with transaction.atomic():
            _inserted(model, [row])
    except NO_PLACE:
        return False
    return True


def _name_there(name: object) -> object:
    if not isinstance(name, (str, int)):
        raise damaged(_("a row has no name"))
    return name
