"""Whether the person asked for less movement, where Qt does not know it."""

from __future__ import annotations

import configparser
import os
import sys
from pathlib import Path

from agent.system import dirs


def reduced_motion() -> bool:
    """From the system's settings; False where nothing is said."""
    if os.environ.get("TIDINGS_REDUCED_MOTION") == "1":
        return True
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return _macos()
    return _linux()


def _linux() -> bool:
    """GTK's ``gtk-enable-animations`` and KDE's ``AnimationDurationFactor``."""
    folder = dirs.config_folder()
    for version in ("gtk-4.0", "gtk-3.0"):
        value = _setting(folder / version / "settings.ini", "Settings", "gtk-enable-animations")
        if value is not None:
            return value.lower() in ("0", "false")
    factor = _setting(folder / "kdeglobals", "KDE", "AnimationDurationFactor")
    try:
        return factor is not None and float(factor) == 0.0
    except ValueError:
        return False


def _setting(file: Path, section: str, key: str) -> str | None:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        return None
    return parser.get(section, key, fallback=None)


def _windows() -> bool:
    """SystemParametersInfo, SPI_GETCLIENTAREAANIMATION."""
    if sys.platform != "win32":
        return False
    import ctypes

    on = ctypes.c_int(1)
    ctypes.windll.user32.SystemParametersInfoW(0x1042, 0, ctypes.byref(on), 0)
    return not on.value


def _macos() -> bool:
    """The setting "Reduce motion" of com.apple.universalaccess."""
    import plistlib

    try:
        settings = plistlib.loads(
            (dirs.home_folder() / "Library/Preferences/com.apple.universalaccess.plist").read_bytes()
        )
    except (OSError, plistlib.InvalidFileException):
        return False
    return bool(settings.get("reduceMotion"))
