"""A program that shows each of many hostile texts everywhere an announcement's texts are shown: for S3, under strace.

`python -m tests.support.ui.show_payloads PAYLOADS.json`; it prints how many it has shown. With `--as-markup` they are read as
markup in a label of Qt's own, which is what must not happen: so that a test can tell that its trace would show it.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QToolTip, QWidget

from agent.domain.model import Company, Link, Variant
from tests.support.ui import gallery_data as data
from ui.core.timers import QtTimers
from ui.inbox.window import InboxWindow
from ui.popup.pages import DigestLine, PopupLink
from ui.popup.widgets.card import PopupCard
from ui.popup.widgets.digest import DigestRow
from ui.popup.widgets.emergency import EmergencyCover, SideCover
from ui.privacy.notice_window import NoticeWindow
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme


def main() -> int:
    """Shows every payload in every place, with its tool tips."""
    payloads: list[str] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    app = QApplication([])
    theme = Theme.of(Scheme.LIGHT, data.ACCENT)
    apply_theme(app, theme)
    if "--as-markup" in sys.argv:
        for payload in payloads:
            label = QLabel(payload)
            label.setTextFormat(Qt.TextFormat.RichText)
            _draw(app, label)
        print(len(payloads), flush=True)
        return 0
    card = PopupCard(theme, translucent=False)
    emergency = EmergencyCover(theme, QtTimers(app), bypass=True)
    inbox = InboxWindow(theme, now=lambda: data.NOW)
    for payload in payloads:
        side = SideCover(theme, payload, bypass=True)
        notice = NoticeWindow(theme, _company(payload))
        row = DigestRow(DigestLine("c-1", payload, payload), theme)
        _show_card(card, payload)
        _show_emergency(emergency, payload)
        _show_inbox(inbox, payload)
        for window in (card, emergency, side, inbox, notice, row):
            _draw(app, window)
        for passing in (side, notice, row):
            passing.close()
            passing.deleteLater()
    print(len(payloads), flush=True)
    return 0


def _company(payload: str) -> Company:
    company = data.company()
    notice = msgspec.structs.replace(company.notice, text={"en": payload})
    return msgspec.structs.replace(
        company, name=payload, legal_name=payload, dpo_name=payload, dpo_email=payload, notice=notice
    )


def _show_card(card: PopupCard, payload: str) -> None:
    links = (PopupLink("l1", payload[:40], payload),)
    page = replace(
        data.video_page(), title=payload, body=payload, sender=payload, company=payload, links=links
    )
    card.show_page(replace(page, note=payload, picture=None, picture_alt=payload))
    card.appear(QPoint(0, 0))


def _show_emergency(cover: EmergencyCover, payload: str) -> None:
    page = replace(data.urgent_page(), title=payload, body=payload, sender=payload, company=payload)
    cover.show_page(replace(page, links=(PopupLink("l1", payload[:40], payload),)), anew=True)


def _show_inbox(inbox: InboxWindow, payload: str) -> None:
    item = data.items()[0]
    variant = Variant(payload, payload, (Link("l1", payload[:40], "https://northwind.example/"),))
    campaign = msgspec.structs.replace(
        item.campaign,
        campaign_id="c-payload",
        sender=payload,
        default_language="en",
        variants={"en": variant},
    )
    inbox.show_items(
        [msgspec.structs.replace(item, campaign=campaign)], data.media_path, data.choices(), data.status()
    )
    inbox.open("c-payload")


def _draw(app: QApplication, window: QWidget) -> None:
    window.show()
    app.processEvents()
    window.grab()
    for widget in window.findChildren(QWidget):
        if tip := widget.toolTip():
            QToolTip.showText(QPoint(0, 0), tip, widget)
            app.processEvents()


if __name__ == "__main__":
    sys.exit(main())
