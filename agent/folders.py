"""Where the agent keeps its files, by the platform's conventions (XDG Base Directory on Linux)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from platformdirs import PlatformDirs

HOME_VARIABLE = "TIDINGS_HOME"

POLICY_NAME = "policy.toml"


class Folders(Struct, frozen=True):
    """``data`` is the person's, ``cache`` can be fetched again, ``logs`` rotate, ``runtime`` holds lock and socket.

    ``policy`` is the organisation's file. Only an administrator writes it.
    """

    data: Path
    cache: Path
    logs: Path
    runtime: Path
    policy: Path

    @classmethod
    def standard(cls) -> Folders:
        """The platform's folders; all under ``$TIDINGS_HOME`` where that is set, but for the organisation's file."""
        home = os.environ.get(HOME_VARIABLE)
        if home:
            return replace(cls.under(Path(home)), policy=system_policy())
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("tidings", appauthor=False)
        return cls(
            Path(dirs.user_data_dir),
            Path(dirs.user_cache_dir),
            Path(dirs.user_log_dir),
            _runtime_folder(dirs),
            system_policy(),
        )

    @classmethod
    def under(cls, home: Path) -> Folders:
        return cls(home / "data", home / "cache", home / "logs", home / "run", home / POLICY_NAME)

    def make(self) -> None:
        """Create them, readable by their owner only. Raises OSError."""
        for folder in (self.data, self.cache, self.logs, self.runtime):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def system_policy() -> Path:
    """Where an administrator puts the policy of this computer."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "Tidings" / POLICY_NAME
    if sys.platform == "darwin":
        return Path("/Library/Application Support/Tidings") / POLICY_NAME
    return Path("/etc/tidings") / POLICY_NAME


def _runtime_folder(dirs: PlatformDirs) -> Path:
    """The session's own folder; without a session (cron, su), one beside the logs: never in the shared temporary folder."""
    if sys.platform == "linux" and not os.environ.get("XDG_RUNTIME_DIR"):
        return Path(dirs.user_state_dir) / "run"
    return Path(dirs.user_runtime_dir)
