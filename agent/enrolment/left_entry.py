"""The keychain entry of a connection that has ended, while the keychain does not let it be deleted.

Kept in a file of its own beside the data, and after a purge in its place, so that the next start or purge deletes the entry.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
from msgspec import Struct

from agent.domain import errors
from agent.domain.msgspec_warmup import decode_json, resolve
from agent.system import private_files
from resources.i18n import _

log = logging.getLogger(__name__)

NAME = "keychain.left"
_MOST_BYTES = 4 * 1024


class LeftEntry(Struct, frozen=True):
    """``accounts``: those to be deleted, the token's first. ``heard``: whether the server knows that it ended."""

    accounts: tuple[str, ...]
    heard: bool


class KeychainEntryStays(errors.EnvironmentFault):
    """All else is done. ``left``: what is not."""

    def __init__(self, left: LeftEntry, detail: str = "") -> None:
        super().__init__(detail or "an entry could not be deleted")
        self.left = left

    @property
    def title(self) -> str:
        return _("A key of this computer is still in your keychain")

    @property
    def message(self) -> str:
        text = _(
            "All else is done, but your keychain did not let this entry be deleted: {entry}, of the service “tidings”. "
            "Unlock your keychain: Tidings deletes the entry when it starts next, and so does “tidings purge”. Or delete "
            "it in your desktop's program for passwords and keys."
        ).format(entry=self.left.accounts[0])
        if self.left.heard:
            return text
        return (
            text
            + " "
            + _(
                "The server could not be told either, so that it still takes this key for yours: ask your administrator to "
                "end this computer's access."
            )
        )


def read(data: Path) -> LeftEntry | None:
    """What is still to be deleted; None where there is nothing."""
    try:
        return decode_json(private_files.read(data / NAME, _MOST_BYTES), LeftEntry) if data.exists() else None
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning("What is left in the keychain cannot be read: %s", error)
        return None


def keep(data: Path, left: LeftEntry | None) -> None:
    """Note what is still to be deleted; None: nothing."""
    try:
        if left is None:
            (data / NAME).unlink(missing_ok=True)
            return
        private_files.make_folder(data)
        private_files.write(data / NAME, msgspec.json.encode(left))
    except OSError as error:
        log.warning("What is left in the keychain is known in memory only: %s", error)


resolve(LeftEntry)
