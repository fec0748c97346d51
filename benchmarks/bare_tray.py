"""The reference: the least that a PySide6 program in the tray can be."""

import sys

from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon


def main() -> int:
    """Shows an icon with a menu of one entry, until it is chosen."""
    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    pixmap = QPixmap(22, 22)
    pixmap.fill(QColor("teal"))
    menu = QMenu()
    menu.addAction("Quit", application.quit)
    icon = QSystemTrayIcon(QIcon(pixmap))
    icon.setContextMenu(menu)
    icon.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
