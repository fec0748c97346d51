"""A second note of the connection, beside the store, and how far connecting or letting go has come.

Where the store's row is damaged, the connection is known from here. Where a process ended between the keychain and the
store, the next one finishes what was begun (docs/adr/0016). One sealed file, replaced whole.
"""

from __future__ import annotations

import contextlib
import logging
import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from agent.domain import errors
from agent.domain.freshness import Freshness
from agent.domain.model import Company, Person
from agent.domain.msgspec_warmup import decode_json, resolve
from agent.protocol.codec import KeySet
from agent.store import repairs
from agent.store.sealing import seal
from agent.system import private_files

log = logging.getLogger(__name__)

NAME = "enrolment.note"
_MOST_BYTES = 1024 * 1024
_READINGS = 3
"""A disk can fail once."""


class Stage(StrEnum):
    """How far connecting or disconnecting got when the note was last written."""

    CONNECTING = "connecting"
    """The token may be in the keychain, and the store may not know of it."""
    CONNECTED = "connected"
    LEAVING = "leaving"
    """The person disconnects: the server may have been told, and the token may be gone."""


class EnrolmentNote(Struct, frozen=True, forbid_unknown_fields=True):
    """The connection, noted a second time beside the store.

    ``token_sha256``, ``counter``: of what connecting brings; empty later. ``counter`` is that of the company document, with
    its digest. ``heard``: while it is being left, whether the server heard of that and of all that was owed to it.
    """

    stage: Stage
    server_url: str
    company_id: str
    keys: KeySet
    person: Person
    company: Company
    connected: datetime | None
    freshness: Freshness = Freshness()
    token_sha256: str = ""
    counter: tuple[int, str] = (0, "")
    heard: bool = False


class EnrolmentNotes:
    """The file with the note."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> EnrolmentNote | None:
        """What it says; None where there is none, or none that is what was written."""
        for _ in range(_READINGS):
            try:
                content = private_files.read(self._path, _MOST_BYTES)
            except FileNotFoundError:
                return None
            except OSError as error:
                log.warning("The second note of the connection cannot be read: %s", error)
                continue
            if (note := _decoded(content)) is not None:
                return note
        return None

    def write(self, note: EnrolmentNote) -> None:
        """On the disk when this returns. Raises DiskFault; the old one stays then."""
        body = msgspec.json.encode(note)
        part = repairs.beside(self._path, ".part")
        try:
            with open(part, "wb", opener=private_files.opener) as file:
                file.write(f"{seal(body).hex()} ".encode() + body)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
            repairs.sync(self._path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise errors.DiskFault(f"{NAME}: {error}") from error

    def remove(self) -> None:
        """Raises DiskFault."""
        repairs.unlink(repairs.beside(self._path, ".part"))
        repairs.unlink(self._path)


def _decoded(content: bytes) -> EnrolmentNote | None:
    sealed, _, body = content.partition(b" ")
    if sealed != seal(body).hex().encode():
        return None
    try:
        return decode_json(body, EnrolmentNote)
    except msgspec.MsgspecError:
        return None


resolve(EnrolmentNote)
