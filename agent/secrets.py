"""The operating system's keychain, asked through a short-lived helper process. The only file that imports keyring.

A keychain can block for ever on a locked collection, and its client costs 12 MB: the helper can be ended, and takes
its memory with it. A secret is never written to a file.
"""

from __future__ import annotations

import subprocess
from typing import Literal

import msgspec
from msgspec import Struct

from agent import errors, policy, processes
from agent.decoding import decode_json, resolve

SERVICE = "tidings"

_TRUSTED_BACKENDS = (
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
    "keyring.backends.Windows",
    "keyring.backends.macOS",
)


class Question(Struct, frozen=True):
    verb: Literal["read", "write", "delete"]
    account: str
    secret: str = ""


class Reply(Struct, frozen=True):
    """``fault`` is empty, ``missing`` (no keychain) or ``locked``."""

    secret: str | None = None
    fault: Literal["", "missing", "locked"] = ""
    detail: str = ""


class ProcessKeychain:
    """A ``SecretStore``."""

    def read(self, account: str) -> str | None:
        return self._ask(Question("read", account)).secret

    def write(self, account: str, secret: str) -> None:
        self._ask(Question("write", account, secret))

    def delete(self, account: str) -> None:
        self._ask(Question("delete", account))

    def _ask(self, question: Question) -> Reply:
        try:
            answer = processes.ask(
                "keychain", msgspec.json.encode(question), timeout_s=policy.KEYCHAIN_TIMEOUT_S
            )
            reply = decode_json(answer, Reply)
        except subprocess.TimeoutExpired as error:
            raise errors.KeychainUnavailable("no answer in time", locked=True) from error
        except msgspec.DecodeError as error:
            raise errors.KeychainUnavailable("no proper answer of the helper") from error
        except errors.EnvironmentFault as fault:
            raise errors.KeychainUnavailable(fault.detail) from fault
        if reply.fault:
            raise errors.KeychainUnavailable(reply.detail, locked=reply.fault == "locked")
        return reply


def answer(question: bytes) -> bytes:
    """What the helper process does."""
    return msgspec.json.encode(_answer(decode_json(question, Question)))


def _answer(question: Question) -> Reply:
    import keyring
    from keyring import errors as faults

    backend = type(keyring.get_keyring())
    backends = getattr(keyring.get_keyring(), "backends", [])
    names = [type(each).__module__ for each in backends] or [backend.__module__]
    if not any(name in _TRUSTED_BACKENDS for name in names[:1]):
        return Reply(fault="missing", detail=f"only {names[0]} is available")
    try:
        if question.verb == "write":
            keyring.set_password(SERVICE, question.account, question.secret)
        elif question.verb == "delete":
            _delete(question.account)
        else:
            return Reply(secret=keyring.get_password(SERVICE, question.account))
    except faults.NoKeyringError as error:
        return Reply(fault="missing", detail=str(error))
    except (faults.KeyringLocked, faults.InitError) as error:
        return Reply(fault="locked", detail=str(error))
    except faults.KeyringError as error:
        return Reply(fault="missing", detail=str(error))
    return Reply()


def _delete(account: str) -> None:
    import keyring
    from keyring.errors import PasswordDeleteError

    if keyring.get_password(SERVICE, account) is None:
        return
    try:
        keyring.delete_password(SERVICE, account)
    except PasswordDeleteError:
        if keyring.get_password(SERVICE, account) is not None:
            raise


resolve(Reply)
