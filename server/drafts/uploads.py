"""Videos that come in pieces: begun, continued where a line was cut, and finished (the tus protocol, version 1.0).

How much has come is the size of the file on the disk, and nothing else says it.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from django.db import transaction
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.core import clock, private_files
from server.core.errors import EnvironmentFault, Refused
from server.drafts import writing
from server.drafts.files import add_video, folder_of, refuse_too_many_bytes
from server.drafts.models import Draft, DraftFile, DraftUpload
from server.media.checks import MEGABYTE, Convertible
from server.media.video import MAX_BYTES

MOST_OF_ACCOUNT = 3
"""Uploads under way. The oldest of more makes way: its page is closed, and nobody misses it."""
KEPT_FOR = timedelta(hours=24)
"""After its beginning: what was begun in the evening goes on in the morning."""
MOST_ARCHIVE_BYTES = 600 * MEGABYTE
"""Of a ZIP file: a video in some languages, with pictures."""
RESERVED_BYTES = 1_024 * MEGABYTE
"""Of the disk, for everything else: a video is there three times while it is checked."""
_CHUNK_BYTES = 1024 * 1024


class Readable(Protocol):
    """What a piece is read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""


class Locked(Exception):
    """Another request has this upload in hand."""


class WrongOffset(Exception):
    """The piece does not begin where the last one ended."""


class TooLong(Exception):
    """The piece goes beyond the length that was said at the beginning."""


class NoRoom(EnvironmentFault):
    """The disk has no room for it."""


def begin_archive(account: Account, language: str, name: str, length: int) -> DraftUpload:
    """Begin a draft, and make room for the ZIP file that it is to become. Raises as `begin` does; no draft is left then."""
    draft = writing.begin(account, language)
    try:
        return begin(draft, account, name, length, MOST_ARCHIVE_BYTES, becomes_draft=True)
    except BaseException:
        writing.delete(draft, draft.revision)
        raise


def begin(
    draft: Draft,
    account: Account,
    name: str,
    length: int,
    most_bytes: int = MAX_BYTES,
    *,
    becomes_draft: bool = False,
) -> DraftUpload:
    """Make room for a video, or a ZIP file that the draft becomes, of so many bytes.

    Raises `Refused` for one that is too large, or where the drafts have too much, and `NoRoom`.
    """
    if not 0 < length <= most_bytes:
        raise Refused(
            _("“{file}” is empty, or has more than {limit} MB").format(
                file=name, limit=most_bytes // MEGABYTE
            ),
            _("Choose another file, or make it smaller."),
        )
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)  # its uploads are counted
        Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk, campaign=None)
        coming = DraftUpload.objects.filter(account=account, stage=DraftUpload.Stage.COMING)
        for old in coming.order_by("-pk")[MOST_OF_ACCOUNT - 1 :]:
            drop(old)
        refuse_too_many_bytes(draft, length)
        upload = DraftUpload.objects.create(
            draft=draft,
            account=account,
            name=name,
            length=length,
            begun_at=clock.now(),
            becomes_draft=becomes_draft,
        )
        try:
            private_files.make_folder(folder_of(draft))
            if shutil.disk_usage(folder_of(draft)).free < 3 * length + RESERVED_BYTES:
                raise _no_room()
            private_files.make(place_of(upload))
        except OSError as error:
            raise _no_room() from error
    return upload


def place_of(upload: DraftUpload) -> Path:
    """Where its bytes lie."""
    return folder_of(upload.draft) / upload.upload_id


def expires_at(upload: DraftUpload) -> datetime:
    """When it is too late to go on."""
    return upload.begun_at + KEPT_FOR


def offset_of(upload: DraftUpload) -> int:
    """How many bytes have come. Raises `OSError` where the file is gone."""
    return place_of(upload).stat().st_size


def append(upload: DraftUpload, offset: int, piece: Readable) -> int:
    """Write the piece behind what has come. Answers the new offset. All of it is written, or nothing.

    Raises `Locked`, `WrongOffset`, `TooLong`, `NoRoom`, and `OSError` where the file is gone.
    """
    with _locked(upload) as descriptor:
        if os.fstat(descriptor).st_size != offset:
            raise WrongOffset
        try:
            end = offset
            while chunk := piece.read(_CHUNK_BYTES):
                if end + len(chunk) > upload.length:
                    raise TooLong
                _write_all(descriptor, chunk, end)
                end += len(chunk)
            os.fsync(descriptor)
        except OSError as error:
            os.ftruncate(descriptor, offset)
            raise _no_room() from error
        except BaseException:
            os.ftruncate(descriptor, offset)
            raise
        return end


def finish(upload: DraftUpload) -> tuple[DraftFile, DraftFile]:
    """Check the video that has come whole, and keep it with the draft. Answers it and its poster; the upload is over then.

    Raises `WrongOffset` where something is missing, `Locked`, `BadFile` and as `files.add`. The upload is over, too, when
    the video cannot be published; not when it is the disk's or the memory's fault, nor where it is `Convertible`.
    """
    with _locked(upload) as descriptor:
        if os.fstat(descriptor).st_size != upload.length:
            raise WrongOffset
        try:
            video = add_video(upload.draft, upload.name, place_of(upload))
        except (EnvironmentFault, Convertible):
            raise
        except BaseException:
            drop(upload)
            raise
        drop(upload)
        return video


def finish_archive(upload: DraftUpload, account: Account) -> Draft:
    """Let the draft be what the ZIP file that has come whole says. The upload is over then, and so is a draft that fails.

    Raises as `writing.become`, and `WrongOffset` and `Locked` as `finish`.
    """
    with _locked(upload) as descriptor:
        if os.fstat(descriptor).st_size != upload.length:
            raise WrongOffset
        place = place_of(upload)
        try:
            with place.open("rb") as file:
                draft = writing.become(upload.draft, account, file)
        except Refused:
            drop(upload)
            raise
        drop(upload)
        return draft


def give_up(upload: DraftUpload) -> None:
    """End it; and with a ZIP file the draft that it was to become, where nobody has written into it."""
    drop(upload)
    if upload.becomes_draft:
        with contextlib.suppress(writing.Overtaken):
            writing.delete(upload.draft, writing.UNTOUCHED)


def drop(upload: DraftUpload) -> None:
    """End it, and delete what has come."""
    place = place_of(upload)
    DraftUpload.objects.filter(pk=upload.pk).delete()
    transaction.on_commit(lambda: place.unlink(missing_ok=True))


def drop_expired(*, dry_run: bool = False) -> int:
    """End those that nobody may go on with. Answers how many."""
    expired = DraftUpload.objects.filter(begun_at__lte=clock.now() - KEPT_FOR).select_related("draft")
    if dry_run:
        return expired.count()
    found = list(expired)
    for upload in found:
        give_up(upload)
    return len(found)


@contextlib.contextmanager
def _locked(upload: DraftUpload) -> Iterator[int]:
    """Its file, open, and nobody else writes it. The lock goes with the process that has it (flock)."""
    descriptor = os.open(place_of(upload), os.O_RDWR | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked from error
        yield descriptor
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes, offset: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _no_room() -> NoRoom:
    return NoRoom(
        _("The server's disk has no room for it"),
        _("Try again later, or ask whoever runs the server to free some space."),
    )
