"""The privacy window and the receipts: filled with what the agent has, and what the person does in them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from agent.domain import errors
from agent.domain.model import FeedbackSignal
from agent.domain.my_data_models import KeptReceipt, SentItem, SentStatus
from agent.verification import receipts
from resources.i18n import _
from ui.core.agent_port import Agent
from ui.core.bridge import Bridge
from ui.privacy.my_data_controller import MyDataActs, Tell
from ui.style.theme import Theme
from ui.windowing.registry import OpenWindows
from ui.windowing.tasks import WindowWork

if TYPE_CHECKING:
    from ui.privacy.receipt_page import ReceiptPage
    from ui.privacy.receipts_window import ReceiptsWindow
    from ui.privacy.window import PrivacyWindow

log = logging.getLogger(__name__)


class PrivacyController(QObject):
    """All methods are called on the main thread."""

    def __init__(
        self,
        agent: Agent,
        bridge: Bridge,
        windows: OpenWindows,
        theme: Callable[[], Theme],
        tell: Tell,
        show_notice: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._agent = agent
        self._bridge = bridge
        self._windows = windows
        self._theme = theme
        self._tell = tell
        self._show_notice = show_notice
        self._work = WindowWork(bridge, windows)
        self.acts = MyDataActs(agent, self._work, windows, theme, tell, self)
        self.acts.corrected.connect(self._refresh)
        self._reading = False
        self._read_again = False
        self._deleted = False
        """All was deleted; the person has not been told yet what the server answered."""

    def show(self) -> None:
        """What I share, what was sent about me, my data."""
        from ui.privacy.window import PrivacyWindow

        self._windows.show(PrivacyWindow, self._make, fill=self._fill)

    def _make(self) -> PrivacyWindow:
        from ui.privacy.window import PrivacyWindow

        window, acts = PrivacyWindow(self._theme()), self.acts
        share, sent = window.share, window.sent
        window.check_now.connect(lambda: self._agent.check_now())
        share.chosen.connect(lambda signal, given: self._switch(window, signal, given))
        share.notice.connect(lambda: self._show_notice())
        share.receipts.connect(lambda: self._show_receipts())
        share.copy_wanted.connect(lambda: acts.download_copy(window))
        share.correct.connect(lambda: acts.show_details())
        share.delete_all.connect(lambda: acts.delete_all(window, self._all_deleted))
        share.disconnect_wanted.connect(lambda: acts.disconnect_computer(window))
        sent.verify.connect(lambda: self._verify(window))
        sent.save.connect(lambda: acts.save_sent(window))
        return window

    # What is shown

    def _fill(self, window: PrivacyWindow) -> None:
        status = self._agent.status()
        if status.company is None:
            window.close()
            return
        window.show_state(status, self._agent.choices())
        self._read(window)

    def _read(self, window: PrivacyWindow) -> None:
        """Read what was sent, on a worker; what changes meanwhile is read afterwards."""
        if self._reading:
            self._read_again = True
            return
        self._reading, self._read_again = True, False
        data = self._agent.my_data
        self._bridge.run_in_worker(
            lambda: (data.sent(), data.receipts()),
            lambda history: self._has_read(*history),
            self._not_read,
            "sent",
        )

    def _has_read(self, sent: list[SentItem], kept: list[KeptReceipt]) -> None:
        from ui.privacy.receipts_window import ReceiptsWindow
        from ui.privacy.window import PrivacyWindow

        self._reading = False
        window, open_receipts = self._windows.find(PrivacyWindow), self._windows.find(ReceiptsWindow)
        if open_receipts is not None:
            open_receipts.show_receipts([_page(each) for each in kept])
        if window is None:
            self._deleted = False
            return
        window.show_history(sent, kept)
        if any(choice.on for choice in self._agent.choices()):
            self._deleted = False
        if self._deleted:
            self._say_what_was_deleted(window, sent, kept)
        if self._read_again:
            self._read(window)

    def _not_read(self, fault: errors.TidingsError) -> None:
        from ui.privacy.window import PrivacyWindow

        self._reading = False
        window = self._windows.find(PrivacyWindow)
        if window is not None:
            window.sent.show_unreadable(fault.title, fault.message)

    def _show_receipts(self) -> None:
        from ui.privacy.receipts_window import ReceiptsWindow

        def make() -> ReceiptsWindow:
            window = ReceiptsWindow(self._theme())
            window.show_receipts([_page(kept) for kept in self._agent.my_data.receipts()])
            window.save.connect(lambda kept: self.acts.save_receipt(window, kept))
            return window

        self._windows.show(ReceiptsWindow, make, resume=ReceiptsWindow.resume).show_newest()

    # What the person does

    def _switch(self, window: PrivacyWindow, signal: FeedbackSignal, given: bool) -> None:
        """One switch was moved: the window shows what holds now, also when that could not be kept."""
        try:
            self._agent.choose({signal: given}, shown=window.share.shown)
        except errors.TidingsError as error:
            log.error("%s: %s", type(error).__name__, error.detail)
            self._fill(window)
            window.share.show_problem(error.title, error.message)
            return
        if self._agent.status().company is None:  # and the window closes
            lost = errors.EnrolmentLost()
            self._tell(lost.title, lost.message)

    def _verify(self, window: PrivacyWindow) -> None:
        window.sent.show_verifying()
        self._work.run(
            window,
            lambda: self._agent.my_data.verify(),
            window.sent.show_comparison,
            window.sent.show_verify_problem,
            "verify",
        )

    def _all_deleted(self) -> None:
        self._deleted = True
        self._refresh()

    def _refresh(self) -> None:
        from ui.privacy.window import PrivacyWindow

        window = self._windows.find(PrivacyWindow)
        if window is not None:
            self._read(window)

    def _say_what_was_deleted(
        self, window: PrivacyWindow, sent: list[SentItem], kept: list[KeptReceipt]
    ) -> None:
        """Once the server has answered, the receipts; until then, what holds already."""
        waiting = any(item.kind == "withdrawn" and item.status is SentStatus.WAITING for item in sent)
        if waiting or not kept:
            window.share.note.tell(
                _("Nothing is shared any more"),
                _("Your company's server deletes what it has as soon as it can be reached."),
            )
            return
        self._deleted = False
        window.share.note.tell(
            _("All you shared is deleted"), _("The server has signed a receipt for each switch.")
        )
        self._show_receipts()


def _page(kept: KeptReceipt) -> ReceiptPage:
    """A receipt with what it says in its document."""
    from ui.privacy.receipt_page import ReceiptPage, ReceiptSays

    try:
        content = receipts.content(kept.document)
    except errors.DocumentRefused as error:
        log.warning("A kept receipt cannot be read: %s", error.detail)
        return ReceiptPage(kept, None)
    return ReceiptPage(
        kept,
        ReceiptSays(
            content.controller,
            content.dpo_email,
            content.region,
            content.purpose,
            content.notice_version,
            content.notice_sha256,
            content.time,
        ),
    )
