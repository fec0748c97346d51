"""The files of drafts: checked as they are added, and kept as they would be signed. What a camera noted is gone by then.

Their bytes lie in `media/<company>/drafts/<draft>/<key>`: each draft has its own, and takes them along when it goes.
"""

import contextlib
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from server.campaigns.models import Media
from server.core import clock, private_files
from server.core.errors import EnvironmentFault, Refused
from server.directory.models import Company
from server.drafts.fields import files_named, names_in
from server.drafts.models import Draft, DraftFile
from server.media.checks import MEGABYTE, CheckedFile, KeptFile
from server.media.images import MAX_UPLOAD_BYTES, PICTURES, check_image

FOLDER = "drafts"
"""Within the company's folder of media."""
MOST_FILES = 100
"""Of a draft."""
MOST_BYTES = 2_048 * MEGABYTE
"""Of all drafts of a company."""
UNNAMED_FOR = timedelta(hours=1)
"""So long a file may wait for the draft to name it: the form that does is sent after it, or once more."""

ENDINGS = {
    Media.Type.PNG: ".png",
    Media.Type.JPEG: ".jpg",
    Media.Type.WEBP: ".webp",
    Media.Type.MP4: ".mp4",
    Media.Type.VTT: ".vtt",
}


def check_picture(company: Company, path: Path) -> CheckedFile:
    """The picture as agents get it; unchanged, where the company has this very file already, which was checked then.

    Raises `BadFile` and `EnvironmentFault`.
    """
    if 0 < path.stat().st_size <= MAX_UPLOAD_BYTES:
        content = path.read_bytes()
        known = _known(company, hashlib.sha256(content).hexdigest())
        if known is not None and known.type in PICTURES:
            return CheckedFile(content, Media.Type(known.type), known.width, known.height)
    return check_image(path)


def _known(company: Company, sha256: str) -> Media | DraftFile | None:
    published = Media.objects.filter(company=company, sha256=sha256).first()
    return published or DraftFile.objects.filter(draft__company=company, sha256=sha256).first()


def add(draft: Draft, wanted: str, file: CheckedFile | KeptFile) -> DraftFile:
    """Keep a checked file with the draft, under a name like the wanted one. The draft has to name it soon.

    Raises `Refused` where the draft or the company has too much, `EnvironmentFault` when the disk refuses, and
    `Draft.DoesNotExist` when the draft is gone or published.
    """
    row = DraftFile(
        draft=draft,
        sha256=file.sha256,
        size=file.size,
        type=file.type,
        width=file.width,
        height=file.height,
        duration_ms=file.duration_ms,
        added_at=clock.now(),
    )
    place = place_of(row)
    try:
        _write(place, file)
        with transaction.atomic():
            Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk, campaign=None)
            _refuse_too_much(draft, file)
            row.name = _free_name(draft, wanted, Media.Type(file.type))
            row.save()
    except OSError as error:
        place.unlink(missing_ok=True)
        raise EnvironmentFault(
            _("The file cannot be kept"),
            _("The disk says: {reason}. Free some space, or run: tidings-server check").format(reason=error),
        ) from error
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return row


def _write(place: Path, file: CheckedFile | KeptFile) -> None:
    private_files.make_folder(place.parent)
    if isinstance(file, KeptFile):
        with contextlib.suppress(OSError):
            os.link(file.path, place)  # nobody changes the bytes of either
            return
    with file.opened() as source, open(place, "xb", opener=private_files.opener) as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())


def _refuse_too_much(draft: Draft, file: CheckedFile | KeptFile) -> None:
    Company.objects.select_for_update().get(pk=draft.company_id)  # others are counted after this one
    taken = DraftFile.objects.filter(draft__company=draft.company_id).aggregate(sum=Sum("size"))["sum"] or 0
    if DraftFile.objects.filter(draft=draft).count() >= MOST_FILES:
        raise Refused(
            _("The draft has {most} files").format(most=MOST_FILES), _("Remove some, or begin another draft.")
        )
    if taken + file.size > MOST_BYTES:
        raise Refused(
            _("The files of all drafts together have more than {limit} MB").format(
                limit=MOST_BYTES // MEGABYTE
            ),
            _("Publish or delete some drafts, and try again."),
        )


def _free_name(draft: Draft, wanted: str, kind: Media.Type) -> str:
    """The wanted name in letters that every system takes, with the ending of its kind, and a number where it is taken."""
    plain = unicodedata.normalize("NFKD", Path(wanted).stem).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9.]+", "-", plain).strip("-.")[:60].strip("-.") or "file"
    taken = set(DraftFile.objects.filter(draft=draft).values_list("name", flat=True))
    names = (
        f"{stem}{f'-{number}' if number > 1 else ''}{ENDINGS[kind]}" for number in range(1, len(taken) + 2)
    )
    return next(name for name in names if name not in taken)


def folder_of(draft: Draft) -> Path:
    """Where the bytes of its files lie."""
    return Path(settings.MEDIA_FOLDER) / draft.company_id / FOLDER / draft.draft_id


def place_of(row: DraftFile) -> Path:
    """Where its bytes lie."""
    return folder_of(row.draft) / row.key


def kept(row: DraftFile) -> KeptFile:
    """The row as the checks of campaigns want it."""
    kind = Media.Type(row.type)
    return KeptFile(place_of(row), row.sha256, row.size, kind, row.width, row.height, row.duration_ms)


def kept_files(draft: Draft) -> Mapping[str, KeptFile]:
    """The files that the draft names, by their names."""
    return {row.name: kept(row) for row in files_named(draft)}


def drop_unnamed(draft: Draft) -> None:
    """Delete the files that neither the draft nor an earlier version of it names any more."""
    unnamed = _unnamed(draft)
    places = [folder_of(draft) / row.key for row in unnamed]
    DraftFile.objects.filter(pk__in=[row.pk for row in unnamed]).delete()
    transaction.on_commit(lambda: _unlink(places))


def drop_unnamed_everywhere(*, dry_run: bool) -> int:
    """The same of drafts that nobody changes any more. Answers how many files."""
    count = 0
    late = DraftFile.objects.filter(added_at__lt=clock.now() - UNNAMED_FOR)
    for number in late.values_list("draft", flat=True).distinct():
        with transaction.atomic():
            draft = Draft.objects.select_for_update(of=("self",)).filter(pk=number).first()
            if draft is not None:
                count += len(_unnamed(draft))
                if not dry_run:
                    drop_unnamed(draft)
    return count


def _unnamed(draft: Draft) -> list[DraftFile]:
    since = clock.now() - UNNAMED_FOR
    late = [row for row in DraftFile.objects.filter(draft=draft) if row.added_at < since]
    if not late:
        return []
    named = set(names_in(draft.fields))
    for fields in draft.versions.values_list("fields", flat=True):
        named |= set(names_in(fields))
    return [row for row in late if row.name not in named]


def drop_all(draft: Draft) -> None:
    """Delete all files of the draft, in the caller's transaction; their bytes when it ends."""
    draft.files.all().delete()
    transaction.on_commit(lambda: remove_folder(folder_of(draft)))


def remove_folder(folder: Path) -> None:
    """Delete the bytes of a draft that is gone. What the disk does not let go, housekeeping tries again."""
    shutil.rmtree(folder, ignore_errors=True)


def _unlink(places: list[Path]) -> None:
    for place in places:
        with contextlib.suppress(OSError):
            place.unlink()
