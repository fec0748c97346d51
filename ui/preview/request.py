"""What is to be drawn, as docs/protocol/rendering.md says: strict, and media are what the campaign says they are."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from agent.domain import errors
from agent.domain.model import (
    Campaign,
    Company,
    FeedbackSignal,
    Image,
    Notice,
    Region,
    Sha256,
    Urgency,
    Variant,
)
from agent.domain.msgspec_warmup import decode_message, resolve
from agent.protocol import codec
from resources import i18n
from ui.style.theme import Scheme

MAX_BYTES = 96 * 1024 * 1024
MOST_PICTURES = 12
CAMPAIGN_ID = "c-preview"


class BadRequest(Exception):
    """What was asked for cannot be drawn, in words."""


class Window(StrEnum):
    """A window of the agent that shows a campaign."""

    POPUP = "popup"
    EMERGENCY = "emergency"
    INBOX = "inbox"
    PLAYER = "player"


class Picture(Struct, frozen=True, forbid_unknown_fields=True):
    """One picture. ``text_scale`` is in percent."""

    window: Window
    language: Annotated[str, Meta(pattern="^[a-z]{2}(-[A-Za-z0-9]{2,8})?$")]
    scheme: Scheme = Scheme.LIGHT
    text_scale: Annotated[int, Meta(ge=100, le=200)] = 100


class MediaFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file on this computer, or its bytes in base64."""

    path: str = ""
    content: bytes = b""


class CompanyLook(Struct, frozen=True, forbid_unknown_fields=True):
    """What windows show of a company."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    accent: Annotated[str, Meta(pattern="^(#[0-9A-Fa-f]{6})?$")] = ""
    logo: Image | None = None


class RenderRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """``campaign`` is a campaign's content as it is signed."""

    v: Literal[1]
    company: CompanyLook
    campaign: Raw
    pictures: Annotated[tuple[Picture, ...], Meta(min_length=1, max_length=MOST_PICTURES)]
    media: Annotated[dict[Sha256, MediaFile], Meta(max_length=200)] = {}


@dataclass(frozen=True)
class Preview:
    """A request that was read and checked; ``media`` are files by their digest."""

    company: Company
    campaign: Campaign
    pictures: tuple[Picture, ...]
    media: dict[str, Path]

    def in_language(self, language: str) -> Campaign:
        """The campaign as somebody with this language reads it: whatever the language of the windows, in that variant."""
        variant = self.campaign.variant(language)
        return replace(self.campaign, variants={language: variant}, default_language=language)


def read(text: bytes, folder: Path) -> Preview:
    """``folder`` takes media that came as bytes. Raises BadRequest."""
    try:
        asked = decode_message(text, RenderRequest)
        campaign = codec.decode_campaign(CAMPAIGN_ID, 1, bytes(asked.campaign))
    except msgspec.DecodeError as error:
        raise BadRequest(f"The request is not as docs/protocol/rendering.md says: {error}") from error
    except errors.DocumentRefused as error:
        raise BadRequest(f"The campaign is none that the agent takes: {error.detail}") from error
    if not campaign.variants:
        raise BadRequest("A recalled campaign has no text to be drawn.")
    for picture in asked.pictures:
        _check_window(picture, campaign)
    company = _company(asked.company)
    shown = _pictures_of(campaign.variants.values(), company)
    media = {sha256: _file(sha256, file, folder, shown.get(sha256)) for sha256, file in asked.media.items()}
    return Preview(company, campaign, asked.pictures, media)


def interface_language(language: str) -> str:
    """The language of the windows around a text: its own where they speak it, else English."""
    code = language.split("-")[0]
    return code if code in i18n.LANGUAGES else "en"


def _check_window(picture: Picture, campaign: Campaign) -> None:
    """Nothing is drawn that no screen shows."""
    emergency = campaign.urgency is Urgency.EMERGENCY
    wrong = {
        Window.POPUP: emergency or campaign.urgency is Urgency.SILENT,
        Window.EMERGENCY: not emergency,
        Window.INBOX: False,
        Window.PLAYER: campaign.variant(picture.language).video is None,
    }
    if wrong[picture.window]:
        raise BadRequest(
            f"A campaign of urgency “{campaign.urgency}” in “{picture.language}” has no window “{picture.window}”."
        )


def _company(look: CompanyLook) -> Company:
    """What is not shown is left empty."""
    nothing = Notice(1, "1970-01-01", {"en": ""})
    return Company(
        "preview", look.name, "", Region.EU, "", "", look.accent, (), frozenset(FeedbackSignal), nothing,
        logo=look.logo,
    )  # fmt: skip


def _pictures_of(variants: Iterable[Variant], company: Company) -> dict[str, Image]:
    """What is drawn of the media: a video itself is not."""
    found = [company.logo]
    for variant in variants:
        found += [variant.image, variant.video.poster if variant.video else None]
    return {image.sha256: image for image in found if image is not None}


def _file(sha256: str, file: MediaFile, folder: Path, image: Image | None) -> Path:
    """Raises BadRequest where it is not the one that the campaign names."""
    if bool(file.path) == bool(file.content):
        raise BadRequest(f"The file {sha256} needs either a path or its content.")
    path = Path(file.path) if file.path else _written(folder / sha256, file.content)
    try:
        about = path.stat()
        if not path.is_absolute() or not stat.S_ISREG(about.st_mode):
            raise BadRequest(f"The path of {sha256} is not that of a file.")
        if image is not None and (about.st_size != image.size or _digest(path) != sha256):
            raise BadRequest(f"The file {sha256} is not the one that the campaign names.")
    except (OSError, ValueError) as error:
        raise BadRequest(f"The file {sha256} cannot be read: {type(error).__name__}") from error
    return path


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


resolve(Picture, MediaFile, CompanyLook, RenderRequest)
