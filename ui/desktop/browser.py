"""Opens links in the person's browser, https only, and folders in their file manager."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QProcess, QProcessEnvironment, QUrl
from PySide6.QtGui import QDesktopServices

log = logging.getLogger(__name__)

_BUNDLED = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME", "PYTHONPATH")


def open_url(url: str) -> bool:
    """Open an https address that the agent allowed. Returns False for anything else, and when no browser starts."""
    parsed = QUrl(url, QUrl.ParsingMode.StrictMode)
    if not parsed.isValid() or parsed.scheme() != "https" or not parsed.host():
        log.warning("A link that is not https was not opened.")
        return False
    if sys.platform == "linux":
        tool = shutil.which("xdg-open")
        if tool is not None:
            return _start([tool, parsed.toString(QUrl.ComponentFormattingOption.FullyEncoded)])
    return QDesktopServices.openUrl(parsed)


def open_folder(folder: Path) -> bool:
    """Show a folder. Returns False when there is no such folder or nothing that shows it."""
    if not folder.is_dir():
        return False
    tool = shutil.which("xdg-open") if sys.platform == "linux" else None
    if tool is not None:
        return _start([tool, str(folder)])
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _start(command: list[str]) -> bool:
    environment = QProcessEnvironment()
    for name, value in environment_for_others(os.environ).items():
        environment.insert(name, value)
    process = QProcess()
    process.setProgram(command[0])
    process.setArguments(command[1:])
    process.setProcessEnvironment(environment)
    for silence in (process.setStandardOutputFile, process.setStandardErrorFile):
        silence(QProcess.nullDevice())
    answer: object = process.startDetached()  # a bool, whatever the type stubs say
    started = answer is True
    if not started:
        log.warning("No program was started: %s", process.errorString())
    return started


def environment_for_others(own: Mapping[str, str]) -> dict[str, str]:
    """Our environment for programs that are not ours: the frozen build's libraries and Qt's settings would break them.

    The frozen build keeps what a variable was before as ``<NAME>_ORIG``.
    """
    clean = {
        name: value
        for name, value in own.items()
        if not name.startswith(("QT_", "QML", "_MEI", "_PYI")) and not name.endswith("_ORIG")
    }
    if getattr(sys, "frozen", False):
        for name in _BUNDLED:
            clean.pop(name, None)
            if own.get(f"{name}_ORIG"):
                clean[name] = own[f"{name}_ORIG"]
    return clean
