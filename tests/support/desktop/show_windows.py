"""Windows of another program: `python show_windows.py slides notes`, in this order over one another."""

import sys

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel


def window(kind: str) -> QLabel:
    """One of that kind; its title is the kind."""
    label = QLabel(kind)
    label.setWindowTitle(kind)
    screens = QApplication.screens()
    label.setGeometry(screens[0].geometry().adjusted(60, 60, -260, -260))
    if kind == "covering":
        label.setGeometry(screens[0].geometry().adjusted(20, 40, -20, -60))
    if kind == "slides-on-the-projector":
        label.setGeometry(screens[-1].geometry().adjusted(10, 10, -10, -10))
    if kind == "game":
        label.setWindowFlags(Qt.WindowType.BypassWindowManagerHint)
        label.setGeometry(screens[-1].geometry())
    if kind.startswith("slides"):
        label.showFullScreen()
    else:
        label.show()
    return label


def main() -> int:
    """Shows the windows named on the command line until it is ended."""
    application = QApplication(sys.argv)
    shown = []
    for kind in sys.argv[1:]:
        shown.append(window(kind))
        application.processEvents()
    return application.exec()


if __name__ == "__main__":
    raise SystemExit(main())
