"""Videos that many computers cannot play are made into ones that all can: one after the other, in a thread of the console.

What waits is a row of the database, so that it is begun again where the console was ended in the middle of it. What was
sent goes once its conversion is kept, or with the upload, after a day.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import F, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.core import background, clock, private_files
from server.core.errors import Refused, ServerError
from server.drafts import uploads
from server.drafts.files import add_video
from server.drafts.models import Draft, DraftFile, DraftUpload
from server.media.checks import BadFile
from server.media.converting import Unwanted, convert

MOST_OF_ACCOUNT = 3
"""Videos that wait at once."""
MOST_TRIES = 3
"""The console was ended as often as that while it was converted: perhaps by this very one."""

_lock = threading.Lock()
_worker: threading.Thread | None = None
_at: int | None = None
"""The number of the upload that is being converted now."""
_reached: dict[int, float] = {}


@dataclass(frozen=True)
class Conversion:
    """How far one has come: of 1, None while it waits for its turn; and what came of it."""

    upload: DraftUpload
    reached: float | None
    video: DraftFile | None


def begin(upload: DraftUpload, why: str, language: str) -> None:
    """Have a video that has come converted. `why`: what is wrong with it, in this language. Raises `Refused`."""
    waiting = DraftUpload.objects.filter(account=upload.account_id, stage=DraftUpload.Stage.WAITING)
    if waiting.count() >= MOST_OF_ACCOUNT:
        raise Refused(
            _("{most} of your videos are being converted").format(most=MOST_OF_ACCOUNT),
            _("Wait until one of them is done, and send this one again."),
        )
    DraftUpload.objects.filter(pk=upload.pk).update(
        stage=DraftUpload.Stage.WAITING, told=why, language=language, begun_at=clock.now()
    )
    wake()


def take_over(draft: Draft, account: Account, name: str, path: Path, why: str, language: str) -> None:
    """The same of one that came with a form, and lies at `path`. Raises as `uploads.begin`, too."""
    upload = uploads.begin(draft, account, name, path.stat().st_size)
    try:
        shutil.copyfile(path, uploads.place_of(upload))
        begin(upload, why, language)
    except BaseException:
        uploads.drop(upload)
        raise


def try_again(upload: DraftUpload) -> None:
    """Begin one again that failed, as long as what was sent is there."""
    failed = DraftUpload.objects.filter(pk=upload.pk, stage=DraftUpload.Stage.FAILED)
    failed.update(stage=DraftUpload.Stage.WAITING, tries=0)
    wake()


def of_drafts(draft: OuterRef) -> QuerySet[DraftUpload]:
    """Those of each draft of a query."""
    return DraftUpload.objects.filter(draft=draft).exclude(stage=DraftUpload.Stage.COMING)


def of_draft(draft: Draft, account: Account) -> list[Conversion]:
    """Those of this account in the draft, the oldest first."""
    since = clock.now() - uploads.KEPT_FOR
    found = DraftUpload.objects.filter(draft=draft, account=account, begun_at__gt=since)
    found = found.exclude(stage=DraftUpload.Stage.COMING).order_by("pk")
    files = {row.name: row for row in draft.files.all()} if found else {}
    return [Conversion(one, _reached.get(one.pk), files.get(one.video)) for one in found]


def wake() -> None:
    """Have a thread look for what waits; where there is one, it does so before it ends."""
    global _worker
    with _lock:
        if _worker is None and _waiting().exists():
            _worker = background.begin("A video could not be converted", _work, _ended)


def _waiting() -> QuerySet[DraftUpload]:
    return DraftUpload.objects.filter(stage=DraftUpload.Stage.WAITING)


def _work() -> None:
    global _at
    while (number := _next()) is not None:
        with _turn() as folder:
            _at = number
            _converted(number, folder)
            _at = None


def _ended(_title: str, _message: str) -> None:
    """A fault ended the thread: it ends what it was at, too. The others go on; else whoever looks at the page wakes it."""
    global _at, _worker
    ended, _at = _at, None
    try:  # while it is the worker still: another one would take the same upload
        upload = _waiting().filter(pk=ended).first() if ended is not None else None
        if upload is not None:
            with translation.override(upload.language):
                _fail(upload, _("This is a fault of the server; its log says more."))
    finally:
        with _lock:
            _worker = None
    if ended is not None:
        wake()


def _next() -> int | None:
    """The number of the upload that waits longest; None, and this thread is no more, where none does."""
    global _worker
    with _lock:
        found = _waiting().order_by("begun_at", "pk").values_list("pk", flat=True).first()
        if found is None:
            _worker = None
        return found


@contextlib.contextmanager
def _turn() -> Iterator[Path]:
    """A folder to work in. Nobody else of this server converts for the length of a block (flock). Raises `OSError`."""
    home = settings.CONVERSION_FOLDER
    private_files.make_folder(home)
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, private_files.MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for left in home.glob(".converting-*"):  # by a console that was ended
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=home) as folder:
            yield Path(folder)
    finally:
        os.close(descriptor)


def _converted(number: int, folder: Path) -> None:
    """Convert it, where it still waits, and write down what came of it."""
    _waiting().filter(pk=number).update(tries=F("tries") + 1)
    upload = _waiting().filter(pk=number).select_related("draft__company").first()
    if upload is None:
        return
    with translation.override(upload.language):
        if upload.tries > MOST_TRIES:
            _fail(upload, _("The server was ended each time while it was converted."))
            return
        try:
            _carry_out(upload, folder)
        except Unwanted:
            pass
        except Draft.DoesNotExist:  # or published
            uploads.drop(upload)
        except BadFile as bad:
            _fail(upload, f"{bad.what}; {bad.what_to_do}.")
        except ServerError as error:
            _fail(upload, f"{error.title}. {error.message}")
        except OSError as error:
            _fail(upload, _("The disk says: {reason}").format(reason=error.strerror))
        finally:
            _reached.pop(number, None)


def _carry_out(upload: DraftUpload, folder: Path) -> None:
    place = uploads.place_of(upload)
    told = partial(_reached.__setitem__, upload.pk)
    told(0.0)
    path = convert(place, upload.name, folder, told, lambda: _is_wanted(upload))
    video, poster = add_video(upload.draft, upload.name, path)
    kept = _waiting().filter(pk=upload.pk)
    kept.update(
        stage=DraftUpload.Stage.CONVERTED,
        length=0,
        video=video.name,
        poster=poster.name,
        begun_at=clock.now(),
    )
    place.unlink(missing_ok=True)


def _is_wanted(upload: DraftUpload) -> bool:
    try:
        return _waiting().filter(pk=upload.pk).exists()
    except DatabaseError:
        connections.close_all()
        return True  # ask again when it answers


def _fail(upload: DraftUpload, told: str) -> None:
    _waiting().filter(pk=upload.pk).update(stage=DraftUpload.Stage.FAILED, told=told, begun_at=clock.now())
