"""The operating system's keychain, asked through a short-lived helper process. The only file that imports keyring.

A keychain can block for ever on a locked collection, and its client costs 12 MB: the helper can be ended, and takes
its memory with it. A secret is never written to a file.
"""

from __future__ import annotations

import configparser
import os
import subprocess
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from agent.domain import errors, limits
from agent.domain.msgspec_warmup import decode_json, resolve
from agent.system import subprocesses, threads

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection
    from secretstorage import Item

SERVICE = "tidings"
_SECRETS = "org.freedesktop.secrets"

_TRUSTED_BACKENDS = (
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
    "keyring.backends.Windows",
    "keyring.backends.macOS",
)


class KeychainRequest(Struct, frozen=True):
    """What the keychain's helper process is asked."""

    verb: Literal["look", "read", "write", "delete", "delete unasked"]
    account: str = ""
    secret: str = ""


Fault = Literal["", "missing", "locked", "turned off", "no keyring"]


class KeychainReply(Struct, frozen=True):
    """What the keychain's helper process answers: a secret, or why there is none."""

    secret: str | None = None
    fault: Fault = ""
    detail: str = ""


class ProcessKeychain:
    """A ``SecretStore``. Waits for ``patience_s`` at most. Thread-safe.

    A person who is asked for a password or for permission may take minutes. Their answer counts then too, since the helper
    goes on; and they are asked once, since whoever asks the same meanwhile waits for the same helper.
    """

    def __init__(self, patience_s: float = limits.KEYCHAIN_PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._open: dict[KeychainRequest, _Asked] = {}
        self._when_late: Callable[[], None] = lambda: None

    def when_late(self, call: Callable[[], None]) -> None:
        self._when_late = call

    def close(self) -> None:
        with self._lock:
            self._withdraw(list(self._open))

    def look(self) -> None:
        self._ask(KeychainRequest("look"))

    def read(self, account: str) -> str | None:
        return self._ask(KeychainRequest("read", account)).secret

    def write(self, account: str, secret: str) -> None:
        self._ask(KeychainRequest("write", account, secret))

    def delete(self, account: str) -> None:
        self._ask(KeychainRequest("delete", account))

    def delete_unasked(self, account: str) -> None:
        """Only if the person need not be asked for that."""
        self._ask(KeychainRequest("delete unasked", account))

    def _ask(self, question: KeychainRequest) -> KeychainReply:
        with self._lock:
            self._withdraw(
                [each for each in self._open if each.account == question.account and each != question]
            )
            asked = self._open.get(question)
            if asked is None:
                asked = self._open[question] = _Asked(question, lambda: self._when_late())
        reply = asked.reply(self._patience_s)
        if reply is None:
            raise errors.KeychainWaiting("no answer yet")
        with self._lock:
            if self._open.get(question) is asked:
                del self._open[question]
        if reply.fault:
            raise _fault(reply)
        return reply

    def _withdraw(self, questions: Iterable[KeychainRequest]) -> None:
        """A newer question about the same secret makes an older one void."""
        for question in questions:
            self._open.pop(question).withdraw()


class _Asked:
    """A question on its way, on a thread of its own. ``late`` is called when the answer comes after somebody gave up."""

    def __init__(self, question: KeychainRequest, late: Callable[[], None]) -> None:
        self._late = late
        self._lock = threading.Lock()
        self._reply: KeychainReply | None = None
        self._given_up = self._withdrawn = False
        self._done = threading.Event()
        try:
            self._helper = subprocesses.Helper("keychain", msgspec.json.encode(question))
        except errors.EnvironmentFault as error:
            raise errors.KeychainUnavailable(error.detail) from error
        try:
            threads.start("keychain", self._wait)
        except OSError as error:
            self._helper.end()
            raise errors.KeychainUnavailable(str(error)) from error

    def reply(self, patience_s: float) -> KeychainReply | None:
        """The answer, None where there is none yet."""
        self._done.wait(patience_s)
        with self._lock:
            self._given_up = self._reply is None
            return self._reply

    def withdraw(self) -> None:
        self._withdrawn = True
        self._helper.end()

    def _wait(self) -> None:
        reply = self._answer()
        with self._lock:
            self._reply = reply
            late = self._given_up and not self._withdrawn
        self._done.set()
        if late:
            self._late()

    def _answer(self) -> KeychainReply:
        try:
            return decode_json(self._helper.answer(limits.KEYCHAIN_TIMEOUT_S), KeychainReply)
        except subprocess.TimeoutExpired:
            return KeychainReply(fault="locked", detail="no answer in time")
        except msgspec.DecodeError:
            return KeychainReply(fault="missing", detail="no proper answer of the helper")
        except errors.EnvironmentFault as error:
            return KeychainReply(fault="missing", detail=error.detail)


def _fault(reply: KeychainReply) -> errors.KeychainUnavailable:
    if reply.fault == "turned off":
        return errors.KeychainTurnedOff(reply.detail)
    if reply.fault == "no keyring":
        return errors.NoKeyringYet(reply.detail)
    return errors.KeychainUnavailable(reply.detail, locked=reply.fault == "locked")


def answer(question: bytes) -> bytes:
    """What the helper process does."""
    return msgspec.json.encode(_answer(decode_json(question, KeychainRequest)))


def _answer(question: KeychainRequest) -> KeychainReply:
    from keyring import errors as faults

    if fault := _unusable():
        return fault
    if question.verb != "write" and _has_no_keyring():
        return KeychainReply() if question.verb.startswith("delete") else KeychainReply(fault="no keyring")
    try:
        return _act(question)
    except faults.NoKeyringError as error:
        return KeychainReply(fault="missing", detail=str(error))
    except (faults.KeyringLocked, faults.InitError) as error:
        return KeychainReply(fault="no keyring" if _has_no_keyring() else "locked", detail=str(error))
    except faults.KeyringError as error:
        return KeychainReply(fault="missing", detail=str(error))


def _act(question: KeychainRequest) -> KeychainReply:
    import keyring

    if question.verb == "write":
        keyring.set_password(SERVICE, question.account, question.secret)
    elif question.verb == "delete":
        return _delete(question.account)
    elif question.verb == "delete unasked":
        return _delete(question.account, asking=False)
    else:
        return KeychainReply(secret=keyring.get_password(SERVICE, question.account or "doctor"))
    return KeychainReply()


def _unusable() -> KeychainReply | None:
    """Why keyring's choice of a keychain is none that keeps a secret, if so."""
    try:
        import keyring

        chosen = keyring.get_keyring()
    except _UNREADABLE as error:
        return KeychainReply(fault="turned off", detail=_turned_off_by() or str(error))
    except RuntimeError as error:  # the one that is named does not work here
        by = _turned_off_by() if _has_another() else ""
        return (
            KeychainReply(fault="turned off", detail=by)
            if by
            else KeychainReply(fault="missing", detail=str(error))
        )
    (first, *_rest) = getattr(chosen, "backends", None) or [chosen]
    name = type(first).__module__
    if name in _TRUSTED_BACKENDS:
        return None
    if by := _turned_off_by():
        return KeychainReply(fault="turned off", detail=by)
    return KeychainReply(fault="missing", detail=f"only {name} is available")


_UNREADABLE = (ImportError, AttributeError, ValueError, KeyError, configparser.Error)
"""What keyring raises for a variable or file that names no keychain."""


def _has_another() -> bool:
    """Whether a keychain works here that nobody named."""
    from keyring.backend import get_all_keyring

    return any(type(each).__module__ in _TRUSTED_BACKENDS for each in get_all_keyring())


def _turned_off_by() -> str:
    """The variable or file by which a person or administrator chose another keychain, if any does (keyring's README)."""
    from keyring.util.platform_ import config_root

    if "PYTHON_KEYRING_BACKEND" in os.environ:  # empty, it names no keychain either
        return "PYTHON_KEYRING_BACKEND"
    file = Path(config_root()) / "keyringrc.cfg"
    return str(file) if file.exists() else ""


def _has_no_keyring() -> bool:
    """Whether the Secret Service is there and has no default collection, the place where secrets go."""
    if not _is_secret_service():
        return False
    import secretstorage

    with closing(secretstorage.dbus_init()) as bus:
        try:
            secretstorage.Collection(bus)
        except secretstorage.ItemNotFoundException:
            return True
        except secretstorage.SecretStorageException:
            return False
    return False


def _is_secret_service() -> bool:
    import keyring

    return type(keyring.get_keyring()).__module__ == "keyring.backends.SecretService"


def _delete(account: str, *, asking: bool = True) -> KeychainReply:
    """``asking``: the person may be asked."""
    import keyring
    from keyring.errors import PasswordDeleteError

    if _is_secret_service():
        return _delete_item(account, asking=asking)
    if keyring.get_password(SERVICE, account) is None:
        return KeychainReply()
    try:
        keyring.delete_password(SERVICE, account)
    except PasswordDeleteError:
        if keyring.get_password(SERVICE, account) is not None:
            raise
    return KeychainReply()


def _delete_item(account: str, *, asking: bool) -> KeychainReply:
    """Delete over one connection; looking whether there is an entry asks nobody.

    KeePassXC opens an entry to a connection, so that keyring's own, one a question, are asked for twice and then refused.
    """
    import secretstorage
    from jeepney import DBusErrorResponse

    try:
        with closing(secretstorage.dbus_init()) as bus:
            collection = secretstorage.Collection(bus)
            if collection.is_locked() and (not asking or collection.unlock()):
                return KeychainReply(fault="locked", detail="the keyring is locked")
            for item in collection.search_items({"service": SERVICE, "username": account}):
                if not asking and not _is_deleted_unasked(bus, item):
                    return KeychainReply(fault="locked", detail="the person would be asked")
                if asking:
                    item.unlock()
                    item.delete()
    except (secretstorage.SecretStorageException, DBusErrorResponse) as error:
        return KeychainReply(fault="locked", detail=str(error))
    return KeychainReply()


def _is_deleted_unasked(bus: DBusConnection, item: Item) -> bool:
    """Whether it was deleted; a question is never shown (Secret Service API, section "Prompts and Prompting")."""
    from jeepney import DBusAddress, new_method_call
    from jeepney.wrappers import unwrap_msg

    def call(path: str, interface: str, method: str) -> tuple[str, ...]:
        address = DBusAddress(path, _SECRETS, f"org.freedesktop.Secret.{interface}")
        answer: tuple[str, ...] = unwrap_msg(bus.send_and_get_reply(new_method_call(address, method)))
        return answer

    if item.is_locked():
        return False
    (prompt,) = call(item.item_path, "Item", "Delete")
    if prompt == "/":
        return True
    call(prompt, "Prompt", "Dismiss")
    return False


resolve(KeychainReply)
