"""Contrast as it is drawn, with accents that a company might well have: each kind of widget, measured in its pixels."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QMenu, QProgressBar, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.support.ui import gallery_data as data
from tests.support.ui.contrasts import TEXT, Pixels, between, commonest, pixels, strongest
from ui.inbox.window import InboxWindow
from ui.player.sliders import PositionSlider
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme, contrast
from ui.widgets.buttons import Button, IconButton, LikeButton
from ui.widgets.icons import Glyph
from ui.widgets.logo import LogoTile
from ui.widgets.search_bar import SearchField
from ui.widgets.text import label
from ui.widgets.toggle import ToggleSwitch

pytestmark = pytest.mark.slow

NASTY = {
    "white": "#FFFFFF",
    "black": "#000000",
    "yellow": "#FFFF00",
    "grey": "#808080",
    "the page's own": "#FAF9F6",
    "neon green": "#39FF14",
    "navy": "#000033",
    "red": "#FF0000",
    "pale pink": "#FFE4E1",
    "blue": "#0000FF",
}
GRAPHICS = 3.0
"""Criterion 1.4.11."""
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")
Make = Callable[[Theme], QWidget]


def button(kind: str, *, checked: bool = False) -> Make:
    def make(_theme: Theme) -> QWidget:
        made = Button("MMMM", kind=kind)
        made.setCheckable(checked)
        made.setChecked(checked)
        return made

    return make


def liked(theme: Theme) -> QWidget:
    heart = LikeButton(theme)
    heart.set_liked(True)
    return heart


def field(theme: Theme) -> QWidget:
    written = QLineEdit("MMMM")
    written.deselect()
    return written


def selected_text(theme: Theme) -> QWidget:
    written = QLineEdit("MMMM")
    written.selectAll()
    return written


def combo(theme: Theme) -> QWidget:
    choice = QComboBox()
    choice.addItem("MMMM")
    return choice


def toggle(on: bool) -> Make:
    def make(theme: Theme) -> QWidget:
        switch = ToggleSwitch("Seen", theme)
        switch.setChecked(on)
        return switch

    return make


def slider(theme: Theme) -> QWidget:
    position = PositionSlider(theme)
    position.show_length(60_000)
    position.show_position(30_000)
    return position


def progress(theme: Theme) -> QWidget:
    bar = QProgressBar()
    bar.setTextVisible(False)
    bar.setValue(50)
    return bar


def logo(theme: Theme) -> QWidget:
    tile = LogoTile(theme, side=36)
    tile.show_company("MMMM")
    return tile


TEXTS: dict[str, Make] = {
    "plain button": button(""),
    "primary button": button("primary"),
    "filter": button("filter"),
    "filter that holds": button("filter", checked=True),
    "link": button("link"),
    "danger": button("danger"),
    "row of a digest": button("row"),
    "answer": button("answer"),
    "compact": button("compact"),
    "liked": liked,
    "field": field,
    "selected text": selected_text,
    "search": lambda theme: SearchField("MMMM", theme),
    "combo box": combo,
    "pill": lambda _theme: label("MMMM", kind="pill"),
    "warning": lambda _theme: label("MMMM", kind="pill", tone="warn"),
    "muted": lambda _theme: label("MMMM", kind="small", tone="muted"),
    "error": lambda _theme: label("MMMM", kind="small", tone="error"),
    "logo": logo,
}
DRAWN: dict[str, Make] = {
    "switch on": toggle(True),
    "switch off": toggle(False),
    "slider": slider,
    "progress": progress,
    "icon": lambda theme: IconButton(Glyph.CLOSE, "Close", theme),
    "field's edge": lambda _theme: QLineEdit(),
}
FOCUSED: dict[str, Make] = {
    **{name: TEXTS[name] for name in TEXTS if name not in ("pill", "warning", "muted", "error", "logo")},
    "switch on": toggle(True),
    "switch off": toggle(False),
    "slider": slider,
    "icon": DRAWN["icon"],
}


class Ground(QWidget):
    """A widget on a card, in the middle, with the margin that shows its edge."""

    def __init__(self, theme: Theme, make: Make) -> None:
        super().__init__()
        self.setStyleSheet(f"Ground {{ background: {theme.card}; }}")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.other = QWidget(self)
        self.other.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.widget = make(theme)
        column = QVBoxLayout(self)
        column.addWidget(self.other)
        column.addWidget(self.widget)

    def pixels(self, area: QRect | None = None) -> Pixels:
        return pixels(self, area or self.rect())


def inside(widget: QWidget) -> QRect:
    """Without edge, focus ring, and rounded corners."""
    box = QRect(widget.pos(), widget.size())
    margin = min(6, box.height() // 4)
    return box.adjusted(margin, margin, -margin, -margin)


@pytest.fixture
def look(qtbot: QtBot, qapp: QApplication) -> Iterator[Callable[[Theme, Make], Ground]]:
    def shown(theme: Theme, make: Make) -> Ground:
        apply_theme(qapp, theme)
        ground = Ground(theme, make)
        qtbot.addWidget(ground)
        ground.show()
        ground.other.setFocus()
        ground.activateWindow()
        qtbot.waitUntil(ground.other.hasFocus)
        return ground

    yield shown
    apply_theme(qapp, Theme.of(Scheme.LIGHT))


def themes() -> Iterator[Theme]:
    for scheme in Scheme:
        for accent in NASTY.values():
            yield Theme.of(scheme, accent)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_legible_whatever_the_accent(look: Callable[[Theme, Make], Ground], name: str) -> None:
    for theme in themes():
        ground = look(theme, TEXTS[name])
        measured = strongest(ground.pixels(inside(ground.widget)))
        assert measured >= TEXT[theme.scheme] - 0.05, (theme.scheme, theme.accent, measured)
        ground.close()


@pytest.mark.parametrize("name", DRAWN)
def test_a_control_is_told_from_its_ground_whatever_the_accent(
    look: Callable[[Theme, Make], Ground], name: str
) -> None:
    for theme in themes():
        ground = look(theme, DRAWN[name])
        measured = strongest(ground.pixels(QRect(ground.widget.pos(), ground.widget.size())), theme.card)
        assert measured >= GRAPHICS, (theme.scheme, theme.accent, measured)
        ground.close()


@pytest.mark.parametrize("name", FOCUSED)
def test_one_sees_where_the_keyboard_is_whatever_the_accent(
    look: Callable[[Theme, Make], Ground], name: str
) -> None:
    for theme in themes():
        ground = look(theme, FOCUSED[name])
        without = ground.pixels()
        ground.widget.setFocus(Qt.FocusReason.TabFocusReason)
        changed = ring(without, ground.pixels())
        least = ground.widget.height()
        assert changed >= least, (theme.scheme, theme.accent, changed, least)
        ground.close()


def ring(before: Pixels, after: Pixels) -> int:
    """How many pixels look clearly otherwise than before (as WCAG 2.2, 2.4.13 measures it)."""
    return sum(between(one, other) >= GRAPHICS for one, other in zip(before, after, strict=True))


@given(accent=COLOURS, scheme=st.sampled_from(list(Scheme)))
def test_texts_on_the_tint_of_any_accent_are_legible(accent: str, scheme: Scheme) -> None:
    theme = Theme.of(scheme, accent)
    for text in (theme.ink, theme.ink2, theme.accent):
        assert contrast(text, theme.soft) >= TEXT[scheme]
    for ground in (theme.accent, theme.accent_hover):
        assert contrast(theme.accent_ink, ground) >= TEXT[scheme]


def test_every_pair_of_high_contrast_holds_seven_to_one() -> None:
    for accent in NASTY.values():
        theme = Theme.of(Scheme.HIGH_CONTRAST, accent)
        grounds = (theme.paper, theme.card, theme.soft, theme.hover)
        texts = (theme.ink, theme.ink2, theme.accent, theme.red)
        assert min(contrast(text, ground) for text in texts for ground in grounds) >= 7
        assert contrast(theme.warn, theme.warn_soft) >= 7


@pytest.mark.parametrize("scheme", Scheme)
def test_the_chosen_entry_of_a_menu_is_told_from_the_others(
    qtbot: QtBot, qapp: QApplication, scheme: Scheme
) -> None:
    theme = Theme.of(scheme, NASTY["navy"])
    apply_theme(qapp, theme)
    menu = QMenu()
    qtbot.addWidget(menu)
    entry = menu.addAction("MMMM")
    menu.resize(menu.sizeHint())
    menu.setActiveAction(entry)
    drawn = pixels(menu, menu.actionGeometry(entry).adjusted(8, 2, -8, -2))
    assert strongest(drawn) >= TEXT[scheme] - 0.05
    if scheme is Scheme.HIGH_CONTRAST:
        assert contrast(commonest(drawn), theme.card) >= GRAPHICS
    menu.close()


def test_what_is_selected_in_the_inbox_is_outlined_in_high_contrast_also_without_the_keyboard(
    qtbot: QtBot, qapp: QApplication
) -> None:
    theme = Theme.of(Scheme.HIGH_CONTRAST)
    apply_theme(qapp, theme)
    window = InboxWindow(theme, now=lambda: data.NOW)
    qtbot.addWidget(window)
    window.show_items(data.items(), data.media_path, data.choices(), data.status())
    window.show()
    window.open("c-1")
    window.search.setFocus()
    qtbot.waitUntil(window.search.hasFocus)
    row = window.list.visualRect(window.model.index(window.model.row_of("c-1")))
    edge = pixels(window.list.viewport(), QRect(row.x() + row.width() // 2, row.y(), 1, 5))
    assert strongest(edge, theme.paper) >= GRAPHICS


def test_an_accent_that_was_not_corrected_is_found(look: Callable[[Theme, Make], Ground]) -> None:
    planted = replace(Theme.of(Scheme.LIGHT), accent="#FFFF00", accent_ink="#FFFFFF")
    ground = look(planted, TEXTS["primary button"])
    assert strongest(ground.pixels(inside(ground.widget))) < TEXT[Scheme.LIGHT]
    ground = look(planted, DRAWN["switch on"])
    area = QRect(ground.widget.pos(), ground.widget.size())
    assert strongest(ground.pixels(area), planted.card) < GRAPHICS
    ground = look(planted, TEXTS["plain button"])
    without = ground.pixels()
    ground.widget.setFocus()
    assert not ring(without, ground.pixels())
