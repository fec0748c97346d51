"""What this program is, and whose announcements it shows."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout

from agent import __version__
from agent.model import Status
from resources.i18n import _
from ui import wording
from ui.theme import Theme
from ui.tray_icon import TrayState, tray_pixmap
from ui.widgets.buttons import Button
from ui.widgets.text import label
from ui.widgets.window import ContentWindow

WIDTH = 440
ICON_SIDE = 56


class AboutWindow(ContentWindow):
    def __init__(self, theme: Theme, status: Status) -> None:
        super().__init__(theme, _("About Tidings"), width=WIDTH)
        icon = QLabel()
        side = theme.px(ICON_SIDE)
        pixmap = tray_pixmap(TrayState.CONNECTED, 0, 2 * side)
        pixmap.setDevicePixelRatio(2)
        icon.setPixmap(pixmap)
        names = QVBoxLayout()
        names.setSpacing(theme.px(2))
        names.addWidget(label("Tidings", kind="h1"))
        names.addWidget(label(_("Version {version}").format(version=__version__), kind="small", tone="muted"))
        head = QHBoxLayout()
        head.setSpacing(theme.px(16))
        head.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(names, 1)
        self.content.addLayout(head)
        self.content.addSpacing(theme.px(14))
        purpose = _("Your company's announcements on your desktop. You decide what is shared.")
        self.content.addWidget(label(purpose, wrap=True))
        for text in _connection_lines(status):
            self.content.addSpacing(theme.px(6))
            self.content.addWidget(label(text, kind="small", tone="muted", wrap=True))
        self.content.addSpacing(theme.px(18))
        self.button = Button(_("Close"))
        self.button.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.button)
        self.content.addLayout(row)
        self.button.setFocus()


def _connection_lines(status: Status) -> list[str]:
    if status.company is None or status.person is None:
        return [_("Not connected to a company")]
    connected = _("Connected to {company} as {email}.").format(
        company=status.company.legal_name, email=status.person.email
    )
    stored = _("Data is stored in {region}. Questions: {email}").format(
        region=wording.region_name(status.company.region), email=status.company.dpo_email
    )
    return [connected, stored]
