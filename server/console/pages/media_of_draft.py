"""The picture, the video and its captions, as the form of a draft sends them: new files, and which of the draft's stay."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.campaigns.manifest import MAX_CAPTIONS
from server.campaigns.manifest_tables import Mistake
from server.campaigns.models import Media
from server.core.errors import EnvironmentFault, Refused
from server.drafts import conversions
from server.drafts.fields import Fields
from server.drafts.files import add_captions, add_frame, add_picture, add_video
from server.drafts.models import Draft, DraftFile, DraftUpload
from server.media.checks import BadFile, Convertible
from server.media.converting import is_there
from server.media.images import PICTURES

if TYPE_CHECKING:
    Chosen = UploadedFile[bytes]
else:
    Chosen = UploadedFile

Kept = TypeVar("Kept")
FRAMES = 6
"""Pictures of a video that are offered as its poster."""


def media_in(
    draft: Draft,
    posted: QueryDict,
    chosen: Mapping[str, Chosen],
    mistakes: list[Mistake],
    account: Account | None,
) -> dict[str, Fields]:
    """What the variant shows by this form. New files are checked and kept; why one is not, is noted.

    `account`: who sends it. A video that has to be converted is theirs until that is done.
    """
    return _image(draft, posted, chosen, mistakes) | _video(draft, posted, chosen, mistakes, account)


def _image(
    draft: Draft, posted: QueryDict, chosen: Mapping[str, Chosen], mistakes: list[Mistake]
) -> dict[str, Fields]:
    if posted.get("go") == "remove-image":
        return {}
    row = _row(draft, posted.get("image", ""), PICTURES)
    if "image-file" in chosen:
        row = _kept(draft, "image-file", chosen, add_picture, mistakes) or row
    return {"image": {"file": row.name, "alt": line(posted, "image-alt")}} if row else {}


def _video(
    draft: Draft,
    posted: QueryDict,
    chosen: Mapping[str, Chosen],
    mistakes: list[Mistake],
    account: Account | None,
) -> dict[str, Fields]:
    def keep(draft: Draft, name: str, path: Path) -> tuple[DraftFile, DraftFile] | None:
        return _kept_or_converted(draft, account, name, path)

    if posted.get("go") == "remove-video":
        return {}
    names = _converted(draft, posted, account) or (posted.get("video", ""), posted.get("poster", ""))
    video, poster = _row(draft, names[0], (Media.Type.MP4,)), _row(draft, names[1], PICTURES)
    if "video-file" in chosen:
        video, poster = _kept(draft, "video-file", chosen, keep, mistakes) or (video, poster)
    elif video is not None:
        poster = _other_poster(draft, posted, chosen, video, mistakes) or poster
    if video is None or poster is None:
        return {}
    captions = _captions(draft, posted)
    if "captions-file" in chosen:
        captions += _new_captions(draft, posted, chosen, video, mistakes)
    return {
        "video": {
            "file": video.name,
            "poster": poster.name,
            "alt": line(posted, "video-alt"),
            "captions": captions,
        }
    }


def _other_poster(
    draft: Draft, posted: QueryDict, chosen: Mapping[str, Chosen], video: DraftFile, mistakes: list[Mistake]
) -> DraftFile | None:
    """A picture that was chosen for it, or the picture of the video that was."""
    if "poster-file" in chosen:
        return _kept(draft, "poster-file", chosen, add_picture, mistakes)
    number = posted.get("poster-frame", "")
    if number not in map(str, range(FRAMES)):
        return None
    return _tried("poster-file", lambda: add_frame(video, share_of(int(number))), mistakes)


def share_of(number: int) -> float:
    """Where in a video the picture of this number is."""
    return (number + 0.5) / FRAMES


def _kept_or_converted(
    draft: Draft, account: Account | None, name: str, path: Path
) -> tuple[DraftFile, DraftFile] | None:
    """The video and its poster; None where it is converted first."""
    try:
        return add_video(draft, name, path)
    except Convertible as bad:
        if account is None or not is_there():
            raise
        conversions.take_over(draft, account, name, path, bad.what, get_language() or "en")
        return None


def _converted(draft: Draft, posted: QueryDict, account: Account | None) -> tuple[str, str] | None:
    """What came of a conversion, where the button says that the announcement shall have it."""
    act, _colon, upload_id = posted.get("go", "").partition(":")
    if act != "take" or account is None:
        return None
    found = DraftUpload.objects.filter(draft=draft, account=account, upload_id=upload_id)
    upload = found.filter(stage=DraftUpload.Stage.CONVERTED).first()
    return (upload.video, upload.poster) if upload else None


def _captions(draft: Draft, posted: QueryDict) -> list[Fields]:
    found = []
    for number in range(1, MAX_CAPTIONS + 1):
        row = _row(draft, posted.get(f"captions{number}", ""), (Media.Type.VTT,))
        if row is not None and posted.get("go") != f"remove-captions:{number}":
            said = {key: line(posted, f"captions-{key}{number}") for key in ("language", "label")}
            found.append(said | {"file": row.name})
    return found


def _new_captions(
    draft: Draft, posted: QueryDict, chosen: Mapping[str, Chosen], video: DraftFile, mistakes: list[Mistake]
) -> list[Fields]:
    def keep(draft: Draft, name: str, path: Path) -> DraftFile:
        return add_captions(draft, name, path, video)

    row = _kept(draft, "captions-file", chosen, keep, mistakes)
    language, label = line(posted, "captions-language"), line(posted, "captions-label")
    return [{"language": language, "label": label or language, "file": row.name}] if row else []


def _row(draft: Draft, name: str, kinds: Sequence[str] | frozenset[Media.Type]) -> DraftFile | None:
    return draft.files.filter(name=name, type__in=kinds).first() if name and draft.pk else None


def _kept(
    draft: Draft,
    control: str,
    chosen: Mapping[str, Chosen],
    keep: Callable[[Draft, str, Path], Kept | None],
    mistakes: list[Mistake],
) -> Kept | None:
    """What `keep` answers for the file of this control; None after the mistake was noted, too."""
    file = chosen[control]

    def work() -> Kept | None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chosen"
            with path.open("wb") as target:
                for chunk in file.chunks():
                    target.write(chunk)
            return keep(draft, file.name or "", path)

    return _tried(control, work, mistakes)


def _tried(control: str, work: Callable[[], Kept | None], mistakes: list[Mistake]) -> Kept | None:
    """What the work answers; None after its mistake was noted, for this control."""
    try:
        return work()
    except BadFile as bad:
        mistakes.append(Mistake(control, bad.what, bad.what_to_do))
    except (Refused, EnvironmentFault) as fault:
        mistakes.append(Mistake(control, fault.title, fault.message.rstrip(".")))
    except OSError as error:
        mistakes.append(
            Mistake(control, _("the disk says: {reason}").format(reason=error.strerror), _("try again later"))
        )
    return None


def line(posted: QueryDict, key: str) -> str:
    """A text of one line, without blanks around it."""
    return " ".join(posted.get(key, "").split())
