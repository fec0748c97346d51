"""What ``tidings doctor`` asks of the desktop, in a process of its own: Qt ends a process that has no screen."""

from __future__ import annotations

import sys

import msgspec
from msgspec import Struct

from ui.desktop import screen


class Desktop(Struct, frozen=True):
    """``tray``: icons can be shown. ``player``: the video player has its decoders. ``platform`` is Qt's name for the screen.

    Which codecs these decode is not asked: Qt's list leaves out H.264, which they play.
    """

    platform: str
    tray: bool
    player: bool


def run() -> int:
    """Print what this desktop has, as JSON. Returns 1 where nothing can be shown."""
    if not screen.has_screen():
        return 1
    from PySide6.QtMultimedia import QMediaPlayer
    from PySide6.QtWidgets import QApplication, QSystemTrayIcon

    application = QApplication(sys.argv[:1])
    desktop = Desktop(
        application.platformName(), QSystemTrayIcon.isSystemTrayAvailable(), QMediaPlayer().isAvailable()
    )
    sys.stdout.buffer.write(msgspec.json.encode(desktop))
    return 0
