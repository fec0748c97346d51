"""Shows a pop-up as the agent does and tells whether it can be seen: `python -m tests.support.ui.watch_popup`."""

import sys
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from tests.support.ui import gallery_data as data
from ui.popup.hosts.window import PopupHost
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

LOOKS_EVERY_MS = 200


class Told:
    """What a pop-up tells, of which only one thing is of interest."""

    def __init__(self) -> None:
        self._last: bool | None = None

    def __getattr__(self, _name: str) -> Any:
        return lambda *_words: None

    def visible(self, on_screen: bool) -> None:
        """Say it where it changes."""
        if on_screen is not self._last:
            self._last = on_screen
            print("open" if on_screen else "covered", flush=True)


def main() -> int:
    """Runs until it is ended."""
    app = QApplication([])
    theme = Theme.of(Scheme.LIGHT, data.ACCENT)
    apply_theme(app, theme)
    host = PopupHost(Told(), lambda _content: data.video_page(), theme)
    host.show(object())  # type: ignore[arg-type]
    looks = QTimer()
    looks.timeout.connect(host.look)
    looks.start(LOOKS_EVERY_MS)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
