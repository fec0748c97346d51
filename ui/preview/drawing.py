"""From a request to PNG, without a screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QEvent, QIODevice, QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from resources import i18n
from ui.core import qt_logging
from ui.preview.request import Picture, Preview, interface_language
from ui.preview.screens import ShownItem
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

SCREEN_PX = (1366, 768)
"""The smallest screen that is common; on a larger one long texts are less cut."""
SETTLE_ROUNDS = 5


class NotDrawn(Exception):
    """A picture could not be made: there was too little memory."""


def application(folder: Path) -> QApplication:
    """Qt without a screen, the same on every computer but for its fonts. ``folder`` takes the screen's description."""
    qt_logging.install()
    described = folder / "screen.json"
    screen = {"name": "preview", "x": 0, "y": 0, "width": SCREEN_PX[0], "height": SCREEN_PX[1]}
    screen |= {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    described.write_text(json.dumps({"screens": [screen]}), encoding="utf-8")
    app = QApplication(["tidings-render", "-platform", f"offscreen:configfile={described}"])
    app.setCursorFlashTime(0)
    app.setQuitOnLastWindowClosed(False)
    return app


def draw(app: QApplication, preview: Preview, picture: Picture) -> bytes:
    """One picture as PNG, transparent where the window is. Raises BadRequest, NotDrawn."""
    with shown(app, preview, picture) as window:
        image = QImage(window.size(), QImage.Format.Format_ARGB32_Premultiplied)
        if image.isNull():
            raise NotDrawn
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        window.render(painter, QPoint())
        painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):  # type: ignore[call-overload]
        raise NotDrawn
    return bytes(data.data())


@contextmanager
def shown(app: QApplication, preview: Preview, picture: Picture) -> Iterator[QWidget]:
    """The window as it comes to rest; freed afterwards. Raises BadRequest."""
    i18n.use_language(interface_language(picture.language))
    scheme = Scheme(picture.scheme)
    theme = Theme.of(scheme, preview.company.accent, text_scale=picture.text_scale / 100, reduced_motion=True)
    apply_theme(app, theme)
    item = ShownItem(preview.in_language(picture.language), preview.company, preview.media.get)
    window = item.window(picture.window, theme)
    window.show()
    for _round in range(SETTLE_ROUNDS):
        app.processEvents()
    yield window
    window.close()
    window.deleteLater()
    app.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
