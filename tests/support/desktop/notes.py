"""A window in which somebody writes: `python -m tests.support.desktop.notes FILE TITLE [full-screen]`.

Every change is in the file at once, so that a lost key is seen.
"""

import sys
from pathlib import Path

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QPlainTextEdit


def main() -> int:
    """Shows the window until it is closed."""
    file, title = Path(sys.argv[1]), sys.argv[2]
    app = QApplication(sys.argv)
    editor = QPlainTextEdit()
    editor.setWindowTitle(title)
    editor.setFont(QFont("Inter", 11))
    editor.document().setDocumentMargin(18)
    editor.textChanged.connect(lambda: file.write_text(editor.toPlainText(), encoding="utf-8"))
    editor.setGeometry(70, 60, 600, 420)
    if sys.argv[3:] == ["full-screen"]:
        editor.showFullScreen()
    else:
        editor.show()
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
