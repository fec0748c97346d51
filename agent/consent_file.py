"""The consent record on disk: a preallocated file with one slot a signal, written in place and synced.

In place, because a withdrawal must be recorded on a full disk too, where a database's DELETE fails. A slot holds a
checksum and JSON, padded with spaces. A slot that is missing, torn, or says anything unexpected means *off*.
"""

from __future__ import annotations

import logging
import os
import zlib
from pathlib import Path

import msgspec

from agent import errors
from agent.consent import Consent
from agent.model import Signal, resolve

log = logging.getLogger(__name__)

SLOT_BYTES = 1024
_SLOTS = {signal: index * SLOT_BYTES for index, signal in enumerate(Signal)}
_FILE_BYTES = SLOT_BYTES * len(_SLOTS)
_BINARY = getattr(os, "O_BINARY", 0)


class ConsentFile:
    """Raises DiskFault from every method that writes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def prepare(self) -> None:
        """Preallocate the file, so that later writes need no new disk space."""
        try:
            if self._path.exists() and self._path.stat().st_size == _FILE_BYTES:
                return
            blank = b"".join(_encode(Consent(signal)) for signal in Signal)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600)
            _write_synced(descriptor, blank, 0)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise errors.DiskFault(f"consent record: {error}") from error

    def read(self) -> dict[Signal, Consent]:
        """The record of every signal; a fresh one (off) where the slot cannot be trusted."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            content = b""
        except OSError as error:
            log.warning("The consent record cannot be read; everything is off: %s", error)
            content = b""
        return {
            signal: _decode(signal, content[offset : offset + SLOT_BYTES])
            for signal, offset in _SLOTS.items()
        }

    def write(self, consent: Consent) -> None:
        """Record one signal's consent, in place, on disk when this returns."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | _BINARY)
            _write_synced(descriptor, _encode(consent), _SLOTS[consent.signal])
        except OSError as error:
            raise errors.DiskFault(f"consent record: {error}") from error


def _encode(consent: Consent) -> bytes:
    body = msgspec.json.encode(consent)
    record = b"%08x %s" % (zlib.crc32(body), body)
    if len(record) >= SLOT_BYTES:
        raise ValueError(f"a consent record of {len(record)} bytes does not fit its slot")
    return record.ljust(SLOT_BYTES - 1, b" ") + b"\n"


def _decode(signal: Signal, slot: bytes) -> Consent:
    fresh = Consent(signal)
    if not slot:
        return fresh
    try:
        consent = msgspec.json.decode(slot.partition(b" ")[2], type=Consent)
    except (msgspec.DecodeError, UnicodeDecodeError):
        consent = fresh
    if consent.signal is not signal or slot != _encode(consent):
        log.warning("The consent record for %s is damaged; it is off.", signal.value)
        return fresh
    return consent


def _write_synced(descriptor: int, content: bytes, offset: int) -> None:
    try:
        os.lseek(descriptor, offset, os.SEEK_SET)
        while content:
            written = os.write(descriptor, content)
            content = content[written:]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


resolve(Consent)
