"""Files that the person keeps: where they want them, readable by them alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QObject, QStandardPaths, Qt, QTranslator
from PySide6.QtWidgets import QFileDialog, QWidget

from agent.domain import errors
from resources import i18n
from resources.i18n import _

OWNER_ONLY = 0o600
Chosen = Callable[[Path], None]


class Choosers(QObject):
    """Asks for places. Never modal to the whole program: announcements go on appearing meanwhile."""

    def folder(self, parent: QWidget, title: str, chosen: Chosen) -> None:
        """An existing folder."""
        dialog = self._dialog(parent, title)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, _("Save here"))
        self._ask(dialog, chosen)

    def file(self, parent: QWidget, title: str, name: str, chosen: Chosen) -> None:
        """A file to write; ``name`` is the one that is offered."""
        dialog = self._dialog(parent, title)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(name).suffix.removeprefix("."))
        dialog.setNameFilter(_("Text (*.txt)") if name.endswith(".txt") else "JSON (*.json)")
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, _("Save"))
        dialog.selectFile(name)
        self._ask(dialog, chosen)

    def _dialog(self, parent: QWidget, title: str) -> QFileDialog:
        translator = _qts_own_texts()
        dialog = QFileDialog(parent, title, documents())
        translator.setParent(dialog)
        if sys.platform == "linux":
            # GTK's is higher than a small screen, and speaks the system's language and not the person's.
            dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setLabelText(QFileDialog.DialogLabel.Reject, _("Cancel"))
        dialog.setLabelText(QFileDialog.DialogLabel.LookIn, _("Folder:"))
        dialog.setLabelText(QFileDialog.DialogLabel.FileName, _("Name:"))
        dialog.setLabelText(QFileDialog.DialogLabel.FileType, _("Type:"))
        return dialog

    def _ask(self, dialog: QFileDialog, chosen: Chosen) -> None:
        dialog.fileSelected.connect(lambda path: chosen(Path(path)))
        dialog.open()


def _qts_own_texts() -> QTranslator:
    """Headings and hints of Qt's dialogs in the person's language, as long as the translator lives."""
    translator = QTranslator()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if i18n.language() != "en" and translator.load(f"qtbase_{i18n.language()}", folder):
        QCoreApplication.installTranslator(translator)
    return translator


def documents() -> str:
    """The person's folder for documents, or their home where there is none."""
    place = QStandardPaths.StandardLocation
    folder = QStandardPaths.writableLocation(place.DocumentsLocation)
    return folder if Path(folder).is_dir() else QStandardPaths.writableLocation(place.HomeLocation)


def write(path: Path, content: bytes) -> Path:
    """Write a file in place of the one before. Raises DiskFault."""
    _write(path, content, os.O_TRUNC)
    return path


def write_new(folder: Path, name: str, content: bytes) -> Path:
    """Write a file that was not there, with a number in its name where it was; gives its path. Raises DiskFault."""
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in count(1):
        path = folder / (name if number == 1 else f"{stem} ({number}){suffix}")
        try:
            _write(path, content, os.O_EXCL)
        except FileExistsError:
            continue
        return path
    raise AssertionError("numbers have no end")


def _write(path: Path, content: bytes, how: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileExistsError:
        raise
    except OSError as error:
        raise errors.DiskFault(f"{type(error).__name__}: {error.strerror}") from error
