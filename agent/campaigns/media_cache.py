"""Pictures, videos and captions: downloaded, checked against the signed size and hash, cached, evicted.

A file is in the cache under its SHA-256 only after that hash was computed over it; nothing unverified is ever opened. A
power cut or a failing disk may damage one that is here: it is looked at again once in each process, and fetched anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
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


_Look = tuple[int, int, int]
"""By which a file that changed is known: its number, its size in bytes, its time in nanoseconds."""


class MediaCache:
    """Raises DiskFault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looked_at: dict[str, _Look] = {}

    def path(self, sha256: str) -> Path | None:
        """The verified file, or None."""
        path = self._folder / sha256
        return path if path.is_file() else None

    def holds(self, file: MediaFile) -> bool:
        """Whether a file is here and is what was signed; one that is damaged is removed.

        Of a video only the size is looked at: the player computes its hash before it opens it.
        """
        path = self._folder / file.sha256
        try:
            if not path.is_file():
                return False
            look = _look(path)
            if self._looked_at.get(file.sha256) == look:
                return True
            is_large = file.max_bytes > limits.IMAGE_MAX_BYTES
            if path.stat().st_size == file.size and (is_large or _digest(path) == file.sha256):
                self._looked_at[file.sha256] = look
                return True
            log.warning("A file of the cache is not what was signed any more; it is fetched again.")
            path.unlink(missing_ok=True)
        except OSError as error:
            raise errors.DiskFault(f"media: {error}") from error
        return False

    def missing(self, campaign: Campaign, language: str) -> bool:
        """Whether a file that this campaign needs in this language is not here."""
        return bool(campaign.variants) and any(
            not self._is_whole(file) for file in files_of(campaign.variant(language))
        )

    def _is_whole(self, file: MediaFile) -> bool:
        try:
            return (self._folder / file.sha256).stat().st_size == file.size
        except OSError:
            return False

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
        if _digest(part) != file.sha256:
            raise errors.MediaRefused("the hash is not the signed one")
        with part.open("rb+") as content:
            os.fsync(content.fileno())  # else a power cut may leave the name without the content
        path = part.replace(self._folder / file.sha256)
        self._looked_at[file.sha256] = _look(path)

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
                self._looked_at.pop(path.name, None)
        except OSError as error:
            raise errors.DiskFault(f"media: {error}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _look(path: Path) -> _Look:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
