"""Files that were checked, put where they are served from: their bytes on the disk, their description in the database."""

from django.utils.translation import gettext as _

from server.campaigns.models import Media
from server.core.errors import EnvironmentFault
from server.directory.models import Company
from server.media.checks import CheckedFile, KeptFile
from server.media.files import store


def store_checked(owner: Company, file: CheckedFile | KeptFile) -> None:
    """Keep the bytes. Before the transaction that names them.

    Raises `EnvironmentFault` when the disk refuses, or gives back other bytes than were checked.
    """
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
