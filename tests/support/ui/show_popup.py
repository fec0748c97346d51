"""A program that shows the gallery's pop-up: `python -m tests.support.ui.show_popup`."""

import sys

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication

from tests.support.ui import gallery_data as data
from ui.popup.widgets.card import PopupCard
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

EDGE_DISTANCE = 16


def main() -> int:
    """Runs until the pop-up is closed by its button."""
    app = QApplication([])
    theme = Theme.of(Scheme.LIGHT, data.ACCENT)
    apply_theme(app, theme)
    card = PopupCard(theme)
    card.dismissed.connect(app.quit)
    card.later_chosen.connect(lambda seconds: print(f"later {seconds:.0f}", flush=True))
    card.show_page(data.video_page())
    room = app.primaryScreen().availableGeometry()
    distance = EDGE_DISTANCE - card.shadow_margin
    card.appear(room.bottomRight() - QPoint(card.width() + distance, card.height() + distance))
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
