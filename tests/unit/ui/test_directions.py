"""Each paragraph runs in the direction of its own first letter, wherever an announcement is shown."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from agent.domain import limits
from agent.domain.plain_text import several_lines
from tests.support.ui import gallery_data as data
from ui.popup.pages import DigestLine
from ui.popup.widgets.card import PopupCard
from ui.popup.widgets.digest import DigestRow
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.text import WrappedLabel

HEBREW = "שלום"
WIDTH = 400


def ink(widget: QWidget, rows: tuple[int, int] | None = None) -> QRect:
    """The rectangle that is written on, between two heights."""
    image = QImage(widget.size(), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    widget.render(image, QPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)
    ground = image.pixelColor(1, 1)
    top, bottom = rows or (0, image.height())
    written = [
        (x, y)
        for x in range(image.width())
        for y in range(top, bottom)
        if _differs(image.pixelColor(x, y), ground)
    ]
    assert written
    across, down = [x for x, _ in written], [y for _, y in written]
    return QRect(QPoint(min(across), min(down)), QPoint(max(across), max(down)))


def _differs(one: QColor, other: QColor) -> bool:
    return abs(one.lightness() - other.lightness()) > 60


def wrapped(qtbot: QtBot, text: str, max_lines: int | None = None) -> WrappedLabel:
    label = WrappedLabel(max_lines=max_lines)
    qtbot.addWidget(label)
    label.setText(text)
    label.resize(WIDTH, label.heightForWidth(WIDTH))
    return label


def test_paragraphs_of_two_directions_begin_at_two_edges(qtbot: QtBot, theme: Theme) -> None:
    label = wrapped(qtbot, f"{HEBREW} 12!\nHello!")
    half = label.height() // 2
    first, second = ink(label, (0, half)), ink(label, (half, label.height()))
    assert first.left() > WIDTH // 2
    assert first.right() > WIDTH - 6
    assert second.left() < 6
    assert second.right() < WIDTH // 2


def test_the_mark_that_ends_a_sentence_stands_at_its_end(qtbot: QtBot, theme: Theme) -> None:
    plain, called = ink(wrapped(qtbot, HEBREW)), ink(wrapped(qtbot, f"{HEBREW}!!"))
    assert called.right() == plain.right()
    assert called.left() < plain.left()


@pytest.mark.parametrize("text", [HEBREW, "Hello"])
def test_the_mark_that_ends_a_link_stands_at_its_end(qtbot: QtBot, theme: Theme, text: str) -> None:
    """A button's text is centred: with the mark at the left it grows there more, whatever the letters' own edges."""
    button = Button(f"{text} 1!")
    qtbot.addWidget(button)
    assert button.full_text == f"{text} 1!"
    assert (button.text() != button.full_text) == text_format.is_right_to_left(text)


def test_a_text_that_is_cut_ends_within_its_lines_in_either_direction(qtbot: QtBot, theme: Theme) -> None:
    for word in (HEBREW, "hello"):
        whole, cut = wrapped(qtbot, f"{word} " * 60), wrapped(qtbot, f"{word} " * 60, max_lines=2)
        assert cut.height() < whole.height()
        paragraphs = wrapped(qtbot, f"{word}\n{word}\n{word}", max_lines=2)
        assert paragraphs.height() == wrapped(qtbot, f"{word}\n{word}").height()
        longer = ink(paragraphs, (paragraphs.height() // 2, paragraphs.height())).width()
        assert longer > ink(wrapped(qtbot, word)).width()


def test_a_digests_title_begins_at_its_own_edge(qtbot: QtBot, theme: Theme) -> None:
    row = DigestRow(DigestLine("c-1", f"{HEBREW}!", "IT · 9:12"), theme)
    qtbot.addWidget(row)
    row.resize(WIDTH, row.sizeHint().height())
    middle = row.height() // 2
    inner = row.grab(QRect(8, 6, WIDTH - 16, middle - 8)).toImage()
    columns = [
        x
        for x in range(inner.width())
        if any(_differs(inner.pixelColor(x, y), inner.pixelColor(0, 0)) for y in range(inner.height()))
    ]
    assert min(columns) > WIDTH // 2


def test_the_pop_up_turns_title_and_body(qtbot: QtBot, theme: Theme) -> None:
    card = PopupCard(theme, translucent=True)
    qtbot.addWidget(card)
    card.show_page(replace(data.urgent_page(), title=f"{HEBREW} (2)!", body=f"{HEBREW}!\nSee B-12."))
    card.show()
    assert ink(card.title).left() > card.title.width() // 2
    half = card.body.height() // 2
    assert ink(card.body, (0, half)).left() > card.body.width() // 2
    assert ink(card.body, (half, card.body.height())).left() < 6


def test_a_sender_keeps_its_direction_within_a_line_of_ours() -> None:
    assert text_format.joined("Northwind", HEBREW, "", "9:12") == f"Northwind · \u2068{HEBREW}\u2069 · 9:12"
    assert text_format.joined("Northwind", "IT") == "Northwind · IT"


def test_a_line_of_ours_begins_at_its_left_whatever_its_sender(qtbot: QtBot, theme: Theme) -> None:
    """Else its date was turned around too: “Nov 2026, 20:50 · until 10 Dec 26”."""
    line = wrapped(qtbot, text_format.joined(HEBREW, "26 Nov 2026, 20:50", "until 10 Dec"))
    assert ink(line).left() < 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"\u2068{HEBREW}\u2069 Hello", False),
        (f"\u2068Hello\u2069 {HEBREW}", True),
        (f"\u2067\u2066{HEBREW}\u2069{HEBREW}\u2069 1 Hello", False),
        (f"\u2069{HEBREW}", True),
        (f"\u2068{HEBREW}", False),
        ("1. (2)", False),
    ],
)
def test_what_is_isolated_says_nothing_of_the_direction_of_its_line(text: str, expected: bool) -> None:
    assert text_format.is_right_to_left(text) == expected


def test_a_text_of_very_many_lines_is_laid_out_once_a_width_and_painted_where_it_is_seen(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[str] = []
    layout = WrappedLabel._paragraph
    monkeypatch.setattr(
        WrappedLabel,
        "_paragraph",
        lambda label, text, *more: laid_out.append(text) or layout(label, text, *more),
    )
    text = several_lines("a\n" * 2_499 + "b")
    assert text.count("\n") == limits.TEXT_LINES_MAX - 1
    assert text.replace("\n", " ") == "a " * 2_499 + "b"
    card = PopupCard(theme, translucent=True)
    qtbot.addWidget(card)
    card.show_page(replace(data.urgent_page(), body=text))
    assert laid_out.count("a") < 10 * limits.TEXT_LINES_MAX
    card.show()
    card.grab()
    laid_out.clear()
    card.grab()
    assert 0 < laid_out.count("a") < 60
