"""Close a company: everything of it goes (GDPR articles 17 and 28(3)(g)), and stays away when a backup is restored."""

import contextlib
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Count, Max
from django.utils.translation import gettext as _

from server.archives.archive import Manifest, opened
from server.archives.deleting import delete_rows, lock_out
from server.archives.exporting import data_folders, export_here
from server.archives.rows import company_models, is_numbered, label, rows_of
from server.audit import chain_heads
from server.audit.models import Chain
from server.core import under_way
from server.core.errors import EnvironmentFault, Refused
from server.core.progress import Bar, no_bar
from server.database.transactions import reading
from server.devices.models import Device
from server.directory.models import Company
from server.erasure.erasure import empty_write_ahead_log
from server.erasure_ledger import ledger
from server.erasure_ledger.ledger import Fact, Kind, Mark

ORDER = "closing"
ARRIVAL = "arrival"
"""The order under which a company is brought in: one that was interrupted is undone."""
KINDS = {ORDER: Company.Move.CLOSING, ARRIVAL: Company.Move.ARRIVING}
"""The orders, with what the company's row says as long as they stand."""
CLOSED: Kind = "company-closed"
GROWS_BY_EXPORTING = ("rows/audit.", "audit/")
"""That a company was exported is on record in it."""


def close_company(company: Company, exported: Path | None = None, bar: Bar = no_bar) -> dict[str, int]:
    """Delete every row, file and key of the company. Answers how many rows went, by model.

    Nobody of the company is answered from the first moment on; its rows then go in short transactions, so that others get
    their turn. Where that is interrupted, housekeeping goes on.

    `exported`: an archive that must hold all of it, as it is at this moment; nothing can then be lost on the way to another
    server. Raises `Refused` when it does not, and `EnvironmentFault` when the disk or the database refuses: the rows are all
    still there then, and stay, unless it says that the closing goes on.
    """
    with under_way.order(ORDER, company.pk) as order:
        before = _compared_with(company, exported, bar) if exported is not None else None
        since = ledger.end()
        try:
            with contextlib.ExitStack() as undo:
                undo.callback(_take_back, company.pk, since, order)
                with transaction.atomic():
                    Company.objects.select_for_update().get(pk=company.pk)
                    if before is not None and _state(company) != before:
                        raise _not_all(company, exported)
                    order.begin(b"close")
                    deleted = _begin(company.pk)
                undo.pop_all()
        except OperationalError as error:
            raise _cut_off(company, begun=order.stands) from error
        deleted += _delete(company.pk, bar)
        order.done()
    return deleted


def finish_moves() -> int:
    """Delete what is left of companies that were being closed or brought in when that was interrupted. Answers how many.

    A restored backup may say that of a company, too, of which nothing is under way any more.
    """
    finished = 0
    for kind, move in KINDS.items():
        for name in sorted({*under_way.interrupted(kind), *_said_to_be(move)} - {*_held(kind)}):
            # Another process may just have begun to do the same.
            with contextlib.suppress(Refused), under_way.order(kind, name) as order:
                finished += _finish(kind, name, was_here=order.stands)
                order.done()
    return finished


def _begin(company_id: str) -> Counter[str]:
    """Lock everybody of the company out, in the caller's transaction. Answers how many rows went, by model."""
    Company.objects.filter(pk=company_id).update(move=Company.Move.CLOSING)
    deleted = lock_out(company_id)
    ledger.write([Fact(CLOSED, company_id)])
    return deleted


def _take_back(company_id: str, since: Mark, order: under_way.Order) -> None:
    """End an order whose beginning failed, but not where the ledger has the line: a replay would close the company, too."""
    if Fact(CLOSED, company_id) not in (fact for mark, fact in ledger.read() if mark.number > since.number):
        order.done()


def _cut_off(company: Company, *, begun: bool) -> EnvironmentFault:
    if begun:
        return EnvironmentFault(
            _("The database could not note that {company} is being closed").format(company=company.name),
            _("The erasure ledger has it already, so the closing goes on: tidings-server housekeeping"),
        )
    return EnvironmentFault(
        _("The company is in use"),
        _("Somebody changed it at the same moment. Nothing was deleted. Try again."),
    )


def interrupted_moves() -> int:
    """How many companies `finish_moves` would finish."""
    return sum(
        len({*under_way.interrupted(kind), *_said_to_be(move)} - {*_held(kind)})
        for kind, move in KINDS.items()
    )


def on_the_move() -> set[str]:
    """The companies that are being brought in or closed, by whomever: they are no companies to work with."""
    begun = {name for kind in KINDS for name in under_way.begun(kind)}
    return begun | {name for move in KINDS.values() for name in _said_to_be(move)}


def _said_to_be(move: Company.Move) -> set[str]:
    """The companies of which the database says so."""
    return set(Company.objects.filter(move=move).values_list("pk", flat=True))


def _held(kind: str) -> set[str]:
    """The companies with which a process is at it."""
    return set(under_way.begun(kind)) - set(under_way.interrupted(kind))


def _finish(kind: str, company_id: str, *, was_here: bool) -> bool:
    """Whether there was anything to finish.

    `was_here`: it was interrupted here, and not in the database from which a backup was made.
    """
    stored = Company.objects.filter(pk=company_id).first()
    says_so = stored is not None and stored.move == KINDS[kind]
    if not was_here and not says_so:
        return False  # another process ended it since it was looked for
    if stored is not None and not says_so:
        if kind == ARRIVAL:  # it was interrupted after its last step
            shutil.rmtree(staging_folder(company_id), ignore_errors=True)
            return True
        with transaction.atomic():  # it was interrupted before the database noted it, or after a backup
            _begin(company_id)
    delete_rows(company_id)
    if was_here or not chain_heads.is_kept(company_id):
        delete_files(company_id)
    # Else the files are newer than the backup, and all that is left of a company that came in since.
    transaction.on_commit(empty_write_ahead_log)
    return True


def _delete(company_id: str, bar: Bar) -> Counter[str]:
    deleted = delete_rows(company_id, bar)
    delete_files(company_id)
    transaction.on_commit(empty_write_ahead_log)
    return deleted


def _compared_with(company: Company, exported: Path, bar: Bar) -> dict[str, Any]:
    """The state of the company, after it was found to be what the archive holds. Raises `Refused`."""
    with opened(exported) as archive:
        archive.check()
        before = archive.manifest
    with reading():
        with tempfile.TemporaryDirectory(dir=exported.parent, prefix=".tidings-") as folder:
            now, _digest = export_here(company, Path(folder) / "now.zip", bar=bar)
        if _compared(before) != _compared(now):
            raise _not_all(company, exported)
        return _state(company)


def _not_all(company: Company, exported: Path | None) -> Refused:
    return Refused(
        _("{file} does not hold all of {company}").format(file=exported, company=company.name),
        _(
            "It is another company’s, or something has changed since. Stop the server, export again, then close. Nothing "
            "was deleted."
        ),
    )


def _state(company: Company) -> dict[str, Any]:
    """What is another one after each change of the company: the rows that come and go, and marks of all other changes."""
    rows = {
        label(model): rows_of(model, company.pk)
        .order_by()
        .aggregate(count=Count("pk"), **({"last": Max("pk")} if is_numbered(model) else {}))
        for model in company_models()
        if model is not Company
    }
    marks = Company.objects.filter(pk=company.pk).values("feed_revision", "counter", "document")
    return rows | {
        "marks": list(marks),
        "audit": list(Chain.objects.filter(company=company).values_list("number", "digest")),
        "revoked": rows_of(Device, company.pk).exclude(revoked_at=None).count(),
    }


def _compared(manifest: Manifest) -> tuple[str, dict[str, str]]:
    files = manifest.files.items()
    return manifest.company, {
        name: member.sha256 for name, member in files if not name.startswith(GROWS_BY_EXPORTING)
    }


def staging_folder(company_id: str) -> Path:
    """Where the files of a company lie that is being brought in, until all of it is here."""
    return Path(settings.DATA) / f".import-{company_id}"


def delete_files(company_id: str) -> None:
    """Delete the media, the keys and the remembered end of the log of a company without rows. Raises `EnvironmentFault`."""
    for folder in (*data_folders(company_id), staging_folder(company_id)):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise EnvironmentFault(
                _("Files of the company are left"),
                _("Its rows are gone. Delete {path} yourself: {reason}.").format(path=folder, reason=error),
            ) from error
    chain_heads.forget(company_id)
