"""The archive that holds a whole company: a ZIP file with a manifest that names every member, its size and its SHA-256.

```
manifest.json                 {"format": "tidings-company", "v": 1, "company", "name", "region", "files": {…}}
rows/directory.person.jsonl   one row a line, canonical JSON, in the order in which rows were made
media/<sha256>                the files that campaigns name
keys/campaign.jwk.json        the private signing keys: whoever has them can speak for the company
keys/receipt.jwk.json
keys/replaced.jwks.json       the public keys under which older receipts were signed
audit/end.json                what the data folder knows of the audit log: its end, breaks, and what was said of them
```
The same company gives the same bytes: nothing in the archive tells when it was made. The manifest's SHA-256 stands for all of
it: whoever notes it elsewhere can tell an archive that was edited.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.archives.row_lines import LONGEST_LINE
from server.core.errors import EnvironmentFault, Refused
from server.core.json_text import read_json

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 16 * 1024 * 1024
LARGEST_RATIO = 200
"""Bytes that one compressed byte may stand for. Rows stay far below; a bomb does not (DEFLATE can reach 1,032)."""
CHUNK_BYTES = 1024 * 1024
MOST_LIST_BYTES = 32 * 1024 * 1024
"""Of the list of members: a quarter of a million media, of which Python keeps ten times as much in memory."""
LONGEST_END = 66 * 1024
END_OF_LIST, END_OF_LONG_LIST = b"PK\x05\x06", b"PK\x06\x06"
"""What APPNOTE.TXT 4.3 calls the end of central directory record, and that of ZIP64."""
EARLIEST = (1980, 1, 1, 0, 0, 0)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNREADABLE = (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error)
"""What `zipfile` raises for archives that are damaged, encrypted or of an unknown kind."""
LOG_END = "audit/end.json"
REPLACED_KEYS = "keys/replaced.jwks.json"
MEMBER = (
    r"^(rows/[a-z_]{1,60}\.[a-z_]{1,80}\.jsonl|media/[0-9a-f]{64}|keys/(campaign|receipt)\.jwk\.json"
    r"|keys/replaced\.jwks\.json|audit/end\.json)$"
)
LARGEST_SMALL_FILE = 16 * 1024 * 1024
"""Of keys and of what is known of the audit log."""

MemberName = Annotated[str, Field(pattern=MEMBER)]


class Member(BaseModel):
    """One file of the archive. `size` in bytes, `sha256` in hex."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """What the archive holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["tidings-company"] = "tidings-company"
    v: Literal[1] = 1
    company: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    name: Annotated[str, Field(min_length=1, max_length=120)]
    region: Literal["eu", "us"]
    files: dict[MemberName, Member]


class ArchiveWriter:
    """Writes an archive that only this user may read. It appears under its name when all of it is on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.parent / f".{path.name}.partial"
        self._files: dict[str, Member] = {}

    def __enter__(self) -> "ArchiveWriter":
        """Raises `Refused` where the file is there already, `EnvironmentFault` where it cannot be written."""
        try:
            if self._path.exists():
                raise Refused(_("{path} is there already").format(path=self._path), _("Choose another name."))
            self._partial.unlink(missing_ok=True)
            descriptor = os.open(self._partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w")
        return self

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Add a member. Raises `EnvironmentFault` when the disk refuses."""
        digest, size = hashlib.sha256(), 0
        try:
            with self._zip.open(_entry(name), "w", force_zip64=True) as member:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    member.write(chunk)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self._files[name] = Member(size=size, sha256=digest.hexdigest())

    def finish(self, company: str, name: str, region: Literal["eu", "us"]) -> tuple[Manifest, str]:
        """Write the manifest and put the archive in its place. Answers its SHA-256, too. Raises `EnvironmentFault`."""
        manifest = Manifest(
            company=company, name=name, region=region, files=dict(sorted(self._files.items()))
        )
        content = json.dumps(manifest.model_dump(), ensure_ascii=False, sort_keys=True, indent=1)
        try:
            self._zip.writestr(_entry(MANIFEST), content)
            self._zip.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._partial.replace(self._path)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        return manifest, hashlib.sha256(content.encode()).hexdigest()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # of what was not finished, nothing is kept
            self._zip.close()
        self._file.close()
        self._partial.unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    """Without a time, and compressed unless media, which are compressed in themselves."""
    entry = zipfile.ZipInfo(name, EARLIEST)
    entry.compress_type = zipfile.ZIP_STORED if name.startswith("media/") else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _unwritable(path: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(_("The archive cannot be written"), f"{path}: {error.strerror or error}")


class ArchiveReader:
    """An archive whose manifest fits its members. Nothing is read beyond the sizes that it names, or under another name."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest, digest: str) -> None:
        self._zip = archive
        self.manifest = manifest
        self.digest = digest
        """SHA-256 of the manifest, in hex."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's bytes; after the last of them, its size and hash have been checked. Raises `Refused`."""
        expected = self.manifest.files[name]
        digest, left = hashlib.sha256(), expected.size
        try:
            with self._zip.open(name) as member:
                while chunk := member.read(CHUNK_BYTES):
                    left -= len(chunk)
                    if left < 0:
                        break
                    digest.update(chunk)
                    yield chunk
        except UNREADABLE as error:
            raise damaged(f"{name}: {error}") from error
        if left or digest.hexdigest() != expected.sha256:
            raise damaged(_("{name} is not what the manifest says").format(name=name))

    def small(self, name: str) -> bytes | None:
        """All of a member that is never large, or None where there is none. Raises `Refused`."""
        member = self.manifest.files.get(name)
        if member is None:
            return None
        if member.size > LARGEST_SMALL_FILE:
            raise damaged(_("{name} is too large").format(name=name))
        return b"".join(self.chunks(name))

    def lines(self, name: str) -> Generator[bytes, None, None]:
        """A member's lines, without their ends. Raises `Refused`."""
        rest = b""
        for chunk in self.chunks(name):
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise damaged(_("{name} has a line that is too long").format(name=name))
            yield from whole
        if rest:
            raise damaged(_("{name} ends within a line").format(name=name))

    def check(self) -> None:
        """Read all of it once, so that nothing is begun with an archive that is damaged at its end. Raises `Refused`."""
        for name in self.manifest.files:
            for _chunk in self.chunks(name):
                pass


def damaged(reason: str) -> Refused:
    """The archive is not as it was written."""
    return Refused(
        _("The archive is damaged"), _("{reason}. Nothing was imported.").format(reason=reason.rstrip("."))
    )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[ArchiveReader]:
    """Open an archive and check its manifest. Raises `Refused` for what is no archive of a company."""
    try:
        _check_list(path)
        archive = zipfile.ZipFile(path)
    except (*UNREADABLE, ValueError) as error:
        raise Refused(_("The archive cannot be read"), f"{path}: {error}") from error
    with archive:
        content = _manifest_text(archive)
        manifest = _manifest(content)
        _check_members(archive, manifest, path)
        yield ArchiveReader(archive, manifest, hashlib.sha256(content).hexdigest())


def _check_list(path: Path) -> None:
    """Refuse a list of members that `zipfile` would fill the memory with. It lies at the end, and is read as a whole."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_END))
        end = file.read()
    # In the order in which `zipfile` looks for it.
    place = len(end) - 22 if end[-22:-18] == END_OF_LIST and end[-2:] == b"\0\0" else end.rfind(END_OF_LIST)
    if place < 0 or len(end) < place + 22:
        return  # no ZIP file, which `zipfile` says
    (listed,) = struct.unpack_from("<L", end, place + 12)
    long = place - 20 - 56
    if long >= 0 and end[long : long + 4] == END_OF_LONG_LIST:
        (listed,) = struct.unpack_from("<Q", end, long + 40)
    if listed > MOST_LIST_BYTES:
        raise damaged(_("it holds too many files"))


def _manifest_text(archive: zipfile.ZipFile) -> bytes:
    try:
        with archive.open(MANIFEST) as member:
            content = member.read(LARGEST_MANIFEST + 1)
        if len(content) > LARGEST_MANIFEST:
            raise damaged(_("its manifest is too large"))
    except KeyError as error:
        raise damaged(_("it has no manifest")) from error
    except UNREADABLE as error:
        raise damaged(f"{MANIFEST}: {error}") from error
    return content


def _manifest(content: bytes) -> Manifest:
    try:
        return Manifest.model_validate(read_json(content))
    except ValidationError as error:
        first = error.errors()[0]
        raise damaged(f"{MANIFEST}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except ValueError as error:
        raise damaged(f"{MANIFEST}: {error}") from error


def _check_members(archive: zipfile.ZipFile, manifest: Manifest, path: Path) -> None:
    entries = archive.infolist()
    names = sorted(entry.filename for entry in entries)
    if names != sorted([MANIFEST, *manifest.files]):
        raise damaged(_("it holds other files than its manifest names"))
    for entry in entries:
        if not _is_as_told(entry, manifest.files.get(entry.filename)):
            raise damaged(_("{name} is not what the manifest says").format(name=entry.filename))
        if entry.file_size > LARGEST_RATIO * max(entry.compress_size, CHUNK_BYTES // LARGEST_RATIO):
            raise damaged(_("{name} is packed too tightly to be a company’s").format(name=entry.filename))
    free = shutil.disk_usage(path.parent).free
    if sum(member.size for member in manifest.files.values()) > free:
        raise EnvironmentFault(
            _("The disk is too small for this company"), _("Free some space, then try again.")
        )


def _is_as_told(entry: zipfile.ZipInfo, told: Member | None) -> bool:
    """Whether the entry is packed as we pack, has the size that the manifest tells, and a medium the hash of its name."""
    if entry.compress_type not in METHODS:
        return False
    media = is_media(entry.filename)
    return told is None or (entry.file_size == told.size and (not media or media[1] == told.sha256))


def is_media(name: str) -> re.Match[str] | None:
    """The match whose first group is the file's hash."""
    return re.fullmatch(r"media/([0-9a-f]{64})", name)
