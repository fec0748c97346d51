"""About Tidings: version, company, server; ways to the licences and the diagnostics."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QVBoxLayout

from agent.domain.model import Status
from resources.i18n import _
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.flow import FlowRow
from ui.widgets.logo import LogoTile
from ui.widgets.text import label
from ui.widgets.window import ContentWindow, line, window_width

WIDTH = 420


class AboutWindow(ContentWindow):
    """What to tell an administrator: everything in it can be selected and copied."""

    licences_wanted = Signal()
    diagnostics_wanted = Signal()

    def __init__(self, theme: Theme, version: str, status: Status) -> None:
        super().__init__(theme, _("About Tidings"), width=WIDTH)
        px = theme.px
        logo = LogoTile(theme, side=36)
        logo.show_company("Tidings")
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(label("Tidings", kind="h1"))
        names.addWidget(label(_("Version {version}").format(version=version), kind="small", tone="muted"))
        heading = QHBoxLayout()
        heading.setSpacing(px(10))
        heading.addWidget(logo)
        heading.addLayout(names, 1)
        self.content.addLayout(heading)
        self.content.addSpacing(px(16))
        purpose = _("Your company's announcements on your desktop. What goes back is your choice.")
        self.content.addWidget(label(purpose, wrap=True))
        self.content.addSpacing(px(14))
        facts = [(label(name, kind="small", tone="muted"), value) for name, value in _facts(status)]
        widest = max(name.sizeHint().width() for name, _value in facts)
        for name, value in facts:
            name.setFixedWidth(widest)
            self.content.addWidget(line())
            self._add_fact(name, value)
        self.content.addWidget(line())
        self.content.addSpacing(px(12))
        self.content.addWidget(label(_("Free software, MIT licence."), kind="small", tone="muted", wrap=True))
        self.content.addSpacing(px(10))
        self.licences_button = Button(_("Licences…"))
        self.diagnostics_button = Button(_("Diagnostics…"))
        self.licences_button.clicked.connect(self.licences_wanted)
        self.diagnostics_button.clicked.connect(self.diagnostics_wanted)
        ways = FlowRow(px(10))
        ways.add(self.licences_button)
        ways.add(self.diagnostics_button)
        self.content.addWidget(ways)
        self.content.addStretch(1)

    def _add_fact(self, heading: QLabel, value: str) -> None:
        px = self._theme.px
        text = label(value)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setAccessibleName(f"{heading.text()}: {value}")
        text.setMinimumWidth(1)
        margins = self.content.contentsMargins()
        room = window_width(self._theme, WIDTH) - margins.left() - margins.right()
        fits = heading.width() + px(16) + text.sizeHint().width() <= room
        row = QBoxLayout(QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom)
        row.setContentsMargins(0, px(8), 0, px(8))
        row.setSpacing(px(16) if fits else 0)
        row.addWidget(heading)
        row.addWidget(text, 1)
        self.content.addLayout(row)


def _facts(status: Status) -> list[tuple[str, str]]:
    facts = [
        (_("Company"), status.company.name if status.company else ""),
        (_("Connected as"), status.person.shown_address if status.person else ""),
        (_("Server"), status.server_url),
        (_("Data is stored in"), text_format.region_name(status.company.region) if status.company else ""),
        (_("Last contact"), text_format.full_time(status.last_check) if status.last_check else ""),
    ]
    return [fact for fact in facts if fact[1]] or [(_("Company"), _("Not connected to a company"))]
