"""Draws each window in each scheme and language: `make gallery`, or `python -m tests.support.ui.gallery [NAME …]`.

The pictures are in `build/gallery`, and all of them in one page, `index.html`. Each screen is shown on a backdrop of the
size that it has in the design, so that the two can be laid side by side.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QColor, QFontDatabase, QImage, QLinearGradient, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from resources import i18n
from tests.support.ui import gallery_data as data
from tests.support.ui import gallery_page, references
from tests.support.ui.gallery_screens import SCREENS
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

FOLDER = Path("build/gallery")
BACKDROP_MARGIN = 34
SETTLE_ROUNDS = 5
SCREEN = {"name": "gallery", "x": 0, "y": 0, "width": 1366, "height": 768}
SCREEN |= {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
FONT = "Inter"


def picture(widget: QWidget) -> QImage:
    """The widget on the design's backdrop."""
    size = widget.size()
    image = QImage(
        size.width() + 2 * BACKDROP_MARGIN, size.height() + 2 * BACKDROP_MARGIN, QImage.Format.Format_RGB32
    )
    painter = QPainter(image)
    ground = QLinearGradient(0, 0, 0, image.height())
    ground.setColorAt(0, QColor("#52706c"))
    ground.setColorAt(1, QColor("#2f4442"))
    painter.fillRect(image.rect(), ground)
    widget.render(painter, QPoint(BACKDROP_MARGIN, BACKDROP_MARGIN))
    painter.end()
    return image


@contextmanager
def shown(
    app: QApplication, name: str, scheme: Scheme = Scheme.LIGHT, text_scale: float = 1.0
) -> Iterator[QWidget]:
    """A screen that has come to rest, in the language in use; freed afterwards."""
    theme = Theme.of(scheme, data.ACCENT, text_scale=text_scale, reduced_motion=True)
    apply_theme(app, theme)
    widget = SCREENS[name](theme)
    widget.show()
    for _round in range(SETTLE_ROUNDS):
        app.processEvents()
    yield widget
    widget.close()
    widget.deleteLater()
    app.sendPostedEvents(widget, QEvent.Type.DeferredDelete.value)


def draw(
    app: QApplication, folder: Path, name: str, scheme: Scheme, language: str, text_scale: float = 1.0
) -> Path:
    """One picture."""
    i18n.use_language(language)
    enlarged = "" if text_scale == 1.0 else f"-{text_scale:.0%}"
    path = folder / f"{name}-{scheme}-{language}{enlarged}.png"
    with shown(app, name, scheme, text_scale) as widget:
        picture(widget).save(str(path))
    return path


def draw_references(app: QApplication, whole: Path, folder: Path, names: Sequence[str]) -> None:
    """The pictures that are kept, light and dark, each language: in full size in one folder, small in the other."""
    for name in names:
        for language in i18n.LANGUAGES:
            for scheme in (Scheme.LIGHT, Scheme.DARK):
                references.write_small(draw(app, whole, name, scheme, language), folder)


def draw_gallery(app: QApplication, names: Sequence[str], designs: Path | None) -> Path:
    """All pictures and their page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        for language in i18n.LANGUAGES:
            for scheme in (Scheme.LIGHT, Scheme.DARK):
                print(draw(app, FOLDER, name, scheme, language))
        print(draw(app, FOLDER, name, Scheme.HIGH_CONTRAST, "en"))
        print(draw(app, FOLDER, name, Scheme.LIGHT, "fr", text_scale=2.0))
    return gallery_page.write(FOLDER, list(SCREENS), designs)


def offscreen_application() -> QApplication:
    """Qt without a screen, looking the same each time: one size of screen, one font, no blinking cursor.

    Raises:
        SystemExit: the font is not installed.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as screens:
        json.dump({"screens": [SCREEN]}, screens)
        screens.flush()
        os.environ |= {"QT_QPA_PLATFORM": f"offscreen:configfile={screens.name}", "TZ": "UTC"}
        app = QApplication([])
    app.setCursorFlashTime(0)
    if FONT not in QFontDatabase.families():
        raise SystemExit(f"The font {FONT} is not installed: python3 -m tasks setup desktop")
    return app


def main(words: Sequence[str] | None = None) -> int:
    """Draws the named screens, or all."""
    parser = argparse.ArgumentParser(prog="make gallery", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="screens; all if none is named")
    parser.add_argument("--designs", type=Path, help="folder with the designs' pictures, to stand beside")
    parser.add_argument("--accept", action="store_true", help="keep these screens as the references")
    parser.add_argument("--small", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    unknown = set(options.names) - set(SCREENS)
    if unknown:
        parser.error(f"no screen is named {', '.join(sorted(unknown))}; there are {', '.join(SCREENS)}")
    app = offscreen_application()
    names = options.names or list(SCREENS)
    if options.small:
        (options.small / "whole").mkdir(parents=True)
        draw_references(app, options.small / "whole", options.small, names)
    elif options.accept:
        if not options.names:
            shutil.rmtree(references.FOLDER, ignore_errors=True)
        with tempfile.TemporaryDirectory() as whole:
            draw_references(app, Path(whole), references.FOLDER, names)
        print(f"{references.FOLDER}: {references.total_bytes() / 1e3:.0f} kB")
    else:
        print(draw_gallery(app, names, options.designs))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
