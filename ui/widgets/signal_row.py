"""One signal with its switch: what it is, what exactly is shared, and whether the organisation turned it off."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from agent.domain.model import ConsentState, FeedbackSignal, SignalChoice
from resources.i18n import _
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.text import label
from ui.widgets.toggle import ToggleSwitch


class SignalRow(QWidget):
    """``switched`` is the person's act only, never the program's."""

    switched = Signal(bool)

    def __init__(
        self, signal: FeedbackSignal, theme: Theme, *, description: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.signal = signal
        self._description = description or text_format.signal_description(signal)
        self.description = label(self._description, kind="small", tone="muted", wrap=True)
        self.toggle = ToggleSwitch(text_format.signal_name(signal), theme, description=self._description)
        self.toggle.clicked.connect(self.switched)
        texts = QVBoxLayout()
        texts.setSpacing(theme.px(2))
        texts.addWidget(label(text_format.signal_name(signal), kind="h3"))
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

    def show_choice(self, choice: SignalChoice, *, asking: bool = False) -> None:
        """What is shared, or, ``asking``, nothing ticked; and whether the organisation overrules the person."""
        self.toggle.setChecked(choice.on and not asking)
        self.toggle.setEnabled(not choice.locked)
        text = self._description
        if choice.locked:
            text = _("{description} Turned off by your organisation.").format(description=text)
            if choice.state is ConsentState.GIVEN and not asking:
                text = _("{text} Your own choice, on, is kept.").format(text=text)
        self.description.setText(text)
        self.toggle.setAccessibleDescription(text)
