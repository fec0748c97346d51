"""One announcement, whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from agent.domain.model import Company, Image, InboxItem, Variant
from resources.i18n import _
from ui.core.timers import Timers
from ui.inbox.hold_line import Held, HeldLine
from ui.inbox.search import variant_of
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets import icons
from ui.widgets.acknowledge import Acknowledge, read_request
from ui.widgets.body_text import BodyText
from ui.widgets.buttons import Button, LikeButton
from ui.widgets.destinations import Destinations
from ui.widgets.flow import FlowRow
from ui.widgets.icons import Glyph
from ui.widgets.link_buttons import LinkButtons
from ui.widgets.picture import Fit, Picture
from ui.widgets.press_guard import PressGuard
from ui.widgets.reminder_row import LaterRow
from ui.widgets.text import label
from ui.widgets.themed import GlyphLabel, Themed

MediaPath = Callable[[str], Path | None]
PICTURE_HEIGHT = 330
BODY_WIDTH = 560


class Detail(Themed, QScrollArea):
    """``show_item()`` again with a newer state keeps the place in the text."""

    link_clicked = Signal(str)
    watch_clicked = Signal()
    like_toggled = Signal(bool)
    later_chosen = Signal(object)
    """Seconds from now; None for the next login."""
    acknowledged = Signal()
    unread_clicked = Signal()
    change_clicked = Signal()

    def __init__(
        self,
        theme: Theme,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timers: Timers | None = None,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._now = now
        self._shown_id = ""
        self._variant: Variant | None = None
        self.setProperty("kind", "pane")
        self.setAccessibleName(_("Announcement"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.picture = Picture(theme, radius=12)
        self.picture.watch_clicked.connect(self.watch_clicked)
        self.title = label(kind="h1", wrap=True)
        self.facts = label(kind="small", tone="muted", wrap=True)
        self.unread = Button(_("Mark as unread"), kind="link")
        self.unread.clicked.connect(self.unread_clicked)
        self.held = HeldLine(theme)
        self.acknowledge = Acknowledge(theme, timers)
        self.acknowledge.setContentsMargins(0, theme.px(12), 0, 0)
        self.acknowledge.confirmed.connect(self.acknowledged)
        self.acknowledge.resized.connect(self._show_question)
        self.body = BodyText(theme, max_width=BODY_WIDTH)
        self.later = LaterRow(now)
        self.later.setContentsMargins(0, theme.px(10), 0, 0)
        self.later.chosen.connect(self._on_later)
        self._inner = QWidget()
        column = QVBoxLayout(self._inner)
        column.setContentsMargins(theme.px(30), theme.px(26), theme.px(30), theme.px(26))
        column.setSpacing(0)
        column.addWidget(self.picture)
        column.addSpacing(theme.px(18))
        column.addWidget(self.title)
        column.addSpacing(theme.px(4))
        column.addLayout(self._facts_row())
        column.addSpacing(theme.px(14))
        column.addWidget(self.body)
        column.addWidget(self.held)
        column.addSpacing(theme.px(18))
        column.addWidget(self._actions())
        self.destinations = Destinations(above=theme.px(8))
        column.addWidget(self.destinations)
        column.addWidget(self.acknowledge)
        column.addWidget(self.later)
        column.addStretch(1)
        self.setWidget(self._inner)
        self.later.hide()
        acts = (self.picture.play, self.acknowledge.ask, self.like, self.change)
        self.guard = PressGuard(self, *acts, *self.later.buttons, timers=timers, needs_front=False)

    def _facts_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(10))
        self.trial = label(_("Test"), kind="pill", tone="warn")
        row.addWidget(self.trial, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.facts, 1)
        row.addWidget(self.unread, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _actions(self) -> FlowRow:
        self.action_row = FlowRow(self._theme.px(10))
        self.links = LinkButtons(self.action_row)
        self.links.pressed.connect(self.link_clicked)
        self.like = LikeButton(self._theme)
        self.like.toggled.connect(self.like_toggled)
        self.remind = Button(_("Remind me later"))
        self.remind.clicked.connect(self.offer_reminder)
        self.action_row.add(self.acknowledge.ask)
        self.action_row.add(self.like)
        self.action_row.add(self.remind)
        self.action_row.add_trailing(self._sharing())
        return self.action_row

    def _sharing(self) -> QWidget:
        shield = GlyphLabel(Glyph.SHIELD, self._theme, colour="accent", side=13)
        self.share_line = label(kind="small", tone="muted")
        self.change = Button(_("Change"), kind="link")
        self.change.setAccessibleDescription(_("Change what is shared"))
        self.change.clicked.connect(self.change_clicked)
        sharing = QWidget()
        row = QHBoxLayout(sharing)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(self._theme.px(6))
        for widget in (shield, self.share_line, self.change):
            row.addWidget(widget)
        return sharing

    def offer_reminder(self) -> None:
        """Show the choices, or take them away."""
        self.later.setVisible(not self.later.isVisible())
        if self.later.isVisible():
            self.ensureWidgetVisible(self.later)
            self.later.first.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_item(
        self,
        item: InboxItem,
        media_path: MediaPath,
        share_line: str,
        company: Company | None = None,
        held: Held | None = None,
    ) -> None:
        """Show an announcement in its present state, and why it was not on the screen."""
        variant = variant_of(item)
        is_another = item.campaign.campaign_id != self._shown_id
        self._show_picture(variant, media_path)
        self.title.setText(variant.title)
        self.facts.setText(_facts(item))
        self.trial.setVisible(item.campaign.is_trial)
        self.share_line.setText(text_format.sharing_of(item.campaign, share_line))
        self.like.setVisible(variant.video is not None)
        self.like.set_liked(item.state.liked)
        self.unread.setVisible(item.state.read)
        self.held.show_held(held, self._now(), read=item.state.read)
        self.acknowledge.show_request(read_request(item, company))
        if is_another:
            self._shown_id = item.campaign.campaign_id
            self.body.show_text(variant.body)
            self._show_links(variant)
            self.guard.guard(*self.links.buttons)
            self.guard.begin()
            self.later.begin(item.campaign.ends)
            self.verticalScrollBar().setValue(0)
        self.recolour()
        self.body.setVisible(bool(variant.body))
        self.body.fit()

    def _show_picture(self, variant: Variant, media_path: MediaPath) -> None:
        image, video = variant.image, variant.video
        self.picture.setVisible(image is not None or video is not None)
        if video is not None:
            ready = media_path(video.sha256) is not None
            poster = video.poster or image
            path = media_path(poster.sha256) if poster else None
            badge = (
                text_format.video_badge(video.duration_ms, bool(video.captions))
                if ready
                else _("Not here yet")
            )
            self.picture.show_poster(path, alt=poster.alt if poster else "", badge=badge, playable=ready)
        elif image is not None:
            self.picture.show_picture(media_path(image.sha256), alt=image.alt, fit=Fit.CONTAIN)
        self._variant = variant
        self._size_picture()

    def _size_picture(self) -> None:
        """As high as the design says, less where the picture is low or the window narrow."""
        shape = self._variant and (self._variant.video or self._variant.image)
        if not shape:
            return
        room = max(self.viewport().width() - 2 * self._theme.px(30), 1)
        height = min(
            self._theme.px(PICTURE_HEIGHT), max(round(room * shape.height / shape.width), self._theme.px(96))
        )
        whole_picture = isinstance(shape, Image)
        width = min(room, max(round(height * shape.width / shape.height), 96)) if whole_picture else room
        self.picture.setFixedSize(width, height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._size_picture()

    def _show_links(self, variant: Variant) -> None:
        self.links.show_links(variant.links, before=self.acknowledge.ask)
        for button in self.links.buttons:
            button.setIconSize(icons.square(self._theme.px(12)))
            button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.destinations.show_links(variant.links)

    def recolour(self) -> None:
        """One button leads: "I have read this" where that is asked, else the first link."""
        for index, button in enumerate(self.links.buttons):
            leads = index == 0 and not self.acknowledge.asks
            button.set_kind("primary" if leads else "")
            colour = self._theme.accent_ink if leads else self._theme.ink
            button.setIcon(icons.icon(Glyph.OUTWARD, colour, self._theme.px(12)))

    def _show_question(self) -> None:
        """All of it, with its buttons, where the window is low."""
        layout = self._inner.layout()
        if layout is not None:
            layout.activate()
        if self.acknowledge.isVisible():
            self.ensureWidgetVisible(self.acknowledge.question.cancel)

    def _on_later(self, seconds: float | None) -> None:
        self.later.hide()
        self.later_chosen.emit(seconds)


def _facts(item: InboxItem) -> str:
    parts = [item.campaign.sender, text_format.full_time(item.state.received)]
    parts.append(_("until {day}").format(day=text_format.day(item.campaign.ends)))
    if item.state.remind_at is not None:
        parts.append(_("reminder: {time}").format(time=text_format.full_time(item.state.remind_at)))
    elif item.state.remind_after_login:
        parts.append(_("reminder: at the next login"))
    return text_format.joined(*parts)
