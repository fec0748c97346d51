"""The icon in the tray and its menu."""

from datetime import datetime, timedelta

import msgspec
import pytest
from PySide6.QtGui import QAction, QFont, QImage
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from agent.domain.model import ConnectionState, Status, Trouble
from tests.unit.ui.memory_agent import COMPANY, START, ManualTime
from ui.style import text_format
from ui.style.app_icon import SIZES, TrayState, tray_pixmap
from ui.tray.availability import MISSING_AFTER_MS, RETRY_AFTER_MS, TrayWatch
from ui.tray.menu import Tray, tray_state

CONNECTED = Status(
    ConnectionState.CONNECTED, "https://news.example", COMPANY, last_check=START - timedelta(seconds=12)
)


def status(**changes: object) -> Status:
    return msgspec.structs.replace(CONNECTED, **changes)


@pytest.fixture
def tray(qtbot: QtBot) -> Tray:
    tray = Tray(now=lambda: START)
    tray.update_status(CONNECTED)
    return tray


def entries(tray: Tray) -> list[str]:
    """The texts of the menu, as they stand, without the lines between."""
    return [each.text() for each in tray.menu.actions() if each.isVisible() and not each.isSeparator()]


def entry(tray: Tray, text: str) -> QAction:
    return next(
        each for each in [*tray.menu.actions(), *tray.pause.actions()] if each.text().startswith(text)
    )


def picture(state: TrayState, unread: int, side: int) -> QImage:
    return tray_pixmap(state, unread, side).toImage()


class TestMenu:
    def test_it_says_the_state_and_when_it_was_checked(self, tray: Tray) -> None:
        assert entries(tray)[0] == "Connected · checked 12 s ago"

    def test_a_check_by_a_clock_that_was_set_back_since_is_not_told_as_one_of_now(self, qtbot: QtBot) -> None:
        tray = Tray(now=lambda: START - timedelta(days=400))
        tray.update_status(status(last_check=START))
        assert entries(tray)[0] == f"Connected · checked {text_format.full_time(START)}"

    def test_the_time_of_the_check_is_new_whenever_the_menu_opens(self, qtbot: QtBot) -> None:
        now = [START]
        tray = Tray(now=lambda: now[0])
        tray.update_status(CONNECTED)
        now[0] += timedelta(minutes=3)
        tray.menu.aboutToShow.emit()
        assert entries(tray)[0] == "Connected · checked 3 min ago"

    def test_the_menu_is_in_the_persons_text_size(self, qtbot: QtBot, tray: Tray) -> None:
        application, before = QApplication.instance(), QApplication.font()
        assert isinstance(application, QApplication)
        large = QFont(before)
        large.setPointSizeF(31)
        application.setFont(large)
        tray.menu.aboutToShow.emit()
        application.setFont(before)
        assert tray.menu.font().pointSizeF() == tray.pause.font().pointSizeF() == 31

    def test_connected_it_has_everything_but_connect(self, tray: Tray) -> None:
        assert entries(tray)[1:] == [
            "Open inbox",
            "Pause pop-ups",
            "Privacy: what I share…",
            "Preferences…",
            "Check now",
            "Start at login",
            "About",
            "Quit",
        ]

    @pytest.mark.parametrize("connection", [ConnectionState.NOT_CONNECTED, ConnectionState.REVOKED])
    def test_without_a_company_it_offers_to_connect_and_nothing_that_needs_one(
        self, tray: Tray, connection: ConnectionState
    ) -> None:
        tray.update_status(Status(connection))
        assert entries(tray)[1:] == [
            "Connect…",
            "Open inbox",
            "Preferences…",
            "Start at login",
            "About",
            "Quit",
        ]

    def test_unread_announcements_are_counted(self, tray: Tray) -> None:
        tray.update_status(status(unread=3))
        assert "Open inbox (3 new)" in entries(tray)

    def test_troubles_are_entries_of_their_own_until_they_are_over(self, qtbot: QtBot, tray: Tray) -> None:
        tray.update_status(
            status(troubles=(Trouble("KeychainUnavailable", "The keychain is locked", "Unlock it."),))
        )
        with qtbot.waitSignal(tray.trouble_clicked) as clicked:
            entry(tray, "⚠ The keychain is locked").trigger()
        assert clicked.args == ["KeychainUnavailable"]
        tray.update_status(CONNECTED)
        assert not any("keychain" in text for text in entries(tray))

    @pytest.mark.parametrize(
        ("text", "seconds"), [("For 30 minutes", 1_800.0), ("For 1 hour", 3_600.0), ("Resume now", None)]
    )
    def test_a_pause_can_be_chosen_and_ended(
        self, qtbot: QtBot, tray: Tray, text: str, seconds: float | None
    ) -> None:
        with qtbot.waitSignal(tray.pause_chosen) as chosen:
            entry(tray, text).trigger()
        assert chosen.args == [seconds]

    def test_until_tomorrow_means_tomorrow_morning(self, qtbot: QtBot, tray: Tray) -> None:
        with qtbot.waitSignal(tray.pause_chosen) as chosen:
            entry(tray, "Until tomorrow").trigger()
        end = (START + timedelta(seconds=chosen.args[0])).astimezone()
        assert (end.date() - START.astimezone().date()).days == 1
        assert (end.hour, end.minute) == (9, 0)

    def test_resuming_is_offered_only_during_a_pause_and_the_state_line_says_until_when(
        self, tray: Tray
    ) -> None:
        assert not tray.resume.isVisible()
        tray.update_status(status(paused_until=datetime.fromisoformat("2026-11-23T10:30:00").astimezone()))
        assert tray.resume.isVisible()
        assert entries(tray)[0] == "Pop-ups paused until 10:30 · checked 12 s ago"

    def test_every_action_tells_what_was_wanted(self, qtbot: QtBot, tray: Tray) -> None:
        wanted = {
            "Open inbox": tray.open_inbox,
            "Privacy": tray.privacy,
            "Preferences…": tray.preferences,
            "Check now": tray.check_now,
            "Connect…": tray.connect_wanted,
            "About": tray.about,
            "Quit": tray.quit_wanted,
        }
        for text, signal in wanted.items():
            with qtbot.waitSignal(signal):
                entry(tray, text).trigger()

    def test_start_at_login_is_a_tick(self, qtbot: QtBot, tray: Tray) -> None:
        with qtbot.waitSignal(tray.autostart_chosen) as chosen:
            entry(tray, "Start at login").trigger()
        assert chosen.args == [True]
        tray.set_autostart(False)
        assert not entry(tray, "Start at login").isChecked()


class TestIcon:
    def test_a_click_opens_the_inbox_once_and_a_double_click_no_second_time(self, tray: Tray) -> None:
        opened: list[None] = []
        tray.open_inbox.connect(lambda: opened.append(None))
        for reason in ("Trigger", "DoubleClick"):
            tray.icon.activated.emit(getattr(QSystemTrayIcon.ActivationReason, reason))
        assert len(opened) == 1

    @pytest.mark.parametrize(
        ("given", "state"),
        [
            (CONNECTED, TrayState.CONNECTED),
            (Status(ConnectionState.CONNECTING), TrayState.CONNECTED),
            (status(paused_until=START), TrayState.PAUSED),
            (status(connection=ConnectionState.OFFLINE), TrayState.OFFLINE),
            (status(connection=ConnectionState.OFFLINE, paused_until=START), TrayState.OFFLINE),
            (Status(ConnectionState.HALTED), TrayState.OFFLINE),
            (Status(ConnectionState.NOT_CONNECTED), TrayState.NOT_CONNECTED),
            (Status(ConnectionState.REVOKED), TrayState.NOT_CONNECTED),
        ],
    )
    def test_each_state_has_its_icon(self, given: Status, state: TrayState) -> None:
        assert tray_state(given) is state

    @pytest.mark.parametrize("side", SIZES)
    def test_the_icons_differ_in_shape_not_only_in_colour(self, qtbot: QtBot, side: int) -> None:
        """As grey levels without any colour they are still four different ones, with and without a number."""
        grey = {
            bytes(picture(state, unread, side).convertToFormat(QImage.Format.Format_Alpha8).constBits())
            + bytes(picture(state, unread, side).convertToFormat(QImage.Format.Format_Grayscale8).constBits())
            for state in TrayState
            for unread in (0, 2)
        }
        assert len(grey) == 2 * len(TrayState)

    def test_the_tooltip_says_state_number_and_troubles(self, tray: Tray) -> None:
        tray.update_status(status(unread=2, troubles=(Trouble("x", "The disk cannot be written", ""),)))
        assert tray.icon.toolTip() == "Tidings\nConnected\n2 new announcements\nThe disk cannot be written"

    def test_offline_the_tooltip_says_since_when_and_that_pop_ups_are_paused(self, tray: Tray) -> None:
        until = START + timedelta(hours=1)
        tray.update_status(status(connection=ConnectionState.OFFLINE, last_check=START, paused_until=until))
        contact = f"Last contact: {text_format.full_time(START)}"
        paused = f"Pop-ups paused until {until.astimezone():%H:%M}"
        assert tray.icon.toolTip() == f"Tidings\nOffline\n{contact}\n{paused}"
        assert entries(tray)[0].endswith(f" · {paused}")

    def test_a_fault_of_this_computer_is_not_called_a_server_that_cannot_be_reached(self, tray: Tray) -> None:
        told = Trouble("StoreUnreadable", "Your data on this computer cannot be read", "")
        tray.update_status(Status(ConnectionState.HALTED, troubles=(told,), halted_by=told))
        assert tray.icon.toolTip() == f"Tidings\nNothing is received\n{told.title}"
        assert entries(tray)[:2] == ["Nothing is received", f"⚠ {told.title}"]
        assert "Connect…" not in entries(tray)


class TestWaitingForATray:
    def test_a_panel_that_starts_late_gets_the_icon_and_no_window_opens(self, qtbot: QtBot) -> None:
        time, answers, missing, shown = ManualTime(), iter([False, False, True]), [], []
        watch = TrayWatch(lambda: shown.append(1), timers=time, available=lambda: next(answers))
        watch.missing.connect(lambda: missing.append(1))
        watch.start()
        time.pass_by(3_600)
        assert not missing
        assert len(shown) == 3
        assert time.waiting == 0

    def test_without_a_tray_a_window_is_asked_for_once_and_the_panel_is_looked_for_ever_less(
        self, qtbot: QtBot
    ) -> None:
        time, missing, asked = ManualTime(), [], []
        watch = TrayWatch(lambda: None, timers=time, available=lambda: bool(asked.append(1)))
        watch.missing.connect(lambda: missing.append(time.passed_s))
        watch.start()
        time.pass_by(24 * 3_600)
        assert len(missing) == 1
        assert missing[0] >= MISSING_AFTER_MS / 1000
        assert len(asked) <= len(RETRY_AFTER_MS) + 24 * 3_600 / (RETRY_AFTER_MS[-1] / 1000)
