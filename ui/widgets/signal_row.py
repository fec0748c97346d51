"""One signal with its switch: what it is, what exactly is shared, and whether the organisation turned it off."""

from __future__ import annotations

from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from agent.model import ConsentState, Signal, SignalChoice
from resources.i18n import _
from ui import wording
from ui.theme import Theme
from ui.widgets.text import label
from ui.widgets.toggle import ToggleSwitch


class SignalRow(QWidget):
    """``switched`` is the person's act only, never the program's."""

    switched = QtSignal(bool)

    def __init__(self, signal: Signal, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.signal = signal
        self._description = wording.signal_description(signal)
        self.description = label(self._description, kind="small", tone="muted", wrap=True)
        self.toggle = ToggleSwitch(wording.signal_name(signal), theme, description=self._description)
        self.toggle.clicked.connect(self.switched)
        texts = QVBoxLayout()
        texts.setSpacing(theme.px(2))
        texts.addWidget(label(wording.signal_name(signal), kind="h3"))
        texts.addWidget(self.description)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.px(11), 0, theme.px(11))
        row.setSpacing(theme.px(12))
        row.addLayout(texts, 1)
        row.addWidget(self.toggle)

    @property
    def on(self) -> bool:
        """Where the switch stands."""
        return self.toggle.isChecked()

    @property
    def locked(self) -> bool:
        """Turned off by the organisation."""
        return not self.toggle.isEnabled()

    def set_on(self, on: bool) -> None:
        """Move the switch; nothing is emitted."""
        self.toggle.setChecked(on)

    def show_choice(self, choice: SignalChoice, *, on: bool | None = None) -> None:
        """The person's own choice (or ``on`` instead of it), and whether the organisation overrules it."""
        given = choice.state is ConsentState.GIVEN if on is None else on
        self.toggle.setChecked(given)
        self.toggle.setEnabled(not choice.locked)
        text = self._description
        if choice.locked:
            text = _("{description} Turned off by your organisation.").format(description=text)
        self.description.setText(text)
        self.toggle.setAccessibleDescription(text)
