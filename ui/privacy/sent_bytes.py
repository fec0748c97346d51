"""The open row of what was sent: the exact bytes and the server's answer."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from agent.domain.my_data_models import SentItem
from resources.i18n import _
from ui.privacy import labels
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.body_text import BodyText
from ui.widgets.buttons import Button
from ui.widgets.flow import FlowRow
from ui.widgets.text import label

MONO_PX = 11.5


class MonoText(BodyText):
    """Bytes as text, wrapped where the line ends; selected by mouse or keyboard."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, max_width=10_000)
        font = QFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        font.setPixelSize(theme.px(MONO_PX))
        self.setFont(font)
        self.setAccessibleName(name)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )


class SentBytes(QFrame):
    """One message, whole. ``height_changed`` when it needs another height at its width."""

    height_changed = Signal()

    def __init__(self, theme: Theme, item: SentItem, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "bytes")
        self.setAutoFillBackground(True)
        px = theme.px
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(px(10), px(8), px(10), px(8))
        self._column.setSpacing(px(4))
        self.body = MonoText(theme, _("What was sent, byte for byte"))
        self.answer = MonoText(theme, _("The server's answer, byte for byte"))
        self.state = label(kind="small", tone="muted", wrap=True)
        self.copy_button = Button(_("Copy"), kind="compact")
        self.copy_button.setAccessibleDescription(_("Copies what was sent"))
        self.copy_button.clicked.connect(
            lambda: QGuiApplication.clipboard().setText(labels.readable(item.body))
        )
        actions = FlowRow(px(8))
        actions.add(self.copy_button)
        self._column.addWidget(self.body)
        self._column.addWidget(self.state)
        heading = label(_("The server's answer"), kind="small-strong")
        self._column.addWidget(heading)
        self._column.addWidget(self.answer)
        heading.setVisible(bool(item.answer))
        self._column.addWidget(actions)
        self.answer.setVisible(bool(item.answer))
        self.body.show_text(labels.readable(item.body))
        self.answer.show_text(labels.readable(item.answer or b""))
        self.state.setText(_state(item))
        for text in (self.body, self.answer):
            text.height_changed.connect(self.height_changed)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Where the keyboard stops, in reading order."""
        return self.body, self.answer, self.copy_button

    def needed_height(self) -> int:
        """At its present width, in device-independent pixels."""
        self._column.invalidate()
        self._column.activate()
        return self._column.totalHeightForWidth(self.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.height_changed.emit()


def _state(item: SentItem) -> str:
    parts = [labels.status_explanation(item), _("“{words}”").format(words=item.reason) if item.reason else ""]
    if item.kind == "enrolment":
        parts.append(
            _("The code and a secret are blanked here. The answer held this computer's key and is not kept.")
        )
    if item.sent_at is not None:
        parts.insert(0, _("Sent {time}.").format(time=text_format.full_time(item.sent_at)))
    return " ".join(part for part in parts if part)
