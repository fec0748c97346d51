"""A language of the tests' own, in brackets and longer than English: what shows without brackets is not translated.

`python -m tests.support.ui.pseudo TEXT_SCALE` makes every screen in it and prints what is wrong, a line each.
"""

import ast
import calendar
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)

from resources import i18n
from tests.support.ui import gallery
from tests.support.ui.gallery_screens import SCREENS
from ui.widgets.buttons import Button

ACCENTED = str.maketrans("aceinostuyACEINOSTUY", "áçéîñöšţúÿÁÇÉÎÑÖŠŢÚŸ")
LONGER = 0.4
KEPT = re.compile(r"(\{[^}]*\}|<[^>]*>|&\w)")
"""Placeholders, tags and mnemonics are no words."""
INNERMOST = re.compile(r"\[[^\[\]]*\]")
WORD = re.compile(r"[^\W\d_]{2,}")
ADDRESS = re.compile(r"https?://\S+")
NO_WORDS = {
    "Tidings",
    "XXXX",
    *calendar.month_abbr,
    *calendar.month_name,
    *calendar.day_abbr,
    *calendar.day_name,
}
"""Our name; what stands for an invitation code; dates are written by the language, not by a catalogue."""


def pseudo(text: str) -> str:
    """[Ţéxţ], 40 % longer, its placeholders as they were."""
    parts = KEPT.split(text)
    said = "".join(part if KEPT.fullmatch(part) else part.translate(ACCENTED) for part in parts)
    return f"[{said}{'~' * max(round(len(text) * LONGER) - 2, 0)}]"


def write_catalogue(folder: Path) -> None:
    """Compiles the language below a folder of catalogues, in the place of English."""
    french = i18n.LOCALE_FOLDER / "fr" / "LC_MESSAGES" / f"{i18n.DOMAIN}.po"
    with french.open("rb") as source:
        known = read_po(source, locale="fr")
    made = Catalog(locale="en")
    for message in known:
        if not message.id:
            continue
        both = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        said = tuple(pseudo(each) for each in both)
        made.add(message.id, said if len(said) > 1 else said[0], context=message.context)
    target = folder / "en" / "LC_MESSAGES"
    target.mkdir(parents=True)
    with (target / f"{i18n.DOMAIN}.mo").open("wb") as file:
        write_mo(file, made)


def words_without_brackets(text: str) -> list[str]:
    """The words of a text that no catalogue said."""
    rest, before = text, ""
    while rest != before:
        before, rest = rest, INNERMOST.sub(" ", rest)
    return WORD.findall(rest)


def texts_of(widget: QWidget) -> Iterator[str]:
    """All that a widget shows or tells a screen reader."""
    yield widget.accessibleName()
    yield widget.accessibleDescription()
    yield widget.toolTip()
    if widget.isWindow():
        yield widget.windowTitle()
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    if isinstance(widget, QLineEdit):
        yield widget.placeholderText()
    if isinstance(widget, QComboBox):
        yield from (widget.itemText(index) for index in range(widget.count()))
    if isinstance(widget, QHeaderView) and widget.model() is not None:
        across = widget.orientation()
        yield from (str(widget.model().headerData(at, across) or "") for at in range(widget.count()))


def is_cut(widget: QWidget) -> bool:
    """Whether a label, a button, a choice or a heading is smaller than its text needs."""
    if isinstance(widget, QComboBox):
        return widget.sizeHint().width() > widget.width() + 1
    if isinstance(widget, QHeaderView):
        return any(
            widget.sectionSizeHint(section) > widget.sectionSize(section) + 1
            for section in range(widget.count())
            if not widget.isSectionHidden(section)
        )
    if not isinstance(widget, QLabel | QAbstractButton) or not widget.text():
        return False
    if isinstance(widget, QToolButton) and widget.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly:
        return False
    if widget.hasHeightForWidth():
        return widget.heightForWidth(widget.width()) > widget.height() + 1
    needed = widget.sizeHint()
    return needed.width() > widget.width() + 1 or needed.height() > widget.height() + 1


def shortens_data(widget: QWidget) -> bool:
    """What a company wrote may be too long for a button: that is shortened, and says all of it in its tool tip."""
    return isinstance(widget, Button) and "[" not in widget.full_text


def findings(app: QApplication, name: str, data: re.Pattern[str], text_scale: float) -> Iterator[str]:
    """What is wrong with one screen."""
    with gallery.shown(app, name, text_scale=text_scale) as window:
        for finding in wrong_in(window, data):
            yield f"{name}: {finding}"


def wrong_in(window: QWidget, data: re.Pattern[str]) -> Iterator[str]:
    """What is untranslated or cut in a window. ``data``: what need not be translated."""
    for widget in [window, *window.findChildren(QWidget)]:
        if not widget.isVisibleTo(window):
            continue
        for text in filter(None, texts_of(widget)):
            foreign = words_without_brackets(data.sub(" ", ADDRESS.sub(" ", text)))
            if foreign:
                yield f"not translated: {' '.join(foreign)} in {text!r}"
        if is_cut(widget) and not shortens_data(widget):
            said = next(filter(None, texts_of(widget)), type(widget).__name__)
            yield f"cut: {said!r} has {widget.width()} × {widget.height()}"


def data_texts() -> re.Pattern[str]:
    """What the gallery's campaigns, people and companies say: data, not texts of ours."""
    texts = set(NO_WORDS)
    for source in Path(__file__).parent.glob("gallery_*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.update(each.strip() for each in node.value.split("\n"))
    longest_first = sorted((text for text in texts if WORD.search(text)), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def main(text_scale: float) -> int:
    """Prints the findings of all screens with text of a size, 1 to 2."""
    app = gallery.offscreen_application()
    with tempfile.TemporaryDirectory() as folder:
        write_catalogue(Path(folder))
        i18n.use_language("en", Path(folder))
        data = data_texts()
        for name in SCREENS:
            for finding in dict.fromkeys(findings(app, name, data, text_scale)):
                print(finding)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1])))
