"""This computer's token: in the keychain under a name of its own, and in memory.

The entry's name comes of the data folder and is kept in a file of its own there, so that the entry can be found and
deleted whatever became of the store, and is found again by an agent whose folder was moved.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from agent.domain import errors, limits
from agent.domain.ports import Clock, SecretStore
from agent.enrolment import left_entry
from agent.enrolment.code_exchange import RetrySecrets, attempt_account
from agent.enrolment.left_entry import LeftEntry
from agent.system import private_files

log = logging.getLogger(__name__)

_NAME_FILE = "keychain.name"
_NAME_MOST_BYTES = 1024


def keychain_account(data: Path) -> str:
    """The name of the keychain entry of the agent whose data is in this folder."""
    try:
        kept = private_files.read(data / _NAME_FILE, _NAME_MOST_BYTES).decode("ascii")
    except (OSError, UnicodeDecodeError):
        kept = ""
    if re.fullmatch(r"device-[0-9a-f]{16}", kept):
        return kept
    return f"device-{hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]}"


def keep_account(data: Path, account: str) -> None:
    """Without the file the name is that of the folder's present place: a disk that does not take it costs little."""
    try:
        private_files.write(data / _NAME_FILE, account.encode("ascii"))
    except OSError as error:
        log.warning("The name of the keychain entry was not kept: %s", error)


def drop_account(data: Path) -> None:
    """There is no entry any more."""
    try:
        (data / _NAME_FILE).unlink(missing_ok=True)
    except OSError as error:
        log.warning("The name of the keychain entry stays: %s", error)


class DeviceToken:
    """Thread-safe. ``fault`` is why the token could not be kept or read, if so.

    A keychain that does not open may show the person a window: it is asked again after ``limits.KEYCHAIN_RETRY_S``, or when
    the person acts, and not each time that a token is wanted. What it answers late is taken then; ``when_late`` is called.
    """

    def __init__(self, keychain: SecretStore, data: Path, clock: Clock) -> None:
        self._secrets = keychain
        self._data = data
        self._account = keychain_account(data)
        self._clock = clock
        self.retry_secrets = RetrySecrets(keychain, self._account)
        self._lock = threading.RLock()
        self._token: str | None = None
        self._next: str | None = None
        """Chosen and in the keychain; the server may know it or not."""
        self._chosen: str | None = None
        """Perhaps in the keychain: it failed."""
        self.is_undecided = False
        """Two were found in the keychain."""
        self.is_deleted = False
        """By this process, and none came since."""
        self._not_before = 0.0
        self.left = left_entry.read(data)
        """What could not be deleted, in an earlier process too."""
        self._left_not_before = 0.0
        self.fault: errors.KeychainUnavailable | None = None
        self.when_late: Callable[[], None] = lambda: None
        keychain.when_late(self._answered)

    def read(self, old_account: str) -> str:
        """The token; from the entry ``old_account`` of earlier versions, if need be, which is renamed then.

        Raises KeychainUnavailable, TokenMissing.
        """
        with self._lock:
            if self._token is None:
                if self.fault is not None and self._clock.monotonic() < self._not_before:
                    raise self.fault
                try:
                    self._take(self._secrets.read(self._account) or self._renamed(old_account))
                except errors.KeychainUnavailable as error:
                    self._failed(error)
                    raise
                self.fault = None
            if self._token is None:
                raise errors.TokenMissing("no token in the keychain")
            return self._token

    def _take(self, kept: str | None) -> None:
        self._token, _, following = (kept or "").partition(" ")
        self._token = self._token or None
        self._next, self.is_undecided, self._chosen = following or None, bool(following), None

    def current(self) -> str | None:
        """The one in use, as far as it was read."""
        return self._token

    def following(self) -> str | None:
        """The other one of two."""
        return self._next

    def decide(self, *, server_knows_next: bool) -> None:
        """What the server says of the other one of two. The keychain keeps both: a restored server may know one only."""
        with self._lock:
            if server_knows_next:
                self.advance()
            self.is_undecided = False

    def plan(self) -> str:
        """The next token, in the keychain beside the present one when this returns. Raises KeychainUnavailable."""
        with self._lock:
            if self.fault is not None:
                raise self.fault
            if self._next is None:
                # Also where it was not taken: a keychain that takes it late must not bring an unknown one.
                self._chosen = self._chosen or f"tdt_{secrets.token_urlsafe(32)}"
                self._secrets.write(self._account, f"{self._token} {self._chosen}")
                self._next = self._chosen
            return self._next

    def advance(self) -> None:
        """The server knows the next one: it is used from now on."""
        with self._lock:
            self._token, self._next, self._chosen = self._next, None, None

    def _renamed(self, old_account: str) -> str | None:
        token = self._secrets.read(old_account)
        if token is not None:
            self._secrets.write(self._account, token)
            keep_account(self._data, self._account)
            self._secrets.delete(old_account)
        return token

    def keep(self, token: str, *, needed: bool = False) -> None:
        """Use this token from now on; in memory only where the keychain does not take it.

        ``needed``: where it does not, nothing has changed. Raises KeychainNeeded.
        """
        with self._lock:
            before, self._token = self._token, token
            self.is_deleted = False
            self._next, self.is_undecided, self._chosen = None, False, None
            try:
                self._write(token)
            except errors.KeychainUnavailable as error:
                if needed:
                    self._token = before
                    raise errors.KeychainNeeded(error.detail, error.locked, is_used=True) from error
                log.warning("The device token is held in memory only: %s", error.detail)
                self._failed(error)

    def retry_secret(self, url: str, code: str, *, keep: bool) -> str:
        """As `RetrySecrets.of`. A kept one is in use: what an earlier connection left behind is deleted without it."""
        with self._lock:
            secret = self.retry_secrets.of(url, code, keep=keep)
            if keep and self.left is not None:
                self._note_left(self._left_but(attempt_account(self._account)), self.left.heard)
            return secret

    def _write(self, token: str) -> None:
        self._secrets.write(self._account, token)
        keep_account(self._data, self._account)
        self.fault = None
        if self.left is not None:  # this entry is in use again, the others are not
            self._note_left(
                self._undeleted(self._left_but(self._account), self._secrets.delete_unasked), self.left.heard
            )

    def _left_but(self, in_use: str) -> list[str]:
        accounts = self.left.accounts if self.left is not None else ()
        return [account for account in accounts if account != in_use]

    def _answered(self) -> None:
        """The keychain did, after nobody waited any more: asking the same again gives its answer."""
        with self._lock:
            self._not_before = 0.0
            if self.left is not None:
                self._note_left(self._undeleted(self.left.accounts, self._secrets.delete), self.left.heard)
            if self._token is not None and isinstance(self.fault, errors.KeychainWaiting):
                try:
                    self._write(self._token)
                except errors.KeychainUnavailable as error:
                    self._failed(error)
        self.when_late()

    def close(self) -> None:
        """No question stays open."""
        self._secrets.close()

    def ask_again(self) -> None:
        """The person acts: the keychain may be open now."""
        self._not_before = self._left_not_before = 0.0

    def forget(self) -> None:
        """The server refused it: the keychain is read again. Where it does not have it, the server may yet know it again."""
        with self._lock:
            if self.fault is None:
                self._take(None)

    @property
    def was_kept(self) -> bool:
        """Whether the keychain has, or had, an entry of this computer."""
        return self.left is not None or (self._data / _NAME_FILE).exists()

    def delete(self, old_account: str = "", *, heard: bool) -> None:
        """From memory and keychain. ``left`` says then what the keychain did not delete.

        ``heard``: whether the server knows that the token is of no use any more.
        """
        with self._lock:
            was_kept, before = self.was_kept, self.left.accounts if self.left is not None else ()
            self._take(None)
            self.fault, self.is_deleted = None, True
            accounts = (self._account, attempt_account(self._account), old_account, *before)
            undeleted = self._undeleted(filter(None, dict.fromkeys(accounts)), self._secrets.delete)
            self._note_left(undeleted if was_kept else [], heard)
            if not undeleted:
                drop_account(self._data)

    def delete_left(self) -> bool:
        """Delete what the keychain did not delete before, if it asks nobody for that. Returns whether less is left."""
        with self._lock:
            left = self.left
            if left is None or self._clock.monotonic() < self._left_not_before:
                return False
            self._note_left(self._undeleted(left.accounts, self._secrets.delete_unasked), left.heard)
            return self.left != left

    def _undeleted(self, accounts: Iterable[str], delete: Callable[[str], None]) -> list[str]:
        undeleted = []
        for account in accounts:
            try:
                delete(account)
            except errors.KeychainUnavailable as error:
                log.warning("The keychain entry could not be deleted: %s", error.detail)
                undeleted.append(account)
        return undeleted

    def _note_left(self, accounts: Sequence[str], heard: bool) -> None:
        before, self.left = self.left, LeftEntry(tuple(accounts), heard) if accounts else None
        self._left_not_before = self._clock.monotonic() + limits.KEYCHAIN_RETRY_S
        if self.left != before:
            left_entry.keep(self._data, self.left)

    def _failed(self, fault: errors.KeychainUnavailable) -> None:
        self.fault = fault
        self._not_before = self._clock.monotonic() + limits.KEYCHAIN_RETRY_S
