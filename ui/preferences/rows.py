"""One preference a row: its name, and a control that tells what the person chose."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from agent.domain.preferences import Day
from resources.i18n import _
from ui.preferences import labels
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.text import label
from ui.widgets.toggle import ToggleSwitch


class PreferenceRow(QWidget):
    """``chosen`` is the person's act only, never the program's."""

    chosen = Signal(object)

    def __init__(self, name: str, theme: Theme, *, description: str = "") -> None:
        super().__init__()
        self.name = name
        self._description = description
        self.note: QLabel = label(description, kind="small", tone="muted", wrap=True)
        self.note.setVisible(bool(description))
        texts = QVBoxLayout()
        texts.setSpacing(theme.px(2))
        texts.addWidget(label(name, wrap=True))
        texts.addWidget(self.note)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, theme.px(6), 0, theme.px(6))
        self.row.setSpacing(theme.px(12))
        self.row.addLayout(texts, 1)

    def describe(self, description: str) -> None:
        """In place of the description before; shown with the next value."""
        self._description = description

    def _tell_lock(self, control: QWidget, locked: bool) -> None:
        control.setEnabled(not locked)
        fixed = _("Set by your organisation.") if locked else ""
        text = " ".join(part for part in (self._description, fixed) if part)
        self.note.setText(text)
        self.note.setVisible(bool(text))
        control.setAccessibleDescription(text)


class _Combo(QComboBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolling the window over it must not change it."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.ButtonText), 1.5))
        unit = self.height() / 10
        centre = QPointF(self.width() - 2 * self.height() / 5, self.height() / 2)
        points = ((-1.2, -0.6), (0.0, 0.6), (1.2, -0.6))
        painter.drawPolyline([centre + QPointF(x * unit, y * unit) for x, y in points])
        painter.end()


class ChoiceRow(PreferenceRow):
    """One of several values."""

    def __init__(
        self, name: str, options: Sequence[tuple[object, str]], theme: Theme, *, description: str = ""
    ) -> None:
        super().__init__(name, theme, description=description)
        self.combo = _Combo()
        self.combo.setAccessibleName(name)
        self.combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for value, text in options:
            self.combo.addItem(text, value)
        self.combo.activated.connect(lambda index: self.chosen.emit(self.combo.itemData(index)))
        self.row.addWidget(self.combo)

    def show_value(self, value: object, *, locked: bool = False, text: str = "") -> None:
        """``text``: how a value reads that is not among the options."""
        index = self.combo.findData(value)
        if index < 0:
            self.combo.addItem(text or str(value), value)
            index = self.combo.count() - 1
        self.combo.setCurrentIndex(index)
        self._tell_lock(self.combo, locked)


class SwitchRow(PreferenceRow):
    """On or off."""

    def __init__(self, name: str, theme: Theme, *, description: str = "") -> None:
        super().__init__(name, theme, description=description)
        self.toggle = ToggleSwitch(name, theme, description=description)
        self.toggle.clicked.connect(lambda on: self.chosen.emit(on))
        self.row.addWidget(self.toggle)

    def show_value(self, on: bool, *, locked: bool = False) -> None:
        self.toggle.setChecked(on)
        self._tell_lock(self.toggle, locked)


class DaysRow(PreferenceRow):
    """Any of the week's days; ``chosen`` tells a list of them."""

    def __init__(self, name: str, theme: Theme) -> None:
        super().__init__(name, theme)
        self.days: dict[Day, Button] = {}
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(4))
        for day, (short, whole) in labels.days().items():
            button = Button(short, kind="filter")
            button.setCheckable(True)
            button.setAccessibleName(whole)
            button.clicked.connect(lambda: self.chosen.emit(self._chosen_days()))
            self.days[day] = button
            row.addWidget(button)
        self._holder = holder
        self.row.addWidget(holder)

    def _chosen_days(self) -> list[str]:
        return [day.value for day, button in self.days.items() if button.isChecked()]

    def show_value(self, days: Sequence[Day], *, locked: bool = False) -> None:
        for day, button in self.days.items():
            button.setChecked(day in days)
        self._tell_lock(self._holder, locked)
