"""A campaign file and what it names, in one ZIP file: how a draft is taken along and comes back."""

import contextlib
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from django.utils.translation import gettext as _

from server.campaigns.manifest import MAX_FILE_BYTES
from server.campaigns.manifest_tables import Mistakes
from server.core.errors import EnvironmentFault, Refused
from server.drafts.fields import Fields, campaign_file, campaign_id, names_in
from server.drafts.files import add_captions, add_picture, add_video, add_video_alone, kept_files
from server.drafts.models import Draft, DraftFile
from server.media.checks import BadFile
from server.media.video import MAX_BYTES

MOST_ENTRIES = 1_000
MOST_UNPACKED_TIMES, SMALL = 20, 4 * MAX_FILE_BYTES
"""Pictures and videos are packed already; texts, and captions, are small."""
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
        if sum(entry.file_size for entry in entries) > MOST_UNPACKED_TIMES * _packed_size(archive) + SMALL:
            raise Refused(
                _("The ZIP file cannot be taken"),
                _(
                    "What it holds is far larger than itself. Put pictures, videos and captions into it as they are."
                ),
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

    @contextlib.contextmanager
    def extracted(self, name: str) -> Iterator[Path]:
        """The file on the disk, for the length of a block; of a longer one, a byte more than any may have.

        Raises `Refused`.
        """
        path = self._folder / "file"
        left = MAX_BYTES + 1
        with _readable(), self._archive.open(self._entries[name]) as source, path.open("wb") as target:
            while left and (chunk := source.read(min(_CHUNK_BYTES, left))):
                left -= target.write(chunk)
        try:
            yield path
        finally:
            path.unlink()

    def _read(self, entry: zipfile.ZipInfo, most_bytes: int) -> bytes:
        with _readable(), self._archive.open(entry) as file:
            return file.read(most_bytes)


def _packed_size(archive: zipfile.ZipFile) -> int:
    return sum(entry.compress_size for entry in archive.infolist())


class Arrival:
    """The files that came with a campaign file, on their way into a draft: each is checked and kept once."""

    def __init__(self, draft: Draft, came: Unpacked, mistakes: Mistakes) -> None:
        self._draft = draft
        self._came = came
        self._mistakes = mistakes
        self._taken: dict[tuple[str, str], DraftFile | None] = {}
        self._posters: dict[str, str] = {}

    def take(self, fields: Fields) -> None:
        """Keep what the fields name, and let them name it as the draft does. Notes what cannot be taken.

        Raises as `files.add`, and `Refused`.
        """
        for language, variant in fields["variants"].items():
            if image := variant.get("image"):
                self._take(f"variants.{language}.image.file", image, "file", self._picture)
            if video := variant.get("video"):
                self._take_video(f"variants.{language}.video", video)

    def _take_video(self, place: str, table: Fields) -> None:
        keep_video = self._video_alone if "poster" in table else self._video
        video = self._take(f"{place}.file", table, "file", keep_video)
        if "poster" in table:
            self._take(f"{place}.poster", table, "poster", self._picture)
        elif video is not None:
            table["poster"] = self._posters.get(video.name) or ""
        if video is not None:
            for number, captions in enumerate(table.get("captions", []), 1):
                keep = partial(self._captions, video)
                self._take(f"{place}.captions[{number}].file", captions, "file", keep)

    def _take(
        self, place: str, table: Fields, key: str, keep: Callable[[str, Path], DraftFile]
    ) -> DraftFile | None:
        name, kind = table[key], place.rpartition(".")[0].rstrip("[]0123456789").rpartition(".")[2]
        known = ("image" if key == "poster" else kind, name)
        if known not in self._taken:
            self._taken[known] = None
            try:
                with self._came.extracted(name) as path:
                    self._taken[known] = keep(name, path)
            except BadFile as bad:
                self._mistakes.add(place, bad.what, bad.what_to_do)
        row = self._taken[known]
        if row is not None:
            table[key] = row.name
        return row

    def _picture(self, name: str, path: Path) -> DraftFile:
        return add_picture(self._draft, name, path)

    def _video_alone(self, name: str, path: Path) -> DraftFile:
        return add_video_alone(self._draft, name, path)

    def _video(self, name: str, path: Path) -> DraftFile:
        video, poster = add_video(self._draft, name, path)
        self._posters[video.name] = poster.name
        return video

    def _captions(self, video: DraftFile, name: str, path: Path) -> DraftFile:
        return add_captions(self._draft, name, path, video)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Raise `Refused` where the block meets what no program wrote, or none that is known here."""
    try:
        yield
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
