"""Start at login: the XDG Autostart entry on Linux, the Run key on Windows, a LaunchAgent on macOS."""

from __future__ import annotations

import plistlib
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.domain import errors
from agent.system import dirs, private_files, subprocesses

ENTRY = "tidings.desktop"
LABEL = "tidings.agent"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
RUN_VALUE = "Tidings"


def is_on() -> bool:
    """Whether the agent starts with the person's session."""
    if sys.platform == "win32":
        return _run_value() is not None
    if sys.platform == "darwin":
        return _launch_agent().exists()
    own = _own_entry()
    if own.exists():
        return "Hidden=true" not in own.read_text(encoding="utf-8", errors="replace").split()
    return _system_entry() is not None


def switch(on: bool) -> None:
    """Change it. Raises DiskFault."""
    command = subprocesses.command("run", "--minimized")
    try:
        if sys.platform == "win32":
            _switch_run_value(command if on else None)
        elif sys.platform == "darwin":
            _switch_file(_launch_agent(), plistlib.dumps(_launch_agent_content(command)) if on else None)
        else:
            _switch_entry(command, on)
    except OSError as error:
        raise errors.DiskFault(f"autostart: {error}") from error


def forget() -> None:
    """Leave no entry of the person's own, on or off. One that the system has for everybody stays. Raises DiskFault."""
    try:
        if sys.platform == "win32":
            _switch_run_value(None)
        else:
            _switch_file(_launch_agent() if sys.platform == "darwin" else _own_entry(), None)
    except OSError as error:
        raise errors.DiskFault(f"autostart: {error}") from error


# Linux: the Desktop Application Autostart Specification


def _own_entry() -> Path:
    return dirs.config_folder() / "autostart" / ENTRY


def _system_entry() -> Path | None:
    """The entry that the package installed for everybody."""
    entries = (folder / "autostart" / ENTRY for folder in dirs.system_config_folders())
    return next((path for path in entries if path.exists()), None)


def _switch_entry(command: Sequence[str], on: bool) -> None:
    installed = _system_entry() is not None
    if on == installed:
        _switch_file(_own_entry(), None)
    else:
        _switch_file(_own_entry(), desktop_entry(command, hidden=not on).encode())


def desktop_entry(command: Sequence[str], *, hidden: bool = False) -> str:
    """The content of an autostart entry. ``hidden`` switches off one that the system has."""
    lines = [
        "[Desktop Entry]",
        "Type=Application",
        "Name=Tidings",
        f"Exec={' '.join(_quoted(word) for word in command)}",
        "Icon=tidings",
        "Terminal=false",
        "X-GNOME-Autostart-enabled=" + ("false" if hidden else "true"),
        *(["Hidden=true"] if hidden else []),
    ]
    return "\n".join(lines) + "\n"


def _quoted(word: str) -> str:
    """A word of Exec as the Desktop Entry Specification quotes it; the file itself escapes backslashes once more."""
    if word and all(character.isalnum() or character in "-_./+:,@" for character in word):
        return word
    for character in ("\\", '"', "`", "$"):
        word = word.replace(character, "\\" + character)
    return '"' + word.replace("\\", "\\\\").replace("%", "%%") + '"'


def _switch_file(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    if not path.parent.exists():
        private_files.make_folder(path.parent)
    private_files.write(path, content)


# macOS


def _launch_agent() -> Path:
    return dirs.home_folder() / "Library" / "LaunchAgents" / f"{LABEL}.plist"


def _launch_agent_content(command: Sequence[str]) -> dict[str, object]:
    return {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "ProcessType": "Interactive",
    }


# Windows


def _run_value() -> str | None:
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
                return str(winreg.QueryValueEx(key, RUN_VALUE)[0])
        except FileNotFoundError:
            return None
    return None


def _switch_run_value(command: Sequence[str] | None) -> None:
    if sys.platform == "win32":
        import subprocess
        import winreg

        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
            if command is not None:
                winreg.SetValueEx(key, RUN_VALUE, 0, winreg.REG_SZ, subprocess.list2cmdline(command))
            elif _run_value() is not None:
                winreg.DeleteValue(key, RUN_VALUE)
