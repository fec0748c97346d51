"""Windows of another program: `python show_windows.py slides notes`, in this order over one another."""

import sys

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QApplication, QLabel

_ABOVE = Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.FramelessWindowHint
CARD = QRect(500, 300, 300, 200)
ON_CARDS = {
    "card": (_ABOVE, 0, False),
    "above-the-card": (_ABOVE, 0, False),
    "unmanaged-over-the-card": (Qt.WindowType.BypassWindowManagerHint, 0, False),
    "over-a-part-of-the-card": (Qt.WindowType.BypassWindowManagerHint, 180, False),
    "unmanaged-over-all": (Qt.WindowType.BypassWindowManagerHint, 0, False),
    "around-the-card": (Qt.WindowType.BypassWindowManagerHint, 0, True),
}
"""How each stands, how many pixels of the card it leaves open at its left, and whether it is a frame alone."""


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
    if kind in ON_CARDS:
        flag, left, mask = ON_CARDS[kind]
        label.setWindowFlags(flag)
        label.setGeometry(CARD.adjusted(left, 0, 0, 0))
        if kind.endswith("all"):
            label.setGeometry(screens[0].virtualGeometry())
        if mask:
            label.setMask(QRegion(label.rect()) - QRegion(label.rect().adjusted(10, 10, -10, -10)))
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
