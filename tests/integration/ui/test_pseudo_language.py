"""Every screen in a language that is 40 % longer than English and stands in brackets: nothing is cut, all is translated."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QTableView, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.support.ui.pseudo import pseudo, words_without_brackets, wrong_in
from ui.widgets.buttons import Button
from ui.widgets.text import label

pytestmark = pytest.mark.qt_log_ignore(r"This plugin does not support propagateSizeHints\(\)")
NOTHING = re.compile(r"(?!)")
"""No text is data."""
ROOT = Path(__file__).resolve().parents[3]


def test_a_text_that_no_catalogue_said_is_found() -> None:
    assert words_without_brackets(f"{pseudo('Open')} · Save · {pseudo('Close {name}')}") == ["Save"]


SAID = pseudo("Remind me later")


def choice(text: str) -> QComboBox:
    made = QComboBox()
    made.addItem(text)
    return made


def table(text: str) -> QTableView:
    made = QTableView()
    model = QStandardItemModel(1, 1, made)
    model.setHorizontalHeaderLabels([text])
    made.setModel(model)
    made.verticalHeader().hide()
    made.resizeColumnsToContents()
    return made


def with_name(name: str) -> QWidget:
    made = QLabel(SAID)
    made.setAccessibleName(name)
    return made


KINDS: dict[str, Callable[[str], QWidget]] = {
    "label": QLabel,
    "wrapped label": lambda text: label(text, wrap=True),
    "button": Button,
    "combo box": choice,
    "heading of a table": table,
}


def planted(qtbot: QtBot, widget: QWidget) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    QVBoxLayout(window).addWidget(widget)
    window.resize(600, 200)
    window.show()
    return window


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_is_cut_is_found(qtbot: QtBot, kind: str) -> None:
    widget = KINDS[kind](SAID)
    window = planted(qtbot, widget)
    assert list(wrong_in(window, NOTHING)) == []
    if isinstance(widget, QTableView):
        widget.setColumnWidth(0, 30)
    else:
        widget.setFixedSize(30, 12)
    assert [finding for finding in wrong_in(window, NOTHING) if finding.startswith("cut: ")]


@pytest.mark.parametrize("kind", [*KINDS, "placeholder", "accessible name"])
def test_a_text_that_is_not_translated_is_found(qtbot: QtBot, kind: str) -> None:
    if kind == "placeholder":
        widget: QWidget = QLineEdit()
        assert isinstance(widget, QLineEdit)
        widget.setPlaceholderText("Save")
    else:
        widget = with_name("Save") if kind == "accessible name" else KINDS[kind]("Save")
    assert any("not translated: Save" in each for each in wrong_in(planted(qtbot, widget), NOTHING))


@pytest.mark.parametrize("text_scale", ["1", "2"])
def test_no_screen_cuts_a_text_or_leaves_one_untranslated(text_scale: str) -> None:
    command = [sys.executable, "-m", "tests.support.ui.pseudo", text_scale]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
