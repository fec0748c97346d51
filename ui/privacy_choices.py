"""What I share: the three switches, effective at once."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from agent.model import Company, Signal, SignalChoice
from resources.i18n import _
from ui import wording
from ui.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.signal_row import SignalRow
from ui.widgets.text import label
from ui.widgets.window import ContentWindow, line


class PrivacyChoicesWindow(ContentWindow):
    """A switch stands where the person put it and moves only by their act; ``chosen(Signal, bool)`` tells of it.

    ``show_choices()`` sets the state that the agent has: call it again after each change, and after one that failed.
    """

    chosen = QtSignal(object, bool)
    notice_requested = QtSignal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, _("Privacy: what I share"))
        px = theme.px
        self.rows = tuple(SignalRow(signal, theme) for signal in Signal)
        self.intro = label(tone="muted", wrap=True)
        self.problem = label(kind="small", tone="error", wrap=True)
        self.content.addWidget(label(_("What I share"), kind="h1", wrap=True))
        self.content.addSpacing(px(6))
        self.content.addWidget(self.intro)
        self.content.addSpacing(px(14))
        for row in self.rows:
            self.content.addWidget(line())
            self.content.addWidget(row)
            row.switched.connect(lambda on, signal=row.signal: self._on_switched(signal, on))
        self.content.addWidget(line())
        self.content.addSpacing(px(12))
        deletes = _("Turning one off also deletes what you already shared with it.")
        self.content.addWidget(label(deletes, kind="small", tone="muted", wrap=True))
        self.content.addWidget(self.problem)
        self.content.addSpacing(px(16))
        self.content.addWidget(self._who_answers())
        self.content.addStretch(1)
        self.problem.hide()

    def _who_answers(self) -> QWidget:
        px = self._theme.px
        card = QFrame()
        card.setProperty("kind", "card")
        self.officer = label(kind="small", tone="muted", wrap=True)
        self.storage = label(kind="small", tone="muted", wrap=True)
        self.notice = Button(kind="link")
        self.notice.clicked.connect(self.notice_requested)
        column = QVBoxLayout(card)
        column.setContentsMargins(px(16), px(14), px(16), px(14))
        column.setSpacing(px(2))
        column.addWidget(label(_("Who answers for this"), kind="h3"))
        column.addWidget(self.officer)
        column.addWidget(self.storage)
        column.addWidget(self.notice, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def show_choices(self, company: Company, choices: Iterable[SignalChoice]) -> None:
        """The state as the agent has it."""
        self._show_company(company)
        by_signal = {choice.signal: choice for choice in choices}
        for row in self.rows:
            row.show_choice(by_signal[row.signal])
        self.problem.hide()
        self.fit()

    def _show_company(self, company: Company) -> None:
        intro = _(
            "You get every announcement whatever you choose. Nobody at {company} can look up your choice."
        )
        self.intro.setText(intro.format(company=company.name))
        officer = _("Data protection officer: {name} · {email}")
        self.officer.setText(officer.format(name=company.dpo_name, email=company.dpo_email))
        storage = _("{company} decides why, stored in {region}, kept while you have an account.")
        self.storage.setText(
            storage.format(company=company.legal_name, region=wording.region_name(company.region))
        )
        notice = company.notice
        text = _("Read the notice (version {version}, {date})")
        self.notice.set_text(text.format(version=notice.version, date=wording.notice_day(notice.date)))

    def show_error(self, title: str, message: str) -> None:
        """A choice could not be kept; title and message are for people."""
        self.problem.setText(f"{title}. {message}")
        self.problem.show()
        self.fit()

    def _on_switched(self, signal: Signal, on: bool) -> None:
        self.problem.hide()
        self.chosen.emit(signal, on)
