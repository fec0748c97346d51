"""P2: accepting and refusing are equally easy (CNIL, guidelines on cookies, 2020: refusing must be as simple as accepting).

Measured on the real widgets: in each scheme and language, with normal and with double text, for companies with and without
named reporting, and where the organisation turned one signal off.
"""

from collections.abc import Iterator
from itertools import product

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from agent.domain.model import Company, FeedbackSignal
from resources import i18n
from tests.support.proofs import Proof
from tests.support.ui import gallery_data as data
from tests.unit.ui.memory_agent import ManualTime
from ui.onboarding.first_run import FirstRunWindow
from ui.privacy.window import PrivacyWindow
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

pytestmark = pytest.mark.qt_log_ignore(
    r"This plugin does not support raise\(\)", r"This plugin does not support propagateSizeHints\(\)"
)
SIGNALS_OFF: tuple[FeedbackSignal | None, ...] = (None, FeedbackSignal.CLICK)
STATES = list(product(Scheme, i18n.LANGUAGES, (1.0, 2.0), (False, True), SIGNALS_OFF))
FEW = STATES[:: len(STATES) // 8]
FOCUS_STEPS = 20


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    i18n.use_language("en")


def company(named: bool) -> Company:
    return msgspec.structs.replace(data.company(), named_reporting=named)


def question(
    qtbot: QtBot,
    app: QApplication,
    time: ManualTime,
    scheme: Scheme,
    language: str,
    scale: float,
    named: bool,
    off: FeedbackSignal | None,
) -> FirstRunWindow:
    """The first run's question, as a person sees it."""
    i18n.use_language(language)
    theme = Theme.of(scheme, data.ACCENT, text_scale=scale, reduced_motion=True)
    apply_theme(app, theme)
    window = FirstRunWindow(theme, time)
    qtbot.addWidget(window)
    window.show_choose(data.person(), company(named), data.choices(*FeedbackSignal, locked=off))
    window.show()
    window.activateWindow()
    window.choose_page.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is window.choose_page)
    time.pass_by(1)
    return window


def looks(button: QPushButton) -> tuple[object, ...]:
    """All that makes one button stand out from another, but its text."""
    palette = button.palette()
    return (
        button.size().toTuple(),
        button.property("kind"),
        button.font().toString(),
        palette.color(QPalette.ColorRole.ButtonText).name(),
        ground(button),
        button.isEnabled(),
        button.isDefault() or button.autoDefault(),
        button.icon().isNull(),
        button.cursor().shape(),
        button.focusPolicy(),
    )


def ground(button: QPushButton) -> tuple[str, ...]:
    """The colours of its edge and of its ground, where no text is."""
    image = QImage(button.size(), QImage.Format.Format_RGB32)
    button.render(image, QPoint())
    return tuple(image.pixelColor(x, button.height() // 2).name() for x in (0, 3))


def tab_order(qtbot: QtBot, page: QWidget) -> list[QWidget | None]:
    """What the keyboard reaches, step by step."""
    reached: list[QWidget | None] = []
    for _step in range(FOCUS_STEPS):
        qtbot.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    return reached


def differences(qtbot: QtBot, window: FirstRunWindow) -> list[str]:
    """In what accepting and refusing differ."""
    page = window.choose_page
    refuse, accept = page.nothing, page.everything
    found = []
    if QApplication.focusWidget() in (refuse, accept):
        found.append("one of them has the keyboard at first")
    if looks(refuse) != looks(accept):
        found.append(f"looks: {looks(refuse)} {looks(accept)}")
    if refuse.y() != accept.y() and refuse.x() != accept.x():
        found.append("place: neither beside nor below each other")
    for button in (refuse, accept):
        if button.sizeHint().width() > button.width():
            found.append(f"the text of {button.full_text!r} is cut")
    order = tab_order(qtbot, page)
    if abs(order.index(refuse) - order.index(accept)) != 1:
        found.append("the keyboard does not go from one to the other")
    found += [f"{row.signal} is ticked beforehand" for row in page.rows if row.on]
    return found + clicks(qtbot, window)


def clicks(qtbot: QtBot, window: FirstRunWindow) -> list[str]:
    """Each is one click, and the answer is complete."""
    page = window.choose_page
    found = []
    for button, on in ((page.nothing, False), (page.everything, True)):
        with qtbot.waitSignal(page.chosen) as chosen:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        wanted = {row.signal: on and not row.locked for row in page.rows}
        if chosen.args != [wanted]:
            found.append(f"{button.full_text!r} is not a whole answer")
    return found


@pytest.mark.proves("P2")
def test_accepting_and_refusing_differ_in_nothing_but_their_words(
    qtbot: QtBot, qapp: QApplication, proof: Proof
) -> None:
    states = STATES if proof.is_full else FEW
    found = []
    for state in states:
        window = question(qtbot, qapp, ManualTime(), *state)
        found += [f"{state}: {each}" for each in differences(qtbot, window)]
        window.close()
    proof.found("differences between accepting and refusing, first run", len(found), len(states))
    assert found == []


@pytest.mark.proves("P2")
def test_taking_back_takes_no_more_than_giving(qtbot: QtBot, qapp: QApplication, proof: Proof) -> None:
    """Each switch of the privacy window is one click at one place in both directions, and no question comes between."""
    found, trials = [], 0
    for scheme, language, scale in product(Scheme, i18n.LANGUAGES, (1.0, 2.0)):
        i18n.use_language(language)
        theme = Theme.of(scheme, data.ACCENT, text_scale=scale, reduced_motion=True)
        apply_theme(qapp, theme)
        time = ManualTime()
        window = PrivacyWindow(theme, timers=time)
        qtbot.addWidget(window)
        window.show_state(data.status(), data.choices())
        with qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        time.pass_by(1)
        windows = len(QApplication.topLevelWidgets())
        for card in window.share.cards:
            trials += 1
            toggle = card.row.toggle
            place = toggle.geometry()
            for wanted in (True, False):
                with qtbot.waitSignal(window.share.chosen) as chosen:
                    qtbot.mouseClick(toggle, Qt.MouseButton.LeftButton)
                if chosen.args != [card.row.signal, wanted]:
                    found.append(f"{card.row.signal} {wanted}: {chosen.args}")
            if toggle.geometry() != place or len(QApplication.topLevelWidgets()) != windows:
                found.append(f"{card.row.signal}: something moved or asked")
        window.close()
    proof.found("switches that are harder to turn off than on", len(found), trials)
    assert found == []


@pytest.mark.parametrize("unfairness", ["a colour", "a smaller button", "another place", "ticked", "focus"])
def test_the_measure_notices(qtbot: QtBot, qapp: QApplication, unfairness: str) -> None:
    time = ManualTime()
    window = question(qtbot, qapp, time, *STATES[0])
    page = window.choose_page
    if unfairness == "a colour":
        page.everything.setProperty("kind", "primary")
        page.everything.style().polish(page.everything)
    elif unfairness == "a smaller button":
        page.nothing.setFixedSize(page.nothing.width() - 1, page.nothing.height())
    elif unfairness == "another place":
        page.nothing.move(page.nothing.x() + 3, page.nothing.y() + 40)
    elif unfairness == "ticked":
        page.rows[0].toggle.setChecked(True)
    else:
        page.everything.setFocus()
    time.pass_by(1)
    assert differences(qtbot, window) != []
