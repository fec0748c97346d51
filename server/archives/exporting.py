"""Take all of a company out (reversibility: GDPR article 28(3)(g), and article 20 for each of its people)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, cast

from django.conf import settings
from django.utils.translation import gettext as _

from server.archives.archive import LOG_END, REPLACED_KEYS, ArchiveWriter, Manifest
from server.archives.moved_log import taken_out
from server.archives.row_lines import Numbers, to_line
from server.archives.rows import archived_models, company_models, label, rows_of
from server.audit.verifying import Verdict, verify
from server.campaigns.models import Media
from server.core.errors import EnvironmentFault
from server.core.progress import Bar, no_bar
from server.database.transactions import reading
from server.directory.models import Company
from server.media.files import CHUNK_BYTES, path_of
from server.signing.checking import require_own_keys
from server.signing.digests import canonical_json
from server.signing.signers import USES, key_file, replaced_keys

ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Exported:
    """What was written. `digest`: SHA-256 of its manifest, in hex. `faults`: what is wrong with the audit log, in words."""

    manifest: Manifest
    digest: str
    faults: list[str]


def export_company(company: Company, path: Path, bar: Bar = no_bar) -> Exported:
    """Write the whole company into an archive at `path`. Nothing changes in the company.

    Raises `Refused` when the file is there already, `EnvironmentFault` when something of the company is missing, its keys are
    not its own or the disk refuses; there is no file then.
    """
    require_own_keys(company)
    verdict = verify(company)
    with reading():
        manifest, digest = export_here(company, path, verdict, bar)
    return Exported(manifest, digest, verdict.faults)


def export_here(
    company: Company, path: Path, verdict: Verdict | None = None, bar: Bar = no_bar
) -> tuple[Manifest, str]:
    """The same within the caller's `reading`. `verdict`: on the audit log, as it is outside of what is read here."""
    stored = Company.objects.get(pk=company.pk)
    with ArchiveWriter(path) as archive:
        _write_rows(stored, archive, bar)
        archive.add(LOG_END, iter([taken_out(stored.pk, verdict or Verdict())]))
        media = Media.objects.filter(company=stored).order_by("sha256").values_list("sha256", flat=True)
        _write_files(stored, list(media), archive, bar)
        return archive.finish(stored.pk, stored.name, cast(Literal["eu", "us"], stored.region))


def row_counts(company_id: str) -> Counter[str]:
    """How many rows the company has, by model; models without any are left out."""
    counts = Counter({label(model): rows_of(model, company_id).count() for model in company_models()})
    return +counts


def _write_rows(company: Company, archive: ArchiveWriter, bar: Bar) -> None:
    tick = bar(_("Rows"), sum(rows_of(model, company.pk).count() for model in archived_models()))
    numbers, done = Numbers(), 0
    for model in archived_models():

        def lines(model: type = model) -> Iterator[bytes]:
            nonlocal done
            rows = rows_of(model, company.pk).iterator(ROWS_AT_ONCE)
            for number, row in enumerate(rows, start=1):
                yield to_line(row, number, numbers)
                done += 1
                if done % ROWS_AT_ONCE == 0:
                    tick(done)

        archive.add(f"rows/{label(model)}.jsonl", lines())
    tick(done)


def _write_files(company: Company, media: list[str], archive: ArchiveWriter, bar: Bar) -> None:
    tick = bar(_("Files"), len(media) + len(USES))
    places = {f"media/{sha256}": path_of(company.pk, sha256) for sha256 in media}
    places |= {f"keys/{use}.jwk.json": key_file(company.pk, use) for use in USES}
    archive.add(
        REPLACED_KEYS, iter([canonical_json({"keys": replaced_keys(company.pk, "receipt")}).encode()])
    )
    for done, (name, place) in enumerate(places.items(), start=1):
        try:
            with place.open("rb") as file:
                archive.add(name, iter(partial(file.read, CHUNK_BYTES), b""))
        except FileNotFoundError as error:
            raise EnvironmentFault(
                _("A file of the company is missing"),
                _("{path} does not exist. Restore it from your backup.").format(path=place),
            ) from error
        tick(done)


def data_folders(company_id: str) -> tuple[Path, Path]:
    """Where the company's files lie: its media and its keys."""
    return Path(settings.MEDIA_FOLDER) / company_id, Path(settings.KEY_FOLDER) / company_id
