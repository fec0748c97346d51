"""Every text on every screen, in every scheme, is as legible as WCAG 2.2 wants it."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.support.ui.contrasts import TEXT, illegible
from ui.style.theme import Scheme

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.qt_log_ignore(r"This plugin does not support propagateSizeHints\(\)")
def test_a_pale_text_is_found(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    for colour in ("#1C1B1A", "#8A8A8A"):
        text = QLabel("MMMM")
        text.setStyleSheet(f"color: {colour}; background: #FFFFFF; font-size: 20px")
        column.addWidget(text)
    window.show()
    assert list(illegible(window, TEXT[Scheme.LIGHT])) == ["'MMMM' has 3.5:1"]


def test_every_text_on_every_screen_is_legible_in_every_scheme() -> None:
    command = [sys.executable, "-m", "tests.support.ui.contrasts"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
