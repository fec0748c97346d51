"""What a person does with their own data, from the privacy window to the agent and back."""

import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.model import Change, ConnectionState, ConsentState, FeedbackSignal
from agent.domain.my_data_models import Comparison, SentStatus
from agent.enrolment.left_entry import LeftEntry
from tests.support.ui import gallery_privacy
from tests.unit.ui.windows_fakes import Fakes, click, is_open, window
from ui.core import save_files
from ui.desktop import browser
from ui.privacy.confirm_window import ConfirmWindow
from ui.privacy.receipts_window import ReceiptsWindow
from ui.privacy.window import PrivacyWindow
from ui.windowing.message_window import MessageWindow

pytestmark = pytest.mark.usefixtures("presses_count")

TODAY = f"{datetime.now().astimezone():%Y-%m-%d}"


class Places:
    """The person's answers to where a file should go."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.offered: list[str] = []

    def folder(self, _parent: QWidget, _title: str, chosen: Callable[[Path], None]) -> None:
        chosen(self.path)

    def file(self, _parent: QWidget, _title: str, name: str, chosen: Callable[[Path], None]) -> None:
        self.offered.append(name)
        chosen(self.path / name)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    places = Places(tmp_path)
    monkeypatch.setattr(save_files.Choosers, "folder", lambda _self, *asked: places.folder(*asked))
    monkeypatch.setattr(save_files.Choosers, "file", lambda _self, *asked: places.file(*asked))
    return places


class TestFiles:
    def test_what_was_sent_is_saved_as_json_for_its_owner_alone(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow, places: Places
    ) -> None:
        click(qtbot, privacy.sent.save_button)
        qtbot.waitUntil(lambda: privacy.sent.note.title.text() == "Saved")
        (name,) = places.offered
        assert name == f"tidings-sent-{TODAY}.json"
        assert (places.path / name).read_bytes() == fakes.agent.my_data.sent_json()
        assert stat.S_IMODE((places.path / name).stat().st_mode) == 0o600

    def test_a_copy_is_two_files_that_replace_none_and_their_folder_can_be_opened(
        self,
        qtbot: QtBot,
        fakes: Fakes,
        privacy: PrivacyWindow,
        places: Places,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        opened: list[Path] = []
        monkeypatch.setattr(browser, "open_folder", lambda folder: not opened.append(folder))
        before = places.path / f"tidings-my-data-{TODAY}.json"
        before.write_text("an older one")
        click(qtbot, privacy.share.copy_button)
        note = privacy.share.note
        qtbot.waitUntil(lambda: note.title.text() == "Your copy was saved")
        assert before.read_text() == "an older one"
        assert (places.path / f"tidings-my-data-{TODAY} (2).json").read_bytes() == b'{"v": 1}'
        assert "Léa" in (places.path / f"tidings-my-data-{TODAY}.html").read_text(encoding="utf-8")
        click(qtbot, note.buttons[0])
        assert opened == [places.path]

    def test_a_folder_that_nothing_shows_is_told_with_its_path(
        self,
        qtbot: QtBot,
        privacy: PrivacyWindow,
        places: Places,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(browser, "open_folder", lambda _folder: False)
        click(qtbot, privacy.share.copy_button)
        qtbot.waitUntil(lambda: bool(privacy.share.note.buttons))
        click(qtbot, privacy.share.note.buttons[0])
        message = window(MessageWindow)
        assert isinstance(message, MessageWindow)
        assert str(places.path) in message.message.text()

    def test_a_copy_that_cannot_be_had_or_written_says_why(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow, places: Places
    ) -> None:
        fakes.agent.my_data.fault = errors.ServerUnreachable("no route")
        note = privacy.share.note
        click(qtbot, privacy.share.copy_button)
        qtbot.waitUntil(lambda: note.title.text() == errors.ServerUnreachable().title)
        assert list(places.path.iterdir()) == []
        fakes.agent.my_data.fault = None
        places.path = places.path / "nowhere"
        click(qtbot, privacy.share.copy_button)
        qtbot.waitUntil(lambda: note.title.text() == errors.DiskFault().title)

    def test_the_person_chooses_the_place_in_a_dialogue_that_blocks_no_other_window(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow, tmp_path: Path
    ) -> None:
        click(qtbot, privacy.sent.save_button)
        (dialogue,) = privacy.findChildren(QFileDialog)
        assert dialogue.windowModality() is not Qt.WindowModality.ApplicationModal
        name = dialogue.findChild(QLineEdit, "fileNameEdit")
        assert isinstance(name, QLineEdit)
        assert name.text() == f"tidings-sent-{TODAY}.json"
        dialogue.selectFile(str(tmp_path / "mine.json"))
        dialogue.accept()
        qtbot.waitUntil(lambda: privacy.sent.note.title.text() == "Saved")
        assert (tmp_path / "mine.json").exists()


class TestDeleting:
    def confirm(self, qtbot: QtBot, *, yes: bool) -> None:
        asked = window(ConfirmWindow)
        assert isinstance(asked, ConfirmWindow)
        click(qtbot, asked.yes if yes else asked.no)

    def test_it_says_what_happens_and_no_is_where_the_keyboard_is(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow
    ) -> None:
        fakes.agent.choose({FeedbackSignal.SEEN: True})
        click(qtbot, privacy.share.delete_button)
        asked = window(ConfirmWindow)
        assert isinstance(asked, ConfirmWindow)
        assert "What is deleted cannot be brought back." in asked.accessibleDescription()
        assert asked.focusWidget() is asked.no
        self.confirm(qtbot, yes=False)
        assert fakes.agent.given[FeedbackSignal.SEEN] is ConsentState.GIVEN
        assert not is_open(ConfirmWindow)

    def test_after_a_yes_all_is_off_and_the_receipts_are_shown(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow
    ) -> None:
        click(qtbot, privacy.share.delete_button)
        fakes.agent.my_data.kept = [gallery_privacy.receipt(signal) for signal in FeedbackSignal]
        self.confirm(qtbot, yes=True)
        qtbot.waitUntil(lambda: is_open(ReceiptsWindow))
        assert set(fakes.agent.given.values()) == {ConsentState.WITHDRAWN}
        assert privacy.sent.empty_title.text() == "Nothing was sent about you"
        shown = window(ReceiptsWindow)
        assert isinstance(shown, ReceiptsWindow)
        assert shown.position.text() == "1 of 3"

    def test_offline_it_says_that_the_server_will_be_told_and_shows_the_receipts_later(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = fakes.agent.my_data
        waiting = [gallery_privacy.withdrawal(SentStatus.WAITING)]
        monkeypatch.setattr(
            fakes.agent, "delete_all_shared", lambda: data.items.__setitem__(slice(None), waiting)
        )
        click(qtbot, privacy.share.delete_button)
        self.confirm(qtbot, yes=True)
        qtbot.waitUntil(lambda: privacy.share.note.title.text() == "Nothing is shared any more")
        assert not is_open(ReceiptsWindow)
        data.items, data.kept = [], [gallery_privacy.receipt()]
        fakes.agent.tell(Change.CONSENT)
        qtbot.waitUntil(lambda: is_open(ReceiptsWindow))

    def test_that_nothing_is_shared_is_not_said_any_more_once_something_is(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fakes.agent, "delete_all_shared", lambda: None)
        click(qtbot, privacy.share.delete_button)
        self.confirm(qtbot, yes=True)
        qtbot.waitUntil(lambda: privacy.share.note.title.text() == "Nothing is shared any more")
        fakes.agent.choose({FeedbackSignal.SEEN: True})
        qtbot.waitUntil(lambda: not privacy.share.note.isVisible())

    def test_a_disconnected_computer_closes_the_window_and_says_so(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow
    ) -> None:
        click(qtbot, privacy.share.disconnect_button)
        self.confirm(qtbot, yes=True)
        qtbot.waitUntil(lambda: is_open(MessageWindow))
        message = window(MessageWindow)
        assert isinstance(message, MessageWindow)
        assert message.title.text() == "This computer is disconnected"
        assert "could not be told" not in message.message.text()
        qtbot.waitUntil(lambda: not is_open(PrivacyWindow))

    def test_what_a_server_out_of_reach_still_has_is_said(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow
    ) -> None:
        fakes.agent.state = msgspec.structs.replace(fakes.agent.state, connection=ConnectionState.OFFLINE)
        click(qtbot, privacy.share.disconnect_button)
        self.confirm(qtbot, yes=True)
        qtbot.waitUntil(lambda: is_open(MessageWindow))
        message = window(MessageWindow)
        assert isinstance(message, MessageWindow)
        assert "The server could not be told. What you shared" in message.message.text()

    def test_which_entry_stays_in_the_keychain_is_said_when_the_window_has_closed(
        self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow
    ) -> None:
        fakes.agent.left = LeftEntry(("device-0123456789abcdef",), heard=False)
        click(qtbot, privacy.share.disconnect_button)
        self.confirm(qtbot, yes=True)
        qtbot.waitUntil(lambda: is_open(MessageWindow))
        message = window(MessageWindow)
        assert isinstance(message, MessageWindow)
        assert message.title.text() == "A key of this computer is still in your keychain"
        assert "device-0123456789abcdef" in message.message.text()
        assert "ask your administrator to end" in message.message.text()


def told(receipts: ReceiptsWindow) -> list[str]:
    """What the open receipt says, in words."""
    found = [receipts.facts.itemAt(place).widget() for place in range(receipts.facts.count())]
    return [each.text() for each in found if isinstance(each, QLabel)]


class TestReceipts:
    @pytest.fixture
    def receipts(self, qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow) -> ReceiptsWindow:
        checked = gallery_privacy.receipt(genuine=None)
        fakes.agent.my_data.kept = [checked, gallery_privacy.receipt(FeedbackSignal.LIKE, genuine=False)]
        privacy.share.receipts.emit()
        found = window(ReceiptsWindow)
        assert isinstance(found, ReceiptsWindow)
        return found

    def test_a_receipt_is_told_in_words(self, receipts: ReceiptsWindow) -> None:
        assert receipts.title.text() == "Clicks turned off"
        assert receipts.signature.text() == "The signature has not been checked yet."
        for part in ("14 entries", "Northwind SAS", "dpo@northwind.example", "the European Union"):
            assert part in told(receipts)
        assert any("version 3" in part for part in told(receipts))
        assert receipts.number.toPlainText() == gallery_privacy.RECEIPT

    def test_it_is_as_high_as_it_needs(self, qapp: QApplication, receipts: ReceiptsWindow) -> None:
        qapp.processEvents()
        for widget in (receipts.number, receipts.command, receipts.save_button):
            assert widget.mapTo(receipts, widget.rect().bottomLeft()).y() < receipts.height()

    def test_one_whose_signature_is_wrong_says_so(self, qtbot: QtBot, receipts: ReceiptsWindow) -> None:
        click(qtbot, receipts.older)
        assert receipts.position.text() == "2 of 2"
        assert receipts.signature.text().startswith("The signature is wrong")
        assert not receipts.older.isEnabled()

    @pytest.mark.expected_logs("A kept receipt cannot be read")
    def test_one_that_cannot_be_read_can_still_be_saved(
        self, qtbot: QtBot, fakes: Fakes, receipts: ReceiptsWindow
    ) -> None:
        kept = msgspec.structs.replace(gallery_privacy.receipt(), document="no.signed-document")
        fakes.agent.my_data.kept = [kept]
        fakes.agent.tell(Change.CONSENT)
        qtbot.waitUntil(lambda: any("cannot be read here" in part for part in told(receipts)))
        assert receipts.save_button.isEnabled()

    def test_the_one_that_is_shown_is_saved(
        self, qtbot: QtBot, receipts: ReceiptsWindow, places: Places
    ) -> None:
        click(qtbot, receipts.save_button)
        qtbot.waitUntil(lambda: receipts.note.title.text() == "Saved")
        (name,) = places.offered
        assert name.startswith("tidings-receipt-click-withdrawn-")
        assert (places.path / name).read_text() == f"{gallery_privacy.RECEIPT} withdrawn"


def test_verifying_shows_what_the_server_and_this_computer_have(
    qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow
) -> None:
    fakes.agent.my_data.comparison = Comparison(2, ())
    click(qtbot, privacy.sent.verify_button)
    qtbot.waitUntil(lambda: privacy.sent.note.title.text() == "The server and this computer agree")
    fakes.agent.my_data.fault = errors.ServerUnreachable("no route")
    click(qtbot, privacy.sent.verify_button)
    qtbot.waitUntil(lambda: privacy.sent.note.title.text() == errors.ServerUnreachable().title)
    fakes.agent.my_data.fault = None
    click(qtbot, privacy.sent.verify_button)
    qtbot.waitUntil(lambda: privacy.sent.note.title.text() == "The server and this computer agree")


def test_an_answer_for_a_window_that_was_closed_is_dropped(
    qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow
) -> None:
    click(qtbot, privacy.sent.verify_button)
    privacy.close()
    qtbot.waitUntil(lambda: not is_open(PrivacyWindow))
    fakes.windows.show_choices()
    again = window(PrivacyWindow)
    assert isinstance(again, PrivacyWindow)
    qtbot.waitUntil(lambda: again.sent.model.rowCount() == len(gallery_privacy.sent()))
    assert not again.sent.note.isVisible()


def test_a_switch_turned_off_where_the_company_is_lost_says_what_holds(
    qtbot: QtBot, fakes: Fakes, privacy: PrivacyWindow
) -> None:
    fakes.not_connected()
    click(qtbot, privacy.share.cards[0].row.toggle)
    qtbot.waitUntil(lambda: is_open(MessageWindow))
    texts = {label.text() for label in window(MessageWindow).findChildren(QLabel)}
    assert errors.EnrolmentLost().title in texts
