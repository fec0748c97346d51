"""Where the bytes of media lie: `media/<company>/<first two of the hash>/<hash>`, written once, never changed."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from server.core import private_files

CHUNK_BYTES = 1024 * 1024


def path_of(company_id: str, sha256: str) -> Path:
    """The file's place, whether it is there or not."""
    folder: Path = settings.MEDIA_FOLDER
    return folder / company_id / sha256[:2] / sha256


def store(company_id: str, source: BinaryIO) -> tuple[str, int]:
    """Copy `source` into the folder. Answers its SHA-256 in hex and its size in bytes.

    A file that is there already is left alone. Raises `OSError` when the disk refuses; nothing is left behind then.
    """
    folder: Path = settings.MEDIA_FOLDER / company_id
    private_files.make_folder(folder)
    with _temporary_file(folder) as (target, temporary):
        digest, size = hashlib.sha256(), 0
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            size += target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
        place = path_of(company_id, digest.hexdigest())
        private_files.make_folder(place.parent)
        temporary.replace(place)
    return digest.hexdigest(), size


def stored(company_id: str) -> Iterator[tuple[str, int]]:
    """The hash and the size of each of the company's files. Raises `OSError`."""
    folder: Path = settings.MEDIA_FOLDER / company_id
    for path in folder.glob("[0-9a-f][0-9a-f]/*"):
        with contextlib.suppress(FileNotFoundError):  # housekeeping takes some away
            yield path.name, path.stat().st_size


@contextlib.contextmanager
def _temporary_file(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, path
    finally:
        path.unlink(missing_ok=True)
