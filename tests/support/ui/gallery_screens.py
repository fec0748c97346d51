"""Every window of the agent in its states, as functions that make it: the gallery and the tests of all screens use them."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from agent.domain import errors
from agent.domain.model import FeedbackSignal, Person
from agent.domain.preferences import DEFAULTS, with_values
from tests.support.ui import gallery_data as data
from tests.support.ui import gallery_emergency, gallery_inbox, gallery_player, gallery_popup, gallery_privacy
from ui.about.text_windows import DiagnosticsWindow, LicencesWindow
from ui.about.window import AboutWindow
from ui.onboarding.first_run import FirstRunWindow
from ui.preferences.window import PreferencesWindow
from ui.privacy.notice_window import NoticeWindow
from ui.style.theme import Theme
from ui.windowing.message_window import MessageWindow

Screen = Callable[[Theme], QWidget]


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
        Person("lea.roux@northwind.example"), data.company(), data.choices(locked=FeedbackSignal.CLICK)
    )
    return window


def notice(theme: Theme) -> QWidget:
    return NoticeWindow(theme, data.company())


def message(theme: Theme) -> QWidget:
    fault = errors.CodeRefused()
    return MessageWindow(theme, fault.title, fault.message)


def about(theme: Theme) -> QWidget:
    return AboutWindow(theme, "0.1.0", data.status())


LIBRARIES = """PySide6-Essentials 6.11.3 · LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only
msgspec 0.20.0 · BSD-3-Clause
requests 2.32.5 · Apache-2.0"""
"""As on another computer: this one's are of other versions tomorrow."""

REPORT = """Tidings 0.1.0, Python 3.11.7, Linux
Connection: connected
Region: eu
Last contact: 2 min ago"""


def preferences(theme: Theme) -> QWidget:
    window = PreferencesWindow(theme)
    window.show_state(DEFAULTS, frozenset(), autostart=True, zone="Europe/Paris")
    return window


def preferences_fixed(theme: Theme) -> QWidget:
    window = PreferencesWindow(theme)
    window.show_state(
        with_values(DEFAULTS, {"quiet_hours": True, "popups_per_hour": 3}),
        frozenset({"quiet_hours", "quiet_days", "popups_per_hour"}),
        autostart=False,
        zone="Europe/Paris",
    )
    return window


SCREENS: dict[str, Screen] = (
    {
        "connect": connect,
        "connect-refused": connect_refused,
        "connecting": connecting,
        "choose": choose,
        "choose-locked": choose_locked,
        "notice": notice,
        "message": message,
        "about": about,
        "licences": lambda theme: LicencesWindow(theme, LIBRARIES),
        "diagnostics": lambda theme: DiagnosticsWindow(theme, REPORT),
        "preferences": preferences,
        "preferences-fixed": preferences_fixed,
    }
    | gallery_inbox.SCREENS
    | gallery_popup.SCREENS
    | gallery_emergency.SCREENS
    | gallery_privacy.SCREENS
    | gallery_player.SCREENS
)
