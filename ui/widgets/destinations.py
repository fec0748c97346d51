"""Where links lead, to be read before one is pressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtWidgets import QVBoxLayout, QWidget

from resources.i18n import _
from ui.style import text_format
from ui.widgets.text import label


class Leading(Protocol):
    """A link with its words and the host that it leads to."""

    @property
    def label(self) -> str: ...
    @property
    def destination(self) -> str: ...


class Destinations(QWidget):
    """The host, or each link's own where they differ. Hidden where there is no link. ``above``: pixels left free."""

    def __init__(self, *, above: int = 0) -> None:
        super().__init__()
        self._hosts = label(kind="small", tone="muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, above, 0, 0)
        column.addWidget(self._hosts)

    def text(self) -> str:
        """What is to be read."""
        return self._hosts.text()

    def show_links(self, links: Sequence[Leading]) -> None:
        """In place of those before."""
        hosts = {link.destination for link in links}
        if len(hosts) == 1:
            self._hosts.setText(_("Leads to {host}").format(host=text_format.isolated(hosts.pop())))
        else:
            # The host first: a label is the company's words, and could imitate this line.
            each = (
                f"{text_format.isolated(link.destination)} · “{text_format.isolated(link.label)}”"
                for link in links
            )
            self._hosts.setText("\n".join(each))
        self.setVisible(bool(links))
        # Else whoever lays this out in the same turn gets the height of the text before.
        self.updateGeometry()
