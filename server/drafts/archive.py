"""A campaign file and what it names, in one ZIP file: how a draft is taken along and comes back."""

import contextlib
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from django.utils.translation import gettext as _

from server.campaigns.manifest import MAX_FILE_BYTES
from server.core.errors import EnvironmentFault, Refused
from server.drafts.fields import campaign_file, campaign_id, names_in
from server.drafts.files import kept_files
from server.drafts.models import Draft

MOST_ENTRIES = 1_000
START = b"PK\x03\x04"
"""Of every ZIP file that holds something."""
_SAME_DATE = (1980, 1, 1, 0, 0, 0)
_CHUNK_BYTES = 1024 * 1024


def packed(draft: Draft) -> BinaryIO:
    """The draft as a ZIP file, open at its beginning: the same bytes as long as nothing is changed.

    Raises `EnvironmentFault` when a file cannot be read.
    """
    target = tempfile.TemporaryFile()  # noqa: SIM115 -- who gets it closes it
    files = kept_files(draft)
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(f"{campaign_id(draft)}.toml", _SAME_DATE), campaign_file(draft))
            for name in sorted(set(names_in(draft.fields))):
                entry = zipfile.ZipInfo(name, _SAME_DATE)
                entry.file_size = files[name].size
                with files[name].opened() as source, archive.open(entry, "w") as written:
                    while chunk := source.read(_CHUNK_BYTES):
                        written.write(chunk)
    except OSError as error:
        target.close()
        raise EnvironmentFault(
            _("A file of the draft cannot be read"),
            _("The disk says: {reason}. Run: tidings-server check").format(reason=error),
        ) from error
    target.seek(0)
    return target


class Unpacked:
    """An open ZIP file with one campaign file in it, and what lies beside that."""

    def __init__(self, archive: zipfile.ZipFile, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        campaigns = [
            entry
            for entry in entries
            if entry.filename.endswith(".toml") and not PurePosixPath(entry.filename).name.startswith(".")
        ]
        if len(entries) > MOST_ENTRIES or len(campaigns) != 1:
            raise Refused(
                _("The ZIP file cannot be taken"),
                _("Put one campaign file (TOML) into it, and beside that the files that it names."),
            )
        self.content = self._read(campaigns[0], MAX_FILE_BYTES + 1)
        root = campaigns[0].filename.rpartition("/")[0]
        before = f"{root}/" if root else ""
        self._entries = {
            entry.filename.removeprefix(before): entry
            for entry in entries
            if entry.filename.startswith(before)
        }

    @property
    def names(self) -> Collection[str]:
        """Of the files, as the campaign file may name them."""
        return self._entries.keys()

    def extracted(self, name: str, most_bytes: int) -> Path:
        """The file on the disk; of a longer one, a byte more than `most_bytes`. Raises `Refused`."""
        path = Path(tempfile.mkdtemp(dir=self._folder)) / (Path(name).name or "file")
        path.write_bytes(self._read(self._entries[name], most_bytes + 1))
        return path

    def _read(self, entry: zipfile.ZipInfo, most_bytes: int) -> bytes:
        try:
            with self._archive.open(entry) as file:
                return file.read(most_bytes)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
            raise _unreadable() from error


@contextlib.contextmanager
def unpacked(file: BinaryIO) -> Iterator[Unpacked]:
    """The ZIP file, opened for the length of a block. Raises `Refused`."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _unreadable() from error
    with archive, tempfile.TemporaryDirectory() as folder:
        yield Unpacked(archive, Path(folder))


def _unreadable() -> Refused:
    return Refused(
        _("The ZIP file cannot be taken"),
        _("It is damaged, encrypted, or packed in a way that is not known here. Pack it anew."),
    )
