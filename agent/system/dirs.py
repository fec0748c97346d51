"""Where the agent keeps its files, by the platform's conventions (XDG Base Directory on Linux)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from agent.system import private_files

if TYPE_CHECKING:
    from platformdirs import PlatformDirs

HOME_VARIABLE = "TIDINGS_HOME"

POLICY_NAME = "policy.toml"


class Folders(Struct, frozen=True):
    """``data`` is the person's, ``cache`` can be fetched again, ``logs`` rotate, ``runtime`` holds lock and socket.

    ``policy`` is the organisation's file. Only an administrator writes it. ``other_runtimes``: what ``runtime`` is in another
    login of the same person, where something of this data may lie too.
    """

    data: Path
    cache: Path
    logs: Path
    runtime: Path
    policy: Path
    other_runtimes: tuple[Path, ...] = ()

    @classmethod
    def standard(cls) -> Folders:
        """The platform's folders; all under ``$TIDINGS_HOME`` where that is set, but for the organisation's file."""
        home = os.environ.get(HOME_VARIABLE)
        if home:
            return replace(cls.under(Path(home)), policy=system_policy())
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("tidings", appauthor=False)
        runtime, *others = _runtime_folders(dirs)
        return cls(
            Path(dirs.user_data_dir),
            Path(dirs.user_cache_dir),
            Path(dirs.user_log_dir),
            runtime,
            system_policy(),
            tuple(others),
        )

    @classmethod
    def under(cls, home: Path) -> Folders:
        return cls(home / "data", home / "cache", home / "logs", home / "run", home / POLICY_NAME)

    def make(self) -> None:
        """Create them; what is in them is their owner's alone. Raises OSError."""
        for folder in (self.data, self.cache, self.logs, self.runtime):
            private_files.make_folder(folder)
            private_files.tighten_all(folder)


def system_policy() -> Path:
    """Where an administrator puts the policy of this computer."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "Tidings" / POLICY_NAME
    if sys.platform == "darwin":
        return Path("/Library/Application Support/Tidings") / POLICY_NAME
    return Path("/etc/tidings") / POLICY_NAME


def _runtime_folders(dirs: PlatformDirs) -> list[Path]:
    """First this login's: the session's own folder, or without a session (cron, su) one beside the logs. Then the others.

    Never one in the shared temporary folder, and none of another user, which ``su`` leaves in the environment.
    """
    if sys.platform != "linux":
        return [Path(dirs.user_runtime_dir)]
    session = [
        Path(each) for each in (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{os.geteuid()}") if each
    ]
    found = [each / "tidings" for each in session if _is_ours_alone(each)]
    without = Path(dirs.user_state_dir) / "run"
    first = without if not os.environ.get("XDG_RUNTIME_DIR") else [*found, without][0]
    return list(dict.fromkeys([first, *found, without]))


def _is_ours_alone(folder: Path) -> bool:
    """Whether nobody else can put something there (XDG Base Directory: the folder must be owned by the user)."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022
