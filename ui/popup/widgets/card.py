"""The pop-up card."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSpacerItem, QVBoxLayout, QWidget

from agent.domain.model import Urgency
from resources.i18n import _
from ui.core.timers import Timers
from ui.popup.pages import PopupPage
from ui.popup.widgets.digest import DigestList
from ui.popup.widgets.frame import CardFrame
from ui.popup.widgets.page_picture import PagePicture
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.acknowledge import Acknowledge
from ui.widgets.buttons import Button, IconButton, LikeButton
from ui.widgets.compositing import translucent_windows
from ui.widgets.destinations import Destinations
from ui.widgets.flow import FlowRow, measure_anew
from ui.widgets.icons import Glyph
from ui.widgets.link_buttons import LinkButtons
from ui.widgets.logo import LogoTile
from ui.widgets.press_guard import PressGuard
from ui.widgets.reminder_row import LaterRow
from ui.widgets.scrolling import place_of, plain_scroll_area, scroll_to
from ui.widgets.text import LINE_HEIGHT, WrappedLabel, label
from ui.widgets.themed import GlyphLabel

WIDTH = 404
MAX_WIDTH_SCALE = 1.5
PICTURE_HEIGHT = 184
BODY_LINES = 6
TEXT_LINES_MIN = 4
TEXT_GAP = 6
SENDER_LINES = 2


class PopupCard(CardFrame):
    """One card that pages through all that is due. It never has the keyboard, so nothing typed elsewhere is lost.

    A press that was meant for what stood there before counts for nothing. Turning pages, and closing one after the other,
    wait for nothing: none of that leaves the computer, and what is closed stays unread in the inbox.

    Place it with ``appear()``; ``shadow_margin`` of its size on each side is shadow. A page that is higher grows upwards.
    ``translucent`` None asks the desktop.
    """

    link_clicked = Signal(str)
    watch_clicked = Signal()
    like_toggled = Signal(bool)
    acknowledged = Signal()
    later_chosen = Signal(object)
    """Seconds from now; None is the next login."""
    dismissed = Signal()
    change_clicked = Signal()
    inbox_wanted = Signal(str)
    """At a campaign, or as a whole where none is named."""
    previous = Signal()
    next = Signal()

    def __init__(
        self,
        theme: Theme,
        *,
        translucent: bool | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timers: Timers | None = None,
    ) -> None:
        super().__init__(theme, translucent=translucent_windows() if translucent is None else translucent)
        self.setWindowTitle("Tidings")
        margin = self.shadow_margin + 1
        whole = self._whole = QVBoxLayout(self)
        whole.setContentsMargins(margin, margin, margin, margin)
        whole.setSpacing(0)
        self.later = LaterRow(now)
        self.later.chosen.connect(self.later_chosen)
        self.acknowledge = Acknowledge(theme, timers)
        self.acknowledge.confirmed.connect(self.acknowledged)
        self.acknowledge.resized.connect(self._show_question)
        self.picture = PagePicture(theme)
        self.picture.watch_clicked.connect(self.watch_clicked)
        whole.addLayout(self._header())
        whole.addWidget(self._middle())
        whole.addWidget(self._line())
        whole.addLayout(self._footer())
        self.later.hide()
        for widget in self.findChildren(QWidget):
            widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        acts = (self.picture.play, self.watch, self.acknowledge.ask, self.open_inbox, self.like, self.change)
        self._guard = PressGuard(self, *acts, *self.later.buttons, timers=timers, needs_front=False)
        PressGuard(self, self.close_button, timers=timers, needs_front=False, in_place=False)
        self._key: object = None

    def _header(self) -> QHBoxLayout:
        px = self._theme.px
        row = QHBoxLayout()
        row.setContentsMargins(px(14), px(12), px(10), px(10))
        row.setSpacing(px(10))
        self.logo = LogoTile(self._theme)
        self.sender_label = WrappedLabel(max_lines=SENDER_LINES)
        self.sender_label.setProperty("kind", "small-strong")
        self.trial = label(_("Test"), kind="pill", tone="warn")
        self.urgency = label(kind="pill", tone="warn")
        self.received = label(kind="small", tone="muted")
        self.later_button = IconButton(Glyph.CLOCK, _("Remind me later"), self._theme)
        self.later_button.clicked.connect(self._toggle_later)
        self.close_button = IconButton(Glyph.CLOSE, _("Close"), self._theme)
        self.close_button.clicked.connect(self.dismissed)
        for widget in (self.logo, self.sender_label, self.trial, self.urgency, self.received):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.later_button)
        row.addWidget(self.close_button)
        return row

    def _middle(self) -> QScrollArea:
        """All but header and footer: scrolled where the screen is too small for it."""
        self.middle = plain_scroll_area()
        inner = QWidget()
        self._inside = QVBoxLayout(inner)
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(0)
        self._inside.addWidget(self.later)
        self._inside.addWidget(self.picture)
        self._inside.addLayout(self._content())
        self._inside.addStretch(1)
        self.middle.setWidget(inner)
        return self.middle

    def _content(self) -> QVBoxLayout:
        px = self._theme.px
        column = QVBoxLayout()
        column.setContentsMargins(px(16), px(14), px(16), px(12))
        column.setSpacing(0)
        self._gap = QSpacerItem(0, px(14))
        self.title = label(kind="h2", wrap=True)
        self.body = label(tone="muted", wrap=True)
        self.note = label(kind="small-strong", wrap=True)
        self.text = plain_scroll_area()
        texts = QWidget()
        lines = QVBoxLayout(texts)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(px(TEXT_GAP))
        lines.addWidget(self.title)
        lines.addWidget(self.body)
        lines.addWidget(self.note)
        lines.addStretch(1)
        self.text.setWidget(texts)
        self.action_row = FlowRow(px(10))
        self.links = LinkButtons(self.action_row, focus=False)
        self.links.pressed.connect(self.link_clicked)
        self.watch = Button(_("Watch"), kind="primary")
        self.watch.clicked.connect(self.watch_clicked)
        self.open_inbox = Button(_("Open inbox"), kind="primary")
        self.open_inbox.clicked.connect(lambda: self.inbox_wanted.emit(""))
        self.like = LikeButton(self._theme)
        self.like.toggled.connect(self.like_toggled)
        self.action_row.add(self.watch)
        self.action_row.add(self.acknowledge.ask)
        self.action_row.add(self.open_inbox)
        self.action_row.add_trailing(self.like)
        self.action_row.add_trailing(self._pager())
        self.digest = DigestList(self._theme)
        self.digest.chosen.connect(self.inbox_wanted)
        column.addWidget(self.text)
        column.addWidget(self.digest)
        self.acknowledge.setContentsMargins(0, px(12), 0, 0)
        column.addWidget(self.acknowledge)
        column.addSpacerItem(self._gap)
        column.addWidget(self.action_row)
        self.destinations = Destinations(above=px(8))
        column.addWidget(self.destinations)
        return column

    def _pager(self) -> QWidget:
        self.pager = QWidget()
        row = QHBoxLayout(self.pager)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.position = label(kind="small", tone="muted")
        self.previous_button = IconButton(
            Glyph.PREVIOUS, _("Previous announcement"), self._theme, side=24, repeats=True
        )
        self.previous_button.clicked.connect(self.previous)
        self.next_button = IconButton(Glyph.NEXT, _("Next announcement"), self._theme, side=24, repeats=True)
        self.next_button.clicked.connect(self.next)
        row.addWidget(self.position)
        row.addSpacing(self._theme.px(6))
        row.addWidget(self.previous_button)
        row.addWidget(self.next_button)
        return self.pager

    def _line(self) -> QFrame:
        line = QFrame()
        line.setProperty("kind", "line")
        return line

    def _footer(self) -> QHBoxLayout:
        px = self._theme.px
        row = QHBoxLayout()
        row.setContentsMargins(px(16), px(8), px(14), px(8))
        row.setSpacing(px(8))
        shield = GlyphLabel(Glyph.SHIELD, self._theme, colour="accent", side=13)
        self.share_line = label(kind="small", tone="muted", wrap=True)
        self.change = Button(_("Change"), kind="link")
        self.change.setAccessibleDescription(_("Change what is shared"))
        self.change.clicked.connect(self.change_clicked)
        row.addWidget(shield)
        row.addWidget(self.share_line, 1)
        row.addWidget(self.change)
        return row

    def show_page(self, page: PopupPage) -> None:
        """Show an announcement in place of the one before."""
        self.setAccessibleName(page.marked_title)
        self.logo.show_company(page.company, page.logo)
        self.sender_label.setText(text_format.joined(page.company, page.sender))
        self.trial.setVisible(page.is_trial)
        self._show_urgency(page.urgency)
        self.received.setText(page.received)
        self.later.begin(page.ends)
        self.picture.show_page(page)
        self.title.setText(page.title)
        self.body.setText(page.body)
        self.note.setText(page.note)
        self.note.setVisible(bool(page.note))
        self.digest.show_lines(page.digest)
        self._show_actions(page)
        self.share_line.setText(page.share_line)
        self._guard.guard(*self.links.buttons, *self.digest.buttons)
        if page.key != self._key:
            self._key = page.key
            self._guard.begin()
        self.fit()
        self._announce()

    def _show_urgency(self, urgency: Urgency) -> None:
        texts = {Urgency.URGENT: _("Urgent"), Urgency.EMERGENCY: _("Emergency")}
        self.urgency.setText(texts.get(urgency, ""))
        self.urgency.setVisible(urgency in texts)
        self.received.setVisible(urgency not in texts)

    def _show_actions(self, page: PopupPage) -> None:
        self.watch.setVisible(page.has_video)
        self.open_inbox.setVisible(bool(page.digest))
        self.later_button.setVisible(not page.digest)
        self.acknowledge.show_request(page.acknowledge)
        self.acknowledge.ask.set_kind("" if page.has_video else "primary")
        first_link_leads = not page.has_video and not self.acknowledge.asks
        self.links.show_links(page.links)
        if first_link_leads and self.links.buttons:
            self.links.buttons[0].set_kind("primary")
        self.destinations.show_links(page.links)
        self.like.setVisible(page.can_like)
        self.like.set_liked(page.liked)
        self.pager.setVisible(page.count > 1)
        position = _("{position} of {count}").format(position=page.position, count=page.count)
        self.position.setText(position)
        self.previous_button.setEnabled(page.position > 1)
        self.next_button.setEnabled(page.position < page.count)

    def _toggle_later(self) -> None:
        self.later.setVisible(not self.later.isVisible())
        self.fit()

    def _show_question(self) -> None:
        """From its beginning, and not with Confirm where the pointer rests that asked for it."""
        pressed = place_of(self.acknowledge.ask)
        self.fit()
        question = self.acknowledge.question
        if question.isVisible():
            scroll_to(self.middle, question, question.confirm, clear_of=pressed)

    def fit(self) -> None:
        """Take the height that the page needs, at most the screen's."""
        self.ensurePolished()
        measure_anew(self)
        margins = 2 * self.shadow_margin
        room = self.screen().availableGeometry()
        width = min(round(WIDTH * min(self._theme.text_scale, MAX_WIDTH_SCALE)), room.width()) + margins
        most = room.height() + margins
        self._gap.changeSize(0, self._theme.px(14) if self.action_row.any_shown() else 0)
        self.middle.verticalScrollBar().setValue(0)
        needed = self._arrange(width, most)
        if needed > most:
            needed = self._arrange(width, most, self.middle.verticalScrollBar().sizeHint().width())
            self.middle.setFixedHeight(max(self.middle.height() - (needed - most), 0))
        self.settle(width, min(needed, most))
        self._whole.activate()

    def _arrange(self, width: int, most: int, bar: int = 0) -> int:
        """Let picture and text give way; gives the height needed. ``bar``: the width of a scroll bar for all of it."""
        line = self.body.fontMetrics().height() * LINE_HEIGHT
        inside = width - 2 * self.shadow_margin - 2 - bar
        text = self._text_height(inside - 2 * self._theme.px(16), round(BODY_LINES * line))
        picture = self._theme.px(PICTURE_HEIGHT) if self.picture.isVisibleTo(self) else 0
        needed = self._height_with(text, picture, width, inside)
        if needed > most:
            least = text if bar else round(TEXT_LINES_MIN * line)
            text, picture = self._give_way(needed - most, text, least, picture)
            needed = self._height_with(text, picture, width, inside)
        return needed

    def _give_way(self, excess: int, text: int, least_text: int, picture: int) -> tuple[int, int]:
        """Heights of text and picture with ``excess`` less: the picture shrinks, then the text, then the picture goes."""
        least_picture = min(picture, self.picture.play.height() + 2 * self._theme.px(8))
        less_picture = min(excess, picture - least_picture)
        less_text = min(excess - less_picture, max(text - least_text, 0))
        still_too_high = excess > less_picture + less_text
        if still_too_high:
            less_text = min(max(excess - picture, 0), max(text - least_text, 0))
        return text - less_text, 0 if still_too_high else picture - less_picture

    def _text_height(self, width: int, body_limit: int) -> int:
        """The title and at most ``body_limit`` of the body; a longer text is scrolled in place."""
        if self.body.heightForWidth(width) > body_limit:
            width -= self.text.verticalScrollBar().sizeHint().width()
        title, body = self.title.heightForWidth(width), self.body.heightForWidth(width)
        self.title.setMinimumHeight(title)
        self.body.setMinimumHeight(body)
        self.body.setVisible(body > 0)
        self.text.verticalScrollBar().setValue(0)
        note = self.note.heightForWidth(width)
        self.note.setMinimumHeight(note)
        gap = self._theme.px(TEXT_GAP)
        return title + (gap + min(body, body_limit) if body else 0) + (gap + note if note else 0)

    def _height_with(self, text: int, picture: int, width: int, inside: int) -> int:
        self.text.setFixedHeight(text)
        self.picture.setFixedHeight(picture)
        self._inside.invalidate()
        self._inside.activate()
        self.middle.setFixedHeight(self._inside.totalHeightForWidth(inside))
        self._whole.invalidate()
        self._whole.activate()
        return self._whole.totalHeightForWidth(width)

    def sizeHint(self) -> QSize:
        return self.size()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._announce()

    def _announce(self) -> None:
        """Screen readers say the announcement's title; the keyboard stays where it is."""
        if self.isVisible() and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
