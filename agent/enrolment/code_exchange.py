"""Exchange an invitation code for a device token, and again where the answer was lost (docs/protocol, Enrolment)."""

from __future__ import annotations

import hashlib
import logging
import secrets
import sys
import time

from agent import __version__
from agent.domain import errors, limits
from agent.domain.ports import SecretStore, Transport
from agent.protocol import codec

log = logging.getLogger(__name__)

_PLATFORMS = {"win32": "windows", "darwin": "macos"}


class RetrySecrets:
    """The secret by which a code can be used again: one for an address and code, until its token is kept.

    In memory; where the process ends with the attempt, in the keychain too.
    """

    def __init__(self, keychain: SecretStore, account: str) -> None:
        self._keychain = keychain
        self._account = attempt_account(account)
        self._attempts: dict[str, str] = {}
        self._is_kept = False

    def of(self, url: str, code: str, *, keep: bool) -> str:
        """``keep``: a later process finds it again. Raises KeychainNeeded when it cannot be kept."""
        attempt = hashlib.sha256(f"{url} {code}".encode()).hexdigest()
        if keep:
            try:
                self._find(attempt)
            except errors.KeychainUnavailable as error:
                raise errors.KeychainNeeded(error.detail, error.locked) from error
        return self._attempts.setdefault(attempt, secrets.token_urlsafe(32))

    def _find(self, attempt: str) -> None:
        kept, _, secret = self._kept().partition(":")
        if kept == attempt and attempt not in self._attempts:
            self._attempts[attempt] = secret
        else:
            secret = self._attempts.setdefault(attempt, secrets.token_urlsafe(32))
            self._keychain.write(self._account, f"{attempt}:{secret}")
        self._is_kept = True

    def _kept(self) -> str:
        try:
            return self._keychain.read(self._account) or ""
        except errors.NoKeyringYet:
            return ""  # writing makes one, and asks the person for its password

    def done(self) -> None:
        """The token is kept: nothing needs to be used again."""
        self._attempts.clear()
        if self._is_kept:
            self.forget()

    def forget(self) -> None:
        """What an earlier process may have kept is of no use any more.

        Where the person would have to be asked, it stays until they disconnect: it opens nothing.
        """
        try:
            self._keychain.delete_unasked(self._account)
            self._is_kept = False
        except errors.KeychainUnavailable as error:
            log.info("A secret that is of no use any more stays in the keychain: %s", error.detail)


def attempt_account(account: str) -> str:
    """The keychain entry of an attempt to connect, beside the token's entry."""
    return f"{account}-attempt"


def exchange(client: Transport, code: str, retry_secret: str) -> tuple[codec.EnrolmentAnswer, bytes]:
    """Ask for a token, again while the answer is lost. A server that knows no secret is asked once, without.

    Returns the answer and what was sent, with “*” in the place of each letter of the code and the secret. Raises as the
    transport does.
    """
    platform = _PLATFORMS.get(sys.platform, "linux")
    body = codec.encode_enrolment(code, __version__, platform, retry_secret)
    blanked = codec.encode_enrolment(_blank(code), __version__, platform, _blank(retry_secret))
    for wait_s in (*limits.ENROLMENT_WAITS_S, None):
        try:
            return _ask(client, body), blanked
        except errors.NotUnderstood:
            break
        except (errors.ServerUnreachable, errors.ServerFault, errors.ServerBusy) as error:
            if wait_s is None or not _may_be_lost(error):
                raise
            log.warning("The answer to an enrolment was lost: %s (%s).", type(error).__name__, error.detail)
            time.sleep(max(wait_s, getattr(error, "retry_after_s", None) or 0.0))
    answer = _ask(client, codec.encode_enrolment(code, __version__, platform))
    return answer, codec.encode_enrolment(_blank(code), __version__, platform)


def _blank(secret: str) -> str:
    return "*" * len(secret)


def _ask(client: Transport, body: bytes) -> codec.EnrolmentAnswer:
    answer = client.request("POST", codec.ENROLMENTS_PATH, body=body, max_bytes=limits.FEED_MAX_BYTES)
    try:
        return codec.decode_enrolment(answer.body)
    except errors.NotOurServer as error:
        raise errors.ServerFault(f"an answer that was damaged: {error.detail}") from error


def _may_be_lost(fault: errors.EnvironmentFault) -> bool:
    """Whether asking again is of use now."""
    if isinstance(fault, errors.ServerUnreachable):
        return fault.sent
    if isinstance(fault, errors.ServerBusy):
        return (fault.retry_after_s or 0.0) <= limits.ENROLMENT_PATIENCE_S
    return True
