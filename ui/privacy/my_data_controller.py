"""What a person does with their own data: a copy, a correction, deleting, disconnecting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from agent.domain.model import ConnectionState
from agent.domain.my_data_models import Corrected, DetailName, DetailValue, KeptReceipt
from resources.i18n import _
from ui.core import desktop_errors, save_files
from ui.core.agent_port import Agent
from ui.desktop import browser
from ui.style.theme import Theme
from ui.windowing.registry import OpenWindows
from ui.windowing.tasks import WindowWork

if TYPE_CHECKING:
    from ui.privacy.banner import Note
    from ui.privacy.details_window import DetailsWindow
    from ui.privacy.receipts_window import ReceiptsWindow
    from ui.privacy.window import PrivacyWindow

Tell = Callable[[str, str], None]


class MyDataActs(QObject):
    """``choosers`` asks the person for places of files. All methods are called on the main thread.

    ``corrected`` when one more message about the person was sent.
    """

    corrected = Signal()

    def __init__(
        self,
        agent: Agent,
        work: WindowWork,
        windows: OpenWindows,
        theme: Callable[[], Theme],
        tell: Tell,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._agent = agent
        self._work = work
        self._windows = windows
        self._theme = theme
        self._tell = tell
        self.choosers = save_files.Choosers(self)

    # Files

    def save_sent(self, window: PrivacyWindow) -> None:
        """All that was sent, as JSON, where the person says."""
        note = window.sent.note

        def chosen(path: Path) -> None:
            self._work.run(
                window,
                lambda: save_files.write(path, self._agent.my_data.sent_json()),
                lambda saved: self._saved(note, saved),
                note.show_problem,
                "save",
            )

        self.choosers.file(window, _("Save what was sent"), f"tidings-sent-{_today()}.json", chosen)

    def save_receipt(self, window: ReceiptsWindow, kept: KeptReceipt) -> None:
        """One receipt, as the file that can be checked."""

        def chosen(path: Path) -> None:
            self._work.run(
                window,
                lambda: save_files.write(
                    path, self._agent.my_data.receipt_file(kept.receipt_id, kept.status)
                ),
                lambda saved: self._saved(window.note, saved),
                window.note.show_problem,
                "save",
            )

        name = f"tidings-receipt-{kept.signal}-{kept.status}-{kept.received.astimezone():%Y-%m-%d}.json"
        self.choosers.file(window, _("Save the receipt"), name, chosen)

    def download_copy(self, window: PrivacyWindow) -> None:
        """Two files in a folder that the person chooses: one to read, one for programs."""
        note = window.share.note

        def write(folder: Path) -> list[Path]:
            copy = self._agent.my_data.copy()
            files = {"html": copy.html.encode(), "json": copy.json}
            return [
                save_files.write_new(folder, f"tidings-my-data-{_today()}.{kind}", content)
                for kind, content in files.items()
            ]

        def done(paths: list[Path]) -> None:
            names = ", ".join(path.name for path in paths)
            text = _("Two files, one to read and one for programs: {names}").format(names=names)
            self._say_saved(note, _("Your copy was saved"), text, paths[0].parent)

        def chosen(folder: Path) -> None:
            note.show_progress(_("Asking your company's server for your data…"))
            self._work.run(window, lambda: write(folder), done, note.show_problem, "copy")

        self.choosers.folder(window, _("Where should your copy be saved?"), chosen)

    def _saved(self, note: Note, path: Path) -> None:
        self._say_saved(note, _("Saved"), str(path), path.parent)

    def _say_saved(self, note: Note, title: str, text: str, folder: Path) -> None:
        def show() -> None:
            if not browser.open_folder(folder):
                fault = desktop_errors.FolderNotShown(str(folder))
                self._tell(fault.title, fault.message)

        note.tell(title, text, actions=[(_("Open folder"), show)])

    # Corrections

    def show_details(self) -> None:
        """The form with the person's own details."""
        from ui.privacy.details_window import DetailsWindow

        def make() -> DetailsWindow:
            window = DetailsWindow(self._theme())
            window.load.connect(lambda: self._load(window))
            window.save.connect(lambda changes: self._correct(window, changes))
            return window

        opened = self._windows.find(DetailsWindow) is not None
        window = self._windows.show(DetailsWindow, make, stays=True)
        if not opened:
            self._load(window)

    def _load(self, window: DetailsWindow) -> None:
        window.show_loading()
        self._work.run(
            window,
            lambda: self._agent.my_data.held(),
            lambda held: window.show_details(held.details),
            window.show_load_problem,
            "details",
        )

    def _correct(self, window: DetailsWindow, changes: Mapping[DetailName, DetailValue]) -> None:
        def done(results: Sequence[Corrected]) -> None:
            window.show_corrected(results)
            self.corrected.emit()

        self._work.run(
            window,
            lambda: self._agent.my_data.correct(changes),
            done,
            window.show_save_problem,
            "correct",
        )

    # What cannot be undone

    def delete_all(self, window: PrivacyWindow, deleted: Callable[[], None]) -> None:
        """Ask, then delete all that the person shared."""
        company = self._agent.status().company
        server = _("The server of {company} deletes everything that you shared, from all your computers.")
        sentences = [
            _("All three switches are turned off."),
            server.format(company=company.name if company else ""),
            _("It signs a receipt for each switch."),
            _(
                "The list of what was sent keeps your choices with their receipts, your corrections and confirmations."
            ),
            _("What you confirmed by name to have read stays with your company."),
            _("You keep getting every announcement. If you share again later, it begins anew."),
            _("What is deleted cannot be brought back."),
        ]
        note = window.share.note

        def act() -> None:
            note.show_progress(_("Deleting what you shared…"))
            self._work.run(
                window,
                lambda: self._agent.delete_all_shared(),
                lambda _none: deleted(),
                note.show_problem,
                "delete",
            )

        self._confirm(_("Delete all you shared?"), sentences, _("Delete all I shared"), act)

    def disconnect_computer(self, window: PrivacyWindow) -> None:
        """Ask, then let go of the company."""
        sentences = [
            _(
                "All three switches are turned off, and the server deletes what you shared, from all your computers."
            ),
            _("A confirmation that waits is sent before, if the server can be reached now."),
            _("Announcements, receipts and the list of what was sent are deleted from this computer."),
            _("No announcement arrives here any more. To connect again you need a new invitation."),
        ]
        note = window.share.note

        def done(heard: bool) -> None:
            text = _("Nothing of your company is left here. To connect again, use the menu of the icon.")
            if not heard:
                text += " " + _(
                    "The server could not be told. What you shared, if anything, stays there until you delete it from "
                    "another computer or ask your company's data protection officer."
                )
            self._tell(_("This computer is disconnected"), text)

        def failed(title: str, message: str) -> None:
            """Something is left, and the window closes; or it is still connected."""
            is_connected = self._agent.status().connection is not ConnectionState.NOT_CONNECTED
            if is_connected and self._windows.find(type(window)) is window:
                note.show_problem(title, message)
            else:
                self._tell(title, message)

        def act() -> None:
            note.show_progress(_("Disconnecting…"))
            self._work.run(window, self._agent.disconnect, done, failed, "disconnect", tell_anyway=True)

        self._confirm(_("Disconnect this computer?"), sentences, _("Disconnect this computer"), act)

    def _confirm(self, title: str, sentences: list[str], action: str, act: Callable[[], None]) -> None:
        from ui.privacy.confirm_window import ConfirmWindow

        window = self._windows.replace(
            ConfirmWindow, lambda: ConfirmWindow(self._theme(), title, sentences, action)
        )
        window.confirmed.connect(lambda: act())


def _today() -> str:
    return f"{datetime.now(UTC).astimezone():%Y-%m-%d}"
