"""The privacy window: what I share at the left, what was sent about me at the right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from agent.domain.model import ConnectionState, SignalChoice, Status
from agent.domain.my_data_models import KeptReceipt, SentItem
from resources.i18n import _
from ui.core.timers import Timers
from ui.privacy.sent_pane import SentPane
from ui.privacy.share_pane import SharePane
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.press_guard import PressGuard
from ui.widgets.text import label

SIZE = (1120, 760)
LEFT_WIDTH = 470
LEFT_SHARE = 0.42
LEAST_SHARE = 0.85
"""Of the width that both halves want: with less they stand one below the other."""
SCREEN_MARGIN = 60
"""Room that a window's own frame and a panel may take, in device-independent pixels."""


class PrivacyWindow(QWidget):
    """Give it the state with ``show_state()`` and ``show_history()`` whenever that changes. Esc closes it."""

    check_now = Signal()

    def __init__(
        self,
        theme: Theme,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timers: Timers | None = None,
    ) -> None:
        super().__init__()
        self._theme = theme
        room = self.screen().availableGeometry().size() - QSize(0, SCREEN_MARGIN)
        wanted = QSize(theme.px(SIZE[0]), theme.px(SIZE[1]))
        self.resize(wanted.boundedTo(room))
        self.share = SharePane(theme)
        self.sent = SentPane(theme, now)
        beside = self.width() >= wanted.width() * LEAST_SHARE
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._bar())
        whole.addLayout(self._beside_each_other() if beside else self._one_below_the_other(), 1)
        self._set_title(_("Privacy"))
        # Nothing that a stray key could switch has the keyboard at first.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocus()
        acts = (*self.share.pressable, self.sent.verify_button, self.sent.save_button)
        self._guard = PressGuard(self, *acts, timers=timers)

    def _beside_each_other(self) -> QHBoxLayout:
        line = QFrame()
        line.setProperty("kind", "column-line")
        left = _scrolled(self.share)
        left.setFixedWidth(min(self._theme.px(LEFT_WIDTH), round(self.width() * LEFT_SHARE)))
        columns = QHBoxLayout()
        columns.setSpacing(0)
        columns.addWidget(left)
        columns.addWidget(line)
        columns.addWidget(_scrolled(self.sent), 1)
        return columns

    def _one_below_the_other(self) -> QVBoxLayout:
        """Large text on a small screen."""
        both = QWidget()
        column = QVBoxLayout(both)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.share)
        column.addWidget(self.sent)
        holder = QVBoxLayout()
        holder.addWidget(_scrolled(both))
        return holder

    def _bar(self) -> QFrame:
        self.bar = QFrame()
        self.bar.setProperty("kind", "bar")
        self.bar_text = label(kind="small", wrap=True)
        self.check_button = Button(_("Check now"), kind="compact")
        self.check_button.clicked.connect(self.check_now)
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(14, 6, 14, 6)
        row.addWidget(self.bar_text, 1)
        row.addWidget(self.check_button)
        self.bar.hide()
        return self.bar

    def _set_title(self, title: str) -> None:
        self.setWindowTitle(title)
        self.setAccessibleName(title)

    def show_state(self, status: Status, choices: Iterable[SignalChoice]) -> None:
        """The state as the agent has it."""
        company = status.company
        if company is not None:
            self._set_title(_("Privacy — {company}").format(company=company.name))
            before = self.share.shown
            self.share.show_state(company, choices)
            if before is not None and not before.tells_as(company):
                self._guard.begin()
        self._show_connection(status)

    def _show_connection(self, status: Status) -> None:
        text = ""
        if status.connection is ConnectionState.OFFLINE:
            text = _("Offline. Your choices hold at once; the server is told as soon as it can be reached.")
            if status.last_check is not None:
                since = text_format.full_time(status.last_check)
                text += " " + _("Last connected: {time}.").format(time=since)
        elif status.halted_by is not None:
            text = _("{reason}. What you turn off is off at once; the server is told.").format(
                reason=status.halted_by.title
            )
        elif status.connection is ConnectionState.REVOKED:
            text = _("Your company's server does not know this computer any more. Nothing is sent.")
        self.bar_text.setText(text)
        self.bar.setVisible(bool(text))
        self.check_button.setVisible(status.connection in (ConnectionState.OFFLINE, ConnectionState.HALTED))

    def show_history(self, sent: Sequence[SentItem], receipts: Sequence[KeptReceipt]) -> None:
        """What was sent and what was answered, newest first."""
        self.share.show_history(sent, receipts)
        self.sent.show_sent(sent)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.sent.search.text():
            self.sent.search.clear()
        else:
            self.close()


def _scrolled(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setProperty("kind", "plain")
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(widget)
    return area
