"""Where a person keeps a file: a dialog that fits a small screen and speaks their language."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QTreeView, QWidget
from pytestqt.qtbot import QtBot

from resources import i18n
from ui.core.save_files import Choosers

SMALL_SCREEN = (1366, 768)


@pytest.fixture
def parent(qtbot: QtBot) -> Iterator[QWidget]:
    widget = QWidget()
    qtbot.addWidget(widget)
    yield widget
    i18n.use_language("en")


def _dialog(parent: QWidget) -> QFileDialog:
    (dialog,) = parent.findChildren(QFileDialog)
    return dialog


@pytest.mark.parametrize(("language", "heading"), [("en", "Size"), ("fr", "Taille")])
def test_the_dialog_speaks_the_persons_language(parent: QWidget, language: str, heading: str) -> None:
    i18n.use_language(language)
    Choosers(parent).folder(parent, "Where?", lambda _path: None)
    view = _dialog(parent).findChild(QTreeView)
    assert view is not None
    assert view.model().headerData(1, Qt.Orientation.Horizontal) == heading


def test_the_dialog_fits_a_small_screen(parent: QWidget) -> None:
    Choosers(parent).folder(parent, "Where?", lambda _path: None)
    size = _dialog(parent).size()
    assert size.width() < SMALL_SCREEN[0]
    assert size.height() < SMALL_SCREEN[1]


def test_the_place_that_was_chosen_is_told(parent: QWidget, tmp_path: Path) -> None:
    told: list[Path] = []
    Choosers(parent).file(parent, "Where?", "copy.json", told.append)
    dialog = _dialog(parent)
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile("copy.json")
    dialog.accept()
    assert told == [tmp_path / "copy.json"]
