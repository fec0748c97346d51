"""The consent record on disk: a preallocated file with one slot a signal, written in place and synced.

In place, because a withdrawal must be recorded on a full disk too, where a database's DELETE fails. A slot holds a
checksum and JSON, padded with spaces. A slot that is missing, torn, or says anything unexpected means *off*.

A read-only disk takes not even that. Then a note in another folder (the session's, usually in memory) keeps the
withdrawal over a restart of the program. A note can only turn a signal off.
"""

from __future__ import annotations

import logging
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from agent.consent.rules import Consent, distrust, without_record
from agent.domain import errors
from agent.domain.model import ConsentState, FeedbackSignal
from agent.domain.msgspec_warmup import decode_json, resolve
from agent.system import file_lock, private_files

log = logging.getLogger(__name__)

SLOT_BYTES = 1024
_SLOTS = {signal: index * SLOT_BYTES for index, signal in enumerate(FeedbackSignal)}
_FILE_BYTES = SLOT_BYTES * len(_SLOTS)
_MOST_BYTES = 16 * 1024
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""A pipe in the place of a file (fifo(7)) is a fault, and not waited for."""
_LOCK_S = 0.5
"""How long a writer waits for another one, which takes milliseconds unless it is stopped."""
_READINGS = 3
"""A slot that another process is just writing can look damaged once, and a disk can fail once."""


class ConsentFile:
    """The consent record on disk. Every method that writes raises DiskFault.

    ``notes``: the folder for what the file itself could not take, then those where another login of the same person may have
    left a note.
    """

    def __init__(self, path: Path, notes: Sequence[Path] = ()) -> None:
        self._path = path
        self._notes = notes
        self._unwritten: dict[FeedbackSignal, Consent] = {}
        self._known = b""
        self._known_notes: dict[FeedbackSignal, bytes] = {}
        self._said: dict[Path, str] = {}
        self.unread = False

    @property
    def behind(self) -> bool:
        """Whether something is off here that the file does not know of."""
        return bool(self._unwritten)

    def prepare(self) -> None:
        """Preallocate the file, so that later writes need no new disk space.

        A record of another size keeps what it says: an agent with more signals or fewer wrote it, or a disk lost its end.
        What is missing is written in place, so that a process that ends meanwhile loses nothing, and what is there holds
        where the disk has no room for it. Raises DiskFault where there is no record.
        """
        try:
            if self._path.is_file() and _FILE_BYTES <= self._path.stat().st_size <= _MOST_BYTES:
                return
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | _BINARY, 0o600)
            with _closed_at_the_end(descriptor) as closing:
                if not file_lock.is_taken_within(descriptor, _LOCK_S):
                    raise OSError("another process is at it")
                _cut(descriptor, _MOST_BYTES)
                content = private_files.read(self._path, _MOST_BYTES)
                closing.pop_all()
            _write_synced(descriptor, *_missing(content))
            _sync_folder(self._path.parent)
        except OSError as error:
            if not _has_slots(self._path):
                raise errors.DiskFault(f"consent record: {error}") from error
            log.warning("The consent record keeps what it has; what is missing there is off: %s", error)

    def drop_unknown(self) -> None:
        """Delete what an agent with more signals kept behind those of this one. Raises DiskFault."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | _BINARY)
            with _closed_at_the_end(descriptor):
                _cut(descriptor, _FILE_BYTES)
                os.fsync(descriptor)
        except OSError as error:
            raise errors.DiskFault(f"consent record: {error}") from error

    def read(self) -> dict[FeedbackSignal, Consent]:
        """The record of every signal; off where it cannot be trusted: its slot, or a file that cannot be written.

        ``unread`` says whether the disk did not let it be read: all is off then, and nobody knows what was chosen.
        """
        content = self._read_patiently()
        self.unread = content is None
        self._known = content = content or b""
        consents = {signal: _decode(signal, _slot(content, signal)) for signal in FeedbackSignal}
        usable = self.unread or self._is_writable()
        self._known_notes = self._contents_of_notes()
        for signal, kept in list(consents.items()):
            consent = self.noted(kept)
            if not usable:
                consent = distrust(consent)
            if consent != kept:
                self._unwritten[signal] = consents[signal] = consent
        return consents

    def recorded(self) -> dict[FeedbackSignal, Consent]:
        """What stands in the slots that make sense, whatever else speaks against it. Raises DiskFault."""
        content, why = self._content_or_why()
        if content is None:
            raise errors.DiskFault(why)
        slots = {signal: _read_slot(signal, _slot(content, signal)) for signal in FeedbackSignal}
        return {signal: consent for signal, consent in slots.items() if consent is not None}

    def last_chosen(self) -> dict[FeedbackSignal, datetime | None]:
        """When each was chosen last, as the record or a note says; without those of which nobody knows."""
        try:
            return {signal: self.noted(consent).time for signal, consent in self.recorded().items()}
        except errors.DiskFault:
            return {}

    def changed(self) -> dict[FeedbackSignal, Consent]:
        """What another process wrote, or noted, since this one read or wrote last; a slot that makes no sense is off.

        The file is opened each time: that is when a network file system asks whether there is something newer. Raises
        DiskFault where it cannot be read.
        """
        changed = self._changed_slots()
        notes = self._contents_of_notes()
        for signal in notes:
            if notes[signal] != self._known_notes.get(signal):
                kept = changed.get(signal) or _decode(signal, _slot(self._known, signal))
                changed[signal] = self._unwritten[signal] = self.noted(kept)
        self._known_notes = notes
        return changed

    def _changed_slots(self) -> dict[FeedbackSignal, Consent]:
        for left in reversed(range(_READINGS)):
            try:
                content = private_files.read(self._path, _MOST_BYTES) if self._path.exists() else b""
            except OSError as error:
                if not left:
                    raise errors.DiskFault(f"consent record: {error}") from error
                continue
            if content == self._known:
                return {}
            slots = {
                signal: slot
                for signal in FeedbackSignal
                if (slot := _slot(content, signal)) != _slot(self._known, signal)
            }
            if left and any(_read_slot(signal, slot) is None for signal, slot in slots.items()):
                continue
            break
        self._known = content
        return {signal: _decode(signal, slot) for signal, slot in slots.items()}

    def write(self, consent: Consent, *, is_act: bool = True) -> None:
        """Record one signal's consent, in place, on disk when this returns. What is off is noted elsewhere if that fails.

        ``is_act``: the person just chose it. What follows from a choice that another process changed meanwhile is not
        written: the withdrawal that this one made would be lost. `catch_up` does so once that was looked at.

        A consent is not written over what another process wrote since this one looked: both hold the file's lock from the
        look to the end of the write. What is off does not wait long for it, as who holds it may be stopped: then it is
        noted, too, and that process finds the note when it goes on.
        """
        is_given = consent.state is ConsentState.GIVEN
        try:
            is_compared = is_given or not is_act
            descriptor = os.open(self._path, (os.O_RDWR if is_compared else os.O_WRONLY) | _BINARY)
            slot, offset = _encode(consent), _SLOTS[consent.signal]
            with _closed_at_the_end(descriptor) as closing:
                is_alone = file_lock.is_taken_within(descriptor, _LOCK_S)
                if is_given or (is_compared and is_alone):
                    self._require_unchanged(consent, is_alone=is_alone)
                closing.pop_all()
            _write_synced(descriptor, slot, offset)
            self._known = self._known[:offset].ljust(offset) + slot + self._known[offset + SLOT_BYTES :]
            if is_alone:
                self._drop_notes(consent.signal)
            else:
                log.warning("Another process is at the consent record: that this is off is noted, too.")
                self._note(consent)
        except OSError as error:
            if not is_given:
                self._unwritten[consent.signal] = consent
                self._note(consent)
            raise errors.DiskFault(f"consent record: {error}") from error
        self._unwritten.pop(consent.signal, None)

    def _require_unchanged(self, consent: Consent, *, is_alone: bool) -> None:
        if not is_alone:
            raise errors.DiskFault("another process is at the consent record")
        signal = consent.signal
        content = private_files.read(self._path, _MOST_BYTES)
        if _slot(content, signal) != _slot(self._known, signal) or (
            self._content_of_note(signal) != self._known_notes.get(signal)
        ):
            if consent.state is not ConsentState.GIVEN:
                self._unwritten[signal] = consent
            raise errors.DiskFault(f"{signal.value} was changed by another process meanwhile")

    def catch_up(self, consents: Mapping[FeedbackSignal, Consent]) -> None:
        """Write what could not be written before: as it is in ``consents`` now, since others may have written meanwhile."""
        for signal, unwritten in list(self._unwritten.items()):
            self.write(unwritten if self.unread else consents[signal])

    def _read_patiently(self) -> bytes | None:
        """What stands in the record, read again where that failed or a slot makes no sense. None where it cannot be read."""
        content, why = self._content_or_why()
        self._say(self._path, why)
        return content

    def _content_or_why(self) -> tuple[bytes | None, str]:
        content, why = None, ""
        for _ in range(_READINGS):
            try:
                content = private_files.read(self._path, _MOST_BYTES) if self._path.exists() else b""
            except OSError as error:
                why = f"The consent record cannot be read; everything is off: {error}"
                continue
            if all(_read_slot(signal, _slot(content, signal)) for signal in FeedbackSignal):
                break
        return content, why if content is None else ""

    def _is_writable(self) -> bool:
        for _ in range(_READINGS):
            try:
                os.close(os.open(self._path, os.O_WRONLY | _BINARY))
            except FileNotFoundError:
                return True
            except OSError as error:
                why = f"The consent record cannot be written; everything is off: {error}"
            else:
                return True
        self._say(self._path, why)
        return False

    def _say(self, path: Path, why: str) -> None:
        """In the log, once for each change: the record is looked at before every event and every request."""
        if why == self._said.get(path, ""):
            return
        self._said[path] = why
        if why:
            log.warning(why)
        else:
            log.info("%s can be read again.", path.name)

    def _note_paths(self, signal: FeedbackSignal) -> list[Path]:
        return [folder / f"consent-{signal.value}.note" for folder in self._notes]

    def noted(self, consent: Consent) -> Consent:
        """What a note says of a signal instead of the file; off where it cannot be read."""
        content = self._content_of_note(consent.signal)
        if content is None:
            return consent
        noted = _read_slot(consent.signal, content)
        if noted is None or noted.state is ConsentState.GIVEN:
            return distrust(consent)
        return without_record(consent, noted)

    def _contents_of_notes(self) -> dict[FeedbackSignal, bytes]:
        contents = {signal: self._content_of_note(signal) for signal in FeedbackSignal}
        return {signal: content for signal, content in contents.items() if content is not None}

    def _content_of_note(self, signal: FeedbackSignal) -> bytes | None:
        path = next((each for each in self._note_paths(signal) if each.exists()), None)
        return None if path is None else self._content(path)

    def _content(self, path: Path) -> bytes:
        """Of a note; empty where it cannot be read."""
        content, why = b"", ""
        try:
            content = private_files.read(path, _MOST_BYTES)
        except FileNotFoundError:
            pass
        except OSError as error:
            why = f"A note of the consent record cannot be read; that signal is off: {error}"
        self._say(path, why)
        return content

    def _note(self, consent: Consent) -> None:
        path = next(iter(self._note_paths(consent.signal)), None)
        if path is None:
            return
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600)
            _write_synced(descriptor, _encode(consent), 0)
            _sync_folder(path.parent)
            self._known_notes[consent.signal] = _encode(consent)
        except OSError as error:
            log.warning("That %s is off is known in memory only: %s", consent.signal.value, error)

    def _drop_notes(self, signal: FeedbackSignal) -> None:
        """One that came while the record was being written stays until it was looked at."""
        if self._content_of_note(signal) != self._known_notes.pop(signal, None):
            return
        for path in self._note_paths(signal):
            if path.exists():
                path.unlink()


def _slot(content: bytes, signal: FeedbackSignal) -> bytes:
    return content[_SLOTS[signal] : _SLOTS[signal] + SLOT_BYTES]


def _missing(content: bytes) -> tuple[bytes, int]:
    """What a short record needs at its end, and where that begins.

    Of a slot that was cut short, what is owed is kept: it gives nothing, as a slot counts only if it is whole.
    """
    whole = len(content) // SLOT_BYTES
    rest = list(FeedbackSignal)[whole:]
    return b"".join(
        _encode(_cut_short(signal, _slot(content, signal))) for signal in rest
    ), whole * SLOT_BYTES


def _cut_short(signal: FeedbackSignal, slot: bytes) -> Consent:
    return distrust(_decode(signal, slot.ljust(SLOT_BYTES - 1) + b"\n" if slot else slot))


def _has_slots(path: Path) -> bool:
    return path.is_file() and path.stat().st_size >= SLOT_BYTES


def _cut(descriptor: int, most_bytes: int) -> None:
    """In place, at the end, and only where the file is larger."""
    if os.fstat(descriptor).st_size > most_bytes:
        os.ftruncate(descriptor, most_bytes)


def _encode(consent: Consent) -> bytes:
    body = msgspec.json.encode(consent)
    if not consent.company:  # the last field, which records from before it was kept do not have
        body = body.removesuffix(b',"company":""}') + b"}"
    record = b"%08x %s" % (zlib.crc32(body), body)
    if len(record) >= SLOT_BYTES:
        raise ValueError(f"a consent record of {len(record)} bytes does not fit its slot")
    return record.ljust(SLOT_BYTES - 1, b" ") + b"\n"


def _decode(signal: FeedbackSignal, slot: bytes) -> Consent:
    if not slot:
        return Consent(signal)
    consent = _read_slot(signal, slot)
    if consent is None:
        log.warning("The consent record for %s is damaged; it is off.", signal.value)
        return Consent(signal)
    return consent


def _read_slot(signal: FeedbackSignal, slot: bytes) -> Consent | None:
    """What a slot says; None unless it is, to the byte, what would be written for that."""
    try:
        consent = decode_json(slot.partition(b" ")[2], Consent)
    except msgspec.DecodeError:
        return None
    return consent if consent.signal is signal and slot == _encode(consent) else None


@contextmanager
def _closed_at_the_end(descriptor: int) -> Iterator[ExitStack]:
    with ExitStack() as closing:
        closing.callback(os.close, descriptor)
        yield closing


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
