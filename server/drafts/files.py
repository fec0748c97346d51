"""The files of drafts: checked as they are added, and kept as they would be signed. What a camera noted is gone by then.

Their bytes lie in `media/<company>/drafts/<draft>/<key>`: each draft has its own, and takes them along when it goes.
"""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path, PurePath

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from server.campaigns.models import Media
from server.core import clock, private_files
from server.core.errors import EnvironmentFault, Refused
from server.directory.models import Company
from server.drafts.fields import files_named, names_in
from server.drafts.models import Draft, DraftFile, DraftUpload
from server.media.captions import check_captions, last_begins_ms
from server.media.checks import MEGABYTE, CheckedFile, KeptFile
from server.media.files import path_of
from server.media.images import PICTURES, check_image
from server.media.video import check_video, frame_at

FOLDER = "drafts"
"""Within the company's folder of media."""
MOST_FILES = 100
"""Of a draft."""
MOST_BYTES = 2_048 * MEGABYTE
"""Of all drafts of a company."""
MOST_FRAMES = 96
"""Pictures out of videos that a process keeps: each may take a second to make, and a page shows six."""
UNNAMED_FOR = timedelta(hours=1)
"""So long a file may wait for the draft to name it: the form that does is sent after it, or once more."""

ENDINGS = {
    Media.Type.PNG: ".png",
    Media.Type.JPEG: ".jpg",
    Media.Type.WEBP: ".webp",
    Media.Type.MP4: ".mp4",
    Media.Type.VTT: ".vtt",
}
_NAMES: Mapping[str, str] = {Media.Type.MP4: "video", Media.Type.VTT: "captions"}


def known_file(company: Company, path: Path) -> KeptFile | None:
    """The file as it is, where the company has this very one already: it was checked then, and is not encoded twice."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    published = Media.objects.filter(company=company, sha256=sha256).first()
    known = published or DraftFile.objects.filter(draft__company=company, sha256=sha256).first()
    return as_published(path, known) if known is not None else None


def as_published(path: Path, row: Media | DraftFile) -> KeptFile:
    """The file that a row describes, wherever it lies. Of captions it is looked up when the last one begins."""
    kind, duration_ms = Media.Type(row.type), row.duration_ms
    if kind == Media.Type.VTT:
        duration_ms = last_begins_ms(path.read_bytes())
    return KeptFile(path, row.sha256, row.size, kind, row.width, row.height, duration_ms)


def add_picture(draft: Draft, wanted: str, path: Path) -> DraftFile:
    """Check the picture at `path`, which is called `wanted`, and keep it. Raises as `add`, and `BadFile`."""
    with _called(path, wanted) as shown:
        known = known_file(draft.company, shown)
        return add(draft, wanted, known if known and known.type in PICTURES else check_image(shown))


def add_video(draft: Draft, wanted: str, path: Path) -> tuple[DraftFile, DraftFile]:
    """The same of a video that every agent plays. Answers it, and a poster out of it."""
    with _called(path, wanted) as shown:
        checked = check_video(shown)
    return add(draft, wanted, checked.file), add(draft, wanted, checked.poster)


def add_video_alone(draft: Draft, wanted: str, path: Path) -> DraftFile:
    """The same of a video whose poster is another file."""
    with _called(path, wanted) as shown:
        known = known_file(draft.company, shown)
        return add(
            draft, wanted, known if known and known.type == Media.Type.MP4 else check_video(shown).file
        )


def add_frame(video: DraftFile, share: float) -> DraftFile:
    """A picture out of a video of the draft, at this share of its length; the one that is kept already where it is the same.

    Raises as `add`, and `BadFile`.
    """
    picture = frame_of(place_of(video), share)
    same = DraftFile.objects.filter(draft=video.draft_id, sha256=picture.sha256).first()
    return same or add(video.draft, video.name, picture)


def add_captions(draft: Draft, wanted: str, path: Path, video: DraftFile) -> DraftFile:
    """The same of captions of this video."""
    with _called(path, wanted) as shown:
        checked = check_captions(shown, video.duration_ms or 0)
    return add(draft, wanted, replace(checked, duration_ms=last_begins_ms(checked.content)))


def add_published(draft: Draft, row: Media) -> DraftFile:
    """Keep the very file of a campaign. Raises as `add`."""
    path = path_of(row.company_id, row.sha256)
    try:
        return add(draft, _NAMES.get(row.type, "picture"), as_published(path, row))
    except OSError as error:
        raise _disk(error) from error


@contextlib.contextmanager
def _called(path: Path, wanted: str) -> Iterator[Path]:
    """The same file under the name that a refusal calls it by."""
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / (PurePath(wanted).name[-100:] or "file")
        shown.symlink_to(path)
        yield shown


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
            _refuse_too_many_files(draft)
            refuse_too_many_bytes(draft, file.size)
            row.name = _free_name(draft, wanted, Media.Type(file.type))
            row.save()
    except OSError as error:
        place.unlink(missing_ok=True)
        raise _disk(error) from error
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return row


def _disk(error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        _("The file cannot be kept"),
        _("The disk says: {reason}. Free some space, or run: tidings-server check").format(reason=error),
    )


def _write(place: Path, file: CheckedFile | KeptFile) -> None:
    private_files.make_folder(place.parent)
    if isinstance(file, KeptFile):
        with contextlib.suppress(OSError):
            os.link(file.path.resolve(), place)  # nobody changes the bytes of either
            private_files.tighten(place)
            return
    with file.opened() as source, open(place, "xb", opener=private_files.opener) as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())


def refuse_too_many_bytes(draft: Draft, size: int) -> None:
    """Raise `Refused` where the files of the company's drafts would be too large together; what is on its way counts."""
    Company.objects.select_for_update(no_key=True).get(
        pk=draft.company_id
    )  # others are counted after this one
    kept = DraftFile.objects.filter(draft__company=draft.company_id).aggregate(sum=Sum("size"))["sum"] or 0
    coming = DraftUpload.objects.filter(draft__company=draft.company_id).aggregate(sum=Sum("length"))["sum"]
    if kept + (coming or 0) + size > MOST_BYTES:
        raise Refused(
            _("The files of all drafts together have more than {limit} MB").format(
                limit=MOST_BYTES // MEGABYTE
            ),
            _("Publish or delete some drafts, or delete templates, and try again."),
        )


def _refuse_too_many_files(draft: Draft) -> None:
    if DraftFile.objects.filter(draft=draft).count() >= MOST_FILES:
        raise Refused(
            _("The draft has {most} files").format(most=MOST_FILES), _("Remove some, or begin another draft.")
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


@lru_cache(maxsize=MOST_FRAMES)
def frame_of(video: Path, share: float) -> CheckedFile:
    """As `frame_at` answers it, of a draft's video: the bytes under its name never change. Raises as that does."""
    return frame_at(video, share)


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
    for names in draft.uploads.values_list("video", "poster"):  # which wait to be named
        named |= set(names)
    for fields in draft.versions.values_list("fields", flat=True):
        named |= set(names_in(fields))
    return [row for row in late if row.name not in named]


def drop_all(draft: Draft) -> None:
    """Delete all files of the draft, in the caller's transaction; their bytes when it ends."""
    draft.files.all().delete()
    draft.uploads.all().delete()
    transaction.on_commit(lambda: remove_folder(folder_of(draft)))


def remove_folder(folder: Path) -> None:
    """Delete the bytes of a draft that is gone. What the disk does not let go, housekeeping tries again."""
    shutil.rmtree(folder, ignore_errors=True)


def _unlink(places: list[Path]) -> None:
    for place in places:
        with contextlib.suppress(OSError):
            place.unlink()
