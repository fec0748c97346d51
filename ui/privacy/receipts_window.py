"""Receipts: what the server signed, in words, to keep and to check."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QWidget

from resources.i18n import _, ngettext
from ui.privacy import labels
from ui.privacy.banner import Note
from ui.privacy.receipt_page import ReceiptPage
from ui.privacy.sent_bytes import MonoText
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.buttons import Button, IconButton
from ui.widgets.icons import Glyph
from ui.widgets.text import label
from ui.widgets.window import ContentWindow

WIDTH = 600


class ReceiptsWindow(ContentWindow):
    """One receipt at a time, newest first. ``save`` gives the receipt."""

    save = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, _("Receipts"), width=WIDTH)
        px = theme.px
        self._pages: Sequence[ReceiptPage] = ()
        self._at = 0
        self.note = Note(theme)
        self.note.changed.connect(self._fit_if_shown)
        self.title = label(kind="h1", wrap=True)
        self.signature = label(kind="strong", wrap=True)
        self.facts = QGridLayout()
        self.facts.setHorizontalSpacing(px(14))
        self.facts.setVerticalSpacing(px(6))
        self.facts.setColumnStretch(1, 1)
        self.number = MonoText(theme, _("Receipt number"))
        self.command = MonoText(theme, _("Command that checks it"))
        self.command.show_text("tidings receipt verify FILE")
        self.content.addLayout(self._heading())
        self.content.addSpacing(px(10))
        self.content.addWidget(self.signature)
        self.content.addSpacing(px(12))
        self.content.addLayout(self.facts)
        self.content.addSpacing(px(12))
        self.content.addWidget(label(_("Receipt number"), kind="small-strong"))
        self.content.addWidget(self.number)
        self.content.addSpacing(px(10))
        check = _("Anybody can check a saved receipt, without Tidings too; on this computer by")
        self.content.addWidget(label(check, kind="small", tone="muted", wrap=True))
        self.content.addWidget(self.command)
        self.content.addSpacing(px(14))
        self.content.addWidget(self.note)
        self.content.addSpacing(px(8))
        self.content.addLayout(self._buttons())
        self.content.addStretch(1)
        self.number.height_changed.connect(self._fit_if_shown)

    def _heading(self) -> QHBoxLayout:
        self.position = label(kind="small", tone="muted")
        self.newer = IconButton(Glyph.PREVIOUS, _("Newer receipt"), self._theme)
        self.older = IconButton(Glyph.NEXT, _("Older receipt"), self._theme)
        self.newer.clicked.connect(lambda: self._turn(-1))
        self.older.clicked.connect(lambda: self._turn(1))
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(6))
        row.addWidget(self.title, 1)
        for widget in (self.position, self.newer, self.older):
            row.addWidget(widget)
        return row

    def _buttons(self) -> QHBoxLayout:
        self.save_button = Button(_("Save…"), kind="primary")
        self.save_button.clicked.connect(lambda: self.save.emit(self._pages[self._at].kept))
        self.close_button = Button(_("Close"))
        self.close_button.clicked.connect(self.close)
        return self.button_row(self.close_button, self.save_button)

    def show_receipts(self, pages: Sequence[ReceiptPage]) -> None:
        """All receipts, newest first. The open one stays."""
        if not pages or pages == self._pages:
            return
        before = self._pages[self._at].kept if self._pages else None
        self._pages = pages
        kept = [page.kept.document for page in pages]
        self._at = kept.index(before.document) if before and before.document in kept else 0
        self._show()

    def show_newest(self) -> None:
        """Turn to the newest."""
        self._at = 0
        if self._pages:
            self._show()

    def resume(self, before: ReceiptsWindow) -> None:
        """Show the receipt that a window showed in another language."""
        self._turn(before._at)

    def _turn(self, by: int) -> None:
        self._at = min(max(self._at + by, 0), len(self._pages) - 1)
        self.note.clear()
        self._show()

    def _show(self) -> None:
        page = self._pages[self._at]
        self.title.setText(labels.turned(page.kept.status, page.kept.signal))
        self.signature.setText(_signature(page.kept.genuine))
        self._show_facts(_facts(page))
        self.number.show_text(page.kept.receipt_id)
        position = _("{position} of {count}").format(position=self._at + 1, count=len(self._pages))
        self.position.setText(position)
        several = len(self._pages) > 1
        for widget in (self.position, self.newer, self.older):
            widget.setVisible(several)
        self.newer.setEnabled(self._at > 0)
        self.older.setEnabled(self._at < len(self._pages) - 1)
        self._fit_if_shown()

    def _show_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        while (item := self.facts.takeAt(0)) is not None:
            widget = item.widget()
            if isinstance(widget, QWidget):
                widget.hide()
                widget.deleteLater()
        for row, (name, value) in enumerate(facts):
            self._add_fact(row, 0, label(name, kind="small", tone="muted"))
            self._add_fact(row, 1, label(value, kind="small", wrap=True))

    def _add_fact(self, row: int, column: int, text: QLabel) -> None:
        self.facts.addWidget(text, row, column, Qt.AlignmentFlag.AlignTop)
        text.show()  # a layout gives no room to what is not shown yet

    def _fit_if_shown(self) -> None:
        if self.isVisible():
            self.fit()


def _signature(genuine: bool | None) -> str:
    if genuine is None:
        return _("The signature has not been checked yet.")
    if genuine:
        return _("The signature was checked: your company's server made this receipt.")
    return _(
        "The signature is wrong: do not rely on this receipt, and show it to your data protection officer."
    )


def _facts(page: ReceiptPage) -> list[tuple[str, str]]:
    facts = [(_("Answered"), text_format.full_time(page.kept.received))]
    if page.kept.status == "withdrawn":
        erased = ngettext("{count} entry", "{count} entries", page.kept.erased)
        facts.append((_("Deleted by the server"), erased.format(count=page.kept.erased)))
    says = page.says
    if says is None:
        return [*facts, (_("Content"), _("It cannot be read here. Save it and show it to your company."))]
    notice = _("version {version}, SHA-256 {digest}").format(
        version=says.notice_version, digest=says.notice_sha256 or _("unknown")
    )
    return [
        (_("Your act"), text_format.full_time(says.time)),
        *facts,
        (_("Who answers for it"), says.controller),
        (_("Questions to"), says.dpo_email),
        (_("Stored in"), text_format.region_name(says.region)),
        (_("Purpose"), says.purpose),
        (_("Notice"), notice),
    ]
