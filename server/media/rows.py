"""Files that were checked, put where they are served from: their bytes on the disk, their description in the database."""

from django.utils.translation import gettext as _

from server.campaigns.models import Media
from server.core.errors import EnvironmentFault
from server.directory.models import Company
from server.media.checks import CheckedFile, KeptFile
from server.media.files import path_of, store


def store_checked(owner: Company, file: CheckedFile | KeptFile) -> None:
    """Keep the bytes. Before the transaction that names them.

    Raises `EnvironmentFault` when the disk refuses, or gives back other bytes than were checked.
    """
    if isinstance(file, KeptFile) and _is_there(owner, file):
        return
    try:
        with file.opened() as source:
            sha256, _size = store(owner.id, source)
    except OSError as error:
        raise EnvironmentFault(
            _("The media cannot be stored"),
            _("The disk says: {reason}. Free some space, or run: tidings-server check").format(reason=error),
        ) from error
    if sha256 != file.sha256:
        raise EnvironmentFault(
            _("The media cannot be stored"),
            _(
                "The disk gives back other bytes than were checked. Add the file again, and have the disk looked at."
            ),
        )


def _is_there(owner: Company, file: KeptFile) -> bool:
    """Whether it was stored a moment ago; it counts as new then, so that housekeeping leaves it for the campaign to come."""
    place = path_of(owner.id, file.sha256)
    try:
        found = place.stat().st_size == file.size
        if found:
            place.touch()
    except OSError:
        return False
    return found


def media_row(owner: Company, sha256: str, file: CheckedFile | KeptFile) -> Media:
    """The description of the file, made when the company has none."""
    row, _made = Media.objects.get_or_create(
        company=owner,
        sha256=sha256,
        defaults={
            "size": file.size,
            "type": file.type,
            "width": file.width,
            "height": file.height,
            "duration_ms": file.duration_ms,
        },
    )
    return row
