"""Draws each window in each scheme and language: `python -m tests.support.gallery [NAME …]` → `build/gallery/*.png`.

Each screen is shown on a backdrop of the size that it has in the design, so that the two can be laid side by side.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from agent import errors
from agent.model import Connection, Person, Signal
from agent.preferences import DEFAULTS, with_values
from resources import i18n
from tests.support import gallery_data as data
from tests.support import gallery_privacy
from ui.about import AboutWindow
from ui.first_run import FirstRunWindow
from ui.inbox import InboxWindow
from ui.notice_window import NoticeWindow
from ui.popup import PopupCard
from ui.preferences import PreferencesWindow
from ui.theme import Scheme, Theme, apply_theme

FOLDER = Path("build/gallery")
BACKDROP_MARGIN = 34
SETTLE_ROUNDS = 5
SCREEN = {"name": "gallery", "x": 0, "y": 0, "width": 1366, "height": 768}
SCREEN |= {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}

Screen = Callable[[Theme], QWidget]


def popup_video(theme: Theme) -> QWidget:
    card = PopupCard(theme, translucent=True)
    card.show_page(data.video_page())
    return card


def popup_urgent(theme: Theme) -> QWidget:
    card = PopupCard(theme, translucent=True)
    card.show_page(data.urgent_page())
    return card


def popup_long(theme: Theme) -> QWidget:
    card = PopupCard(theme, translucent=True)
    card.show_page(data.long_page())
    return card


def popup_later(theme: Theme) -> QWidget:
    card = PopupCard(theme, translucent=True)
    card.show_page(data.video_page())
    card.later_button.click()
    return card


def popup_cut(theme: Theme) -> QWidget:
    card = PopupCard(theme, translucent=False)
    card.show_page(data.video_page())
    return card


def connect(theme: Theme) -> FirstRunWindow:
    window = FirstRunWindow(theme)
    window.set_address("https://news.northwind.example")
    return window


def connect_refused(theme: Theme) -> QWidget:
    window = connect(theme)
    refused = errors.CodeRefused()
    window.show_error(refused.title, refused.message)
    return window


def connecting(theme: Theme) -> QWidget:
    window = connect(theme)
    window.show_progress()
    return window


def choose(theme: Theme) -> QWidget:
    window = FirstRunWindow(theme)
    window.show_choose(data.person(), data.company(), data.choices())
    return window


def choose_locked(theme: Theme) -> QWidget:
    window = FirstRunWindow(theme)
    window.show_choose(
        Person("lea.roux@northwind.example"), data.company(), data.choices(locked=Signal.CLICK)
    )
    return window


def inbox(theme: Theme) -> InboxWindow:
    window = InboxWindow(theme, now=lambda: data.NOW)
    window.show_items(data.items(), data.media_path, data.choices(Signal.SEEN, Signal.LIKE), data.status())
    window.open("c-1")
    return window


def inbox_offline(theme: Theme) -> QWidget:
    window = InboxWindow(theme, now=lambda: data.NOW)
    window.show_items(data.items(), data.media_path, data.choices(), data.status(Connection.OFFLINE))
    window.open("c-3")
    return window


def inbox_empty(theme: Theme) -> QWidget:
    window = InboxWindow(theme, now=lambda: data.NOW)
    window.show_items([], data.media_path, data.choices(), data.status())
    return window


def inbox_not_connected(theme: Theme) -> QWidget:
    window = InboxWindow(theme, now=lambda: data.NOW)
    window.show_items([], data.media_path, data.choices(), data.status(Connection.NOT_CONNECTED))
    return window


def notice(theme: Theme) -> QWidget:
    return NoticeWindow(theme, data.company())


def about(theme: Theme) -> QWidget:
    return AboutWindow(theme, "0.1.0", data.status())


def preferences(theme: Theme) -> QWidget:
    window = PreferencesWindow(theme)
    window.show_state(DEFAULTS, frozenset(), autostart=True)
    return window


def preferences_fixed(theme: Theme) -> QWidget:
    window = PreferencesWindow(theme)
    window.show_state(
        with_values(DEFAULTS, {"quiet_hours": True, "popups_per_hour": 3}),
        frozenset({"quiet_hours", "quiet_days", "popups_per_hour"}),
        autostart=False,
    )
    return window


SCREENS: dict[str, Screen] = {
    "popup-video": popup_video,
    "popup-urgent": popup_urgent,
    "popup-long": popup_long,
    "popup-later": popup_later,
    "popup-cut": popup_cut,
    "connect": connect,
    "connect-refused": connect_refused,
    "connecting": connecting,
    "choose": choose,
    "choose-locked": choose_locked,
    "inbox": inbox,
    "inbox-offline": inbox_offline,
    "inbox-empty": inbox_empty,
    "inbox-not-connected": inbox_not_connected,
    "notice": notice,
    "about": about,
    "preferences": preferences,
    "preferences-fixed": preferences_fixed,
} | gallery_privacy.SCREENS


def picture(widget: QWidget) -> QImage:
    """The widget on the design's backdrop."""
    size = widget.size()
    image = QImage(
        size.width() + 2 * BACKDROP_MARGIN, size.height() + 2 * BACKDROP_MARGIN, QImage.Format.Format_RGB32
    )
    painter = QPainter(image)
    ground = QLinearGradient(0, 0, 0, image.height())
    ground.setColorAt(0, QColor("#52706c"))
    ground.setColorAt(1, QColor("#2f4442"))
    painter.fillRect(image.rect(), ground)
    widget.render(painter, QPoint(BACKDROP_MARGIN, BACKDROP_MARGIN))
    painter.end()
    return image


def draw(app: QApplication, name: str, scheme: Scheme, language: str, text_scale: float = 1.0) -> Path:
    """One picture."""
    i18n.use_language(language)
    theme = Theme.of(scheme, data.ACCENT, text_scale=text_scale, reduced_motion=True)
    apply_theme(app, theme)
    widget = SCREENS[name](theme)
    widget.show()
    for _round in range(SETTLE_ROUNDS):
        app.processEvents()
    enlarged = "" if text_scale == 1.0 else f"-{text_scale:.0%}"
    path = FOLDER / f"{name}-{scheme}-{language}{enlarged}.png"
    picture(widget).save(str(path))
    widget.close()
    widget.deleteLater()
    app.sendPostedEvents(widget, QEvent.Type.DeferredDelete)
    return path


def main(names: Sequence[str]) -> int:
    """Draws the named screens, or all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    screens = FOLDER / "screens.json"
    screens.write_text(json.dumps({"screens": [SCREEN]}), encoding="utf-8")
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={screens}"
    app = QApplication([])
    for name in names or SCREENS:
        for language in i18n.LANGUAGES:
            for scheme in (Scheme.LIGHT, Scheme.DARK):
                print(draw(app, name, scheme, language))
        print(draw(app, name, Scheme.HIGH_CONTRAST, "en"))
        print(draw(app, name, Scheme.LIGHT, "fr", text_scale=2.0))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
