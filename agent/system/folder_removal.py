"""Deleting folders of ours, also where they are links to elsewhere.

A person may have moved a folder to another disk and left a link. What it leads to is deleted too where it is this user's
own, nobody else can look into it, and its name is one that Tidings gives; the rest is left, and they are told why.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from agent.domain import errors
from agent.system import dirs
from resources.i18n import _

_OURS = re.compile(
    r"media|log|tidings([.-].*)?|agent\..*|outbox-.*|consent[.-].*|enrolment\..*|keychain\..*|.*\.note"
    r"|control\.socket.*|[0-9a-f]{64}(\.part)?"
)
"""What Tidings calls its own files and folders, at the top of its folders and in its cache."""


class NotAllRemoved(errors.EnvironmentFault):
    """``left``: where something still is, and why."""

    def __init__(self, left: Iterable[tuple[Path, str]]) -> None:
        self._left = tuple(left)
        super().__init__(f"{len(self._left)} places are left")

    @property
    def title(self) -> str:
        return _("Not everything was deleted")

    @property
    def message(self) -> str:
        places = "; ".join(
            _("{place}: {reason}").format(place=place, reason=why) for place, why in self._left
        )
        return _(
            "A link led to what may not be of Tidings alone, so only the link was deleted. Look at it, and delete what you "
            "do not need. {places}"
        ).format(places=places)


class Removal:
    """Deletes one thing after another; what one keeps does not keep the others.

    ``faults``: why something is still there. ``left``: what was not deleted as it may be somebody else's, and why.
    """

    def __init__(self) -> None:
        self.faults: list[OSError] = []
        self.left: list[tuple[Path, str]] = []

    def of(self, path: Path) -> None:
        """Delete a file or a folder with all that is in it."""
        try:
            if path.is_symlink():
                self._link(path)
            elif path.is_dir():
                self._folder(path)
            else:
                path.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            self.faults.append(error)

    def listed(self, folder: Path) -> list[Path]:
        """What is in a folder."""
        try:
            return list(folder.iterdir())
        except OSError as error:
            self.faults.append(error)
            return []

    def _folder(self, folder: Path) -> None:
        for each in list(folder.iterdir()):
            self.of(each)
        folder.rmdir()

    def _link(self, link: Path) -> None:
        """The link goes first: a chain of links that leads back to itself ends so."""
        target = link.resolve() if link.exists() else None
        link.unlink()
        if target is None:
            return
        if reason := _not_ours(target):
            self.left.append((target, reason))
        elif target.is_dir():
            self._what_is_ours(target)
        else:
            self.of(target)

    def _what_is_ours(self, folder: Path) -> None:
        for each in list(folder.iterdir()):
            if _OURS.fullmatch(each.name):
                self.of(each)
            else:
                self.left.append((each, _("it is not of Tidings")))
        if not any(folder.iterdir()):
            folder.rmdir()


def _not_ours(path: Path) -> str:
    """Why it may not be of Tidings alone; empty where it is."""
    with suppress(errors.NoHome):
        home = dirs.home_folder()
        if path == home or path in home.parents:
            return _("it holds your home folder")
    found = path.lstat()
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        return _("it belongs to another user")
    if os.name == "posix" and found.st_mode & 0o077:
        return _("others may use it too")
    if not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
        return _("it is neither a file nor a folder")
    return ""
