"""The picture, the video and its captions, as the form of a draft sends them: new files, and which of the draft's stay."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _

from server.campaigns.manifest import MAX_CAPTIONS
from server.campaigns.manifest_tables import Mistake
from server.campaigns.models import Media
from server.core.errors import EnvironmentFault, Refused
from server.drafts.fields import Fields
from server.drafts.files import add_captions, add_picture, add_video
from server.drafts.models import Draft, DraftFile
from server.media.checks import BadFile
from server.media.images import PICTURES

if TYPE_CHECKING:
    Chosen = UploadedFile[bytes]
else:
    Chosen = UploadedFile

Kept = TypeVar("Kept")


def media_in(
    draft: Draft, posted: QueryDict, chosen: Mapping[str, Chosen], mistakes: list[Mistake]
) -> dict[str, Fields]:
    """What the variant shows by this form. New files are checked and kept; why one is not, is noted."""
    return _image(draft, posted, chosen, mistakes) | _video(draft, posted, chosen, mistakes)


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
    draft: Draft, posted: QueryDict, chosen: Mapping[str, Chosen], mistakes: list[Mistake]
) -> dict[str, Fields]:
    if posted.get("go") == "remove-video":
        return {}
    video = _row(draft, posted.get("video", ""), (Media.Type.MP4,))
    poster = _row(draft, posted.get("poster", ""), PICTURES)
    if "video-file" in chosen:
        video, poster = _kept(draft, "video-file", chosen, add_video, mistakes) or (video, poster)
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
    keep: Callable[[Draft, str, Path], Kept],
    mistakes: list[Mistake],
) -> Kept | None:
    """What `keep` answers for the file of this control; None after the mistake was noted."""
    file = chosen[control]
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chosen"
            with path.open("wb") as target:
                for chunk in file.chunks():
                    target.write(chunk)
            return keep(draft, file.name or "", path)
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
