"""The notice, about."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from agent.domain.model import ConnectionState
from resources import i18n
from tests.support.ui import gallery_data as data
from ui.about.window import AboutWindow
from ui.privacy.notice_window import NoticeWindow
from ui.style.theme import Theme


@pytest.mark.parametrize(("language", "begins"), [("en", "Northwind SAS is"), ("fr", "Northwind SAS est")])
def test_the_notice_is_whole_and_in_the_persons_language(
    qtbot: QtBot, theme: Theme, language: str, begins: str
) -> None:
    i18n.use_language(language)
    window = NoticeWindow(theme, data.company())
    qtbot.addWidget(window)
    window.show()
    assert window.text.toPlainText() == data.NOTICE[language]
    assert window.text.toPlainText().startswith(begins)
    assert window.text.height() >= window.text.document().size().height()


def test_the_notice_is_scrolled_by_keys_and_closed_by_escape(qtbot: QtBot, theme: Theme) -> None:
    window = NoticeWindow(theme, data.company())
    qtbot.addWidget(window)
    window.show()
    window.resize(window.width(), 200)
    qtbot.keyClick(window.text, Qt.Key.Key_PageDown)
    assert window.text.mapTo(window, window.text.rect().topLeft()).y() < 0
    qtbot.keyPress(window.text, Qt.Key.Key_Escape)
    assert not window.isVisible()


@pytest.mark.parametrize("connection", [ConnectionState.CONNECTED, ConnectionState.NOT_CONNECTED])
def test_about_tells_the_version_and_whom_this_computer_belongs_to(
    qtbot: QtBot, theme: Theme, connection: ConnectionState
) -> None:
    window = AboutWindow(theme, "0.1.0", data.status(connection))
    qtbot.addWidget(window)
    texts = [label.text() for label in window.findChildren(QLabel)]
    assert "Version 0.1.0" in texts
    assert ("lea.roux@northwind.example" in texts) == (connection is ConnectionState.CONNECTED)
    assert ("Not connected to a company" in texts) == (connection is ConnectionState.NOT_CONNECTED)
