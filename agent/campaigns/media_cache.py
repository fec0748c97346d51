"""Pictures, videos and captions: downloaded, checked against the signed size and hash, cached, evicted.

A file is in the cache under its SHA-256 only after that hash was computed over it; nothing unverified is ever opened.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from agent.domain import errors, limits
from agent.domain.model import Campaign, Variant
from agent.domain.ports import Transport
from agent.protocol import codec
from agent.system import private_files

log = logging.getLogger(__name__)


class MediaFile(Struct, frozen=True):
    """A picture, video or caption file of a signed document: its digest, its size, and the most that is fetched, in bytes."""

    sha256: str
    size: int
    max_bytes: int


def files_of(variant: Variant) -> Iterator[MediaFile]:
    """The files that a campaign's text needs, small ones first."""
    video = variant.video
    for image in (variant.image, video.poster if video else None):
        if image is not None:
            yield MediaFile(image.sha256, image.size, limits.IMAGE_MAX_BYTES)
    if video is not None:
        for captions in video.captions:
            yield MediaFile(captions.sha256, captions.size, limits.CAPTIONS_MAX_BYTES)
        yield MediaFile(video.sha256, video.size, limits.MEDIA_MAX_BYTES)


def files_needed(campaigns: Iterable[Campaign], language: str) -> list[MediaFile]:
    """The files of all campaigns in the person's language, each once, small ones first."""
    files = {
        file.sha256: file
        for campaign in campaigns
        if campaign.variants
        for file in files_of(campaign.variant(language))
    }
    return sorted(files.values(), key=lambda file: file.size)


class MediaCache:
    """Raises DiskFault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path | None:
        """The verified file, or None."""
        path = self._folder / sha256
        return path if path.is_file() else None

    def missing(self, campaign: Campaign, language: str) -> bool:
        """Whether a file that this campaign needs in this language is not here."""
        return bool(campaign.variants) and any(
            self.path(file.sha256) is None for file in files_of(campaign.variant(language))
        )

    def fetch(self, transport: Transport, file: MediaFile) -> None:
        """Download a file, or what is missing of it, and let it in only if it is what the campaign says.

        Raises MediaRefused, and as the transport does.
        """
        if file.size > file.max_bytes:
            raise errors.MediaRefused(f"{file.size} bytes are more than the limit of {file.max_bytes}")
        part = self._folder / f"{file.sha256}.part"
        try:
            private_files.make_folder(self._folder)
            if part.exists() and part.stat().st_size >= file.size:
                part.unlink()
            private_files.make(part)
            try:
                transport.download(f"{codec.MEDIA_PATH}/{file.sha256}", part, size=file.size)
                self._let_in(part, file)
            except (errors.NotOurServer, errors.MediaRefused):
                part.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise errors.DiskFault(f"media: {error}") from error

    def _let_in(self, part: Path, file: MediaFile) -> None:
        size = part.stat().st_size
        if size < file.size:
            raise errors.ServerUnreachable(f"{size} of {file.size} bytes of a file came")
        with part.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest != file.sha256:
            raise errors.MediaRefused("the hash is not the signed one")
        part.replace(self._folder / file.sha256)

    def evict(self, keep: Iterable[MediaFile]) -> None:
        """Remove what no campaign needs; of the rest, the least recently changed beyond the cache's limit."""
        needed = {file.sha256 for file in keep}
        try:
            found = [(path.stat(), path) for path in self._folder.iterdir()] if self._folder.is_dir() else []
            left = limits.MEDIA_CACHE_MAX_BYTES
            for stat, path in sorted(found, key=lambda each: each[0].st_mtime, reverse=True):
                if path.name.removesuffix(".part") in needed:
                    left -= stat.st_size
                    if left >= 0:
                        continue
                path.unlink(missing_ok=True)
        except OSError as error:
            raise errors.DiskFault(f"media: {error}") from error
