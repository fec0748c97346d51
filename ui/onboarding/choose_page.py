"""The second page of the first run: choose what goes back.

Nothing is ticked beforehand; sharing nothing, sharing everything and an own choice are three buttons of one size, one click
each, and none of them is the default one (docs/privacy.md). None takes a press that was meant for what stood there before.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from agent.domain.model import Company, FeedbackSignal, Person, SignalChoice
from resources.i18n import _
from ui.core.timers import Timers
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.flow import FlowRow
from ui.widgets.logo import LogoTile
from ui.widgets.press_guard import PressGuard
from ui.widgets.signal_row import SignalRow
from ui.widgets.text import WrappedLabel, label
from ui.widgets.window import content_width, line

WIDTH = 560
"""Of the window, in the design's pixels: three answers side by side in each language."""


class ChoosePage(QWidget):
    """``chosen`` has all three signals; one that the organisation turned off is False."""

    chosen = Signal(object)
    notice_requested = Signal()

    def __init__(self, theme: Theme, timers: Timers | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        px = theme.px
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.logo = LogoTile(theme, side=36)
        self.hello = label(kind="h1", wrap=True)
        self.email = label(kind="small", tone="muted", wrap=True)
        self.intro = WrappedLabel()
        self.rows = tuple(SignalRow(signal, theme) for signal in FeedbackSignal)
        self.who_sees = WrappedLabel()
        self.terms = label(kind="small", tone="muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._heading())
        column.addSpacing(px(16))
        column.addWidget(self.intro)
        column.addSpacing(px(8))
        column.addWidget(self.who_sees)
        column.addSpacing(px(14))
        for row in self.rows:
            column.addWidget(line())
            column.addWidget(row)
        column.addWidget(line())
        column.addSpacing(px(12))
        column.addWidget(self.terms)
        column.addWidget(self._questions())
        column.addSpacing(px(18))
        column.addLayout(self._buttons())
        column.addStretch(1)
        switches = (row.toggle for row in self.rows)
        self._guard = PressGuard(self, *switches, *self.buttons, timers=timers)

    def _heading(self) -> QHBoxLayout:
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.hello)
        names.addWidget(self.email)
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(10))
        row.addWidget(self.logo)
        row.addLayout(names, 1)
        return row

    def _questions(self) -> FlowRow:
        self.notice = Button(_("Full notice"), kind="link")
        self.notice.clicked.connect(self.notice_requested)
        self.contact = label(kind="small", tone="muted")
        self.contact.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = FlowRow(self._theme.px(4))
        row.add(self.notice)
        row.add(self.contact)
        return row

    def _buttons(self) -> QBoxLayout:
        self.nothing = Button(_("Share nothing"), kind="answer")
        self.everything = Button(_("Share all three"), kind="answer")
        self.own = Button(_("Save my choice"), kind="answer")
        self.nothing.clicked.connect(lambda: self._choose(dict.fromkeys(FeedbackSignal, False)))
        self.everything.clicked.connect(
            lambda: self._choose({row.signal: not row.locked for row in self.rows})
        )
        self.own.clicked.connect(
            lambda: self._choose({row.signal: row.on and not row.locked for row in self.rows})
        )
        self._answers = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._answers.setSpacing(self._theme.px(10))
        for button in self.buttons:
            self._answers.addWidget(button)
        self._answers.addStretch(1)
        return self._answers

    @property
    def buttons(self) -> tuple[Button, Button, Button]:
        """Nothing, everything, own choice, as they stand."""
        return self.nothing, self.everything, self.own

    def _choose(self, choices: dict[FeedbackSignal, bool]) -> None:
        self.chosen.emit(choices)

    def show_question(self, person: Person, company: Company, choices: Iterable[SignalChoice]) -> None:
        """Ask this person. Earlier answers are not carried over: all switches are off."""
        self.logo.show_company(company.name)
        first_name = person.shown_name
        self.hello.setText(_("Hello {name}").format(name=first_name) if first_name else _("Hello"))
        self.setAccessibleName(self.hello.text())
        self.email.setText(person.shown_address)
        self.email.setVisible(bool(person.shown_address))
        strong = _("You choose what goes back.")
        intro = _(
            "You will get {company}'s announcements here. {strong} It changes nothing about what you receive."
        )
        self.intro.setText(intro.format(company=company.name, strong=strong))
        self.intro.set_strong(strong)
        who_sees = text_format.who_sees(company)
        self.who_sees.setText(who_sees)
        self.who_sees.set_strong(who_sees if company.named_reporting else "")
        terms = _("{company} decides why, stored in {region}, kept while you have an account.")
        self.terms.setText(
            terms.format(company=company.legal_name, region=text_format.region_name(company.region))
        )
        self.contact.setText(_("· Questions: {email}").format(email=company.dpo_email))
        by_signal = {choice.signal: choice for choice in choices}
        for row in self.rows:
            row.show_choice(by_signal[row.signal], asking=True)
        any_locked = any(row.locked for row in self.rows)
        self.everything.set_text(_("Share all I can") if any_locked else _("Share all three"))
        self._make_equal()
        self._guard.begin()
        self.setFocus()

    def _make_equal(self) -> None:
        """One size for all three, side by side or, with large text, one below the other."""
        width = max(button.sizeHint().width() for button in self.buttons)
        height = max(button.sizeHint().height() for button in self.buttons)
        gap, whole = self._answers.spacing(), content_width(self._theme, WIDTH)
        third = (whole - 2 * gap) // 3
        beside = width <= third
        self._answers.setDirection(
            QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        )
        for button in self.buttons:
            button.setFixedSize(third if beside else whole, height)
