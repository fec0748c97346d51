"""Close a company: everything of it goes (GDPR articles 17 and 28(3)(g)), and stays away when a backup is restored."""

import shutil
import tempfile
from pathlib import Path

from django.db import IntegrityError, OperationalError, connection
from django.utils.translation import gettext as _

from server.audit import heads
from server.directory.importing.progress import Bar, no_bar
from server.directory.models import Company
from server.errors import EnvironmentFault, Refused
from server.privacy import ledger
from server.privacy.erasure import empty_write_ahead_log
from server.privacy.ledger import Fact
from server.tenants.archive import Manifest, opened
from server.tenants.exporting import data_folders, export_here, snapshot
from server.tenants.rows import company_models, label, rows_of

GROWS_BY_EXPORTING = "rows/audit."
"""That a company was exported is on record in it."""


def close_company(company: Company, exported: Path | None = None, bar: Bar = no_bar) -> dict[str, int]:
    """Delete every row, file and key of the company. Answers how many rows went, by model.

    `exported`: an archive that must hold all of it, as it is at this moment; nothing can then be lost on the way to another
    server. Raises `Refused` when it does not, and `EnvironmentFault` when the disk or the database refuses; the rows are
    all still there then.
    """
    deleted: dict[str, int] = {}
    try:
        with snapshot():
            if exported is not None:
                _require_same(company, exported, bar)
            models = list(reversed(company_models()))
            tick = bar(_("Deleting"), len(models))
            for done, model in enumerate(models, start=1):
                count = rows_of(model, company.pk).delete()[1].get(model._meta.label, 0)
                deleted |= {label(model): count} if count else {}
                tick(done)
            connection.check_constraints()  # before the ledger says that it is closed, not at the commit after
            ledger.write([Fact("company-closed", company.pk)])
    except (IntegrityError, OperationalError) as error:
        raise EnvironmentFault(
            _("The company is in use"),
            _("Somebody changed it at the same moment. Nothing was deleted. Try again."),
        ) from error
    delete_files(company.pk)
    empty_write_ahead_log()
    return deleted


def _require_same(company: Company, exported: Path, bar: Bar) -> None:
    with opened(exported) as archive:
        archive.check()
        before = archive.manifest
    with tempfile.TemporaryDirectory(dir=exported.parent, prefix=".tidings-") as folder:
        now = export_here(company, Path(folder) / "now.zip", bar)
    if _compared(before) != _compared(now):
        raise Refused(
            _("{file} does not hold all of {company}").format(file=exported, company=company.name),
            _(
                "It is another company’s, or something has changed since. Stop the server, export again, then close. Nothing "
                "was deleted."
            ),
        )


def _compared(manifest: Manifest) -> tuple[str, dict[str, str]]:
    files = manifest.files.items()
    return manifest.company, {
        name: member.sha256 for name, member in files if not name.startswith(GROWS_BY_EXPORTING)
    }


def delete_files(company_id: str) -> None:
    """Delete the media, the keys and the remembered end of the log of a company without rows. Raises `EnvironmentFault`."""
    for folder in data_folders(company_id):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise EnvironmentFault(
                _("Files of the company are left"),
                _("Its rows are gone. Delete {path} yourself: {reason}.").format(path=folder, reason=error),
            ) from error
    heads.forget(company_id)
