"""The first run: connect, then choose. Nothing is shared before the choice, and closing the window shares nothing."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent

from agent.domain.model import Company, Person, SignalChoice
from resources.i18n import _
from ui.core.timers import Timers
from ui.onboarding.choose_page import WIDTH, ChoosePage
from ui.onboarding.connect_page import ConnectPage
from ui.style.theme import Theme
from ui.widgets.window import ContentWindow


class FirstRunWindow(ContentWindow):
    """Shows one of two pages: ``show_connect()`` or ``show_choose()``.

    ``chosen`` carries a ``dict[FeedbackSignal, bool]``. ``deferred`` means that the question was closed without an answer.
    """

    connect_requested = Signal(str, str)
    chosen = Signal(object)
    deferred = Signal()
    notice_requested = Signal()

    def __init__(self, theme: Theme, timers: Timers | None = None) -> None:
        super().__init__(theme, _("Connect this computer"), width=WIDTH)
        self.connect_page = ConnectPage(theme)
        self.connect_page.connect_requested.connect(self.connect_requested)
        self.connect_page.changed.connect(self._on_changed)
        self.choose_page = ChoosePage(theme, timers)
        self.choose_page.chosen.connect(self._on_chosen)
        self.choose_page.notice_requested.connect(self.notice_requested)
        self.content.addWidget(self.connect_page)
        self.content.addWidget(self.choose_page)
        self._asking = False
        self._question: tuple[Person, Company, tuple[SignalChoice, ...]] | None = None
        self.show_connect()

    def resume(self, before: FirstRunWindow) -> None:
        """Go on where a window was that spoke another language: what was typed and switched stands as before."""
        self.connect_page.resume(before.connect_page)
        if before._asking and before._question is not None:
            self.show_choose(*before._question)
            for row, row_before in zip(self.choose_page.rows, before.choose_page.rows, strict=True):
                row.toggle.setChecked(row_before.on)

    @property
    def asked_by(self) -> Company | None:
        """The company as the question tells of it; None before there was one."""
        return self._question[1] if self._question is not None else None

    def set_address(self, address: str) -> None:
        """Fill the address in; the person adds the code."""
        self.connect_page.address.setText(address)

    def show_connect(self) -> None:
        """The page with address and code."""
        self._turn_to(choosing=False, title=_("Connect this computer"))
        empty = not self.connect_page.address.text()
        (self.connect_page.address if empty else self.connect_page.code).setFocus()

    def show_progress(self) -> None:
        """The connection is being made."""
        self.connect_page.show_progress()

    def show_error(self, title: str, message: str) -> None:
        """Connecting failed; title and message are for people."""
        self.connect_page.show_error(title, message)

    def show_choose(self, person: Person, company: Company, choices: Iterable[SignalChoice]) -> None:
        """The page with the three switches, all off."""
        self._question = (person, company, tuple(choices))
        self.choose_page.show_question(*self._question)
        self._turn_to(choosing=True, title=_("Welcome"))
        self.choose_page.setFocus()

    def _turn_to(self, *, choosing: bool, title: str) -> None:
        self._asking = choosing
        self.connect_page.setVisible(not choosing)
        self.choose_page.setVisible(choosing)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.fit()

    def _on_changed(self) -> None:
        if self.isVisible():
            self.fit()

    def _on_chosen(self, choices: object) -> None:
        self._asking = False
        self.chosen.emit(choices)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if self._asking:
            self._asking = False
            self.deferred.emit()
