"""Where the agent keeps its files, by the platform's conventions (XDG Base Directory on Linux)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from agent.domain import errors
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
        """The platform's folders; all under ``$TIDINGS_HOME`` where that is set, but for the organisation's file.

        Raises NoHome, RelativeHome.
        """
        home = os.environ.get(HOME_VARIABLE)
        if home:
            if not Path(home).is_absolute():
                raise errors.RelativeHome(home)
            return replace(cls.under(Path(home)), policy=system_policy())
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("tidings", appauthor=False)
        home_folder()
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


def home_folder() -> Path:
    """The person's. An empty or relative HOME names none, and the account's counts as where it is not set. Raises NoHome.

    A command of any login must find the data of the agent that runs (XDG Base Directory: "all paths set in these environment
    variables must be absolute"; platformdirs does the same).
    """
    if sys.platform == "win32":
        return Path.home()
    import pwd

    home = _absolute("HOME")
    if home is not None:
        return home
    try:
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError as error:
        raise errors.NoHome(f"no account has the number {os.getuid()}") from error
    if not home.is_absolute():
        raise errors.NoHome("the account has no home folder")
    return home


def config_folder() -> Path:
    """Where programs of this person keep their settings (XDG Base Directory). Raises NoHome."""
    return _absolute("XDG_CONFIG_HOME") or home_folder() / ".config"


def system_config_folders() -> list[Path]:
    """Where those for everybody are, the most important first."""
    named = [Path(each) for each in os.environ.get("XDG_CONFIG_DIRS", "").split(":")]
    return [each for each in named if each.is_absolute()] or [Path("/etc/xdg")]


def session_folder() -> Path | None:
    """This login's, for sockets; None where it has none."""
    return _absolute("XDG_RUNTIME_DIR")


def _absolute(name: str) -> Path | None:
    """The path in a variable; None where there is none, or one that does not count."""
    path = Path(os.environ.get(name, ""))
    return path if path.is_absolute() else None


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
    of_login = session_folder()
    session = [each for each in (of_login, Path(f"/run/user/{os.geteuid()}")) if each is not None]
    found = [each / "tidings" for each in session if _is_ours_alone(each)]
    without = Path(dirs.user_state_dir) / "run"
    first = without if of_login is None else [*found, without][0]
    return list(dict.fromkeys([first, *found, without]))


def _is_ours_alone(folder: Path) -> bool:
    """Whether nobody else can put something there (XDG Base Directory: the folder must be owned by the user)."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022
