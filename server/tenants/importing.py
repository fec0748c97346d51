"""Bring in a company that was taken out: all of it, or nothing."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DataError, IntegrityError, transaction
from django.db.models import Model
from django.db.models.sql import InsertQuery
from django.utils.translation import gettext as _
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from server import private_files, under_way
from server.access.models import AccessToken
from server.audit import heads, log
from server.audit.heads import Head
from server.audit.models import Chain
from server.database.transactions import Pieces
from server.delivery.models import Device, SpentToken
from server.directory.importing.progress import Bar, no_bar
from server.directory.models import Company
from server.errors import EnvironmentFault, Refused
from server.privacy.replay import apply_to, leap
from server.signing.signers import load_signer
from server.tenants.archive import ArchiveReader, Manifest, damaged, is_media, opened
from server.tenants.closing import ARRIVAL
from server.tenants.deleting import delete_rows
from server.tenants.exporting import data_folders
from server.tenants.region import refuse_other_region, require_own_region
from server.tenants.row_lines import Numbers, from_line
from server.tenants.rows import archived_models, columns, is_numbered, label

ROWS_AT_ONCE = 500


def import_company(path: Path, bar: Bar = no_bar) -> Company:
    """Store the company that the archive at `path` holds, with its files and keys: all of it, or nothing.

    Its rows are stored in short transactions, so that other companies get their turn; the tokens of its computers and
    administrators come last. What was stored when it is refused is deleted again, after a crash by housekeeping.

    Raises `Refused` for an archive that is damaged, a company that is here already or that belongs to another region, and
    `EnvironmentFault` when the disk refuses. Nothing has changed then.
    """
    require_own_region()
    with opened(path) as archive:
        manifest = archive.manifest
        refuse_other_region(manifest.region)
        _refuse_known(manifest)
        archive.check()
        with _staged_files(archive, bar) as staged, under_way.order(ARRIVAL, manifest.company) as order:
            order.begin(b"undo")
            with ExitStack() as undo:
                undo.callback(_undo, manifest.company, order)
                try:
                    company = _store(archive, staged, bar)
                except (IntegrityError, DataError, UnicodeEncodeError, OverflowError) as error:
                    raise damaged(_("its rows do not fit together, or some are here already")) from error
                undo.pop_all()
            order.done()
    return company


def _undo(company_id: str, order: under_way.Order) -> None:
    delete_rows(company_id)
    _remove_files(company_id)
    order.done()


def _refuse_known(manifest: Manifest) -> None:
    if Company.objects.filter(pk=manifest.company).exists():
        raise Refused(
            _("{company} is on this server already").format(company=manifest.name),
            _(
                "Nothing was imported. To replace it, close it first: tidings-server company close {id}"
            ).format(id=manifest.company),
        )
    for folder in data_folders(manifest.company):
        if folder.exists():
            raise Refused(
                _("Files of a company with this id are here already"),
                _("{path} is of a company that this database does not know. Move it away first.").format(
                    path=folder
                ),
            )


@contextmanager
def _staged_files(archive: ArchiveReader, bar: Bar) -> Iterator[Path]:
    """The archive's files in a folder beside their place, which vanishes with the block."""
    names = [name for name in archive.manifest.files if not name.startswith("rows/")]
    tick = bar(_("Files"), len(names))
    try:
        staged = Path(tempfile.mkdtemp(prefix=".import-", dir=settings.DATA))
    except OSError as error:
        raise EnvironmentFault(_("The data folder cannot be used"), f"{settings.DATA}: {error}") from error
    try:
        for folder in ("media", "keys"):
            (staged / folder).mkdir(mode=0o700)
        for done, name in enumerate(names, start=1):
            found = is_media(name)
            place = staged / "media" / found[1][:2] / found[1] if found else staged / name
            private_files.make_folder(place.parent)
            _write(place, archive.chunks(name))
            tick(done)
        yield staged
    except OSError as error:
        raise EnvironmentFault(_("The data folder cannot be used"), f"{staged}: {error}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _write(place: Path, chunks: Iterator[bytes]) -> None:
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(chunks)
        file.flush()
        os.fsync(file.fileno())


def _store(archive: ArchiveReader, staged: Path, bar: Bar) -> Company:
    """Rows first, files last, so that what fails leaves no file."""
    manifest = archive.manifest
    _insert_rows(archive, bar)
    with transaction.atomic():
        return _completed(manifest, staged)


def _completed(manifest: Manifest, staged: Path) -> Company:
    company = Company.objects.filter(pk=manifest.company).first()
    if company is None:
        raise _other_company()
    media, keys = data_folders(company.pk)
    for source, place in ((staged / "media", media), (staged / "keys", keys)):
        private_files.make_folder(place.parent)
        source.rename(place)
    _check_keys(company)
    chain = Chain.objects.filter(company=company).first()
    heads.begin(company.pk, Head(chain.number, chain.digest) if chain else heads.START)
    if apply_to(company):
        # It was taken out before people were erased or withdrew here: agents have seen newer documents, too.
        leap(company)
    log.record(company, log.COMMAND_LINE, "company-import")
    return company


def _other_company() -> Refused:
    return damaged(_("its company is not the one that the manifest names"))


def _insert_rows(archive: ArchiveReader, bar: Bar) -> None:
    models = {f"rows/{label(model)}.jsonl": model for model in archived_models()}
    rows = [name for name in archive.manifest.files if name.startswith("rows/")]
    if unknown := sorted(set(rows) - models.keys()):
        raise Refused(
            _("This archive was made by a newer version"),
            _("It holds {name}, which this version does not know. Update this server first.").format(
                name=unknown[0]
            ),
        )
    total = sum(archive.manifest.files[name].size for name in rows)
    tick = bar(_("Rows"), total)
    numbers, pieces, done = Numbers(), Pieces(), 0
    for name, model in sorted(models.items(), key=lambda item: _holds_tokens(item[1])):
        lines = archive.lines(name) if name in archive.manifest.files else iter(())
        while some := list(itertools.islice(lines, ROWS_AT_ONCE)):
            with pieces.piece():
                _insert(archive.manifest, model, some, numbers)
            done += sum(len(line) + 1 for line in some)
            tick(done)
    tick(total)


def _holds_tokens(model: type[Model]) -> bool:
    """Whether rows of this model let somebody in, or belong to such. None of the others refers to them."""
    return model in (Device, SpentToken, AccessToken)


def _insert(manifest: Manifest, model: type[Model], lines: Sequence[bytes], numbers: Numbers) -> None:
    """As they are: `raw` keeps the times that Django would set afresh. One company only: a second could be of any region."""
    read = [from_line(model, line, numbers) for line in lines]
    rows = [row for row, _there in read]
    for row in rows:
        if isinstance(row, Company) and (row.pk, row.name, row.region) != (
            manifest.company,
            manifest.name,
            manifest.region,
        ):
            raise _other_company()
    numbered = is_numbered(model)
    query = InsertQuery(model)
    fields = [field for field in columns(model) if not (field.primary_key and numbered)]
    query.insert_values(fields, rows, raw=True)
    made = query.get_compiler(DEFAULT_DB_ALIAS).execute_sql([model._meta.pk] if numbered else None)
    for index, (row, there) in enumerate(read):
        numbers.learn(model, _name_there(there), made[index][0] if numbered else row.pk)


def _name_there(name: object) -> object:
    if not isinstance(name, (str, int)):
        raise damaged(_("a row has no name"))
    return name


def _check_keys(company: Company) -> None:
    """The keys are those under which the company's document was signed: with others, agents would refuse everything."""
    load_signer(company.pk, "receipt")
    signer = load_signer(company.pk, "campaign")
    header = _header(company.document)
    if company.document and header.get("kid") != signer.public_key["kid"]:
        raise damaged(_("its keys are not those of its company"))


def _header(document: str) -> dict[str, object]:
    try:
        header: dict[str, object] = dict(extract_compact(document.encode()).headers())
    except (JoseError, ValueError, RecursionError):
        return {}
    return header


def _remove_files(company_id: str) -> None:
    for folder in data_folders(company_id):
        shutil.rmtree(folder, ignore_errors=True)
    heads.forget(company_id)
