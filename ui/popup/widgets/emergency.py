"""What an emergency shows: the announcement in the middle of a screen that is covered, and covers for the other screens."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QCloseEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from resources.i18n import _
from ui.core.timers import Timers
from ui.popup.pages import PopupPage
from ui.popup.widgets.guarded_close import GuardedClose
from ui.popup.widgets.page_picture import PagePicture
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.acknowledge import Acknowledge
from ui.widgets.body_text import BodyText
from ui.widgets.buttons import Button, LikeButton
from ui.widgets.destinations import Destinations
from ui.widgets.flow import FlowRow
from ui.widgets.icons import Glyph
from ui.widgets.link_buttons import LinkButtons
from ui.widgets.logo import LogoTile
from ui.widgets.scrolling import plain_scroll_area
from ui.widgets.text import WrappedLabel, label
from ui.widgets.themed import GlyphLabel

WIDTH = 680
MAX_WIDTH_SCALE = 1.6
PICTURE_HEIGHT = 300
EDGE = 28
"""Of the screen that stays free around the announcement, in the design's pixels."""


class Cover(QWidget):
    """A window over a whole screen. Nothing that is done to it closes it; ``bypass``: above whatever is full screen (X11)."""

    def __init__(self, *, bypass: bool) -> None:
        flags = Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        if bypass:
            flags |= Qt.WindowType.BypassWindowManagerHint
        super().__init__(None, flags)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle("Tidings")

    def cover(self, geometry: QRect, *, full_screen: bool) -> None:
        """Show it over a screen; ``full_screen`` asks the compositor instead of saying where."""
        if full_screen:
            # Only a new window is sure to go where it is wanted. `showFullScreen` would ask for the keyboard as well.
            self.hide()
            self.setGeometry(geometry)
            self.setWindowState(Qt.WindowState.WindowFullScreen)
            self.setVisible(True)
        else:
            self.setGeometry(geometry)
            self.show()
            self.raise_()

    def closeEvent(self, event: QCloseEvent) -> None:
        """A window manager's own way to close it (Alt-F4) is no deliberate act."""
        event.ignore()


class SideCover(Cover):
    """For each other screen: what it is about, and where to read it."""

    def __init__(self, theme: Theme, title: str, *, bypass: bool) -> None:
        super().__init__(bypass=bypass)
        self.setWindowFlag(Qt.WindowType.WindowDoesNotAcceptFocus)
        self._text = _("Read it on your other screen.")
        self._title = label("", kind="display", wrap=True)
        self.show_title(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(EDGE), theme.px(EDGE), theme.px(EDGE), theme.px(EDGE))
        column.setSpacing(theme.px(10))
        column.addStretch(1)
        pill_row = QHBoxLayout()
        pill_row.addStretch(1)
        pill_row.addWidget(label(_("Emergency"), kind="pill", tone="warn"))
        pill_row.addStretch(1)
        column.addLayout(pill_row)
        for line in (self._title, label(self._text, tone="muted", wrap=True)):
            line.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(line)
        column.addStretch(1)

    def show_title(self, title: str) -> None:
        """Of the announcement that is on the other screen."""
        self._title.setText(title)
        self.setAccessibleName(f"{_('Emergency')}: {title}. {self._text}")


class EmergencyCover(Cover):
    """The screen with the announcement.

    For the first seconds keys go where they went before, and none of its buttons can be pressed: whoever types or clicks when
    it comes loses nothing and presses nothing. Then it takes the keyboard, since the program beneath cannot be seen any more:
    what is typed on would go anywhere, and who has no pointer could not answer. The keyboard comes to the text, where no key
    presses a button.
    """

    link_clicked = Signal(str)
    watch_clicked = Signal()
    like_toggled = Signal(bool)
    acknowledged = Signal()
    dismissed = Signal()

    def __init__(self, theme: Theme, timers: Timers, *, bypass: bool) -> None:
        super().__init__(bypass=bypass)
        self._theme = theme
        self._title = ""
        self.card = QFrame(self)
        self.card.setProperty("kind", "card")
        self.acknowledge = Acknowledge(theme, timers)
        self.acknowledge.confirmed.connect(self.acknowledged)
        self.acknowledge.resized.connect(self.lay_out)
        self.guard = GuardedClose(theme, timers)
        self.guard.closed.connect(self.dismissed)
        self.guard.resized.connect(self.lay_out)
        self.guard.ready.connect(lambda: self._take_presses(True))
        px = theme.px
        self._column = QVBoxLayout(self.card)
        self._column.setContentsMargins(px(24), px(20), px(24), px(20))
        self._column.setSpacing(px(14))
        self._column.addLayout(self._header())
        self._column.addWidget(self._text())
        self._column.addWidget(self.acknowledge)
        self._column.addWidget(self._actions())
        self.destinations = Destinations()
        self._column.addWidget(self.destinations)
        line = QFrame()
        line.setProperty("kind", "line")
        self._column.addWidget(line)
        self._column.addLayout(self._share())
        self._column.addWidget(self.guard)

    def _header(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(10))
        self.logo = LogoTile(self._theme, side=28)
        self.sender_label = WrappedLabel(max_lines=2)
        self.sender_label.setProperty("kind", "strong")
        self.position = label(kind="small", tone="muted")
        row.addWidget(self.logo)
        row.addWidget(self.sender_label, 1)
        self.trial = label(_("Test"), kind="pill", tone="warn")
        row.addWidget(self.position)
        row.addWidget(self.trial)
        row.addWidget(label(_("Emergency"), kind="pill", tone="warn"))
        return row

    def _text(self) -> QScrollArea:
        self.text = plain_scroll_area()
        self.text.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        inner = QWidget()
        self._lines = QVBoxLayout(inner)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(self._theme.px(10))
        self.title = label(kind="display", wrap=True)
        self.picture = PagePicture(self._theme, radius=10)
        self.picture.setFixedHeight(self._theme.px(PICTURE_HEIGHT))
        self.picture.watch_clicked.connect(self.watch_clicked)
        self.body = BodyText(self._theme, max_width=WIDTH)
        self.body.setProperty("kind", "large-text")
        self.body.height_changed.connect(self.lay_out)
        for widget in (self.title, self.body, self.picture):
            self._lines.addWidget(widget)
        self._lines.addStretch(1)
        self.text.setWidget(inner)
        return self.text

    def _actions(self) -> FlowRow:
        self.action_row = FlowRow(self._theme.px(10))
        self._links = LinkButtons(self.action_row)
        self._links.pressed.connect(self.link_clicked)
        self.watch = Button(_("Watch"), kind="primary")
        self.watch.clicked.connect(self.watch_clicked)
        self.like = LikeButton(self._theme)
        self.like.toggled.connect(self.like_toggled)
        self.action_row.add(self.acknowledge.ask)
        self.action_row.add(self.watch)
        self.action_row.add_trailing(self.like)
        return self.action_row

    def _share(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(8))
        self.share_line = label(kind="small", tone="muted", wrap=True)
        row.addWidget(GlyphLabel(Glyph.SHIELD, self._theme, colour="accent", side=13))
        row.addWidget(self.share_line, 1)
        return row

    def show_page(self, page: PopupPage, *, anew: bool) -> None:
        """An announcement in place of the one before; ``anew`` unless it is the same with another state."""
        self._title = page.title
        named = f"{_('Emergency')}: {page.title}"
        self.setAccessibleName(text_format.titled(named, is_trial=page.is_trial))
        self.trial.setVisible(page.is_trial)
        self.setAccessibleDescription(page.body)
        self.logo.show_company(page.company, page.logo)
        self.sender_label.setText(text_format.joined(page.company, page.sender))
        self.position.setText(_("{position} of {count}").format(position=page.position, count=page.count))
        self.position.setVisible(page.count > 1)
        self.title.setText(page.title)
        self.body.show_text(page.body)
        self.body.setVisible(bool(page.body))
        self.picture.show_page(page)
        self.acknowledge.show_request(page.acknowledge)
        self._show_actions(page)
        self.share_line.setText(page.share_line)
        if anew:
            self._take_presses(False)
            self.guard.begin()
            self._announce()
        self.lay_out()

    def _show_actions(self, page: PopupPage) -> None:
        self.watch.setVisible(page.has_video)
        self._links.show_links(page.links)
        self.destinations.show_links(page.links)
        self.like.setVisible(page.can_like)
        self.like.set_liked(page.liked)
        self.action_row.setVisible(self.action_row.any_shown())

    def _take_presses(self, taken: bool) -> None:
        """Where a link or a video leads lies beneath: following it uncovers the screens, as closing does."""
        for widget in (self.action_row, self.acknowledge, self.picture):
            widget.setEnabled(taken)

    def lay_out(self) -> None:
        """The announcement in the middle, as high as it needs and the screen has room; a longer text is scrolled."""
        if self.width() < 2 * EDGE:
            return
        self.ensurePolished()
        room = self.rect().adjusted(EDGE, EDGE, -EDGE, -EDGE)
        width = min(round(WIDTH * min(self._theme.text_scale, MAX_WIDTH_SCALE)), room.width())
        margins = self._column.contentsMargins()
        inside = width - margins.left() - margins.right()
        text = self._height_of_text(inside)
        needed = self._height_with(text, width)
        if needed > room.height():
            self._height_of_text(inside - self.text.verticalScrollBar().sizeHint().width())
            text = max(text - (needed - room.height()), 0)
            needed = self._height_with(text, width)
        left = room.x() + (room.width() - width) // 2
        self.card.setGeometry(
            left, room.y() + max((room.height() - needed) // 2, 0), width, min(needed, room.height())
        )

    def _height_of_text(self, width: int) -> int:
        self._lines.invalidate()
        self._lines.activate()
        self.body.setFixedWidth(min(width, self._theme.px(WIDTH)))
        self.body.fit()
        return self._lines.totalHeightForWidth(width)

    def _height_with(self, text: int, width: int) -> int:
        self.text.setFixedHeight(text)
        self._column.invalidate()
        self._column.activate()
        return self._column.totalHeightForWidth(width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.lay_out()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.lay_out()
        self._announce()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that nothing in it has use for are for the text; none closes it."""
        self.text.verticalScrollBar().event(event)

    def take_keyboard(self) -> None:
        """From now on keys come here: to the text."""
        self.activateWindow()
        if self.focusWidget() is None or not self.guard.isAncestorOf(self.focusWidget()):
            self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _announce(self) -> None:
        if self.isVisible() and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
