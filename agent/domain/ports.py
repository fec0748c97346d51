"""The agent's edges, as protocols: a test brings small real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from agent.domain.model import PresenceState


class Clock(Protocol):
    """The time and the waiting; tests put their own in its place."""

    def now(self) -> datetime:
        """The wall clock, UTC, timezone-aware."""

    def monotonic(self) -> float:
        """Seconds since an unknown moment; never goes back."""

    def elapsed(self) -> float:
        """The same since another moment, and it goes on while the computer sleeps."""

    def wait(self, seconds: float) -> None:
        """Return after so long."""


class SecretStore(Protocol):
    """One secret for one account, in the operating system's keychain.

    KeychainWaiting is raised where it has not answered soon: the question stays open, and asking the same again gives its
    answer once it has come.
    """

    def when_late(self, call: Callable[[], None]) -> None:
        """Be called, on any thread, when an answer came for which nobody waits any more."""

    def close(self) -> None:
        """Withdraw the questions that are open."""

    def look(self) -> None:
        """Whether it can be used. Raises KeychainUnavailable, with the reason."""

    def read(self, account: str) -> str | None:
        """Raises KeychainUnavailable."""

    def write(self, account: str, secret: str) -> None:
        """Raises KeychainUnavailable."""

    def delete(self, account: str) -> None:
        """Does nothing where there is none. Raises KeychainUnavailable."""

    def delete_unasked(self, account: str) -> None:
        """Only if the person need not be asked for that. Raises KeychainUnavailable, and it stays, where they would be."""


class Answer(Struct, frozen=True):
    """An HTTP answer, read whole. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Sends bytes to the company's server. Raises ServerUnreachable, NotOurServer, ServerBusy, ServerFault, TokenRefused.

    ``feed_subject``: whom the server's statements are about, for the token in use.
    """

    @property
    def feed_subject(self) -> str: ...

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int,
    ) -> Answer: ...

    def download(self, path: str, target: Path, *, size: int) -> None: ...


class Presence(Protocol):
    """Whether the person can be disturbed now, as the desktop tells."""

    def current(self) -> PresenceState: ...


Listener = Callable[[str], None]
