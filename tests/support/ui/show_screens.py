"""Shows screens of the gallery on a real desktop, one after another: a line on standard input asks for the next.

`python -m tests.support.ui.show_screens NAME …`: prints a line with the title of each window once it shows, and one when
the key F12 has come in, and with it all keys before.
"""

import sys
import threading

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QWindow
from PySide6.QtWidgets import QApplication, QWidget

from tests.support.ui import gallery_data as data
from tests.support.ui.gallery_screens import SCREENS
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme


class Line(QObject):
    """Standard input, heard on a thread."""

    asked = Signal()
    ended = Signal()

    def listen(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for _line in sys.stdin:
            self.asked.emit()
        self.ended.emit()


class Show(QObject):
    """One screen at a time."""

    def __init__(self, app: QApplication, names: list[str]) -> None:
        super().__init__()
        self._app = app
        self._names = names
        self._shown: QWidget | None = None
        app.installEventFilter(self)
        self._theme = Theme.of(Scheme.LIGHT, data.ACCENT, reduced_motion=True)
        apply_theme(app, self._theme)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and isinstance(watched, QWindow)
            and event.type() == QEvent.Type.KeyRelease
            and event.key() == Qt.Key.Key_F12
        ):
            print("F12", flush=True)
        return False

    def next(self) -> None:
        if self._shown is not None:
            self._shown.close()
            self._shown.deleteLater()
        name = self._names.pop(0)
        self._shown = SCREENS[name](self._theme)
        self._shown.setWindowTitle(name)
        self._shown.show()
        print(name, flush=True)


def main(names: list[str]) -> int:
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    show = Show(app, names)
    line = Line()
    line.asked.connect(show.next)
    line.ended.connect(app.quit)
    line.listen()
    return app.exec()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
