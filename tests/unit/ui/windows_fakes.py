"""The windows around a small agent, and what is open of them."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.model import ConnectionState, PresenceState, Status
from tests.unit.ui.memory_agent import ManualTime, MemoryAgent
from ui.app.window_manager import Windows
from ui.core.bridge import Bridge
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme


class Fakes(QObject):
    """Windows, and what they let others do."""

    def __init__(self) -> None:
        super().__init__()
        self.agent = MemoryAgent(ManualTime())
        self.opened: list[str] = []
        self.played: list[str] = []
        self.bridge = Bridge(self)
        theme = Theme.of(Scheme.LIGHT)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, theme)
        self.windows = Windows(self.agent, self.bridge, self, lambda: theme, self)
        self.agent.subscribe(self.bridge.listen)
        self.bridge.changed.connect(self.windows.refresh)

    def ask_presence(self, answer: Callable[[PresenceState], None]) -> None:
        answer(PresenceState())

    def open_url(self, url: str) -> bool:
        self.opened.append(url)
        return True

    def play(self, campaign_id: str) -> None:
        self.played.append(campaign_id)

    def show_choices(self) -> None:
        self.windows.show_choices()

    def tell(self, fault: errors.TidingsError) -> None:
        self.windows.tell(fault.title, fault.message)

    def not_connected(self) -> None:
        self.agent.state = Status(ConnectionState.NOT_CONNECTED)


def window(kind: type[QWidget]) -> QWidget:
    """The one visible window of a kind."""
    (found,) = [each for each in QApplication.topLevelWidgets() if type(each) is kind and each.isVisible()]
    return found


def is_open(kind: type[QWidget]) -> bool:
    return any(type(each) is kind and each.isVisible() for each in QApplication.topLevelWidgets())


def click(qtbot: QtBot, button: QWidget) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
