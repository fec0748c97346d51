from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from agent.domain.model import FeedbackSignal
from tests.support.ui import gallery_data as data
from ui.inbox.window import InboxWindow
from ui.onboarding.first_run import FirstRunWindow
from ui.popup.widgets.card import PopupCard
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme, contrast

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")
SCHEMES = list(Scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_texts_have_the_contrast_of_wcag(scheme: Scheme) -> None:
    theme = Theme.of(scheme)
    for text in (theme.ink, theme.ink2, theme.red):
        assert contrast(text, theme.paper) >= 4.5
        assert contrast(text, theme.card) >= 4.5
    assert contrast(theme.warn, theme.warn_soft) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_outlines_of_controls_have_the_contrast_of_wcag(scheme: Scheme) -> None:
    theme = Theme.of(scheme)
    assert contrast(theme.edge, theme.paper) >= 3
    assert contrast(theme.edge, theme.card) >= 3


@given(accent=COLOURS, scheme=st.sampled_from(SCHEMES))
def test_any_company_accent_becomes_legible(accent: str, scheme: Scheme) -> None:
    theme = Theme.of(scheme, accent)
    for ground in (theme.paper, theme.card, theme.soft):
        assert contrast(theme.accent, ground) >= 4.5
    assert contrast(theme.accent_ink, theme.accent) >= 4.5
    assert contrast(theme.accent_ink, theme.accent_hover) >= 4.5


def test_a_legible_accent_stays_as_the_company_chose_it() -> None:
    assert Theme.of(Scheme.LIGHT, "#0F766E").accent == "#0F766E"


@pytest.mark.parametrize("nonsense", ["", "teal-ish", "#12", "javascript:alert(1)", "red"])
def test_an_accent_that_is_no_colour_gives_our_own(nonsense: str) -> None:
    assert Theme.of(Scheme.LIGHT, nonsense) == Theme.of(Scheme.LIGHT)


def test_high_contrast_texts_reach_seven_to_one() -> None:
    theme = Theme.of(Scheme.HIGH_CONTRAST)
    assert min(contrast(colour, theme.card) for colour in (theme.ink, theme.ink2, theme.accent)) >= 7


def test_text_size_is_bounded_and_scales_the_lengths() -> None:
    assert Theme.of(Scheme.LIGHT, text_scale=9).text_scale == 2
    assert Theme.of(Scheme.LIGHT, text_scale=0.1).text_scale == 1
    assert Theme.of(Scheme.LIGHT, text_scale=1.5).px(14) == 21


def first_run(theme: Theme) -> QWidget:
    window = FirstRunWindow(theme)
    window.show_choose(data.person(), data.company(), data.choices())
    return window


def inbox(theme: Theme) -> QWidget:
    window = InboxWindow(theme, now=lambda: data.NOW)
    window.show_items(data.items(), data.media_path, data.choices(FeedbackSignal.SEEN), data.status())
    window.open("c-1")
    return window


def popup(theme: Theme) -> QWidget:
    card = PopupCard(theme, translucent=True)
    card.show_page(data.video_page())
    return card


@pytest.mark.parametrize("make", [first_run, inbox, popup])
def test_an_open_window_follows_when_the_desktop_turns_dark_or_the_accent_becomes_known(
    qtbot: QtBot, qapp: QApplication, theme: Theme, make: Callable[[Theme], QWidget]
) -> None:
    followed = shown(qtbot, make(theme))
    evening = Theme.of(Scheme.DARK, "#AA3377", reduced_motion=True)
    apply_theme(qapp, evening)
    fresh = shown(qtbot, make(evening))
    qtbot.waitUntil(lambda: picture(followed) == picture(fresh))


def shown(qtbot: QtBot, window: QWidget) -> QWidget:
    qtbot.addWidget(window)
    window.show()
    QApplication.processEvents()
    return window


def picture(window: QWidget) -> QImage:
    """Without a focus ring, which only one of two windows can have."""
    if window.focusWidget() is not None:
        window.focusWidget().clearFocus()
    image = QImage(window.size(), QImage.Format.Format_ARGB32)
    image.fill(QColor("white"))
    window.render(image)
    return image
