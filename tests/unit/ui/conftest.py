"""Windows on the offscreen platform, which says aloud what it cannot do."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from resources import i18n
from tests.support.ui import gallery_privacy
from tests.unit.ui.windows_fakes import Fakes, window
from ui.privacy.window import PrivacyWindow
from ui.style.apply import applied_theme, apply_theme
from ui.style.theme import Scheme, Theme
from ui.widgets.press_guard import PressGuard

OFFSCREEN_CANNOT = (
    r"This plugin does not support raise\(\)",
    r"This plugin does not support setting window masks",
    r"This plugin does not support propagateSizeHints\(\)",
    r"No RHI backend\. Using CPU conversion",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "ui":
            item.add_marker(pytest.mark.qt_log_ignore(*OFFSCREEN_CANNOT))


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """The light theme, applied, in English, without motion."""
    i18n.use_language("en")
    light = Theme.of(Scheme.LIGHT, reduced_motion=True)
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    if applied_theme() != light:
        apply_theme(qapp, light)
    yield light
    i18n.use_language("en")


@pytest.fixture
def presses_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presses count from the first moment: what they do is tried here, and when they count in `test_press_guard`."""
    monkeypatch.setattr(PressGuard, "takes", lambda _guard, _widget, by_key=True: True)


@pytest.fixture
def fakes(qtbot: QtBot) -> Iterator[Fakes]:
    """The windows around an agent that has sent seven messages."""
    fakes = Fakes()
    fakes.agent.my_data.items = gallery_privacy.sent()
    yield fakes
    fakes.windows.close()
    qtbot.waitUntil(lambda: not any(each.isVisible() for each in QApplication.topLevelWidgets()))


@pytest.fixture
def privacy(qtbot: QtBot, fakes: Fakes) -> PrivacyWindow:
    """The privacy window, open and filled."""
    fakes.windows.show_choices()
    found = window(PrivacyWindow)
    assert isinstance(found, PrivacyWindow)
    qtbot.waitUntil(lambda: found.sent.model.rowCount() == len(gallery_privacy.sent()))
    return found
