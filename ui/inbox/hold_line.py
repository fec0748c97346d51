"""Why an announcement was not shown, above its buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from agent.campaigns import hold_reasons
from agent.domain.model import HoldReason, InboxItem, Selection
from resources.i18n import _
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.icons import Glyph
from ui.widgets.text import WrappedLabel
from ui.widgets.themed import GlyphLabel

_TOLD_ELSEWHERE = (HoldReason.REMIND_LATER, HoldReason.ALREADY_DISPLAYED)


@dataclass(frozen=True)
class Held:
    """Why a pop-up was held back, and until when where that is known."""

    reason: HoldReason
    until: datetime | None = None


def held_of(item: InboxItem, selection: Selection) -> Held | None:
    """Why this one was not shown; None where it was, or where the person knows: a reminder, or read here."""
    campaign_id = item.campaign.campaign_id
    reason = selection.held.get(campaign_id)
    if reason is None or reason in _TOLD_ELSEWHERE or item.state.displayed is not None:
        return None
    return Held(reason, selection.until.get(campaign_id))


class HeldLine(QWidget):
    """Hidden while there is nothing to tell."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.text: WrappedLabel = WrappedLabel()
        self.text.setProperty("kind", "small")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.px(14), 0, 0)
        row.setSpacing(theme.px(8))
        glyph = GlyphLabel(Glyph.WAITING, theme, colour="ink2", side=14)
        row.addWidget(glyph, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)
        self.hide()

    def show_held(self, held: Held | None, now: datetime, *, read: bool) -> None:
        """``read``: the person has read it here since."""
        self.setVisible(held is not None)
        if held is None:
            return
        until = hold_reasons.clock_text(held.until, now, text_format.day) if held.until is not None else ""
        why = _("Why it was not shown:")
        parts = [why, _("{sentence}.").format(sentence=hold_reasons.sentence(held.reason, until))]
        if read and hold_reasons.waits(held.reason):
            parts.append(_("Since you have read it here, it does not pop up any more."))
        self.text.setText(" ".join(parts))
        self.text.set_strong(why)
