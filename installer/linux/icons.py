"""The application's icon in the sizes of the hicolor icon theme: `python -m installer.linux.icons SVG FOLDER`.

A process of its own: Qt is asked to work without a screen, and only here.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

SIZES = (16, 22, 24, 32, 48, 64, 128, 256)


def render(source: Path, theme: Path) -> None:
    """Writes the SVG and one PNG a size into a theme's folder."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    _application = QGuiApplication([])
    renderer = QSvgRenderer(str(source))
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        file = _place(theme, f"{size}x{size}", "tidings.png")
        if not image.save(str(file)):
            raise OSError(f"{file} cannot be written")
    shutil.copy(source, _place(theme, "scalable", "tidings.svg"))


def _place(theme: Path, folder: str, name: str) -> Path:
    """The path of an application's icon in a theme; its folder is there afterwards."""
    apps = theme / folder / "apps"
    apps.mkdir(parents=True, exist_ok=True)
    return apps / name


if __name__ == "__main__":
    render(Path(sys.argv[1]), Path(sys.argv[2]))
