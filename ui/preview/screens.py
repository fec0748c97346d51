"""The windows with a campaign in them, made of the same parts as on somebody's screen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from agent.domain.model import (
    Campaign,
    CampaignState,
    Company,
    ConnectionState,
    ConsentState,
    FeedbackSignal,
    InboxItem,
    SignalChoice,
    Status,
)
from ui.core.timers import Call
from ui.inbox.window import InboxWindow
from ui.player.requests import MediaPath, play_request
from ui.player.window import PlayerWindow
from ui.popup import view_models
from ui.popup.pages import PopupPage
from ui.popup.ports import CardContent
from ui.popup.widgets.card import PopupCard
from ui.popup.widgets.emergency import EmergencyCover
from ui.preview.request import BadRequest, Window
from ui.style import text_format
from ui.style.theme import Theme

CHOICES = tuple(SignalChoice(signal, ConsentState.NOT_ASKED, True, True) for signal in FeedbackSignal)
"""As everybody begins: nothing is shared."""


class ShownItem:
    """A campaign that has just come, on the computer of somebody who shares nothing."""

    def __init__(self, campaign: Campaign, company: Company, media_path: MediaPath) -> None:
        self.campaign, self.company, self.media_path = campaign, company, media_path
        self.now = campaign.starts

    def window(self, kind: Window, theme: Theme) -> QWidget:
        """A window that can be shown."""
        make: dict[Window, Callable[[Theme], QWidget]] = {
            Window.POPUP: self.popup,
            Window.EMERGENCY: self.emergency,
            Window.INBOX: self.inbox,
            Window.PLAYER: self.player,
        }
        return make[kind](theme)

    def popup(self, theme: Theme) -> PopupCard:
        """The card, with its shadow."""
        card = PopupCard(theme, translucent=True, now=lambda: self.now, timers=Elapsed())
        card.show_page(self._page())
        return card

    def emergency(self, theme: Theme) -> EmergencyCover:
        """Over the whole screen, once its buttons can be pressed."""
        timers = Elapsed()
        cover = EmergencyCover(theme, timers, bypass=False)
        cover.setGeometry(cover.screen().geometry())
        cover.show_page(self._page(), anew=True)
        timers.elapse()
        return cover

    def inbox(self, theme: Theme) -> InboxWindow:
        """The inbox with the announcement open, which makes it read."""
        window = InboxWindow(theme, now=lambda: self.now)
        status = Status(ConnectionState.CONNECTED, company=self.company, last_check=self.now)
        item = self._item(read=True)
        window.show_items([item], self.media_path, CHOICES, status)
        window.open(item.campaign.campaign_id)
        return window

    def player(self, theme: Theme) -> PlayerWindow:
        """The player as it comes, with the video's poster."""
        request = play_request(self._item(), self.media_path, text_format.share_line(CHOICES))
        if request is None:
            raise BadRequest("The player needs the video's file among the media.")
        return PlayerWindow(request, theme)

    def _item(self, *, read: bool = False) -> InboxItem:
        return InboxItem(self.campaign, CampaignState(self.now, read=read))

    def _page(self) -> PopupPage:
        content = CardContent(self._item(), 1, 1)
        return view_models.popup_page(content, self.company, CHOICES, self.media_path, self.now)


class Elapsed:
    """Timers of somebody who has waited: all that was to come, comes at once."""

    def __init__(self) -> None:
        self._calls: list[_Waiting] = []

    def after(self, _delay_ms: float, call: Callable[[], None]) -> Call:
        waiting = _Waiting(call)
        self._calls.append(waiting)
        return waiting

    def elapse(self) -> None:
        """Let the time pass."""
        calls, self._calls = self._calls, []
        for waiting in calls:
            waiting.come()


class _Waiting:
    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self._call = None

    def come(self) -> None:
        if self._call is not None:
            self._call()
