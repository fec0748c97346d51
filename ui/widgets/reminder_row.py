"""The choices of "Remind me later", as a row inside a window: a menu would take the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from agent.domain import limits
from resources.i18n import _, ngettext
from ui.style import text_format
from ui.widgets.buttons import Button
from ui.widgets.flow import FlowRow
from ui.widgets.text import label


def delay_text(seconds: int) -> str:
    """15 min, 1 hour."""
    if seconds < 3_600:
        return ngettext("{count} min", "{count} min", seconds // 60).format(count=seconds // 60)
    return ngettext("{count} hour", "{count} hours", seconds // 3_600).format(count=seconds // 3_600)


class LaterRow(FlowRow):
    """``chosen`` gives seconds from now, None for the next login; tomorrow means tomorrow morning, local time."""

    chosen = Signal(object)

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), parent: QWidget | None = None
    ) -> None:
        super().__init__(8, parent)
        self._now = now
        self.setContentsMargins(16, 0, 16, 10)
        self.setAccessibleName(_("Remind me later"))
        self.add(label(_("Remind me in"), kind="small", tone="muted"))
        self.buttons: list[Button] = []
        self._delays: list[Callable[[], float | None]] = []
        self._ends: datetime | None = None
        for seconds in limits.REMIND_CHOICES_S:
            self._offer(delay_text(seconds), partial(float, seconds))
        self._offer(_("Tomorrow"), lambda: text_format.seconds_until_tomorrow(self._now()))
        self._offer(_("At the next login"), lambda: None)

    def _offer(self, text: str, delay: Callable[[], float | None]) -> None:
        button = Button(text, kind="compact")
        button.clicked.connect(lambda: self.chosen.emit(delay()))
        self.add(button)
        self.buttons.append(button)
        self._delays.append(delay)

    def begin(self, ends: datetime | None) -> None:
        """For another announcement, which is over at ``ends``: nothing is offered that would come too late."""
        self._ends = ends
        self.hide()

    @property
    def first(self) -> Button:
        """The first that is offered."""
        return next(button for button in self.buttons if not button.isHidden())

    def setVisible(self, visible: bool) -> None:
        if visible:
            for button, delay in zip(self.buttons, self._delays, strict=True):
                button.setVisible(self._in_time(delay()))
        super().setVisible(visible)

    def _in_time(self, delay_s: float | None) -> bool:
        if delay_s is None or self._ends is None:
            return True
        return self._now() + timedelta(seconds=delay_s) < self._ends
